/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The registry: which families and policies are loaded.
 *
 * tiffin_registry protects the list of families, each family's list of policies, and each policy's
 * list of instances. It is taken inside a scope's swap lock, never around it, and never while sysfs
 * entries are being removed (their handlers take it).
 */
#ifndef TIFFIN_CORE_REGISTRY_H
#define TIFFIN_CORE_REGISTRY_H

#include <linux/kobject.h>
#include <linux/mutex.h>

#include <tiffin/glue.h>
#include <tiffin/plugin.h>

#include "core/family.h"

#define TIFFIN_BUILD_LEN	24
#define TIFFIN_ID_LEN		(TIFFIN_NAME_LEN + TIFFIN_VERSION_LEN + TIFFIN_BUILD_LEN)
#define TIFFIN_DEFAULT_NAME	"default"
#define TIFFIN_WHY_LEN		192	/* of what brought a policy to quarantine, and where */

/* Every hook and life-cycle callback as the host calls it. */
typedef void (*tiffin_hook_fn)(const struct tiffin_ctx *ctx, const void *in, void *out);

/**
 * struct tiffin_loaded - a loaded policy
 * @kobj: its folder in sysfs; holds the memory of this structure
 * @list: in the family's policies
 * @family: whose it is
 * @key: the descriptor as the module registered it; NULL for the built-in default
 * @owner: the policy's module; NULL for the built-in default
 * @policy: the descriptor in this host's size
 * @build: build id
 * @id: name-version+build, or "default": unique in the family
 * @quarantined: never to be entered again (quarantine.h); read with each call, as @hook is
 * @hook: by the family's hook index; NULL where the policy lacks it
 * @store: declared stores by kind, where @has_store
 * @has_store: by kind
 * @tunables: current values; read by policies at any time, written one word at a time
 * @instances: all of the policy
 * @tunables_dir: sysfs
 * @counters_dir: sysfs
 * @text: where the module's text begins
 * @text_size: bytes of it; 0 for the built-in default
 * @bad_answers: out of range, since @bad_since
 * @bad_since: jiffies
 * @why: what brought it there first; under quarantine.c's lock
 * @told: user space has had the event of it; under quarantine.c's mutex
 */
struct tiffin_loaded {
	struct kobject kobj;
	struct list_head list;
	struct tiffin_family *family;
	const struct tiffin_policy_opaque *key;
	struct module *owner;
	struct tiffin_policy policy;
	char build[TIFFIN_BUILD_LEN];
	char id[TIFFIN_ID_LEN];
	bool quarantined;
	tiffin_hook_fn hook[TIFFIN_MAX_HOOKS];
	struct tiffin_store store[TIFFIN_STORE_KINDS];
	bool has_store[TIFFIN_STORE_KINDS];
	s64 tunables[TIFFIN_MAX_TUNABLES];
	struct list_head instances;
	struct tiffin_dir *tunables_dir;
	struct tiffin_dir *counters_dir;
	unsigned long text;
	unsigned long text_size;
	atomic_t bad_answers;
	unsigned long bad_since;
	char why[TIFFIN_WHY_LEN];
	bool told;
};

extern struct mutex tiffin_registry;

/* Declaration number @i of a policy, whatever its stride. */
static inline const struct tiffin_tunable *tiffin_tunable_decl(const struct tiffin_policy *p, u32 i)
{
	return (const void *)p->tunables + (size_t)i * p->tunable_stride;
}

static inline const struct tiffin_store *tiffin_store_decl(const struct tiffin_policy *p, u32 i)
{
	return (const void *)p->stores + (size_t)i * p->store_stride;
}

static inline const struct tiffin_counter *tiffin_counter_decl(const struct tiffin_policy *p, u32 i)
{
	return (const void *)p->counters + (size_t)i * p->counter_stride;
}

/*
 * The function that a policy has for a hook; NULL where its table ends before it or leaves it out.
 */
static inline tiffin_hook_fn tiffin_policy_hook(const struct tiffin_policy *p,
						const struct tiffin_hook *hook)
{
	if (hook->offset + sizeof(tiffin_hook_fn) > p->hooks_size)
		return NULL;
	return *(const tiffin_hook_fn *)(p->hooks + hook->offset);
}

/**
 * tiffin_policy_check - is a descriptor one that this host can run?
 * @desc: as the policy's module holds it
 * @family: the family that it names
 * @out: receives the descriptor in this host's size
 * @why: receives a sentence that says what is wrong and what to do
 * @len: bytes of @why
 *
 * Return: 0, -EINVAL or -EPROTO (ABI version).
 */
int tiffin_policy_check(const struct tiffin_policy *desc, const struct tiffin_family *family,
			struct tiffin_policy *out, char *why, size_t len);

/**
 * tiffin_policy_find - find a loaded policy and hold its module
 * @family: where
 * @spec: name (the newest loaded of that name), name-version, full id, or "default"
 *
 * Context: process, may sleep. Takes tiffin_registry.
 * Return: the policy, to be given back with tiffin_policy_release(); ERR_PTR(-ENOENT).
 */
struct tiffin_loaded *tiffin_policy_find(struct tiffin_family *family, const char *spec);

/**
 * tiffin_family_next - go through the families, each held while it is looked at
 * @family: the one before, which is let go of; NULL for the first
 *
 * A family that comes or goes meanwhile may be missed.
 *
 * Context: process, may sleep. Takes tiffin_registry.
 * Return: the next one, or NULL.
 */
struct tiffin_family *tiffin_family_next(struct tiffin_family *family);

/* Let go of what tiffin_policy_find() held. */
static inline void tiffin_policy_release(struct tiffin_loaded *loaded)
{
	module_put(loaded->owner);
}

/* Number of instances that a policy has. Context: tiffin_registry held. */
unsigned int tiffin_policy_instances(const struct tiffin_loaded *loaded);

/* The sum of counter @index over CPUs and instances. Context: process; takes tiffin_registry. */
u64 tiffin_policy_counter(struct tiffin_loaded *loaded, unsigned int index);

/* True for 1 to @len - 1 letters, digits, '_', and, where @dots, '.', with a NUL behind them. */
bool tiffin_name_ok(const char *name, size_t len, bool dots);

/* What the last refused registration said; for sysfs. */
ssize_t tiffin_registry_error(char *buf);

#endif /* TIFFIN_CORE_REGISTRY_H */
