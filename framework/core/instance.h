/* SPDX-License-Identifier: GPL-2.0-only */
/* Instances: a policy at work in a scope, with its stores and counters. */
#ifndef TIFFIN_CORE_INSTANCE_H
#define TIFFIN_CORE_INSTANCE_H

#include <tiffin/plugin.h>

#include "core/registry.h"
#include "core/store.h"

/**
 * struct tiffin_plan - what a swap does about one store of the newer policy
 * @how: it comes to the newer policy
 * @bytes: charged for that, beside what is held
 */
struct tiffin_plan {
	enum tiffin_handover how;
	size_t bytes;
};

/**
 * struct tiffin_instance - a policy at work
 * @policy: whose instance; its module is held
 * @list: in the policy's instances
 * @env: what a call is told of the instance, per CPU; does not change
 * @counters: per CPU, in the order of the declaration; NULL where the policy has none
 * @store: by kind; NULL where the policy declares none
 * @adopted: bit K: store K came by reference
 * @converts: bit K: the records of store K are made from the older ones
 * @older: the instance that @adopted and converted stores come from, until it is sure that nobody
 *	goes back to it; then NULL
 * @saved: by kind: memory for the bytes of an adopted store, where @older wants them back as they
 *	were at the flip
 * @spare: an object store for @older to start anew with, where it wants that
 * @kept: the object store that this instance's was converted from, where that is given up; read
 *	under tiffin_registry, or by who swaps
 */
struct tiffin_instance {
	struct tiffin_loaded *policy;
	struct list_head list;
	struct tiffin_env __percpu *env;
	u64 __percpu *counters;
	struct tiffin_store_mem *store[TIFFIN_STORE_KINDS];
	u32 adopted;
	u32 converts;
	struct tiffin_instance *older;
	void *saved[TIFFIN_STORE_KINDS];
	struct tiffin_store_mem *spare;
	struct tiffin_store_mem *kept;
};

/**
 * tiffin_instance_plan - what would a swap do about a store?
 * @policy: the newer policy
 * @older: the instance that it would follow, or NULL
 * @k: a kind of which @policy declares a store
 *
 * tiffin_instance_create() does just this.
 */
struct tiffin_plan tiffin_instance_plan(const struct tiffin_loaded *policy,
					const struct tiffin_instance *older, unsigned int k);

/* The bytes that a swap would charge for all stores together. */
size_t tiffin_instance_bytes(const struct tiffin_loaded *policy,
			     const struct tiffin_instance *older);

/**
 * tiffin_instance_create - make a policy ready to become active
 * @policy: held by the caller (tiffin_policy_find()); the instance takes that hold over
 * @older: the instance whose stores are handed over where they fit, or NULL
 *
 * All memory is allocated here and the policy's init runs here, at leisure, beside @older at work.
 *
 * Context: process, may sleep. Takes tiffin_registry.
 * Return: the instance; ERR_PTR(-ENOMEM), or ERR_PTR(-EDQUOT) where its stores would take more
 * memory than limits/stores_kib allows, or ERR_PTR(-EFAULT) where its init had to be ended; then
 * the caller still holds @policy.
 */
struct tiffin_instance *tiffin_instance_create(struct tiffin_loaded *policy,
					       struct tiffin_instance *older);

/**
 * tiffin_instance_destroy - end an instance that no call can be inside of any more
 * @inst: not active; may be NULL
 *
 * Context: process, may sleep. Takes tiffin_registry. Lets go of the policy.
 */
void tiffin_instance_destroy(struct tiffin_instance *inst);

/**
 * tiffin_instance_flip - hand over what is handed over at the very flip
 * @from: was active
 * @to: will be active: the newer instance, or the older one that comes back
 * @epoch: that begins
 * @now_ns: local_clock(), which may stand still here
 *
 * To the newer one: keeps the bytes of stores that @from wants back, and converts the records of
 * the instance and of the CPUs; where it has a store by reference whose conversion was given up,
 * that is over. Back: gives the bytes back, or zeros. Needs no memory, and frees none.
 *
 * Context: no call is inside either and none comes; interrupts off.
 * Return: 0; -EFAULT where @to is in quarantine, perhaps as a conversion had to be ended: it must
 * not become active, and @from has lost nothing.
 */
int tiffin_instance_flip(struct tiffin_instance *from, struct tiffin_instance *to, u64 epoch,
			 u64 now_ns);

/**
 * tiffin_instance_settle - nobody goes back any more to the instance that this one came after
 * @inst: the active instance
 *
 * Context: process, may sleep.
 */
void tiffin_instance_settle(struct tiffin_instance *inst);

/**
 * tiffin_instance_give_up - another instance is to come, and not the one that this came after
 * @inst: active; no sweep works for it. Where nothing was converted, or all and nobody can go back
 *	any more, nothing happens.
 *
 * The older objects' store is kept beside the instance's own, as it was at the flip: the instance
 * that comes next goes on with that, where its policy knows that layout, as it would after a
 * rollback; else with what there is of the newer one. Up to the flip nothing is let go of: calls
 * convert what they come upon, as before.
 */
void tiffin_instance_give_up(struct tiffin_instance *inst);

/**
 * tiffin_instance_go_on - after tiffin_instance_give_up(), no other instance could come
 * @inst: still active
 *
 * One in quarantine writes no more, so what is kept stays good for the next attempt; it converts
 * nothing more, either. Any other goes on, and what was kept would grow old.
 *
 * Context: process, may sleep. Takes tiffin_registry.
 * Return: true where there are records to convert, as before.
 */
bool tiffin_instance_go_on(struct tiffin_instance *inst);

/* The sum of counter @index over CPUs. */
u64 tiffin_instance_counter(const struct tiffin_instance *inst, unsigned int index);

#endif /* TIFFIN_CORE_INSTANCE_H */
