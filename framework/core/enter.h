/* SPDX-License-Identifier: GPL-2.0-only */
/* The only place that calls a policy's text. */
#ifndef TIFFIN_CORE_ENTER_H
#define TIFFIN_CORE_ENTER_H

#include "core/guard.h"
#include "core/quarantine.h"
#include "core/registry.h"

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
	if (unlikely(tiffin_quarantined(policy)))
		return TIFFIN_ENTER_REFUSED;
	return tiffin_guard_call(ctx, in, out, fn, policy, tiffin_guard_task());
}

#endif /* TIFFIN_CORE_ENTER_H */
