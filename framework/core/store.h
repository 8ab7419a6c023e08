/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stores: the state that policies fill and the host owns.
 *
 * Invariants:
 *  S1. A store's memory lives as long as an instance holds it; two instances hold the same one only
 *	around a swap that hands it over by reference.
 *  S2. An object's record belongs to one generation of the object. The first call that comes with
 *	a later generation zeroes the record, alone; a call that comes meanwhile, and one that comes
 *	with an earlier generation, finds it busy.
 *  S3. A record of a TIFFIN_SHARE_LOCKED store is lent to one call at a time.
 */
#ifndef TIFFIN_CORE_STORE_H
#define TIFFIN_CORE_STORE_H

#include <linux/kref.h>
#include <linux/types.h>

#include <tiffin/plugin.h>

/**
 * struct tiffin_record - what precedes an object's record in memory
 * @generation: of the object that the record belongs to; 0: none yet
 * @locked: 1 while the record is lent to one call, or is being zeroed
 * @data: the policy's bytes
 */
struct tiffin_record {
	u32 generation;
	u32 locked;
	u8 data[] __aligned(8);
};

/**
 * struct tiffin_store_mem - one store in memory
 * @ref: one for each instance that holds it
 * @kind: enum tiffin_store_kind
 * @sharing: enum tiffin_sharing
 * @version: of the schema
 * @record_size: bytes of a record as declared
 * @stride: bytes from one object's record to the next, header included
 * @nr_objects: records of an object store
 * @schema: name of the layout
 * @record: the instance's record
 * @percpu: the per-CPU records
 * @objects: the objects' records with their headers
 */
struct tiffin_store_mem {
	struct kref ref;
	u32 kind;
	u32 sharing;
	u32 version;
	u32 record_size;
	u32 stride;
	u32 nr_objects;
	char schema[TIFFIN_NAME_LEN];
	union {
		void *record;
		void __percpu *percpu;
		void *objects;
	};
};

/**
 * tiffin_store_alloc - memory for a declared store, all records zero
 * @decl: the declaration, checked
 * @nr_objects: how many objects the family has
 *
 * Context: process, may sleep.
 * Return: the store with one reference, or NULL without memory.
 */
struct tiffin_store_mem *tiffin_store_alloc(const struct tiffin_store *decl, u32 nr_objects);

/**
 * tiffin_store_fits - may a store be handed over by reference to a policy that declares @decl?
 * @mem: the older policy's store
 * @decl: what the newer policy declares
 */
bool tiffin_store_fits(const struct tiffin_store_mem *mem, const struct tiffin_store *decl);

/* Take a further reference. */
static inline struct tiffin_store_mem *tiffin_store_get(struct tiffin_store_mem *mem)
{
	kref_get(&mem->ref);
	return mem;
}

/* Drop a reference; the last one frees. Context: process, may sleep. @mem may be NULL. */
void tiffin_store_put(struct tiffin_store_mem *mem);

/* The bytes that a store takes on all CPUs together. */
size_t tiffin_store_bytes(const struct tiffin_store_mem *mem);

/*
 * tiffin_record_open() where the record is not simply the object's, or is lent to one call at a
 * time.
 */
struct tiffin_record *tiffin_record_open_slow(struct tiffin_store_mem *mem,
					      struct tiffin_record *rec, u32 generation,
					      u32 *flags);

/**
 * tiffin_record_open - lend an object's record to the call on this CPU
 * @mem: an object store
 * @object: below @mem->nr_objects
 * @generation: of the object, not 0
 * @flags: of the call's context; TIFFIN_CTX_OBJECT_FRESH is added where the record was zeroed for
 *	it
 *
 * Context: any but NMI, preemption disabled.
 * Return: the record, to be given back with tiffin_record_close(); NULL where it is busy.
 */
static __always_inline struct tiffin_record *
tiffin_record_open(struct tiffin_store_mem *mem, u32 object, u32 generation, u32 *flags)
{
	struct tiffin_record *rec = mem->objects + (size_t)object * mem->stride;

	if (unlikely(mem->sharing == TIFFIN_SHARE_LOCKED))
		return tiffin_record_open_slow(mem, rec, generation, flags);
	/* Pairs with the release in the slow path: who sees the generation sees the zeros. */
	if (likely(smp_load_acquire(&rec->generation) == generation))
		return rec;
	return tiffin_record_open_slow(mem, rec, generation, flags);
}

/* Give a record back. */
static __always_inline void tiffin_record_close(struct tiffin_store_mem *mem,
						struct tiffin_record *rec)
{
	if (mem->sharing == TIFFIN_SHARE_LOCKED)
		/* What the call wrote comes before the next call's trylock. */
		smp_store_release(&rec->locked, 0);
}

#endif /* TIFFIN_CORE_STORE_H */
