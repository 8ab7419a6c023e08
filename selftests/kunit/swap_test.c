// SPDX-License-Identifier: GPL-2.0-only
/* The swap's state machine: each way through the drawing in swap.h, and its invariants U1 to U5. */

#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/module.h>

#include "lab_kunit.h"

static struct tiffin_swap *swap_of(struct kunit *test)
{
	return &((struct lab *)test->priv)->family.scope->swap;
}

static struct tiffin_loaded *swap_policy(struct kunit *test, const char *name)
{
	struct lab *lab = test->priv;
	struct tiffin_loaded *loaded = tiffin_policy_find(&lab->family, name);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, loaded);
	tiffin_policy_release(loaded);
	return loaded;
}

static unsigned int swap_instances(struct kunit *test, const char *name)
{
	struct tiffin_loaded *loaded = swap_policy(test, name);
	unsigned int n;

	mutex_lock(&tiffin_registry);
	n = tiffin_policy_instances(loaded);
	mutex_unlock(&tiffin_registry);
	return n;
}

static void swap_expect_active(struct kunit *test, const char *name)
{
	KUNIT_EXPECT_STREQ(test, lab_active(test->priv), name);
}

static void swap_expect_report(struct kunit *test, const char *result, const char *reason)
{
	struct tiffin_swap_report *report = &swap_of(test)->report;

	KUNIT_EXPECT_STREQ(test, report->result, result);
	LAB_EXPECT_SAYS(test, report->reason, reason);
}

static void swap_commits_at_once(struct kunit *test)
{
	struct tiffin_swap *swap = swap_of(test);
	struct lab *lab = test->priv;

	EXPECT_SWAP(test, "alpha");
	swap_expect_active(test, "alpha");
	KUNIT_EXPECT_EQ(test, swap->state, TIFFIN_STABLE);
	KUNIT_EXPECT_NULL(test, swap->previous);
	KUNIT_EXPECT_NULL(test, swap->health.hook);
	KUNIT_EXPECT_STREQ(test, swap->previous_id, "default");
	KUNIT_EXPECT_EQ(test, swap->swaps, 1);
	KUNIT_EXPECT_EQ(test, swap->commits, 1);
	KUNIT_EXPECT_EQ(test, swap->failures, 0);
	KUNIT_EXPECT_EQ(test, lab->family.scope->gate.epoch, 1);
	KUNIT_EXPECT_EQ(test, lab->flips, 1);
	KUNIT_EXPECT_FALSE(test, lab->stock);
	KUNIT_EXPECT_EQ(test, lab->windows, 0);
	KUNIT_EXPECT_EQ(test, swap_instances(test, "alpha"), 1);
	KUNIT_EXPECT_EQ(test, swap_instances(test, "default"), 0);
	swap_expect_report(test, "committed", "no probation asked for");
	KUNIT_EXPECT_EQ(test, swap->report.id, 1);
	KUNIT_EXPECT_STREQ(test, swap->report.from, "default");
	KUNIT_EXPECT_STREQ(test, swap->report.to, "alpha-1.0+b1");
	KUNIT_EXPECT_STREQ(test, swap->report.held_up_by, "");
	KUNIT_EXPECT_EQ(test, swap->report.flip.attempts, 1);

	EXPECT_SWAP(test, "default");
	swap_expect_active(test, "default");
	KUNIT_EXPECT_TRUE(test, lab->stock);
	KUNIT_EXPECT_EQ(test, swap->report.id, 2);
	KUNIT_EXPECT_STREQ(test, swap->previous_id, "alpha-1.0+b1");
	KUNIT_EXPECT_EQ(test, swap_instances(test, "alpha"), 0);
}

