// SPDX-License-Identifier: GPL-2.0-only
/* What makes the test family ask: threads and timers. */
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/smp.h>

#include "test_load.h"

#define TEST_TICK_NS	200000

static const enum hrtimer_mode test_modes[] = {
	HRTIMER_MODE_REL_PINNED_SOFT, HRTIMER_MODE_REL_PINNED_HARD,
};

static DEFINE_PER_CPU(struct hrtimer[ARRAY_SIZE(test_modes)], test_timers);

static int test_thread(void *data)
{
	bool irqs_off = (unsigned long)data == TEST_IRQS_OFF;
	u32 i;

	for (i = 0; !kthread_should_stop(); i++) {
		if (irqs_off)
			local_irq_disable();
		test_ask(i & 1);
		/* Each call, also one that was ended, leaves them as they were. */
		WARN_ON_ONCE(irqs_disabled() != irqs_off);
		if (irqs_off)
			local_irq_enable();
		if (!(i % 64))
			cond_resched();
	}
	return 0;
}

static enum hrtimer_restart test_tick(struct hrtimer *timer)
{
	test_ask(0);
	test_ask(1);
	/* From now, not from when it was due: slow hooks must not fill the CPU. */
	hrtimer_set_expires(timer, ktime_add_ns(ktime_get(), TEST_TICK_NS));
	return HRTIMER_RESTART;
}

static void test_start_ticks(void *data)
{
	enum test_ticks ticks = (unsigned long)data;
	int i;

	for (i = 0; i < ARRAY_SIZE(test_modes); i++)
		if (ticks == TEST_ALL || ticks == TEST_SOFT + i)
			hrtimer_start(&(*this_cpu_ptr(&test_timers))[i], TEST_TICK_NS,
				      test_modes[i]);
}

void test_load_init(void)
{
	int cpu, i;

	for_each_possible_cpu(cpu)
		for (i = 0; i < ARRAY_SIZE(test_modes); i++) {
			hrtimer_init(&per_cpu(test_timers, cpu)[i], CLOCK_MONOTONIC, test_modes[i]);
			per_cpu(test_timers, cpu)[i].function = test_tick;
		}
}

int test_load(unsigned int threads, unsigned int ms, enum test_ticks ticks)
{
	struct task_struct *task[TEST_MAX_THREADS];
	unsigned int cpu, started, i;
	int rc = 0;

	for (started = 0; started < threads; started++) {
		task[started] = kthread_run(test_thread, (void *)(unsigned long)ticks,
					    "tiffin_test/%u", started);
		rc = PTR_ERR_OR_ZERO(task[started]);
		if (rc)
			break;
	}
	if (ticks && ticks != TEST_IRQS_OFF)
		on_each_cpu(test_start_ticks, (void *)(unsigned long)ticks, 1);
	if (!rc && msleep_interruptible(ms))
		rc = -EINTR;
	for_each_possible_cpu(cpu)
		for (i = 0; i < ARRAY_SIZE(test_modes); i++)
			hrtimer_cancel(&per_cpu(test_timers, cpu)[i]);
	while (started--)
		kthread_stop(task[started]);
	return rc;
}
