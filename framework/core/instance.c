// SPDX-License-Identifier: GPL-2.0-only
/* Instances: a policy at work in a scope, with its stores and counters. */

#include <linux/percpu.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core/enter.h"
#include "core/instance.h"
#include "core/service.h"

/*
 * The older instance's store of kind @k that one of @policy follows: where the older one's objects
 * were being converted and that was given up, those as they were at the flip, if it can use them.
 */
static struct tiffin_store_mem *tiffin_instance_source(const struct tiffin_loaded *policy,
						       const struct tiffin_instance *older,
						       unsigned int k)
{
	struct tiffin_store_mem *kept;

	if (!older)
		return NULL;
	kept = k == TIFFIN_STORE_OBJECT ? READ_ONCE(older->kept) : NULL;
	if (kept && tiffin_store_handover(kept, &policy->store[k]) != TIFFIN_HANDOVER_NEW)
		return kept;
	return READ_ONCE(older->store[k]);
}

struct tiffin_plan tiffin_instance_plan(const struct tiffin_loaded *policy,
					const struct tiffin_instance *older, unsigned int k)
{
	const struct tiffin_store_mem *have = tiffin_instance_source(policy, older, k);
	struct tiffin_plan plan = { .how = tiffin_store_handover(have, &policy->store[k]) };
	const struct tiffin_store *theirs;

	if (!have || plan.how != TIFFIN_HANDOVER_REFERENCE) {
		plan.bytes = tiffin_store_size(policy->family, &policy->store[k]);
		return plan;
	}
	/* Nobody goes back to who has given up a conversion. */
	if (READ_ONCE(older->kept))
		return plan;
	theirs = &older->policy->store[k];
	if (theirs->undo == TIFFIN_UNDO_SNAPSHOT)
		plan.bytes = tiffin_store_payload(have);
	else if (theirs->undo == TIFFIN_UNDO_REBUILD && k == TIFFIN_STORE_OBJECT)
		plan.bytes = tiffin_store_size(policy->family, theirs);
	return plan;
}

size_t tiffin_instance_bytes(const struct tiffin_loaded *policy,
			     const struct tiffin_instance *older)
{
	size_t bytes = 0;
	unsigned int k;

	for (k = 0; k < TIFFIN_STORE_KINDS; k++)
		if (policy->has_store[k])
			bytes += tiffin_instance_plan(policy, older, k).bytes;
	return bytes;
}

/* Memory for the bytes that @older wants back. */
static int tiffin_instance_save(struct tiffin_instance *inst, unsigned int k)
{
	struct tiffin_family *family = inst->policy->family;
	size_t bytes = tiffin_store_payload(inst->store[k]);
	int rc = tiffin_store_charge(family, bytes, 0);

	if (rc)
		return rc;
	inst->saved[k] = kvmalloc(bytes, GFP_KERNEL);
	if (inst->saved[k])
		return 0;
	tiffin_store_uncharge(family, bytes);
	return -ENOMEM;
}

/* Go on with the older instance's store; what that needs to come back, where it needs memory. */
static int tiffin_instance_adopt(struct tiffin_instance *inst, struct tiffin_instance *older,
				 unsigned int k)
{
	const struct tiffin_store *decl = &older->policy->store[k];
	struct tiffin_store_mem *spare;

	inst->store[k] = tiffin_store_get(tiffin_instance_source(inst->policy, older, k));
	inst->adopted |= BIT(k);
	if (older->kept)
		return 0;
	if (decl->undo == TIFFIN_UNDO_SNAPSHOT)
		return tiffin_instance_save(inst, k);
	if (decl->undo == TIFFIN_UNDO_REBUILD && k == TIFFIN_STORE_OBJECT) {
		spare = tiffin_store_alloc(inst->policy->family, decl, 0);
		if (IS_ERR(spare))
			return PTR_ERR(spare);
		inst->spare = spare;
	}
	return 0;
}

/*
 * The bytes of @older's stores that are freed for certain when one of @policy is active: where it
 * has given up a conversion nobody goes back to it, and what isn't handed over is of no use.
 */
static size_t tiffin_instance_going(const struct tiffin_loaded *policy,
				    const struct tiffin_instance *older)
{
	size_t bytes = 0;
	unsigned int k;

	if (!older || !older->kept)
		return 0;
	for (k = 0; k < TIFFIN_STORE_KINDS; k++)
		if (older->store[k] &&
		    (!policy->has_store[k] ||
		     tiffin_instance_source(policy, older, k) != older->store[k] ||
		     tiffin_instance_plan(policy, older, k).how != TIFFIN_HANDOVER_REFERENCE))
			bytes += older->store[k]->bytes;
	return bytes;
}

