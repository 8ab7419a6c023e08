// SPDX-License-Identifier: GPL-2.0-only
/* fickle: changes its mind about each flow every so many packets. The host keeps the order. */
#include <tiffin/packet_steering.h>

enum { FICKLE_EVERY, FICKLE_FORCE };

static const struct tiffin_tunable fickle_tunables[] = {
	[FICKLE_EVERY] = { "every", "packets of a flow at a stage after which it goes to the next CPU",
			   1, 1000000000, 7 },
	[FICKLE_FORCE] = { "force", "1: ask for the move at once, so that packets overtake each other",
			   0, 1, 0 },
};

enum { FICKLE_CHANGES };

static const struct tiffin_counter fickle_counters[] = {
	[FICKLE_CHANGES] = { "changes", "times that it changed its mind" },
};

struct fickle_flow {
	__u64 packets;
};

static const struct tiffin_store fickle_stores[] = {
	{ "fickle", 1, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_ATOMIC, sizeof(struct fickle_flow) },
};

static void fickle_decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
			  struct tiffin_ps_out *out)
{
	struct fickle_flow *flow = tiffin_object(ctx);
	__u64 every = tiffin_tunable(ctx, FICKLE_EVERY);
	__u64 packets = tiffin_add(&flow->packets, 1);

	if (packets % every == every - 1)
		tiffin_count(ctx, FICKLE_CHANGES, 1);
	out->cpu = in->usable[(in->hash + packets / every) % in->nr_usable];
	out->verdict = TIFFIN_PS_CPU;
	if (tiffin_tunable(ctx, FICKLE_FORCE))
		out->flags = TIFFIN_PS_FORCE;
}

static const struct tiffin_ps_hooks fickle_hooks = {
	.decide = fickle_decide,
};

TIFFIN_POLICY(packet_steering, "fickle", "1.0", "test: changes its mind every few packets",
	      TIFFIN_HOOKS(fickle_hooks), TIFFIN_STORES(fickle_stores),
	      TIFFIN_TUNABLES(fickle_tunables), TIFFIN_COUNTERS(fickle_counters));
