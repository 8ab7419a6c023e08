// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dispatch on one CPU: who answers, what a policy is told, what is counted (invariants D1 to D4 in
 * dispatch.h), and the gate's rules for calls that come while it isn't open (G2, G3 in gate.h).
 */
#include "lab_kunit.h"

static void dispatch_default_answers_stock(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct tiffin_figures f;
	struct lab_out out;

	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 0, &out), TIFFIN_DEFAULT);
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_TELL, 0, &out), TIFFIN_DEFAULT);
	KUNIT_EXPECT_EQ(test, out.answers, 0);
	f = lab_figures(lab);
	KUNIT_EXPECT_EQ(test, f.calls, 2);
	KUNIT_EXPECT_EQ(test, f.stock, 2);
	LAB_EXPECT_ACCOUNTS(test, lab);
}

static void dispatch_policy_answers(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;
	u32 i;

	KUNIT_ASSERT_EQ(test, lab_swap(lab, "alpha"), 0);
	for (i = 1; i <= 10; i++) {
		KUNIT_EXPECT_EQ(test, lab_ask(lab, i % 2, 3, &out), TIFFIN_ANSWERED);
		KUNIT_EXPECT_EQ(test, out.answers, 1);
		KUNIT_EXPECT_EQ(test, out.number, 3);
		KUNIT_EXPECT_EQ(test, out.who, LAB_ALPHA);
		KUNIT_EXPECT_EQ(test, out.object_calls, i);
		KUNIT_EXPECT_EQ(test, out.instance_calls, i);
	}
	KUNIT_EXPECT_EQ(test, lab_figures(lab).answered, 10);
	LAB_EXPECT_ACCOUNTS(test, lab);
}

static void dispatch_missing_hook_is_stock(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;

	KUNIT_ASSERT_EQ(test, lab_swap(lab, "bare"), 0);
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 0, &out), TIFFIN_ANSWERED);
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_TELL, 0, &out), TIFFIN_DEFAULT);
	KUNIT_EXPECT_EQ(test, out.answers, 0);
	KUNIT_EXPECT_EQ(test, lab_figures(lab).answered, 1);
	KUNIT_EXPECT_EQ(test, lab_figures(lab).stock, 1);
	LAB_EXPECT_ACCOUNTS(test, lab);
}

static void dispatch_tells_the_policy(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;
	int cpu;

	KUNIT_ASSERT_EQ(test, lab_swap(lab, "alpha"), 0);
	preempt_disable();
	cpu = smp_processor_id();
	lab_ask(lab, LAB_ASK, 0, &out);
	preempt_enable();
	KUNIT_EXPECT_EQ(test, out.cpu, cpu);
	KUNIT_EXPECT_EQ(test, out.knob, 7);
	KUNIT_EXPECT_EQ(test, out.now_ns, 12345);
	KUNIT_EXPECT_EQ(test, out.epoch, lab->family.scope->gate.epoch);
	KUNIT_EXPECT_EQ(test, out.flags, TIFFIN_CTX_OBJECT_FRESH);
	KUNIT_EXPECT_EQ(test, lab->adopted[LAB_ALPHA], 0);
	KUNIT_EXPECT_EQ(test, lab->inits[LAB_ALPHA], 1);
}