/* U2: on probation both instances live, and nothing of the older one is touched. */
static void swap_probation_keeps_both(struct kunit *test)
{
	struct tiffin_swap *swap = swap_of(test);
	struct lab *lab = test->priv;
	struct tiffin_instance *older;

	EXPECT_SWAP(test, "alpha");
	older = lab->family.scope->gate.active;
	EXPECT_SWAP(test, "beta" LONG);
	swap_expect_active(test, "beta");
	KUNIT_EXPECT_EQ(test, swap->state, TIFFIN_PROBATION);
	KUNIT_EXPECT_PTR_EQ(test, swap->previous, older);
	KUNIT_EXPECT_EQ(test, swap_instances(test, "alpha"), 1);
	KUNIT_EXPECT_EQ(test, swap_instances(test, "beta"), 1);
	KUNIT_EXPECT_STREQ(test, tiffin_scope_role(swap_policy(test, "beta")), "probation");
	KUNIT_EXPECT_STREQ(test, tiffin_scope_role(swap_policy(test, "alpha")), "previous");
	KUNIT_EXPECT_STREQ(test, tiffin_scope_role(swap_policy(test, "gamma")), "loaded");
	KUNIT_EXPECT_EQ(test, lab->windows, 1);
	KUNIT_EXPECT_EQ(test, swap->commits, 1);
	swap_expect_report(test, "probation", "");
}

static void swap_probation_ends_with_commit(struct kunit *test)
{
	struct tiffin_swap *swap = swap_of(test);

	EXPECT_SWAP(test, "alpha");
	EXPECT_SWAP(test, "beta probation_ms=20");
	KUNIT_ASSERT_TRUE(test, lab_wait_stable(test->priv));
	swap_expect_active(test, "beta");
	swap_expect_report(test, "committed", "probation over");
	KUNIT_EXPECT_NULL(test, swap->previous);
	KUNIT_EXPECT_NULL(test, swap->health.hook);
	KUNIT_EXPECT_STREQ(test, swap->previous_id, "alpha-1.0+b1");
	KUNIT_EXPECT_EQ(test, swap_instances(test, "alpha"), 0);
	KUNIT_EXPECT_EQ(test, swap->commits, 2);
	KUNIT_EXPECT_EQ(test, swap->rollbacks, 0);
}

static void swap_commit_early(struct kunit *test)
{
	struct lab *lab = test->priv;

	EXPECT_SWAP(test, "alpha" LONG);
	KUNIT_EXPECT_EQ(test, tiffin_swap_commit(lab->family.scope), 0);
	KUNIT_EXPECT_EQ(test, swap_of(test)->state, TIFFIN_STABLE);
	swap_expect_active(test, "alpha");
	swap_expect_report(test, "committed", "asked for");
	KUNIT_EXPECT_EQ(test, tiffin_swap_commit(lab->family.scope), -ENOENT);
	LAB_EXPECT_SAYS(test, lab_error(lab), "no probation to end");
}

/* The older instance itself comes back, not a new one of its policy. */
static void swap_rollback_in_probation(struct kunit *test)
{
	struct tiffin_swap *swap = swap_of(test);
	struct lab *lab = test->priv;
	struct tiffin_instance *older;

	EXPECT_SWAP(test, "alpha");
	older = lab->family.scope->gate.active;
	EXPECT_SWAP(test, "beta" LONG);
	KUNIT_EXPECT_EQ(test, tiffin_swap_rollback(lab->family.scope), 0);
	KUNIT_EXPECT_PTR_EQ(test, lab->family.scope->gate.active, older);
	KUNIT_EXPECT_EQ(test, lab->inits[LAB_ALPHA], 1);
	KUNIT_EXPECT_EQ(test, swap->state, TIFFIN_STABLE);
	KUNIT_EXPECT_NULL(test, swap->previous);
	KUNIT_EXPECT_NULL(test, swap->health.hook);
	KUNIT_EXPECT_EQ(test, swap_instances(test, "beta"), 0);
	KUNIT_EXPECT_EQ(test, swap->rollbacks, 1);
	KUNIT_EXPECT_EQ(test, lab->family.scope->gate.epoch, 3);
	KUNIT_EXPECT_EQ(test, lab->flips, 3);
	swap_expect_report(test, "rolled_back", "asked for");
	KUNIT_EXPECT_STREQ(test, swap->report.from, "alpha-1.0+b1");
	KUNIT_EXPECT_STREQ(test, swap->report.to, "beta-1.0+b1");
}

