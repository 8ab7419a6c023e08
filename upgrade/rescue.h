/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rescue: brings another policy back where the active one has come to quarantine.
 *
 *	  PROBATION            -> roll back: the previous instance is there, whole
 *	  STABLE, SWEEPING     -> swap to the policy that was active before the last commit; where
 *				  there is none, it is not loaded, or is in quarantine itself, or
 *				  can't take over: to the default. Where it knows the layout that
 *				  a sweep was still converting from, it finds objects' records as
 *				  they were at the flip (store.h, S4), as a rollback would; so
 *				  does who takes the place of both policies of a PROBATION
 *	  PREPARING, CLOSING   -> a request has the scope: it ends in time, then see above
 *
 * Meanwhile calls get the continuity answer, as nothing enters the policy (quarantine.h, Q2).
 *
 * Invariants:
 *  E1. A scope whose active policy is in quarantine has its rescue's interrupt or work pending, or
 *	running, until another policy is active.
 *  E2. The rescue does not stop at a policy that can't take over: the default takes no memory but
 *	an instance's, and is tried until it is active.
 *  E3. No sweep works for a policy in quarantine when the rescue is over: it ends before a swap
 *	away from the policy begins, or, where the policy before comes back by a flip alone, right
 *	after the flip, which it has to pass like any call.
 *  E4. Scopes do not wait for each other, but where no worker can be forked (work.h): each has a
 *	work of its own.
 *  E5. What SysRq has asked for ends: where a scope's default could not be made active for
 *	TIFFIN_RESCUE_ALL_MS it is no longer tried, and the log says so, once for each time it was
 *	asked for. An attempt that is under way comes to its end; a rescue of a policy in quarantine
 *	goes on.
 */
#ifndef TIFFIN_UPGRADE_RESCUE_H
#define TIFFIN_UPGRADE_RESCUE_H

#include <linux/irq_work.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct tiffin_scope;

/* How long a scope tries to make its default active where SysRq asks for it. */
#define TIFFIN_RESCUE_ALL_MS	30000

/**
 * struct tiffin_rescue - of a scope
 * @irq: starts @work, which its caller can't: he may have locks that waking a task takes
 * @work: does it
 * @to_default: SysRq has asked for the default
 * @until: of @to_default, jiffies after which it is no longer tried
 */
struct tiffin_rescue {
	struct irq_work irq;
	struct delayed_work work;
	bool to_default;
	unsigned long until;
};

/**
 * tiffin_rescue_wake - a policy has come to quarantine
 * @scope: where it may be active
 *
 * Context: any, whatever locks are held.
 */
void tiffin_rescue_wake(struct tiffin_scope *scope);

/* All families to their defaults, as the operator has asked for by SysRq. Context: an interrupt. */
void tiffin_rescue_all(void);

void tiffin_rescue_scope_init(struct tiffin_scope *scope);

/* No policy of the scope can come to quarantine any more. May sleep. */
void tiffin_rescue_scope_exit(struct tiffin_scope *scope);

/* No family is registered any more, and SysRq asks for nothing. May sleep. */
void tiffin_rescue_exit(void);

#endif /* TIFFIN_UPGRADE_RESCUE_H */
