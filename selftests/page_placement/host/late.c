// SPDX-License-Identifier: GPL-2.0-only
/*
 * A test policy: names pages for demotion by handles that are not theirs any more, or not yet: the
 * object's number is right, its generation is another.
 */
#include <tiffin/page_placement.h>

enum { NAMED };

static const struct tiffin_counter late_counters[] = {
	[NAMED] = { "named", "handles that were given" },
};

static const struct tiffin_store late_stores[] = {
	{ "late", 1, TIFFIN_STORE_LISTS, TIFFIN_SHARE_ATOMIC, .lists = 1 },
};

static void late_access(const struct tiffin_ctx *ctx, const struct tiffin_pp_access_in *in,
			struct tiffin_pp_access_out *out)
{
	tiffin_list_put(ctx, ctx->handle, 0, TIFFIN_LIST_HEAD, 0);
}

static void late_age(const struct tiffin_ctx *ctx, const struct tiffin_pp_age_in *in,
		     struct tiffin_pp_age_out *out)
{
	tiffin_list_put(ctx, ctx->handle, 0, TIFFIN_LIST_HEAD, 0);
}

static void late_pressure(const struct tiffin_ctx *ctx, const struct tiffin_pp_pressure_in *in,
			  struct tiffin_pp_pressure_out *out)
{
	struct tiffin_entry e;

	while (out->nr < TIFFIN_PP_BATCH) {
		e = tiffin_list_take(ctx, 0, TIFFIN_LIST_TAIL);
		if (e.result != TIFFIN_LIST_OK)
			break;
		out->pages[out->nr] = tiffin_handle(tiffin_handle_object(e.handle),
						    tiffin_handle_generation(e.handle) + 1 -
						    2 * (out->nr & 1));
		out->nr++;
	}
	tiffin_count(ctx, NAMED, out->nr);
}

static void late_tick(const struct tiffin_ctx *ctx, const struct tiffin_pp_tick_in *in,
		      struct tiffin_pp_tick_out *out)
{
	out->scan_pages = 8192;
}

static const struct tiffin_pp_hooks late_hooks = {
	.access = late_access,
	.age = late_age,
	.pressure = late_pressure,
	.tick = late_tick,
};

TIFFIN_POLICY(page_placement, "late", "1.0", "names pages by handles that do not hold",
	      TIFFIN_HOOKS(late_hooks), TIFFIN_STORES(late_stores), TIFFIN_COUNTERS(late_counters));
