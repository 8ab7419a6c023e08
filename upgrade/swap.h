/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The live swap: replacing a scope's active policy under load.
 *
 *	                request
 *	  STABLE ------------------> PREPARING     the new instance is made beside the old one
 *	    ^  ^                         |
 *	    |  |  no memory, no policy   |
 *	    |  +-------------------------+
 *	    |                            v
 *	    |       time limit        CLOSING      close, drain, flip, open; again if not drained
 *	    +----------------------------+
 *	    |                            | flipped
 *	    |       probation_ms=0       v
 *	    +------- committed --- PROBATION       both instances live; health gates are read
 *	    |                        |   |  |
 *	    |  end of time, `commit` |   |  | a gate fails, `rollback`
 *	    +------------------------+   |  v
 *	    |                            | flip back; until that has worked the state stays
 *	    +----------------------------+
 *
 * Where the newer policy has records converted (sweep.h) the way from "committed" to STABLE leads
 * through SWEEPING, until the last one is: the older layout's memory is still needed, and a further
 * swap would find two.
 *
 * Invariants:
 *  U1. Up to the flip the older policy is in charge and untouched: any failure leaves it so.
 *  U2. In PROBATION both instances are whole: gate.active and previous. A rollback needs
 *	nothing but a flip: no memory, no module, no work that can fail but for a busy gate.
 *  U3. One request at a time has the scope: the one that took the state from STABLE to PREPARING,
 *	or the rescue or the way to the default, which take it from PROBATION and SWEEPING as well.
 *	The others are told so at once.
 *  U4. A request that does not flip within timeout_ms ends with -ETIMEDOUT, U1, and the name of the
 *	hook and CPU that held it up.
 *  U5. An instance is destroyed only when it isn't active and a flip has drained it (gate G1).
 *  U6. The policies that a swap needs are held, and they hold their family: no module of them goes
 *	before that. What comes after it, to the request's or the work's last step, the end of the
 *	family waits for (tiffin_family_unregister()).
 *  U7. In STABLE the active instance has no records to convert: who takes the scope finds one
 *	layout. Who takes it before the last one is converted goes from there to PREPARING and,
 *	where no other policy can come, back to SWEEPING, with STABLE at no moment in between.
 */
#ifndef TIFFIN_UPGRADE_SWAP_H
#define TIFFIN_UPGRADE_SWAP_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "core/registry.h"
#include "health.h"
#include "sweep.h"

struct tiffin_instance;
struct tiffin_scope;

enum tiffin_swap_state {
	TIFFIN_STABLE,
	TIFFIN_PREPARING,
	TIFFIN_CLOSING,
	TIFFIN_PROBATION,
	TIFFIN_SWEEPING,
};

/**
 * struct tiffin_swap_request - what the operator asks for
 * @policy: name, name-version or full id
 * @probation_ms: 0 commits at once
 * @timeout_ms: from here to the flip
 * @nr_gates: entries of @gates
 * @gates: what must hold during the probation
 * @why: what the report and the event say of a swap that nobody asked for; else NULL
 */
struct tiffin_swap_request {
	char policy[TIFFIN_ID_LEN];
	u32 probation_ms;
	u32 timeout_ms;
	u32 nr_gates;
	struct tiffin_health_gate gates[TIFFIN_MAX_GATES];
	const char *why;
};

/**
 * struct tiffin_flip - one flip, with its attempts
 * @attempts: how often the gate was closed for it
 * @close_ns: how long it was closed at the attempt that drained; 0 before that
 */
struct tiffin_flip {
	u32 attempts;
	u64 close_ns;
};

/**
 * struct tiffin_swap_report - how the last swap went
 * @id: number of the swap in its scope, from 1
 * @from: full id of the older policy
 * @to: full id of the newer policy, or what was asked for
 * @result: flipped, probation, committed, rolled_back or failed; "" before the first swap
 * @reason: why, for the last two
 * @held_up_by: hook and CPU that were in the way at the last attempt that did not drain, or ""; of
 *	the attempts to flip back alone, once these have begun
 * @flip: to the newer policy
 * @back: to the older one, where the swap was undone
 * @began_ns: when it was asked for, by ktime_get_ns()
 * @timeout_ms: the request's limit until the flip
 * @prepare_ns: time to make the new instance
 * @total_ns: from the request to the flip
 */
struct tiffin_swap_report {
	u64 id;
	char from[TIFFIN_ID_LEN];
	char to[TIFFIN_ID_LEN];
	const char *result;
	char reason[128];
	char held_up_by[96];
	struct tiffin_flip flip;
	struct tiffin_flip back;
	u64 began_ns;
	u32 timeout_ms;
	u64 prepare_ns;
	u64 total_ns;
};

/**
 * struct tiffin_swap - the swap's side of a scope
 * @lock: held by a request, and by the probation's work while it reads its gates
 * @state: enum tiffin_swap_state; a request takes it from STABLE to PREPARING and then waits for
 *	@lock; the end of a sweep takes it from SWEEPING to STABLE; else written under @lock
 * @previous: in PROBATION the instance to go back to; else NULL
 * @previous_id: the policy that was active before the last commit, or ""; where a rollback outside
 *	PROBATION goes to
 * @until: in PROBATION, jiffies at its end; who is told of it reads it without @lock
 * @undo: in PROBATION, why a rollback that has not worked yet was begun; else "". Written under
 *	both locks, so that either is enough to read it
 * @undo_ns: since when @undo says so, by ktime_get_ns(); likewise
 * @health: gates of the current probation
 * @work: reads the gates
 * @sweep: converts records
 * @text_lock: protects @report, @error, @previous_id and the counts below
 * @report: of the last swap
 * @error: of the last refused or failed request
 * @swaps: flips that requests brought about
 * @commits: swaps kept
 * @rollbacks: swaps undone
 * @failures: requests that were refused or failed before the flip
 */
