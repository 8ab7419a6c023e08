// SPDX-License-Identifier: GPL-2.0-only
/*
 * Swaps under load on several CPUs: a thread and a timer interrupt on each CPU put questions
 * without end, so that calls nest, meet on objects, and stand at the gate while it is closed.
 */
#include <linux/cpu.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/smp.h>

#include "lab_kunit.h"

/* Few, so that calls meet on them. */
#define OBJECTS		3
#define TIMER_NS	500000

/**
 * struct smp_caller - one context that puts questions; nothing else writes this
 * @lab: whom it asks
 * @task: the thread, or NULL where it is the timer
 * @timer: or that
 * @calls: questions put
 * @verdict: answers by enum tiffin_verdict
 * @wrong: answers that were not given exactly once, or by nobody's policy
 * @backwards: answers of an older epoch than the one before
 * @epoch: of the last answer
 */
struct smp_caller {
	struct lab *lab;
	struct task_struct *task;
	struct hrtimer timer;
	u64 calls;
	u64 verdict[3];
	u64 wrong;
	u64 backwards;
	u64 epoch;
};

struct smp_load {
	struct lab lab;			/* first: test->priv is the lab */
	unsigned int nr;
	struct smp_caller *callers;
	int held_cpu;
	u32 held;
	u32 release;
};

static struct smp_load *smp_load(struct kunit *test)
{
	return test->priv;
}

static void smp_ask(struct smp_caller *caller)
{
	struct lab_out out;
	enum tiffin_verdict verdict;

	caller->calls++;
	verdict = lab_ask(caller->lab, caller->calls % 2, caller->calls % OBJECTS, &out);
	caller->verdict[verdict]++;
	if (verdict != TIFFIN_ANSWERED) {
		caller->wrong += out.answers;
		return;
	}
	caller->wrong += out.answers != 1 || out.number != caller->calls % OBJECTS;
	if (out.epoch < caller->epoch)
		caller->backwards++;
	caller->epoch = out.epoch;
}

static int smp_thread(void *data)
{
	struct smp_caller *caller = data;

	while (!kthread_should_stop()) {
		smp_ask(caller);
		cond_resched();
	}
	return 0;
}

static enum hrtimer_restart smp_tick(struct hrtimer *timer)
{
	smp_ask(container_of(timer, struct smp_caller, timer));
	hrtimer_forward_now(timer, ns_to_ktime(TIMER_NS));
	return HRTIMER_RESTART;
}

static void smp_start_timer(void *data)
{
	struct smp_caller *caller = data;

	hrtimer_start(&caller->timer, ns_to_ktime(TIMER_NS), HRTIMER_MODE_REL_PINNED_HARD);
}

/* Long enough for another CPU to flip under it, were it not for the gate. */
static void smp_dwell(struct lab *lab, const struct tiffin_ctx *ctx)
{
	int i;

	for (i = 0; i < 200; i++)
		cpu_relax();
}

static void smp_start(struct kunit *test)
{
	struct smp_load *load = smp_load(test);
	struct smp_caller *caller;
	struct task_struct *task;
	int cpu;

	load->callers = kunit_kcalloc(test, 2 * num_online_cpus(), sizeof(*load->callers),
				      GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, load->callers);
	load->lab.in_hook = smp_dwell;
	for_each_online_cpu(cpu) {
		caller = &load->callers[load->nr];
		caller->lab = &load->lab;
		task = kthread_create(smp_thread, caller, "lab_caller/%d", cpu);
		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
		caller->task = task;
		load->nr++;
		kthread_bind(task, cpu);
		wake_up_process(task);

		caller = &load->callers[load->nr];
		caller->lab = &load->lab;
		hrtimer_init(&caller->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
		caller->timer.function = smp_tick;
		load->nr++;
		smp_call_function_single(cpu, smp_start_timer, caller, 1);
	}
}

static void smp_stop(struct smp_load *load)
{
	unsigned int i;

	/* A held call that a failed test has left. */
	WRITE_ONCE(load->release, 1);
	for (i = 0; i < load->nr; i++) {
		if (load->callers[i].task)
			kthread_stop(load->callers[i].task);
		else
			hrtimer_cancel(&load->callers[i].timer);
	}
	load->nr = 0;
}

static int smp_test_init(struct kunit *test)
{
	struct smp_load *load = kunit_kzalloc(test, sizeof(*load), GFP_KERNEL);
	int rc;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, load);
	test->priv = load;
	rc = lab_start(&load->lab);
	/* The virtual machine's CPUs are themselves preempted, which holds attempts up. */
	load->lab.family.limits.timeout_ms = 60000;
	return rc;
}

static void smp_test_exit(struct kunit *test)
{
	smp_stop(smp_load(test));
	lab_stop(test->priv);
}

