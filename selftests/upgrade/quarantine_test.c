// SPDX-License-Identifier: GPL-2.0-only
/*
 * What follows a fault: quarantine and rescue, in virtual time. A call that ends itself (lab.c)
 * stands for one that faults.
 */
#include "core/quarantine.h"
#include "core/scope.h"
#include "rescue.h"
#include "test.h"

/* Whom the hooks of the shim act for. */
static struct lab *the_lab;

/* Q2, D1, D5 */
TEST(quarantined_is_not_entered_again)
{
	struct tiffin_figures f;
	struct lab_out out;

	EXPECT_SWAP(lab, "alpha");
	expect_answers(lab, LAB_ALPHA);
	ask_faulty(lab, LAB_ALPHA, 1);
	EXPECT_STR(tiffin_scope_role(lab_loaded(lab, LAB_ALPHA)), "quarantined");
	EXPECT(lab_ask(lab, LAB_ASK, 1, &out), ==, TIFFIN_CONTINUITY);
	EXPECT(lab_ask(lab, LAB_TELL, TIFFIN_NO_OBJECT, &out), ==, TIFFIN_CONTINUITY);
	EXPECT(out.answers, ==, 0);
	f = lab_figures(lab);
	EXPECT(f.answered, ==, 1);
	EXPECT(f.continuity_fault, ==, 3);
	EXPECT(tiffin_figures_continuity(&f), ==, 3);
	EXPECT(lab_accounts_hold(lab), ==, true);
	/* Those that are in it meanwhile end as they do: one call was ended, not two. */
	let_rescue_run();
	EXPECT_STR(lab_active(lab), "default");
}

/* A call that is in the policy when another puts it in quarantine is answered. */
static void another_faults(struct lab *lab, const struct tiffin_ctx *ctx)
{
	lab_quarantine(lab, lab->family.scope->gate.active->policy, "another CPU's fault");
}

TEST(quarantine_by_another_ends_no_call)
{
	struct lab_out out;

	EXPECT_SWAP(lab, "alpha");
	lab->in_hook = another_faults;
	EXPECT(lab_ask(lab, LAB_ASK, 1, &out), ==, TIFFIN_ANSWERED);
	EXPECT(out.who, ==, LAB_ALPHA);
	EXPECT(lab_ask(lab, LAB_ASK, 1, &out), ==, TIFFIN_CONTINUITY);
	EXPECT(lab_accounts_hold(lab), ==, true);
}

TEST(rescue_rolls_back_a_probation)
{
	unsigned int events, taints = shim_taints();
	struct lab_out out;

	EXPECT_SWAP(lab, "beta");
	EXPECT_SWAP(lab, "alpha" LONG);
	events = shim_events();
	ask_faulty(lab, LAB_ALPHA, 1);
	EXPECT_STR(lab_active(lab), "alpha");
	let_rescue_run();
	expect_answers(lab, LAB_BETA);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_STABLE);
	EXPECT_STR(swap_of(lab)->report.result, "rolled_back");
	EXPECT_STR(swap_of(lab)->report.reason, FAULT);
	EXPECT(swap_of(lab)->rollbacks, ==, 1);
	EXPECT(swap_of(lab)->swaps, ==, 2);
	EXPECT(shim_taints(), ==, taints + 1);
	EXPECT(shim_events(), ==, events + 2);
	EXPECT_STR(shim_event(events, "TIFFIN_EVENT"), "quarantine");
	EXPECT_STR(shim_event(events, "TIFFIN_POLICY"), "alpha-1.0+b1");
	EXPECT_STR(shim_event(events + 1, "TIFFIN_EVENT"), "rollback");
	EXPECT_STR(shim_event(events + 1, "TIFFIN_REASON"), FAULT);
	/* For good: neither time nor a second fault's wake takes beta away. */
	quarantine_of(lab, LAB_ALPHA);
	shim_advance(60000 * MS);
	EXPECT_STR(lab_active(lab), "beta");
	EXPECT(lab_ask(lab, LAB_ASK, 1, &out), ==, TIFFIN_ANSWERED);
}

