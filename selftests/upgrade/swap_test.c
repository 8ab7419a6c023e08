// SPDX-License-Identifier: GPL-2.0-only
/*
 * The swap's state machine in virtual time: what happens when, to the tick, and what happens when
 * another thread does something at the worst moment.
 */
#include "test.h"

/* Whom the hooks of the shim act for. */
static struct lab *the_lab;

/* Time, from the beginning of a test's measure. */
static u64 started;

static void clock_start(void)
{
	started = ktime_get_ns();
}

static u64 clock_passed(void)
{
	return ktime_get_ns() - started;
}

TEST(probation_ends_on_time)
{
	EXPECT_SWAP(lab, "alpha");
	EXPECT_SWAP(lab, "beta probation_ms=1000");
	shim_advance(999 * MS);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_PROBATION);
	shim_advance(1 * MS + TICK);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_STABLE);
	EXPECT_STR(swap_of(lab)->report.result, "committed");
	EXPECT_STR(lab_active(lab), "beta");
}

TEST(probation_of_one_ms)
{
	EXPECT_SWAP(lab, "alpha probation_ms=1");
	EXPECT(swap_of(lab)->state, ==, TIFFIN_PROBATION);
	shim_advance(2 * TICK);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_STABLE);
}

TEST(probation_of_an_hour)
{
	EXPECT_SWAP(lab, "alpha gate=level<9 probation_ms=3600000");
	shim_advance(3599900ull * MS);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_PROBATION);
	shim_advance(200 * MS);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_STABLE);
	EXPECT_STR(lab_active(lab), "alpha");
}

/* A broken gate ends a probation at the next reading, 50 ms apart. */
TEST(broken_gate_is_seen_at_the_next_reading)
{
	EXPECT_SWAP(lab, "alpha");
	EXPECT_SWAP(lab, "beta gate=level<80" LONG);
	shim_advance(120 * MS);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_PROBATION);
	lab->figure[LAB_LEVEL] = 80;
	shim_advance(50 * MS + TICK);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_STABLE);
	EXPECT_STR(lab_active(lab), "alpha");
	EXPECT_STR(swap_of(lab)->report.result, "rolled_back");
	EXPECT_STR(swap_of(lab)->report.reason, "gate level<80 broken: it was 80");
}

/* A gate that is broken for a moment between two readings is not seen: readings are what counts. */
TEST(gate_is_read_not_watched)
{
	EXPECT_SWAP(lab, "alpha");
	EXPECT_SWAP(lab, "beta gate=level<80 probation_ms=200");
	shim_advance(60 * MS);
	lab->figure[LAB_LEVEL] = 80;
	shim_advance(10 * MS);
	lab->figure[LAB_LEVEL] = 0;
	shim_advance(500 * MS);
	EXPECT_STR(lab_active(lab), "beta");
}

/* At its very end a probation still rolls back, on a lower limit or an upper one. */
TEST(gates_decide_at_the_end)
{
	EXPECT_SWAP(lab, "alpha gate=ticks>10 probation_ms=100");
	lab->figure[LAB_TICKS] = 10;
	shim_advance(99 * MS);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_PROBATION);
	shim_advance(1 * MS + TICK);
	EXPECT_STR(lab_active(lab), "default");
	EXPECT_STR(swap_of(lab)->report.reason, "gate ticks>10 broken: it was 10");

	EXPECT_SWAP(lab, "alpha gate=ticks<5 probation_ms=100");
	shim_advance(99 * MS);
	lab->figure[LAB_TICKS] += 5;
	shim_advance(1 * MS + TICK);
	EXPECT_STR(lab_active(lab), "default");
	EXPECT_STR(swap_of(lab)->report.reason, "gate ticks<5 broken: it was 5");
}

TEST(busy_says_how_long)
{
	EXPECT_SWAP(lab, "alpha probation_ms=10000");
	shim_advance(4000 * MS);
	EXPECT(lab_swap(lab, "beta"), ==, -EBUSY);
	EXPECT_SAYS(lab_error(lab), "swap 1 (default -> alpha-1.0+b1) is on probation for another 6000 ms");
}

