// SPDX-License-Identifier: GPL-2.0-only
/*
 * S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023): three queues
 * without any reordering at a hit. What comes in goes to a small one of a tenth of the cache; what
 * was used more than once when it reaches the end there goes on to the main one, the rest leaves
 * and is remembered by a ghost, from where it comes in to the main one. An object's mark counts its
 * uses.
 */
#include <tiffin/test_cache.h>

enum { SMALL, MAIN, GHOST, QUEUES };

#define MAX_USES	3
/* Looks at objects in one call; the host asks again. */
#define MAX_STEPS	1024

static const struct tiffin_store s3fifo_stores[] = {
	{ "s3fifo", 1, TIFFIN_STORE_LISTS, TIFFIN_SHARE_LOCKED, .lists = QUEUES },
};

static void s3fifo_use(const struct tiffin_ctx *ctx, const struct tiffin_test_use *in,
		       struct tiffin_test_used *out)
{
	struct tiffin_entry entry = tiffin_list_find(ctx, ctx->handle);

	if (entry.result == TIFFIN_LIST_OK && entry.list == GHOST)
		tiffin_list_put(ctx, ctx->handle, MAIN, TIFFIN_LIST_HEAD, 0);
	else if (entry.result == TIFFIN_LIST_OK)
		tiffin_list_mark(ctx, ctx->handle,
				 entry.mark < MAX_USES ? entry.mark + 1 : MAX_USES);
	else
		tiffin_list_put(ctx, ctx->handle, SMALL, TIFFIN_LIST_HEAD, 0);
}

/* The ghost remembers as many objects as the main queue has room for. */
static void s3fifo_remember(const struct tiffin_ctx *ctx, __u64 handle, __u32 capacity)
{
	tiffin_list_put(ctx, handle, GHOST, TIFFIN_LIST_HEAD, 0);
	if (tiffin_list_length(ctx, GHOST) > capacity - capacity / 10)
		tiffin_list_take(ctx, GHOST, TIFFIN_LIST_TAIL);
}

/* One look at the end of a queue. Returns the object that leaves, if it does. */
static __u64 s3fifo_step(const struct tiffin_ctx *ctx, __u32 queue, __u32 capacity)
{
	struct tiffin_entry entry = tiffin_list_first(ctx, queue, TIFFIN_LIST_TAIL);

	if (entry.result)
		return TIFFIN_NO_HANDLE;
	if (queue == SMALL && entry.mark > 1) {
		tiffin_list_put(ctx, entry.handle, MAIN, TIFFIN_LIST_HEAD, 0);
		return TIFFIN_NO_HANDLE;
	}
	if (queue == MAIN && entry.mark) {
		tiffin_list_put(ctx, entry.handle, MAIN, TIFFIN_LIST_HEAD, entry.mark - 1);
		return TIFFIN_NO_HANDLE;
	}
	if (queue == SMALL)
		s3fifo_remember(ctx, entry.handle, capacity);
	else
		tiffin_list_remove(ctx, entry.handle);
	return entry.handle;
}

static void s3fifo_evict(const struct tiffin_ctx *ctx, const struct tiffin_test_evict *in,
			 struct tiffin_test_victims *out)
{
	__u32 i, queue;
	__u64 handle;

	for (i = 0; i < MAX_STEPS && out->nr < in->wanted; i++) {
		queue = tiffin_list_length(ctx, MAIN) &&
			tiffin_list_length(ctx, SMALL) < in->capacity / 10 ? MAIN : SMALL;
		handle = s3fifo_step(ctx, queue, in->capacity);
		if (handle && out->nr < TIFFIN_TEST_CACHE_VICTIMS)
			out->handle[out->nr++] = handle;
	}
}

static const struct tiffin_test_cache_hooks s3fifo_hooks = {
	.use = s3fifo_use, .evict = s3fifo_evict,
};

TIFFIN_POLICY(test_cache, "s3fifo", "1.0", "three queues, no reordering at a hit",
	      TIFFIN_HOOKS(s3fifo_hooks), TIFFIN_STORES(s3fifo_stores));
