// SPDX-License-Identifier: GPL-2.0-only
/* /sys/kernel/tiffin: the root, the folders of families, and folders of like files. */

#include <linux/atomic.h>
#include <linux/capability.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/wait_bit.h>

#include "core/guard.h"
#include "core/limits.h"
#include "core/quarantine.h"
#include "core/registry.h"
#include "core/sysfs.h"
#include "core/text.h"
#include "core/version.h"

struct kset *tiffin_kset;
struct kobject *tiffin_policies;

int tiffin_may_write(void)
{
	return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

/* How many objects there are whose kobject's release is a function of this module. */
static atomic_t tiffin_kobjs = ATOMIC_INIT(0);

void tiffin_kobj_init(struct kobject *kobj, const struct kobj_type *ktype)
{
	atomic_inc(&tiffin_kobjs);
	kobject_init(kobj, ktype);
}

void tiffin_kobj_free(void *object)
{
	kfree(object);
	if (atomic_dec_and_test(&tiffin_kobjs))
		wake_up_var(&tiffin_kobjs);
}

/* Folders of like files. */

struct tiffin_dir_file {
	struct kobj_attribute attr;
	struct tiffin_dir *dir;
	unsigned int index;
};

struct tiffin_dir {
	struct kobject *kobj;
	const struct tiffin_dir_ops *ops;
	void *owner;
	struct tiffin_dir_file file[];
};

static ssize_t tiffin_dir_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct tiffin_dir_file *file = container_of(attr, struct tiffin_dir_file, attr);

	return file->dir->ops->show(file->dir->owner, file->index, buf);
}

static ssize_t tiffin_dir_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
				size_t len)
{
	struct tiffin_dir_file *file = container_of(attr, struct tiffin_dir_file, attr);
	int rc = tiffin_may_write() ?: file->dir->ops->store(file->dir->owner, file->index, buf);

	return rc ?: len;
}

struct tiffin_dir *tiffin_dir_create(struct kobject *parent, const char *name,
				     const struct tiffin_dir_ops *ops, void *owner,
				     unsigned int nr)
{
	struct tiffin_dir *dir = kzalloc(struct_size(dir, file, nr), GFP_KERNEL);
	unsigned int i;
	int rc = -ENOMEM;

	if (!dir)
		return ERR_PTR(-ENOMEM);
	dir->ops = ops;
	dir->owner = owner;
	dir->kobj = kobject_create_and_add(name, parent);
	if (!dir->kobj)
		goto err_free;
	for (i = 0; i < nr; i++) {
		struct tiffin_dir_file *file = &dir->file[i];

		file->dir = dir;
		file->index = i;
		sysfs_attr_init(&file->attr.attr);
		file->attr.attr.name = ops->name(owner, i);
		file->attr.attr.mode = ops->store ? 0644 : 0444;
		file->attr.show = tiffin_dir_show;
		file->attr.store = ops->store ? tiffin_dir_store : NULL;
		rc = sysfs_create_file(dir->kobj, &file->attr.attr);
		if (rc)
			goto err_kobj;
	}
	return dir;

err_kobj:
	kobject_del(dir->kobj);
	kobject_put(dir->kobj);
err_free:
	kfree(dir);
	return ERR_PTR(rc);
}

void tiffin_dir_remove(struct tiffin_dir *dir)
{
	if (IS_ERR_OR_NULL(dir))
		return;
	/* kobject_del() waits for who is in a file; then nobody needs the attributes. */
	kobject_del(dir->kobj);
	kobject_put(dir->kobj);
	kfree(dir);
}

/* The root. */

static ssize_t version_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", TIFFIN_VERSION);
}

static ssize_t abi_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d.%d\n", TIFFIN_ABI_MAJOR(TIFFIN_CORE_ABI),
			  TIFFIN_ABI_MINOR(TIFFIN_CORE_ABI));
}

static ssize_t last_error_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return tiffin_registry_error(buf);
}

static ssize_t faults_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return tiffin_quarantine_show(buf);
}

