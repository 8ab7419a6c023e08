/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory, modules, kernel objects, sysfs and tracepoints, for user space. Objects have their life: who
 * holds whom, and what the last reference frees. Their files are accepted and stay unread: the suites
 * of selftests/kunit read them.
 */
#ifndef TIFFIN_SHIM_OBJECT_H
#define TIFFIN_SHIM_OBJECT_H

#include "shim_kernel.h"

/* Memory; shim_fail_allocation() makes any of these fail. */

#define GFP_KERNEL		0
#define GFP_KERNEL_ACCOUNT	0

/* 1 GiB */
#define totalram_pages()	(1UL << 18)

void *shim_alloc(size_t size);
void shim_free(const void *ptr);
char *kstrdup(const char *text, int gfp);

#define kmalloc(size, gfp)	((void)(gfp), shim_alloc(size))
#define kzalloc(size, gfp)	((void)(gfp), shim_alloc(size))
#define kvmalloc(size, gfp)	((void)(gfp), shim_alloc(size))
#define kvzalloc(size, gfp)	((void)(gfp), shim_alloc(size))
#define kvcalloc(n, size, gfp)	((void)(gfp), shim_alloc(array_size(n, size)))
#define vzalloc(size)		shim_alloc(size)
#define kfree(ptr)		shim_free(ptr)
#define kvfree(ptr)		shim_free(ptr)
#define vfree(ptr)		shim_free(ptr)

/* Modules. */

enum module_state {
	MODULE_STATE_LIVE,
	MODULE_STATE_COMING,
	MODULE_STATE_GOING,
};

enum mod_mem_type {
	MOD_TEXT,
	MOD_MEM_NUM_TYPES,
};

struct module {
	enum module_state state;
	char name[56];
	int refs;
	struct {
		void *base;
		unsigned int size;
	} mem[MOD_MEM_NUM_TYPES];
};

extern struct module shim_module;
#define THIS_MODULE	(&shim_module)

bool try_module_get(struct module *mod);
void module_put(struct module *mod);

static inline const char *module_name(const struct module *mod)
{
	return mod ? mod->name : "kernel";
}

static inline unsigned int module_refcount(struct module *mod)
{
	return __atomic_load_n(&mod->refs, __ATOMIC_SEQ_CST);
}

#define EXPORT_SYMBOL_NS_GPL(symbol, ns)
#define LINUX_VERSION_CODE		KERNEL_VERSION(6, 12, 0)
#define KERNEL_VERSION(a, b, c)		(((a) << 16) + ((b) << 8) + (c))

/* Kernel objects. */

struct attribute {
	const char *name;
	unsigned short mode;
};

struct kobject;
struct bin_attribute;

typedef struct {
	unsigned int val;
} kuid_t;

static inline bool uid_eq(kuid_t left, kuid_t right)
{
	return left.val == right.val;
}

struct cred {
	kuid_t fsuid;
};

/* Who reads. */
struct file {
	const struct cred *f_cred;
};

struct bin_attribute {
	struct attribute attr;
	ssize_t (*read)(struct file *file, struct kobject *kobj, struct bin_attribute *attr,
			char *buf, loff_t pos, size_t count);
};

struct attribute_group {
	const char *name;
	struct attribute **attrs;
	struct bin_attribute **bin_attrs;
};

struct kobj_attribute {
	struct attribute attr;
	ssize_t (*show)(struct kobject *kobj, struct kobj_attribute *attr, char *buf);
	ssize_t (*store)(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			 size_t len);
};

struct sysfs_ops {
	int unused;
};

struct kobj_type {
	void (*release)(struct kobject *kobj);
	const struct sysfs_ops *sysfs_ops;
	const struct attribute_group **default_groups;
};

struct kset;

struct kobject {
	char *name;
	struct kobject *parent;
	struct kset *kset;
	const struct kobj_type *ktype;
	struct kref ref;
	bool in_sysfs;
	bool going;
	u32 in_files;
};

struct kset {
	struct kobject kobj;
};

extern struct kobject *kernel_kobj;
extern const struct sysfs_ops kobj_sysfs_ops;

void kobject_init(struct kobject *kobj, const struct kobj_type *ktype);
__printf(3, 4) int kobject_add(struct kobject *kobj, struct kobject *parent, const char *fmt, ...);
__printf(4, 5) int kobject_init_and_add(struct kobject *kobj, const struct kobj_type *ktype,
					struct kobject *parent, const char *fmt, ...);
struct kobject *kobject_create_and_add(const char *name, struct kobject *parent);
void kobject_del(struct kobject *kobj);
void kobject_put(struct kobject *kobj);
struct kset *kset_create_and_add(const char *name, const void *uevent_ops,
				 struct kobject *parent);
void kset_unregister(struct kset *kset);

static inline const char *kobject_name(const struct kobject *kobj)
{
	return kobj->name;
}

#define KOBJ_CHANGE		2
#define UEVENT_NUM_ENVP		64
#define UEVENT_BUFFER_SIZE	2048

struct kobj_uevent_env {
	char *envp[UEVENT_NUM_ENVP];
	int envp_idx;
	char buf[UEVENT_BUFFER_SIZE];
	int buflen;
};

__printf(2, 3) int add_uevent_var(struct kobj_uevent_env *env, const char *fmt, ...);
int kobject_uevent_env(struct kobject *kobj, int action, char *envp[]);

/* sysfs. */

#define PAGE_SIZE		4096
#define PAGE_ALIGN(n)		ALIGN(n, PAGE_SIZE)

#define __ATTR(_name, _mode, _show, _store)					\
	{ .attr = { .name = #_name, .mode = _mode }, .show = _show, .store = _store }
#define __ATTR_RO_MODE(_name, _mode)	__ATTR(_name, _mode, _name##_show, NULL)
#define __ATTR_RO(_name)		__ATTR_RO_MODE(_name, 0444)
#define __ATTR_WO(_name)		__ATTR(_name, 0200, NULL, _name##_store)
#define __ATTR_RW(_name)		__ATTR(_name, 0644, _name##_show, _name##_store)
#define __ATTRIBUTE_GROUPS(_name)						\
	static const struct attribute_group *_name##_groups[] = { &_name##_group, NULL }
#define ATTRIBUTE_GROUPS(_name)							\
	static const struct attribute_group _name##_group = { .attrs = _name##_attrs };	\
	__ATTRIBUTE_GROUPS(_name)
#define sysfs_attr_init(attr)		((void)(attr))

int sysfs_create_file(struct kobject *kobj, const struct attribute *attr);
int sysfs_create_files(struct kobject *kobj, const struct attribute * const *attrs);
void sysfs_remove_files(struct kobject *kobj, const struct attribute * const *attrs);
int sysfs_create_group(struct kobject *kobj, const struct attribute_group *group);
void sysfs_remove_group(struct kobject *kobj, const struct attribute_group *group);
__printf(2, 3) int sysfs_emit(char *buf, const char *fmt, ...);
__printf(3, 4) int sysfs_emit_at(char *buf, int at, const char *fmt, ...);
ssize_t memory_read_from_buffer(void *to, size_t count, loff_t *pos, const void *from,
				size_t available);

#define capable(cap)	((void)(cap), true)

/* Tracepoints lead nowhere. */

#define TP_PROTO(...)	__VA_ARGS__
#define TRACE_EVENT(name, proto, ...)	static inline void trace_##name(proto) { }

#endif /* TIFFIN_SHIM_OBJECT_H */
