// SPDX-License-Identifier: GPL-2.0-only
/*
 * What stop_machine() does to the CPUs of a machine: the obvious other way to swap a policy, for
 * comparison. Writing 1 to the parameter `run` stops the machine once, with nothing to do while it
 * stands; reading `result` then gives a line with the time in ns that each online CPU stood. A CPU
 * is taken to stand from where its stopper thread enters multi_cpu_stop() to where it leaves it: in
 * between no hook caller runs on it.
 */
#include <linux/cpu.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/stop_machine.h>
#include <linux/sysfs.h>
#include <linux/timekeeping.h>

static DEFINE_PER_CPU(u64, stop_ns);

/* The clock by which the gate measures holds. */
static int stop_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	*(u64 *)ri->data = ktime_get_mono_fast_ns();
	return 0;
}

static int stop_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	this_cpu_write(stop_ns, ktime_get_mono_fast_ns() - *(u64 *)ri->data);
	return 0;
}

static struct kretprobe stop_probe = {
	.kp.symbol_name = "multi_cpu_stop",
	.entry_handler = stop_entry,
	.handler = stop_return,
	.data_size = sizeof(u64),
	.maxactive = NR_CPUS,
};

static int stop_nothing(void *unused)
{
	return 0;
}

static int run_set(const char *val, const struct kernel_param *kp)
{
	unsigned int cpu;
	bool run;
	int rc = kstrtobool(val, &run);

	if (rc || !run)
		return rc;
	for_each_possible_cpu(cpu)
		per_cpu(stop_ns, cpu) = 0;
	return stop_machine(stop_nothing, NULL, NULL);
}

static int result_get(char *buf, const struct kernel_param *kp)
{
	unsigned int cpu;
	int len = 0;

	for_each_online_cpu(cpu)
		len += sysfs_emit_at(buf, len, "%llu ", per_cpu(stop_ns, cpu));
	len += sysfs_emit_at(buf, len, "\n");
	return len;
}

static const struct kernel_param_ops run_ops = { .set = run_set };
static const struct kernel_param_ops result_ops = { .get = result_get };

module_param_cb(run, &run_ops, NULL, 0200);
MODULE_PARM_DESC(run, "1: stop the machine");
module_param_cb(result, &result_ops, NULL, 0400);
MODULE_PARM_DESC(result, "how long each online CPU stood the last time, in ns");

static int __init stop_init(void)
{
	return register_kretprobe(&stop_probe);
}
module_init(stop_init);

static void __exit stop_exit(void)
{
	unregister_kretprobe(&stop_probe);
}
module_exit(stop_exit);

MODULE_DESCRIPTION("how long stop_machine() stops a machine");
MODULE_LICENSE("GPL");
