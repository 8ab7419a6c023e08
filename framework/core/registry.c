// SPDX-License-Identifier: GPL-2.0-only
/* The registry: which families and policies are loaded. */

#include <linux/export.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "compat/compat.h"
#include "core/event.h"
#include "core/instance.h"
#include "core/limits.h"
#include "core/registry.h"
#include "core/scope.h"
#include "core/sysfs.h"

/* Families, their policies, the policies' instances; see registry.h. */
DEFINE_MUTEX(tiffin_registry);
static LIST_HEAD(tiffin_families);

/*
 * Serialises loading and unloading, around everything that it does to sysfs. No handler of sysfs
 * takes it, so that removing files under it can't deadlock.
 */
static DEFINE_MUTEX(tiffin_loading);

/* Why the last registration was refused; under tiffin_registry. */
static char tiffin_last_error[384];

static int tiffin_registry_refuse(int rc, const char *what, const char *why)
{
	mutex_lock(&tiffin_registry);
	scnprintf(tiffin_last_error, sizeof(tiffin_last_error), "%s refused: %s", what, why);
	mutex_unlock(&tiffin_registry);
	pr_err("tiffin: %s refused: %s\n", what, why);
	return rc;
}

ssize_t tiffin_registry_error(char *buf)
{
	ssize_t len;

	mutex_lock(&tiffin_registry);
	len = sysfs_emit(buf, "%s\n", tiffin_last_error);
	mutex_unlock(&tiffin_registry);
	return len;
}

/* Families. */

static struct tiffin_family *tiffin_family_find(const char *name)
{
	struct tiffin_family *family;

	lockdep_assert_held(&tiffin_registry);
	list_for_each_entry(family, &tiffin_families, list)
		if (!strcmp(family->name, name))
			return family;
	return NULL;
}

/*
 * Hold a family's module. One that is still starting can't be held: should it fail, the kernel
 * frees it whoever holds it.
 */
static bool tiffin_family_hold(const struct tiffin_family *family)
{
	lockdep_assert_held(&tiffin_registry);
	return family->owner->state == MODULE_STATE_LIVE && try_module_get(family->owner);
}

struct tiffin_family *tiffin_family_next(struct tiffin_family *family)
{
	struct tiffin_family *next = family;

	mutex_lock(&tiffin_registry);
	next = list_prepare_entry(next, &tiffin_families, list);
	list_for_each_entry_continue(next, &tiffin_families, list)
		if (tiffin_family_hold(next))
			goto out;
	next = NULL;
out:
	mutex_unlock(&tiffin_registry);
	if (family)
		module_put(family->owner);
	return next;
}

/* Their folders stand beside these. */
static const char * const tiffin_reserved[] = {
	"policies", "version", "abi", "last_error", "faults", "contain", "contained",
};

static bool tiffin_family_ok(const struct tiffin_family *family)
{
	return match_string(tiffin_reserved, ARRAY_SIZE(tiffin_reserved), family->name) < 0 &&
	       tiffin_name_ok(family->name, TIFFIN_NAME_LEN, false) && family->ops &&
	       family->hooks && family->nr_hooks && family->nr_hooks <= TIFFIN_MAX_HOOKS &&
	       (!family->nr_figures || (family->figures && family->ops->figure));
}

/* The built-in default has no hook, so dispatch answers for it: leave it to the stock kernel. */
static struct tiffin_loaded *tiffin_default_create(struct tiffin_family *family)
{
	struct tiffin_loaded *stock = kzalloc(sizeof(*stock), GFP_KERNEL);

	if (!stock)
		return NULL;
	stock->family = family;
	INIT_LIST_HEAD(&stock->instances);
	strscpy(stock->policy.name, TIFFIN_DEFAULT_NAME, sizeof(stock->policy.name));
	strscpy(stock->id, TIFFIN_DEFAULT_NAME, sizeof(stock->id));
	list_add(&stock->list, &family->policies);
	return stock;
}

static int tiffin_family_add(struct tiffin_family *family)
{
	struct tiffin_loaded *stock;
	int rc = -ENOMEM;

	INIT_LIST_HEAD(&family->policies);
	atomic64_set(&family->stores_bytes, 0);
	tiffin_limits_complete(&family->limits);
	stock = tiffin_default_create(family);
	if (!stock)
		return -ENOMEM;
	family->scope = tiffin_scope_create(family, "default", stock);
	if (IS_ERR(family->scope)) {
		rc = PTR_ERR(family->scope);
		goto err_stock;
	}
	rc = tiffin_sysfs_add_family(family);
	if (rc)
		goto err_scope;
	rc = tiffin_sysfs_add_scope(family->scope);
	if (rc)
		goto err_family;
	mutex_lock(&tiffin_registry);
	list_add_tail(&family->list, &tiffin_families);
	mutex_unlock(&tiffin_registry);
	return 0;

err_family:
	tiffin_sysfs_del_family(family);
err_scope:
	tiffin_rescue_scope_exit(family->scope);
	tiffin_swap_exit(family->scope);
	tiffin_scope_destroy(family->scope);
err_stock:
	kfree(stock);
	return rc;
}

