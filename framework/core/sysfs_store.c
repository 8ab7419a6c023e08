// SPDX-License-Identifier: GPL-2.0-only
/* Files about stores: what policies declare, what an instance has, what a swap would do. */

#include <linux/string_helpers.h>
#include <linux/sysfs.h>

#include "core/instance.h"
#include "core/quarantine.h"
#include "core/registry.h"
#include "core/scope.h"
#include "core/sysfs.h"

static const char * const tiffin_kind_names[] = {
	[TIFFIN_STORE_INSTANCE] = "instance",
	[TIFFIN_STORE_PER_CPU] = "per_cpu",
	[TIFFIN_STORE_OBJECT] = "object",
	[TIFFIN_STORE_LISTS] = "lists",
};

static const char * const tiffin_sharing_names[] = {
	[TIFFIN_SHARE_CPU] = "cpu",
	[TIFFIN_SHARE_ATOMIC] = "atomic",
	[TIFFIN_SHARE_LOCKED] = "locked",
};

static const char * const tiffin_undo_names[] = {
	[TIFFIN_UNDO_LIVE] = "live",
	[TIFFIN_UNDO_SNAPSHOT] = "snapshot",
	[TIFFIN_UNDO_REBUILD] = "zeros",
};

static const char * const tiffin_handover_names[] = {
	[TIFFIN_HANDOVER_NEW] = "zeros",
	[TIFFIN_HANDOVER_REFERENCE] = "reference",
	[TIFFIN_HANDOVER_CONVERT] = "convert",
};

ssize_t tiffin_sysfs_stores(const struct tiffin_loaded *loaded, char *buf)
{
	ssize_t len = 0;
	int k;

	for (k = 0; k < TIFFIN_STORE_KINDS; k++) {
		const struct tiffin_store *store = &loaded->store[k];

		if (loaded->has_store[k])
			len += sysfs_emit_at(buf, len, "%s %s %u %s %u\n", tiffin_kind_names[k],
					     store->schema, store->version,
					     tiffin_sharing_names[store->sharing],
					     store->record_size ?: store->lists);
	}
	return len;
}

ssize_t tiffin_sysfs_stores_info(const struct tiffin_loaded *loaded, char *buf)
{
	ssize_t len = 0;
	int k;

	for (k = 0; k < TIFFIN_STORE_KINDS; k++) {
		const struct tiffin_store *store = &loaded->store[k];

		if (loaded->has_store[k])
			len += sysfs_emit_at(buf, len, "%s %s %s %u %zu\n", tiffin_kind_names[k],
					     tiffin_undo_names[store->undo],
					     str_yes_no(store->convert),
					     tiffin_store_records(loaded->family, k),
					     tiffin_store_size(loaded->family, store));
	}
	return len;
}

/* What a policy that comes back finds in its store of kind @k. */
static const char *tiffin_back_name(const struct tiffin_instance *older, unsigned int k,
				    enum tiffin_handover how)
{
	/* Nobody goes back to a policy in quarantine. */
	if (!READ_ONCE(older->store[k]) || tiffin_quarantined(older->policy))
		return "none";
	return how == TIFFIN_HANDOVER_REFERENCE ?
	       tiffin_undo_names[older->policy->store[k].undo] : "kept";
}

ssize_t tiffin_sysfs_handover(const struct tiffin_loaded *loaded, char *buf)
{
	const struct tiffin_scope *scope = loaded->family->scope;
	const struct tiffin_instance *older;
	ssize_t len = 0;
	int k;

	/* The active instance stays while the lock is held; see tiffin_scope_active_id(). */
	mutex_lock(&tiffin_registry);
	older = READ_ONCE(scope->gate.active);
	for (k = 0; k < TIFFIN_STORE_KINDS && older->policy != loaded; k++) {
		struct tiffin_plan plan;

		if (!loaded->has_store[k])
			continue;
		plan = tiffin_instance_plan(loaded, older, k);
		len += sysfs_emit_at(buf, len, "%s %s %s %s %zu\n", scope->name,
				     tiffin_kind_names[k], tiffin_handover_names[plan.how],
				     tiffin_back_name(older, k, plan.how), plan.bytes);
	}
	mutex_unlock(&tiffin_registry);
	return len;
}

ssize_t tiffin_sysfs_scope_stores(struct tiffin_scope *scope, char *buf)
{
	const struct tiffin_instance *inst;
	ssize_t len = 0;
	int k;

	mutex_lock(&tiffin_registry);
	inst = READ_ONCE(scope->gate.active);
	for (k = 0; k < TIFFIN_STORE_KINDS; k++) {
		const struct tiffin_store_mem *mem = READ_ONCE(inst->store[k]);

		if (!mem)
			continue;
		len += sysfs_emit_at(buf, len, "%s %s %u %s %u %u %zu %d %u\n",
				     tiffin_kind_names[k], mem->schema, mem->version,
				     tiffin_sharing_names[mem->sharing],
				     mem->record_size ?: mem->lists.nr_lists,
				     tiffin_store_records(scope->family, k), mem->bytes,
				     inst->converts & BIT(k) ? atomic_read(&mem->converted) : 0,
				     k == TIFFIN_STORE_OBJECT ? tiffin_sweep_left(scope, mem) : 0);
	}
	mutex_unlock(&tiffin_registry);
	return len;
}
