// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken on purpose: looks at the node that a page goes to without asking whether there is one.
 * Found by: test
 * Seen as: AddressSanitizer:
 */
#include <tiffin/page_placement.h>

static void pp_nowhere_access(const struct tiffin_ctx *ctx, const struct tiffin_pp_access_in *in,
			      struct tiffin_pp_access_out *out)
{
	const struct tiffin_pp_node *node = tiffin_pp_node(in->machine, in->page->node);

	if (tiffin_pp_node(in->machine, node->faster)->free)
		out->verdict = TIFFIN_PP_QUEUE;
}

static void pp_nowhere_tick(const struct tiffin_ctx *ctx, const struct tiffin_pp_tick_in *in,
			    struct tiffin_pp_tick_out *out)
{
	out->hint_pages = 16;
	out->scan_pages = 16;
}

static const struct tiffin_pp_hooks pp_nowhere_hooks = {
	.access = pp_nowhere_access,
	.tick = pp_nowhere_tick,
};

TIFFIN_POLICY(page_placement, "pp_nowhere", "1.0", "test: broken on purpose",
	      TIFFIN_HOOKS(pp_nowhere_hooks));
