// SPDX-License-Identifier: GPL-2.0-only
/* What stores take is charged to their family, and bounded (S6 in store.h); what a swap plans. */

#include "lab_kunit.h"

static struct tiffin_scope *scope_of(struct kunit *test)
{
	return ((struct lab *)test->priv)->family.scope;
}

static s64 held_by(struct kunit *test)
{
	return atomic64_read(&((struct lab *)test->priv)->family.stores_bytes);
}

/* What the active instance's stores say that they take. */
static s64 account_active(struct kunit *test)
{
	struct tiffin_instance *inst = scope_of(test)->gate.active;
	s64 bytes = 0;
	int k;

	for (k = 0; k < TIFFIN_STORE_KINDS; k++)
		if (inst->store[k])
			bytes += inst->store[k]->bytes;
	return bytes;
}

static struct tiffin_loaded *account_find(struct kunit *test, const char *name)
{
	struct tiffin_loaded *loaded = tiffin_policy_find(scope_of(test)->family, name);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, loaded);
	/* It is not unloaded meanwhile. */
	tiffin_policy_release(loaded);
	return loaded;
}

static s64 account_plan(struct kunit *test, const char *to)
{
	return tiffin_instance_bytes(account_find(test, to), scope_of(test)->gate.active);
}

/* The plan of a swap, store by store, is what the swap then did. */
static void account_expect_done(struct kunit *test, const struct tiffin_plan *plan,
				const struct tiffin_loaded *loaded)
{
	const struct tiffin_instance *inst = scope_of(test)->gate.active;
	int k;

	KUNIT_ASSERT_PTR_EQ(test, inst->policy, loaded);
	for (k = 0; k < TIFFIN_STORE_KINDS; k++) {
		if (!loaded->has_store[k])
			continue;
		KUNIT_EXPECT_EQ(test, !!(inst->adopted & BIT(k)),
				plan[k].how == TIFFIN_HANDOVER_REFERENCE);
		KUNIT_EXPECT_EQ(test, !!(inst->converts & BIT(k)),
				plan[k].how == TIFFIN_HANDOVER_CONVERT);
		if (plan[k].how != TIFFIN_HANDOVER_REFERENCE)
			KUNIT_EXPECT_EQ(test, inst->store[k]->bytes, plan[k].bytes);
	}
}

static void account_pair(struct kunit *test, const char *from, const char *to)
{
	struct tiffin_plan plan[TIFFIN_STORE_KINDS] = {};
	struct lab *lab = test->priv;
	struct tiffin_loaded *loaded;
	char text[64];
	s64 held, more;
	int k;

	EXPECT_SWAP(test, from);
	KUNIT_ASSERT_TRUE(test, lab_wait_stable(lab));
	held = held_by(test);
	KUNIT_EXPECT_EQ(test, held, account_active(test));
	loaded = account_find(test, to);
	more = account_plan(test, to);
	for (k = 0; k < TIFFIN_STORE_KINDS; k++)
		if (loaded->has_store[k])
			plan[k] = tiffin_instance_plan(loaded, scope_of(test)->gate.active, k);
	snprintf(text, sizeof(text), "%s" LONG, to);

	EXPECT_SWAP(test, text);
	KUNIT_EXPECT_EQ_MSG(test, held_by(test), held + more, "%s to %s", from, to);
	account_expect_done(test, plan, loaded);
	KUNIT_ASSERT_EQ(test, tiffin_swap_rollback(scope_of(test)), 0);
	KUNIT_EXPECT_EQ_MSG(test, held_by(test), held, "back from %s to %s", to, from);
	KUNIT_EXPECT_EQ(test, held, account_active(test));

	EXPECT_SWAP(test, to);
	KUNIT_ASSERT_TRUE(test, lab_wait_stable(lab));
	KUNIT_EXPECT_EQ_MSG(test, held_by(test), account_active(test), "%s to %s, kept", from, to);
	EXPECT_SWAP(test, TIFFIN_DEFAULT_NAME);
	KUNIT_EXPECT_EQ(test, held_by(test), 0);
}

/* From each policy to each other one, back, and there for good. */
static void account_follows_swaps(struct kunit *test)
{
	int from, to;

	for (from = 0; from < LAB_POLICIES; from++)
		for (to = 0; to < LAB_POLICIES; to++)
			if (from != to)
				account_pair(test, lab_policy[from].name, lab_policy[to].name);
}