int tiffin_family_register(struct tiffin_family *family)
{
	bool taken;
	int rc;

	if (!tiffin_family_ok(family))
		return tiffin_registry_refuse(-EINVAL, "family", "bad description");
	mutex_lock(&tiffin_loading);
	mutex_lock(&tiffin_registry);
	taken = tiffin_family_find(family->name);
	mutex_unlock(&tiffin_registry);
	if (taken)
		rc = tiffin_registry_refuse(-EEXIST, family->name,
					    "a family of that name is loaded");
	else
		rc = tiffin_family_add(family);
	mutex_unlock(&tiffin_loading);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(tiffin_family_register, TIFFIN);

void tiffin_family_unregister(struct tiffin_family *family)
{
	struct tiffin_loaded *stock =
		list_last_entry(&family->policies, struct tiffin_loaded, list);

	mutex_lock(&tiffin_loading);
	mutex_lock(&tiffin_registry);
	list_del(&family->list);
	mutex_unlock(&tiffin_registry);
	/* Work that has just ended a swap tells of it in the scope's name: before that goes. */
	tiffin_rescue_scope_exit(family->scope);
	tiffin_swap_exit(family->scope);
	tiffin_sysfs_del_scope(family->scope);
	tiffin_sysfs_del_family(family);
	tiffin_scope_destroy(family->scope);
	kfree(stock);
	mutex_unlock(&tiffin_loading);
}
EXPORT_SYMBOL_NS_GPL(tiffin_family_unregister, TIFFIN);

/* Policies. */

static struct tiffin_loaded *tiffin_loaded_create(const struct tiffin_policy *policy,
						  struct tiffin_family *family,
						  struct module *owner, const char *build)
{
	struct tiffin_loaded *loaded = kzalloc(sizeof(*loaded), GFP_KERNEL);
	u32 i;

	if (!loaded)
		return NULL;
	loaded->policy = *policy;
	loaded->family = family;
	loaded->owner = owner;
	tiffin_module_text(owner, &loaded->text, &loaded->text_size);
	INIT_LIST_HEAD(&loaded->instances);
	strscpy(loaded->build, build, sizeof(loaded->build));
	scnprintf(loaded->id, sizeof(loaded->id), "%s-%s+%s", policy->name, policy->version, build);
	for (i = 0; i < family->nr_hooks; i++)
		loaded->hook[i] = tiffin_policy_hook(policy, &family->hooks[i]);
	for (i = 0; i < policy->nr_tunables; i++)
		loaded->tunables[i] = tiffin_tunable_decl(policy, i)->def;
	for (i = 0; i < policy->nr_stores; i++) {
		const struct tiffin_store *store = tiffin_store_decl(policy, i);

		memcpy(&loaded->store[store->kind], store,
		       min_t(size_t, policy->store_stride, sizeof(*store)));
		loaded->has_store[store->kind] = true;
	}
	return loaded;
}

/* Ids are folders of one directory, so they are unique over all families. */
static bool tiffin_id_taken(const char *id)
{
	struct tiffin_family *family;
	struct tiffin_loaded *loaded;

	lockdep_assert_held(&tiffin_registry);
	list_for_each_entry(family, &tiffin_families, list)
		list_for_each_entry(loaded, &family->policies, list)
			if (loaded->owner && !strcmp(loaded->id, id))
				return true;
	return false;
}

/* The family of that name, its module held: it can't go while a policy of it is loaded. */
static struct tiffin_family *tiffin_family_get(const char *name)
{
	struct tiffin_family *family;

	mutex_lock(&tiffin_registry);
	family = tiffin_family_find(name);
	if (family && !tiffin_family_hold(family))
		family = NULL;
	mutex_unlock(&tiffin_registry);
	return family;
}

/* The descriptor is whole enough to be read: what a name in a message needs. */
static bool tiffin_descriptor_readable(const struct tiffin_policy *desc)
{
	return desc->magic == TIFFIN_POLICY_MAGIC &&
	       desc->size >= offsetofend(struct tiffin_policy, init) &&
	       strnlen(desc->name, TIFFIN_NAME_LEN) < TIFFIN_NAME_LEN &&
	       strnlen(desc->version, TIFFIN_VERSION_LEN) < TIFFIN_VERSION_LEN &&
	       strnlen(desc->family, TIFFIN_NAME_LEN) < TIFFIN_NAME_LEN;
}

static int tiffin_policy_add(const struct tiffin_policy *policy,
			     const struct tiffin_policy_opaque *key, struct tiffin_family *family,
			     struct module *owner, const char *build)
{
	struct tiffin_loaded *loaded = tiffin_loaded_create(policy, family, owner, build);
	bool taken;
	int rc;

	if (!loaded)
		return -ENOMEM;
	loaded->key = key;
	mutex_lock(&tiffin_registry);
	taken = tiffin_id_taken(loaded->id);
	mutex_unlock(&tiffin_registry);
	if (taken) {
		rc = tiffin_registry_refuse(-EEXIST, loaded->id, "it is loaded already");
		kfree(loaded);
		return rc;
	}
	rc = tiffin_sysfs_add_policy(loaded);	/* frees @loaded where it fails */
	if (rc)
		return rc;
	mutex_lock(&tiffin_registry);
	list_add(&loaded->list, &family->policies);
	mutex_unlock(&tiffin_registry);
	pr_info("tiffin: policy %s of family %s loaded\n", loaded->id, family->name);
	tiffin_event_policy(loaded, "load");
	return 0;
}

int tiffin_policy_register(const struct tiffin_policy_opaque *key, void *module, const char *build)
{
	const struct tiffin_policy *desc = (const void *)key;
	struct module *owner = module;
	struct tiffin_family *family;
	struct tiffin_policy policy;
	char why[256];
	int rc;

	if (!tiffin_descriptor_readable(desc))
		return tiffin_registry_refuse(-EINVAL, module_name(owner),
			"not a policy's descriptor; write it with TIFFIN_POLICY()");
	if (!tiffin_name_ok(build, TIFFIN_BUILD_LEN, false))
		return tiffin_registry_refuse(-EINVAL, desc->name,
			"bad build id; build the policy with tools/policy/build");
	if (tiffin_module_traced(owner))
		return tiffin_registry_refuse(-EINVAL, desc->name,
			"its text can be traced, and tracing turns a contained fault into a panic; build it with tools/policy/build");
	family = tiffin_family_get(desc->family);
	if (!family) {
		scnprintf(why, sizeof(why),
			  "family %s is not loaded, or is just starting or leaving: modprobe tiffin_%s first",
			  desc->family, desc->family);
		return tiffin_registry_refuse(-ENOENT, desc->name, why);
	}
	rc = tiffin_policy_check(desc, family, &policy, why, sizeof(why));
	if (rc) {
		tiffin_registry_refuse(rc, desc->name, why);
		goto err_put;
	}
	mutex_lock(&tiffin_loading);
	rc = tiffin_policy_add(&policy, key, family, owner, build);
	mutex_unlock(&tiffin_loading);
	if (rc)
		goto err_put;
	return 0;

err_put:
	module_put(family->owner);
	return rc;
}
EXPORT_SYMBOL_NS_GPL(tiffin_policy_register, TIFFIN);

/* Take @key's policy off its family's list. */
static struct tiffin_loaded *tiffin_policy_take(const struct tiffin_policy_opaque *key)
{
	struct tiffin_family *family;
	struct tiffin_loaded *loaded;

	mutex_lock(&tiffin_registry);
	list_for_each_entry(family, &tiffin_families, list)
		list_for_each_entry(loaded, &family->policies, list)
			if (loaded->key == key) {
				list_del(&loaded->list);
				goto out;
			}
	loaded = NULL;
out:
	mutex_unlock(&tiffin_registry);
	return loaded;
}

void tiffin_policy_unregister(const struct tiffin_policy_opaque *key)
{
	struct tiffin_loaded *loaded;
	struct tiffin_family *family;

	mutex_lock(&tiffin_loading);
	loaded = tiffin_policy_take(key);
	if (!WARN_ON_ONCE(!loaded)) {
		family = loaded->family;
		tiffin_event_policy(loaded, "unload");
		tiffin_sysfs_del_policy(loaded);
		module_put(family->owner);
	}
	mutex_unlock(&tiffin_loading);
}
EXPORT_SYMBOL_NS_GPL(tiffin_policy_unregister, TIFFIN);

static bool tiffin_policy_matches(const struct tiffin_loaded *loaded, const char *spec)
{
	const char *build = strchr(loaded->id, '+');

	return !strcmp(spec, loaded->policy.name) || !strcmp(spec, loaded->id) ||
	       (build && strlen(spec) == build - loaded->id &&
		!strncmp(spec, loaded->id, build - loaded->id));
}

struct tiffin_loaded *tiffin_policy_find(struct tiffin_family *family, const char *spec)
{
	struct tiffin_loaded *loaded;

	mutex_lock(&tiffin_registry);
	list_for_each_entry(loaded, &family->policies, list)
		if (tiffin_policy_matches(loaded, spec) && try_module_get(loaded->owner))
			goto out;
	loaded = ERR_PTR(-ENOENT);
out:
	mutex_unlock(&tiffin_registry);
	return loaded;
}

unsigned int tiffin_policy_instances(const struct tiffin_loaded *loaded)
{
	lockdep_assert_held(&tiffin_registry);
	return list_count_nodes((struct list_head *)&loaded->instances);
}

u64 tiffin_policy_counter(struct tiffin_loaded *loaded, unsigned int index)
{
	struct tiffin_instance *inst;
	u64 sum = 0;

	mutex_lock(&tiffin_registry);
	list_for_each_entry(inst, &loaded->instances, list)
		sum += tiffin_instance_counter(inst, index);
	mutex_unlock(&tiffin_registry);
	return sum;
}
