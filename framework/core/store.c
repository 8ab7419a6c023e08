// SPDX-License-Identifier: GPL-2.0-only
/* Stores: memory, handing over, lending of records. */

#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "core/enter.h"
#include "core/store.h"

struct tiffin_store_mem *tiffin_store_alloc(const struct tiffin_store *decl, u32 nr_objects)
{
	struct tiffin_store_mem *mem = kzalloc(sizeof(*mem), GFP_KERNEL);
	bool ok = false;

	if (!mem)
		return NULL;
	kref_init(&mem->ref);
	mem->kind = decl->kind;
	mem->sharing = decl->sharing;
	mem->version = decl->version;
	mem->record_size = decl->record_size;
	strscpy(mem->schema, decl->schema, sizeof(mem->schema));

	switch (mem->kind) {
	case TIFFIN_STORE_INSTANCE:
		mem->record = kvzalloc(mem->record_size, GFP_KERNEL_ACCOUNT);
		ok = mem->record;
		break;
	case TIFFIN_STORE_PER_CPU:
		mem->percpu = __alloc_percpu(ALIGN(mem->record_size, 8), 8);
		ok = mem->percpu;
		break;
	case TIFFIN_STORE_OBJECT:
		mem->nr_objects = nr_objects;
		mem->stride = sizeof(struct tiffin_record) + ALIGN(mem->record_size, 8);
		mem->objects = vzalloc(array_size(nr_objects, mem->stride));
		ok = mem->objects;
		break;
	}
	if (!ok) {
		kfree(mem);
		return NULL;
	}
	return mem;
}

enum tiffin_handover tiffin_store_handover(const struct tiffin_store_mem *mem,
					   const struct tiffin_store *decl)
{
	if (!mem || mem->kind != decl->kind || strcmp(mem->schema, decl->schema))
		return TIFFIN_HANDOVER_NEW;
	if (mem->sharing == decl->sharing && mem->version == decl->version &&
	    mem->record_size == decl->record_size)
		return TIFFIN_HANDOVER_REFERENCE;
	return decl->convert ? TIFFIN_HANDOVER_CONVERT : TIFFIN_HANDOVER_NEW;
}

static void tiffin_store_release(struct kref *ref)
{
	struct tiffin_store_mem *mem = container_of(ref, struct tiffin_store_mem, ref);

	tiffin_store_put(mem->from);
	switch (mem->kind) {
	case TIFFIN_STORE_INSTANCE:
		kvfree(mem->record);
		break;
	case TIFFIN_STORE_PER_CPU:
		free_percpu(mem->percpu);
		break;
	case TIFFIN_STORE_OBJECT:
		vfree(mem->objects);
		break;
	}
	kfree(mem);
}

void tiffin_store_put(struct tiffin_store_mem *mem)
{
	if (mem)
		kref_put(&mem->ref, tiffin_store_release);
}

size_t tiffin_store_bytes(const struct tiffin_store_mem *mem)
{
	switch (mem->kind) {
	case TIFFIN_STORE_PER_CPU:
		return (size_t)mem->record_size * num_possible_cpus();
	case TIFFIN_STORE_OBJECT:
		return (size_t)mem->stride * mem->nr_objects;
	default:
		return mem->record_size;
	}
}

void tiffin_store_save(const struct tiffin_store_mem *mem, void *bytes)
{
	int cpu;

	switch (mem->kind) {
	case TIFFIN_STORE_PER_CPU:
		for_each_possible_cpu(cpu) {
			memcpy(bytes, per_cpu_ptr(mem->percpu, cpu), mem->record_size);
			bytes += mem->record_size;
		}
		break;
	default:
		memcpy(bytes, mem->record, tiffin_store_bytes(mem));
		break;
	}
}

void tiffin_store_restore(struct tiffin_store_mem *mem, const void *bytes)
{
	int cpu;

	switch (mem->kind) {
	case TIFFIN_STORE_PER_CPU:
		for_each_possible_cpu(cpu) {
			memcpy(per_cpu_ptr(mem->percpu, cpu), bytes, mem->record_size);
			bytes += mem->record_size;
		}
		break;
	default:
		memcpy(mem->record, bytes, tiffin_store_bytes(mem));
		break;
	}
}

