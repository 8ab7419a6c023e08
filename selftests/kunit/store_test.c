// SPDX-License-Identifier: GPL-2.0-only
/* Stores: memory, handing over, and the lending of records (invariants S1 to S3 in store.h). */

#include <kunit/test.h>

#include "core/store.h"

#define OBJECTS	5

static const struct tiffin_store locked_decl = {
	"flow", 3, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_LOCKED, 20
};

static const struct tiffin_store atomic_decl = {
	"flow", 3, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_ATOMIC, 20
};

/* Memory that a failed test gives back, too. */
static struct tiffin_store_mem *store_alloc(struct kunit *test, const struct tiffin_store *decl)
{
	struct tiffin_store_mem *mem = tiffin_store_alloc(decl, OBJECTS);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mem);
	test->priv = mem;
	return mem;
}

static void store_exit(struct kunit *test)
{
	tiffin_store_put(test->priv);
}

static struct tiffin_record *store_open(struct tiffin_store_mem *mem, u32 object, u32 generation,
					bool *fresh)
{
	struct tiffin_record *rec;
	struct tiffin_ctx ctx = { .size = sizeof(ctx) };

	preempt_disable();
	rec = tiffin_record_open(mem, object, generation, &ctx);
	preempt_enable();
	*fresh = ctx.flags & TIFFIN_CTX_OBJECT_FRESH;
	return rec;
}

static void store_close(struct tiffin_store_mem *mem, struct tiffin_record *rec)
{
	preempt_disable();
	tiffin_record_close(mem, rec);
	preempt_enable();
}

static void store_instance(struct kunit *test)
{
	const struct tiffin_store decl = {
		"all", 1, TIFFIN_STORE_INSTANCE, TIFFIN_SHARE_ATOMIC, TIFFIN_MAX_RECORD
	};
	struct tiffin_store_mem *mem = store_alloc(test, &decl);

	KUNIT_EXPECT_NULL(test, memchr_inv(mem->record, 0, TIFFIN_MAX_RECORD));
	KUNIT_EXPECT_EQ(test, tiffin_store_bytes(mem), TIFFIN_MAX_RECORD);
	memset(mem->record, 0xff, TIFFIN_MAX_RECORD);
}

static void store_per_cpu(struct kunit *test)
{
	const struct tiffin_store decl = {
		"cpu", 1, TIFFIN_STORE_PER_CPU, TIFFIN_SHARE_CPU, 13
	};
	struct tiffin_store_mem *mem = store_alloc(test, &decl);
	int cpu;

	for_each_possible_cpu(cpu) {
		const void *record = per_cpu_ptr(mem->percpu, cpu);

		KUNIT_EXPECT_NULL(test, memchr_inv(record, 0, 13));
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)record, 8));
	}
	KUNIT_EXPECT_EQ(test, tiffin_store_bytes(mem), 13 * num_possible_cpus());
}

/* Each object has its own bytes, all of them, aligned for any field. */
static void store_objects(struct kunit *test)
{
	struct tiffin_store_mem *mem = store_alloc(test, &atomic_decl);
	struct tiffin_record *rec;
	bool fresh;
	u32 i, j;

	for (i = 0; i < OBJECTS; i++) {
		rec = store_open(mem, i, 1, &fresh);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rec);
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)rec->data, 8));
		KUNIT_EXPECT_NULL(test, memchr_inv(rec->data, 0, 20));
		memset(rec->data, 'a' + i, 20);
	}
	for (i = 0; i < OBJECTS; i++) {
		rec = store_open(mem, i, 1, &fresh);
		for (j = 0; j < 20; j++)
			KUNIT_EXPECT_EQ(test, rec->data[j], 'a' + i);
	}
	KUNIT_EXPECT_EQ(test, tiffin_store_bytes(mem), OBJECTS * mem->stride);
}

static void store_convert(const struct tiffin_ctx *ctx, const struct tiffin_convert_in *in,
			  struct tiffin_convert_out *out)
{
}

/* Another layout of the same schema: converted where the policy can, else left. */
static void store_expect_other(struct kunit *test, const struct tiffin_store_mem *mem,
			       const struct tiffin_store *decl)
{
	struct tiffin_store converts = *decl;

	converts.convert = store_convert;
	KUNIT_EXPECT_EQ(test, tiffin_store_handover(mem, decl), TIFFIN_HANDOVER_NEW);
	KUNIT_EXPECT_EQ(test, tiffin_store_handover(mem, &converts), TIFFIN_HANDOVER_CONVERT);
}

/* By reference goes only what both sides mean the same bytes by. */
static void store_handover(struct kunit *test)
{
	struct tiffin_store_mem *mem = store_alloc(test, &locked_decl);
	struct tiffin_store decl;

	KUNIT_EXPECT_EQ(test, tiffin_store_handover(mem, &locked_decl), TIFFIN_HANDOVER_REFERENCE);
	KUNIT_EXPECT_EQ(test, tiffin_store_handover(NULL, &locked_decl), TIFFIN_HANDOVER_NEW);
	decl = locked_decl;
	decl.convert = store_convert;
	KUNIT_EXPECT_EQ(test, tiffin_store_handover(mem, &decl), TIFFIN_HANDOVER_REFERENCE);
	decl.schema = "flows";
	KUNIT_EXPECT_EQ(test, tiffin_store_handover(mem, &decl), TIFFIN_HANDOVER_NEW);
	decl = locked_decl;
	decl.kind = TIFFIN_STORE_INSTANCE;
	decl.convert = store_convert;
	KUNIT_EXPECT_EQ(test, tiffin_store_handover(mem, &decl), TIFFIN_HANDOVER_NEW);
	decl = locked_decl;
	decl.version++;
	store_expect_other(test, mem, &decl);
	store_expect_other(test, mem, &atomic_decl);
	decl = locked_decl;
	decl.record_size--;
	store_expect_other(test, mem, &decl);
}