static void swap_rollback_after_commit(struct kunit *test)
{
	struct tiffin_swap *swap = swap_of(test);
	struct lab *lab = test->priv;

	EXPECT_SWAP(test, "alpha");
	EXPECT_SWAP(test, "beta");
	/* It is a swap, but not one on probation, whatever the family's limit says. */
	lab->family.limits.probation_ms = 1000;
	KUNIT_EXPECT_EQ(test, tiffin_swap_rollback(lab->family.scope), 0);
	swap_expect_active(test, "alpha");
	KUNIT_EXPECT_EQ(test, swap->state, TIFFIN_STABLE);
	KUNIT_EXPECT_EQ(test, swap->swaps, 3);
	KUNIT_EXPECT_STREQ(test, swap->previous_id, "beta-1.0+b1");
	KUNIT_EXPECT_EQ(test, tiffin_swap_rollback(lab->family.scope), 0);
	swap_expect_active(test, "beta");
}

static void swap_rollback_without_previous(struct kunit *test)
{
	struct lab *lab = test->priv;

	KUNIT_EXPECT_EQ(test, tiffin_swap_rollback(lab->family.scope), -ENOENT);
	LAB_EXPECT_SAYS(test, lab_error(lab), "has no previous policy");

	EXPECT_SWAP(test, "alpha");
	EXPECT_SWAP(test, "beta");
	lab_unload(lab, LAB_ALPHA);
	KUNIT_EXPECT_EQ(test, tiffin_swap_rollback(lab->family.scope), -ENOENT);
	LAB_EXPECT_SAYS(test, lab_error(lab), "alpha-1.0+b1");
	swap_expect_active(test, "beta");
}

static void swap_gate_broken_rolls_back(struct kunit *test)
{
	struct lab *lab = test->priv;

	EXPECT_SWAP(test, "alpha");
	EXPECT_SWAP(test, "beta gate=level<80%" LONG);
	lab->figure[LAB_LEVEL] = 95;
	KUNIT_ASSERT_TRUE(test, lab_wait_stable(lab));
	swap_expect_active(test, "alpha");
	swap_expect_report(test, "rolled_back", "gate level<80 broken: it was 95");
	KUNIT_EXPECT_EQ(test, swap_of(test)->rollbacks, 1);
	KUNIT_EXPECT_EQ(test, swap_instances(test, "beta"), 0);
}

static void swap_lower_limit_decides_at_the_end(struct kunit *test)
{
	struct lab *lab = test->priv;

	EXPECT_SWAP(test, "alpha gate=ticks>5 probation_ms=20");
	KUNIT_ASSERT_TRUE(test, lab_wait_stable(lab));
	swap_expect_active(test, "default");
	swap_expect_report(test, "rolled_back", "gate ticks>5 broken: it was 0");

	EXPECT_SWAP(test, "alpha gate=ticks>5 probation_ms=20");
	lab->figure[LAB_TICKS] += 6;
	KUNIT_ASSERT_TRUE(test, lab_wait_stable(lab));
	swap_expect_active(test, "alpha");
	swap_expect_report(test, "committed", "probation over");
}

static void swap_busy_during_probation(struct kunit *test)
{
	struct lab *lab = test->priv;

	EXPECT_SWAP(test, "alpha" LONG);
	KUNIT_EXPECT_EQ(test, lab_swap(lab, "beta"), -EBUSY);
	LAB_EXPECT_SAYS(test, lab_error(lab), "lab/default is busy");
	LAB_EXPECT_SAYS(test, lab_error(lab), "default -> alpha-1.0+b1");
	LAB_EXPECT_SAYS(test, lab_error(lab), "wait, commit it, or roll it back");
	swap_expect_active(test, "alpha");
	KUNIT_EXPECT_EQ(test, swap_of(test)->state, TIFFIN_PROBATION);
	KUNIT_EXPECT_EQ(test, swap_instances(test, "beta"), 0);
	KUNIT_EXPECT_EQ(test, swap_of(test)->report.id, 1);
	KUNIT_EXPECT_EQ(test, tiffin_swap_commit(lab->family.scope), 0);
	EXPECT_SWAP(test, "beta");
}

