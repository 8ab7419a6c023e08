// SPDX-License-Identifier: GPL-2.0-only
/*
 * hash: a flow keeps one CPU, picked by its hash; the same one at each stage that sees the same
 * hash. That is what the stock kernel's RPS does with a map of all usable CPUs.
 */
#include <tiffin/packet_steering.h>

enum { HASH_REPEAT };

static const struct tiffin_tunable hash_tunables[] = {
	[HASH_REPEAT] = { "repeat", "packets that an answer is repeated for, at most",
			  0, TIFFIN_PS_MAX_REPEAT, TIFFIN_PS_MAX_REPEAT },
};

enum { HASH_AWAY };

static const struct tiffin_counter hash_counters[] = {
	[HASH_AWAY] = { "away", "answers that named another CPU than the one that had the packet" },
};

/*
 * falcon's, in its layout: hash has no use for them and leaves them as they are, so that falcon
 * finds each flow's choice again after a swap to hash and back. A flow that begins meanwhile has
 * zeros.
 */
static const struct tiffin_store hash_stores[] = {
	{ "falcon_flow", 2, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_ATOMIC, 16 },
	{ "falcon", 1, TIFFIN_STORE_INSTANCE, TIFFIN_SHARE_ATOMIC, 8 },
};

static void hash_decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
			struct tiffin_ps_out *out)
{
	/* Scales the hash to 0..nr_usable-1 without a division. */
	out->cpu = in->usable[((__u64)in->hash * in->nr_usable) >> 32];
	out->verdict = TIFFIN_PS_CPU;
	out->flags = TIFFIN_PS_STEADY;
	out->repeat = tiffin_tunable(ctx, HASH_REPEAT);
	if (out->cpu != in->cpu)
		tiffin_count(ctx, HASH_AWAY, 1);
}

static const struct tiffin_ps_hooks hash_hooks = {
	.decide = hash_decide,
};

TIFFIN_POLICY(packet_steering, "hash", "1.0", "one CPU for each flow, by its hash, as RPS does",
	      TIFFIN_HOOKS(hash_hooks), TIFFIN_STORES(hash_stores),
	      TIFFIN_TUNABLES(hash_tunables), TIFFIN_COUNTERS(hash_counters));
