/* SPDX-License-Identifier: GPL-2.0-only */
/* Scopes: where a policy is active. Each family has one, "default"; others come later. */
#ifndef TIFFIN_CORE_SCOPE_H
#define TIFFIN_CORE_SCOPE_H

#include <linux/kobject.h>

#include "core/dispatch.h"
#include "core/family.h"
#include "core/histogram.h"
#include "core/instance.h"
#include "gate.h"
#include "rescue.h"
#include "swap.h"

/**
 * struct tiffin_figures - what dispatch counts, one CPU's share
 * @calls: questions put
 * @answered: by a policy, and well
 * @stock: by nobody, as the default is active or the policy lacks the hook
 * @continuity_gate: not put, as the gate was closed
 * @continuity_busy: not put, as the object's record, or the lists, were lent to another call
 * @continuity_fault: not put, as the policy is in quarantine, or ended for the policy
 * @bad_answers: by a policy, but out of range: replaced by continuity
 * @overlapped: calls that a flip came into; always 0 (invariant D3)
 * @held: calls that waited at a closed gate, whatever came of it
 */
struct tiffin_figures {
	u64 calls;
	u64 answered;
	u64 stock;
	u64 continuity_gate;
	u64 continuity_busy;
	u64 continuity_fault;
	u64 bad_answers;
	u64 overlapped;
	u64 held;
};

/* Calls that got the continuity answer, for whatever reason. */
static inline u64 tiffin_figures_continuity(const struct tiffin_figures *figures)
{
	return figures->continuity_gate + figures->continuity_busy + figures->continuity_fault +
	       figures->bad_answers;
}

/**
 * struct tiffin_scope - where a policy is active
 * @kobj: its folder in sysfs; holds the memory of this structure
 * @family: whose it is
 * @name: "default"
 * @gate: through which calls reach the active instance
 * @swap: how it is replaced
 * @rescue: what does that where it has come to quarantine
 * @figures: per CPU
 * @hold_hist: times that callers waited at a closed gate, ns
 * @hook_hist: sampled times of hooks, ns
 * @sample_mask: a call is timed where its CPU's call count has none of these bits
 */
struct tiffin_scope {
	struct kobject kobj;
	struct tiffin_family *family;
	const char *name;
	struct tiffin_gate gate;
	struct tiffin_swap swap;
	struct tiffin_rescue rescue;
	struct tiffin_figures __percpu *figures;
	struct tiffin_hist __percpu *hold_hist;
	struct tiffin_hist __percpu *hook_hist;
	u32 sample_mask;
};

/* One call in 64 is timed, one in 8 during a probation, whose gates may ask for percentiles. */
#define TIFFIN_SAMPLE_MASK		63
#define TIFFIN_SAMPLE_MASK_PROBATION	7

/**
 * tiffin_scope_create - a scope with the family's default active
 * @family: whose it is
 * @name: of the scope
 * @stock: the family's built-in default
 *
 * Context: process, may sleep.
 * Return: the scope, without its folder in sysfs (tiffin_sysfs_add_scope()), or ERR_PTR(-ENOMEM).
 */
struct tiffin_scope *tiffin_scope_create(struct tiffin_family *family, const char *name,
					 struct tiffin_loaded *stock);

/**
 * tiffin_scope_destroy - end a scope whose active policy is the default
 * @scope: no call of tiffin_dispatch() is in it or will come; its rescue and its swap have
 *	ended (tiffin_rescue_scope_exit(), tiffin_swap_exit()); its folder is gone from sysfs
 *	(tiffin_sysfs_del_scope())
 *
 * Context: process, may sleep; tiffin_registry not held.
 */
void tiffin_scope_destroy(struct tiffin_scope *scope);

/* The sum over CPUs. */
void tiffin_figures_read(const struct tiffin_scope *scope, struct tiffin_figures *sum);

/* Forget hold and hook times and the count of held calls. Counts that come meanwhile may stay. */
void tiffin_figures_reset_times(struct tiffin_scope *scope);

/* The full id of the active policy and a newline, for sysfs. Takes tiffin_registry. */
ssize_t tiffin_scope_active_id(struct tiffin_scope *scope, char *buf);

/* Is the active policy in quarantine? */
bool tiffin_scope_quarantined(struct tiffin_scope *scope);

/* Lengths of the active policy's lists and what was refused of them, for sysfs. Likewise. */
ssize_t tiffin_scope_lists(struct tiffin_scope *scope, char *buf);

/*
 * What a policy is at the moment: loaded, preparing, active, probation, previous or quarantined.
 * Takes tiffin_registry.
 */
const char *tiffin_scope_role(struct tiffin_loaded *loaded);

static inline struct tiffin_scope *to_tiffin_scope(struct kobject *kobj)
{
	return container_of(kobj, struct tiffin_scope, kobj);
}

#endif /* TIFFIN_CORE_SCOPE_H */
