// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects with records that policies keep, and threads that have them written: what does a swap do
 * to their callers, by the size of the stores? How a record is known to be right stands in
 * tiffin/bench_state.h; the family's own copy is the number of writes of each object.
 *
 * Files of the family, beside what each has:
 *   fill      1: make all used records new ones
 *   writers   1: a thread on each online CPU writes to objects of its own, all the time; 0: none
 *   check     1: see that each word of each used record is right
 *   touch     reading it writes the last used object's record once and gives the ticks that it took
 *   result    writes done, calls that got continuity, words that were wrong, records checked
 */
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/clock.h>
#include <linux/vmalloc.h>
#include <asm/msr.h>

#include <tiffin/bench_state.h>

#include "core/dispatch.h"
#include "core/family.h"

static unsigned int objects;
module_param(objects, uint, 0444);
MODULE_PARM_DESC(objects, "how many; 0: calls are about none");

static unsigned int used;
module_param(used, uint, 0444);
MODULE_PARM_DESC(used, "how many of them calls are about, evenly apart; 0: all");

static struct tiffin_family state_family;
static u32 *state_writes;
static atomic64_t state_written, state_continuity, state_wrong, state_checked;
static struct task_struct *state_thread[NR_CPUS];
/* Threads that are there; and for how many the objects are divided, which stays as they end. */
static unsigned int state_threads, state_split;
static DEFINE_MUTEX(state_lock);

/* The number of a used object among all. */
static u32 state_object(u32 nr)
{
	return used ? nr * (objects / used) : 0;
}

static enum tiffin_verdict state_call(enum tiffin_state_op op, u32 object)
{
	struct tiffin_state_in in = {
		.size = sizeof(in), .op = op, .object = object,
		.writes = objects ? state_writes[object] : 0,
	};
	struct tiffin_state_out out = { .size = sizeof(out) };
	const struct tiffin_call call = {
		.object = objects ? object : TIFFIN_NO_OBJECT, .generation = 1,
		.now_ns = local_clock(),
	};
	enum tiffin_verdict verdict = tiffin_dispatch(state_family.scope, &call, &in, &out);

	if (verdict == TIFFIN_CONTINUITY)
		atomic64_inc(&state_continuity);
	else if (out.wrong)
		atomic64_add(out.wrong, &state_wrong);
	return verdict;
}

static void state_write(u32 object)
{
	if (state_call(TIFFIN_STATE_WRITE, object) != TIFFIN_ANSWERED)
		return;
	atomic64_inc(&state_written);
	if (objects)
		state_writes[object]++;
}

/* Thread number n of so many has the used objects n, n + threads, ... alone. */
static int state_writer(void *number)
{
	u32 threads = state_split, each = used / threads;
	u32 mine = (unsigned long)number, random = mine, i;

	for (i = 0; !kthread_should_stop(); i++) {
		random = random * 1664525 + 1013904223;
		state_write(state_object(((u64)random * each >> 32) * threads + mine));
		if (!(i % 64))
			cond_resched();
	}
	return 0;
}

static void state_stop(void)
{
	while (state_threads--)
		kthread_stop(state_thread[state_threads]);
	state_threads = 0;
}

static int state_start(void)
{
	unsigned int cpu, nr = 0;

	if (used && used < num_online_cpus())
		return -EINVAL;
	for_each_online_cpu(cpu) {
		struct task_struct *task = kthread_create_on_cpu(state_writer,
								 (void *)(unsigned long)nr, cpu,
								 "state/%u");

		if (IS_ERR(task)) {
			state_threads = nr;
			state_stop();
			return PTR_ERR(task);
		}
		state_thread[nr++] = task;
	}
	state_threads = nr;
	state_split = nr;
	while (nr)
		wake_up_process(state_thread[--nr]);
	return 0;
}