/* U4, U1: the request ends, names hook and CPU, and the older policy is as it was. */
static void swap_timeout(struct kunit *test)
{
	struct tiffin_swap *swap = swap_of(test);
	struct lab *lab = test->priv;
	int cpu = cpumask_last(cpu_online_mask);
	struct tiffin_instance *older;
	unsigned int refs;
	struct lab_out out;
	char who[64];

	EXPECT_SWAP(test, "alpha");
	lab_ask(lab, LAB_ASK, 1, &out);
	older = lab->family.scope->gate.active;
	refs = module_refcount(THIS_MODULE);
	lab_call_on_cpu(lab, cpu, LAB_TELL, 1, true);
	KUNIT_EXPECT_EQ(test, lab_swap(lab, "beta timeout_ms=1000"), -ETIMEDOUT);
	lab_call_on_cpu(lab, cpu, LAB_TELL, -1, true);

	snprintf(who, sizeof(who), "hook tell of alpha-1.0+b1 on CPU %d", cpu);
	LAB_EXPECT_SAYS(test, lab_error(lab), who);
	LAB_EXPECT_SAYS(test, lab_error(lab), "no flip within 1000 ms");
	KUNIT_EXPECT_STREQ(test, swap->report.held_up_by, who);
	swap_expect_report(test, "failed", "no flip within 1000 ms");
	KUNIT_EXPECT_PTR_EQ(test, lab->family.scope->gate.active, older);
	KUNIT_EXPECT_EQ(test, lab->family.scope->gate.epoch, 1);
	KUNIT_EXPECT_EQ(test, swap->state, TIFFIN_STABLE);
	KUNIT_EXPECT_NULL(test, swap->previous);
	KUNIT_EXPECT_NULL(test, swap->health.hook);
	KUNIT_EXPECT_EQ(test, swap->swaps, 1);
	KUNIT_EXPECT_EQ(test, swap->failures, 1);
	KUNIT_EXPECT_EQ(test, swap_instances(test, "beta"), 0);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), refs);
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 1, &out), TIFFIN_ANSWERED);
	KUNIT_EXPECT_EQ(test, out.object_calls, 2);

	EXPECT_SWAP(test, "beta");
	KUNIT_EXPECT_STREQ(test, lab_error(lab), "");
	KUNIT_EXPECT_STREQ(test, swap->report.held_up_by, "");
}

/* A rollback that was asked for and is held up is not forgotten. */
static void swap_rollback_is_tried_again(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct tiffin_scope *scope = lab->family.scope;
	int cpu = cpumask_last(cpu_online_mask);

	EXPECT_SWAP(test, "alpha");
	EXPECT_SWAP(test, "beta" LONG);
	scope->family->limits.timeout_ms = 300;
	lab_call_on_cpu(lab, cpu, LAB_ASK, 1, true);
	KUNIT_EXPECT_EQ(test, tiffin_swap_rollback(scope), -ETIMEDOUT);
	LAB_EXPECT_SAYS(test, lab_error(lab), "rollback waits for hook ask of beta-1.0+b1");
	swap_expect_active(test, "beta");
	KUNIT_EXPECT_EQ(test, scope->swap.state, TIFFIN_PROBATION);
	KUNIT_EXPECT_EQ(test, tiffin_swap_commit(scope), -EBUSY);
	LAB_EXPECT_SAYS(test, lab_error(lab), "is being rolled back");
	lab_call_on_cpu(lab, cpu, LAB_ASK, -1, true);

	KUNIT_ASSERT_TRUE(test, lab_wait_stable(lab));
	swap_expect_active(test, "alpha");
	swap_expect_report(test, "rolled_back", "asked for");

	/* And it does not haunt the next probation. */
	EXPECT_SWAP(test, "beta probation_ms=20");
	KUNIT_ASSERT_TRUE(test, lab_wait_stable(lab));
	swap_expect_active(test, "beta");
}

