// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken on purpose: takes an address for a random number.
 * Found by: test
 * Seen as: does not do the same from the same state
 */
#include <tiffin/packet_steering.h>

static void address_decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
			   struct tiffin_ps_out *out)
{
	out->verdict = TIFFIN_PS_CPU;
	out->cpu = in->usable[((unsigned long)in >> 4) % in->nr_usable];
}

static const struct tiffin_ps_hooks address_hooks = {
	.decide = address_decide,
};

TIFFIN_POLICY(packet_steering, "address", "1.0", "test: broken on purpose",
	      TIFFIN_HOOKS(address_hooks));
