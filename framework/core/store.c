// SPDX-License-Identifier: GPL-2.0-only
/* Stores: memory, handing over, lending of records. */

#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "core/enter.h"
#include "core/family.h"
#include "core/store.h"

u32 tiffin_store_records(const struct tiffin_family *family, u32 kind)
{
	switch (kind) {
	case TIFFIN_STORE_PER_CPU:
		return num_possible_cpus();
	case TIFFIN_STORE_OBJECT:
	case TIFFIN_STORE_LISTS:
		return family->max_objects;
	default:
		return 1;
	}
}

size_t tiffin_store_size(const struct tiffin_family *family, const struct tiffin_store *decl)
{
	size_t record = ALIGN(decl->record_size, 8);

	if (decl->kind == TIFFIN_STORE_LISTS)
		return sizeof(struct tiffin_store_mem) +
		       PAGE_ALIGN(tiffin_lists_bytes(family->max_objects));
	if (decl->kind == TIFFIN_STORE_OBJECT)
		record += sizeof(struct tiffin_record);
	record *= tiffin_store_records(family, decl->kind);
	if (decl->kind == TIFFIN_STORE_OBJECT)
		record = PAGE_ALIGN(record);
	return sizeof(struct tiffin_store_mem) + record;
}

int tiffin_store_charge(struct tiffin_family *family, size_t bytes, size_t going)
{
	s64 limit = (s64)READ_ONCE(family->limits.stores_kib) * 1024;
	s64 held = atomic64_read(&family->stores_bytes);

	do {
		if (held + (s64)bytes > limit + (s64)going)
			return -EDQUOT;
	} while (!atomic64_try_cmpxchg(&family->stores_bytes, &held, held + bytes));
	return 0;
}

void tiffin_store_uncharge(struct tiffin_family *family, size_t bytes)
{
	atomic64_sub(bytes, &family->stores_bytes);
}

/*
 * Not GFP_KERNEL_ACCOUNT: a store belongs to the machine. It outlives the session of the operator
 * who asks for the swap, whose control group it would be charged to and would keep from going; what
 * bounds it is the family's limit.
 */
struct tiffin_store_mem *tiffin_store_alloc(struct tiffin_family *family,
					    const struct tiffin_store *decl, size_t going)
{
	size_t bytes = tiffin_store_size(family, decl);
	struct tiffin_store_mem *mem;
	bool ok = false;
	int rc;

	rc = tiffin_store_charge(family, bytes, going);
	if (rc)
		return ERR_PTR(rc);
	mem = kzalloc(sizeof(*mem), GFP_KERNEL);
	if (!mem)
		goto err_charge;
	kref_init(&mem->ref);
	mem->family = family;
	mem->bytes = bytes;
	mem->kind = decl->kind;
	mem->sharing = decl->sharing;
	mem->version = decl->version;
	mem->record_size = decl->record_size;
	strscpy(mem->schema, decl->schema, sizeof(mem->schema));

	switch (mem->kind) {
	case TIFFIN_STORE_INSTANCE:
		mem->record = kzalloc(mem->record_size, GFP_KERNEL);
		ok = mem->record;
		break;
	case TIFFIN_STORE_PER_CPU:
		mem->percpu = __alloc_percpu(ALIGN(mem->record_size, 8), 8);
		ok = mem->percpu;
		break;
	case TIFFIN_STORE_OBJECT:
		mem->nr_objects = family->max_objects;
		mem->stride = sizeof(struct tiffin_record) + ALIGN(mem->record_size, 8);
		mem->objects = vzalloc(array_size(mem->nr_objects, mem->stride));
		ok = mem->objects;
		break;
	case TIFFIN_STORE_LISTS:
		mem->nr_objects = family->max_objects;
		mem->record = vzalloc(tiffin_lists_bytes(mem->nr_objects));
		mem->lists.set = mem->record;
		mem->lists.generation = family->generation;
		mem->lists.nr_objects = mem->nr_objects;
		mem->lists.nr_lists = decl->lists;
		ok = mem->record;
		break;
	}
	if (ok)
		return mem;
	kfree(mem);
err_charge:
	tiffin_store_uncharge(family, bytes);
	return ERR_PTR(-ENOMEM);
}

enum tiffin_handover tiffin_store_handover(const struct tiffin_store_mem *mem,
					   const struct tiffin_store *decl)
{
	if (!mem || mem->kind != decl->kind || strcmp(mem->schema, decl->schema))
		return TIFFIN_HANDOVER_NEW;
	if (mem->sharing == decl->sharing && mem->version == decl->version &&
	    mem->record_size == decl->record_size && mem->lists.nr_lists == decl->lists)
		return TIFFIN_HANDOVER_REFERENCE;
	return decl->convert ? TIFFIN_HANDOVER_CONVERT : TIFFIN_HANDOVER_NEW;
}

static void tiffin_store_release(struct kref *ref)
{
	struct tiffin_store_mem *mem = container_of(ref, struct tiffin_store_mem, ref);

	tiffin_store_put(mem->from);
	switch (mem->kind) {
	case TIFFIN_STORE_INSTANCE:
		kfree(mem->record);
		break;
	case TIFFIN_STORE_PER_CPU:
		free_percpu(mem->percpu);
		break;
	case TIFFIN_STORE_OBJECT:
		vfree(mem->objects);
		break;
	case TIFFIN_STORE_LISTS:
		vfree(mem->record);
		break;
	}
	tiffin_store_uncharge(mem->family, mem->bytes);
	kfree(mem);
}

