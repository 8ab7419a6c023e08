// SPDX-License-Identifier: GPL-2.0-only
/* hash_1_0: plugins' hash as it was when its family's ABI was 1.0; there was no repeating then. */
#include <tiffin/packet_steering.h>

enum { HASH_AWAY };

static const struct tiffin_counter hash_counters[] = {
	[HASH_AWAY] = { "away", "packets sent to another CPU than the one that had them" },
};

static void hash_decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
			struct tiffin_ps_out *out)
{
	/* Scales the hash to 0..nr_usable-1 without a division. */
	out->cpu = in->usable[((__u64)in->hash * in->nr_usable) >> 32];
	out->verdict = TIFFIN_PS_CPU;
	if (out->cpu != in->cpu)
		tiffin_count(ctx, HASH_AWAY, 1);
}

static const struct tiffin_ps_hooks hash_hooks = {
	.decide = hash_decide,
};

TIFFIN_POLICY(packet_steering, "hash_1_0", "1.0", "test: hash, as of ABI 1.0",
	      TIFFIN_HOOKS(hash_hooks), TIFFIN_COUNTERS(hash_counters));
