// SPDX-License-Identifier: GPL-2.0-only
/* The object that was not used for longest leaves. */
#include <tiffin/test_cache.h>

static const struct tiffin_store lru_stores[] = {
	{ "lru", 1, TIFFIN_STORE_LISTS, TIFFIN_SHARE_ATOMIC, .lists = 1 },
};

static void lru_use(const struct tiffin_ctx *ctx, const struct tiffin_test_use *in,
		    struct tiffin_test_used *out)
{
	tiffin_list_put(ctx, ctx->handle, 0, TIFFIN_LIST_HEAD, 0);
}

static void lru_evict(const struct tiffin_ctx *ctx, const struct tiffin_test_evict *in,
		      struct tiffin_test_victims *out)
{
	__u32 i;

	for (i = 0; i < in->wanted && i < TIFFIN_TEST_CACHE_VICTIMS; i++) {
		struct tiffin_entry entry = tiffin_list_take(ctx, 0, TIFFIN_LIST_TAIL);

		if (entry.result)
			break;
		out->handle[out->nr++] = entry.handle;
	}
}

static const struct tiffin_test_cache_hooks lru_hooks = { .use = lru_use, .evict = lru_evict };

TIFFIN_POLICY(test_cache, "lru", "1.0", "the least recently used object leaves",
	      TIFFIN_HOOKS(lru_hooks), TIFFIN_STORES(lru_stores));
