// SPDX-License-Identifier: GPL-2.0-only
/*
 * The watchdog: what it counts for a call, whom it ends and how, and who looks after a CPU as
 * others come and go. Calls here end themselves after a while, so that a failure is one of a test.
 */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <asm/nmi.h>
#include <asm/tsc.h>

#include "compat/nmi.h"
#include "core/fault.h"
#include "core/watchdog.h"
#include "guard_lab.h"

/* After so long a call that should have been ended ends itself. */
#define PATIENCE_MS	5000

/* A call that is not to be ended. */
#define NO_BUDGET_US	600000000

/* What has to be there after a function of the kernel that was not cut short. */
#define FILL_BYTES	SZ_1M

/* What takes longer than a few ticks to fill, where processors are emulated. */
#define LARGE_BYTES	((size_t)SZ_32M)

/* No less than the text of watchdog_nests(). */
#define NESTS_BYTES	512

#define CALLER_NS	500000
#define POKER_NS	200000

/* What an NMI counts for, at least: two ticks. */
#define NMI_TICKS	2

/* CPUs that this suite uses; the second one goes offline. */
static int watchdog_first, watchdog_second;

/* No function of the kernel's: what is hit is the policy's own text. */
static bool watchdog_waits(u64 since, u64 ms)
{
	return rdtsc() - since < ms * tsc_khz;
}

/**
 * struct watchdog_nmis - NMIs as the test sees them
 * @cpu: where they are its own; -1: nowhere
 * @count: so many have come
 * @again: poke this CPU from within the next
 */
struct watchdog_nmis {
	int cpu;
	unsigned int count;
	bool again;
};

static struct watchdog_nmis watchdog_nmis = { .cpu = -1 };

static int watchdog_nmi(unsigned int type, struct pt_regs *regs)
{
	struct watchdog_nmis *nmis = &watchdog_nmis;

	if (READ_ONCE(nmis->cpu) != smp_processor_id())
		return NMI_DONE;
	WRITE_ONCE(nmis->count, nmis->count + 1);
	if (nmis->again) {
		nmis->again = false;
		tiffin_watchdog_poke(smp_processor_id());
	}
	return NMI_HANDLED;
}

/* On the second CPU: sends the first one an NMI where it wants one. */
static struct hrtimer watchdog_poker;

enum watchdog_wish { WANTS_NONE, WANTS_POKE, WANTS_FOREIGN };

static enum watchdog_wish watchdog_wish;

static enum hrtimer_restart watchdog_poker_tick(struct hrtimer *timer)
{
	switch (xchg(&watchdog_wish, WANTS_NONE)) {
	case WANTS_POKE:
		tiffin_watchdog_poke(watchdog_first);
		break;
	case WANTS_FOREIGN:
		tiffin_send_nmi(watchdog_first);
		break;
	default:
		break;
	}
	hrtimer_forward_now(timer, ns_to_ktime(POKER_NS));
	return HRTIMER_RESTART;
}

static void watchdog_poker_start(void *unused)
{
	hrtimer_start(&watchdog_poker, ns_to_ktime(POKER_NS), HRTIMER_MODE_REL_PINNED_HARD);
}

/**
 * struct watchdog_poke - a call that is sent NMIs
 * @irqs_off: with interrupts disabled
 * @foreign: they are not the watchdog's
 * @again: the watchdog is asked for another one meanwhile
 * @came: NMIs that have come, of the attempt with the fewest
 * @ticks: that one counted for, of the attempt with the fewest
 */
struct watchdog_poke {
	bool irqs_off;
	bool foreign;
	bool again;
	unsigned int came;
	unsigned int ticks;
};