TEST(rescue_goes_to_the_policy_before)
{
	unsigned int events;

	EXPECT_SWAP(lab, "beta");
	EXPECT_SWAP(lab, "alpha");
	events = shim_events();
	ask_faulty(lab, LAB_ALPHA, 1);
	let_rescue_run();
	expect_answers(lab, LAB_BETA);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_STABLE);
	EXPECT_STR(swap_of(lab)->report.result, "committed");
	EXPECT_STR(swap_of(lab)->report.reason, FAULT);
	EXPECT_STR(swap_of(lab)->report.from, "alpha-1.0+b1");
	EXPECT(events_of(events, "quarantine"), ==, 1);
	EXPECT(events_of(events, "swap"), ==, 1);
	EXPECT(events_of(events, "commit"), ==, 1);
	EXPECT(events_of(events, "fail"), ==, 0);
}

/* Whatever limits/probation_ms says: nobody would ask for its end. */
TEST(rescue_needs_no_probation)
{
	EXPECT_SWAP(lab, "beta");
	EXPECT_SWAP(lab, "alpha");
	lab->family.limits.probation_ms = 5000;
	ask_faulty(lab, LAB_ALPHA, 1);
	let_rescue_run();
	EXPECT_STR(lab_active(lab), "beta");
	EXPECT(swap_of(lab)->state, ==, TIFFIN_STABLE);
}

TEST(rescue_takes_the_default_where_the_one_before_is_gone)
{
	EXPECT_SWAP(lab, "beta");
	EXPECT_SWAP(lab, "alpha");
	lab_unload(lab, LAB_BETA);
	ask_faulty(lab, LAB_ALPHA, 1);
	let_rescue_run();
	EXPECT_STR(lab_active(lab), "default");
	EXPECT(lab->stock, ==, true);
}

TEST(rescue_takes_the_default_where_the_one_before_is_in_quarantine)
{
	EXPECT_SWAP(lab, "beta");
	EXPECT_SWAP(lab, "alpha");
	quarantine_of(lab, LAB_BETA);
	let_rescue_run();
	EXPECT_STR(lab_active(lab), "alpha");
	ask_faulty(lab, LAB_ALPHA, 1);
	let_rescue_run();
	EXPECT_STR(lab_active(lab), "default");
}

/* What beta left in its init: it faults itself as it comes back. */
TEST(rescue_takes_the_default_where_the_one_before_faults)
{
	EXPECT_SWAP(lab, "beta");
	EXPECT_SWAP(lab, "alpha");
	lab->faulty_init = BIT(LAB_BETA);
	ask_faulty(lab, LAB_ALPHA, 1);
	let_rescue_run();
	EXPECT_STR(lab_active(lab), "default");
	EXPECT_STR(tiffin_scope_role(lab_loaded(lab, LAB_BETA)), "quarantined");
}

/* Each has been replaced by the other once; the second fault does not bring the first one back. */
TEST(rescue_does_not_go_round)
{
	EXPECT_SWAP(lab, "beta");
	EXPECT_SWAP(lab, "alpha");
	ask_faulty(lab, LAB_ALPHA, 1);
	let_rescue_run();
	EXPECT_STR(lab_active(lab), "beta");
	ask_faulty(lab, LAB_BETA, 1);
	let_rescue_run();
	EXPECT_STR(lab_active(lab), "default");
	EXPECT(tiffin_swap_rollback(lab->family.scope), ==, -ENOTRECOVERABLE);
	EXPECT_STR(lab_active(lab), "default");
}