/* Attempts to flip under a call that stays: how long the gate was closed, each time and in all. */
static u64 closed_since, closed_longest, closed_all;

static void watch_gate(void)
{
	u64 now = ktime_get_ns();

	if (the_lab->family.scope->gate.word == TIFFIN_GATE_CLOSED) {
		if (!closed_since)
			closed_since = now - SHIM_RELAX_NS;
		closed_longest = max(closed_longest, now - closed_since);
		closed_all += SHIM_RELAX_NS;
	} else {
		closed_since = 0;
	}
}

static void time_out(struct lab *lab, u32 close_us, const char *text)
{
	the_lab = lab;
	lab->family.limits.close_us = close_us;
	closed_longest = 0;
	closed_all = 0;
	closed_since = 0;
	lab_call_on_cpu(lab, 3, LAB_TELL, 1, true);
	shim.on_relax = watch_gate;
	shim.on_sleep = watch_gate;
	clock_start();
	EXPECT(lab_swap(lab, text), ==, -ETIMEDOUT);
	shim.on_relax = NULL;
	shim.on_sleep = NULL;
	lab_call_on_cpu(lab, 3, LAB_TELL, -1, true);
	/* In between callers have most of the time. */
	EXPECT(closed_all, <=, clock_passed() / 5);
}

/* U4: not before the time limit, and behind it by no more than the last attempt with its pause. */
TEST(timeout_is_kept)
{
	EXPECT_SWAP(lab, "alpha");
	time_out(lab, 50, "beta timeout_ms=20");
	EXPECT(clock_passed(), >=, 20 * MS);
	EXPECT(clock_passed(), <=, 20 * MS + 9 * closed_longest + SHIM_RELAX_NS);
	EXPECT_STR(swap_of(lab)->report.held_up_by, "hook tell of alpha-1.0+b1 on CPU 3");
	EXPECT_STR(lab_active(lab), "alpha");
	EXPECT(swap_of(lab)->report.flip.attempts, >, 5);
	EXPECT_SWAP(lab, "beta");
}

/* The first attempt is over after close_us; each further one takes twice as long, up to a limit. */
TEST(attempts_are_bounded)
{
	time_out(lab, 10, "alpha timeout_ms=1");
	EXPECT(swap_of(lab)->report.flip.attempts, ==, 3);
	EXPECT(closed_longest, ==, 4 * 10 * US);
	time_out(lab, 10, "alpha timeout_ms=100");
	EXPECT(closed_longest, ==, 32 * 10 * US);
	time_out(lab, 500, "alpha timeout_ms=100");
	EXPECT(closed_longest, ==, 2000 * US);
	time_out(lab, 10000, "alpha timeout_ms=100");
	EXPECT(closed_longest, ==, 10000 * US);
}

static unsigned int sleeps_left;

static void call_leaves(void)
{
	if (!--sleeps_left)
		lab_call_on_cpu(the_lab, 2, LAB_ASK, -1, true);
}

static void kill_requester(void)
{
	shim.fatal_signal = true;
}

/* A request whose process is being killed ends before its time limit, as a failed one. */
TEST(killed_request_ends)
{
	EXPECT_SWAP(lab, "alpha");
	lab_call_on_cpu(lab, 1, LAB_ASK, 1, true);
	shim.on_sleep = kill_requester;
	clock_start();
	EXPECT(lab_swap(lab, "beta timeout_ms=600000"), ==, -EINTR);
	EXPECT(clock_passed(), <, 100 * MS);
	shim.fatal_signal = false;
	lab_call_on_cpu(lab, 1, LAB_ASK, -1, true);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_STABLE);
	EXPECT_STR(lab_active(lab), "alpha");
	EXPECT_STR(swap_of(lab)->report.result, "failed");
	/* Nobody is sent to raise a limit that was not reached. */
	EXPECT_SAYS(lab_error(lab), "who asked for beta-1.0+b1 was killed");
	EXPECT_SAYS(lab_error(lab), "held up by hook ask of alpha-1.0+b1 on CPU 1");
	EXPECT_SAYS(swap_of(lab)->report.reason, "who asked for beta-1.0+b1 was killed");
	EXPECT_STR(shim_event(shim_events() - 1, "TIFFIN_REASON"), lab_error(lab));
}

