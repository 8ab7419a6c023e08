// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken on purpose: answers with a CPU's number as its verdict.
 * Found by: test
 * Seen as: gave verdict
 */
#include <tiffin/packet_steering.h>

static void wild_verdict_decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
				struct tiffin_ps_out *out)
{
	out->verdict = in->usable[in->hash % in->nr_usable];
}

static const struct tiffin_ps_hooks wild_verdict_hooks = {
	.decide = wild_verdict_decide,
};

TIFFIN_POLICY(packet_steering, "wild_verdict", "1.0", "test: broken on purpose",
	      TIFFIN_HOOKS(wild_verdict_hooks));
