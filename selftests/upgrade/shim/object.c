// SPDX-License-Identifier: GPL-2.0-only
/* Memory, modules, kernel objects, uevents; see object.h. */
#include <stdlib.h>

#include "shim.h"

/* Memory. */

static long allocations;
static unsigned int fail_in;
static bool has_failed, no_memory;

long shim_percpu_allocations(void);

void shim_fail_allocation(unsigned int nth)
{
	fail_in = nth;
	has_failed = false;
}

void shim_no_memory(bool none)
{
	no_memory = none;
}

bool shim_allocation_failed(void)
{
	return has_failed;
}

long shim_allocations(void)
{
	return __atomic_load_n(&allocations, __ATOMIC_SEQ_CST) + shim_percpu_allocations();
}

static bool shim_fails(void)
{
	if (no_memory)
		return true;
	if (!fail_in || --fail_in)
		return false;
	has_failed = true;
	return true;
}

void *shim_alloc(size_t size)
{
	void *ptr;

	shim_step();
	ptr = shim_fails() ? NULL : calloc(1, size);
	if (ptr)
		__atomic_fetch_add(&allocations, 1, __ATOMIC_SEQ_CST);
	return ptr;
}

void shim_free(const void *ptr)
{
	if (ptr)
		__atomic_fetch_sub(&allocations, 1, __ATOMIC_SEQ_CST);
	free((void *)ptr);
}

char *kstrdup(const char *text, int gfp)
{
	size_t size = strlen(text) + 1;
	char *copy = shim_alloc(size);

	if (copy)
		memcpy(copy, text, size);
	return copy;
}

/* Taints. */

static unsigned int taints;

void add_taint(unsigned int flag, int lockdep)
{
	__atomic_fetch_add(&taints, 1, __ATOMIC_SEQ_CST);
}

unsigned int shim_taints(void)
{
	return READ_ONCE(taints);
}

/* Modules. */

struct module shim_module = { .name = "shim" };

bool try_module_get(struct module *mod)
{
	if (mod && mod->state == MODULE_STATE_GOING)
		return false;
	if (mod)
		__atomic_fetch_add(&mod->refs, 1, __ATOMIC_SEQ_CST);
	return true;
}

void module_put(struct module *mod)
{
	if (mod && __atomic_fetch_sub(&mod->refs, 1, __ATOMIC_SEQ_CST) <= 0)
		shim_splat(__FILE__, __LINE__, "module_put() without a hold");
}

/* Kernel objects. */

const struct sysfs_ops kobj_sysfs_ops;
static struct kobject kernel_root = { .name = "kernel" };
struct kobject *kernel_kobj = &kernel_root;

static struct kobject *kobject_get(struct kobject *kobj)
{
	if (kobj && kobj != kernel_kobj)
		kref_get(&kobj->ref);
	return kobj;
}

void kobject_init(struct kobject *kobj, const struct kobj_type *ktype)
{
	kref_init(&kobj->ref);
	kobj->ktype = ktype;
}

static int kobject_vadd(struct kobject *kobj, struct kobject *parent, const char *fmt, va_list args)
{
	char name[256];

	vscnprintf(name, sizeof(name), fmt, args);
	kobj->name = kstrdup(name, GFP_KERNEL);
	if (!kobj->name)
		return -ENOMEM;
	if (kobj->kset)
		kobject_get(&kobj->kset->kobj);
	kobj->parent = kobject_get(parent ? parent : kobj->kset ? &kobj->kset->kobj : NULL);
	kobj->in_sysfs = true;
	return 0;
}

int kobject_add(struct kobject *kobj, struct kobject *parent, const char *fmt, ...)
{
	va_list args;
	int rc;

	va_start(args, fmt);
	rc = kobject_vadd(kobj, parent, fmt, args);
	va_end(args);
	return rc;
}

int kobject_init_and_add(struct kobject *kobj, const struct kobj_type *ktype,
			 struct kobject *parent, const char *fmt, ...)
{
	va_list args;
	int rc;

	kobject_init(kobj, ktype);
	va_start(args, fmt);
	rc = kobject_vadd(kobj, parent, fmt, args);
	va_end(args);
	return rc;
}

bool shim_file_open(struct kobject *kobj)
{
	if (!kobj->in_sysfs || kobj->going)
		return false;
	kobj->in_files++;
	return true;
}

void shim_file_close(struct kobject *kobj)
{
	kobj->in_files--;
}

void kobject_del(struct kobject *kobj)
{
	struct kobject *parent = kobj->parent;

	/* The kernel warns of files that are not there, and puts a kset that was never taken. */
	if (!kobj->in_sysfs)
		shim_splat(__FILE__, __LINE__, "kobject_del() of what is not in sysfs");
	kobj->going = true;
	while (kobj->in_files)
		shim_wait();
	kobj->in_sysfs = false;
	kobj->parent = NULL;
	if (kobj->kset)
		kobject_put(&kobj->kset->kobj);
	kobject_put(parent);
}

