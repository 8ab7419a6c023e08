// SPDX-License-Identifier: GPL-2.0-only
/* The gate in virtual time: who waits, for how long exactly, and what holds while it is closed. */
#include <sched.h>

#include "test.h"

/* Whom the hooks of the shim act for. */
static struct lab *the_lab;
static unsigned int relaxes_left;

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

/* G1: while a call of any CPU is counted nothing flips, whether it was let in or not. */
TEST(any_counted_call_is_waited_for)
{
	struct tiffin_gate *gate = &lab->family.scope->gate;
	struct tiffin_gate_report report;
	unsigned int cpu, inside;

	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		for (inside = 0; inside < 2; inside++) {
			lab_call_on_cpu(lab, cpu, LAB_ASK, 1, inside);
			EXPECT(tiffin_gate_flip(gate, gate->active, 5, &report), ==, -EAGAIN);
			EXPECT(report.busy_cpu, ==, cpu);
			EXPECT(report.closed_ns, ==, 5 * US);
			lab_call_on_cpu(lab, cpu, LAB_ASK, -1, inside);
		}
	EXPECT(gate->epoch, ==, 0);
	EXPECT(tiffin_gate_flip(gate, gate->active, 5, &report), ==, 0);
	EXPECT(gate->epoch, ==, 1);
}

static struct tiffin_hist_sum holds(struct lab *lab)
{
	struct tiffin_hist_sum sum;

	tiffin_hist_read(lab->family.scope->hold_hist, &sum);
	return sum;
}

/* D4: exactly hold_ns, then the continuity answer. */
TEST(hold_is_exact)
{
	struct lab_out out;

	EXPECT_SWAP(lab, "alpha");
	lab->family.limits.hold_ns = 5000;
	lab->family.scope->gate.word = TIFFIN_GATE_CLOSED;
	clock_start();
	EXPECT(lab_ask(lab, LAB_ASK, 0, &out), ==, TIFFIN_CONTINUITY);
	EXPECT(clock_passed(), ==, 5000);
	EXPECT(holds(lab).total, ==, 1);
	EXPECT(holds(lab).max, ==, 5000);
	EXPECT(lab_figures(lab).held, ==, 1);
	EXPECT(lab_accounts_hold(lab), ==, true);
}

static void gate_opens_soon(void)
{
	if (!--relaxes_left)
		WRITE_ONCE(the_lab->family.scope->gate.word, TIFFIN_GATE_OPEN);
}

/* A held call gets the policy's answer as soon as the gate opens. */
TEST(held_call_goes_in_when_the_gate_opens)
{
	struct lab_out out;

	the_lab = lab;
	EXPECT_SWAP(lab, "alpha");
	lab->family.limits.hold_ns = 5000;
	lab->family.scope->gate.word = TIFFIN_GATE_CLOSED;
	relaxes_left = 30;
	shim.on_relax = gate_opens_soon;
	EXPECT(lab_ask(lab, LAB_ASK, 0, &out), ==, TIFFIN_ANSWERED);
	EXPECT(holds(lab).max, ==, 300);
	EXPECT(lab_figures(lab).held, ==, 1);
	EXPECT(lab_figures(lab).continuity_gate, ==, 0);
	EXPECT(lab_accounts_hold(lab), ==, true);
}

static void gate_opens_and_closes(void)
{
	u32 *word = &the_lab->family.scope->gate.word;

	/* Open when the caller looks, closed when it has counted itself: its hold goes on. */
	if (!--relaxes_left)
		WRITE_ONCE(*word, TIFFIN_GATE_CLOSED);
	else if (relaxes_left == 1)
		WRITE_ONCE(*word, TIFFIN_GATE_SLOW);
}

