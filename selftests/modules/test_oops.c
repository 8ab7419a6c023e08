// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fault that is the kernel's own, to be told from a policy's. Writing to the parameter "fault":
 *	thread		in a thread of its own, while policies are called elsewhere
 *	irq ADDRESS	in an interrupt that comes into a policy whose text begins there
 */
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <linux/string.h>

#include <asm/irq_regs.h>

#define TEST_OOPS_NS	500000

static DEFINE_PER_CPU(struct hrtimer, test_oops_timer);
static unsigned long test_oops_nowhere = 0x1234, test_oops_text;

static noinline void test_oops_fault(void)
{
	WRITE_ONCE(*(int *)READ_ONCE(test_oops_nowhere), 1);
}

static int test_oops_thread(void *unused)
{
	test_oops_fault();
	return 0;
}

static enum hrtimer_restart test_oops_tick(struct hrtimer *timer)
{
	const struct pt_regs *regs = get_irq_regs();

	if (regs && regs->ip - test_oops_text < PAGE_SIZE)
		test_oops_fault();
	hrtimer_forward_now(timer, ns_to_ktime(TEST_OOPS_NS));
	return HRTIMER_RESTART;
}

static void test_oops_start(void *unused)
{
	hrtimer_start(this_cpu_ptr(&test_oops_timer), ns_to_ktime(TEST_OOPS_NS),
		      HRTIMER_MODE_REL_PINNED_HARD);
}

static int test_oops_set(const char *text, const struct kernel_param *param)
{
	if (sscanf(text, "irq %lx", &test_oops_text) == 1)
		on_each_cpu(test_oops_start, NULL, 1);
	else if (sysfs_streq(text, "thread"))
		return PTR_ERR_OR_ZERO(kthread_run(test_oops_thread, NULL, "tiffin_oops"));
	else
		return -EINVAL;
	return 0;
}

static const struct kernel_param_ops test_oops_ops = { .set = test_oops_set };
module_param_cb(fault, &test_oops_ops, NULL, 0200);

static int __init test_oops_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		hrtimer_init(per_cpu_ptr(&test_oops_timer, cpu), CLOCK_MONOTONIC,
			     HRTIMER_MODE_REL_PINNED_HARD);
		per_cpu(test_oops_timer, cpu).function = test_oops_tick;
	}
	return 0;
}
module_init(test_oops_init);

static void __exit test_oops_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		hrtimer_cancel(per_cpu_ptr(&test_oops_timer, cpu));
}
module_exit(test_oops_exit);

MODULE_DESCRIPTION("tiffin: faults that are no policy's");
MODULE_LICENSE("GPL");