static void swap_refuses_unknown_policy(struct kunit *test)
{
	struct lab *lab = test->priv;

	KUNIT_EXPECT_EQ(test, lab_swap(lab, "omega"), -ENOENT);
	LAB_EXPECT_SAYS(test, lab_error(lab), "no policy 'omega' in family lab");
	KUNIT_EXPECT_EQ(test, lab_swap(lab, "alpha-1.1"), -ENOENT);
	swap_expect_active(test, "default");
	KUNIT_EXPECT_EQ(test, swap_of(test)->state, TIFFIN_STABLE);
	KUNIT_EXPECT_EQ(test, swap_of(test)->failures, 2);
}

static void swap_refuses_the_active_policy(struct kunit *test)
{
	struct lab *lab = test->priv;
	unsigned int refs;

	KUNIT_EXPECT_EQ(test, lab_swap(lab, "default"), -EALREADY);
	LAB_EXPECT_SAYS(test, lab_error(lab), "default is active already");
	EXPECT_SWAP(test, "alpha");
	refs = module_refcount(THIS_MODULE);
	KUNIT_EXPECT_EQ(test, lab_swap(lab, "alpha-1.0"), -EALREADY);
	LAB_EXPECT_SAYS(test, lab_error(lab), "alpha-1.0+b1 is active already");
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), refs);
	KUNIT_EXPECT_EQ(test, lab->family.scope->gate.epoch, 1);
}

static void swap_refuses_unknown_metric(struct kunit *test)
{
	struct lab *lab = test->priv;
	unsigned int refs = module_refcount(THIS_MODULE);

	KUNIT_EXPECT_EQ(test, lab_swap(lab, "bare gate=asked<1" LONG), -EINVAL);
	LAB_EXPECT_SAYS(test, lab_error(lab), "gate 'asked': no such metric");
	LAB_EXPECT_SAYS(test, lab_error(lab), "a counter of bare-1.0+b1");
	swap_expect_active(test, "default");
	swap_expect_report(test, "failed", "no such metric");
	KUNIT_EXPECT_EQ(test, swap_of(test)->state, TIFFIN_STABLE);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), refs);
	KUNIT_EXPECT_EQ(test, swap_instances(test, "bare"), 0);
}

struct swap_other {
	struct lab *lab;
	struct completion in_flipped;
	struct completion go_on;
	struct completion done;
	int rc;
};

static void swap_stop_in_flipped(struct lab *lab)
{
	struct swap_other *other = lab->private;

	lab->on_flipped = NULL;
	complete(&other->in_flipped);
	wait_for_completion(&other->go_on);
}

static int swap_in_thread(void *data)
{
	struct swap_other *other = data;

	other->rc = lab_swap(other->lab, "alpha");
	complete(&other->done);
	return 0;
}

/* U3: of two requests one wins, the other is told at once that it is busy. */
static void swap_concurrent_requests(struct kunit *test)
{
	struct swap_other *other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	struct lab *lab = test->priv;
	struct task_struct *task;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	other->lab = lab;
	init_completion(&other->in_flipped);
	init_completion(&other->go_on);
	init_completion(&other->done);
	lab->private = other;
	lab->on_flipped = swap_stop_in_flipped;
	task = kthread_run(swap_in_thread, other, "lab_swap");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));

	wait_for_completion(&other->in_flipped);
	KUNIT_EXPECT_EQ(test, lab_swap(lab, "beta"), -EBUSY);
	LAB_EXPECT_SAYS(test, lab_error(lab), "(default -> alpha-1.0+b1) is closing, ");
	complete(&other->go_on);
	wait_for_completion(&other->done);
	KUNIT_EXPECT_EQ(test, other->rc, 0);
	swap_expect_active(test, "alpha");
	EXPECT_SWAP(test, "beta");
}

