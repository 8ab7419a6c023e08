// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records in another layout: conversion at first touch and by the sweep, what a rollback finds, and
 * the requests that come meanwhile (S4, S5 in store.h, W1 to W3 in sweep.h).
 */

#include <linux/workqueue.h>

#include "core/sysfs.h"
#include "lab_kunit.h"

static struct tiffin_scope *scope_of(struct kunit *test)
{
	return ((struct lab *)test->priv)->family.scope;
}

static struct tiffin_store_mem *objects_of(struct kunit *test)
{
	return scope_of(test)->gate.active->store[TIFFIN_STORE_OBJECT];
}

/* Alpha is active, and has been asked about an object so many times. */
static void convert_asked(struct kunit *test, u32 object, unsigned int times)
{
	struct lab_out out;

	while (times--)
		KUNIT_ASSERT_EQ(test, lab_ask(test->priv, LAB_ASK, object, &out), TIFFIN_ANSWERED);
}

static void convert_swept(struct kunit *test)
{
	flush_delayed_work(&scope_of(test)->swap.sweep.work);
}

/* Nobody can convert the record of an object before this is undone. */
static void convert_lock(struct kunit *test, u32 object, u32 locked)
{
	WRITE_ONCE(tiffin_record_of(objects_of(test), object)->locked, locked);
}

static struct kunit *convert_now;

/* The flip is over, the sweep not yet begun. */
static void convert_lock_seven(struct lab *lab)
{
	convert_lock(convert_now, 7, 1);
}

/* Swap; the sweep will get as far as object 7. */
static void convert_to_locked_seven(struct kunit *test, const char *text)
{
	struct lab *lab = test->priv;

	convert_now = test;
	lab->on_flipped = convert_lock_seven;
	EXPECT_SWAP(test, text);
	lab->on_flipped = NULL;
}

/* Ask about an object whose record the sweep may have at the moment. */
static void convert_ask(struct kunit *test, u32 object, u32 generation, struct lab_out *out)
{
	int i;

	for (i = 0; i < 100000; i++)
		if (lab_ask_generation(test->priv, LAB_ASK, object, generation, out) ==
		    TIFFIN_ANSWERED)
			return;
	KUNIT_FAIL(test, "object %u is busy for ever", object);
}

/* The sweep has come to what is locked, and has had time to go on. */
static void convert_reach_seven(struct kunit *test)
{
	int i;

	for (i = 0; i < 500 && READ_ONCE(scope_of(test)->swap.sweep.next) < 7; i++)
		msleep(20);
	msleep(20);
}

/* A call finds what the older policy knew, and finds it once. */
static void convert_at_first_touch(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;

	EXPECT_SWAP(test, "alpha");
	convert_asked(test, 7, 3);
	convert_asked(test, 8, 1);
	convert_to_locked_seven(test, "delta" LONG);
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 7, &out), TIFFIN_CONTINUITY);
	convert_lock(test, 7, 0);
	convert_ask(test, 7, 1, &out);
	KUNIT_EXPECT_EQ(test, out.who, LAB_DELTA);
	KUNIT_EXPECT_EQ(test, out.object_calls, 4);
	KUNIT_EXPECT_EQ(test, out.flags, 0);
	lab_ask(lab, LAB_ASK, 7, &out);
	KUNIT_EXPECT_EQ(test, out.object_calls, 5);
	convert_swept(test);
	lab_ask(lab, LAB_ASK, 7, &out);
	KUNIT_EXPECT_EQ(test, out.object_calls, 6);
	lab_ask(lab, LAB_ASK, 9, &out);
	KUNIT_EXPECT_EQ(test, out.object_calls, 1);
	KUNIT_EXPECT_EQ(test, out.flags, TIFFIN_CTX_OBJECT_FRESH);
	KUNIT_EXPECT_EQ(test, lab->converts[TIFFIN_STORE_OBJECT], 2);
}

