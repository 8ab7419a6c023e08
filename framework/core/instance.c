// SPDX-License-Identifier: GPL-2.0-only
/* Instances: a policy at work in a scope, with its stores and counters. */

#include <linux/percpu.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>

#include "core/enter.h"
#include "core/instance.h"

/* Every store either goes over from the older instance or starts from zeros. */
static int tiffin_instance_stores(struct tiffin_instance *inst, struct tiffin_instance *older)
{
	struct tiffin_loaded *policy = inst->policy;
	unsigned int k;

	for (k = 0; k < TIFFIN_STORE_KINDS; k++) {
		struct tiffin_store_mem *have = older ? older->store[k] : NULL;

		if (!policy->has_store[k])
			continue;
		if (have && tiffin_store_fits(have, &policy->store[k])) {
			inst->store[k] = tiffin_store_get(have);
			inst->adopted |= BIT(k);
			continue;
		}
		inst->store[k] = tiffin_store_alloc(&policy->store[k],
						    policy->family->max_objects);
		if (!inst->store[k])
			return -ENOMEM;
	}
	return 0;
}

static void tiffin_instance_fill_env(struct tiffin_instance *inst)
{
	const struct tiffin_store_mem *per_inst = inst->store[TIFFIN_STORE_INSTANCE];
	const struct tiffin_store_mem *per_cpu = inst->store[TIFFIN_STORE_PER_CPU];
	int cpu;

	for_each_possible_cpu(cpu) {
		struct tiffin_env *env = per_cpu_ptr(inst->env, cpu);

		*env = (struct tiffin_env) {
			.size = sizeof(struct tiffin_env),
			.cpu = cpu,
			.nr_cpus = nr_cpu_ids,
			.tunables = (const __s64 *)inst->policy->tunables,
			.counters = inst->counters ?
				(__u64 *)per_cpu_ptr(inst->counters, cpu) : NULL,
			.instance = per_inst ? per_inst->record : NULL,
			.percpu = per_cpu ? per_cpu_ptr(per_cpu->percpu, cpu) : NULL,
		};
	}
}

static void tiffin_instance_init(struct tiffin_instance *inst)
{
	const struct tiffin_init_in in = {
		.size = sizeof(in),
		.adopted = inst->adopted,
	};
	struct tiffin_ctx ctx = {
		.size = sizeof(ctx),
		.now_ns = local_clock(),
	};
	struct tiffin_env env;

	if (!inst->policy->policy.init)
		return;
	preempt_disable();
	/*
	 * What was handed over still belongs to the older policy, and goes on to if the swap
	 * fails: it is out of reach here.
	 */
	env = *this_cpu_ptr(inst->env);
	if (inst->adopted & BIT(TIFFIN_STORE_INSTANCE))
		env.instance = NULL;
	if (inst->adopted & BIT(TIFFIN_STORE_PER_CPU))
		env.percpu = NULL;
	ctx.env = &env;
	/* By way of void *: the host calls every function of a policy with one signature. */
	tiffin_enter((void *)inst->policy->policy.init, &ctx, &in, NULL);
	preempt_enable();
}

static void tiffin_instance_free(struct tiffin_instance *inst)
{
	int k;

	for (k = TIFFIN_STORE_KINDS - 1; k >= 0; k--)
		tiffin_store_put(inst->store[k]);
	free_percpu(inst->counters);
	free_percpu(inst->env);
	kfree(inst);
}

struct tiffin_instance *tiffin_instance_create(struct tiffin_loaded *policy,
					       struct tiffin_instance *older)
{
	struct tiffin_instance *inst = kzalloc(sizeof(*inst), GFP_KERNEL);

	if (!inst)
		return ERR_PTR(-ENOMEM);
	inst->policy = policy;
	inst->env = alloc_percpu(struct tiffin_env);
	if (!inst->env)
		goto err_free;
	if (policy->policy.nr_counters) {
		inst->counters = __alloc_percpu(policy->policy.nr_counters * sizeof(u64),
						sizeof(u64));
		if (!inst->counters)
			goto err_free;
	}
	if (tiffin_instance_stores(inst, older))
		goto err_free;
	tiffin_instance_fill_env(inst);
	tiffin_instance_init(inst);

	mutex_lock(&tiffin_registry);
	list_add_tail(&inst->list, &policy->instances);
	mutex_unlock(&tiffin_registry);
	return inst;

err_free:
	tiffin_instance_free(inst);
	return ERR_PTR(-ENOMEM);
}

void tiffin_instance_destroy(struct tiffin_instance *inst)
{
	struct tiffin_loaded *policy;

	if (!inst)
		return;
	policy = inst->policy;
	mutex_lock(&tiffin_registry);
	list_del(&inst->list);
	mutex_unlock(&tiffin_registry);
	tiffin_instance_free(inst);
	tiffin_policy_release(policy);
}

u64 tiffin_instance_counter(const struct tiffin_instance *inst, unsigned int index)
{
	u64 sum = 0;
	int cpu;

	if (!inst->counters)
		return 0;
	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(inst->counters, cpu)[index]);
	return sum;
}