/* On probation, but there is nobody to go back to: the one that was active before both. */
TEST(rescue_of_a_probation_between_two_bad_ones)
{
	struct tiffin_swap *swap = swap_of(lab);

	EXPECT_SWAP(lab, "gamma");
	EXPECT_SWAP(lab, "beta");
	EXPECT_SWAP(lab, "alpha" LONG);
	quarantine_of(lab, LAB_BETA);
	let_rescue_run();
	EXPECT_STR(lab_active(lab), "alpha");
	ask_faulty(lab, LAB_ALPHA, 1);
	let_rescue_run();
	expect_answers(lab, LAB_GAMMA);
	EXPECT(swap->state, ==, TIFFIN_STABLE);
	EXPECT(!swap->previous, ==, true);

	/* And what comes after is a swap like any other. */
	EXPECT_SWAP(lab, "bare probation_ms=200");
	shim_advance(150 * MS);
	EXPECT_STR(lab_active(lab), "bare");
	EXPECT(swap->state, ==, TIFFIN_PROBATION);
	shim_advance(100 * MS);
	EXPECT_STR(swap->report.result, "committed");
	EXPECT_STR(lab_active(lab), "bare");
}

/*
 * A rollback has begun and waits for a call that is in the way, when the one to go back to comes to
 * quarantine: it is not tried for ever, and the next probation knows nothing of it.
 */
static void rollback_to_a_bad_one(struct lab *lab, bool both)
{
	struct tiffin_swap *swap = swap_of(lab);

	EXPECT_SWAP(lab, "beta");
	EXPECT_SWAP(lab, "alpha" LONG);
	lab->family.limits.timeout_ms = 1;
	lab_call_on_cpu(lab, 1, LAB_ASK, 1, true);
	EXPECT(tiffin_swap_rollback(lab->family.scope), ==, -ETIMEDOUT);
	quarantine_of(lab, LAB_BETA);
	if (both)
		quarantine_of(lab, LAB_ALPHA);
	lab_call_on_cpu(lab, 1, LAB_ASK, -1, true);
	lab->family.limits.timeout_ms = 5000;
	shim_advance(500 * MS);
	EXPECT_STR(lab_active(lab), "default");
	EXPECT(swap->state, ==, TIFFIN_STABLE);

	EXPECT_SWAP(lab, "gamma probation_ms=200");
	shim_advance(150 * MS);
	EXPECT_STR(lab_active(lab), "gamma");
	shim_advance(100 * MS);
	EXPECT_STR(swap->report.result, "committed");
}

TEST(rollback_to_quarantine_goes_to_the_default)
{
	rollback_to_a_bad_one(lab, false);
}

TEST(rollback_between_two_bad_ones_goes_to_the_default)
{
	rollback_to_a_bad_one(lab, true);
}

/* Asked for, and there is no call in the way. */
TEST(rollback_asked_for_to_quarantine)
{
	EXPECT_SWAP(lab, "beta");
	EXPECT_SWAP(lab, "alpha" LONG);
	quarantine_of(lab, LAB_BETA);
	let_rescue_run();
	EXPECT(tiffin_swap_rollback(lab->family.scope), ==, 0);
	EXPECT_STR(lab_active(lab), "default");
	EXPECT(swap_of(lab)->state, ==, TIFFIN_STABLE);
}

/* Where the rescue is late nobody keeps the policy: not who asks for it, nor the end of time. */
TEST(probation_does_not_keep_a_policy_in_quarantine)
{
	EXPECT_SWAP(lab, "beta");
	EXPECT_SWAP(lab, "alpha probation_ms=100");
	quarantine_of(lab, LAB_ALPHA);
	EXPECT(tiffin_swap_commit(lab->family.scope), ==, -EBUSY);
	EXPECT_SAYS(lab_error(lab), "alpha-1.0+b1 is in quarantine");
	EXPECT(lab_swap(lab, "gamma"), ==, -EBUSY);
	EXPECT_SAYS(lab_error(lab), "is busy: alpha-1.0+b1 is in quarantine, and is being replaced");
	EXPECT(swap_of(lab)->state, ==, TIFFIN_PROBATION);
	/* The rescue's work and the probation's come, whichever is first. */
	shim_advance(1000 * MS);
	EXPECT_STR(lab_active(lab), "beta");
	EXPECT_STR(swap_of(lab)->report.result, "rolled_back");
}

