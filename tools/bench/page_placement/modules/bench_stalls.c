// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long the threads of one program are in the kernel because of where its pages lie. Writing a
 * process id to the parameter `tgid` begins anew with that process; reading `figures` gives a line
 * for each function that is watched, "NAME calls ns longest-ns", and `faults` how many faults took
 * 2^n ns and more, from n = 0:
 *
 *	fault	handle_mm_fault(): every fault of anonymous memory, with all that is done and waited
 *		for in it; of files a fault may wait for a disk, which says nothing of tiers
 *	after	task_work_run(): what was left for the way back to the program
 *	scan	task_numa_work(): of that the kernel's scan, which makes pages inaccessible
 *	copy	migrate_misplaced_folio(): of the faults the kernel's promotion, with its copy
 *	wait	migration_entry_wait(): of the faults the wait for a page that somebody moves
 */
#include <linux/atomic.h>
#include <linux/kprobes.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sysfs.h>
#include <linux/timekeeping.h>

#define STALLS_BUCKETS	32

struct stall {
	struct kretprobe probe;
	const char *name;
	atomic64_t calls;
	atomic64_t ns;
	atomic64_t longest;
};

static int stalls_tgid;
static atomic64_t stalls_faults[STALLS_BUCKETS];

/* What is not watched (1) is not seen to return, either. */
static int stalls_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	if (current->tgid != READ_ONCE(stalls_tgid))
		return 1;
	*(u64 *)ri->data = ktime_get_mono_fast_ns();
	return 0;
}

static int stalls_fault_entry(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	if (!vma_is_anonymous((struct vm_area_struct *)regs_get_kernel_argument(regs, 0)))
		return 1;
	return stalls_entry(ri, regs);
}

static int stalls_return(struct kretprobe_instance *ri, struct pt_regs *regs);

#define STALL(what, function, entry)						\
	{									\
		.name = what,							\
		.probe = {							\
			.kp.symbol_name = function,				\
			.entry_handler = entry,					\
			.handler = stalls_return,				\
			.data_size = sizeof(u64),				\
			.maxactive = 64,					\
		},								\
	}

static struct stall stalls[] = {
	STALL("fault", "handle_mm_fault", stalls_fault_entry),
	STALL("after", "task_work_run", stalls_entry),
	STALL("scan", "task_numa_work", stalls_entry),
	STALL("copy", "migrate_misplaced_folio", stalls_entry),
	STALL("wait", "migration_entry_wait", stalls_entry),
};

static int stalls_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct stall *stall = container_of(get_kretprobe(ri), struct stall, probe);
	s64 ns = ktime_get_mono_fast_ns() - *(u64 *)ri->data;
	s64 longest = atomic64_read(&stall->longest);

	atomic64_inc(&stall->calls);
	atomic64_add(ns, &stall->ns);
	while (ns > longest && !atomic64_try_cmpxchg(&stall->longest, &longest, ns))
		;
	if (stall == stalls && ns > 0)
		atomic64_inc(&stalls_faults[min(ilog2(ns), STALLS_BUCKETS - 1)]);
	return 0;
}

static int tgid_set(const char *val, const struct kernel_param *kp)
{
	int tgid, i, rc = kstrtoint(val, 10, &tgid);

	if (rc)
		return rc;
	for (i = 0; i < ARRAY_SIZE(stalls); i++) {
		atomic64_set(&stalls[i].calls, 0);
		atomic64_set(&stalls[i].ns, 0);
		atomic64_set(&stalls[i].longest, 0);
	}
	for (i = 0; i < STALLS_BUCKETS; i++)
		atomic64_set(&stalls_faults[i], 0);
	WRITE_ONCE(stalls_tgid, tgid);
	return 0;
}

static int figures_get(char *buf, const struct kernel_param *kp)
{
	int i, len = 0;

	for (i = 0; i < ARRAY_SIZE(stalls); i++)
		len += sysfs_emit_at(buf, len, "%s %lld %lld %lld\n", stalls[i].name,
				     atomic64_read(&stalls[i].calls), atomic64_read(&stalls[i].ns),
				     atomic64_read(&stalls[i].longest));
	for (i = 0; i < ARRAY_SIZE(stalls); i++)
		len += sysfs_emit_at(buf, len, "missed %s %d\n", stalls[i].name,
				     stalls[i].probe.nmissed);
	return len;
}

static int faults_get(char *buf, const struct kernel_param *kp)
{
	int i, len = 0;

	for (i = 0; i < STALLS_BUCKETS; i++)
		len += sysfs_emit_at(buf, len, "%d %lld\n", i, atomic64_read(&stalls_faults[i]));
	return len;
}

static const struct kernel_param_ops tgid_ops = { .set = tgid_set };
static const struct kernel_param_ops figures_ops = { .get = figures_get };
static const struct kernel_param_ops faults_ops = { .get = faults_get };

module_param_cb(tgid, &tgid_ops, NULL, 0200);
MODULE_PARM_DESC(tgid, "process to watch; all figures begin anew");
module_param_cb(figures, &figures_ops, NULL, 0400);
MODULE_PARM_DESC(figures, "calls, time, longest, of each function");
module_param_cb(faults, &faults_ops, NULL, 0400);
MODULE_PARM_DESC(faults, "faults by their time");

static void stalls_end(int nr)
{
	while (nr--)
		unregister_kretprobe(&stalls[nr].probe);
}

static int __init stalls_init(void)
{
	int i, rc;

	for (i = 0; i < ARRAY_SIZE(stalls); i++) {
		rc = register_kretprobe(&stalls[i].probe);
		if (rc) {
			pr_err("bench_stalls: no %s: %d\n", stalls[i].probe.kp.symbol_name, rc);
			stalls_end(i);
			return rc;
		}
	}
	return 0;
}
module_init(stalls_init);

static void __exit stalls_exit(void)
{
	stalls_end(ARRAY_SIZE(stalls));
}
module_exit(stalls_exit);

MODULE_DESCRIPTION("how long a program is in the kernel because of where its pages lie");
MODULE_LICENSE("GPL");
