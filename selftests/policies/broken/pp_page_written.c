// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken on purpose: notes in its question that a page is queued.
 * Found by: test fuzz
 * Seen as: wrote to what its question points to
 */
#include <tiffin/page_placement.h>

static void pp_page_written_access(const struct tiffin_ctx *ctx,
				   const struct tiffin_pp_access_in *in,
				   struct tiffin_pp_access_out *out)
{
	((struct tiffin_pp_page *)in->page)->flags |= TIFFIN_PP_PAGE_QUEUED;
	out->verdict = TIFFIN_PP_QUEUE;
}

static void pp_page_written_tick(const struct tiffin_ctx *ctx, const struct tiffin_pp_tick_in *in,
				 struct tiffin_pp_tick_out *out)
{
	out->hint_pages = 16;
	out->scan_pages = 16;
}

static const struct tiffin_pp_hooks pp_page_written_hooks = {
	.access = pp_page_written_access,
	.tick = pp_page_written_tick,
};

TIFFIN_POLICY(page_placement, "pp_page_written", "1.0", "test: broken on purpose",
	      TIFFIN_HOOKS(pp_page_written_hooks));