/*
 * E3: the sweep ends before its time. The older layout is still there: who comes back finds each
 * record as it was at the flip, those that were converted, those that were not, and the one that
 * the ended call had.
 */
TEST(rescue_ends_a_sweep)
{
	struct tiffin_swap *swap = swap_of(lab);
	struct lab_out out;

	EXPECT_SWAP(lab, "alpha");
	ask_each(lab, LAB_ALPHA, 1);
	EXPECT_SWAP(lab, "delta");
	EXPECT(swap->state, ==, TIFFIN_SWEEPING);
	EXPECT(lab_ask(lab, LAB_ASK, 2, &out), ==, TIFFIN_ANSWERED);
	ask_faulty(lab, LAB_DELTA, 1);
	let_rescue_run();
	EXPECT_STR(lab_active(lab), "alpha");
	EXPECT(swap->state, ==, TIFFIN_STABLE);
	EXPECT(tiffin_sweep_runs(lab->family.scope), ==, false);
	EXPECT(!swap->previous, ==, true);
	ask_each(lab, LAB_ALPHA, 2);
	/* The scope is free. */
	EXPECT_SWAP(lab, "gamma");
}

/* E2, S4: the older records are still there when the rescue, for want of memory, comes late. */
TEST(rescue_from_a_sweep_without_memory)
{
	s64 held;

	EXPECT_SWAP(lab, "alpha");
	ask_each(lab, LAB_ALPHA, 1);
	EXPECT_SWAP(lab, "delta");
	held = atomic64_read(&lab->family.stores_bytes);
	ask_faulty(lab, LAB_DELTA, 1);
	shim_no_memory(true);
	shim_advance(100 * MS);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_STABLE);
	EXPECT(atomic64_read(&lab->family.stores_bytes), ==, held);
	shim_no_memory(false);
	shim_advance(20 * MS);
	ask_each(lab, LAB_ALPHA, 2);
}

/*
 * Both of a probation are faulty. The one before them has the newer layout; it makes its records of
 * all that the older one has, as those of the newer one are only some.
 */
TEST(rescue_from_a_sweep_converts)
{
	static struct tiffin_policy twin;
	struct lab_out out;

	twin = lab_policy[LAB_DELTA];
	strscpy(twin.name, "twin", sizeof(twin.name));
	EXPECT(tiffin_policy_register((const void *)&twin, THIS_MODULE, LAB_BUILD), ==, 0);
	EXPECT_SWAP(lab, "twin");
	EXPECT_SWAP(lab, "alpha");
	ask_each(lab, LAB_ALPHA, 1);
	ask_each(lab, LAB_ALPHA, 2);
	EXPECT_SWAP(lab, "delta" LONG);
	EXPECT(lab_ask(lab, LAB_ASK, 1, &out), ==, TIFFIN_ANSWERED);
	quarantine_of(lab, LAB_ALPHA);
	quarantine_of(lab, LAB_DELTA);
	let_rescue_run();
	EXPECT_STR(lab_active(lab), "twin");
	/* Its hook is delta's. */
	ask_each(lab, LAB_DELTA, 3);
	shim_advance(20 * MS);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_STABLE);
	EXPECT(atomic64_read(&lab->family.stores_bytes), ==,
	       tiffin_instance_bytes(lab->family.scope->gate.active->policy, NULL));
	EXPECT_SWAP(lab, TIFFIN_DEFAULT_NAME);
	tiffin_policy_unregister((const void *)&twin);
}

/*
 * Nobody can take the place of the newer policy, which is well: it stays in charge, and its sweep
 * goes on. What the older layout said is old then: who knows that one and comes later begins anew.
 */