/* One KiB too few, and nothing has changed; then just enough. */
static void account_limit_is_exact(struct kunit *test)
{
	struct lab *lab = test->priv;
	u64 epoch, failures;
	char wanted[64];
	s64 held, all;

	EXPECT_SWAP(test, "sigma");
	held = held_by(test);
	all = held + account_plan(test, "delta");
	epoch = scope_of(test)->gate.epoch;
	failures = scope_of(test)->swap.failures;
	lab->family.limits.stores_kib = DIV_ROUND_UP_ULL(all, 1024) - 1;
	KUNIT_EXPECT_EQ(test, lab_swap(lab, "delta"), -EDQUOT);
	snprintf(wanted, sizeof(wanted), "lab/limits/stores_kib is %u: raise it to %llu;",
		 lab->family.limits.stores_kib, DIV_ROUND_UP_ULL(all, 1024));
	LAB_EXPECT_SAYS(test, lab_error(lab), wanted);
	LAB_EXPECT_SAYS(test, lab_error(lab), "stores of delta-1.0+b1 take ");
	LAB_EXPECT_SAYS(test, lab_error(lab), "nothing has changed");
	KUNIT_EXPECT_STREQ(test, lab_active(lab), "sigma");
	KUNIT_EXPECT_EQ(test, scope_of(test)->gate.epoch, epoch);
	KUNIT_EXPECT_EQ(test, scope_of(test)->swap.failures, failures + 1);
	KUNIT_EXPECT_EQ(test, scope_of(test)->swap.state, TIFFIN_STABLE);
	KUNIT_EXPECT_STREQ(test, scope_of(test)->swap.report.result, "failed");
	KUNIT_EXPECT_EQ(test, held_by(test), held);

	lab->family.limits.stores_kib++;
	EXPECT_SWAP(test, "delta");
	KUNIT_EXPECT_STREQ(test, lab_active(lab), "delta");
}

/* Refused before init has run, whichever store it is that does not fit. */
static void account_refused_in_time(struct kunit *test)
{
	struct lab *lab = test->priv;
	unsigned int refused = 0;
	s64 all = account_plan(test, "alpha");
	u32 kib;

	for (kib = 1; (s64)kib * 1024 < all; kib++) {
		lab->family.limits.stores_kib = kib;
		KUNIT_EXPECT_EQ(test, lab_swap(lab, "alpha"), -EDQUOT);
		KUNIT_EXPECT_EQ(test, held_by(test), 0);
		refused++;
	}
	KUNIT_EXPECT_GT(test, refused, 3);
	KUNIT_EXPECT_EQ(test, lab->inits[LAB_ALPHA], 0);
	lab->family.limits.stores_kib = kib;
	EXPECT_SWAP(test, "alpha");
	KUNIT_EXPECT_EQ(test, lab->inits[LAB_ALPHA], 1);
}

/* What takes no more memory goes through, also where the limit has gone below what is held. */
static void account_reference_is_free(struct kunit *test)
{
	struct lab *lab = test->priv;

	EXPECT_SWAP(test, "alpha");
	KUNIT_EXPECT_EQ(test, account_plan(test, "beta"), 0);
	lab->family.limits.stores_kib = 1;
	EXPECT_SWAP(test, "beta" LONG);
	KUNIT_ASSERT_EQ(test, tiffin_swap_rollback(scope_of(test)), 0);
	EXPECT_SWAP(test, "beta");
	/* A rollback on probation needs none either, whatever it brings back. */
	lab->family.limits.stores_kib = 1024;
	EXPECT_SWAP(test, "sigma");
	EXPECT_SWAP(test, "delta" LONG);
	lab->family.limits.stores_kib = 1;
	KUNIT_ASSERT_EQ(test, tiffin_swap_rollback(scope_of(test)), 0);
	KUNIT_EXPECT_STREQ(test, lab_active(lab), "sigma");
	EXPECT_SWAP(test, TIFFIN_DEFAULT_NAME);
	KUNIT_EXPECT_EQ(test, held_by(test), 0);
}

static struct kunit_case account_cases[] = {
	KUNIT_CASE(account_follows_swaps),
	KUNIT_CASE(account_limit_is_exact),
	KUNIT_CASE(account_refused_in_time),
	KUNIT_CASE(account_reference_is_free),
	{}
};

static struct kunit_suite account_suite = {
	.name = "account",
	.init = lab_test_init,
	.exit = lab_test_exit,
	.test_cases = account_cases,
};
kunit_test_suite(account_suite);