/* Nor is a rollback that was not tried yet held up by what held the flip up. */
TEST(killed_rollback_is_made_good)
{
	EXPECT_SWAP(lab, "alpha");
	lab_call_on_cpu(lab, 2, LAB_ASK, 1, true);
	the_lab = lab;
	sleeps_left = 1;
	shim.on_sleep = call_leaves;
	EXPECT_SWAP(lab, "beta" LONG);
	shim.on_sleep = NULL;
	EXPECT_SAYS(swap_of(lab)->report.held_up_by, "hook ask of alpha-1.0+b1 on CPU 2");
	shim.fatal_signal = true;
	EXPECT(tiffin_swap_rollback(lab->family.scope), ==, -EINTR);
	shim.fatal_signal = false;
	EXPECT_STR(swap_of(lab)->report.held_up_by, "");
	EXPECT_STR(lab_error(lab),
		   "lab/default: who asked for the rollback was killed; it is tried until it works");
	shim_advance(100 * MS);
	EXPECT_STR(lab_active(lab), "alpha");
	EXPECT_STR(swap_of(lab)->report.reason, "asked for");
}

/* A call that is merely long delays the swap, and nobody else. */
TEST(swap_tries_again)
{
	the_lab = lab;
	EXPECT_SWAP(lab, "alpha");
	lab_call_on_cpu(lab, 2, LAB_ASK, 1, true);
	sleeps_left = 3;
	shim.on_sleep = call_leaves;
	EXPECT_SWAP(lab, "beta");
	EXPECT(swap_of(lab)->report.flip.attempts, ==, 4);
	EXPECT_STR(swap_of(lab)->report.held_up_by, "hook ask of alpha-1.0+b1 on CPU 2");
	EXPECT_STR(swap_of(lab)->report.result, "committed");
}

static unsigned int relaxes_left;

static void call_leaves_soon(void)
{
	if (!--relaxes_left)
		lab_call_on_cpu(the_lab, 2, LAB_ASK, -1, true);
}

/* A call that leaves while the gate is closed lets the flip happen in the same attempt. */
TEST(swap_waits_for_a_short_call)
{
	the_lab = lab;
	EXPECT_SWAP(lab, "alpha");
	lab_call_on_cpu(lab, 2, LAB_ASK, 1, true);
	relaxes_left = 7;
	shim.on_relax = call_leaves_soon;
	EXPECT_SWAP(lab, "beta");
	EXPECT(swap_of(lab)->report.flip.attempts, ==, 1);
	EXPECT(swap_of(lab)->report.flip.close_ns, ==, 7 * SHIM_RELAX_NS);
}

/* A rollback that is held up is tried until it works, whatever the gates say by then. */
TEST(rollback_is_tried_until_it_works)
{
	EXPECT_SWAP(lab, "alpha");
	EXPECT_SWAP(lab, "beta gate=level<80 probation_ms=1000");
	lab_call_on_cpu(lab, 1, LAB_ASK, 1, true);
	lab->figure[LAB_LEVEL] = 90;
	shim_advance(60 * MS);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_PROBATION);
	EXPECT_SAYS(lab_error(lab), "rollback waits for hook ask of beta-1.0+b1 on CPU 1");
	EXPECT(lab_swap(lab, "gamma"), ==, -EBUSY);
	EXPECT_SAYS(lab_error(lab), "is being rolled back: gate level<80 broken: it was 90;");
	lab->figure[LAB_LEVEL] = 0;

	/* Past the end of the probation, too: it is not committed. */
	shim_advance(5000 * MS);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_PROBATION);
	EXPECT_STR(lab_active(lab), "beta");
	EXPECT(tiffin_swap_commit(lab->family.scope), ==, -EBUSY);
	EXPECT_SAYS(lab_error(lab), "is being rolled back: gate level<80 broken: it was 90;");
	/* Who asks for something else learns what is in the way, and that nothing can be done. */
	EXPECT(lab_swap(lab, "gamma"), ==, -EBUSY);
	EXPECT_SAYS(lab_error(lab), "swap 2 (alpha-1.0+b1 -> beta-1.0+b1) is being rolled back");
	EXPECT_SAYS(lab_error(lab), "it was 90; for 5");
	EXPECT_SAYS(lab_error(lab), "ms, held up by hook ask of beta-1.0+b1 on CPU 1; try again");

	lab_call_on_cpu(lab, 1, LAB_ASK, -1, true);
	shim_advance(300 * MS);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_STABLE);
	EXPECT_STR(lab_active(lab), "alpha");
	EXPECT_STR(swap_of(lab)->report.reason, "gate level<80 broken: it was 90");
	EXPECT(swap_of(lab)->report.flip.attempts, ==, 1);
	EXPECT(swap_of(lab)->report.back.attempts, >, 1);
}