/* The records of the instance and the CPUs are there with the first call. */
static void convert_at_the_flip(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;

	EXPECT_SWAP(test, "alpha");
	convert_asked(test, TIFFIN_NO_OBJECT, 5);
	EXPECT_SWAP(test, "delta");
	KUNIT_EXPECT_TRUE(test, lab_wait_stable(lab));
	KUNIT_EXPECT_EQ(test, lab->converts[TIFFIN_STORE_INSTANCE], 1);
	KUNIT_EXPECT_EQ(test, lab->converts[TIFFIN_STORE_PER_CPU], num_possible_cpus());
	lab_ask(lab, LAB_ASK, TIFFIN_NO_OBJECT, &out);
	KUNIT_EXPECT_EQ(test, out.instance_calls, 6);
	KUNIT_EXPECT_GT(test, out.cpu_calls, 0);
	KUNIT_EXPECT_LE(test, out.cpu_calls, 6);
}

/* What no call comes for the sweep converts; then the older layout's memory goes. */
static void convert_sweeps(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct tiffin_store_mem *older;
	struct lab_out out;
	u32 i;

	EXPECT_SWAP(test, "alpha");
	for (i = 0; i < LAB_OBJECTS; i += 3)
		convert_asked(test, i, i + 1);
	older = objects_of(test);
	EXPECT_SWAP(test, "delta" LONG);
	convert_swept(test);
	KUNIT_EXPECT_NULL(test, objects_of(test)->from);
	/* The older instance may come back. */
	KUNIT_EXPECT_EQ(test, kref_read(&older->ref), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&objects_of(test)->converted), (LAB_OBJECTS + 2) / 3);
	KUNIT_EXPECT_FALSE(test, tiffin_sweep_runs(scope_of(test)));
	KUNIT_ASSERT_EQ(test, tiffin_swap_commit(scope_of(test)), 0);
	KUNIT_EXPECT_EQ(test, scope_of(test)->swap.state, TIFFIN_STABLE);
	for (i = 0; i < LAB_OBJECTS; i++) {
		KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, i, &out), TIFFIN_ANSWERED);
		KUNIT_EXPECT_EQ(test, out.object_calls, i % 3 ? 1 : i + 2);
	}
	KUNIT_EXPECT_EQ(test, lab->converts[TIFFIN_STORE_OBJECT], (LAB_OBJECTS + 2) / 3);
}

/* The table of the active instance's stores says how far the conversion has come. */
static void convert_is_shown(struct kunit *test)
{
	char *text = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	struct lab *lab = test->priv;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, text);
	/* Where sysfs would put it, at the beginning of a page. */
	KUNIT_ASSERT_TRUE(test, IS_ALIGNED((unsigned long)text, PAGE_SIZE));
	EXPECT_SWAP(test, "alpha");
	convert_asked(test, 3, 1);
	convert_asked(test, 7, 1);
	convert_asked(test, 9, 1);
	tiffin_sysfs_scope_stores(scope_of(test), text);
	LAB_EXPECT_SAYS(test, text, " 0 0\nobject lab_flow 1 locked 16 16 ");
	convert_to_locked_seven(test, "delta" LONG);
	convert_reach_seven(test);
	tiffin_sysfs_scope_stores(scope_of(test), text);
	LAB_EXPECT_SAYS(test, text, "instance lab_all 2 atomic 24 1 ");
	LAB_EXPECT_SAYS(test, text, " 1 0\nper_cpu lab_cpu 2 cpu 24 ");
	LAB_EXPECT_SAYS(test, text, "\nobject lab_flow 2 locked 24 16 ");
	LAB_EXPECT_SAYS(test, text, " 1 9\n");
	KUNIT_EXPECT_EQ(test, tiffin_sweep_left(scope_of(test), objects_of(test)), 9);
	convert_lock(test, 7, 0);
	convert_swept(test);
	tiffin_sysfs_scope_stores(scope_of(test), text);
	LAB_EXPECT_SAYS(test, text, " 3 0\n");
	/* Who takes it over by reference has converted nothing. */
	KUNIT_ASSERT_EQ(test, tiffin_swap_rollback(scope_of(test)), 0);
	tiffin_sysfs_scope_stores(scope_of(test), text);
	LAB_EXPECT_SAYS(test, text, " 0 0\nobject lab_flow 1 locked 16 16 ");
	KUNIT_EXPECT_EQ(test, lab->converts[TIFFIN_STORE_OBJECT], 3);
}

