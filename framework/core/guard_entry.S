/* SPDX-License-Identifier: GPL-2.0-only */
/* The guarded call, and where one that is ended lands; see guard.h. */

#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/nospec-branch.h>
#include <asm/percpu.h>
#include <asm/unwind_hints.h>

#include "compat/unwind.h"

/* Where the kernel lets no probe in: one here would have its own frame on the stack. */
	.section .kprobes.text, "ax"

/* tiffin_guard_call(ctx %rdi, in %rsi, out %rdx, fn %rcx, policy %r8) */
SYM_FUNC_START(tiffin_guard_call)
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	/* struct tiffin_guard_frame, its last member first */
	pushq	$0
	pushq	%rdi
	pushq	%r8
	pushq	PER_CPU_VAR(tiffin_guard_cursor)
	movq	%rsp, PER_CPU_VAR(tiffin_guard_cursor)
	CALL_NOSPEC rcx
SYM_INNER_LABEL(tiffin_guard_returned, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR
	popq	PER_CPU_VAR(tiffin_guard_cursor)
	/* The policy has kept the registers, as any function does: what was saved is not needed. */
	addq	$(3 + 6) * 8, %rsp
	UNWIND_HINT_FUNC
	xorl	%eax, %eax
	RET
SYM_FUNC_END(tiffin_guard_call)

/* Comes from an exception, interrupts disabled, with %rsp the cursor. */
SYM_CODE_START(tiffin_guard_landing)
	TIFFIN_UNWIND_HINT_NONE
	ANNOTATE_NOENDBR
	movq	%rsp, %rax
	popq	PER_CPU_VAR(tiffin_guard_cursor)
	addq	$3 * 8, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	RET
SYM_CODE_END(tiffin_guard_landing)

/*
 * The return address of a function that the policy has called, put there by the watchdog: when that
 * function returns it lands here, somewhere below the frame, with interrupts as they are.
 */
SYM_CODE_START(tiffin_guard_return)
	TIFFIN_UNWIND_HINT_NONE
	ANNOTATE_NOENDBR
	cli
	movq	PER_CPU_VAR(tiffin_guard_cursor), %rsp
	cld
	jmp	tiffin_guard_landing
SYM_CODE_END(tiffin_guard_return)

/* What the kernel's report of a fault is replaced with where the fault is the policy's. */
SYM_FUNC_START(tiffin_guard_nothing)
	RET
SYM_FUNC_END(tiffin_guard_nothing)

/*
 * Where the kernel's handler of a double fault goes on, when its notifiers have returned; the word
 * on the stack is the address of the registers. From that stack, which is left for good, to where
 * they say.
 */
SYM_CODE_START(tiffin_guard_handled)
	TIFFIN_UNWIND_HINT_NONE
	ANNOTATE_NOENDBR
	movq	(%rsp), %rbx
	movq	%rbx, %rdi
	call	tiffin_fault_handled
	leaq	16*8(%rbx), %rsp	/* ip, cs, flags, sp, ss */
	iretq
SYM_CODE_END(tiffin_guard_handled)
