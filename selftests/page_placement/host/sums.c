// SPDX-License-Identifier: GPL-2.0-only
/* A test policy: adds up what ticks tell. */
#include <tiffin/page_placement.h>

enum { TICKS, SWAP_INS };

static const struct tiffin_counter sums_counters[] = {
	[TICKS] = { "ticks", "ticks" },
	[SWAP_INS] = { "swap_ins", "pages that were read back from swap" },
};

static void sums_access(const struct tiffin_ctx *ctx, const struct tiffin_pp_access_in *in,
			struct tiffin_pp_access_out *out)
{
}

static void sums_tick(const struct tiffin_ctx *ctx, const struct tiffin_pp_tick_in *in,
		      struct tiffin_pp_tick_out *out)
{
	tiffin_count(ctx, TICKS, 1);
	tiffin_count(ctx, SWAP_INS, in->swap_ins);
}

static const struct tiffin_pp_hooks sums_hooks = {
	.access = sums_access,
	.tick = sums_tick,
};

TIFFIN_POLICY(page_placement, "sums", "1.0", "adds up what ticks tell",
	      TIFFIN_HOOKS(sums_hooks), TIFFIN_COUNTERS(sums_counters));
