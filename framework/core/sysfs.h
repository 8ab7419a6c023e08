/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /sys/kernel/tiffin; described in abi/sysfs-kernel-tiffin.
 *
 * Every write needs CAP_SYS_ADMIN in the initial user namespace, whatever the file's mode says.
 */
#ifndef TIFFIN_CORE_SYSFS_H
#define TIFFIN_CORE_SYSFS_H

#include <linux/kobject.h>
#include <linux/types.h>

struct tiffin_dir;
struct tiffin_family;
struct tiffin_loaded;
struct tiffin_scope;

/* Of struct tiffin_scope; its release frees the scope. */
extern const struct kobj_type tiffin_scope_ktype;

/* /sys/kernel/tiffin, and policies/ in it; between tiffin_sysfs_init() and tiffin_sysfs_exit(). */
extern struct kset *tiffin_kset;
extern struct kobject *tiffin_policies;

/**
 * struct tiffin_dir_ops - a folder of files that differ only in an index
 * @name: of file @i
 * @show: its content
 * @store: takes what was written; NULL makes the files read-only
 */
struct tiffin_dir_ops {
	const char *(*name)(void *owner, unsigned int i);
	ssize_t (*show)(void *owner, unsigned int i, char *buf);
	int (*store)(void *owner, unsigned int i, const char *text);
};

/**
 * tiffin_dir_create - add such a folder
 * @parent: where
 * @name: of the folder
 * @ops: what its files do
 * @owner: passed to @ops
 * @nr: number of files
 *
 * Context: process, may sleep.
 * Return: the folder, or ERR_PTR(-ENOMEM) or another error of sysfs.
 */
struct tiffin_dir *tiffin_dir_create(struct kobject *parent, const char *name,
				     const struct tiffin_dir_ops *ops, void *owner,
				     unsigned int nr);

/* Remove the folder; waits for readers and writers. @dir may be NULL or an error. */
void tiffin_dir_remove(struct tiffin_dir *dir);

/**
 * tiffin_kobj_init - kobject_init(), for a type whose release is a function of this module
 * @kobj: to initialise
 * @ktype: its type; its release ends in tiffin_kobj_free()
 */
void tiffin_kobj_init(struct kobject *kobj, const struct kobj_type *ktype);

/* Free what such a kobject is part of. */
void tiffin_kobj_free(void *object);

/* Make and remove /sys/kernel/tiffin; the latter waits until the last kobject has been freed. */
int tiffin_sysfs_init(void);
void tiffin_sysfs_exit(void);

/* Make and remove a family's folder, without its scopes. */
int tiffin_sysfs_add_family(struct tiffin_family *family);
void tiffin_sysfs_del_family(struct tiffin_family *family);

/* Make and remove a policy's folder. @loaded's memory goes with the last user of the folder. */
int tiffin_sysfs_add_policy(struct tiffin_loaded *loaded);
void tiffin_sysfs_del_policy(struct tiffin_loaded *loaded);

/* Make and remove the folder of a scope, whose kobject is initialised. */
int tiffin_sysfs_add_scope(struct tiffin_scope *scope);
void tiffin_sysfs_del_scope(struct tiffin_scope *scope);

/* Tables about stores, for files of policies and of scopes; each returns the bytes of @buf. */
ssize_t tiffin_sysfs_stores(const struct tiffin_loaded *loaded, char *buf);
ssize_t tiffin_sysfs_stores_info(const struct tiffin_loaded *loaded, char *buf);
ssize_t tiffin_sysfs_handover(const struct tiffin_loaded *loaded, char *buf);
ssize_t tiffin_sysfs_scope_stores(struct tiffin_scope *scope, char *buf);

/* Whether the caller may write; part of every store. Return: 0 or -EPERM. */
int tiffin_may_write(void);

#endif /* TIFFIN_CORE_SYSFS_H */
