// SPDX-License-Identifier: GPL-2.0-only
/* Scopes: where a policy is active. */

#include <linux/slab.h>
#include <linux/sysfs.h>

#include "core/quarantine.h"
#include "core/scope.h"
#include "core/sysfs.h"

struct tiffin_scope *tiffin_scope_create(struct tiffin_family *family, const char *name,
					 struct tiffin_loaded *stock)
{
	struct tiffin_scope *scope = kzalloc(sizeof(*scope), GFP_KERNEL);
	struct tiffin_instance *inst;
	int rc = -ENOMEM;

	if (!scope)
		return ERR_PTR(-ENOMEM);
	scope->family = family;
	scope->name = name;
	scope->sample_mask = TIFFIN_SAMPLE_MASK;
	scope->figures = alloc_percpu(struct tiffin_figures);
	if (!scope->figures)
		goto err_scope;
	scope->hold_hist = alloc_percpu(struct tiffin_hist);
	if (!scope->hold_hist)
		goto err_figures;
	scope->hook_hist = alloc_percpu(struct tiffin_hist);
	if (!scope->hook_hist)
		goto err_hold;
	inst = tiffin_instance_create(stock, NULL);
	if (IS_ERR(inst))
		goto err_hook;
	rc = tiffin_gate_init(&scope->gate, inst);
	if (rc)
		goto err_instance;
	tiffin_swap_init(scope);
	tiffin_rescue_scope_init(scope);
	/* From here on the last kobject_put() frees the scope. */
	tiffin_kobj_init(&scope->kobj, &tiffin_scope_ktype);
	return scope;

err_instance:
	tiffin_instance_destroy(inst);
err_hook:
	free_percpu(scope->hook_hist);
err_hold:
	free_percpu(scope->hold_hist);
err_figures:
	free_percpu(scope->figures);
err_scope:
	kfree(scope);
	return ERR_PTR(rc);
}

void tiffin_scope_destroy(struct tiffin_scope *scope)
{
	tiffin_instance_destroy(scope->gate.active);
	tiffin_gate_exit(&scope->gate);
	free_percpu(scope->hook_hist);
	free_percpu(scope->hold_hist);
	free_percpu(scope->figures);
	kobject_put(&scope->kobj);
}

void tiffin_figures_read(const struct tiffin_scope *scope, struct tiffin_figures *sum)
{
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const struct tiffin_figures *f = per_cpu_ptr(scope->figures, cpu);

		sum->calls += READ_ONCE(f->calls);
		sum->answered += READ_ONCE(f->answered);
		sum->stock += READ_ONCE(f->stock);
		sum->continuity_gate += READ_ONCE(f->continuity_gate);
		sum->continuity_busy += READ_ONCE(f->continuity_busy);
		sum->continuity_fault += READ_ONCE(f->continuity_fault);
		sum->bad_answers += READ_ONCE(f->bad_answers);
		sum->overlapped += READ_ONCE(f->overlapped);
		sum->held += READ_ONCE(f->held);
	}
}

void tiffin_figures_reset_times(struct tiffin_scope *scope)
{
	int cpu;

	tiffin_hist_reset(scope->hold_hist);
	tiffin_hist_reset(scope->hook_hist);
	for_each_possible_cpu(cpu)
		WRITE_ONCE(per_cpu_ptr(scope->figures, cpu)->held, 0);
}

ssize_t tiffin_scope_active_id(struct tiffin_scope *scope, char *buf)
{
	ssize_t len;

	/*
	 * An instance is destroyed after its flip, under the registry's lock (taken to unlink it);
	 * so the one that is active here lives as long as the lock is held.
	 */
	mutex_lock(&tiffin_registry);
	len = sysfs_emit(buf, "%s\n", READ_ONCE(scope->gate.active)->policy->id);
	mutex_unlock(&tiffin_registry);
	return len;
}

bool tiffin_scope_quarantined(struct tiffin_scope *scope)
{
	bool is;

	/* As above. */
	mutex_lock(&tiffin_registry);
	is = tiffin_quarantined(READ_ONCE(scope->gate.active)->policy);
	mutex_unlock(&tiffin_registry);
	return is;
}

ssize_t tiffin_scope_lists(struct tiffin_scope *scope, char *buf)
{
	struct tiffin_store_mem *mem;
	ssize_t len = 0;
	u32 i;

	/* As above. The numbers may be some operations apart. */
	mutex_lock(&tiffin_registry);
	mem = READ_ONCE(scope->gate.active)->store[TIFFIN_STORE_LISTS];
	if (mem) {
		const struct tiffin_lists *lists = &mem->lists;

		for (i = 0; i < lists->nr_lists; i++)
			len += sysfs_emit_at(buf, len, "length_%u %u\n", i,
					     tiffin_lists_length(lists, i));
		len += sysfs_emit_at(buf, len, "busy %u\nforeign %u\ngone %llu\nbad %llu\ndropped %llu\nbroken %llu\n",
				     atomic_read(&mem->lists_busy),
				     atomic_read(&mem->lists_foreign), READ_ONCE(lists->gone),
				     READ_ONCE(lists->bad), READ_ONCE(lists->dropped),
				     READ_ONCE(lists->broken));
	}
	mutex_unlock(&tiffin_registry);
	return len;
}

const char *tiffin_scope_role(struct tiffin_loaded *loaded)
{
	struct tiffin_scope *scope = loaded->family->scope;
	const char *role = "loaded";

	mutex_lock(&tiffin_registry);
	if (tiffin_quarantined(loaded))
		role = "quarantined";
	else if (READ_ONCE(scope->gate.active)->policy == loaded)
		role = READ_ONCE(scope->swap.state) == TIFFIN_PROBATION ? "probation" : "active";
	else if (tiffin_policy_instances(loaded))
		role = READ_ONCE(scope->swap.state) == TIFFIN_PROBATION ? "previous" : "preparing";
	mutex_unlock(&tiffin_registry);
	return role;
}
