// SPDX-License-Identifier: GPL-2.0-only
/*
 * What follows a fault, on a kernel: the rescue's own worker, the log, the scope's state. Where the
 * kernel has a guard the faults are real ones. Each step and each race: selftests/upgrade.
 */
#include "core/guard.h"
#include "core/quarantine.h"
#include "lab_kunit.h"

static int quarantine_init(struct kunit *test)
{
	/* The tests' kernels are told to panic on an oops, which leaves faults to them. */
	tiffin_guard_set_contain(true);
	return lab_test_init(test);
}

static void quarantine_exit(struct kunit *test)
{
	lab_test_exit(test);
	tiffin_guard_set_contain(false);
}

static struct tiffin_swap *swap_of(struct kunit *test)
{
	return &((struct lab *)test->priv)->family.scope->swap;
}

/* Ask the active policy, whose call has to be ended. */
static void quarantine_ask(struct kunit *test, enum lab_who who)
{
	struct lab *lab = test->priv;
	struct lab_out out;

	lab->faulty = BIT(who);
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 1, &out), TIFFIN_CONTINUITY);
	KUNIT_EXPECT_EQ(test, out.who, who);
	lab->faulty = 0;
}

/* The rescue comes by itself. */
static void quarantine_wait(struct kunit *test, enum lab_who who)
{
	struct lab *lab = test->priv;
	struct lab_out out;
	int i;

	for (i = 0; i < 500 && strcmp(lab_active(lab), lab_policy[who].name); i++)
		msleep(20);
	KUNIT_ASSERT_TRUE(test, lab_wait_stable(lab));
	KUNIT_EXPECT_STREQ(test, lab_active(lab), lab_policy[who].name);
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 1, &out), TIFFIN_ANSWERED);
	KUNIT_EXPECT_EQ(test, out.who, who);
	LAB_EXPECT_ACCOUNTS(test, lab);
}

static void quarantine_rolls_back(struct kunit *test)
{
	struct lab *lab = test->priv;

	EXPECT_SWAP(test, "beta");
	EXPECT_SWAP(test, "alpha" LONG);
	quarantine_ask(test, LAB_ALPHA);
	KUNIT_EXPECT_STREQ(test, tiffin_scope_role(lab_loaded(lab, LAB_ALPHA)), "quarantined");
	quarantine_wait(test, LAB_BETA);
	KUNIT_EXPECT_STREQ(test, swap_of(test)->report.result, "rolled_back");
	LAB_EXPECT_SAYS(test, swap_of(test)->report.reason, " at lab_");
	KUNIT_EXPECT_GE(test, lab_figures(lab).continuity_fault, 1);
	KUNIT_EXPECT_EQ(test, lab_swap(lab, "alpha"), -ENOTRECOVERABLE);
}

static void quarantine_of_a_stable_policy(struct kunit *test)
{
	EXPECT_SWAP(test, "beta");
	EXPECT_SWAP(test, "alpha");
	quarantine_ask(test, LAB_ALPHA);
	quarantine_wait(test, LAB_BETA);
	KUNIT_EXPECT_STREQ(test, swap_of(test)->report.result, "committed");
	LAB_EXPECT_SAYS(test, swap_of(test)->report.reason, " at lab_");
}

static void quarantine_keeps_out(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;
	int i;

	EXPECT_SWAP(test, "alpha");
	/* Whoever has the lock keeps the rescue out, so that there is time to look. */
	mutex_lock(&swap_of(test)->lock);
	quarantine_ask(test, LAB_ALPHA);
	for (i = 0; i < 5; i++) {
		KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_TELL, 1, &out), TIFFIN_CONTINUITY);
		KUNIT_EXPECT_EQ(test, out.answers, 0);
		msleep(20);
	}
	KUNIT_EXPECT_EQ(test, lab_figures(lab).continuity_fault, 6);
	KUNIT_EXPECT_EQ(test, lab_figures(lab).answered, 0);
	LAB_EXPECT_ACCOUNTS(test, lab);
	mutex_unlock(&swap_of(test)->lock);
	for (i = 0; i < 500 && strcmp(lab_active(lab), "default"); i++)
		msleep(20);
	KUNIT_EXPECT_STREQ(test, lab_active(lab), "default");
}

static void quarantine_at_init(struct kunit *test)
{
	struct lab *lab = test->priv;

	EXPECT_SWAP(test, "beta");
	lab->faulty_init = BIT(LAB_ALPHA);
	KUNIT_EXPECT_EQ(test, lab_swap(lab, "alpha" LONG), -EFAULT);
	LAB_EXPECT_SAYS(test, lab_error(lab), "init of alpha-1.0+b1 had to be ended");
	quarantine_wait(test, LAB_BETA);
	KUNIT_EXPECT_EQ(test, lab_swap(lab, "alpha"), -ENOTRECOVERABLE);
}

static void quarantine_at_the_flip(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;

	EXPECT_SWAP(test, "alpha");
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 1, &out), TIFFIN_ANSWERED);
	lab->faulty_convert = 1;
	KUNIT_EXPECT_EQ(test, lab_swap(lab, "delta"), -EFAULT);
	KUNIT_EXPECT_EQ(test, lab->family.scope->gate.epoch, 1);
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 1, &out), TIFFIN_ANSWERED);
	KUNIT_EXPECT_EQ(test, out.who, LAB_ALPHA);
	KUNIT_EXPECT_EQ(test, out.instance_calls, 2);
	KUNIT_EXPECT_EQ(test, out.object_calls, 2);
}

/* The records of the instance and of the CPU are through: the next is the sweep's. */
static void quarantine_next_convert(struct lab *lab)
{
	lab->on_flipped = NULL;
	lab->faulty_convert = 1;
}

static void quarantine_in_the_sweep(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;

	EXPECT_SWAP(test, "alpha");
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 1, &out), TIFFIN_ANSWERED);
	lab->on_flipped = quarantine_next_convert;
	EXPECT_SWAP(test, "delta" LONG);
	quarantine_wait(test, LAB_ALPHA);
	KUNIT_EXPECT_EQ(test, lab->converts[TIFFIN_STORE_OBJECT], 1);
	KUNIT_EXPECT_STREQ(test, swap_of(test)->report.result, "rolled_back");
}

static struct kunit_case quarantine_cases[] = {
	KUNIT_CASE(quarantine_rolls_back),
	KUNIT_CASE(quarantine_of_a_stable_policy),
	KUNIT_CASE(quarantine_keeps_out),
	KUNIT_CASE(quarantine_at_init),
	KUNIT_CASE(quarantine_at_the_flip),
	KUNIT_CASE(quarantine_in_the_sweep),
	{}
};

static struct kunit_suite quarantine_suite = {
	.name = "quarantine",
	.init = quarantine_init,
	.exit = quarantine_exit,
	.test_cases = quarantine_cases,
};

kunit_test_suite(quarantine_suite);