static ssize_t contain_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", tiffin_guard_contain());
}

static ssize_t contain_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			     size_t len)
{
	bool always;

	return tiffin_may_write() ?: kstrtobool(buf, &always) ?: tiffin_guard_set_contain(always) ?:
	       len;
}

/* Who asks makes it so: the kernel does not tell when it is told otherwise. */
static ssize_t contained_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", tiffin_guard_refresh());
}

static struct kobj_attribute tiffin_root_version = __ATTR_RO(version);
static struct kobj_attribute tiffin_root_abi = __ATTR_RO(abi);
static struct kobj_attribute tiffin_root_error = __ATTR_RO_MODE(last_error, 0400);
static struct kobj_attribute tiffin_root_faults = __ATTR_RO_MODE(faults, 0400);
static struct kobj_attribute tiffin_root_contain = __ATTR_RW(contain);
static struct kobj_attribute tiffin_root_contained = __ATTR_RO(contained);

static const struct attribute *tiffin_root_attrs[] = {
	&tiffin_root_version.attr,
	&tiffin_root_abi.attr,
	&tiffin_root_error.attr,
	&tiffin_root_faults.attr,
	&tiffin_root_contain.attr,
	&tiffin_root_contained.attr,
	NULL,
};

int tiffin_sysfs_init(void)
{
	int rc = -ENOMEM;

	tiffin_kset = kset_create_and_add("tiffin", NULL, kernel_kobj);
	if (!tiffin_kset)
		return -ENOMEM;
	tiffin_policies = kobject_create_and_add("policies", &tiffin_kset->kobj);
	if (!tiffin_policies)
		goto err_kset;
	rc = sysfs_create_files(&tiffin_kset->kobj, tiffin_root_attrs);
	if (rc)
		goto err_policies;
	return 0;

err_policies:
	kobject_put(tiffin_policies);
err_kset:
	kset_unregister(tiffin_kset);
	return rc;
}

void tiffin_sysfs_exit(void)
{
	sysfs_remove_files(&tiffin_kset->kobj, tiffin_root_attrs);
	kobject_put(tiffin_policies);
	kset_unregister(tiffin_kset);
	tiffin_texts_exit();
	/* Whoever still holds a kobject needs this module's text when they let go of it. */
	wait_var_event(&tiffin_kobjs, !atomic_read(&tiffin_kobjs));
	/* The last of them may have said so and not yet be out of the text, preempted there. */
	synchronize_rcu_tasks();
}

/* Families. */

struct tiffin_family_kobj {
	struct kobject kobj;
	struct tiffin_family *family;
};

static struct tiffin_family *to_family(struct kobject *kobj)
{
	return container_of(kobj, struct tiffin_family_kobj, kobj)->family;
}

static ssize_t family_abi_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	u32 abi = to_family(kobj)->abi;

	return sysfs_emit(buf, "%u.%u\n", TIFFIN_ABI_MAJOR(abi), TIFFIN_ABI_MINOR(abi));
}

static void available_make(struct kobject *kobj, struct tiffin_text *text)
{
	struct tiffin_loaded *loaded;

	tiffin_text_add(text, "%s\n", TIFFIN_DEFAULT_NAME);
	mutex_lock(&tiffin_registry);
	list_for_each_entry(loaded, &to_family(kobj)->policies, list)
		if (loaded->owner)
			tiffin_text_add(text, "%s\n", loaded->id);
	mutex_unlock(&tiffin_registry);
}

static ssize_t stores_bytes_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lld\n", (s64)atomic64_read(&to_family(kobj)->stores_bytes));
}

static struct kobj_attribute family_attr_abi = __ATTR(abi, 0444, family_abi_show, NULL);
static struct tiffin_text_file family_available =
	TIFFIN_TEXT_FILE("available", 0444, available_make);
static struct kobj_attribute family_attr_stores_bytes = __ATTR_RO(stores_bytes);

static struct attribute *tiffin_family_attrs[] = {
	&family_attr_abi.attr,
	&family_attr_stores_bytes.attr,
	NULL,
};