static void dispatch_env_of_each_cpu(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct tiffin_instance *inst;
	int cpu;

	KUNIT_ASSERT_EQ(test, lab_swap(lab, "alpha"), 0);
	inst = lab->family.scope->gate.active;
	for_each_possible_cpu(cpu) {
		const struct tiffin_env *env = per_cpu_ptr(inst->env, cpu);

		KUNIT_EXPECT_EQ(test, env->size, sizeof(*env));
		KUNIT_EXPECT_EQ(test, env->cpu, cpu);
		KUNIT_EXPECT_EQ(test, env->nr_cpus, nr_cpu_ids);
		KUNIT_EXPECT_EQ(test, env->reserved, 0);
		KUNIT_EXPECT_PTR_EQ(test, (void *)env->tunables, (void *)inst->policy->tunables);
		KUNIT_EXPECT_PTR_EQ(test, (void *)env->counters,
				    (void *)per_cpu_ptr(inst->counters, cpu));
		KUNIT_EXPECT_PTR_EQ(test, env->instance,
				    inst->store[TIFFIN_STORE_INSTANCE]->record);
		KUNIT_EXPECT_PTR_EQ(test, env->percpu,
				    per_cpu_ptr(inst->store[TIFFIN_STORE_PER_CPU]->percpu, cpu));
	}

	/* What a policy has not declared is not there. */
	KUNIT_ASSERT_EQ(test, lab_swap(lab, "bare"), 0);
	inst = lab->family.scope->gate.active;
	for_each_possible_cpu(cpu) {
		const struct tiffin_env *env = per_cpu_ptr(inst->env, cpu);

		KUNIT_EXPECT_NULL(test, env->counters);
		KUNIT_EXPECT_NULL(test, env->instance);
		KUNIT_EXPECT_NULL(test, env->percpu);
	}
}

static void dispatch_fresh_object(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct tiffin_loaded *alpha;
	struct lab_out out;

	KUNIT_ASSERT_EQ(test, lab_swap(lab, "alpha"), 0);
	lab_ask_generation(lab, LAB_ASK, 5, 8, &out);
	KUNIT_EXPECT_EQ(test, out.flags, TIFFIN_CTX_OBJECT_FRESH);
	lab_ask_generation(lab, LAB_ASK, 5, 8, &out);
	KUNIT_EXPECT_EQ(test, out.flags, 0);
	KUNIT_EXPECT_EQ(test, out.object_calls, 2);
	lab_ask_generation(lab, LAB_ASK, 5, 9, &out);
	KUNIT_EXPECT_EQ(test, out.flags, TIFFIN_CTX_OBJECT_FRESH);
	KUNIT_EXPECT_EQ(test, out.object_calls, 1);

	alpha = lab->family.scope->gate.active->policy;
	KUNIT_EXPECT_EQ(test, tiffin_policy_counter(alpha, LAB_ASKED), 3);
	KUNIT_EXPECT_EQ(test, tiffin_policy_counter(alpha, LAB_FRESH), 2);
}

static void dispatch_call_about_no_object(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;

	KUNIT_ASSERT_EQ(test, lab_swap(lab, "alpha"), 0);
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, TIFFIN_NO_OBJECT, &out), TIFFIN_ANSWERED);
	KUNIT_EXPECT_EQ(test, out.object_calls, 0);
	KUNIT_EXPECT_EQ(test, out.flags, 0);
	KUNIT_EXPECT_EQ(test, out.instance_calls, 1);
	LAB_EXPECT_ACCOUNTS(test, lab);
}

static void dispatch_bad_answers(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;

	KUNIT_ASSERT_EQ(test, lab_swap(lab, "alpha"), 0);
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 0, &out), TIFFIN_ANSWERED);
	lab->nonsense = true;
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 0, &out), TIFFIN_CONTINUITY);
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 1, &out), TIFFIN_CONTINUITY);
	KUNIT_EXPECT_EQ(test, lab_figures(lab).bad_answers, 2);
	LAB_EXPECT_ACCOUNTS(test, lab);

	/* Any answer will do here. */
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_TELL, 0, &out), TIFFIN_ANSWERED);

	/* The record was closed: the next call can have it. */
	lab->nonsense = false;
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 0, &out), TIFFIN_ANSWERED);
	KUNIT_EXPECT_EQ(test, lab_figures(lab).bad_answers, 2);
	KUNIT_EXPECT_EQ(test, lab_figures(lab).answered, 3);
	LAB_EXPECT_ACCOUNTS(test, lab);
}