/* S1: the last reference frees, no earlier one. */
static void store_references(struct kunit *test)
{
	struct tiffin_store_mem *mem = store_alloc(test, &locked_decl);
	struct tiffin_record *rec;
	bool fresh;

	KUNIT_EXPECT_EQ(test, kref_read(&mem->ref), 1);
	KUNIT_EXPECT_PTR_EQ(test, tiffin_store_get(mem), mem);
	KUNIT_EXPECT_EQ(test, kref_read(&mem->ref), 2);
	tiffin_store_put(mem);
	KUNIT_ASSERT_EQ(test, kref_read(&mem->ref), 1);
	rec = store_open(mem, 0, 1, &fresh);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rec);
	memset(rec->data, 1, 20);
	store_close(mem, rec);
	tiffin_store_put(NULL);
}

/* S2: the first call of a generation finds zeros and is told so, the next ones are not. */
static void store_generation(struct kunit *test, const struct tiffin_store *decl)
{
	struct tiffin_store_mem *mem = store_alloc(test, decl);
	struct tiffin_record *rec;
	bool fresh;
	u32 generation;

	for (generation = 1; generation < 4; generation++) {
		rec = store_open(mem, 2, generation, &fresh);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rec);
		KUNIT_EXPECT_TRUE(test, fresh);
		KUNIT_EXPECT_NULL(test, memchr_inv(rec->data, 0, 20));
		memset(rec->data, 0xff, 20);
		store_close(mem, rec);

		rec = store_open(mem, 2, generation, &fresh);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rec);
		KUNIT_EXPECT_FALSE(test, fresh);
		KUNIT_EXPECT_EQ(test, rec->data[0], 0xff);
		KUNIT_EXPECT_EQ(test, rec->data[19], 0xff);
		store_close(mem, rec);
	}
	/* A late call with an earlier generation finds it busy, and wipes nothing. */
	KUNIT_EXPECT_NULL(test, store_open(mem, 2, 1, &fresh));
	rec = store_open(mem, 2, 3, &fresh);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rec);
	KUNIT_EXPECT_FALSE(test, fresh);
	KUNIT_EXPECT_EQ(test, rec->data[0], 0xff);
	store_close(mem, rec);
}

static void store_generation_locked(struct kunit *test)
{
	store_generation(test, &locked_decl);
}

static void store_generation_atomic(struct kunit *test)
{
	store_generation(test, &atomic_decl);
}

/* S3: a locked record is lent to one call; the others' records are not touched by that. */
static void store_locked_is_busy(struct kunit *test)
{
	struct tiffin_store_mem *mem = store_alloc(test, &locked_decl);
	struct tiffin_record *rec, *other;
	bool fresh;

	rec = store_open(mem, 1, 1, &fresh);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rec);
	KUNIT_EXPECT_NULL(test, store_open(mem, 1, 1, &fresh));
	/* Nor for another generation: it is not zeroed under the call that has it. */
	rec->data[0] = 77;
	KUNIT_EXPECT_NULL(test, store_open(mem, 1, 2, &fresh));
	KUNIT_EXPECT_FALSE(test, fresh);
	KUNIT_EXPECT_EQ(test, rec->data[0], 77);

	other = store_open(mem, 2, 1, &fresh);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	store_close(mem, other);

	store_close(mem, rec);
	rec = store_open(mem, 1, 1, &fresh);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rec);
	KUNIT_EXPECT_EQ(test, rec->data[0], 77);
	store_close(mem, rec);
}

/* Atomic records are lent to all at once, but to nobody while one call zeroes. */
static void store_atomic_is_shared(struct kunit *test)
{
	struct tiffin_store_mem *mem = store_alloc(test, &atomic_decl);
	struct tiffin_record *rec;
	bool fresh;

	rec = store_open(mem, 1, 1, &fresh);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rec);
	KUNIT_EXPECT_PTR_EQ(test, store_open(mem, 1, 1, &fresh), rec);
	KUNIT_EXPECT_FALSE(test, fresh);

	rec->locked = 1;
	KUNIT_EXPECT_NULL(test, store_open(mem, 1, 2, &fresh));
	KUNIT_EXPECT_PTR_EQ(test, store_open(mem, 1, 1, &fresh), rec);
	rec->locked = 0;
	KUNIT_EXPECT_PTR_EQ(test, store_open(mem, 1, 2, &fresh), rec);
	KUNIT_EXPECT_TRUE(test, fresh);
	KUNIT_EXPECT_EQ(test, rec->locked, 0);
}

static struct kunit_case store_cases[] = {
	KUNIT_CASE(store_instance),
	KUNIT_CASE(store_per_cpu),
	KUNIT_CASE(store_objects),
	KUNIT_CASE(store_handover),
	KUNIT_CASE(store_references),
	KUNIT_CASE(store_generation_locked),
	KUNIT_CASE(store_generation_atomic),
	KUNIT_CASE(store_locked_is_busy),
	KUNIT_CASE(store_atomic_is_shared),
	{}
};

static struct kunit_suite store_suite = {
	.name = "store",
	.exit = store_exit,
	.test_cases = store_cases,
};
kunit_test_suite(store_suite);