static void another_is_refused(void)
{
	shim.on_sleep = NULL;
	EXPECT(lab_swap(the_lab, "gamma"), ==, -EBUSY);
	EXPECT_SAYS(lab_error(the_lab), "is being rolled back: asked for;");
}

/* Also while who has asked for it still waits, and after that nothing of it is left. */
TEST(rollback_under_way_is_said)
{
	the_lab = lab;
	EXPECT_SWAP(lab, "alpha");
	EXPECT_SWAP(lab, "beta" LONG);
	lab->family.limits.timeout_ms = 5;
	lab_call_on_cpu(lab, 1, LAB_ASK, 1, true);
	shim.on_sleep = another_is_refused;
	EXPECT(tiffin_swap_rollback(lab->family.scope), ==, -ETIMEDOUT);
	EXPECT(!shim.on_sleep, ==, true);
	lab_call_on_cpu(lab, 1, LAB_ASK, -1, true);
	shim_advance(200 * MS);
	EXPECT_STR(lab_active(lab), "alpha");
	EXPECT_SWAP(lab, "beta" LONG);
	EXPECT(lab_swap(lab, "gamma"), ==, -EBUSY);
	EXPECT_SAYS(lab_error(lab), "is on probation for another");
}

/* However long names and reasons are, what to do stands last, and is not cut off. */
TEST(long_reasons_are_not_cut)
{
	struct tiffin_swap *swap = swap_of(lab);

	EXPECT_SWAP(lab, "alpha");
	EXPECT_SWAP(lab, "beta" LONG);
	lab->family.limits.timeout_ms = 5;
	lab_call_on_cpu(lab, 1, LAB_ASK, 1, true);
	EXPECT(tiffin_swap_rollback(lab->family.scope), ==, -ETIMEDOUT);
	memset(swap->undo, 'u', sizeof(swap->undo) - 1);
	memset(swap->report.from, 'f', sizeof(swap->report.from) - 1);
	memset(swap->report.to, 't', sizeof(swap->report.to) - 1);
	memset(swap->report.held_up_by, 'h', sizeof(swap->report.held_up_by) - 1);
	EXPECT(lab_swap(lab, "gamma"), ==, -EBUSY);
	EXPECT_SAYS(lab_error(lab), "; try again when state is stable");
	lab_call_on_cpu(lab, 1, LAB_ASK, -1, true);
	shim_advance(200 * MS);
	EXPECT_STR(lab_active(lab), "alpha");
}

