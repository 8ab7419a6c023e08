// SPDX-License-Identifier: GPL-2.0-only
/* Each allocation fails once: the request says so, nothing has changed, nothing is lost. */
#include "ledger.h"
#include "test.h"

/* Enough for every allocation of one request. */
#define MANY	200

static struct ledger ledger;

/* @from is active, and has some records and lists. */
static void begin(struct lab *lab, enum lab_who from)
{
	u32 object;

	ledger_begin(&ledger, lab);
	EXPECT_SWAP(lab, lab_policy[from].name);
	for (object = 0; object < 5; object++)
		ledger_ask(&ledger, object);
	ledger_ask(&ledger, 1);
}

/*
 * Fail allocation after allocation of a swap until it gets through. Those of an event are the
 * exception: a lost event loses nobody's state, so that swap gets through.
 */
static void fail_each(struct lab *lab, enum lab_who from, enum lab_who to)
{
	struct tiffin_scope *scope = lab->family.scope;
	unsigned int nth, refused = 0;

	begin(lab, from);
	for (nth = 1; nth < MANY; nth++) {
		unsigned int refs = module_refcount(THIS_MODULE);
		long before = shim_allocations();
		u64 epoch = scope->gate.epoch;
		bool failed;
		int rc;

		shim_fail_allocation(nth);
		rc = lab_swap(lab, lab_policy[to].name);
		failed = shim_allocation_failed();
		shim_fail_allocation(0);
		if (!rc) {
			shim_advance(1);
			ledger_settled(&ledger);
			EXPECT(ledger.who, ==, to);
			if (!failed)
				break;
			EXPECT_SWAP(lab, lab_policy[from].name);
			ledger_settled(&ledger);
			continue;
		}
		refused++;
		EXPECT(rc, ==, -ENOMEM);
		EXPECT(scope->gate.epoch, ==, epoch);
		EXPECT(shim_allocations(), ==, before);
		EXPECT(module_refcount(THIS_MODULE), ==, refs);
		ledger_settled(&ledger);
		EXPECT(ledger.who, ==, from);
		EXPECT(ledger_ask(&ledger, 1), ==, TIFFIN_ANSWERED);
	}
	EXPECT(nth, <, MANY);
	/* The request, its text, the sums of times, instance, env, counters at the least. */
	EXPECT(refused, >=, 6);
}

TEST(swap_by_reference_without_memory)
{
	fail_each(lab, LAB_ALPHA, LAB_BETA);
}

TEST(swap_with_new_stores_without_memory)
{
	fail_each(lab, LAB_ALPHA, LAB_GAMMA);
}

/* Shared records are converted, and lists kept for a rollback. */
TEST(swap_with_lists_without_memory)
{
	fail_each(lab, LAB_KAPPA, LAB_LAMBDA);
}

/*
 * The limit on memory cuts in wherever the swap needs some: what was made before is given back, and
 * charged no more.
 */
static void limit_each(struct lab *lab, enum lab_who from, enum lab_who to)
{
	unsigned int refused = 0;

	begin(lab, from);
	for (lab->family.limits.stores_kib = 1; lab->family.limits.stores_kib < 64;
	     lab->family.limits.stores_kib++) {
		unsigned int refs = module_refcount(THIS_MODULE);
		long before = shim_allocations();
		int rc = lab_swap(lab, lab_policy[to].name);

		if (!rc)
			break;
		refused++;
		EXPECT(rc, ==, -EDQUOT);
		EXPECT(shim_allocations(), ==, before);
		EXPECT(module_refcount(THIS_MODULE), ==, refs);
		ledger_settled(&ledger);
		EXPECT(ledger.who, ==, from);
		EXPECT(ledger_ask(&ledger, 1), ==, TIFFIN_ANSWERED);
	}
	EXPECT(refused, >=, 6);
	shim_advance(1);
	ledger_settled(&ledger);
	EXPECT(ledger.who, ==, to);
}

TEST(swap_with_new_stores_beyond_the_limit)
{
	limit_each(lab, LAB_ALPHA, LAB_GAMMA);
}

TEST(swap_by_reference_beyond_the_limit)
{
	limit_each(lab, LAB_SIGMA, LAB_ALPHA);
}

TEST(swap_with_lists_beyond_the_limit)
{
	limit_each(lab, LAB_KAPPA, LAB_LAMBDA);
}

/* The sentence names the policy, where there was memory enough to get that far. */
TEST(no_memory_is_said)
{
	unsigned int nth, said = 0;

	EXPECT_SWAP(lab, "alpha");
	for (nth = 1; nth < MANY; nth++) {
		shim_fail_allocation(nth);
		if (!lab_swap(lab, "gamma"))
			break;
		if (strstr(lab_error(lab), "no memory for an instance of gamma-1.0+b1"))
			said++;
	}
	shim_fail_allocation(0);
	EXPECT(said, >=, 5);
}

/* A rollback on probation needs no memory at all (U2). */
TEST(rollback_needs_no_memory)
{
	EXPECT_SWAP(lab, "alpha");
	EXPECT_SWAP(lab, "gamma probation_ms=1000");
	shim_fail_allocation(1);
	EXPECT(tiffin_swap_rollback(lab->family.scope), ==, 0);
	/* Only its event went without. */
	EXPECT(shim_allocation_failed(), ==, true);
	shim_fail_allocation(0);
	EXPECT_STR(lab_active(lab), "alpha");
}

/* Registration: all of it or nothing. */
TEST(policy_without_memory)
{
	unsigned int nth;
	int rc = -ENOMEM;

	lab_unload(lab, LAB_ALPHA);
	for (nth = 1; nth < MANY && rc; nth++) {
		unsigned int refs = module_refcount(THIS_MODULE);
		long before = shim_allocations();

		shim_fail_allocation(nth);
		rc = lab_load(lab, LAB_ALPHA);
		shim_fail_allocation(0);
		if (!rc)
			break;
		EXPECT(rc, ==, -ENOMEM);
		EXPECT(shim_allocations(), ==, before);
		EXPECT(module_refcount(THIS_MODULE), ==, refs);
		EXPECT(PTR_ERR(tiffin_policy_find(&lab->family, "alpha")), ==, -ENOENT);
	}
	EXPECT(rc, ==, 0);
	EXPECT(nth, >, 8);
}

TEST(family_without_memory)
{
	struct tiffin_family family = {
		.name = "second",
		.abi = LAB_FAMILY_ABI,
		.owner = THIS_MODULE,
		.hooks = lab->family.hooks,
		.nr_hooks = lab->family.nr_hooks,
		.figures = lab->family.figures,
		.nr_figures = lab->family.nr_figures,
		.ops = lab->family.ops,
		.limits = TIFFIN_LIMITS_INIT,
	};
	const struct tiffin_family empty = family;
	unsigned int nth;
	int rc = -ENOMEM;

	for (nth = 1; nth < MANY; nth++) {
		long before = shim_allocations();

		family = empty;
		shim_fail_allocation(nth);
		rc = tiffin_family_register(&family);
		shim_fail_allocation(0);
		if (!rc)
			break;
		EXPECT(rc, ==, -ENOMEM);
		EXPECT(shim_allocations(), ==, before);
	}
	EXPECT(rc, ==, 0);
	EXPECT(nth, >, 15);
	if (!rc)
		tiffin_family_unregister(&family);
}
