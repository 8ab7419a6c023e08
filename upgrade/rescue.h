/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rescue: brings another policy back where the active one has come to quarantine.
 *
 *	  PROBATION            -> roll back: the previous instance is there, whole
 *	  STABLE, SWEEPING     -> swap to the policy that was active before the last commit; where
 *				  there is none, it is not loaded, or is in quarantine itself, or
 *				  can't take over: to the default
 *	  PREPARING, CLOSING   -> a request has the scope: it ends in time, then see above
 *
 * Meanwhile calls get the continuity answer, as nothing enters the policy (quarantine.h, Q2).
 *
 * Invariants:
 *  E1. A scope whose active policy is in quarantine has the rescue's work pending or running, until
 *	another policy is active.
 *  E2. The rescue does not stop at a policy that can't take over: the default takes no memory but
 *	an instance's, and is tried until it is active.
 *  E3. The sweep of the policy in quarantine has ended before another becomes active.
 */
#ifndef TIFFIN_UPGRADE_RESCUE_H
#define TIFFIN_UPGRADE_RESCUE_H

struct tiffin_scope;

/* A policy has come to quarantine. Context: any but NMI. */
void tiffin_rescue_wake(void);

/* All families to their defaults, as the operator has asked for by SysRq. Context: any but NMI. */
void tiffin_rescue_all(void);

/* Make the rescue ready; end it, when no family is registered any more. May sleep. */
int tiffin_rescue_init(void);
void tiffin_rescue_exit(void);

#endif /* TIFFIN_UPGRADE_RESCUE_H */