/* One call in 64 of each CPU is timed. */
static void dispatch_samples_times(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct tiffin_hist_sum *sum = kunit_kzalloc(test, sizeof(*sum), GFP_KERNEL);
	struct lab_out out;
	int i, twice = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sum);
	KUNIT_ASSERT_EQ(test, lab_swap(lab, "alpha"), 0);
	preempt_disable();
	for (i = 0; i < 64 * 5; i++) {
		lab_ask(lab, LAB_ASK, 0, &out);
		twice += out.answers != 1;
	}
	preempt_enable();
	KUNIT_EXPECT_EQ(test, twice, 0);
	tiffin_hist_read(lab->family.scope->hook_hist, sum);
	KUNIT_EXPECT_EQ(test, sum->total, 5);

	tiffin_figures_reset_times(lab->family.scope);
	tiffin_hist_read(lab->family.scope->hook_hist, sum);
	KUNIT_EXPECT_EQ(test, sum->total, 0);
	KUNIT_EXPECT_EQ(test, lab_figures(lab).calls, 64 * 5);
}

/* A nested call in a hook: as an interrupt on the same CPU would put it. */
struct nested {
	u32 object;
	enum tiffin_verdict verdict;
	struct lab_out out;
	u32 word;
};

static void nested_ask(struct lab *lab, const struct tiffin_ctx *ctx)
{
	struct nested *nested = lab->private;

	lab->in_hook = NULL;
	WRITE_ONCE(lab->family.scope->gate.word, nested->word);
	nested->verdict = lab_ask(lab, LAB_ASK, nested->object, &nested->out);
	WRITE_ONCE(lab->family.scope->gate.word, TIFFIN_GATE_OPEN);
}

/* D1 for a record that is lent already: the nested call gets the continuity answer, at once. */
static void dispatch_busy_record(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct nested nested = { .object = 4, .word = TIFFIN_GATE_OPEN };
	struct tiffin_figures f;
	struct lab_out out;

	KUNIT_ASSERT_EQ(test, lab_swap(lab, "alpha"), 0);
	lab->private = &nested;
	lab->in_hook = nested_ask;
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 4, &out), TIFFIN_ANSWERED);
	KUNIT_EXPECT_EQ(test, nested.verdict, TIFFIN_CONTINUITY);
	KUNIT_EXPECT_EQ(test, nested.out.answers, 0);

	nested.object = 5;
	lab->in_hook = nested_ask;
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 4, &out), TIFFIN_ANSWERED);
	KUNIT_EXPECT_EQ(test, nested.verdict, TIFFIN_ANSWERED);

	/* The record is free again. */
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 4, &out), TIFFIN_ANSWERED);
	KUNIT_EXPECT_EQ(test, out.object_calls, 3);

	f = lab_figures(lab);
	KUNIT_EXPECT_EQ(test, f.calls, 5);
	KUNIT_EXPECT_EQ(test, f.answered, 4);
	KUNIT_EXPECT_EQ(test, f.continuity_busy, 1);
	LAB_EXPECT_ACCOUNTS(test, lab);
}

static void gate_slow_lets_in(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;

	KUNIT_ASSERT_EQ(test, lab_swap(lab, "alpha"), 0);
	WRITE_ONCE(lab->family.scope->gate.word, TIFFIN_GATE_SLOW);
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 0, &out), TIFFIN_ANSWERED);
	KUNIT_EXPECT_EQ(test, lab_figures(lab).held, 0);
	LAB_EXPECT_ACCOUNTS(test, lab);
}

/* Nothing is left counted in the gate when no call is under way. */
static void gate_expect_empty(struct kunit *test)
{
	struct lab *lab = test->priv;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct tiffin_gate_cpu *mine = per_cpu_ptr(lab->family.scope->gate.cpu, cpu);

		KUNIT_EXPECT_EQ(test, mine->entered, 0);
		KUNIT_EXPECT_EQ(test, mine->inside, 0);
	}
}