/* Every context has put questions, all through the swaps so far. */
static void smp_let_run(struct kunit *test)
{
	struct smp_load *load = smp_load(test);
	unsigned int i;
	u64 before;

	for (i = 0; i < load->nr; i++) {
		before = READ_ONCE(load->callers[i].calls);
		while (READ_ONCE(load->callers[i].calls) == before)
			usleep_range(50, 200);
	}
}

/*
 * D1 to D3 and the callers' own books: each question was answered exactly once, by the policy of
 * the epoch, and no two policies were at work at once.
 */
static void smp_settle(struct kunit *test, unsigned int nr_callers)
{
	struct smp_load *load = smp_load(test);
	struct lab *lab = &load->lab;
	u64 calls = 0, verdict[3] = {}, wrong = 0, backwards = 0;
	struct tiffin_figures f;
	unsigned int i, v;

	for (i = 0; i < nr_callers; i++) {
		struct smp_caller *caller = &load->callers[i];

		calls += caller->calls;
		for (v = 0; v < 3; v++)
			verdict[v] += caller->verdict[v];
		wrong += caller->wrong;
		backwards += caller->backwards;
	}
	f = lab_figures(lab);
	KUNIT_EXPECT_EQ(test, f.calls, calls);
	KUNIT_EXPECT_EQ(test, f.answered, verdict[TIFFIN_ANSWERED]);
	KUNIT_EXPECT_EQ(test, f.stock, verdict[TIFFIN_DEFAULT]);
	KUNIT_EXPECT_EQ(test, tiffin_figures_continuity(&f), verdict[TIFFIN_CONTINUITY]);
	LAB_EXPECT_ACCOUNTS(test, lab);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, backwards, 0);
	KUNIT_EXPECT_EQ(test, lab->mixed, 0);
	KUNIT_EXPECT_GT(test, f.answered, 0);
}

/* What the stores that went over by reference through all swaps have counted. */
static void smp_expect_stores(struct kunit *test, u64 answered)
{
	struct lab *lab = test->priv;
	struct tiffin_instance *inst = lab->family.scope->gate.active;
	struct tiffin_store_mem *objects = inst->store[TIFFIN_STORE_OBJECT];
	u64 of_objects = 0, of_cpus = 0;
	int i, cpu;

	for (i = 0; i < OBJECTS; i++)
		of_objects += *(u64 *)((struct tiffin_record *)(objects->objects +
								i * objects->stride))->data;
	for_each_possible_cpu(cpu)
		of_cpus += *(u64 *)per_cpu_ptr(inst->store[TIFFIN_STORE_PER_CPU]->percpu, cpu);
	KUNIT_EXPECT_EQ(test, *(u64 *)inst->store[TIFFIN_STORE_INSTANCE]->record, answered);
	KUNIT_EXPECT_EQ(test, of_objects, answered);
	KUNIT_EXPECT_EQ(test, of_cpus, answered);
}

static void smp_swaps_lose_nothing(struct kunit *test)
{
	struct smp_load *load = smp_load(test);
	struct lab *lab = test->priv;
	unsigned int nr;
	int i;

	KUNIT_ASSERT_EQ(test, lab_swap(lab, "alpha"), 0);
	smp_start(test);
	nr = load->nr;
	smp_let_run(test);
	for (i = 0; i < 200; i++) {
		KUNIT_ASSERT_EQ_MSG(test, lab_swap(lab, i % 2 ? "alpha" : "beta"), 0, "%s",
				    lab_error(lab));
		if (i % 20 == 0)
			smp_let_run(test);
	}
	smp_stop(load);
	smp_settle(test, nr);
	smp_expect_stores(test, lab_figures(lab).answered);
	KUNIT_EXPECT_EQ(test, lab->family.scope->gate.epoch, 201);
}

/* The default, and policies whose stores come and go, in between. */
static void smp_swaps_of_all_kinds(struct kunit *test)
{
	static const char * const names[] = { "alpha", "gamma", "default", "bare", "beta" };
	struct smp_load *load = smp_load(test);
	struct lab *lab = test->priv;
	unsigned int nr;
	int i;

	smp_start(test);
	nr = load->nr;
	for (i = 0; i < 100; i++) {
		KUNIT_ASSERT_EQ_MSG(test, lab_swap(lab, names[i % 5]), 0, "%s", lab_error(lab));
		if (i % 10 < 5)
			smp_let_run(test);
	}
	smp_stop(load);
	smp_settle(test, nr);
	KUNIT_EXPECT_GT(test, lab_figures(lab).stock, 0);
}

