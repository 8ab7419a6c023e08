/* SPDX-License-Identifier: GPL-2.0-only */
/* Into the substitute, and from it to the function that it stands in for. */

#include <linux/linkage.h>
#include <linux/objtool.h>
#include <asm/nospec-branch.h>
#include <asm/unwind_hints.h>

	.text

/*
 * Called by ftrace's direct call at the start of get_rps_cpu(), so on top of the stack is an
 * address in get_rps_cpu() and below it that of its caller. Return into the substitute in place
 * of the former: the substitute then finds the stack as if the caller had called it, and calls
 * and returns stay in pairs, as the CPU's return-address predictor expects.
 */
SYM_FUNC_START(ps_direct_entry)
	leaq	ps_get_rps_cpu(%rip), %rax
	movq	%rax, (%rsp)
	RET
SYM_FUNC_END(ps_direct_entry)

/*
 * The body of get_rps_cpu(), from behind its ftrace site on. No indirect branch may go there where
 * IBT is on, as no ENDBR stands there; a return may.
 */
SYM_FUNC_START(ps_call_stock)
	movq	ps_stock_body(%rip), %rax
	ANNOTATE_INTRA_FUNCTION_CALL
	call	1f
	int3
1:	movq	%rax, (%rsp)
	UNWIND_HINT_FUNC
	RET
SYM_FUNC_END(ps_call_stock)
