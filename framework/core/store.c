// SPDX-License-Identifier: GPL-2.0-only
/* Stores: memory, handing over, lending of records. */

#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

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

bool tiffin_store_fits(const struct tiffin_store_mem *mem, const struct tiffin_store *decl)
{
	return mem->kind == decl->kind && mem->sharing == decl->sharing &&
	       mem->version == decl->version && mem->record_size == decl->record_size &&
	       !strcmp(mem->schema, decl->schema);
}

static void tiffin_store_release(struct kref *ref)
{
	struct tiffin_store_mem *mem = container_of(ref, struct tiffin_store_mem, ref);

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

static inline bool tiffin_record_trylock(struct tiffin_record *rec)
{
	return !READ_ONCE(rec->locked) && !cmpxchg_acquire(&rec->locked, 0, 1);
}

struct tiffin_record *tiffin_record_open_slow(struct tiffin_store_mem *mem,
					      struct tiffin_record *rec, u32 generation, u32 *flags)
{
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
		/* Who acquires the generation sees the zeros. */
		smp_store_release(&rec->generation, generation);
		*flags |= TIFFIN_CTX_OBJECT_FRESH;
	}
	if (mem->sharing != TIFFIN_SHARE_LOCKED)
		/* The zeros come before the next trylock. */
		smp_store_release(&rec->locked, 0);
	return rec;
}
