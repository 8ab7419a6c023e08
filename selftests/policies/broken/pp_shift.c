// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken on purpose: doubles a pause as often as a record says.
 * Found by: test fuzz
 * Seen as: runtime error: shift exponent
 */
#include <tiffin/page_placement.h>

struct pp_shift {
	__u32 streak;
};

static const struct tiffin_store pp_shift_stores[] = {
	{ "pp_shift", 1, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_ATOMIC, sizeof(struct pp_shift) },
};

static void pp_shift_access(const struct tiffin_ctx *ctx, const struct tiffin_pp_access_in *in,
			    struct tiffin_pp_access_out *out)
{
	struct pp_shift *record = tiffin_object(ctx);
	__u32 streak = tiffin_load(&record->streak);

	if (ctx->now_ns % 1000 < 1ull << streak)
		out->verdict = TIFFIN_PP_QUEUE;
	tiffin_store(&record->streak, streak < 6 ? streak + 1 : 6);
}

static void pp_shift_tick(const struct tiffin_ctx *ctx, const struct tiffin_pp_tick_in *in,
			  struct tiffin_pp_tick_out *out)
{
	out->hint_pages = 16;
	out->scan_pages = 16;
}

static const struct tiffin_pp_hooks pp_shift_hooks = {
	.access = pp_shift_access,
	.tick = pp_shift_tick,
};

TIFFIN_POLICY(page_placement, "pp_shift", "1.0", "test: broken on purpose",
	      TIFFIN_HOOKS(pp_shift_hooks), TIFFIN_STORES(pp_shift_stores));