/* More than once, as a tick of the timer may come in between, or the neighbour look. */
static void watchdog_pokes(const struct tiffin_ctx *ctx, const void *in, void *out)
{
	struct tiffin_guard_frame *frame = this_cpu_read(tiffin_guard_cursor);
	struct watchdog_nmis *nmis = &watchdog_nmis;
	struct watchdog_poke *poke = out;
	int i, n;
	u64 since;

	poke->came = UINT_MAX;
	poke->ticks = UINT_MAX;
	for (i = 0; i < 20; i++) {
		if (poke->irqs_off)
			local_irq_disable();
		nmis->again = poke->again;
		WRITE_ONCE(nmis->count, 0);
		WRITE_ONCE(frame->ticks, 0);
		WRITE_ONCE(watchdog_wish, poke->foreign ? WANTS_FOREIGN : WANTS_POKE);
		for (since = rdtsc(); !READ_ONCE(nmis->count) && watchdog_waits(since, 1000);)
			cpu_relax();
		/* A second one would follow at once. */
		for (n = 0; n < 1000; n++)
			cpu_relax();
		poke->came = min(poke->came, READ_ONCE(nmis->count));
		poke->ticks = min(poke->ticks, READ_ONCE(frame->ticks));
		if (poke->irqs_off)
			local_irq_enable();
	}
}

static void watchdog_set_budget(struct kunit *test, u32 us)
{
	struct lab *lab = test->priv;

	WRITE_ONCE(lab->family.limits.budget_us, us);
}

static void watchdog_call(struct kunit *test, guard_fn fn, const void *in, void *out,
			  enum tiffin_entered expected)
{
	enum tiffin_entered entered;

	preempt_disable();
	entered = guard_call(fn, in, out);
	preempt_enable();
	KUNIT_EXPECT_EQ(test, entered, expected);
}

static void watchdog_counts_its_own_nmis(struct kunit *test)
{
	struct watchdog_poke irqs_on = {}, irqs_off = { .irqs_off = true },
			     foreign = { .irqs_off = true, .foreign = true },
			     again = { .irqs_off = true, .again = true };

	watchdog_set_budget(test, NO_BUDGET_US);
	WRITE_ONCE(watchdog_nmis.cpu, watchdog_first);
	smp_call_function_single(watchdog_second, watchdog_poker_start, NULL, 1);
	watchdog_call(test, watchdog_pokes, test, &irqs_on, TIFFIN_ENTERED);
	watchdog_call(test, watchdog_pokes, test, &irqs_off, TIFFIN_ENTERED);
	watchdog_call(test, watchdog_pokes, test, &foreign, TIFFIN_ENTERED);
	watchdog_call(test, watchdog_pokes, test, &again, TIFFIN_ENTERED);
	hrtimer_cancel(&watchdog_poker);
	WRITE_ONCE(watchdog_nmis.cpu, -1);
	/* R2: where interrupts are enabled the timer is who counts. */
	KUNIT_EXPECT_EQ(test, irqs_on.came, 1);
	KUNIT_EXPECT_LT(test, irqs_on.ticks, NMI_TICKS);
	KUNIT_EXPECT_EQ(test, irqs_off.came, 1);
	KUNIT_EXPECT_GE(test, irqs_off.ticks, NMI_TICKS);
	KUNIT_EXPECT_EQ(test, foreign.came, 1);
	KUNIT_EXPECT_EQ(test, foreign.ticks, 0);
	/* One at a time. */
	KUNIT_EXPECT_EQ(test, again.came, 1);
}

/* The timer beats all through this: for some time at least nobody pokes. */
static void watchdog_is_beaten(const struct tiffin_ctx *ctx, const void *in, void *out)
{
	struct tiffin_guard_frame *frame = this_cpu_read(tiffin_guard_cursor);
	u64 since = rdtsc();
	bool *calm = out;

	while (!*calm && watchdog_waits(since, 2 * PATIENCE_MS)) {
		WRITE_ONCE(watchdog_nmis.count, 0);
		WRITE_ONCE(frame->ticks, 0);
		while (READ_ONCE(frame->ticks) < 25 && watchdog_waits(since, 2 * PATIENCE_MS))
			cpu_relax();
		*calm = READ_ONCE(frame->ticks) >= 25 && !READ_ONCE(watchdog_nmis.count);
	}
}

static void watchdog_leaves_a_beating_cpu_alone(struct kunit *test)
{
	bool calm = false;

	watchdog_set_budget(test, NO_BUDGET_US);
	WRITE_ONCE(watchdog_nmis.cpu, watchdog_first);
	watchdog_call(test, watchdog_is_beaten, test, &calm, TIFFIN_ENTERED);
	WRITE_ONCE(watchdog_nmis.cpu, -1);
	KUNIT_EXPECT_TRUE(test, calm);
}

