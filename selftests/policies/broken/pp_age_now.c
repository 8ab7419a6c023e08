// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken on purpose: demotes at once, which is no answer to a page's age.
 * Found by: test fuzz
 * Seen as: to a page's age
 */
#include <tiffin/page_placement.h>

static void pp_age_now_access(const struct tiffin_ctx *ctx, const struct tiffin_pp_access_in *in,
			      struct tiffin_pp_access_out *out)
{
	out->verdict = TIFFIN_PP_QUEUE;
}

static void pp_age_now_age(const struct tiffin_ctx *ctx, const struct tiffin_pp_age_in *in,
			   struct tiffin_pp_age_out *out)
{
	out->verdict = TIFFIN_PP_NOW;
}

static void pp_age_now_tick(const struct tiffin_ctx *ctx, const struct tiffin_pp_tick_in *in,
			    struct tiffin_pp_tick_out *out)
{
	out->hint_pages = 16;
	out->scan_pages = 16;
}

static const struct tiffin_pp_hooks pp_age_now_hooks = {
	.access = pp_age_now_access,
	.age = pp_age_now_age,
	.tick = pp_age_now_tick,
};

TIFFIN_POLICY(page_placement, "pp_age_now", "1.0", "test: broken on purpose",
	      TIFFIN_HOOKS(pp_age_now_hooks));
