// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken on purpose: names as many pages as the host wants, room for them or not.
 * Found by: test
 * Seen as: AddressSanitizer: heap-buffer-overflow
 */
#include <tiffin/page_placement.h>

static const struct tiffin_store pp_many_stores[] = {
	{ "pp_many", 1, TIFFIN_STORE_LISTS, TIFFIN_SHARE_ATOMIC, .lists = 1 },
};

static void pp_many_access(const struct tiffin_ctx *ctx, const struct tiffin_pp_access_in *in,
			   struct tiffin_pp_access_out *out)
{
	tiffin_list_put(ctx, ctx->handle, 0, TIFFIN_LIST_HEAD, 0);
}

static void pp_many_pressure(const struct tiffin_ctx *ctx, const struct tiffin_pp_pressure_in *in,
			     struct tiffin_pp_pressure_out *out)
{
	struct tiffin_entry e;
	__u32 i;

	for (i = 0; i < in->wanted; i++) {
		e = tiffin_list_first(ctx, 0, TIFFIN_LIST_TAIL);
		if (e.result != TIFFIN_LIST_OK)
			break;
		tiffin_list_put(ctx, e.handle, 0, TIFFIN_LIST_HEAD, 0);
		out->pages[out->nr++] = e.handle;
	}
}

static void pp_many_tick(const struct tiffin_ctx *ctx, const struct tiffin_pp_tick_in *in,
			 struct tiffin_pp_tick_out *out)
{
	out->scan_pages = 16;
}

static const struct tiffin_pp_hooks pp_many_hooks = {
	.access = pp_many_access,
	.pressure = pp_many_pressure,
	.tick = pp_many_tick,
};

TIFFIN_POLICY(page_placement, "pp_many", "1.0", "test: broken on purpose",
	      TIFFIN_HOOKS(pp_many_hooks), TIFFIN_STORES(pp_many_stores));