#define LATE_TICKS	64

/*
 * Each tick comes a millisecond late or more: from the last one to the next it is two. An NMI that
 * comes meanwhile counts, too: then it is tried again.
 */
static void watchdog_is_late(const struct tiffin_ctx *ctx, const void *in, void *out)
{
	struct tiffin_guard_frame *frame = this_cpu_read(tiffin_guard_cursor);
	unsigned int *ticks = out;
	u64 since, begin = rdtsc();
	int i, n;

	for (i = 0; i < LATE_TICKS && watchdog_waits(begin, PATIENCE_MS);) {
		WRITE_ONCE(watchdog_nmis.count, 0);
		WRITE_ONCE(frame->ticks, 0);
		local_irq_disable();
		for (since = rdtsc(); watchdog_waits(since, 3);)
			cpu_relax();
		local_irq_enable();
		for (n = 0; n < 100; n++)
			cpu_relax();
		if (READ_ONCE(watchdog_nmis.count))
			continue;
		*ticks += READ_ONCE(frame->ticks);
		i++;
	}
}

/* R2; but where all are late, no call lasts for ever. */
static void watchdog_counts_few_late_ticks(struct kunit *test)
{
	unsigned int ticks = 0;

	watchdog_set_budget(test, NO_BUDGET_US);
	WRITE_ONCE(watchdog_nmis.cpu, watchdog_first);
	watchdog_call(test, watchdog_is_late, test, &ticks, TIFFIN_ENTERED);
	WRITE_ONCE(watchdog_nmis.cpu, -1);
	KUNIT_EXPECT_GT(test, ticks, 0);
	KUNIT_EXPECT_LT(test, ticks, LATE_TICKS / 2);
}

/* In its own text; with interrupts as @in says. */
static void watchdog_loops(const struct tiffin_ctx *ctx, const void *in, void *out)
{
	const bool *irqs_off = in;
	u64 since = rdtsc();

	if (*irqs_off)
		local_irq_disable();
	while (watchdog_waits(since, PATIENCE_MS))
		cpu_relax();
	if (*irqs_off)
		local_irq_enable();
}

/* Nearly all the time in a function of the kernel that fills memory, with one value or the next. */
static void watchdog_fills(const struct tiffin_ctx *ctx, const void *in, void *out)
{
	const bool *irqs_off = in;
	u64 since = rdtsc();
	u8 value = 0;

	if (*irqs_off)
		local_irq_disable();
	while (watchdog_waits(since, PATIENCE_MS))
		memset(out, ++value, FILL_BYTES);
	if (*irqs_off)
		local_irq_enable();
}

static const bool with_irqs, without_irqs = true;

static void watchdog_ends_a_loop(struct kunit *test)
{
	watchdog_call(test, watchdog_loops, &with_irqs, NULL, TIFFIN_ENTER_FAULTED);
	watchdog_call(test, watchdog_loops, &without_irqs, NULL, TIFFIN_ENTER_FAULTED);
}

/* R4 */
static void watchdog_cuts_nothing_of_the_kernel(struct kunit *test)
{
	u8 *memory = kvmalloc(FILL_BYTES, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, memory);
	watchdog_call(test, watchdog_fills, &with_irqs, memory, TIFFIN_ENTER_FAULTED);
	KUNIT_EXPECT_NULL(test, memchr_inv(memory, memory[0], FILL_BYTES));
	watchdog_call(test, watchdog_fills, &without_irqs, memory, TIFFIN_ENTER_FAULTED);
	KUNIT_EXPECT_NULL(test, memchr_inv(memory, memory[0], FILL_BYTES));
	kvfree(memory);
}

/**
 * struct watchdog_inner - a call that makes others, of a function of the kernel
 * @irqs_off: with interrupts disabled
 * @memory: that is filled there
 * @entered: inner calls that were not ended
 * @calls: inner calls
 */
struct watchdog_inner {
	bool irqs_off;
	void *memory;
	unsigned int entered;
	unsigned int calls;
};

/*
 * memset(memory, 0, LARGE_BYTES), called as a policy's function is: its way back is the guard's.
 * The outer call is hit but in between, for less than a tick.
 */