/* S4: a rollback finds each record as it was at the flip. */
static void convert_rolls_back(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;

	EXPECT_SWAP(test, "alpha");
	convert_asked(test, 7, 3);
	EXPECT_SWAP(test, "delta" LONG);
	convert_swept(test);
	convert_asked(test, 7, 5);
	KUNIT_ASSERT_EQ(test, tiffin_swap_rollback(scope_of(test)), 0);
	KUNIT_EXPECT_STREQ(test, lab_active(lab), "alpha");
	lab_ask(lab, LAB_ASK, 7, &out);
	KUNIT_EXPECT_EQ(test, out.object_calls, 4);
	KUNIT_EXPECT_EQ(test, out.instance_calls, 4);
	KUNIT_EXPECT_EQ(test, out.flags, 0);
	/* And once more, from there. */
	EXPECT_SWAP(test, "delta");
	KUNIT_EXPECT_TRUE(test, lab_wait_stable(lab));
	lab_ask(lab, LAB_ASK, 7, &out);
	KUNIT_EXPECT_EQ(test, out.object_calls, 5);
}

/* W1: a request is told what is going on; then it goes through. */
static void convert_is_busy(struct kunit *test)
{
	struct lab *lab = test->priv;

	EXPECT_SWAP(test, "alpha");
	convert_asked(test, 7, 1);
	convert_to_locked_seven(test, "delta");
	convert_reach_seven(test);
	KUNIT_EXPECT_EQ(test, scope_of(test)->swap.state, TIFFIN_SWEEPING);
	KUNIT_EXPECT_STREQ(test, scope_of(test)->swap.report.result, "committed");
	KUNIT_EXPECT_EQ(test, lab_swap(lab, "beta"), -EBUSY);
	LAB_EXPECT_SAYS(test, lab_error(lab), "being converted for delta-1.0+b1, object 7 of 16, ");
	KUNIT_EXPECT_EQ(test, tiffin_swap_rollback(scope_of(test)), -EBUSY);
	KUNIT_EXPECT_EQ(test, tiffin_swap_commit(scope_of(test)), -ENOENT);
	convert_lock(test, 7, 0);
	KUNIT_EXPECT_TRUE(test, lab_wait_stable(lab));
	EXPECT_SWAP(test, "beta");
	KUNIT_EXPECT_STREQ(test, lab_active(lab), "beta");
}

/* W2, W3: a rollback does not wait for the sweep's end. */
static void convert_undone_in_the_middle(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;

	EXPECT_SWAP(test, "alpha");
	convert_asked(test, 7, 2);
	convert_asked(test, 9, 2);
	convert_to_locked_seven(test, "delta" LONG);
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 9, &out), TIFFIN_ANSWERED);
	KUNIT_EXPECT_EQ(test, out.object_calls, 3);
	KUNIT_ASSERT_EQ(test, tiffin_swap_rollback(scope_of(test)), 0);
	KUNIT_EXPECT_FALSE(test, tiffin_sweep_runs(scope_of(test)));
	KUNIT_EXPECT_EQ(test, kref_read(&objects_of(test)->ref), 1);
	lab_ask(lab, LAB_ASK, 9, &out);
	KUNIT_EXPECT_EQ(test, out.object_calls, 3);
	EXPECT_SWAP(test, "beta");
}

/* S5: an object that is gone takes its record along. */
static void convert_not_of_others(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;

	EXPECT_SWAP(test, "alpha");
	convert_asked(test, 7, 3);
	convert_to_locked_seven(test, "delta" LONG);
	convert_lock(test, 7, 0);
	convert_ask(test, 7, 2, &out);
	KUNIT_EXPECT_LE(test, out.object_calls, 1);
	KUNIT_EXPECT_EQ(test, out.flags, TIFFIN_CTX_OBJECT_FRESH);
	convert_swept(test);
	lab_ask_generation(lab, LAB_ASK, 7, 2, &out);
	KUNIT_EXPECT_EQ(test, out.object_calls, 2);
}