static ssize_t writers_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			     size_t len)
{
	bool run;
	int rc = kstrtobool(buf, &run);

	if (rc)
		return rc;
	mutex_lock(&state_lock);
	if (run && !state_threads)
		rc = state_start();
	else if (!run && state_threads)
		state_stop();
	mutex_unlock(&state_lock);
	return rc ?: len;
}

/* One call for each used object, while nobody writes; what is busy is asked about again. */
static int state_all(enum tiffin_state_op op, bool count)
{
	int rc = -EBUSY;
	u32 object, nr;

	mutex_lock(&state_lock);
	if (state_threads)
		goto unlock;
	for (nr = 0; nr < used; nr++) {
		object = state_object(nr);
		if (op == TIFFIN_STATE_FILL)
			state_writes[object] = 0;
		while (state_call(op, object) != TIFFIN_ANSWERED)
			usleep_range(10, 20);
		if (count)
			atomic64_inc(&state_checked);
		cond_resched();
	}
	rc = 0;
unlock:
	mutex_unlock(&state_lock);
	return rc;
}

static ssize_t fill_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			  size_t len)
{
	return state_all(TIFFIN_STATE_FILL, false) ?: len;
}

static ssize_t check_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			   size_t len)
{
	atomic64_set(&state_checked, 0);
	return state_all(TIFFIN_STATE_CHECK, true) ?: len;
}

static ssize_t touch_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	unsigned long flags;
	u64 ticks;

	mutex_lock(&state_lock);
	local_irq_save(flags);
	ticks = rdtsc_ordered();
	state_write(used ? state_object(used - 1) : 0);
	ticks = rdtsc_ordered() - ticks;
	local_irq_restore(flags);
	mutex_unlock(&state_lock);
	return sysfs_emit(buf, "%llu\n", ticks);
}

static ssize_t result_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "written %lld\ncontinuity %lld\nwrong %lld\nchecked %lld\n",
			  atomic64_read(&state_written), atomic64_read(&state_continuity),
			  atomic64_read(&state_wrong), atomic64_read(&state_checked));
}

static struct kobj_attribute state_attr_writers = __ATTR_WO(writers);
static struct kobj_attribute state_attr_fill = __ATTR_WO(fill);
static struct kobj_attribute state_attr_check = __ATTR_WO(check);
static struct kobj_attribute state_attr_touch = __ATTR_RO(touch);
static struct kobj_attribute state_attr_result = __ATTR_RO(result);
static struct attribute *state_attrs[] = {
	&state_attr_writers.attr, &state_attr_fill.attr, &state_attr_check.attr,
	&state_attr_touch.attr, &state_attr_result.attr, NULL,
};

static const struct attribute_group state_group = { .attrs = state_attrs };

static const struct tiffin_hook state_hooks[] = {
	{ "ask", offsetof(struct tiffin_bench_state_hooks, ask), true },
};

static const struct tiffin_family_ops state_ops;

static struct tiffin_family state_family = {
	.name = "bench_state",
	.abi = TIFFIN_bench_state_ABI,
	.owner = THIS_MODULE,
	.hooks = state_hooks,
	.nr_hooks = ARRAY_SIZE(state_hooks),
	.ops = &state_ops,
	.attrs = &state_group,
	.limits = TIFFIN_LIMITS_INIT,
};

static int __init state_init(void)
{
	int rc;

	if (!used || used > objects)
		used = objects;
	state_writes = vzalloc(array_size(objects + 1, sizeof(*state_writes)));
	if (!state_writes)
		return -ENOMEM;
	state_family.max_objects = objects;
	rc = tiffin_family_register(&state_family);
	if (rc)
		vfree(state_writes);
	return rc;
}
module_init(state_init);

static void __exit state_exit(void)
{
	mutex_lock(&state_lock);
	if (state_threads)
		state_stop();
	mutex_unlock(&state_lock);
	tiffin_family_unregister(&state_family);
	vfree(state_writes);
}
module_exit(state_exit);

MODULE_DESCRIPTION("tiffin: a family with large records");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(TIFFIN);
