// SPDX-License-Identifier: GPL-2.0-only
/* stay: every packet stays where it is. What is left is the cost of asking. */
#include <tiffin/packet_steering.h>

enum { STAY_REPEAT, STAY_STEADY };

static const struct tiffin_tunable stay_tunables[] = {
	[STAY_REPEAT] = { "repeat", "packets that an answer is repeated for, at most",
			  0, TIFFIN_PS_MAX_REPEAT, 0 },
	[STAY_STEADY] = { "steady", "1: also beyond the next sample of the CPUs", 0, 1, 0 },
};

static void stay_decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
			struct tiffin_ps_out *out)
{
	out->verdict = TIFFIN_PS_STAY;
	out->flags = tiffin_tunable(ctx, STAY_STEADY) ? TIFFIN_PS_STEADY : 0;
	out->repeat = tiffin_tunable(ctx, STAY_REPEAT);
}

static const struct tiffin_ps_hooks stay_hooks = {
	.decide = stay_decide,
};

TIFFIN_POLICY(packet_steering, "stay", "1.0", "test: every packet stays on its CPU",
	      TIFFIN_HOOKS(stay_hooks), TIFFIN_TUNABLES(stay_tunables));