static void smp_rollbacks_lose_nothing(struct kunit *test)
{
	struct smp_load *load = smp_load(test);
	struct lab *lab = test->priv;
	struct tiffin_scope *scope = lab->family.scope;
	unsigned int nr;
	int i;

	KUNIT_ASSERT_EQ(test, lab_swap(lab, "alpha"), 0);
	smp_start(test);
	nr = load->nr;
	for (i = 0; i < 60; i++) {
		KUNIT_ASSERT_EQ_MSG(test, lab_swap(lab, strcmp(lab_active(lab), "alpha") ?
					"alpha probation_ms=86400000" :
					"beta probation_ms=86400000"), 0, "%s", lab_error(lab));
		if (i % 10 == 0)
			smp_let_run(test);
		KUNIT_ASSERT_EQ_MSG(test, i % 3 ? tiffin_swap_rollback(scope) :
						  tiffin_swap_commit(scope), 0, "%s",
				    lab_error(lab));
	}
	smp_stop(load);
	smp_settle(test, nr);
	smp_expect_stores(test, lab_figures(lab).answered);
	KUNIT_EXPECT_EQ(test, scope->swap.rollbacks, 40);
	KUNIT_EXPECT_EQ(test, scope->gate.epoch, 1 + 60 + 40);
}

/* One call stays in its hook until the test lets it go. */
static void smp_hold(struct lab *lab, const struct tiffin_ctx *ctx)
{
	struct smp_load *load = container_of(lab, struct smp_load, lab);

	if (!in_task() || cmpxchg(&load->held, 0, 1))
		return;
	load->held_cpu = ctx->env->cpu;
	/* Who sees the 2 sees the CPU. */
	smp_store_release(&load->held, 2);
	while (!READ_ONCE(load->release))
		cpu_relax();
}

/* U4 with a call that really is there; the other CPUs are served meanwhile. */
static void smp_held_call_is_named(struct kunit *test)
{
	struct smp_load *load = smp_load(test);
	struct lab *lab = test->priv;
	unsigned int nr, i;
	u64 calls = 0, calls_before = 0;
	char who[64];

	KUNIT_ASSERT_EQ(test, lab_swap(lab, "alpha"), 0);
	smp_start(test);
	nr = load->nr;
	smp_let_run(test);
	WRITE_ONCE(lab->in_hook, smp_hold);
	/* Pairs with the release in smp_hold(). */
	while (smp_load_acquire(&load->held) != 2)
		usleep_range(50, 200);
	for (i = 0; i < nr; i++)
		calls_before += READ_ONCE(load->callers[i].calls);
	KUNIT_EXPECT_EQ(test, lab_swap(lab, "beta timeout_ms=1000"), -ETIMEDOUT);
	for (i = 0; i < nr; i++)
		calls += READ_ONCE(load->callers[i].calls);
	snprintf(who, sizeof(who), "of alpha-1.0+b1 on CPU %d", load->held_cpu);
	LAB_EXPECT_SAYS(test, lab_error(lab), who);
	KUNIT_EXPECT_STREQ(test, lab_active(lab), "alpha");
	KUNIT_EXPECT_GT(test, calls, calls_before);

	WRITE_ONCE(load->release, 1);
	KUNIT_EXPECT_EQ_MSG(test, lab_swap(lab, "beta"), 0, "%s", lab_error(lab));
	smp_stop(load);
	smp_settle(test, nr);
	smp_expect_stores(test, lab_figures(lab).answered);
}

/* G5: CPUs go and come between swaps, not into them. */
static int smp_plug(void *data)
{
	struct kunit *test = data;
	int cpu = cpumask_last(cpu_online_mask);

	while (!kthread_should_stop()) {
		KUNIT_EXPECT_EQ(test, remove_cpu(cpu), 0);
		KUNIT_EXPECT_EQ(test, add_cpu(cpu), 0);
		msleep(20);
	}
	return 0;
}

static void smp_swaps_beside_hotplug(struct kunit *test)
{
	struct smp_load *load = smp_load(test);
	struct lab *lab = test->priv;
	struct task_struct *task;
	unsigned int nr;
	int i;

	KUNIT_ASSERT_EQ(test, lab_swap(lab, "alpha"), 0);
	smp_start(test);
	nr = load->nr;
	task = kthread_run(smp_plug, test, "lab_plug");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	for (i = 0; i < 60; i++)
		KUNIT_EXPECT_EQ_MSG(test, lab_swap(lab, i % 2 ? "alpha" : "beta"), 0, "%s",
				    lab_error(lab));
	kthread_stop(task);
	smp_let_run(test);
	smp_stop(load);
	smp_settle(test, nr);
	smp_expect_stores(test, lab_figures(lab).answered);
}

static struct kunit_case smp_cases[] = {
	KUNIT_CASE(smp_swaps_lose_nothing),
	KUNIT_CASE(smp_swaps_of_all_kinds),
	KUNIT_CASE(smp_rollbacks_lose_nothing),
	KUNIT_CASE(smp_held_call_is_named),
	KUNIT_CASE(smp_swaps_beside_hotplug),
	{}
};

static struct kunit_suite smp_suite = {
	.name = "smp",
	.init = smp_test_init,
	.exit = smp_test_exit,
	.test_cases = smp_cases,
};
kunit_test_suite(smp_suite);
