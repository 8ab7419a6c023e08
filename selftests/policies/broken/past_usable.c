// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken on purpose: takes the number of CPUs for that of the usable ones.
 * Found by: test
 * Seen as: AddressSanitizer: heap-buffer-overflow
 */
#include <tiffin/packet_steering.h>

static void past_usable_decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
			       struct tiffin_ps_out *out)
{
	out->verdict = TIFFIN_PS_CPU;
	out->cpu = in->usable[in->hash % in->nr_cpus];
}

static const struct tiffin_ps_hooks past_usable_hooks = {
	.decide = past_usable_decide,
};

TIFFIN_POLICY(packet_steering, "past_usable", "1.0", "test: broken on purpose",
	      TIFFIN_HOOKS(past_usable_hooks));