struct tiffin_swap {
	struct mutex lock;		/* a request, or the probation's work */
	enum tiffin_swap_state state;
	struct tiffin_instance *previous;
	char previous_id[TIFFIN_ID_LEN];
	unsigned long until;
	char undo[128];
	u64 undo_ns;
	struct tiffin_health health;
	struct delayed_work work;
	struct tiffin_sweep sweep;
	struct mutex text_lock;		/* texts and counts below */
	struct tiffin_swap_report report;
	char error[768];
	u64 swaps;
	u64 commits;
	u64 rollbacks;
	u64 failures;
};

/**
 * tiffin_swap_init - a scope that is stable
 * @scope: its gate has an active instance
 */
void tiffin_swap_init(struct tiffin_scope *scope);

/**
 * tiffin_swap_exit - wait for the end of what a swap has left
 * @scope: no policy but the default is loaded in its family, and none comes: whatever is asked of
 *	the scope from here on begins nothing. Its folder is still in sysfs.
 *
 * Context: process, may sleep.
 */
void tiffin_swap_exit(struct tiffin_scope *scope);

/**
 * tiffin_swap_defaults - a request with the family's limits
 * @scope: where
 * @req: receives no policy, no gates, the family's time limits
 */
void tiffin_swap_defaults(struct tiffin_scope *scope, struct tiffin_swap_request *req);

/**
 * tiffin_swap_parse - read a request from text
 * @scope: where
 * @text: "POLICY [probation_ms=N] [timeout_ms=N] [gate=METRIC<NUMBER]..."; is cut up
 * @req: receives the request
 *
 * Return: 0, -EINVAL or -ERANGE; the scope's error says more.
 */
int tiffin_swap_parse(struct tiffin_scope *scope, char *text, struct tiffin_swap_request *req);

/**
 * tiffin_swap_request - replace the active policy
 * @scope: where
 * @req: what
 *
 * Context: process, may sleep.
 * Return: 0 when flipped; -ENOENT no such policy, -EALREADY it is active, -EBUSY another request,
 * a probation or a sweep is under way, -EINTR the caller is being killed, -EINVAL a gate names an
 * unknown metric, -EDQUOT its stores would take more memory than limits/stores_kib allows,
 * -ENOTRECOVERABLE the policy is in quarantine, -EFAULT it has come there by its init or a
 * conversion, -ENOMEM, -ETIMEDOUT. The scope's error says more, and what to do.
 */
int tiffin_swap_request(struct tiffin_scope *scope, const struct tiffin_swap_request *req);

/**
 * tiffin_swap_rollback - bring the previous policy back
 * @scope: where
 *
 * In PROBATION this ends it; else it is a swap to the previous policy without probation.
 *
 * Context: process, may sleep.
 * Return: as tiffin_swap_request(); -ENOENT where there is no previous policy; -EINTR also where a
 * signal came before anything was begun. A rollback that was begun in PROBATION and has not worked
 * yet, by -ETIMEDOUT or -EINTR, goes on by itself.
 */
int tiffin_swap_rollback(struct tiffin_scope *scope);

/**
 * tiffin_swap_commit - end a probation early and keep the newer policy
 * @scope: where
 *
 * Context: process, may sleep.
 * Return: 0; -ENOENT where no probation is under way; -EBUSY where the newer policy can't stay;
 * -EINTR a signal came first, and nothing was done.
 */
int tiffin_swap_commit(struct tiffin_scope *scope);

/**
 * tiffin_swap_rescue - replace the active policy, which is in quarantine
 * @scope: where
 *
 * See rescue.h, which calls it again where it fails.
 *
 * Context: process, may sleep.
 * Return: 0 where another policy is active; -EBUSY where a request has the scope; other errors.
 */
int tiffin_swap_rescue(struct tiffin_scope *scope);

/**
 * tiffin_swap_default - make the built-in default active, whatever is under way
 * @scope: where
 * @why: for the report
 *
 * Ends a probation and a sweep.
 *
 * Context: process, may sleep.
 * Return: 0; -EALREADY; -EBUSY where a request has the scope; other errors.
 */
int tiffin_swap_default(struct tiffin_scope *scope, const char *why);

/**
 * tiffin_swap_reset_times - forget hold and hook times, unless a probation reads them
 * @scope: where
 *
 * Context: process, may sleep.
 * Return: 0; -EBUSY during a probation.
 */
int tiffin_swap_reset_times(struct tiffin_scope *scope);

/* The name of a state, for sysfs. */
const char *tiffin_swap_state_name(enum tiffin_swap_state state);

/**
 * tiffin_refuse - note why a request is refused
 * @scope: where
 * @rc: what it returns
 * @fmt: one sentence that says what to do
 *
 * Return: @rc.
 */
__printf(3, 4) int tiffin_refuse(struct tiffin_scope *scope, int rc, const char *fmt, ...);

/* The sweep has converted the last record. Context: the sweep's work, no lock held. */
void tiffin_swap_swept(struct tiffin_scope *scope);

#endif /* TIFFIN_UPGRADE_SWAP_H */
