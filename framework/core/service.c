// SPDX-License-Identifier: GPL-2.0-only
/* The services that policies reach by pointers; see service.h, and list.h for the invariants. */

#include "core/guard.h"
#include "core/service.h"

/*
 * The lists of the call that is under way; NULL where there are none, or where the policy gave a
 * context that is not this call's, which is counted, and not followed.
 */
static struct tiffin_store_mem *tiffin_service_lists(const struct tiffin_ctx *ctx)
{
	const struct tiffin_ctx *own = tiffin_guard_ctx(ctx);
	struct tiffin_store_mem *mem = own ? own->env->lists : NULL;

	if (mem && unlikely(own != ctx)) {
		atomic_inc(&mem->lists_foreign);
		return NULL;
	}
	return mem;
}

/*
 * The lists that the call may use now, or NULL. A call that was lent them has them to its end; a
 * conversion that is made for it has another context, and doesn't.
 */
static struct tiffin_store_mem *tiffin_service_begin(const struct tiffin_ctx *ctx)
{
	struct tiffin_store_mem *mem = tiffin_service_lists(ctx);

	if (!mem)
		return NULL;
	if (mem->sharing == TIFFIN_SHARE_LOCKED ? READ_ONCE(mem->lists_owner) == ctx :
						  tiffin_lists_trylock(mem, ctx))
		return mem;
	atomic_inc(&mem->lists_busy);
	return NULL;
}

static void tiffin_service_end(struct tiffin_store_mem *mem)
{
	if (mem->sharing != TIFFIN_SHARE_LOCKED)
		tiffin_lists_unlock(mem);
}

static const struct tiffin_entry tiffin_service_busy = { .result = TIFFIN_LIST_BUSY };

static u32 tiffin_service_put(const struct tiffin_ctx *ctx, u64 handle, u32 list, u32 end, u32 mark)
{
	struct tiffin_store_mem *mem = tiffin_service_begin(ctx);
	u32 result;

	if (!mem)
		return TIFFIN_LIST_BUSY;
	result = tiffin_lists_put(&mem->lists, handle, list, end, mark);
	tiffin_service_end(mem);
	return result;
}

static u32 tiffin_service_mark(const struct tiffin_ctx *ctx, u64 handle, u32 mark)
{
	struct tiffin_store_mem *mem = tiffin_service_begin(ctx);
	u32 result;

	if (!mem)
		return TIFFIN_LIST_BUSY;
	result = tiffin_lists_mark(&mem->lists, handle, mark);
	tiffin_service_end(mem);
	return result;
}

static u32 tiffin_service_remove(const struct tiffin_ctx *ctx, u64 handle)
{
	struct tiffin_store_mem *mem = tiffin_service_begin(ctx);
	u32 result;

	if (!mem)
		return TIFFIN_LIST_BUSY;
	result = tiffin_lists_remove(&mem->lists, handle);
	tiffin_service_end(mem);
	return result;
}

static struct tiffin_entry tiffin_service_find(const struct tiffin_ctx *ctx, u64 handle)
{
	struct tiffin_store_mem *mem = tiffin_service_begin(ctx);
	struct tiffin_entry entry;

	if (!mem)
		return tiffin_service_busy;
	entry = tiffin_lists_find(&mem->lists, handle);
	tiffin_service_end(mem);
	return entry;
}

static struct tiffin_entry tiffin_service_first(const struct tiffin_ctx *ctx, u32 list, u32 end)
{
	struct tiffin_store_mem *mem = tiffin_service_begin(ctx);
	struct tiffin_entry entry;

	if (!mem)
		return tiffin_service_busy;
	entry = tiffin_lists_first(&mem->lists, list, end);
	tiffin_service_end(mem);
	return entry;
}

static struct tiffin_entry tiffin_service_next(const struct tiffin_ctx *ctx, u32 list, u32 end,
					       u64 handle)
{
	struct tiffin_store_mem *mem = tiffin_service_begin(ctx);
	struct tiffin_entry entry;

	if (!mem)
		return tiffin_service_busy;
	entry = tiffin_lists_next(&mem->lists, list, end, handle);
	tiffin_service_end(mem);
	return entry;
}

static struct tiffin_entry tiffin_service_take(const struct tiffin_ctx *ctx, u32 list, u32 end)
{
	struct tiffin_store_mem *mem = tiffin_service_begin(ctx);
	struct tiffin_entry entry;

	if (!mem)
		return tiffin_service_busy;
	entry = tiffin_lists_take(&mem->lists, list, end);
	tiffin_service_end(mem);
	return entry;
}

static u32 tiffin_service_length(const struct tiffin_ctx *ctx, u32 list)
{
	const struct tiffin_store_mem *mem = tiffin_service_lists(ctx);

	return mem ? tiffin_lists_length(&mem->lists, list) : 0;
}

const struct tiffin_list_ops tiffin_list_ops = {
	.size = sizeof(tiffin_list_ops),
	.put = tiffin_service_put,
	.mark = tiffin_service_mark,
	.remove = tiffin_service_remove,
	.find = tiffin_service_find,
	.first = tiffin_service_first,
	.next = tiffin_service_next,
	.take = tiffin_service_take,
	.length = tiffin_service_length,
};
