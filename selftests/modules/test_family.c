// SPDX-License-Identifier: GPL-2.0-only
/*
 * A family that only asks. It registers with the core as any family does, puts questions from
 * kernel threads, softirqs and hardirqs, and keeps count of the answers on its own, to be held
 * against the core's counts and against the ledgers' books (tiffin/test_ledger.h).
 */
#include <linux/ktime.h>
#include <linux/sysfs.h>

#include <tiffin/test_family.h>

#include "core/dispatch.h"
#include "core/family.h"
#include "test_load.h"

#define TEST_OBJECTS	16

/* The verdicts in the order of enum tiffin_verdict. */
enum { CALLS, ANSWERED, STOCK, CONTINUITY, WRONG, OVERLAPS, STALE, COUNTS };

static const char * const test_names[COUNTS] = {
	"calls", "answered", "stock", "continuity", "wrong", "overlaps", "stale",
};

/* What a CPU's ledger, or an object's, said in this run: lowest and highest count, answers. */
struct test_book {
	atomic64_t first, last, answers;
};

static struct {
	atomic64_t count[COUNTS];
	struct test_book object[TEST_OBJECTS];
} seen;

static DEFINE_PER_CPU(struct test_book, seen_cpu);
static DEFINE_MUTEX(test_run_lock);
static struct tiffin_family test_family;
static u32 test_generation, test_generations[TEST_OBJECTS];
static u64 test_gauge;

static void test_enter(struct test_book *book, s64 before, s64 after)
{
	s64 old = atomic64_read(&book->first);

	while (old > before && !atomic64_try_cmpxchg(&book->first, &old, before))
		;
	old = atomic64_read(&book->last);
	while (old < after && !atomic64_try_cmpxchg(&book->last, &old, after))
		;
	atomic64_inc(&book->answers);
}

/* Calls that the books have too many or too few. */
static s64 test_miss(struct test_book *book)
{
	if (!atomic64_read(&book->answers))
		return 0;
	return abs(atomic64_read(&book->last) - atomic64_read(&book->first) -
		   atomic64_read(&book->answers));
}

static bool test_answer_ok(const void *question, const void *answer)
{
	const struct tiffin_test_out *out = answer;
	const struct tiffin_test_in *in = question;

	if (out->number == in->number && out->cpu < nr_cpu_ids && cpu_possible(out->cpu))
		return true;
	atomic64_inc(&seen.count[WRONG]);
	return false;
}

void test_ask(u32 hook)
{
	u64 number = atomic64_inc_return(&seen.count[CALLS]);
	struct tiffin_test_in in = {
		.size = sizeof(in), .object = number % TEST_OBJECTS, .number = number,
	};
	struct tiffin_test_out out = { .size = sizeof(out) };
	const struct tiffin_call call = {
		.hook = hook, .object = in.object, .generation = test_generation,
		.now_ns = ktime_get_ns(),
	};
	enum tiffin_verdict verdict = tiffin_dispatch(test_family.scope, &call, &in, &out);

	atomic64_inc(&seen.count[ANSWERED + verdict]);
	if (verdict != TIFFIN_ANSWERED)
		return;
	atomic64_add(!!(out.flags & TIFFIN_TEST_OVERLAP), &seen.count[OVERLAPS]);
	atomic64_add(!!(out.flags & TIFFIN_TEST_STALE), &seen.count[STALE]);
	if (!out.cpu_after)
		return;		/* this policy keeps no books */
	test_enter(per_cpu_ptr(&seen_cpu, out.cpu), out.cpu_before, out.cpu_after);
	test_enter(&seen.object[in.object], 0, out.object_calls);
}

/*
 * "THREADS MS [TICKS]": ask for so long, from so many threads and, as TICKS says, from timers: 0
 * none, 1 all, 2 those in softirqs, 3 those in hardirqs, with interrupts disabled; 4 none, and the
 * threads have interrupts disabled.
 */
