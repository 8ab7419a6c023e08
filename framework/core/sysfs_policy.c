// SPDX-License-Identifier: GPL-2.0-only
/* /sys/kernel/tiffin/policies/<id>: one folder a policy. */

#include <linux/slab.h>
#include <linux/sysfs.h>

#include "core/instance.h"
#include "core/registry.h"
#include "core/scope.h"
#include "core/sysfs.h"
#include "core/text.h"

static struct tiffin_loaded *to_loaded(struct kobject *kobj)
{
	return container_of(kobj, struct tiffin_loaded, kobj);
}

#define TIFFIN_POLICY_TEXT(_name, _text)							\
static ssize_t _name##_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)	\
{												\
	return sysfs_emit(buf, "%s\n", _text);							\
}												\
static struct kobj_attribute policy_attr_##_name = __ATTR_RO(_name)

TIFFIN_POLICY_TEXT(name, to_loaded(kobj)->policy.name);
TIFFIN_POLICY_TEXT(version, to_loaded(kobj)->policy.version);
TIFFIN_POLICY_TEXT(build, to_loaded(kobj)->build);
TIFFIN_POLICY_TEXT(family, to_loaded(kobj)->family->name);
TIFFIN_POLICY_TEXT(module, module_name(to_loaded(kobj)->owner));
TIFFIN_POLICY_TEXT(doc, to_loaded(kobj)->policy.doc ?: "");

static ssize_t abi_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	u32 abi = to_loaded(kobj)->policy.family_abi;

	return sysfs_emit(buf, "%u.%u\n", TIFFIN_ABI_MAJOR(abi), TIFFIN_ABI_MINOR(abi));
}

static ssize_t state_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", tiffin_scope_role(to_loaded(kobj)));
}

static ssize_t instances_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	unsigned int n;

	mutex_lock(&tiffin_registry);
	n = tiffin_policy_instances(to_loaded(kobj));
	mutex_unlock(&tiffin_registry);
	return sysfs_emit(buf, "%u\n", n);
}

static void tunables_info_make(struct kobject *kobj, struct tiffin_text *text)
{
	const struct tiffin_policy *policy = &to_loaded(kobj)->policy;
	u32 i;

	for (i = 0; i < policy->nr_tunables; i++) {
		const struct tiffin_tunable *t = tiffin_tunable_decl(policy, i);

		tiffin_text_add(text, "%s %lld %lld %lld %s\n", t->name, t->min, t->max, t->def,
				t->doc ?: "");
	}
}

static void counters_info_make(struct kobject *kobj, struct tiffin_text *text)
{
	const struct tiffin_policy *policy = &to_loaded(kobj)->policy;
	u32 i;

	for (i = 0; i < policy->nr_counters; i++) {
		const struct tiffin_counter *c = tiffin_counter_decl(policy, i);

		tiffin_text_add(text, "%s %s\n", c->name, c->doc ?: "");
	}
}

static ssize_t stores_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return tiffin_sysfs_stores(to_loaded(kobj), buf);
}

static ssize_t stores_info_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return tiffin_sysfs_stores_info(to_loaded(kobj), buf);
}

static ssize_t handover_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return tiffin_sysfs_handover(to_loaded(kobj), buf);
}

static struct kobj_attribute policy_attr_abi = __ATTR_RO(abi);
static struct kobj_attribute policy_attr_state = __ATTR_RO(state);
static struct kobj_attribute policy_attr_instances = __ATTR_RO(instances);
static struct kobj_attribute policy_attr_stores = __ATTR_RO(stores);
static struct kobj_attribute policy_attr_stores_info = __ATTR_RO(stores_info);
static struct kobj_attribute policy_attr_handover = __ATTR_RO(handover);

static struct attribute *tiffin_loaded_attrs[] = {
	&policy_attr_name.attr,
	&policy_attr_version.attr,
	&policy_attr_build.attr,
	&policy_attr_family.attr,
	&policy_attr_module.attr,
	&policy_attr_doc.attr,
	&policy_attr_abi.attr,
	&policy_attr_state.attr,
	&policy_attr_instances.attr,
	&policy_attr_stores.attr,
	&policy_attr_stores_info.attr,
	&policy_attr_handover.attr,
	NULL,
};

