/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stores: the state that policies fill and the host owns.
 *
 * Which layout a record has is told by where it is, and by no tag in it: while records are
 * converted there are two stores, and the one in the newer store has the newer layout as soon as it
 * belongs to a generation (S5). A tag of the epoch in each record would say no more, would have to
 * be compared each time that one is opened, and with both slots of a record side by side the older
 * ones' memory could not be given back when the sweep is over. Whether a policy has looked at a
 * record since the last swap it can tell by ctx->epoch.
 *
 * Invariants:
 *  S1. A store's memory lives as long as an instance holds it; two instances hold the same one only
 *	around a swap that hands it over by reference.
 *  S2. An object's record belongs to one generation of the object, or to none: before the first
 *	call, and after one that had to be ended (tiffin_record_drop()). The first call that comes
 *	with a later generation, or to a record of none, zeroes the record, alone; a call that comes
 *	meanwhile, and one that comes with an earlier generation, finds it busy. Which generation a
 *	dropped record had is forgotten, and so, after the sweep, is that of one which came to
 *	nothing there (S5): a late call may have it then, until the object's own next call zeroes it
 *	once more.
 *  S3. A record of a TIFFIN_SHARE_LOCKED store is lent to one call at a time, which gives it back
 *	also where it is ended.
 *  S4. A store that records are converted from is not written: the policy that wrote it is not
 *	active. So a rollback finds it as it was at the flip; and so does who comes in place of the
 *	newer policy otherwise, and not as the next in turn, before all are converted or while a
 *	rollback could have come (tiffin_instance_give_up()).
 *  S5. An object's record is converted once, by the call that finds it in no generation or, before
 *	any call, by the sweep; alone, as S2 has it zeroed. It is converted for the generation that
 *	the older record belongs to: what belongs to an object that is gone is not carried on, and a
 *	call that comes with an earlier generation than that finds the record busy. One that was
 *	dropped is not converted again: by then the policy that would have to is in quarantine.
 *	One that the sweep comes upon and that comes to nothing, as its policy does not know how or
 *	had to be ended, stays in no generation: a call that finds zeros is told so (FRESH). Until
 *	the sweep is over that call may have it tried again, and so may a sweep that was ended for
 *	another policy's sake and goes on, from the first record.
 *  S6. All memory of stores is charged to its family before it is allocated, for as long as it is
 *	held, and no charge goes beyond limits/stores_kib, but by what goes at the flip that it is
 *	for: where an older layout is kept (S4) there are three in that moment.
 *  S7. Records of CPUs are there for each possible CPU. One that goes offline leaves its record as
 *	it is, which is handed over, saved and converted with the others; nobody else writes it. It
 *	has no call when it goes, as calls stay on their CPU; calls there that interrupt each other
 *	lose no count (tiffin_local_add()).
 *  S8. A store that went over by reference is the older policy's again after a rollback, by that
 *	policy's own undo (enum tiffin_undo): with what the newer one has made of it; with the bytes
 *	of the flip, saved there and not before, as the older one writes up to then; or zeros. All
 *	of that happens while no call is inside, and what it needs is there before the flip (U2).
 *  S9. Records of the instance and of CPUs are converted in the flip, each from the value that it
 *	has then, before any call. Where one's conversion has to be ended nothing flips, and the
 *	older policy finds its records as they were.
 *
 * What befalls a record, by kind. Lists are list.h's (L1 to L8).
 *
 *			instance		CPU			object
 *  touched by		calls on all CPUs,	calls on that CPU,	calls about it: one at a
 *			field by field		one instruction		time (locked), or field by
 *						at a time		field (atomic)
 *  interrupting call	finds any field		the same		locked: finds it busy, and
 *  on the same CPU	before or after a write				is answered by continuity
 *  call that is ended	stays as it was left	the same		begins anew (S2), alone
 *  CPU goes offline	nothing			stays (S7)		nothing: no call is in it,
 *									as calls stay on their CPU
 *  swap, same layout	the same record goes over by reference (S1)
 *  swap, another one	is converted in the flip, before any call	at first touch or by the
 *									sweep (S5)
 *  rollback of these	live, as at the flip, or zeros, as the older policy declares it (enum
 *			tiffin_undo); what was converted: as at the flip (S4)
 *  another in place	goes over, is converted, or begins from zeros, as at	the same; in a
 *  of a faulty one	any swap						probation, or while
 *									some are to convert:
 *									as at the flip (S4)
 */