static struct tiffin_hist_sum *gate_holds(struct kunit *test)
{
	struct tiffin_hist_sum *sum = kunit_kzalloc(test, sizeof(*sum), GFP_KERNEL);
	struct lab *lab = test->priv;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sum);
	tiffin_hist_read(lab->family.scope->hold_hist, sum);
	return sum;
}

/* D4: held for hold_ns, then the continuity answer; each hold is counted with its time. */
static void gate_closed_holds(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;

	KUNIT_ASSERT_EQ(test, lab_swap(lab, "alpha"), 0);
	lab->family.limits.hold_ns = 20000;
	WRITE_ONCE(lab->family.scope->gate.word, TIFFIN_GATE_CLOSED);
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 0, &out), TIFFIN_CONTINUITY);
	KUNIT_EXPECT_EQ(test, out.answers, 0);
	KUNIT_EXPECT_EQ(test, lab_figures(lab).held, 1);
	KUNIT_EXPECT_EQ(test, lab_figures(lab).continuity_gate, 1);
	KUNIT_EXPECT_EQ(test, gate_holds(test)->total, 1);
	/* It is a lower bound by construction, not by the speed of a machine. */
	KUNIT_EXPECT_GE(test, gate_holds(test)->max, 20000);

	WRITE_ONCE(lab->family.scope->gate.word, TIFFIN_GATE_OPEN);
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 0, &out), TIFFIN_ANSWERED);
	gate_expect_empty(test);
	LAB_EXPECT_ACCOUNTS(test, lab);
}

static void gate_closed_without_hold(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;

	KUNIT_ASSERT_EQ(test, lab_swap(lab, "alpha"), 0);
	lab->family.limits.hold_ns = 0;
	WRITE_ONCE(lab->family.scope->gate.word, TIFFIN_GATE_CLOSED);
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 0, &out), TIFFIN_CONTINUITY);
	KUNIT_EXPECT_EQ(test, lab_figures(lab).continuity_gate, 1);
	gate_expect_empty(test);
	LAB_EXPECT_ACCOUNTS(test, lab);
}

/* G3: a call that interrupts one which is in goes in too, or the gate would never drain. */
static void gate_nested_goes_in(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct nested nested = { .object = 1, .word = TIFFIN_GATE_CLOSED };
	struct lab_out out;

	KUNIT_ASSERT_EQ(test, lab_swap(lab, "alpha"), 0);
	lab->private = &nested;
	lab->in_hook = nested_ask;
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 0, &out), TIFFIN_ANSWERED);
	KUNIT_EXPECT_EQ(test, nested.verdict, TIFFIN_ANSWERED);
	KUNIT_EXPECT_EQ(test, nested.out.answers, 1);
	KUNIT_EXPECT_EQ(test, nested.out.who, LAB_ALPHA);
	KUNIT_EXPECT_EQ(test, lab_figures(lab).held, 0);
	gate_expect_empty(test);
	LAB_EXPECT_ACCOUNTS(test, lab);
}

/*
 * G2: a call that interrupts one which has counted itself but isn't in gets the continuity answer
 * at once. The outer one could not back out meanwhile, so a wait would last for all of hold_ns.
 */
static void gate_nested_does_not_wait(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct tiffin_gate *gate = &lab->family.scope->gate;
	enum tiffin_verdict verdict;
	struct lab_out out;
	int cpu;

	KUNIT_ASSERT_EQ(test, lab_swap(lab, "alpha"), 0);
	preempt_disable();
	cpu = smp_processor_id();
	lab_call_on_cpu(lab, cpu, LAB_ASK, 1, false);
	WRITE_ONCE(gate->word, TIFFIN_GATE_CLOSED);
	verdict = lab_ask(lab, LAB_ASK, 0, &out);
	WRITE_ONCE(gate->word, TIFFIN_GATE_OPEN);
	lab_call_on_cpu(lab, cpu, LAB_ASK, -1, false);
	preempt_enable();
	KUNIT_EXPECT_EQ(test, verdict, TIFFIN_CONTINUITY);
	KUNIT_EXPECT_EQ(test, out.answers, 0);
	KUNIT_EXPECT_EQ(test, lab_figures(lab).held, 0);
	KUNIT_EXPECT_EQ(test, gate_holds(test)->total, 0);
	KUNIT_EXPECT_EQ(test, lab_figures(lab).continuity_gate, 1);
	gate_expect_empty(test);
	LAB_EXPECT_ACCOUNTS(test, lab);
}