static struct bin_attribute *tiffin_family_texts[] = {
	&family_available.attr,
	NULL,
};

static const struct attribute_group tiffin_family_group = {
	.attrs = tiffin_family_attrs,
	.bin_attrs = tiffin_family_texts,
};
__ATTRIBUTE_GROUPS(tiffin_family);

static void tiffin_family_kobj_release(struct kobject *kobj)
{
	tiffin_kobj_free(container_of(kobj, struct tiffin_family_kobj, kobj));
}

static const struct kobj_type tiffin_family_ktype = {
	.release = tiffin_family_kobj_release,
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = tiffin_family_groups,
};

static const char *figure_name(void *owner, unsigned int i)
{
	return ((struct tiffin_family *)owner)->figures[i].name;
}

static ssize_t figure_show(void *owner, unsigned int i, char *buf)
{
	struct tiffin_family *family = owner;

	return sysfs_emit(buf, "%llu\n", family->ops->figure(family, i));
}

static const struct tiffin_dir_ops tiffin_figures_ops = {
	.name = figure_name,
	.show = figure_show,
};

static const char *limit_name(void *owner, unsigned int i)
{
	return tiffin_limit_range[i].name;
}

static u32 *limit_of(struct tiffin_family *family, unsigned int i)
{
	return (void *)&family->limits + tiffin_limit_range[i].offset;
}

static ssize_t limit_show(void *owner, unsigned int i, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(*limit_of(owner, i)));
}

static int limit_store(void *owner, unsigned int i, const char *text)
{
	u32 value;
	int rc = tiffin_limit_parse(i, text, &value);

	if (!rc)
		WRITE_ONCE(*limit_of(owner, i), value);
	return rc;
}

static const struct tiffin_dir_ops tiffin_limits_ops = {
	.name = limit_name,
	.show = limit_show,
	.store = limit_store,
};

int tiffin_sysfs_add_family(struct tiffin_family *family)
{
	struct tiffin_family_kobj *fk = kzalloc(sizeof(*fk), GFP_KERNEL);
	int rc;

	if (!fk)
		return -ENOMEM;
	fk->family = family;
	fk->kobj.kset = tiffin_kset;
	tiffin_kobj_init(&fk->kobj, &tiffin_family_ktype);
	rc = kobject_add(&fk->kobj, NULL, "%s", family->name);
	if (rc)
		goto err_put;
	family->limits_dir = tiffin_dir_create(&fk->kobj, "limits", &tiffin_limits_ops, family,
					       TIFFIN_LIMITS);
	rc = PTR_ERR_OR_ZERO(family->limits_dir);
	if (rc)
		goto err_kobj;
	family->figures_dir = tiffin_dir_create(&fk->kobj, "figures", &tiffin_figures_ops, family,
						family->nr_figures);
	rc = PTR_ERR_OR_ZERO(family->figures_dir);
	if (rc)
		goto err_limits;
	rc = -ENOMEM;
	family->scopes_kobj = kobject_create_and_add("scopes", &fk->kobj);
	if (!family->scopes_kobj)
		goto err_figures;
	if (family->attrs) {
		rc = sysfs_create_group(&fk->kobj, family->attrs);
		if (rc)
			goto err_scopes;
	}
	family->kobj = &fk->kobj;
	return 0;

err_scopes:
	kobject_put(family->scopes_kobj);
err_figures:
	tiffin_dir_remove(family->figures_dir);
err_limits:
	tiffin_dir_remove(family->limits_dir);
err_kobj:
	kobject_del(&fk->kobj);
err_put:
	kobject_put(&fk->kobj);
	return rc;
}

void tiffin_sysfs_del_family(struct tiffin_family *family)
{
	if (family->attrs)
		sysfs_remove_group(family->kobj, family->attrs);
	kobject_put(family->scopes_kobj);
	tiffin_dir_remove(family->figures_dir);
	tiffin_dir_remove(family->limits_dir);
	kobject_del(family->kobj);
	kobject_put(family->kobj);
}
