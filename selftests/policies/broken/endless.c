// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken on purpose: loops until a CPU is idle.
 * Found by: test
 * Seen as: it took too long
 */
#include <tiffin/packet_steering.h>

static void endless_decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
			   struct tiffin_ps_out *out)
{
	__u32 i = 0;

	while (tiffin_load(&tiffin_ps_cpu(in, in->usable[i])->load) > 500)
		i = (i + 1) % in->nr_usable;
	out->verdict = TIFFIN_PS_CPU;
	out->cpu = in->usable[i];
}

static const struct tiffin_ps_hooks endless_hooks = {
	.decide = endless_decide,
};

TIFFIN_POLICY(packet_steering, "endless", "1.0", "test: broken on purpose",
	      TIFFIN_HOOKS(endless_hooks));