TEST(rollback_from_a_sweep_that_fails)
{
	EXPECT_SWAP(lab, "alpha");
	ask_each(lab, LAB_ALPHA, 1);
	EXPECT_SWAP(lab, "delta" LONG);
	quarantine_of(lab, LAB_ALPHA);
	shim_no_memory(true);
	EXPECT(tiffin_swap_rollback(lab->family.scope), ==, -ENOMEM);
	shim_no_memory(false);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_SWEEPING);
	shim_advance(1);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_STABLE);
	ask_each(lab, LAB_DELTA, 2);
	EXPECT(atomic64_read(&lab->family.stores_bytes), ==,
	       tiffin_instance_bytes(lab->family.scope->gate.active->policy, NULL));
	EXPECT_SWAP(lab, "beta");
	ask_each(lab, LAB_BETA, 1);
}

/* A record's conversion is ended, by the sweep's call: no call has asked for anything. */
TEST(rescue_of_a_fault_in_the_sweep)
{
	struct lab_out out;

	EXPECT_SWAP(lab, "alpha");
	EXPECT(lab_ask(lab, LAB_ASK, 1, &out), ==, TIFFIN_ANSWERED);
	EXPECT(lab_ask(lab, LAB_ASK, 2, &out), ==, TIFFIN_ANSWERED);
	EXPECT_SWAP(lab, "delta" LONG);
	lab->faulty_convert = 1;
	shim_advance(50 * MS);
	/* One was ended, the others not begun. */
	EXPECT(lab->converts[TIFFIN_STORE_OBJECT], ==, 1);
	EXPECT_STR(swap_of(lab)->report.result, "rolled_back");
	EXPECT_STR(lab_active(lab), "alpha");
	/* Alpha's records are as they were. */
	EXPECT(lab_ask(lab, LAB_ASK, 1, &out), ==, TIFFIN_ANSWERED);
	EXPECT(out.object_calls, ==, 2);
}

/* The same by a call: it is one that ended for the policy. */
TEST(fault_in_a_call_s_conversion)
{
	struct tiffin_figures f;
	struct lab_out out;

	EXPECT_SWAP(lab, "alpha");
	EXPECT(lab_ask(lab, LAB_ASK, 1, &out), ==, TIFFIN_ANSWERED);
	EXPECT_SWAP(lab, "delta" LONG);
	lab->faulty_convert = 1;
	EXPECT(lab_ask(lab, LAB_ASK, 1, &out), ==, TIFFIN_CONTINUITY);
	EXPECT(out.answers, ==, 0);
	f = lab_figures(lab);
	EXPECT(f.continuity_fault, ==, 1);
	EXPECT(lab_accounts_hold(lab), ==, true);
	let_rescue_run();
	EXPECT_STR(lab_active(lab), "alpha");
	EXPECT(lab_ask(lab, LAB_ASK, 1, &out), ==, TIFFIN_ANSWERED);
	EXPECT(out.object_calls, ==, 2);
}

/*
 * D5: the record that the ended call had begins anew, as does one that came to be while nobody was
 * asked about it. The others go over as they are.
 */
TEST(records_after_a_fault)
{
	struct lab_out out;
	u32 object;

	EXPECT_SWAP(lab, "beta");
	EXPECT_SWAP(lab, "alpha");
	for (object = 3; object < 5; object++) {
		EXPECT(lab_ask(lab, LAB_ASK, object, &out), ==, TIFFIN_ANSWERED);
		EXPECT(lab_ask(lab, LAB_ASK, object, &out), ==, TIFFIN_ANSWERED);
		EXPECT(out.object_calls, ==, 2);
	}
	ask_faulty(lab, LAB_ALPHA, 3);
	EXPECT(lab_ask(lab, LAB_ASK, 4, &out), ==, TIFFIN_CONTINUITY);
	EXPECT(lab_ask(lab, LAB_ASK, 5, &out), ==, TIFFIN_CONTINUITY);
	let_rescue_run();
	EXPECT_STR(lab_active(lab), "beta");
	EXPECT(lab_ask(lab, LAB_ASK, 3, &out), ==, TIFFIN_ANSWERED);
	EXPECT(out.object_calls, ==, 1);
	EXPECT(out.flags & TIFFIN_CTX_OBJECT_FRESH, !=, 0);
	EXPECT(lab_ask(lab, LAB_ASK, 4, &out), ==, TIFFIN_ANSWERED);
	EXPECT(out.object_calls, ==, 3);
	EXPECT(out.flags & TIFFIN_CTX_OBJECT_FRESH, ==, 0);
	EXPECT(lab_ask(lab, LAB_ASK, 5, &out), ==, TIFFIN_ANSWERED);
	EXPECT(out.object_calls, ==, 1);
	EXPECT(out.flags & TIFFIN_CTX_OBJECT_FRESH, !=, 0);
}