static ssize_t run_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			 size_t len)
{
	unsigned int threads, ms, ticks = 1, cpu;
	int rc;

	if (sscanf(buf, "%u %u %u", &threads, &ms, &ticks) < 2 || threads > TEST_MAX_THREADS ||
	    ms > TEST_MAX_MS || ticks > TEST_IRQS_OFF)
		return -EINVAL;
	if (!mutex_trylock(&test_run_lock))
		return -EBUSY;
	memset(&seen, 0, sizeof(seen));
	for_each_possible_cpu(cpu) {
		atomic64_set(&per_cpu(seen_cpu, cpu).first, S64_MAX);
		atomic64_set(&per_cpu(seen_cpu, cpu).last, 0);
		atomic64_set(&per_cpu(seen_cpu, cpu).answers, 0);
	}
	test_generation = test_generation + 1 ?: 1;
	for (cpu = 0; cpu < TEST_OBJECTS; cpu++)
		WRITE_ONCE(test_generations[cpu], test_generation);
	rc = test_load(threads, ms, ticks);
	mutex_unlock(&test_run_lock);
	return rc ?: len;
}

static ssize_t result_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	s64 cpu_miss = 0, object_miss = 0;
	ssize_t len = 0;
	int i;

	for (i = 0; i < COUNTS; i++)
		len += sysfs_emit_at(buf, len, "%s %lld\n", test_names[i],
				     atomic64_read(&seen.count[i]));
	for_each_possible_cpu(i)
		cpu_miss += test_miss(per_cpu_ptr(&seen_cpu, i));
	for (i = 0; i < TEST_OBJECTS; i++)
		object_miss += test_miss(&seen.object[i]);
	return len + sysfs_emit_at(buf, len, "cpu_miss %lld\nobject_miss %lld\n", cpu_miss,
				   object_miss);
}

static ssize_t gauge_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			   size_t len)
{
	return kstrtou64(buf, 0, &test_gauge) ?: len;
}

static u64 test_figure(struct tiffin_family *family, unsigned int index)
{
	return index ? test_gauge : atomic64_read(&seen.count[CALLS]);
}

static struct kobj_attribute test_attr_run = __ATTR_WO(run);
static struct kobj_attribute test_attr_result = __ATTR_RO(result);
static struct kobj_attribute test_attr_gauge = __ATTR_WO(gauge);
static struct attribute *test_attrs[] = {
	&test_attr_run.attr, &test_attr_result.attr, &test_attr_gauge.attr, NULL,
};

static const struct attribute_group test_group = { .attrs = test_attrs };

static const struct tiffin_hook test_hooks[] = {
	{ "ask", offsetof(struct tiffin_test_hooks, ask), true, test_answer_ok },
	{ "tell", offsetof(struct tiffin_test_hooks, tell), false, test_answer_ok },
};

static const struct tiffin_figure test_figures[] = {
	{ "asked", "questions of this run", TIFFIN_FIGURE_COUNTER },
	{ "gauge", "whatever was written to the file gauge", TIFFIN_FIGURE_GAUGE },
};

static const struct tiffin_family_ops test_ops = { .figure = test_figure };
static struct tiffin_family test_family = {
	.name = "test", .abi = TIFFIN_test_ABI, .owner = THIS_MODULE, .max_objects = TEST_OBJECTS,
	.generation = test_generations,
	.hooks = test_hooks, .nr_hooks = ARRAY_SIZE(test_hooks), .figures = test_figures,
	.nr_figures = ARRAY_SIZE(test_figures), .ops = &test_ops, .attrs = &test_group,
	.limits = TIFFIN_LIMITS_INIT,
};

static int __init test_init(void)
{
	/* It does nothing but ask, mostly of policies that take their time, on emulated CPUs. */
	test_family.limits.cpu_percent = 100;
	test_family.limits.budget_us = 600000000;
	test_load_init();
	return tiffin_family_register(&test_family);
}
module_init(test_init);

static void __exit test_exit(void)
{
	tiffin_family_unregister(&test_family);
}
module_exit(test_exit);

MODULE_DESCRIPTION("tiffin: a family for tests");
MODULE_LICENSE("GPL");
MODULE_ALIAS("tiffin_test");
MODULE_IMPORT_NS(TIFFIN);
