// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken on purpose: spreads over all CPUs, usable or not.
 * Found by: test
 * Seen as: which is not usable
 */
#include <tiffin/packet_steering.h>

static void unusable_cpu_decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
				struct tiffin_ps_out *out)
{
	out->verdict = TIFFIN_PS_CPU;
	out->cpu = in->hash % in->nr_cpus;
}

static const struct tiffin_ps_hooks unusable_cpu_hooks = {
	.decide = unusable_cpu_decide,
};

TIFFIN_POLICY(packet_steering, "unusable_cpu", "1.0", "test: broken on purpose",
	      TIFFIN_HOOKS(unusable_cpu_hooks));