/* (5) in gate.h: calls that don't drain reopen the gate, and nothing has changed. */
static void gate_gives_up(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct tiffin_gate *gate = &lab->family.scope->gate;
	struct tiffin_gate_report report = {};
	struct tiffin_instance *active;
	struct lab_out out;
	u64 epoch;
	int cpu = cpumask_last(cpu_online_mask);

	KUNIT_ASSERT_EQ(test, lab_swap(lab, "alpha"), 0);
	active = gate->active;
	epoch = gate->epoch;
	lab_call_on_cpu(lab, cpu, LAB_TELL, 1, true);
	KUNIT_EXPECT_EQ(test, tiffin_gate_flip(gate, active, 1, &report), -EAGAIN);
	lab_call_on_cpu(lab, cpu, LAB_TELL, -1, true);
	KUNIT_EXPECT_PTR_EQ(test, gate->active, active);
	KUNIT_EXPECT_EQ(test, gate->epoch, epoch);
	KUNIT_EXPECT_EQ(test, gate->word, TIFFIN_GATE_OPEN);
	KUNIT_EXPECT_EQ(test, report.busy_cpu, cpu);
	KUNIT_EXPECT_EQ(test, report.busy_hook, LAB_TELL);
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 0, &out), TIFFIN_ANSWERED);
	gate_expect_empty(test);
}

/* A flip makes the other instance active, counts the epoch up by one, and opens the gate. */
static void gate_flips(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct tiffin_gate *gate = &lab->family.scope->gate;
	struct tiffin_gate_report report = { .busy_cpu = 77 };
	struct tiffin_instance *active;
	u64 epoch;

	KUNIT_ASSERT_EQ(test, lab_swap(lab, "alpha"), 0);
	active = gate->active;
	epoch = gate->epoch;
	KUNIT_EXPECT_EQ(test, tiffin_gate_flip(gate, active, 1000, &report), 0);
	KUNIT_EXPECT_PTR_EQ(test, gate->active, active);
	KUNIT_EXPECT_EQ(test, gate->epoch, epoch + 1);
	KUNIT_EXPECT_EQ(test, gate->word, TIFFIN_GATE_OPEN);
	KUNIT_EXPECT_EQ(test, report.busy_cpu, -1);
}

static struct kunit_case dispatch_cases[] = {
	KUNIT_CASE(dispatch_default_answers_stock),
	KUNIT_CASE(dispatch_policy_answers),
	KUNIT_CASE(dispatch_missing_hook_is_stock),
	KUNIT_CASE(dispatch_tells_the_policy),
	KUNIT_CASE(dispatch_env_of_each_cpu),
	KUNIT_CASE(dispatch_fresh_object),
	KUNIT_CASE(dispatch_call_about_no_object),
	KUNIT_CASE(dispatch_bad_answers),
	KUNIT_CASE(dispatch_samples_times),
	KUNIT_CASE(dispatch_busy_record),
	KUNIT_CASE(gate_slow_lets_in),
	KUNIT_CASE(gate_closed_holds),
	KUNIT_CASE(gate_closed_without_hold),
	KUNIT_CASE(gate_nested_goes_in),
	KUNIT_CASE(gate_nested_does_not_wait),
	KUNIT_CASE(gate_gives_up),
	KUNIT_CASE(gate_flips),
	{}
};

static struct kunit_suite dispatch_suite = {
	.name = "dispatch",
	.init = lab_test_init,
	.exit = lab_test_exit,
	.test_cases = dispatch_cases,
};
kunit_test_suite(dispatch_suite);