void tiffin_store_clear(struct tiffin_store_mem *mem)
{
	int cpu;

	if (mem->kind == TIFFIN_STORE_INSTANCE)
		memset(mem->record, 0, mem->record_size);
	else
		for_each_possible_cpu(cpu)
			memset(per_cpu_ptr(mem->percpu, cpu), 0, mem->record_size);
}

void tiffin_store_convert_from(struct tiffin_store_mem *mem, struct tiffin_store_mem *from,
			       tiffin_convert_fn convert)
{
	mem->convert = convert;
	mem->from = tiffin_store_get(from);
}

void tiffin_store_converted(struct tiffin_store_mem *mem)
{
	struct tiffin_store_mem *from = mem->from;

	WRITE_ONCE(mem->from, NULL);
	/* Calls are not preemptible, and so are read sides. */
	synchronize_rcu();
	tiffin_store_put(from);
}

bool tiffin_record_convert(const struct tiffin_store_mem *from, const void *old,
			   tiffin_convert_fn convert, const struct tiffin_ctx *ctx, void *record)
{
	const struct tiffin_convert_in in = {
		.size = sizeof(in),
		.version = from->version,
		.record_size = from->record_size,
		.kind = from->kind,
		.from = old,
	};
	struct tiffin_convert_out out = { .size = sizeof(out), .record = record };
	struct tiffin_ctx own = *ctx;

	own.flags = 0;
	own.object = NULL;
	/* By way of void *: the host calls every function of a policy with one signature. */
	tiffin_enter((void *)convert, &own, &in, &out);
	return !out.unknown;
}

/* The record is zeros, locked, and to be of @generation: what was of it in the older layout? */
static bool tiffin_record_carry(struct tiffin_store_mem *mem, u32 object, u32 generation,
				struct tiffin_record *rec, const struct tiffin_ctx *ctx)
{
	const struct tiffin_store_mem *from = READ_ONCE(mem->from);
	const struct tiffin_record *old;

	if (!from)
		return false;
	old = tiffin_record_of(from, object);
	if (old->generation != generation)
		return false;
	if (tiffin_record_convert(from, old->data, mem->convert, ctx, rec->data)) {
		atomic_inc(&mem->converted);
		return true;
	}
	memset(rec->data, 0, mem->record_size);
	return false;
}

static inline bool tiffin_record_trylock(struct tiffin_record *rec)
{
	return !READ_ONCE(rec->locked) && !cmpxchg_acquire(&rec->locked, 0, 1);
}

struct tiffin_record *tiffin_record_open_slow(struct tiffin_store_mem *mem, u32 object,
					      u32 generation, struct tiffin_ctx *ctx)
{
	struct tiffin_record *rec = tiffin_record_of(mem, object);

	/*
	 * The lock word keeps out others that find the old generation, so that one call zeroes.
	 * A call that still works on the old generation is not kept out: its object is gone, and
	 * a policy accepts any bytes that it reads.
	 */
	if (!tiffin_record_trylock(rec))
		return NULL;
	if (rec->generation && (s32)(generation - rec->generation) < 0) {
		/* Nothing was written: the order is the trylock's habit. */
		smp_store_release(&rec->locked, 0);
		return NULL;
	}
	if (rec->generation != generation) {
		memset(rec->data, 0, mem->record_size);
		if (!tiffin_record_carry(mem, object, generation, rec, ctx))
			ctx->flags |= TIFFIN_CTX_OBJECT_FRESH;
		/* Who acquires the generation sees zeros, or what became of the older record. */
		smp_store_release(&rec->generation, generation);
	}
	if (mem->sharing != TIFFIN_SHARE_LOCKED)
		/* The zeros come before the next trylock. */
		smp_store_release(&rec->locked, 0);
	return rec;
}

bool tiffin_record_settle(struct tiffin_store_mem *mem, u32 object, struct tiffin_ctx *ctx)
{
	struct tiffin_record *rec = tiffin_record_of(mem, object);
	u32 generation = tiffin_record_of(mem->from, object)->generation;

	/* Of no object; or a call has been here, perhaps about a later one. */
	if (!generation || READ_ONCE(rec->generation))
		return true;
	rec = tiffin_record_open(mem, object, generation, ctx);
	if (!rec)
		return false;
	tiffin_record_close(mem, rec);
	return true;
}