TEST(swap_to_quarantine_is_refused)
{
	struct tiffin_swap *swap = swap_of(lab);

	quarantine_of(lab, LAB_ALPHA);
	let_rescue_run();
	EXPECT(lab_swap(lab, "alpha"), ==, -ENOTRECOVERABLE);
	EXPECT_SAYS(lab_error(lab), "alpha-1.0+b1 is in quarantine, and stays there");
	EXPECT(swap->state, ==, TIFFIN_STABLE);
	EXPECT(swap->failures, ==, 1);
	EXPECT(swap->swaps, ==, 0);
	EXPECT_SWAP(lab, "beta");
	EXPECT(lab_swap(lab, "alpha"), ==, -ENOTRECOVERABLE);
	EXPECT_STR(lab_active(lab), "beta");

	/* Q1: its module's unloading takes it out; the next load is another policy. */
	lab_unload(lab, LAB_ALPHA);
	EXPECT(lab_load(lab, LAB_ALPHA), ==, 0);
	EXPECT_STR(tiffin_scope_role(lab_loaded(lab, LAB_ALPHA)), "loaded");
	EXPECT_SWAP(lab, "alpha");
	expect_answers(lab, LAB_ALPHA);
}

TEST(fault_in_init)
{
	unsigned int events, refs;
	struct tiffin_swap *swap = swap_of(lab);
	long memory;
	u64 epoch;

	EXPECT_SWAP(lab, "beta");
	expect_answers(lab, LAB_BETA);
	memory = shim_allocations();
	refs = module_refcount(THIS_MODULE);
	epoch = lab->family.scope->gate.epoch;
	events = shim_events();
	lab->faulty_init = BIT(LAB_ALPHA);
	EXPECT(lab_swap(lab, "alpha" LONG), ==, -EFAULT);
	EXPECT_SAYS(lab_error(lab), "init of alpha-1.0+b1 had to be ended");
	EXPECT(swap->state, ==, TIFFIN_STABLE);
	EXPECT_STR(swap->report.result, "failed");
	EXPECT(lab->family.scope->gate.epoch, ==, epoch);
	EXPECT(shim_allocations(), ==, memory);
	EXPECT(module_refcount(THIS_MODULE), ==, refs);
	EXPECT(events_of(events, "quarantine"), ==, 1);
	EXPECT(events_of(events, "fail"), ==, 1);
	expect_answers(lab, LAB_BETA);
	shim_advance(1000 * MS);
	EXPECT(events_of(events, "quarantine"), ==, 1);
	lab->faulty_init = 0;
	EXPECT(lab_swap(lab, "alpha"), ==, -ENOTRECOVERABLE);
	expect_answers(lab, LAB_BETA);
}