/* Every store goes over from the older instance, as it is or converted, or starts from zeros. */
static int tiffin_instance_stores(struct tiffin_instance *inst, struct tiffin_instance *older)
{
	size_t going = tiffin_instance_going(inst->policy, older);
	struct tiffin_loaded *policy = inst->policy;
	struct tiffin_store_mem *mem;
	enum tiffin_handover how;
	unsigned int k;
	int rc;

	for (k = 0; k < TIFFIN_STORE_KINDS; k++) {
		if (!policy->has_store[k])
			continue;
		how = tiffin_instance_plan(policy, older, k).how;
		if (how == TIFFIN_HANDOVER_REFERENCE) {
			rc = tiffin_instance_adopt(inst, older, k);
			if (rc)
				return rc;
			continue;
		}
		mem = tiffin_store_alloc(policy->family, &policy->store[k], going);
		if (IS_ERR(mem))
			return PTR_ERR(mem);
		inst->store[k] = mem;
		if (how != TIFFIN_HANDOVER_CONVERT)
			continue;
		inst->converts |= BIT(k);
		if (k == TIFFIN_STORE_OBJECT)
			tiffin_store_convert_from(mem, tiffin_instance_source(policy, older, k),
						  policy);
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
			.list_ops = &tiffin_list_ops,
			.lists = inst->store[TIFFIN_STORE_LISTS],
		};
	}
}

/*
 * What is asked of @inst on @cpu before the flip: what was handed over still belongs to the older
 * policy, and goes on to if the swap fails, so it is out of reach. No call has told of an object.
 */
static struct tiffin_env tiffin_instance_own_env(const struct tiffin_instance *inst, int cpu)
{
	struct tiffin_env env = *per_cpu_ptr(inst->env, cpu);

	if (inst->adopted & BIT(TIFFIN_STORE_INSTANCE))
		env.instance = NULL;
	if (inst->adopted & BIT(TIFFIN_STORE_PER_CPU))
		env.percpu = NULL;
	env.lists = NULL;
	return env;
}

/* Return: 0; -EFAULT where the call had to be ended. */
static int tiffin_instance_init(struct tiffin_instance *inst)
{
	const struct tiffin_init_in in = {
		.size = sizeof(in),
		.adopted = inst->adopted,
	};
	struct tiffin_ctx ctx = {
		.size = sizeof(ctx),
		.now_ns = local_clock(),
	};
	enum tiffin_entered entered;
	struct tiffin_env env;

	if (!inst->policy->policy.init)
		return 0;
	preempt_disable();
	env = tiffin_instance_own_env(inst, smp_processor_id());
	ctx.env = &env;
	/* By way of void *: the host calls every function of a policy with one signature. */
	entered = tiffin_enter(inst->policy, (void *)inst->policy->policy.init, &ctx, &in, NULL);
	preempt_enable();
	return entered == TIFFIN_ENTERED ? 0 : -EFAULT;
}

/* What was kept for an older instance that may come back. */
static void tiffin_instance_drop_saved(struct tiffin_instance *inst)
{
	int k;

	tiffin_store_put(inst->spare);
	inst->spare = NULL;
	for (k = TIFFIN_STORE_KINDS - 1; k >= 0; k--) {
		if (!inst->saved[k])
			continue;
		tiffin_store_uncharge(inst->policy->family, tiffin_store_payload(inst->store[k]));
		kvfree(inst->saved[k]);
		inst->saved[k] = NULL;
	}
}