/*
 * In STABLE a request is never refused as busy, though the end of another one, or the work of a
 * probation that is over, may have the lock for a moment: here the test has it.
 */
static void swap_stable_means_stable(struct kunit *test)
{
	struct swap_other *other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	struct tiffin_swap *swap = swap_of(test);
	struct task_struct *task;
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
	other->lab = test->priv;
	init_completion(&other->done);
	mutex_lock(&swap->lock);
	task = kthread_run(swap_in_thread, other, "lab_swap");
	for (i = 0; i < 1000 && !IS_ERR(task) && READ_ONCE(swap->state) == TIFFIN_STABLE &&
	     !completion_done(&other->done); i++)
		msleep(20);
	mutex_unlock(&swap->lock);
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wait_for_completion(&other->done);
	KUNIT_EXPECT_EQ_MSG(test, other->rc, 0, "%s", lab_error(test->priv));
	swap_expect_active(test, "alpha");
}

/* S1: by reference both instances hold the memory while both live, then one. */
static void swap_hands_stores_over(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct tiffin_scope *scope = lab->family.scope;
	struct tiffin_store_mem *store[TIFFIN_STORE_KINDS];
	struct lab_out out;
	int i, k;

	EXPECT_SWAP(test, "alpha");
	KUNIT_EXPECT_EQ(test, lab->adopted[LAB_ALPHA], 0);
	KUNIT_EXPECT_EQ(test, lab->reached[LAB_ALPHA], 3);
	for (i = 0; i < 3; i++)
		lab_ask(lab, LAB_ASK, 7, &out);
	memcpy(store, scope->gate.active->store, sizeof(store));

	EXPECT_SWAP(test, "beta" LONG);
	KUNIT_EXPECT_EQ(test, lab->adopted[LAB_BETA], 7);
	/* U1: until the flip they are the older policy's alone. */
	KUNIT_EXPECT_EQ(test, lab->reached[LAB_BETA], 0);
	for (k = 0; k <= TIFFIN_STORE_OBJECT; k++) {
		KUNIT_EXPECT_PTR_EQ(test, scope->gate.active->store[k], store[k]);
		KUNIT_EXPECT_EQ(test, kref_read(&store[k]->ref), 2);
	}
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 7, &out), TIFFIN_ANSWERED);
	KUNIT_EXPECT_EQ(test, out.who, LAB_BETA);
	KUNIT_EXPECT_EQ(test, out.object_calls, 4);
	KUNIT_EXPECT_EQ(test, out.instance_calls, 4);
	KUNIT_EXPECT_EQ(test, out.flags, 0);

	KUNIT_ASSERT_EQ(test, tiffin_swap_commit(scope), 0);
	for (k = 0; k <= TIFFIN_STORE_OBJECT; k++)
		KUNIT_EXPECT_EQ(test, kref_read(&store[k]->ref), 1);
	lab_ask(lab, LAB_ASK, 7, &out);
	KUNIT_EXPECT_EQ(test, out.object_calls, 5);
}

/* What a rollback finds: the newer policy's writes, as the stores are shared. */
static void swap_rollback_finds_newer_writes(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;

	EXPECT_SWAP(test, "alpha");
	lab_ask(lab, LAB_ASK, 7, &out);
	EXPECT_SWAP(test, "beta" LONG);
	lab_ask(lab, LAB_ASK, 7, &out);
	lab_ask(lab, LAB_ASK, 7, &out);
	KUNIT_ASSERT_EQ(test, tiffin_swap_rollback(lab->family.scope), 0);
	KUNIT_EXPECT_EQ(test, kref_read(&lab->family.scope->gate.active->store[0]->ref), 1);
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 7, &out), TIFFIN_ANSWERED);
	KUNIT_EXPECT_EQ(test, out.who, LAB_ALPHA);
	KUNIT_EXPECT_EQ(test, out.object_calls, 4);
	KUNIT_EXPECT_EQ(test, out.flags, 0);
}