/* That a rollback is tried again is no further failed request, and hides nobody's error. */
TEST(retries_are_no_failures)
{
	EXPECT_SWAP(lab, "alpha");
	EXPECT_SWAP(lab, "beta" LONG);
	lab->family.limits.timeout_ms = 5;
	lab_call_on_cpu(lab, 1, LAB_ASK, 1, true);
	EXPECT(tiffin_swap_rollback(lab->family.scope), ==, -ETIMEDOUT);
	EXPECT(swap_of(lab)->failures, ==, 1);
	shim_advance(100 * MS);
	EXPECT(lab_swap(lab, "gamma"), ==, -EBUSY);
	shim_advance(5000 * MS);
	EXPECT(swap_of(lab)->failures, ==, 2);
	EXPECT_SAYS(lab_error(lab), "is busy");
	lab_call_on_cpu(lab, 1, LAB_ASK, -1, true);
	shim_advance(200 * MS);
	EXPECT_STR(lab_active(lab), "alpha");
	EXPECT_STR(swap_of(lab)->report.reason, "asked for");
}

/* Let others in just before the scope's lock is taken, once. */
static void new_probation_first(struct mutex *mutex)
{
	if (mutex != &swap_of(the_lab)->lock)
		return;
	shim.before_lock = NULL;
	EXPECT(tiffin_swap_commit(the_lab->family.scope), ==, 0);
	EXPECT_SWAP(the_lab, "beta" LONG);
}

/* The work of one probation comes late, when the next one has begun: it does not end that one. */
TEST(late_work_spares_the_next_probation)
{
	the_lab = lab;
	EXPECT_SWAP(lab, "alpha probation_ms=40");
	shim.before_lock = new_probation_first;
	shim_advance(50 * MS);
	EXPECT(!shim.before_lock, ==, true);
	EXPECT_STR(lab_active(lab), "beta");
	EXPECT(swap_of(lab)->state, ==, TIFFIN_PROBATION);
	shim_advance(5000 * MS);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_PROBATION);
	EXPECT(tiffin_swap_rollback(lab->family.scope), ==, 0);
	EXPECT_STR(lab_active(lab), "alpha");
}

/* Another request is refused between a swap's failure and its report. */
static void other_request_fails(struct mutex *mutex)
{
	if (mutex != &swap_of(the_lab)->text_lock || !swap_of(the_lab)->failures)
		return;
	shim.before_lock = NULL;
	EXPECT(lab_swap(the_lab, "gamma"), ==, -EBUSY);
}

/* The report of a failed swap gives its own reason. */
TEST(failure_is_reported_with_its_own_reason)
{
	unsigned int events = shim_events();

	the_lab = lab;
	lab_call_on_cpu(lab, 1, LAB_ASK, 1, true);
	shim.before_lock = other_request_fails;
	EXPECT(lab_swap(lab, "alpha timeout_ms=1"), ==, -ETIMEDOUT);
	EXPECT(!shim.before_lock, ==, true);
	EXPECT_SAYS(swap_of(lab)->report.reason, "no flip within 1 ms");
	EXPECT(shim_events(), ==, events + 1);
	EXPECT_STR(shim_event(events, "TIFFIN_EVENT"), "fail");
	EXPECT_SAYS(shim_event(events, "TIFFIN_REASON"), "no flip within 1 ms");
	lab_call_on_cpu(lab, 1, LAB_ASK, -1, true);
}

/* The work of a probation doesn't wait for the scope's lock, which may be held for long. */
TEST(work_keeps_no_worker_waiting)
{
	EXPECT_SWAP(lab, "alpha probation_ms=100");
	mutex_lock(&swap_of(lab)->lock);
	shim_advance(500 * MS);
	mutex_unlock(&swap_of(lab)->lock);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_PROBATION);
	shim_advance(60 * MS);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_STABLE);
}

static void take_time(struct lab *unused, const struct tiffin_ctx *ctx)
{
	cpu_relax();
}

static void ask(struct lab *lab, unsigned int times)
{
	struct lab_out out;

	while (times--)
		lab_ask(lab, LAB_ASK, TIFFIN_NO_OBJECT, &out);
}