void tiffin_store_put(struct tiffin_store_mem *mem)
{
	if (mem)
		kref_put(&mem->ref, tiffin_store_release);
}

size_t tiffin_store_payload(const struct tiffin_store_mem *mem)
{
	switch (mem->kind) {
	case TIFFIN_STORE_PER_CPU:
		return (size_t)mem->record_size * num_possible_cpus();
	case TIFFIN_STORE_OBJECT:
		return (size_t)mem->stride * mem->nr_objects;
	case TIFFIN_STORE_LISTS:
		return tiffin_lists_bytes(mem->nr_objects);
	default:
		return mem->record_size;
	}
}

/*
 * The pieces that a store's records lie in, one a call: each CPU's, else all in one, those of
 * objects with their headers. @cpu is -1 at the beginning; NULL: there are no more.
 */
static void *tiffin_store_next(const struct tiffin_store_mem *mem, int *cpu, size_t *size)
{
	if (mem->kind != TIFFIN_STORE_PER_CPU) {
		*size = tiffin_store_payload(mem);
		return (*cpu)++ < 0 ? mem->record : NULL;
	}
	*size = mem->record_size;
	*cpu = cpumask_next(*cpu, cpu_possible_mask);
	return *cpu < nr_cpu_ids ? per_cpu_ptr(mem->percpu, *cpu) : NULL;
}

void tiffin_store_save(const struct tiffin_store_mem *mem, void *bytes)
{
	const void *records;
	size_t size;
	int cpu = -1;

	while ((records = tiffin_store_next(mem, &cpu, &size))) {
		memcpy(bytes, records, size);
		bytes += size;
	}
}

void tiffin_store_restore(struct tiffin_store_mem *mem, const void *bytes)
{
	void *records;
	size_t size;
	int cpu = -1;

	while ((records = tiffin_store_next(mem, &cpu, &size))) {
		memcpy(records, bytes, size);
		bytes += size;
	}
}

void tiffin_store_clear(struct tiffin_store_mem *mem)
{
	void *records;
	size_t size;
	int cpu = -1;

	if (mem->kind == TIFFIN_STORE_LISTS)
		return tiffin_lists_clear(&mem->lists);
	while ((records = tiffin_store_next(mem, &cpu, &size)))
		memset(records, 0, size);
}

void tiffin_store_convert_from(struct tiffin_store_mem *mem, struct tiffin_store_mem *from,
			       struct tiffin_loaded *policy)
{
	mem->policy = policy;
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

bool tiffin_record_convert(struct tiffin_store_mem *mem, const struct tiffin_store_mem *from,
			   const void *old, struct tiffin_loaded *policy,
			   const struct tiffin_ctx *ctx, void *record)
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
	if (tiffin_enter(policy, (void *)policy->store[from->kind].convert, &own, &in, &out) ==
	    TIFFIN_ENTERED && !out.unknown) {
		atomic_inc(&mem->converted);
		return true;
	}
	memset(record, 0, mem->record_size);
	return false;
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
	return tiffin_record_convert(mem, from, old->data, mem->policy, ctx, rec->data);
}

/*
 * The generation that an object has come to, in this layout or the older one; 0: none yet. Whoever
 * has a shared record open may drop it meanwhile.
 */
static u32 tiffin_record_reached(const struct tiffin_store_mem *mem, u32 object,
				 const struct tiffin_record *rec)
{
	const struct tiffin_store_mem *from = READ_ONCE(mem->from);
	u32 generation = READ_ONCE(rec->generation);

	if (generation || !from)
		return generation;
	return tiffin_record_of(from, object)->generation;
}

static inline bool tiffin_record_trylock(struct tiffin_record *rec)
{
	return !READ_ONCE(rec->locked) && !cmpxchg_acquire(&rec->locked, 0, 1);
}

struct tiffin_record *tiffin_record_open_slow(struct tiffin_store_mem *mem, u32 object,
					      u32 generation, struct tiffin_ctx *ctx)
{
	struct tiffin_record *rec = tiffin_record_of(mem, object);
	u32 reached;

	/*
	 * The lock word keeps out others that find the old generation, so that one call zeroes.
	 * A call that still works on the old generation is not kept out: its object is gone, and
	 * a policy accepts any bytes that it reads.
	 */
	if (!tiffin_record_trylock(rec))
		return NULL;
	reached = tiffin_record_reached(mem, object, rec);
	if (reached && (s32)(generation - reached) < 0) {
		/* Nothing was written: the order is the trylock's habit. */
		smp_store_release(&rec->locked, 0);
		return NULL;
	}
	if (READ_ONCE(rec->generation) != generation) {
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
	if (!tiffin_record_trylock(rec))
		return false;
	if (!READ_ONCE(rec->generation)) {
		memset(rec->data, 0, mem->record_size);
		/* Else it stays in none: the call that finds zeros is to be told so. */
		if (tiffin_record_carry(mem, object, generation, rec, ctx))
			/* Who acquires the generation sees what became of the older record. */
			smp_store_release(&rec->generation, generation);
	}
	/* What was written comes before the next trylock. */
	smp_store_release(&rec->locked, 0);
	return true;
}
