// SPDX-License-Identifier: GPL-2.0-only
/*
 * What stop_machine() does to the CPUs of a machine: the obvious other way to swap a policy, for
 * comparison. Writing a number N to the parameter `run` stops the machine N times, 20 ms apart,
 * with nothing to do while it stands; reading `result` gives a line "CPU STOPS LONGEST-NS SUM-NS"
 * for each CPU. A CPU is taken to stand from where its stopper thread enters multi_cpu_stop() to
 * where it leaves it: in between no hook caller runs on it.
 */
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/sched/clock.h>
#include <linux/stop_machine.h>
#include <linux/sysfs.h>

#define STOP_GAP_MS	20
#define STOP_MAX	100000

struct stop_seen {
	u64 stops;
	u64 longest;
	u64 sum;
};

static DEFINE_PER_CPU(struct stop_seen, stop_seen);

static int stop_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	*(u64 *)ri->data = local_clock();
	return 0;
}

static int stop_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct stop_seen *seen = this_cpu_ptr(&stop_seen);
	u64 took = local_clock() - *(u64 *)ri->data;

	seen->stops++;
	seen->sum += took;
	seen->longest = max(seen->longest, took);
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
	unsigned int cpu, n;
	int rc = kstrtouint(val, 0, &n);

	if (rc || n > STOP_MAX)
		return rc ?: -ERANGE;
	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(&stop_seen, cpu), 0, sizeof(struct stop_seen));
	while (n--) {
		rc = stop_machine(stop_nothing, NULL, NULL);
		if (rc)
			return rc;
		if (msleep_interruptible(STOP_GAP_MS))
			return -EINTR;
	}
	return 0;
}

static int result_get(char *buf, const struct kernel_param *kp)
{
	struct stop_seen *seen;
	unsigned int cpu;
	int len = 0;

	for_each_online_cpu(cpu) {
		seen = per_cpu_ptr(&stop_seen, cpu);
		len += sysfs_emit_at(buf, len, "%u %llu %llu %llu\n", cpu, seen->stops,
				     seen->longest, seen->sum);
	}
	return len;
}

static const struct kernel_param_ops run_ops = { .set = run_set };
static const struct kernel_param_ops result_ops = { .get = result_get };

module_param_cb(run, &run_ops, NULL, 0200);
MODULE_PARM_DESC(run, "stop the machine so many times");
module_param_cb(result, &result_ops, NULL, 0400);
MODULE_PARM_DESC(result, "CPU, stops, longest and sum in ns, a line a CPU");

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