/* A percentile of a few samples says little: it breaks a gate only at the end of the probation. */
TEST(percentiles_want_samples)
{
	const unsigned int share = TIFFIN_SAMPLE_MASK_PROBATION + 1;

	lab->in_hook = take_time;
	EXPECT_SWAP(lab, "alpha gate=hook_p99<5 probation_ms=1000");
	ask(lab, share * (TIFFIN_MIN_SAMPLES - 1));
	shim_advance(500 * MS);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_PROBATION);
	ask(lab, share);
	shim_advance(50 * MS + TICK);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_STABLE);
	EXPECT_STR(swap_of(lab)->report.reason, "gate hook_p99<5 broken: it was 10");

	EXPECT_SWAP(lab, "alpha gate=hook_p50<5 probation_ms=1000");
	ask(lab, share);
	shim_advance(990 * MS);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_PROBATION);
	shim_advance(20 * MS);
	EXPECT_STR(swap_of(lab)->report.reason, "gate hook_p50<5 broken: it was 10");
	EXPECT_STR(lab_active(lab), "default");
}

/* One sample is enough for a maximum. */
TEST(maximum_wants_one_sample)
{
	lab->in_hook = take_time;
	EXPECT_SWAP(lab, "alpha gate=hook_max<10" LONG);
	ask(lab, TIFFIN_SAMPLE_MASK_PROBATION + 1);
	shim_advance(50 * MS + TICK);
	EXPECT_STR(swap_of(lab)->report.reason, "gate hook_max<10 broken: it was 10");
}

/* A probation in which nothing happened says so. */
TEST(probation_without_calls)
{
	EXPECT_SWAP(lab, "alpha gate=hook_p99<5 probation_ms=100");
	shim_advance(200 * MS);
	EXPECT_STR(swap_of(lab)->report.reason, "probation over, but no call was timed");
	EXPECT_STR(swap_of(lab)->report.result, "committed");
	EXPECT_SWAP(lab, "beta probation_ms=100");
	ask(lab, 8);
	shim_advance(200 * MS);
	EXPECT_STR(swap_of(lab)->report.reason, "probation over");
}

static void other_has_the_scope(struct lab *lab)
{
	lab->on_flipped = NULL;
	shim_advance(3 * MS);
	EXPECT(lab_swap(lab, "gamma timeout_ms=7"), ==, -EBUSY);
	EXPECT_SAYS(lab_error(lab),
		    "busy: swap 1 (default -> alpha-1.0+b1) is closing, 3 ms after it was asked for, of 1234;");
}

/* U3: the request in between is told, and the first goes on. */
TEST(second_request_is_busy)
{
	lab->on_flipped = other_has_the_scope;
	EXPECT_SWAP(lab, "alpha timeout_ms=1234");
	EXPECT_STR(lab_active(lab), "alpha");
	EXPECT(swap_of(lab)->failures, ==, 1);
}

/* Work that is due when a probation has ended otherwise finds nothing to do. */
TEST(work_after_the_end)
{
	EXPECT_SWAP(lab, "alpha probation_ms=1000");
	EXPECT(tiffin_swap_commit(lab->family.scope), ==, 0);
	shim_advance(5000 * MS);
	EXPECT_STR(lab_active(lab), "alpha");
	EXPECT(swap_of(lab)->commits, ==, 1);
	EXPECT_SWAP(lab, "beta probation_ms=1000");
	EXPECT(tiffin_swap_rollback(lab->family.scope), ==, 0);
	shim_advance(5000 * MS);
	EXPECT_STR(lab_active(lab), "alpha");
	EXPECT(swap_of(lab)->rollbacks, ==, 1);
}

/* Probations sample more calls, and leave the usual share behind, however they end. */
TEST(sampling_returns_to_normal)
{
	u32 *mask = &lab->family.scope->sample_mask;

	EXPECT(*mask, ==, TIFFIN_SAMPLE_MASK);
	EXPECT_SWAP(lab, "alpha" LONG);
	EXPECT(*mask, ==, TIFFIN_SAMPLE_MASK_PROBATION);
	EXPECT(tiffin_swap_commit(lab->family.scope), ==, 0);
	EXPECT(*mask, ==, TIFFIN_SAMPLE_MASK);
	EXPECT_SWAP(lab, "beta" LONG);
	EXPECT(tiffin_swap_rollback(lab->family.scope), ==, 0);
	EXPECT(*mask, ==, TIFFIN_SAMPLE_MASK);
}