static void kobject_release(struct kref *ref)
{
	struct kobject *kobj = container_of(ref, struct kobject, ref);
	char *name = kobj->name;

	if (kobj->in_sysfs)
		kobject_del(kobj);
	kobj->ktype->release(kobj);
	shim_free(name);
}

void kobject_put(struct kobject *kobj)
{
	if (kobj && kobj != kernel_kobj)
		kref_put(&kobj->ref, kobject_release);
}

static void dynamic_release(struct kobject *kobj)
{
	shim_free(kobj);
}

static const struct kobj_type dynamic_ktype = { .release = dynamic_release };

struct kobject *kobject_create_and_add(const char *name, struct kobject *parent)
{
	struct kobject *kobj = shim_alloc(sizeof(*kobj));

	if (kobj && kobject_init_and_add(kobj, &dynamic_ktype, parent, "%s", name)) {
		kobject_put(kobj);
		return NULL;
	}
	return kobj;
}

static void kset_release(struct kobject *kobj)
{
	shim_free(container_of(kobj, struct kset, kobj));
}

static const struct kobj_type kset_ktype = { .release = kset_release };

struct kset *kset_create_and_add(const char *name, const void *uevent_ops,
				 struct kobject *parent)
{
	struct kset *kset = shim_alloc(sizeof(*kset));

	if (kset && kobject_init_and_add(&kset->kobj, &kset_ktype, parent, "%s", name)) {
		kobject_put(&kset->kobj);
		return NULL;
	}
	return kset;
}

void kset_unregister(struct kset *kset)
{
	kobject_del(&kset->kobj);
	kobject_put(&kset->kobj);
}

/* Uevents: the last ones are kept. */

#define EVENTS		64

static pthread_mutex_t event_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	char buf[UEVENT_BUFFER_SIZE];
	int len;
} events[EVENTS];
static unsigned int nr_events;

int add_uevent_var(struct kobj_uevent_env *env, const char *fmt, ...)
{
	size_t room = sizeof(env->buf) - env->buflen;
	va_list args;
	int len;

	if (env->envp_idx >= UEVENT_NUM_ENVP)
		return -ENOMEM;
	va_start(args, fmt);
	len = vsnprintf(env->buf + env->buflen, room, fmt, args);
	va_end(args);
	if (len < 0 || (size_t)len >= room)
		return -ENOMEM;
	env->envp[env->envp_idx++] = env->buf + env->buflen;
	env->buflen += len + 1;
	return 0;
}

int kobject_uevent_env(struct kobject *kobj, int action, char *envp[])
{
	unsigned int nr;
	char *at;

	if (!kobj->in_sysfs)
		shim_splat(__FILE__, __LINE__, "an event of an object that is not in sysfs");
	pthread_mutex_lock(&event_lock);
	nr = nr_events++ % EVENTS;
	for (at = events[nr].buf; *envp; envp++)
		at = stpcpy(at, *envp) + 1;
	events[nr].len = at - events[nr].buf;
	pthread_mutex_unlock(&event_lock);
	return 0;
}

unsigned int shim_events(void)
{
	return nr_events;
}

const char *shim_event(unsigned int nr, const char *key)
{
	const char *at = events[nr % EVENTS].buf, *end = at + events[nr % EVENTS].len;
	size_t len = strlen(key);

	for (; at < end; at += strlen(at) + 1)
		if (!strncmp(at, key, len) && at[len] == '=')
			return at + len + 1;
	return NULL;
}

/* sysfs. */

int sysfs_create_file(struct kobject *kobj, const struct attribute *attr)
{
	return kobj->in_sysfs && !shim_fails() ? 0 : -ENOMEM;
}

int sysfs_create_files(struct kobject *kobj, const struct attribute * const *attrs)
{
	return sysfs_create_file(kobj, *attrs);
}

void sysfs_remove_files(struct kobject *kobj, const struct attribute * const *attrs)
{
}

int sysfs_create_group(struct kobject *kobj, const struct attribute_group *group)
{
	return sysfs_create_file(kobj, group->attrs[0]);
}

void sysfs_remove_group(struct kobject *kobj, const struct attribute_group *group)
{
}

int sysfs_emit_at(char *buf, int at, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vscnprintf(buf + at, PAGE_SIZE - at, fmt, args);
	va_end(args);
	return len;
}

ssize_t memory_read_from_buffer(void *to, size_t count, loff_t *pos, const void *from,
				size_t available)
{
	if (*pos < 0)
		return -EINVAL;
	if (*pos >= available)
		return 0;
	count = min(count, available - *pos);
	memcpy(to, from + *pos, count);
	*pos += count;
	return count;
}

int sysfs_emit(char *buf, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vscnprintf(buf, PAGE_SIZE, fmt, args);
	va_end(args);
	return len;
}