#ifndef TIFFIN_CORE_STORE_H
#define TIFFIN_CORE_STORE_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/types.h>

#include <tiffin/plugin.h>

#include "core/list.h"

struct tiffin_family;
struct tiffin_loaded;

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
 * enum tiffin_handover - what becomes of a store at a swap
 * @TIFFIN_HANDOVER_NEW: the newer policy starts from zeros
 * @TIFFIN_HANDOVER_REFERENCE: it goes on with the very store
 * @TIFFIN_HANDOVER_CONVERT: it goes on with what its callback makes of each record
 */
enum tiffin_handover {
	TIFFIN_HANDOVER_NEW,
	TIFFIN_HANDOVER_REFERENCE,
	TIFFIN_HANDOVER_CONVERT,
};

/**
 * struct tiffin_store_mem - one store in memory
 * @ref: one for each instance that holds it
 * @family: whose memory it is
 * @bytes: charged to the family
 * @kind: enum tiffin_store_kind
 * @sharing: enum tiffin_sharing
 * @version: of the schema
 * @record_size: bytes of a record as declared
 * @stride: bytes from one object's record to the next, header included
 * @nr_objects: records of an object store
 * @schema: name of the layout
 * @from: the older store that an object store's records are converted from; NULL where there is
 *	none, or once all are; read under RCU
 * @policy: whose callback does that
 * @converted: records of this store that the policy's callback has made
 * @record: the instance's record, or the bytes of a set of lists
 * @percpu: the per-CPU records
 * @objects: the objects' records with their headers
 * @lists: a set of lists; its bytes are @record
 * @lists_owner: context of the call that has the lists, or is in one of their services
 * @lists_busy: services that found them taken
 * @lists_foreign: services that were asked for with another context than their call's
 */
struct tiffin_store_mem {
	struct kref ref;
	struct tiffin_family *family;
	size_t bytes;
	u32 kind;
	u32 sharing;
	u32 version;
	u32 record_size;
	u32 stride;
	u32 nr_objects;
	char schema[TIFFIN_NAME_LEN];
	struct tiffin_store_mem *from;
	struct tiffin_loaded *policy;
	atomic_t converted;
	union {
		void *record;
		void __percpu *percpu;
		void *objects;
	};
	struct tiffin_lists lists;
	const void *lists_owner;
	atomic_t lists_busy;
	atomic_t lists_foreign;
};

/**
 * tiffin_store_alloc - memory for a declared store, all records zero
 * @family: whose it is
 * @decl: the declaration, checked
 * @going: as for tiffin_store_charge()
 *
 * Context: process, may sleep.
 * Return: the store with one reference; ERR_PTR(-ENOMEM), or ERR_PTR(-EDQUOT) as for
 * tiffin_store_charge().
 */
struct tiffin_store_mem *tiffin_store_alloc(struct tiffin_family *family,
					    const struct tiffin_store *decl, size_t going);

/* How many records a store of @kind has in @family. */
u32 tiffin_store_records(const struct tiffin_family *family, u32 kind);

/**
 * tiffin_store_size - the memory that a store takes
 * @family: whose it would be
 * @decl: the declaration
 *
 * Return: bytes: the records of all objects or all possible CPUs with their headers and what
 * aligns them, in whole pages where the kernel gives pages, and the store's own description.
 */
size_t tiffin_store_size(const struct tiffin_family *family, const struct tiffin_store *decl);

/**
 * tiffin_store_charge - the family holds so much more memory for stores
 * @family: whose it is
 * @bytes: to be given back with tiffin_store_uncharge()
 * @going: of what is held, bytes that go for certain when what they are charged for is active
 *
 * Return: 0; -EDQUOT where that would be more than limits/stores_kib and @going, and then nothing
 * is charged.
 */
int tiffin_store_charge(struct tiffin_family *family, size_t bytes, size_t going);

/* And so much less. */
void tiffin_store_uncharge(struct tiffin_family *family, size_t bytes);

/**
 * tiffin_store_handover - what becomes of a store at a swap to a policy that declares @decl?
 * @mem: the older policy's store of that kind, or NULL
 * @decl: what the newer policy declares
 */
enum tiffin_handover tiffin_store_handover(const struct tiffin_store_mem *mem,
					   const struct tiffin_store *decl);

/* The bytes of all records, objects' with their headers: what tiffin_store_save() copies. */
size_t tiffin_store_payload(const struct tiffin_store_mem *mem);

