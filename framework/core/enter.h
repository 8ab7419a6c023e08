/* SPDX-License-Identifier: GPL-2.0-only */
/* The only place that calls a policy's text. Whatever guards a policy goes around this call. */
#ifndef TIFFIN_CORE_ENTER_H
#define TIFFIN_CORE_ENTER_H

#include "core/registry.h"

/**
 * tiffin_enter - call into a policy
 * @fn: a hook or a life-cycle callback
 * @ctx: the call's context
 * @in: its argument
 * @out: its answer, or NULL
 *
 * Context: any but NMI, preemption disabled by the caller.
 */
static __always_inline void tiffin_enter(tiffin_hook_fn fn, const struct tiffin_ctx *ctx,
					 const void *in, void *out)
{
	fn(ctx, in, out);
}

#endif /* TIFFIN_CORE_ENTER_H */