static void tiffin_instance_free(struct tiffin_instance *inst)
{
	int k;

	tiffin_instance_drop_saved(inst);
	tiffin_store_put(inst->kept);
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
	int rc = -ENOMEM;

	if (!inst)
		return ERR_PTR(-ENOMEM);
	inst->policy = policy;
	inst->older = older;
	inst->env = alloc_percpu(struct tiffin_env);
	if (!inst->env)
		goto err_free;
	if (policy->policy.nr_counters) {
		inst->counters = __alloc_percpu(policy->policy.nr_counters * sizeof(u64),
						sizeof(u64));
		if (!inst->counters)
			goto err_free;
	}
	rc = tiffin_instance_stores(inst, older);
	if (rc)
		goto err_free;
	tiffin_instance_fill_env(inst);
	rc = tiffin_instance_init(inst);
	if (rc)
		goto err_free;

	mutex_lock(&tiffin_registry);
	list_add_tail(&inst->list, &policy->instances);
	mutex_unlock(&tiffin_registry);
	return inst;

err_free:
	tiffin_instance_free(inst);
	return ERR_PTR(rc);
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

/* The records of the instance and of the CPUs; those of objects are converted as calls come. */
static void tiffin_instance_convert(struct tiffin_instance *inst, struct tiffin_instance *older,
				    unsigned int k, u64 epoch, u64 now_ns)
{
	const struct tiffin_store_mem *from = older->store[k];
	struct tiffin_store_mem *mem = inst->store[k];
	struct tiffin_env env;
	struct tiffin_ctx ctx = {
		.size = sizeof(ctx),
		.env = &env,
		.now_ns = now_ns,
		.epoch = epoch,
	};
	int cpu;

	if (k == TIFFIN_STORE_INSTANCE) {
		env = tiffin_instance_own_env(inst, smp_processor_id());
		tiffin_record_convert(mem, from, from->record, inst->policy, &ctx, mem->record);
		return;
	}
	for_each_possible_cpu(cpu) {
		env = tiffin_instance_own_env(inst, cpu);
		tiffin_record_convert(mem, from, per_cpu_ptr(from->percpu, cpu), inst->policy, &ctx,
				      per_cpu_ptr(mem->percpu, cpu));
	}
}

static void tiffin_instance_take_over(struct tiffin_instance *inst, struct tiffin_instance *older,
				      u64 epoch, u64 now_ns)
{
	unsigned int k;

	for (k = 0; k < TIFFIN_STORE_KINDS; k++) {
		if (inst->saved[k])
			tiffin_store_save(inst->store[k], inst->saved[k]);
		if (k != TIFFIN_STORE_OBJECT && inst->converts & BIT(k))
			tiffin_instance_convert(inst, older, k, epoch, now_ns);
	}
}

/*
 * Nobody goes on with a conversion that was given up: what @inst has by reference is all there is.
 * The older layout's store is @older's to free.
 */
static void tiffin_instance_end_conversion(struct tiffin_instance *inst,
					   struct tiffin_instance *older)
{
	struct tiffin_store_mem *mem = inst->store[TIFFIN_STORE_OBJECT];

	if (!older->kept || !mem || mem != older->store[TIFFIN_STORE_OBJECT] || !mem->from)
		return;
	WRITE_ONCE(mem->from, NULL);
	tiffin_store_put(older->kept);
}

static void tiffin_instance_give_back(struct tiffin_instance *inst, struct tiffin_instance *older)
{
	unsigned int k;

	for (k = 0; k < TIFFIN_STORE_KINDS; k++) {
		if (!(inst->adopted & BIT(k)))
			continue;
		if (inst->saved[k])
			tiffin_store_restore(inst->store[k], inst->saved[k]);
		else if (older->policy->store[k].undo == TIFFIN_UNDO_REBUILD &&
			 k == TIFFIN_STORE_OBJECT)
			swap(older->store[k], inst->spare);
		else if (older->policy->store[k].undo == TIFFIN_UNDO_REBUILD)
			tiffin_store_clear(older->store[k]);
	}
}

int tiffin_instance_flip(struct tiffin_instance *from, struct tiffin_instance *to, u64 epoch,
			 u64 now_ns)
{
	if (tiffin_quarantined(to->policy))
		return -EFAULT;
	if (from->older == to) {
		/* From here on there is no way back. */
		tiffin_instance_give_back(from, to);
		return 0;
	}
	if (to->older == from)
		tiffin_instance_take_over(to, from, epoch, now_ns);
	if (tiffin_quarantined(to->policy))
		return -EFAULT;
	tiffin_instance_end_conversion(to, from);
	return 0;
}

void tiffin_instance_settle(struct tiffin_instance *inst)
{
	inst->older = NULL;
	tiffin_instance_drop_saved(inst);
}

void tiffin_instance_give_up(struct tiffin_instance *inst)
{
	struct tiffin_store_mem *mem = inst->store[TIFFIN_STORE_OBJECT];
	struct tiffin_store_mem *from = mem ? mem->from : NULL;

	/* All may have been converted, but who could have come back has them still. */
	if (!from && inst->older && inst->converts & BIT(TIFFIN_STORE_OBJECT))
		from = inst->older->store[TIFFIN_STORE_OBJECT];
	if (from)
		WRITE_ONCE(inst->kept, tiffin_store_get(from));
}

bool tiffin_instance_go_on(struct tiffin_instance *inst)
{
	struct tiffin_store_mem *mem = inst->store[TIFFIN_STORE_OBJECT];
	struct tiffin_store_mem *kept = inst->kept;

	if (!kept)
		return false;
	if (tiffin_quarantined(inst->policy)) {
		if (mem->from)
			tiffin_store_converted(mem);
		return false;
	}
	mutex_lock(&tiffin_registry);
	WRITE_ONCE(inst->kept, NULL);
	mutex_unlock(&tiffin_registry);
	tiffin_store_put(kept);
	return mem->from;
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
