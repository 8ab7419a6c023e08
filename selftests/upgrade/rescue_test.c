// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rescue of several scopes, how it is started, without memory; a sweep's end, faults of several
 * families.
 */
#include <pthread.h>
#include <sched.h>

#include "core/quarantine.h"
#include "core/scope.h"
#include "rescue.h"
#include "test.h"

/* Whom the hooks of the shim act for. */
static struct lab *the_lab;

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
	WRITE_ONCE(default_rc, tiffin_swap_default(the_lab->family.scope, "SysRq"));
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
	/* Or it has not waited at all. */
	while (!shim_waiting_for_work() && READ_ONCE(default_rc) == 1)
		sched_yield();
}

/* W4: a sweep may take long; the way to the default does not wait until it has looked at all. */
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
	default_rc = 1;
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

/* E1, E2: while there is none, calls are answered by continuity; once there is, it is over. */
TEST(rescue_without_memory_for_long)
{
	unsigned int events, i;
	struct lab_out out;

	EXPECT_SWAP(lab, "beta");
	EXPECT_SWAP(lab, "alpha");
	ask_faulty(lab, LAB_ALPHA, 1);
	/* Its event is lost, as any is. */
	events = shim_events();
	shim_no_memory(true);
	for (i = 0; i < 100; i++) {
		shim_advance(10 * MS);
		EXPECT(lab_ask(lab, LAB_ASK, 1, &out), ==, TIFFIN_CONTINUITY);
	}
	EXPECT(lab_accounts_hold(lab), ==, true);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_STABLE);
	shim_no_memory(false);
	shim_advance(20 * MS);
	expect_answers(lab, LAB_BETA);
	EXPECT(events_of(events, "quarantine"), ==, 0);
}

static struct lab *who_waits;
static unsigned int waited;

/* Memory was asked for, which may take long, and the faulty policy is still active. */
static void sees_memory_awaited(void)
{
	waited += shim_allocation_failed() && !strcmp(lab_active(who_waits), "alpha");
}

/* Let the rescue run, whose first allocation fails; @sees is called at each of its steps. */
static void rescue_without_first(struct lab *lab, void (*sees)(void))
{
	who_waits = lab;
	shim_fail_allocation(1);
	shim.on_step = sees;
	let_rescue_run();
	shim.on_step = NULL;
	EXPECT(shim_allocation_failed(), ==, true);
	shim_fail_allocation(0);
}

/* U2: it is back before anything asks for memory. */
TEST(rollback_by_the_rescue_waits_for_no_memory)
{
	unsigned int events;

	EXPECT_SWAP(lab, "beta");
	EXPECT_SWAP(lab, "alpha" LONG);
	ask_faulty(lab, LAB_ALPHA, 1);
	events = shim_events();
	waited = 0;
	rescue_without_first(lab, sees_memory_awaited);
	EXPECT(waited, ==, 0);
	expect_answers(lab, LAB_BETA);
	EXPECT(events_of(events, "rollback"), ==, 1);
}

/* A call that is in the way of the rollback keeps nobody from hearing what happened. */
TEST(quarantine_is_told_while_the_rollback_waits)
{
	unsigned int events;

	EXPECT_SWAP(lab, "beta");
	EXPECT_SWAP(lab, "alpha" LONG);
	events = shim_events();
	ask_faulty(lab, LAB_ALPHA, 1);
	lab_call_on_cpu(lab, 1, LAB_ASK, 1, true);
	let_rescue_run();
	EXPECT_STR(lab_active(lab), "alpha");
	EXPECT(events_of(events, "quarantine"), ==, 1);
	EXPECT(events_of(events, "rollback"), ==, 0);
	lab_call_on_cpu(lab, 1, LAB_ASK, -1, true);
	shim_advance(200 * MS);
	expect_answers(lab, LAB_BETA);
	EXPECT(events_of(events, "quarantine"), ==, 1);
	EXPECT(events_of(events, "rollback"), ==, 1);
}

/* The last time that this is noted is where memory is asked for that there is not. */
static void sees_the_lock_held(void)
{
	if (!shim_allocation_failed())
		waited = shim_mutex_is_mine(&swap_of(who_waits)->lock);
}

/* Nor does who tells it keep the rollback waiting once that call is gone. */
TEST(quarantine_is_told_without_the_lock)
{
	EXPECT_SWAP(lab, "beta");
	EXPECT_SWAP(lab, "alpha" LONG);
	ask_faulty(lab, LAB_ALPHA, 1);
	lab_call_on_cpu(lab, 1, LAB_ASK, 1, true);
	waited = 1;
	rescue_without_first(lab, sees_the_lock_held);
	EXPECT(waited, ==, 0);
	lab_call_on_cpu(lab, 1, LAB_ASK, -1, true);
	shim_advance(200 * MS);
	expect_answers(lab, LAB_BETA);
}

/* A rollback takes none, nor does the log. */
TEST(rollback_by_the_rescue_takes_no_memory)
{
	unsigned int taints = shim_taints();

	EXPECT_SWAP(lab, "beta");
	EXPECT_SWAP(lab, "alpha" LONG);
	ask_faulty(lab, LAB_ALPHA, 1);
	shim_no_memory(true);
	let_rescue_run();
	shim_no_memory(false);
	expect_answers(lab, LAB_BETA);
	EXPECT_STR(swap_of(lab)->report.reason, FAULT);
	EXPECT(shim_taints(), ==, taints + 1);
}

/* Each allocation of the rescue fails once. */
TEST(rescue_without_memory_at_each_place)
{
	unsigned int nth, events;
	bool failed = true;

	for (nth = 1; failed; nth++) {
		if (strcmp(lab_active(lab), "beta"))
			EXPECT_SWAP(lab, "beta");
		EXPECT_SWAP(lab, "alpha");
		ask_faulty(lab, LAB_ALPHA, 1);
		events = shim_events();
		shim_fail_allocation(nth);
		shim_advance(50 * MS);
		failed = shim_allocation_failed();
		shim_fail_allocation(0);
		EXPECT(tiffin_scope_quarantined(lab->family.scope), ==, false);
		EXPECT(swap_of(lab)->state, ==, TIFFIN_STABLE);
		EXPECT(lab_accounts_hold(lab), ==, true);
		EXPECT(events_of(events, "quarantine"), <=, 1);
		lab_unload(lab, LAB_ALPHA);
		EXPECT(lab_load(lab, LAB_ALPHA), ==, 0);
	}
	EXPECT(nth, >, 5);
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