static void watchdog_nests(const struct tiffin_ctx *ctx, const void *in, void *out)
{
	struct tiffin_guard_frame *frame = this_cpu_read(tiffin_guard_cursor);
	struct watchdog_inner *inner = out;
	u64 since = rdtsc();

	if (inner->irqs_off)
		local_irq_disable();
	for (; watchdog_waits(since, 200); inner->calls++) {
		WRITE_ONCE(frame->ticks, 0);
		inner->entered += !tiffin_guard_call(inner->memory, NULL, (void *)LARGE_BYTES,
						     (guard_fn)(void *)memset, guard_policy,
						     tiffin_guard_task());
	}
	if (inner->irqs_off)
		local_irq_enable();
}

/* R1, R4: what has no way back to the policy is let be, and the call around it is not blamed. */
static void watchdog_leaves_the_outer_call_alone(struct kunit *test)
{
	u8 *memory = vmalloc(LARGE_BYTES);
	struct watchdog_inner irqs_on = { .memory = memory },
			      irqs_off = { .memory = memory, .irqs_off = true };
	unsigned long text = guard_policy->text, size = guard_policy->text_size;

	KUNIT_ASSERT_NOT_NULL(test, memory);
	/* Of all this module one function: the guard, which is of it, too, is no policy's. */
	guard_policy->text = (unsigned long)watchdog_nests;
	guard_policy->text_size = NESTS_BYTES;
	/* The second tick that hits a call, or one NMI, is enough. */
	watchdog_set_budget(test, 2000);
	watchdog_call(test, watchdog_nests, NULL, &irqs_on, TIFFIN_ENTERED);
	watchdog_call(test, watchdog_nests, NULL, &irqs_off, TIFFIN_ENTERED);
	guard_policy->text = text;
	guard_policy->text_size = size;
	KUNIT_EXPECT_EQ(test, irqs_on.entered, irqs_on.calls);
	KUNIT_EXPECT_EQ(test, irqs_off.entered, irqs_off.calls);
	vfree(memory);
}

/* Calls on one CPU that never pause for as long as it takes the watchdog's timer to stop. */
static struct hrtimer watchdog_caller;

static void watchdog_returns(const struct tiffin_ctx *ctx, const void *in, void *out)
{
}

static enum hrtimer_restart watchdog_caller_tick(struct hrtimer *timer)
{
	guard_call(watchdog_returns, NULL, NULL);
	hrtimer_forward_now(timer, ns_to_ktime(CALLER_NS));
	return HRTIMER_RESTART;
}

static void watchdog_caller_start(void *unused)
{
	hrtimer_start(&watchdog_caller, ns_to_ktime(CALLER_NS), HRTIMER_MODE_REL_PINNED_HARD);
}

/* A CPU whose timer was running as it went is watched when it is back, as any other. */
static void watchdog_watches_a_cpu_that_was_offline(struct kunit *test)
{
	int down, up;

	smp_call_function_single(watchdog_second, watchdog_caller_start, NULL, 1);
	msleep(20);
	down = remove_cpu(watchdog_second);
	msleep(20);
	hrtimer_cancel(&watchdog_caller);
	up = add_cpu(watchdog_second);
	KUNIT_ASSERT_EQ(test, down, 0);
	KUNIT_ASSERT_EQ(test, up, 0);
	KUNIT_ASSERT_EQ(test, set_cpus_allowed_ptr(current, cpumask_of(watchdog_second)), 0);
	watchdog_call(test, watchdog_loops, &with_irqs, NULL, TIFFIN_ENTER_FAULTED);
	watchdog_call(test, watchdog_loops, &without_irqs, NULL, TIFFIN_ENTER_FAULTED);
}

/* For a while, but not for as long as a call that is left to itself. */
static void watchdog_tries(const struct tiffin_ctx *ctx, const void *in, void *out)
{
	u64 since = rdtsc();

	local_irq_disable();
	while (watchdog_waits(since, 200))
		cpu_relax();
	local_irq_enable();
}

/*
 * R5: a CPU that calls all the time, and has lost its neighbour, has one again. Not at once where
 * there was no other for a while.
 */