TEST(fault_in_the_conversion_at_the_flip)
{
	struct tiffin_swap *swap = swap_of(lab);
	unsigned int events, refs, flips;
	struct lab_out out;
	long memory;
	u64 epoch;

	EXPECT_SWAP(lab, "alpha");
	EXPECT(lab_ask(lab, LAB_ASK, 1, &out), ==, TIFFIN_ANSWERED);
	memory = shim_allocations();
	refs = module_refcount(THIS_MODULE);
	epoch = lab->family.scope->gate.epoch;
	events = shim_events();
	flips = lab->flips;
	lab->faulty_convert = 1;
	EXPECT(lab_swap(lab, "delta" LONG), ==, -EFAULT);
	EXPECT_SAYS(lab_error(lab), "delta-1.0+b1 is in quarantine");
	EXPECT_SAYS(lab_error(lab), "alpha-1.0+b1 stays active");
	/* Not once more, for the records of CPUs. */
	EXPECT(lab->converts[TIFFIN_STORE_INSTANCE] + lab->converts[TIFFIN_STORE_PER_CPU], ==, 1);
	EXPECT(swap->state, ==, TIFFIN_STABLE);
	EXPECT(swap->report.flip.attempts, ==, 1);
	EXPECT(lab->family.scope->gate.epoch, ==, epoch);
	EXPECT(lab->family.scope->gate.word, ==, TIFFIN_GATE_OPEN);
	EXPECT(lab->flips, ==, flips);
	EXPECT(shim_allocations(), ==, memory);
	EXPECT(module_refcount(THIS_MODULE), ==, refs);
	EXPECT(events_of(events, "quarantine"), ==, 1);
	EXPECT(events_of(events, "fail"), ==, 1);
	EXPECT(lab_ask(lab, LAB_ASK, 1, &out), ==, TIFFIN_ANSWERED);
	EXPECT(out.object_calls, ==, 2);
	EXPECT(out.instance_calls, ==, 2);
	EXPECT(out.cpu_calls, ==, 2);
}

/*
 * While a request tries to flip and sleeps, with all its locks: the rescue does not wait for it, as
 * it would keep a worker.
 */
static unsigned int tried_meanwhile;

static void rescue_meanwhile(void)
{
	struct tiffin_scope *scope = the_lab->family.scope;

	EXPECT(READ_ONCE(scope->swap.state), ==, TIFFIN_CLOSING);
	if (!tried_meanwhile)
		quarantine_of(the_lab, LAB_ALPHA);
	EXPECT(tiffin_swap_rescue(scope), ==, -EBUSY);
	EXPECT(tiffin_swap_default(scope, "SysRq"), ==, -EBUSY);
	tried_meanwhile++;
}

TEST(rescue_does_not_wait_for_a_request)
{
	the_lab = lab;
	EXPECT_SWAP(lab, "beta");
	EXPECT_SWAP(lab, "alpha");
	lab_call_on_cpu(lab, 1, LAB_ASK, 1, true);
	shim.on_sleep = rescue_meanwhile;
	EXPECT(lab_swap(lab, "gamma timeout_ms=5"), ==, -ETIMEDOUT);
	shim.on_sleep = NULL;
	lab_call_on_cpu(lab, 1, LAB_ASK, -1, true);
	EXPECT(tried_meanwhile, >, 1);
	shim_advance(20 * MS);
	expect_answers(lab, LAB_BETA);
}

/* A rollback of the rescue whose flip meets a call comes to its end by itself. */
TEST(rescue_meets_a_call)
{
	unsigned int events = shim_events();

	EXPECT_SWAP(lab, "beta");
	EXPECT_SWAP(lab, "alpha" LONG);
	lab_call_on_cpu(lab, 1, LAB_ASK, 1, true);
	quarantine_of(lab, LAB_ALPHA);
	shim_advance(1000 * MS);
	EXPECT_STR(lab_active(lab), "alpha");
	EXPECT(swap_of(lab)->failures, ==, 1);
	lab_call_on_cpu(lab, 1, LAB_ASK, -1, true);
	shim_advance(200 * MS);
	EXPECT_STR(lab_active(lab), "beta");
	EXPECT_STR(swap_of(lab)->report.reason, FAULT);
	EXPECT(events_of(events, "quarantine"), ==, 1);
}