/* A store that differs in any declared thing starts from zeros; the older one stays as it is. */
static void swap_other_stores_start_empty(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;

	EXPECT_SWAP(test, "alpha");
	lab_ask(lab, LAB_ASK, 7, &out);
	EXPECT_SWAP(test, "gamma" LONG);
	KUNIT_EXPECT_EQ(test, lab->adopted[LAB_GAMMA], 0);
	lab_ask(lab, LAB_ASK, 7, &out);
	KUNIT_EXPECT_EQ(test, out.who, LAB_GAMMA);
	KUNIT_EXPECT_EQ(test, out.object_calls, 1);
	KUNIT_EXPECT_EQ(test, out.instance_calls, 1);
	KUNIT_EXPECT_EQ(test, out.flags, TIFFIN_CTX_OBJECT_FRESH);
	KUNIT_ASSERT_EQ(test, tiffin_swap_rollback(lab->family.scope), 0);
	lab_ask(lab, LAB_ASK, 7, &out);
	KUNIT_EXPECT_EQ(test, out.object_calls, 2);
	KUNIT_EXPECT_EQ(test, out.flags, 0);

	/* And where the policy in between has no stores, nothing is left of them. */
	EXPECT_SWAP(test, "bare");
	lab_ask(lab, LAB_ASK, 7, &out);
	KUNIT_EXPECT_EQ(test, out.object_calls, 0);
	EXPECT_SWAP(test, "alpha");
	lab_ask(lab, LAB_ASK, 7, &out);
	KUNIT_EXPECT_EQ(test, out.object_calls, 1);
}

/* Each swap counts the epoch up by one; a call is told the epoch of the policy that answers it. */
static void swap_epochs(struct kunit *test)
{
	static const char * const names[] = { "alpha", "beta", "gamma", "bare" };
	struct lab *lab = test->priv;
	unsigned int refs = module_refcount(THIS_MODULE);
	struct lab_out out;
	u64 epoch;

	for (epoch = 1; epoch <= 40; epoch++) {
		EXPECT_SWAP(test, names[epoch % 4]);
		KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 0, &out), TIFFIN_ANSWERED);
		KUNIT_EXPECT_EQ(test, out.epoch, epoch);
		KUNIT_EXPECT_EQ(test, out.who, epoch % 4);
	}
	EXPECT_SWAP(test, "default");
	/* No hold on a module is left behind. */
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), refs);
	LAB_EXPECT_ACCOUNTS(test, lab);
}

static struct kunit_case swap_cases[] = {
	KUNIT_CASE(swap_commits_at_once),
	KUNIT_CASE(swap_probation_keeps_both),
	KUNIT_CASE(swap_probation_ends_with_commit),
	KUNIT_CASE(swap_commit_early),
	KUNIT_CASE(swap_rollback_in_probation),
	KUNIT_CASE(swap_rollback_after_commit),
	KUNIT_CASE(swap_rollback_without_previous),
	KUNIT_CASE(swap_gate_broken_rolls_back),
	KUNIT_CASE(swap_lower_limit_decides_at_the_end),
	KUNIT_CASE(swap_busy_during_probation),
	KUNIT_CASE(swap_timeout),
	KUNIT_CASE(swap_rollback_is_tried_again),
	KUNIT_CASE(swap_refuses_unknown_policy),
	KUNIT_CASE(swap_refuses_the_active_policy),
	KUNIT_CASE(swap_refuses_unknown_metric),
	KUNIT_CASE(swap_concurrent_requests),
	KUNIT_CASE(swap_stable_means_stable),
	KUNIT_CASE(swap_hands_stores_over),
	KUNIT_CASE(swap_rollback_finds_newer_writes),
	KUNIT_CASE(swap_other_stores_start_empty),
	KUNIT_CASE(swap_epochs),
	{}
};

static struct kunit_suite swap_suite = {
	.name = "swap",
	.init = lab_test_init,
	.exit = lab_test_exit,
	.test_cases = swap_cases,
};
kunit_test_suite(swap_suite);
