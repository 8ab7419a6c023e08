/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a family's host module and the core have to do with each other.
 *
 * A family describes itself in a struct tiffin_family and registers. From then on the core owns the
 * registry of its policies, its scopes, their instances and stores, sysfs and the swap. The family
 * owns its mechanism. It puts its questions with tiffin_dispatch() and carries out the answers.
 */
#ifndef TIFFIN_CORE_FAMILY_H
#define TIFFIN_CORE_FAMILY_H

#include <linux/atomic.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/types.h>

#include <tiffin/plugin.h>

struct tiffin_dir;
struct tiffin_scope;

/**
 * struct tiffin_hook - one question of a family
 * @name: for people: names who held a swap up
 * @offset: of the function pointer in the family's hook table
 * @required: a policy without it is refused; where an optional one is missing the caller gets
 *	%TIFFIN_DEFAULT
 * @answer_ok: is every field of the policy's answer in range? One that isn't is counted against the
 *	policy that gave it, and the caller gets %TIFFIN_CONTINUITY. Called right after the policy,
 *	before any flip, in the context of the call. NULL where any answer will do.
 */
struct tiffin_hook {
	const char *name;
	u32 offset;
	bool required;
	bool (*answer_ok)(const void *in, const void *out);
};

/**
 * enum tiffin_figure_kind - how a figure is read over a window of time
 * @TIFFIN_FIGURE_COUNTER: grows; its value over a window is the difference
 * @TIFFIN_FIGURE_GAUGE: the family computes it over the window itself
 */
enum tiffin_figure_kind {
	TIFFIN_FIGURE_COUNTER,
	TIFFIN_FIGURE_GAUGE,
};

/**
 * struct tiffin_figure - a number that the family measures; a health gate may name it
 * @name: letters, digits and '_'; the name of its file under figures/
 * @doc: one line: what it is, and its unit
 * @kind: how it is read over a window
 */
struct tiffin_figure {
	const char *name;
	const char *doc;
	enum tiffin_figure_kind kind;
};

/**
 * struct tiffin_limits - bounds that the operator may set, in sysfs under limits/
 * @hold_ns: longest time that a hook caller waits at a closed gate before it gets the continuity
 *	answer; 0 to 1000000
 * @close_us: longest time that the first attempt keeps the gate closed, interrupts off on one CPU,
 *	while calls drain; each further attempt takes up to twice as long, at most 32 times
 *	@close_us; 1 to 10000
 * @timeout_ms: longest time from a swap's request to its flip; then it reverses; 1 to 600000
 * @probation_ms: default length of the probation; 0 (commit at once) to 86400000
 * @stores_kib: most memory in KiB that the stores of the family's instances may take, with what is
 *	kept for a rollback; 1 to 4294967295. A family that leaves it 0 gets a share of the
 *	machine's memory at registration (tiffin_limits_complete()).
 * @budget_us: longest time that one call into a policy may take, in us; then it is ended. 4000 to
 *	600000000
 * @cpu_percent: the part of a CPU's time that a policy may take in its calls, over a second, in
 *	percent; 1 to 100, which is all of it and never too much
 * @bad_answers: how many answers out of range within a second put a policy in quarantine; 0: none
 *	does; 0 to 4294967295
 */
struct tiffin_limits {
	u32 hold_ns;
	u32 close_us;
	u32 timeout_ms;
	u32 probation_ms;
	u32 stores_kib;
	u32 budget_us;
	u32 cpu_percent;
	u32 bad_answers;
};

struct tiffin_family;

/**
 * struct tiffin_family_ops - what the core asks of a family
 * @figure: current value of figure @index. Process context, may sleep.
 * @window: a probation begins: gauges count from here on. Process context, may sleep. Optional.
 * @flipped: another instance is active, @stock says whether it is the built-in default. Process
 *	context, may sleep, but not for long: a rollback waits for it. The gate is open already.
 *	Optional.
 */
struct tiffin_family_ops {
	u64 (*figure)(struct tiffin_family *family, unsigned int index);
	void (*window)(struct tiffin_family *family);
	void (*flipped)(struct tiffin_family *family, bool stock);
};

/**
 * struct tiffin_family - a family and its host module
 * @name: as in abi/: packet_steering, ...
 * @abi: version of the family's header, TIFFIN_ABI()
 * @owner: the host module
 * @hooks: the family's questions, in the order of their indices
 * @nr_hooks: entries of @hooks, at most TIFFIN_MAX_HOOKS
 * @max_objects: objects are numbered below this; 0 where the family has none
 * @generation: for lists of objects: by number, the generation of the object that lives, 0 where
 *	there is none. The family writes it as objects come and go, one word at a time; core reads
 *	it at any time. NULL where policies of the family can't have lists.
 * @figures: what the family measures, or NULL
 * @nr_figures: entries of @figures
 * @ops: what the core asks of the family
 * @attrs: the family's own files in its sysfs folder, or NULL; they are there, and may be written,
 *	until tiffin_family_unregister() has removed them
 * @limits: start values from the family, then what the operator set
 * @stores_bytes: private to the core: what stores take now
 * @kobj: private to the core: the family's folder
 * @scopes_kobj: private to the core
 * @figures_dir: private to the core
 * @limits_dir: private to the core
 * @list: private to the core
 * @policies: private to the core: newest first, the default last
 * @scope: the scope "default", from registration to unregistration
 */
struct tiffin_family {
	const char *name;
	u32 abi;
	struct module *owner;
	const struct tiffin_hook *hooks;
	unsigned int nr_hooks;
	u32 max_objects;
	const u32 *generation;
	const struct tiffin_figure *figures;
	unsigned int nr_figures;
	const struct tiffin_family_ops *ops;
	const struct attribute_group *attrs;
	struct tiffin_limits limits;

	atomic64_t stores_bytes;
	struct kobject *kobj;
	struct kobject *scopes_kobj;
	struct tiffin_dir *figures_dir;
	struct tiffin_dir *limits_dir;
	struct list_head list;
	struct list_head policies;
	struct tiffin_scope *scope;
};

#define TIFFIN_MAX_HOOKS	16

/* The limits of a family that has no better ones of its own. */
#define TIFFIN_LIMITS_INIT							\
	{ .hold_ns = 5000, .close_us = 50, .timeout_ms = 5000, .probation_ms = 0,		\
	  .budget_us = 10000, .cpu_percent = 50, .bad_answers = 1000 }

/**
 * tiffin_family_register - make a family known, with its default active in scope "default"
 * @family: filled in up to @limits; stays in place until unregistration
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL for a description that breaks the rules above, -EEXIST for a name taken,
 * -ENOMEM. The kernel log says which.
 */
int tiffin_family_register(struct tiffin_family *family);

/**
 * tiffin_family_unregister - undo tiffin_family_register()
 * @family: no policy of it is loaded any more (a policy's module holds the family's), and the
 *	caller has seen to it that no call of tiffin_dispatch() runs or will come
 *
 * Context: process, may sleep.
 */
void tiffin_family_unregister(struct tiffin_family *family);

#endif /* TIFFIN_CORE_FAMILY_H */
