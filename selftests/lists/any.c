// SPDX-License-Identifier: GPL-2.0-only
/* Asks for the services that the question names, with whatever arguments stand there. */
#include <tiffin/test_cache.h>

static const struct tiffin_store any_stores[] = {
	{ "any", 1, TIFFIN_STORE_LISTS, TIFFIN_SHARE_ATOMIC, .lists = 3 },
};

static void any_serve(const struct tiffin_ctx *ctx, const struct tiffin_test_serve *in,
		      struct tiffin_test_served *out)
{
	__u32 i;

	for (i = 0; i < in->nr && i < TIFFIN_TEST_CACHE_CALLS; i++) {
		const struct tiffin_test_service *c = &in->call[i];
		struct tiffin_entry entry = { .result = TIFFIN_LIST_OK };

		switch (c->op) {
		case 0:
			entry.result = tiffin_list_put(ctx, c->handle, c->list, c->end, c->mark);
			break;
		case 1:
			entry.result = tiffin_list_mark(ctx, c->handle, c->mark);
			break;
		case 2:
			entry.result = tiffin_list_remove(ctx, c->handle);
			break;
		case 3:
			entry = tiffin_list_find(ctx, c->handle);
			break;
		case 4:
			entry = tiffin_list_first(ctx, c->list, c->end);
			break;
		case 5:
			entry = tiffin_list_next(ctx, c->list, c->end, c->handle);
			break;
		case 6:
			entry = tiffin_list_take(ctx, c->list, c->end);
			break;
		case 7:
			entry.mark = tiffin_list_length(ctx, c->list);
			break;
		}
		out->entry[out->nr++] = entry;
	}
}

static const struct tiffin_test_cache_hooks any_hooks = { .serve = any_serve };

TIFFIN_POLICY(test_cache, "any", "1.0", "any services at all",
	      TIFFIN_HOOKS(any_hooks), TIFFIN_STORES(any_stores));