/* Q3 */
TEST(ring_of_faults)
{
	char *text = kzalloc(PAGE_SIZE, GFP_KERNEL), *line;
	unsigned int i, lines = 0;
	u64 nr, first = 0;
	ssize_t len;

	EXPECT(tiffin_quarantine_show(text), ==, 0);
	EXPECT_SWAP(lab, "alpha");
	for (i = 0; i < TIFFIN_FAULTS + 4; i++)
		quarantine_of(lab, i % 2 ? LAB_ALPHA : LAB_BETA);
	len = tiffin_quarantine_show(text);
	EXPECT(len, ==, strlen(text));
	for (line = text; *line; line = strchr(line, '\n') + 1) {
		unsigned int cpu = 99, s, us;
		char id[64], *policy = id;
		int n = sscanf(line, "%llu %u.%06u lab %63s CPU %u: " FAULT "\n", &nr, &s, &us, id,
			       &cpu);

		EXPECT(n, ==, 5);
		EXPECT_STR(policy, nr % 2 ? "beta-1.0+b1" : "alpha-1.0+b1");
		EXPECT(s * 1000000ull + us, ==, ktime_get_ns() / NSEC_PER_USEC);
		EXPECT(cpu, ==, 0);
		if (!lines++)
			first = nr;
		EXPECT(nr, ==, first + lines - 1);
	}
	EXPECT(lines, ==, TIFFIN_FAULTS);
	EXPECT(first, ==, 5);
	/* Told once each, of those that are still in the ring. */
	EXPECT(shim_taints(), ==, 0);
	let_rescue_run();
	EXPECT(shim_taints(), ==, TIFFIN_FAULTS);
	shim_advance(1000 * MS);
	EXPECT(shim_taints(), ==, TIFFIN_FAULTS);
	kfree(text);
}

/* What brought it there first is the reason, whatever came after. */
TEST(reason_is_the_first_fault)
{
	EXPECT_SWAP(lab, "beta");
	EXPECT_SWAP(lab, "alpha" LONG);
	lab_quarantine(lab, lab_loaded(lab, LAB_ALPHA), "the first");
	lab_quarantine(lab, lab_loaded(lab, LAB_ALPHA), "the second");
	let_rescue_run();
	EXPECT_STR(swap_of(lab)->report.reason, "the first at lab_ask+0x10");
}

/* More than limits/bad_answers within a second are a fault. */
static unsigned int ask_nonsense(struct lab *lab, unsigned int limit)
{
	struct lab_out out;
	unsigned int n;

	for (n = 0; n < limit && !tiffin_scope_quarantined(lab->family.scope); n++)
		EXPECT(lab_ask(lab, LAB_ASK, 1, &out), ==, TIFFIN_CONTINUITY);
	return n;
}

TEST(bad_answers_are_a_fault)
{
	lab->family.limits.bad_answers = 10;
	EXPECT_SWAP(lab, "beta");
	EXPECT_SWAP(lab, "alpha");
	lab->nonsense = true;
	/* Ten a second are not. */
	shim_advance(2000 * MS);
	EXPECT(ask_nonsense(lab, 10), ==, 10);
	shim_advance(2000 * MS);
	EXPECT(ask_nonsense(lab, 10), ==, 10);
	EXPECT(tiffin_scope_quarantined(lab->family.scope), ==, false);
	/* The eleventh is. */
	EXPECT(ask_nonsense(lab, 10), ==, 1);
	lab->nonsense = false;
	let_rescue_run();
	expect_answers(lab, LAB_BETA);
	EXPECT_STR(swap_of(lab)->report.reason, "too many answers out of range");
	EXPECT(lab_accounts_hold(lab), ==, true);
}

TEST(bad_answers_are_no_fault_where_the_limit_is_0)
{
	lab->family.limits.bad_answers = 0;
	EXPECT_SWAP(lab, "alpha");
	lab->nonsense = true;
	EXPECT(ask_nonsense(lab, 5000), ==, 5000);
	EXPECT(lab_figures(lab).bad_answers, ==, 5000);
	lab->nonsense = false;
	expect_answers(lab, LAB_ALPHA);
}
