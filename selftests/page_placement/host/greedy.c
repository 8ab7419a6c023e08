// SPDX-License-Identifier: GPL-2.0-only
/* A test policy: wants every page that is touched in fast memory, whatever there is room for. */
#include <tiffin/page_placement.h>

static void greedy_access(const struct tiffin_ctx *ctx, const struct tiffin_pp_access_in *in,
			  struct tiffin_pp_access_out *out)
{
	out->verdict = TIFFIN_PP_QUEUE;
}

static void greedy_tick(const struct tiffin_ctx *ctx, const struct tiffin_pp_tick_in *in,
			struct tiffin_pp_tick_out *out)
{
	out->hint_pages = 4096;
}

static const struct tiffin_pp_hooks greedy_hooks = {
	.access = greedy_access,
	.tick = greedy_tick,
};

TIFFIN_POLICY(page_placement, "greedy", "1.0", "promotes all that is touched",
	      TIFFIN_HOOKS(greedy_hooks));