/* What the policy can't convert starts from zeros, whatever it has scribbled there. */
static void convert_unknown(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;

	EXPECT_SWAP(test, "alpha");
	convert_asked(test, 7, 3);
	lab->unknown = true;
	convert_to_locked_seven(test, "delta" LONG);
	convert_lock(test, 7, 0);
	convert_ask(test, 7, 1, &out);
	KUNIT_EXPECT_EQ(test, out.object_calls, 1);
	KUNIT_EXPECT_EQ(test, ((u64 *)tiffin_record_of(objects_of(test), 7)->data)[1], 0);
	convert_swept(test);
	KUNIT_EXPECT_EQ(test, atomic_read(&objects_of(test)->converted), 0);
}

/* A policy that declares no conversion starts from zeros where the layout is another one. */
static void convert_not_back(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;

	EXPECT_SWAP(test, "delta");
	convert_asked(test, 7, 3);
	convert_swept(test);
	EXPECT_SWAP(test, "alpha");
	lab_ask(lab, LAB_ASK, 7, &out);
	KUNIT_EXPECT_EQ(test, out.object_calls, 1);
	KUNIT_EXPECT_EQ(test, out.flags, TIFFIN_CTX_OBJECT_FRESH);
}

/* A store that goes over by reference comes back as its owner has declared. */
static void undo_as_declared(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;

	EXPECT_SWAP(test, "sigma");
	convert_asked(test, 7, 3);
	EXPECT_SWAP(test, "alpha" LONG);
	convert_asked(test, 7, 4);
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 7, &out), TIFFIN_ANSWERED);
	KUNIT_EXPECT_EQ(test, out.object_calls, 8);
	KUNIT_EXPECT_EQ(test, out.instance_calls, 8);
	KUNIT_ASSERT_EQ(test, tiffin_swap_rollback(scope_of(test)), 0);
	KUNIT_EXPECT_STREQ(test, lab_active(lab), "sigma");
	lab_ask(lab, LAB_ASK, 7, &out);
	KUNIT_EXPECT_EQ(test, out.object_calls, 1);
	KUNIT_EXPECT_EQ(test, out.flags, TIFFIN_CTX_OBJECT_FRESH);
	KUNIT_EXPECT_EQ(test, out.instance_calls, 4);
	KUNIT_EXPECT_EQ(test, out.cpu_calls, 1);
	KUNIT_EXPECT_EQ(test, kref_read(&objects_of(test)->ref), 1);

	/* Where the swap is kept nothing is kept for a rollback. */
	EXPECT_SWAP(test, "alpha");
	KUNIT_EXPECT_NULL(test, scope_of(test)->gate.active->older);
	KUNIT_EXPECT_NULL(test, scope_of(test)->gate.active->spare);
	KUNIT_EXPECT_NULL(test, scope_of(test)->gate.active->saved[TIFFIN_STORE_INSTANCE]);
	lab_ask(lab, LAB_ASK, 7, &out);
	KUNIT_EXPECT_EQ(test, out.object_calls, 2);
	/* And what alpha hands over it takes back with what the newer one wrote. */
	EXPECT_SWAP(test, "sigma" LONG);
	lab_ask(lab, LAB_ASK, 7, &out);
	KUNIT_ASSERT_EQ(test, tiffin_swap_rollback(scope_of(test)), 0);
	lab_ask(lab, LAB_ASK, 7, &out);
	KUNIT_EXPECT_EQ(test, out.object_calls, 4);
}


static struct kunit_case convert_cases[] = {
	KUNIT_CASE(convert_at_first_touch),
	KUNIT_CASE(convert_at_the_flip),
	KUNIT_CASE(convert_sweeps),
	KUNIT_CASE(convert_is_shown),
	KUNIT_CASE(convert_rolls_back),
	KUNIT_CASE(convert_is_busy),
	KUNIT_CASE(convert_undone_in_the_middle),
	KUNIT_CASE(convert_not_of_others),
	KUNIT_CASE(convert_unknown),
	KUNIT_CASE(convert_not_back),
	KUNIT_CASE(undo_as_declared),
	{}
};

static struct kunit_suite convert_suite = {
	.name = "convert",
	.init = lab_test_init,
	.exit = lab_test_exit,
	.test_cases = convert_cases,
};
kunit_test_suite(convert_suite);