static void watchdog_finds_a_neighbour_again(struct kunit *test)
{
	enum tiffin_entered entered = TIFFIN_ENTERED;
	int down, up, i;

	watchdog_caller_start(NULL);
	msleep(20);
	down = remove_cpu(watchdog_second);
	msleep(100);
	up = add_cpu(watchdog_second);
	for (i = 0; i < 50 && entered == TIFFIN_ENTERED; i++) {
		preempt_disable();
		entered = guard_call(watchdog_tries, NULL, NULL);
		preempt_enable();
		msleep(100);
	}
	hrtimer_cancel(&watchdog_caller);
	KUNIT_EXPECT_EQ(test, down, 0);
	KUNIT_EXPECT_EQ(test, up, 0);
	KUNIT_EXPECT_EQ(test, entered, TIFFIN_ENTER_FAULTED);
}

/* An NMI returns by a copy of its frame, which has to be where it is looked for. */
static void watchdog_knows_the_frame_of_an_nmi(struct kunit *test)
{
	struct {
		struct pt_regs regs;
		struct tiffin_nmi_iret iret;
	} stack = {};
	struct tiffin_nmi_iret *iret = &stack.iret;

	*iret = (struct tiffin_nmi_iret) { .ip = 1, .cs = 2, .flags = 3, .sp = 4 };
	stack.regs.ip = iret->ip;
	stack.regs.cs = iret->cs;
	stack.regs.flags = iret->flags;
	stack.regs.sp = iret->sp;
	KUNIT_EXPECT_TRUE(test, tiffin_nmi_iret_ok(&stack.regs));
	iret->ip++;
	KUNIT_EXPECT_FALSE(test, tiffin_nmi_iret_ok(&stack.regs));
	iret->ip--;
	iret->cs++;
	KUNIT_EXPECT_FALSE(test, tiffin_nmi_iret_ok(&stack.regs));
	iret->cs--;
	iret->flags++;
	KUNIT_EXPECT_FALSE(test, tiffin_nmi_iret_ok(&stack.regs));
	iret->flags--;
	iret->sp++;
	KUNIT_EXPECT_FALSE(test, tiffin_nmi_iret_ok(&stack.regs));
	tiffin_nmi_iret_set(&stack.regs);
	KUNIT_EXPECT_TRUE(test, tiffin_nmi_iret_ok(&stack.regs));
}

static int watchdog_test_init(struct kunit *test)
{
	int rc = guard_test_init(test);

	if (rc)
		return rc;
	if (num_online_cpus() < 2)
		return -ENODEV;
	watchdog_first = cpumask_first(cpu_online_mask);
	watchdog_second = cpumask_next(watchdog_first, cpu_online_mask);
	watchdog_set_budget(test, 4000);
	hrtimer_init(&watchdog_caller, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	watchdog_caller.function = watchdog_caller_tick;
	hrtimer_init(&watchdog_poker, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	watchdog_poker.function = watchdog_poker_tick;
	return register_nmi_handler(NMI_LOCAL, watchdog_nmi, NMI_FLAG_FIRST, "tiffin_test") ?:
	       set_cpus_allowed_ptr(current, cpumask_of(watchdog_first));
}

static void watchdog_test_exit(struct kunit *test)
{
	unregister_nmi_handler(NMI_LOCAL, "tiffin_test");
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	guard_test_exit(test);
}

static struct kunit_case watchdog_cases[] = {
	KUNIT_CASE(watchdog_knows_the_frame_of_an_nmi),
	KUNIT_CASE(watchdog_counts_its_own_nmis),
	KUNIT_CASE(watchdog_leaves_a_beating_cpu_alone),
	KUNIT_CASE(watchdog_counts_few_late_ticks),
	KUNIT_CASE(watchdog_ends_a_loop),
	KUNIT_CASE(watchdog_cuts_nothing_of_the_kernel),
	KUNIT_CASE(watchdog_leaves_the_outer_call_alone),
	KUNIT_CASE(watchdog_watches_a_cpu_that_was_offline),
	KUNIT_CASE(watchdog_finds_a_neighbour_again),
	{}
};

static struct kunit_suite watchdog_suite = {
	.name = "watchdog",
	.init = watchdog_test_init,
	.exit = watchdog_test_exit,
	.test_cases = watchdog_cases,
};
kunit_test_suite(watchdog_suite);