/* A policy says of each in its own words, as many as it likes. */
static struct tiffin_text_file policy_tunables_info =
	TIFFIN_TEXT_FILE("tunables_info", 0444, tunables_info_make);
static struct tiffin_text_file policy_counters_info =
	TIFFIN_TEXT_FILE("counters_info", 0444, counters_info_make);

static struct bin_attribute *tiffin_loaded_texts[] = {
	&policy_tunables_info.attr,
	&policy_counters_info.attr,
	NULL,
};

static const struct attribute_group tiffin_loaded_group = {
	.attrs = tiffin_loaded_attrs,
	.bin_attrs = tiffin_loaded_texts,
};
__ATTRIBUTE_GROUPS(tiffin_loaded);

static void tiffin_loaded_release(struct kobject *kobj)
{
	tiffin_kobj_free(to_loaded(kobj));
}

static const struct kobj_type tiffin_loaded_ktype = {
	.release = tiffin_loaded_release,
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = tiffin_loaded_groups,
};

static const char *tunable_name(void *owner, unsigned int i)
{
	return tiffin_tunable_decl(&((struct tiffin_loaded *)owner)->policy, i)->name;
}

static ssize_t tunable_show(void *owner, unsigned int i, char *buf)
{
	struct tiffin_loaded *loaded = owner;

	return sysfs_emit(buf, "%lld\n", READ_ONCE(loaded->tunables[i]));
}

static int tunable_store(void *owner, unsigned int i, const char *text)
{
	struct tiffin_loaded *loaded = owner;
	const struct tiffin_tunable *t = tiffin_tunable_decl(&loaded->policy, i);
	s64 value;
	int rc = kstrtos64(text, 10, &value);

	if (rc)
		return rc;
	if (value < t->min || value > t->max)
		return -ERANGE;
	WRITE_ONCE(loaded->tunables[i], value);
	return 0;
}

static const struct tiffin_dir_ops tiffin_tunables_ops = {
	.name = tunable_name,
	.show = tunable_show,
	.store = tunable_store,
};

static const char *counter_name(void *owner, unsigned int i)
{
	return tiffin_counter_decl(&((struct tiffin_loaded *)owner)->policy, i)->name;
}

static ssize_t counter_show(void *owner, unsigned int i, char *buf)
{
	return sysfs_emit(buf, "%llu\n", tiffin_policy_counter(owner, i));
}

static const struct tiffin_dir_ops tiffin_counters_ops = {
	.name = counter_name,
	.show = counter_show,
};

int tiffin_sysfs_add_policy(struct tiffin_loaded *loaded)
{
	int rc;

	loaded->kobj.kset = tiffin_kset;
	tiffin_kobj_init(&loaded->kobj, &tiffin_loaded_ktype);
	rc = kobject_add(&loaded->kobj, tiffin_policies, "%s", loaded->id);
	if (rc)
		goto err_put;
	loaded->tunables_dir = tiffin_dir_create(&loaded->kobj, "tunables", &tiffin_tunables_ops,
						 loaded, loaded->policy.nr_tunables);
	rc = PTR_ERR_OR_ZERO(loaded->tunables_dir);
	if (rc)
		goto err_kobj;
	loaded->counters_dir = tiffin_dir_create(&loaded->kobj, "counters", &tiffin_counters_ops,
						 loaded, loaded->policy.nr_counters);
	rc = PTR_ERR_OR_ZERO(loaded->counters_dir);
	if (rc)
		goto err_tunables;
	return 0;

err_tunables:
	tiffin_dir_remove(loaded->tunables_dir);
err_kobj:
	kobject_del(&loaded->kobj);
err_put:
	kobject_put(&loaded->kobj);
	return rc;
}

void tiffin_sysfs_del_policy(struct tiffin_loaded *loaded)
{
	tiffin_dir_remove(loaded->counters_dir);
	tiffin_dir_remove(loaded->tunables_dir);
	kobject_del(&loaded->kobj);
	kobject_put(&loaded->kobj);
}