/* Copy all records into @bytes, so many of them, or back; nobody writes meanwhile. */
void tiffin_store_save(const struct tiffin_store_mem *mem, void *bytes);
void tiffin_store_restore(struct tiffin_store_mem *mem, const void *bytes);

/* Zero all records, or empty the lists; nobody writes them meanwhile. */
void tiffin_store_clear(struct tiffin_store_mem *mem);

/**
 * tiffin_store_convert_from - from here on objects' records are converted from an older store
 * @mem: an object store that no call has reached yet
 * @from: the older store of the same schema; a reference is taken
 * @policy: whose callback converts them
 */
void tiffin_store_convert_from(struct tiffin_store_mem *mem, struct tiffin_store_mem *from,
			       struct tiffin_loaded *policy);

/**
 * tiffin_store_converted - all records have been converted: let go of the older store
 * @mem: an object store
 *
 * Context: process, may sleep: waits for calls that may be reading it.
 */
void tiffin_store_converted(struct tiffin_store_mem *mem);

/**
 * tiffin_record_convert - make one record of an older one
 * @mem: the new record's store; counts it
 * @from: the older record's store
 * @old: the older record's bytes
 * @policy: whose callback makes it
 * @ctx: of the call that is made for it
 * @record: the new record's bytes, zeros
 *
 * Context: as tiffin_enter().
 * Return: false where the policy doesn't know how, or its call had to be ended: they are zeros.
 */
bool tiffin_record_convert(struct tiffin_store_mem *mem, const struct tiffin_store_mem *from,
			   const void *old, struct tiffin_loaded *policy,
			   const struct tiffin_ctx *ctx, void *record);

/**
 * tiffin_record_settle - convert an object's record, unless a call has
 * @mem: an object store that has an older one
 * @object: below @mem->nr_objects
 * @ctx: of the call that is made for it
 *
 * Context: as a call of a hook, through the gate.
 * Return: false where it is busy: try again.
 */
bool tiffin_record_settle(struct tiffin_store_mem *mem, u32 object, struct tiffin_ctx *ctx);

/* Take a further reference. */
static inline struct tiffin_store_mem *tiffin_store_get(struct tiffin_store_mem *mem)
{
	kref_get(&mem->ref);
	return mem;
}

/* Drop a reference; the last one frees. Context: process, may sleep. @mem may be NULL. */
void tiffin_store_put(struct tiffin_store_mem *mem);

/*
 * tiffin_record_open() where the record is not simply the object's, or is lent to one call at a
 * time.
 */
struct tiffin_record *tiffin_record_open_slow(struct tiffin_store_mem *mem, u32 object,
					      u32 generation, struct tiffin_ctx *ctx);

/* Where an object's record is. */
static __always_inline struct tiffin_record *tiffin_record_of(const struct tiffin_store_mem *mem,
							      u32 object)
{
	return mem->objects + (size_t)object * mem->stride;
}

/**
 * tiffin_record_open - lend an object's record to the call on this CPU
 * @mem: an object store
 * @object: below @mem->nr_objects
 * @generation: of the object, not 0
 * @ctx: of the call; TIFFIN_CTX_OBJECT_FRESH is added to its flags where the record was zeroed for
 *	it
 *
 * Context: any but NMI, preemption disabled.
 * Return: the record, to be given back with tiffin_record_close(); NULL where it is busy.
 */
static __always_inline struct tiffin_record *
tiffin_record_open(struct tiffin_store_mem *mem, u32 object, u32 generation,
		   struct tiffin_ctx *ctx)
{
	struct tiffin_record *rec = tiffin_record_of(mem, object);

	if (unlikely(mem->sharing == TIFFIN_SHARE_LOCKED))
		return tiffin_record_open_slow(mem, object, generation, ctx);
	/* Pairs with the release in the slow path: who sees the generation sees the zeros. */
	if (likely(smp_load_acquire(&rec->generation) == generation))
		return rec;
	return tiffin_record_open_slow(mem, object, generation, ctx);
}

/*
 * The call that has a record was ended, or refused before it began: the record belongs to no
 * generation, so the object's next call zeroes it (S2). Another call that has it at the moment,
 * where it is shared, goes on with it as it is: a policy accepts any bytes.
 */
static inline void tiffin_record_drop(struct tiffin_record *rec)
{
	WRITE_ONCE(rec->generation, 0);
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
