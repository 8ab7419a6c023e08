// SPDX-License-Identifier: GPL-2.0-only
/* The rescue of several scopes, how it is started, a sweep's end, faults of several families. */
#include <pthread.h>
#include <sched.h>

#include "core/quarantine.h"
#include "core/scope.h"
#include "rescue.h"
#include "test.h"

#define MS	NSEC_PER_MSEC

/* Whom the hooks of the shim act for. */
static struct lab *the_lab;

/* The rescue's work has been woken: let it run, but not come again. */
static void let_rescue_run(void)
{
	shim_advance(MSEC_PER_JIFFY * MS);
}

/* Who puts a policy in quarantine may have locks that waking somebody takes. */
TEST(quarantine_wakes_nobody)
{
	EXPECT_SWAP(lab, "alpha");
	quarantine_of(lab, LAB_ALPHA);
	EXPECT(lab->family.scope->rescue.work.pending, ==, false);
	let_rescue_run();
	EXPECT_STR(lab_active(lab), "default");
}

/* Another family, which has one policy. */
static struct lab other_lab;
static struct tiffin_policy other_policy;

static void other_start(struct lab *lab, const char *family, const char *build)
{
	other_policy = lab_policy[LAB_BARE];
	strscpy(other_policy.family, family, sizeof(other_policy.family));
	other_lab.family = (struct tiffin_family) {
		.name = family,
		.abi = lab->family.abi,
		.owner = lab->family.owner,
		.hooks = lab->family.hooks,
		.nr_hooks = lab->family.nr_hooks,
		.ops = lab->family.ops,
		.limits = lab->family.limits,
	};
	EXPECT(tiffin_family_register(&other_lab.family), ==, 0);
	EXPECT(tiffin_policy_register((const void *)&other_policy, THIS_MODULE, build), ==, 0);
	EXPECT_SWAP(&other_lab, "bare");
}

static void other_stop(void)
{
	tiffin_policy_unregister((const void *)&other_policy);
	tiffin_family_unregister(&other_lab.family);
}

/* W4, where the conversion that is ended is the last of the sweep. */
TEST(rescue_of_a_fault_at_the_sweep_s_end)
{
	struct lab_out out;

	EXPECT_SWAP(lab, "alpha");
	EXPECT(lab_ask(lab, LAB_ASK, LAB_OBJECTS - 1, &out), ==, TIFFIN_ANSWERED);
	EXPECT_SWAP(lab, "delta");
	EXPECT(lab->family.scope->swap.state, ==, TIFFIN_SWEEPING);
	lab->faulty_convert = 1;
	shim_advance(50 * MS);
	EXPECT(lab->converts[TIFFIN_STORE_OBJECT], ==, 1);
	EXPECT_STR(lab_active(lab), "alpha");
	EXPECT(lab->family.scope->swap.state, ==, TIFFIN_STABLE);
	EXPECT(lab_ask(lab, LAB_ASK, LAB_OBJECTS - 1, &out), ==, TIFFIN_ANSWERED);
	EXPECT(out.object_calls, ==, 2);
}

static int default_rc;

static void *ask_for_the_default(void *unused)
{
	shim_cpu_start(1);
	default_rc = tiffin_swap_default(the_lab->family.scope, "SysRq");
	return NULL;
}

static pthread_t asks;

/* In the sweep, after a few records: somebody asks, and waits for the sweep's end. */
static void in_the_sweep(void)
{
	if (the_lab->converts[TIFFIN_STORE_OBJECT] < 3)
		return;
	shim.on_step = NULL;
	EXPECT(pthread_create(&asks, NULL, ask_for_the_default, NULL), ==, 0);
	while (!shim_waiting_for_work())
		sched_yield();
}

/* W4: a sweep may take long, and the way to the default does not wait until it has looked at all. */
TEST(default_ends_a_sweep_where_it_is)
{
	struct lab_out out;
	u32 i;

	EXPECT_SWAP(lab, "alpha");
	for (i = 0; i < LAB_OBJECTS; i++)
		EXPECT(lab_ask(lab, LAB_ASK, i, &out), ==, TIFFIN_ANSWERED);
	EXPECT_SWAP(lab, "delta");
	EXPECT(lab->family.scope->swap.state, ==, TIFFIN_SWEEPING);
	the_lab = lab;
	shim.on_step = in_the_sweep;
	shim_advance(0);
	EXPECT(!shim.on_step, ==, true);
	pthread_join(asks, NULL);
	the_lab = NULL;
	EXPECT(default_rc, ==, 0);
	EXPECT(lab->converts[TIFFIN_STORE_OBJECT], ==, 3);
	EXPECT_STR(lab_active(lab), "default");
	EXPECT(lab->family.scope->swap.state, ==, TIFFIN_STABLE);
	EXPECT(atomic64_read(&lab->family.stores_bytes), ==, 0);
	EXPECT(lab_accounts_hold(lab), ==, true);
}

/* E4 */
static void rescue_of_the_other(void)
{
	shim.on_sleep = NULL;
	EXPECT_STR(lab_active(&other_lab), "bare");
	shim_advance(0);
	EXPECT_STR(lab_active(&other_lab), "default");
	EXPECT_STR(lab_active(the_lab), "alpha");
	the_lab = NULL;
}

TEST(rescue_does_not_wait_for_another)
{
	other_start(lab, "other", "b2");
	EXPECT_SWAP(lab, "alpha");
	/* The first one's default has to wait for a call. */
	lab_call_on_cpu(lab, 1, LAB_ASK, 1, true);
	quarantine_of(&other_lab, LAB_BARE);
	quarantine_of(lab, LAB_ALPHA);
	the_lab = lab;
	shim.on_sleep = rescue_of_the_other;
	let_rescue_run();
	EXPECT(!the_lab, ==, true);
	lab_call_on_cpu(lab, 1, LAB_ASK, -1, true);
	shim_advance(20 * MS);
	EXPECT_STR(lab_active(lab), "default");
	other_stop();
}

/* Where not all of them fit into a page, the oldest are left out. */
TEST(ring_of_faults_with_long_names)
{
	char *text = kzalloc(PAGE_SIZE, GFP_KERNEL), *line, *last = NULL;
	char what[TIFFIN_WHY_LEN];
	unsigned int i, lines = 0;
	size_t len;

	memset(what, 'w', sizeof(what) - 1);
	what[sizeof(what) - 1] = '\0';
	other_start(lab, "a_family_whose_name_is_as_long", "a_build_that_is_as_long");
	for (i = 0; i < TIFFIN_FAULTS + 4; i++)
		lab_quarantine(&other_lab, lab_loaded(&other_lab, LAB_BARE), what);
	len = tiffin_quarantine_show(text);
	EXPECT(len, ==, strlen(text));
	EXPECT(len, <, PAGE_SIZE);
	for (line = text; *line; line = strchr(line, '\n') + 1) {
		last = line;
		lines++;
	}
	EXPECT(lines, <, TIFFIN_FAULTS);
	snprintf(what, sizeof(what), "%u ", TIFFIN_FAULTS + 4 - lines + 1);
	EXPECT(strncmp(text, what, strlen(what)), ==, 0);
	snprintf(what, sizeof(what), "%u ", TIFFIN_FAULTS + 4);
	EXPECT(strncmp(last, what, strlen(what)), ==, 0);
	EXPECT(len + strlen(last), >=, PAGE_SIZE);
	kfree(text);
	let_rescue_run();
	other_stop();
}