TEST(held_call_goes_in_when_the_gate_is_slow)
{
	struct lab_out out;

	the_lab = lab;
	EXPECT_SWAP(lab, "alpha");
	lab->family.scope->gate.word = TIFFIN_GATE_CLOSED;
	relaxes_left = 10;
	shim.on_relax = gate_opens_and_closes;
	EXPECT(lab_ask(lab, LAB_ASK, 0, &out), ==, TIFFIN_ANSWERED);
	EXPECT(holds(lab).max, ==, 90);
}

/* G2: a nested call that can't go in costs no time at all. */
TEST(nested_call_does_not_wait)
{
	struct lab_out out;

	EXPECT_SWAP(lab, "alpha");
	lab->family.scope->gate.word = TIFFIN_GATE_CLOSED;
	lab_call_on_cpu(lab, smp_processor_id(), LAB_ASK, 1, false);
	clock_start();
	EXPECT(lab_ask(lab, LAB_ASK, 0, &out), ==, TIFFIN_CONTINUITY);
	EXPECT(clock_passed(), ==, 0);
	EXPECT(lab_figures(lab).held, ==, 0);
	lab_call_on_cpu(lab, smp_processor_id(), LAB_ASK, -1, false);
	lab->family.scope->gate.word = TIFFIN_GATE_OPEN;
}

/* No interrupt of the swapper's own CPU makes the closed time longer. */
static unsigned int closed_seen, closed_with_irqs;

static void look_at_irqs(void)
{
	if (the_lab->family.scope->gate.word != TIFFIN_GATE_CLOSED)
		return;
	closed_seen++;
	closed_with_irqs += !irqs_disabled();
}

TEST(gate_is_closed_with_interrupts_off)
{
	the_lab = lab;
	lab_call_on_cpu(lab, 1, LAB_ASK, 1, true);
	shim.on_relax = look_at_irqs;
	EXPECT(lab_swap(lab, "alpha timeout_ms=1"), ==, -ETIMEDOUT);
	EXPECT(closed_seen, >, 0);
	EXPECT(closed_with_irqs, ==, 0);
	EXPECT(irqs_disabled(), ==, false);
	lab_call_on_cpu(lab, 1, LAB_ASK, -1, true);
}

/* A second gate, and a thread that flips it while the first one is closed. */
static struct tiffin_gate second;
static struct tiffin_loaded second_policy;
static struct tiffin_instance second_instance = { .policy = &second_policy };
static pthread_t second_thread;
static u32 second_waits;

static void second_takes_a_lock(struct mutex *mutex)
{
	if (pthread_equal(pthread_self(), second_thread))
		WRITE_ONCE(second_waits, 1);
}

static void *flip_second(void *unused)
{
	struct tiffin_gate_report report;

	tiffin_gate_flip(&second, second.active, 5, &report);
	return NULL;
}

static void flip_second_beside(void)
{
	shim.on_relax = NULL;
	EXPECT(the_lab->family.scope->gate.word, ==, TIFFIN_GATE_CLOSED);
	pthread_create(&second_thread, NULL, flip_second, NULL);
	while (!READ_ONCE(second_waits) && !READ_ONCE(second.epoch))
		sched_yield();
	/* It waits for the first gate, which this thread has closed. */
	EXPECT(second.epoch, ==, 0);
	EXPECT(second.word, ==, TIFFIN_GATE_OPEN);
}

/* G4: one gate of the machine at a time. */
TEST(one_gate_at_a_time)
{
	struct tiffin_gate_report report;
	struct tiffin_gate *gate = &lab->family.scope->gate;

	the_lab = lab;
	EXPECT(tiffin_gate_init(&second, &second_instance), ==, 0);
	lab_call_on_cpu(lab, 1, LAB_ASK, 1, true);
	shim.before_lock = second_takes_a_lock;
	shim.on_relax = flip_second_beside;
	EXPECT(tiffin_gate_flip(gate, gate->active, 5, &report), ==, -EAGAIN);
	pthread_join(second_thread, NULL);
	EXPECT(second.epoch, ==, 1);
	lab_call_on_cpu(lab, 1, LAB_ASK, -1, true);
	tiffin_gate_exit(&second);
}
