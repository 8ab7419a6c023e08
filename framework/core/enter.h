/* SPDX-License-Identifier: GPL-2.0-only */
/* The only place that calls a policy's text. */
#ifndef TIFFIN_CORE_ENTER_H
#define TIFFIN_CORE_ENTER_H

#include "core/guard.h"
#include "core/quarantine.h"
#include "core/registry.h"

/**
 * enum tiffin_entered - how a call into a policy went
 * @TIFFIN_ENTERED: the policy returned, with interrupts and preemption as it found them
 * @TIFFIN_ENTER_REFUSED: the policy is in quarantine and was not called
 * @TIFFIN_ENTER_FAULTED: the call was ended for the policy, and has put it in quarantine: what it
 *	was writing may be half written
 */
enum tiffin_entered {
	TIFFIN_ENTERED,
	TIFFIN_ENTER_REFUSED,
	TIFFIN_ENTER_FAULTED,
};

/**
 * tiffin_enter - call into a policy
 * @policy: whose function it is
 * @fn: a hook or a life-cycle callback
 * @ctx: the call's context
 * @in: its argument
 * @out: its answer, or NULL
 *
 * Context: any but NMI, preemption disabled by the caller.
 */
static __always_inline enum tiffin_entered
tiffin_enter(struct tiffin_loaded *policy, tiffin_hook_fn fn, const struct tiffin_ctx *ctx,
	     const void *in, void *out)
{
	struct tiffin_guard_frame *frame;
	/* All of it is written; zeros before, which the kernel has the compiler add, cost. */
	struct tiffin_guard was __attribute__((uninitialized));

	if (unlikely(tiffin_quarantined(policy)))
		return TIFFIN_ENTER_REFUSED;
	tiffin_guard_begin(&was);
	frame = tiffin_guard_call(ctx, in, out, fn, policy);
	if (likely(!frame) && likely(tiffin_guard_kept(&was)))
		return TIFFIN_ENTERED;
	tiffin_guard_end(policy, frame, &was);
	return TIFFIN_ENTER_FAULTED;
}

#endif /* TIFFIN_CORE_ENTER_H */
