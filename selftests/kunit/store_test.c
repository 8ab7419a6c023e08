// SPDX-License-Identifier: GPL-2.0-only
/* Stores: memory, handing over, and the lending of records (S1 to S3, S6 in store.h). */

#include <kunit/test.h>

#include "core/family.h"
#include "core/store.h"

#define OBJECTS	5

static struct tiffin_family store_family = {
	.name = "store",
	.max_objects = OBJECTS,
	.limits = { .stores_kib = 64 },
};

static const struct tiffin_store locked_decl = {
	"flow", 3, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_LOCKED, 20
};

static const struct tiffin_store atomic_decl = {
	"flow", 3, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_ATOMIC, 20
};

/* Memory that a failed test gives back, too. */
static struct tiffin_store_mem *store_alloc(struct kunit *test, const struct tiffin_store *decl)
{
	struct tiffin_store_mem *mem = tiffin_store_alloc(&store_family, decl, 0);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mem);
	test->priv = mem;
	KUNIT_EXPECT_EQ(test, atomic64_read(&store_family.stores_bytes), mem->bytes);
	return mem;
}

static void store_exit(struct kunit *test)
{
	tiffin_store_put(test->priv);
	KUNIT_EXPECT_EQ(test, atomic64_read(&store_family.stores_bytes), 0);
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
	KUNIT_EXPECT_EQ(test, tiffin_store_payload(mem), TIFFIN_MAX_RECORD);
	KUNIT_EXPECT_EQ(test, mem->bytes, TIFFIN_MAX_RECORD + sizeof(*mem));
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
	KUNIT_EXPECT_EQ(test, tiffin_store_payload(mem), 13 * num_possible_cpus());
	/* Each CPU's is aligned. */
	KUNIT_EXPECT_EQ(test, mem->bytes, 16 * num_possible_cpus() + sizeof(*mem));
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
	KUNIT_EXPECT_EQ(test, tiffin_store_payload(mem), OBJECTS * mem->stride);
	KUNIT_EXPECT_EQ(test, mem->stride, sizeof(*rec) + 24);
	/* Whole pages. */
	KUNIT_EXPECT_EQ(test, mem->bytes, PAGE_SIZE + sizeof(*mem));
}

/* What is saved comes back, record by record, and nothing beyond it is written. */
static void store_saves(struct kunit *test, const struct tiffin_store *decl)
{
	struct tiffin_store_mem *mem = store_alloc(test, decl);
	size_t size = tiffin_store_payload(mem);
	u8 *bytes = kunit_kzalloc(test, size + 1, GFP_KERNEL);
	u8 *first = decl->kind == TIFFIN_STORE_PER_CPU ? per_cpu_ptr(mem->percpu, 0) : mem->record;
	size_t i, step = decl->kind == TIFFIN_STORE_PER_CPU ? mem->record_size : size;
	int cpu;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bytes);
	for (i = 0; i < size; i++)
		bytes[i] = i + 1;
	bytes[size] = 0xaa;
	tiffin_store_restore(mem, bytes);
	KUNIT_EXPECT_EQ(test, memcmp(first, bytes, step), 0);
	if (decl->kind == TIFFIN_STORE_PER_CPU)
		for_each_possible_cpu(cpu)
			KUNIT_EXPECT_EQ(test, memcmp(per_cpu_ptr(mem->percpu, cpu),
						     bytes + cpu * step, step), 0);
	memset(bytes, 0, size);
	tiffin_store_save(mem, bytes);
	for (i = 0; i < size; i++)
		KUNIT_EXPECT_EQ(test, bytes[i], (u8)(i + 1));
	KUNIT_EXPECT_EQ(test, bytes[size], 0xaa);
	tiffin_store_clear(mem);
	tiffin_store_save(mem, bytes);
	KUNIT_EXPECT_NULL(test, memchr_inv(bytes, 0, size));
	KUNIT_EXPECT_EQ(test, bytes[size], 0xaa);
}

static void store_saves_instance(struct kunit *test)
{
	const struct tiffin_store decl = {
		"all", 1, TIFFIN_STORE_INSTANCE, TIFFIN_SHARE_ATOMIC, 21
	};

	store_saves(test, &decl);
}

static void store_saves_per_cpu(struct kunit *test)
{
	const struct tiffin_store decl = {
		"cpu", 1, TIFFIN_STORE_PER_CPU, TIFFIN_SHARE_CPU, 13
	};

	store_saves(test, &decl);
}

static void store_saves_objects(struct kunit *test)
{
	store_saves(test, &atomic_decl);
}

/* S6: to the byte, and where it is refused nothing is charged. */
static void store_charge(struct kunit *test)
{
	struct tiffin_family family = { .limits = { .stores_kib = 3 } };

	KUNIT_EXPECT_EQ(test, tiffin_store_charge(&family, 3073, 0), -EDQUOT);
	KUNIT_EXPECT_EQ(test, tiffin_store_charge(&family, 3072, 0), 0);
	KUNIT_EXPECT_EQ(test, tiffin_store_charge(&family, 1, 0), -EDQUOT);
	KUNIT_EXPECT_EQ(test, atomic64_read(&family.stores_bytes), 3072);
	tiffin_store_uncharge(&family, 1);
	KUNIT_EXPECT_EQ(test, tiffin_store_charge(&family, 2, 0), -EDQUOT);
	KUNIT_EXPECT_EQ(test, tiffin_store_charge(&family, 1, 0), 0);
	/* Beside what goes. */
	KUNIT_EXPECT_EQ(test, tiffin_store_charge(&family, 3, 2), -EDQUOT);
	KUNIT_EXPECT_EQ(test, tiffin_store_charge(&family, 2, 2), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&family.stores_bytes), 3074);
	tiffin_store_uncharge(&family, 2);
	/* What is held stays where the limit goes below it. */
	family.limits.stores_kib = 1;
	KUNIT_EXPECT_EQ(test, tiffin_store_charge(&family, 1, 0), -EDQUOT);
	tiffin_store_uncharge(&family, 3072);
	KUNIT_EXPECT_EQ(test, atomic64_read(&family.stores_bytes), 0);
	family.limits.stores_kib = U32_MAX;
	KUNIT_EXPECT_EQ(test, tiffin_store_charge(&family, (size_t)U32_MAX << 10, 0), 0);
	KUNIT_EXPECT_EQ(test, tiffin_store_charge(&family, 1, 0), -EDQUOT);
}

/* A store that does not fit is not there, and costs nothing. */
static void store_too_large(struct kunit *test)
{
	/* 32000 bytes of records, 32768 of pages, and its description. */
	struct tiffin_family family = { .max_objects = 1000, .limits = { .stores_kib = 32 } };

	KUNIT_EXPECT_EQ(test, PTR_ERR(tiffin_store_alloc(&family, &atomic_decl, 0)), -EDQUOT);
	KUNIT_EXPECT_EQ(test, atomic64_read(&family.stores_bytes), 0);
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
	KUNIT_CASE(store_saves_instance),
	KUNIT_CASE(store_saves_per_cpu),
	KUNIT_CASE(store_saves_objects),
	KUNIT_CASE(store_charge),
	KUNIT_CASE(store_too_large),
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
