/* SPDX-License-Identifier: GPL-2.0-only */
/* The guarded call, and where one that is ended lands; see guard.h. */

#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/nospec-branch.h>
#include <asm/percpu.h>
#include <asm/processor-flags.h>
#include <asm/unwind_hints.h>

#include "compat/percpu.h"
#include "compat/unwind.h"
#include "core/guard_frame.h"

/* Where the kernel lets no probe in: one here would have its own frame on the stack. */
	.section .kprobes.text, "ax"

/*
 * tiffin_guard_call(ctx %rdi, in %rsi, out %rdx, fn %rcx, policy %r8, task %r9)
 *
 * Two equal numbers are compared right before the flags are saved, and again before they are
 * looked at: so what an operation leaves in them is the same, and the whole word can be compared.
 *
 * It is called by its name alone, and needs no ENDBR for that.
 */
SYM_START(tiffin_guard_call, SYM_L_GLOBAL, SYM_F_ALIGN)
.Lbegin:
	cmpb	$0, PER_CPU_VAR(tiffin_watchdog_idle)
	jne	.Lwatchdog
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	/* struct tiffin_guard_frame, its last member first */
	pushq	%r9
	pushq	PER_CPU_VAR(TIFFIN_PREEMPT_COUNT)
	pushfq
	pushq	%rdi
	pushq	%r8
	pushq	PER_CPU_VAR(tiffin_guard_cursor)
	movq	%rsp, PER_CPU_VAR(tiffin_guard_cursor)
	CALL_NOSPEC rcx
SYM_INNER_LABEL(tiffin_guard_returned, SYM_L_GLOBAL)
	ANNOTATE_NOENDBR
	UNWIND_HINT_SAVE
	movl	PER_CPU_VAR(TIFFIN_PREEMPT_COUNT), %eax
	cmpl	TIFFIN_FRAME_PREEMPT(%rsp), %eax
	jne	.Ldiffers
	pushfq
	popq	%rax
	xorl	TIFFIN_FRAME_FLAGS(%rsp), %eax
	jne	.Ldiffers
	popq	PER_CPU_VAR(tiffin_guard_cursor)
	/* The policy has kept the registers, as any function does: what was saved is not needed. */
	addq	$(TIFFIN_FRAME_SIZE - 8 + 6 * 8), %rsp
	UNWIND_HINT_FUNC
	/* TIFFIN_ENTERED, as nothing differs */
	RET

	/* A call that is more than a tick from the last one */
.Lwatchdog:
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%r8
	pushq	%r9
	call	tiffin_watchdog_start
	popq	%r9
	popq	%r8
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	jmp	.Lbegin

	/*
	 * What C takes for granted: strings go upwards, and user memory is out of reach. Interrupts
	 * stay as they are.
	 */
.Ldiffers:
	pushfq
	movq	(%rsp), %rdx
	andq	$X86_EFLAGS_IF, (%rsp)
	popfq
	xorl	%esi, %esi
	jmp	.Lend
	/* Comes from an exception, interrupts disabled, with %rsp the cursor. */
SYM_INNER_LABEL(tiffin_guard_landing, SYM_L_GLOBAL)
	UNWIND_HINT_RESTORE
	ANNOTATE_NOENDBR
	movl	$1, %esi
.Lend:
	movq	%rsp, %rdi
	movq	(%rsp), %rax
	movq	%rax, PER_CPU_VAR(tiffin_guard_cursor)
	call	tiffin_guard_end
	addq	$TIFFIN_FRAME_SIZE, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	RET
SYM_FUNC_END(tiffin_guard_call)

/*
 * The return address of a function that the policy has called, put there by the watchdog: when that
 * function returns it lands here, somewhere below the frame, with interrupts as they are.
 */
SYM_CODE_START(tiffin_guard_return)
	TIFFIN_UNWIND_HINT_NONE
	ANNOTATE_NOENDBR
	movq	PER_CPU_VAR(tiffin_guard_cursor), %rsp
	/* Whatever the policy had set there, interrupts too: as after an exception that lands. */
	pushq	$X86_EFLAGS_FIXED
	popfq
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
