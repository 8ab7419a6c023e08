// SPDX-License-Identifier: GPL-2.0-only
/* The live swap; the states and invariants are in swap.h. */

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core/event.h"
#include "core/guard.h"
#include "core/quarantine.h"
#include "core/scope.h"
#include "core/trace.h"
#include "busy.h"
#include "rescue.h"
#include "swap.h"
#include "work.h"

/* How often the gates of a probation are read, and a flip back is tried again. */
#define TIFFIN_PROBATION_PERIOD	msecs_to_jiffies(50)

/*
 * Between two attempts the gate stays open for at least this long, and for this many times as
 * long as it was closed: callers then lose at most a fifth of the time to a swap that does not
 * get through.
 */
#define TIFFIN_RETRY_US		200
#define TIFFIN_RETRY_TIMES	4

/*
 * The probation's work has no operator waiting: it ends its attempts after this time and comes
 * again.
 */
#define TIFFIN_FLIP_BACK_MS	100

/*
 * Each attempt that does not drain doubles the time for the next, up to this many times: where the
 * CPUs are themselves preempted (a virtual machine under load), a short closed time may meet a call
 * on a CPU that doesn't run, again and again. Callers are held no longer by that: hold_ns bounds
 * them, and continuity answers.
 */
#define TIFFIN_MAX_DOUBLINGS	5

/* But no longer than this, unless limits/close_us itself is longer. */
#define TIFFIN_MAX_CLOSE_US	2000

static const char * const tiffin_swap_states[] = {
	[TIFFIN_STABLE] = "stable",
	[TIFFIN_PREPARING] = "preparing",
	[TIFFIN_CLOSING] = "closing",
	[TIFFIN_PROBATION] = "probation",
	[TIFFIN_SWEEPING] = "sweeping",
};

const char *tiffin_swap_state_name(enum tiffin_swap_state state)
{
	return tiffin_swap_states[state];
}

int tiffin_refuse(struct tiffin_scope *scope, int rc, const char *fmt, ...)
{
	struct tiffin_swap *swap = &scope->swap;
	va_list args;

	mutex_lock(&swap->text_lock);
	va_start(args, fmt);
	vscnprintf(swap->error, sizeof(swap->error), fmt, args);
	va_end(args);
	swap->failures++;
	mutex_unlock(&swap->text_lock);
	return rc;
}

static void tiffin_swap_set_state(struct tiffin_scope *scope, enum tiffin_swap_state state)
{
	WRITE_ONCE(scope->swap.state, state);
	trace_tiffin_swap_step(scope->family->name, scope->name, scope->swap.report.id,
			       tiffin_swap_states[state], 0);
}

/*
 * The request gets the scope, or is told who has it. The state decides, not the lock: who has the
 * lock in STABLE (the end of another request, the work of a probation that is over) lets go of it
 * soon.
 */
static int tiffin_swap_claim(struct tiffin_scope *scope)
{
	struct tiffin_swap *swap = &scope->swap;
	enum tiffin_swap_state state;

	state = cmpxchg(&swap->state, TIFFIN_STABLE, TIFFIN_PREPARING);
	if (state != TIFFIN_STABLE)
		return tiffin_swap_busy(scope, state);
	mutex_lock(&swap->lock);
	return 0;
}

/* Begin the report of a new swap, asked for at @began_ns. */
static void tiffin_swap_report_begin(struct tiffin_scope *scope, const char *to, u64 began_ns,
				     u32 timeout_ms)
{
	struct tiffin_swap *swap = &scope->swap;
	u64 id = swap->report.id + 1;

	mutex_lock(&swap->text_lock);
	memset(&swap->report, 0, sizeof(swap->report));
	swap->report.id = id;
	swap->report.began_ns = began_ns;
	swap->report.timeout_ms = timeout_ms;
	swap->report.result = "";
	strscpy(swap->report.from, scope->gate.active->policy->id, sizeof(swap->report.from));
	strscpy(swap->report.to, to, sizeof(swap->report.to));
	mutex_unlock(&swap->text_lock);
}

static void tiffin_swap_report_end(struct tiffin_scope *scope, const char *result,
				   const char *reason)
{
	struct tiffin_swap *swap = &scope->swap;

	mutex_lock(&swap->text_lock);
	swap->report.result = result;
	strscpy(swap->report.reason, reason, sizeof(swap->report.reason));
	mutex_unlock(&swap->text_lock);
}

/* How long attempt number @attempt may keep the gate closed, in us. */
static u32 tiffin_swap_close_us(struct tiffin_scope *scope, unsigned int attempt)
{
	u32 first = READ_ONCE(scope->family->limits.close_us);

	return clamp_t(u32, first << min(attempt, TIFFIN_MAX_DOUBLINGS), first,
		       max(first, TIFFIN_MAX_CLOSE_US));
}

/* Try to flip until it works or the time is over, with pauses in which callers run freely. */
static int tiffin_swap_flip(struct tiffin_scope *scope, struct tiffin_instance *next, u64 deadline,
			    struct tiffin_flip *flip)
{
	struct tiffin_swap *swap = &scope->swap;
	struct tiffin_gate_report gate;
	unsigned int attempt;
	const char *hook;
	u64 pause;
	int rc;

	for (attempt = 0; ; attempt++) {
		if (ktime_get_ns() >= deadline)
			return -ETIMEDOUT;
		if (fatal_signal_pending(current))
			return -EINTR;
		rc = tiffin_gate_flip(&scope->gate, next, tiffin_swap_close_us(scope, attempt),
				      &gate);
		mutex_lock(&swap->text_lock);
		flip->attempts++;
		if (rc != -EAGAIN) {
			flip->close_ns = gate.closed_ns;
		} else {
			hook = gate.busy_hook == TIFFIN_HOOK_SWEEP ? "convert" :
			       gate.busy_hook == TIFFIN_HOOK_GONE ? "gone" :
			       scope->family->hooks[gate.busy_hook].name;
			scnprintf(swap->report.held_up_by, sizeof(swap->report.held_up_by),
				  "hook %s of %s on CPU %d", hook, scope->gate.active->policy->id,
				  gate.busy_cpu);
		}
		mutex_unlock(&swap->text_lock);
		trace_tiffin_swap_step(scope->family->name, scope->name, swap->report.id,
				       rc ? "reopened" : "flipped", gate.closed_ns);
		if (rc != -EAGAIN)
			return rc;
		pause = max_t(u64, TIFFIN_RETRY_US,
			      TIFFIN_RETRY_TIMES * div_u64(gate.closed_ns, NSEC_PER_USEC));
		usleep_range(pause, 2 * pause);
	}
}

/* The active instance has changed: tell the family, and show the policies' states as they are. */
static void tiffin_swap_flipped(struct tiffin_scope *scope)
{
	struct tiffin_family *family = scope->family;

	if (family->ops->flipped)
		family->ops->flipped(family, !scope->gate.active->policy->owner);
	/* E1: one that came to quarantine at the flip itself has woken the rescue too early. */
	if (tiffin_quarantined(scope->gate.active->policy))
		tiffin_rescue_wake(scope);
}

/* Two may come at once, the end of a sweep and of a probation: the later one finds both over. */
static void tiffin_swap_try_stable(struct tiffin_scope *scope)
{
	if (!tiffin_sweep_runs(scope) &&
	    cmpxchg(&scope->swap.state, TIFFIN_SWEEPING, TIFFIN_STABLE) == TIFFIN_SWEEPING)
		trace_tiffin_swap_step(scope->family->name, scope->name, scope->swap.report.id,
				       tiffin_swap_states[TIFFIN_STABLE], 0);
}

void tiffin_swap_swept(struct tiffin_scope *scope)
{
	/* Between the sweep's end and the state: against the one in tiffin_swap_keep(). */
	smp_mb();
	tiffin_swap_try_stable(scope);
}

/* The newer policy stays: the older instance ends. The caller gives the scope its next state. */
static void tiffin_swap_settle(struct tiffin_scope *scope, const char *reason)
{
	struct tiffin_swap *swap = &scope->swap;
	struct tiffin_instance *older = swap->previous;

	mutex_lock(&swap->text_lock);
	strscpy(swap->previous_id, older->policy->id, sizeof(swap->previous_id));
	swap->commits++;
	swap->undo[0] = '\0';
	mutex_unlock(&swap->text_lock);
	swap->previous = NULL;
	cancel_delayed_work(&swap->work);
	tiffin_instance_settle(scope->gate.active);
	/* It may have come there just before its end, and the rescue finds another one active. */
	if (tiffin_quarantined(older->policy))
		tiffin_quarantine_tell(older->policy);
	tiffin_instance_destroy(older);
	WRITE_ONCE(scope->sample_mask, TIFFIN_SAMPLE_MASK);
	kvfree(swap->health.hook);
	swap->health.hook = NULL;
	tiffin_swap_report_end(scope, "committed", reason);
}

static void tiffin_swap_keep(struct tiffin_scope *scope, const char *reason)
{
	tiffin_swap_settle(scope, reason);
	if (tiffin_sweep_runs(scope)) {
		tiffin_swap_set_state(scope, TIFFIN_SWEEPING);
		/* Between the state and the sweep's end: against the one in tiffin_swap_swept(). */
		smp_mb();
		tiffin_swap_try_stable(scope);
	} else {
		tiffin_swap_set_state(scope, TIFFIN_STABLE);
	}
	tiffin_event_swap(scope, "commit", reason);
}

static int tiffin_swap_replace(struct tiffin_scope *scope, const char *why);

/*
 * The older policy comes back: needs nothing but a flip (U2). Where a call is in the way for longer
 * than @limit_ms the scope stays on probation, and the work tries again. Nobody goes back to a
 * policy in quarantine: another takes its place.
 */
static int tiffin_swap_undo(struct tiffin_scope *scope, const char *reason, u32 limit_ms)
{
	struct tiffin_swap *swap = &scope->swap;
	struct tiffin_instance *newer = scope->gate.active;
	int rc;

	/* What began it stays the reason, whoever asks for it meanwhile. */
	if (!swap->undo[0]) {
		mutex_lock(&swap->text_lock);
		strscpy(swap->undo, reason, sizeof(swap->undo));
		swap->undo_ns = ktime_get_ns();
		/* What held the flip up is not what holds the way back up. */
		swap->report.held_up_by[0] = '\0';
		mutex_unlock(&swap->text_lock);
	}
	rc = tiffin_swap_flip(scope, swap->previous,
			      ktime_get_ns() + (u64)limit_ms * NSEC_PER_MSEC, &swap->report.back);
	if (rc == -EFAULT)
		return tiffin_swap_replace(scope, swap->undo);
	if (rc) {
		/* The work's later attempts are no further failures. */
		if (reason == swap->undo)
			return rc;
		if (rc == -EINTR)
			return tiffin_refuse(scope, rc,
				"%s/%s: who asked for the rollback was killed; it is tried until it works",
				scope->family->name, scope->name);
		return tiffin_refuse(scope, rc,
			"%s/%s: rollback waits for %s; it is tried again until it works",
			scope->family->name, scope->name,
			swap->report.held_up_by[0] ? swap->report.held_up_by :
			"its first attempt");
	}
	swap->previous = NULL;
	cancel_delayed_work(&swap->work);
	tiffin_sweep_cancel(scope);
	tiffin_swap_flipped(scope);
	mutex_lock(&swap->text_lock);
	swap->rollbacks++;
	/* Else a second request to roll back, a moment late, would go one policy too far. */
	swap->previous_id[0] = '\0';
	mutex_unlock(&swap->text_lock);
	if (tiffin_quarantined(newer->policy))
		tiffin_quarantine_tell(newer->policy);
	tiffin_instance_destroy(newer);
	WRITE_ONCE(scope->sample_mask, TIFFIN_SAMPLE_MASK);
	kvfree(swap->health.hook);
	swap->health.hook = NULL;
	tiffin_swap_report_end(scope, "rolled_back", swap->undo);
	tiffin_swap_set_state(scope, TIFFIN_STABLE);
	pr_notice("tiffin: %s/%s: swap %llu rolled back to %s: %s\n", scope->family->name,
		  scope->name, swap->report.id, swap->report.from, swap->undo);
	tiffin_event_swap(scope, "rollback", swap->undo);
	mutex_lock(&swap->text_lock);
	swap->undo[0] = '\0';
	mutex_unlock(&swap->text_lock);
	return 0;
}

/* Read the gates of a probation; end it where one is broken or the time is over. */
static void tiffin_swap_work(struct work_struct *work)
{
	struct tiffin_scope *scope = container_of(to_delayed_work(work), struct tiffin_scope,
						  swap.work);
	struct tiffin_swap *swap = &scope->swap;
	char why[128];
	bool last;

	/* Whoever has the lock may have it for long: come again, and keep no worker waiting. */
	if (!mutex_trylock(&swap->lock)) {
		queue_delayed_work(tiffin_probation_wq, &swap->work, TIFFIN_PROBATION_PERIOD);
		return;
	}
	if (READ_ONCE(swap->state) != TIFFIN_PROBATION)
		goto out;
	/* Under the lock: by now this may be another probation than the one that set the timer. */
	last = time_after_eq(jiffies, swap->until);
	if (swap->undo[0])
		tiffin_swap_undo(scope, swap->undo, TIFFIN_FLIP_BACK_MS);
	else if (tiffin_health_broken(scope, last, why, sizeof(why)))
		tiffin_swap_undo(scope, why, TIFFIN_FLIP_BACK_MS);
	else if (last && !tiffin_quarantined(scope->gate.active->policy))
		tiffin_swap_keep(scope, why);
	if (READ_ONCE(swap->state) == TIFFIN_PROBATION)
		queue_delayed_work(tiffin_probation_wq, &swap->work,
				   last ? TIFFIN_PROBATION_PERIOD :
				   min(TIFFIN_PROBATION_PERIOD, swap->until - jiffies));
out:
	mutex_unlock(&swap->lock);
}

static void tiffin_swap_probation(struct tiffin_scope *scope, u32 probation_ms)
{
	struct tiffin_swap *swap = &scope->swap;

	WRITE_ONCE(swap->until, jiffies + msecs_to_jiffies(probation_ms));
	WRITE_ONCE(scope->sample_mask, TIFFIN_SAMPLE_MASK_PROBATION);
	tiffin_health_begin(scope);
	tiffin_swap_report_end(scope, "probation", "");
	tiffin_swap_set_state(scope, TIFFIN_PROBATION);
	mod_delayed_work(tiffin_probation_wq, &swap->work,
			 min(TIFFIN_PROBATION_PERIOD, msecs_to_jiffies(probation_ms)));
}

/*
 * A request has not replaced the active policy. U7: where that one has records to convert, as
 * another was to be forced into its place, nobody else gets the scope yet.
 */
static void tiffin_swap_let_go(struct tiffin_scope *scope)
{
	const struct tiffin_store_mem *mem = scope->gate.active->store[TIFFIN_STORE_OBJECT];

	tiffin_swap_set_state(scope, mem && mem->from ? TIFFIN_SWEEPING : TIFFIN_STABLE);
}

/* U1: up to here the older policy is in charge, and stays so. */
static int tiffin_swap_fail(struct tiffin_scope *scope, int rc, const char *why)
{
	tiffin_refuse(scope, rc, "%s", why);
	tiffin_swap_report_end(scope, "failed", why);
	tiffin_swap_let_go(scope);
	tiffin_event_swap(scope, "fail", why);
	return rc;
}

/* Why there is no instance of @policy. */
static void tiffin_swap_why_none(struct tiffin_scope *scope, struct tiffin_loaded *policy, int rc,
				 char *why, size_t len)
{
	struct tiffin_family *family = scope->family;
	u64 held, more;

	if (rc == -EFAULT) {
		scnprintf(why, len, "init of %s had to be ended, and it is in quarantine; nothing has changed: see /sys/kernel/tiffin/faults",
			  policy->id);
		return;
	}
	if (rc != -EDQUOT) {
		scnprintf(why, len, "no memory for an instance of %s; nothing has changed",
			  policy->id);
		return;
	}
	held = atomic64_read(&family->stores_bytes);
	more = tiffin_instance_bytes(policy, scope->gate.active);
	scnprintf(why, len,
		  "stores of %s take %llu KiB beside the %llu KiB held, %s/limits/stores_kib is %u: raise it to %llu; nothing has changed",
		  policy->id, DIV_ROUND_UP_ULL(more, 1024), DIV_ROUND_UP_ULL(held, 1024),
		  family->name, READ_ONCE(family->limits.stores_kib),
		  DIV_ROUND_UP_ULL(held + more, 1024));
}

/* The scope is ours and STABLE; @policy is held. Takes that hold over. */
static int tiffin_swap_run(struct tiffin_scope *scope, struct tiffin_loaded *policy,
			   const struct tiffin_swap_request *req)
{
	struct tiffin_swap *swap = &scope->swap;
	u64 start = ktime_get_ns();
	struct tiffin_instance *next;
	bool probation;
	char why[384];
	int rc;

	tiffin_swap_report_begin(scope, policy->id, start, req->timeout_ms);
	tiffin_swap_set_state(scope, TIFFIN_PREPARING);
	swap->health.nr = req->nr_gates;
	memcpy(swap->health.gates, req->gates, sizeof(swap->health.gates));
	rc = tiffin_health_resolve(scope, policy, swap->health.gates, swap->health.nr, why,
				   sizeof(why));
	if (rc)
		goto err_policy;
	tiffin_guard_refresh();
	swap->health.hook = kvcalloc(2, sizeof(*swap->health.hook), GFP_KERNEL);
	next = swap->health.hook ? tiffin_instance_create(policy, scope->gate.active) :
				   ERR_PTR(-ENOMEM);
	if (IS_ERR(next)) {
		rc = PTR_ERR(next);
		tiffin_swap_why_none(scope, policy, rc, why, sizeof(why));
		goto err_health;
	}
	mutex_lock(&swap->text_lock);
	swap->report.prepare_ns = ktime_get_ns() - start;
	mutex_unlock(&swap->text_lock);

	tiffin_swap_set_state(scope, TIFFIN_CLOSING);
	swap->previous = scope->gate.active;
	rc = tiffin_swap_flip(scope, next, start + (u64)req->timeout_ms * NSEC_PER_MSEC,
			      &swap->report.flip);
	if (rc) {
		swap->previous = NULL;
		if (rc == -EFAULT)
			scnprintf(why, sizeof(why),
				  "%s is in quarantine, as converting what %s left had to be ended, or by another call; %s stays active: see /sys/kernel/tiffin/faults",
				  policy->id, swap->report.from, swap->report.from);
		else if (rc == -EINTR)
			scnprintf(why, sizeof(why),
				  "%s/%s: who asked for %s was killed%s%s; %s stays active",
				  scope->family->name, scope->name, policy->id,
				  swap->report.held_up_by[0] ? ", held up by " : "",
				  swap->report.held_up_by, swap->report.from);
		else
			scnprintf(why, sizeof(why),
				  "%s/%s: no flip within %u ms, held up by %s; %s stays active: raise timeout_ms or limits/close_us, or ask again under less load",
				  scope->family->name, scope->name, req->timeout_ms,
				  swap->report.held_up_by[0] ? swap->report.held_up_by :
				  "its preparation", swap->report.from);
		goto err_instance;
	}
	mutex_lock(&swap->text_lock);
	swap->report.total_ns = ktime_get_ns() - start;
	swap->report.result = "flipped";
	swap->error[0] = '\0';
	swap->swaps++;
	mutex_unlock(&swap->text_lock);
	/* Nobody goes back to a policy in quarantine. */
	probation = req->probation_ms && !tiffin_quarantined(swap->previous->policy);
	/* First the gates: nothing that the newer policy does shall escape them. */
	if (probation)
		tiffin_swap_probation(scope, req->probation_ms);
	tiffin_swap_flipped(scope);
	tiffin_sweep_begin(scope);
	tiffin_event_swap(scope, "swap", req->why ?: "");
	if (!probation)
		tiffin_swap_keep(scope, req->why ?: req->probation_ms ?
				 "no probation: the policy before is in quarantine" :
				 "no probation asked for");
	return 0;

err_instance:
	if (rc == -EFAULT)
		tiffin_quarantine_tell(policy);
	tiffin_instance_destroy(next);
	policy = NULL;		/* the instance held it */
err_health:
	kvfree(swap->health.hook);
	swap->health.hook = NULL;
err_policy:
	if (policy && rc == -EFAULT)
		tiffin_quarantine_tell(policy);
	if (policy)
		tiffin_policy_release(policy);
	return tiffin_swap_fail(scope, rc, why);
}

int tiffin_swap_request(struct tiffin_scope *scope, const struct tiffin_swap_request *req)
{
	struct tiffin_swap *swap = &scope->swap;
	struct tiffin_loaded *policy;
	int rc;

	rc = tiffin_swap_claim(scope);
	if (rc)
		return rc;
	policy = tiffin_policy_find(scope->family, req->policy);
	if (IS_ERR(policy)) {
		rc = tiffin_refuse(scope, PTR_ERR(policy),
				   "no policy '%s' in family %s: load its module first; %s/available lists what can be activated",
				   req->policy, scope->family->name, scope->family->name);
		goto out_stable;
	}
	if (tiffin_quarantined(policy)) {
		rc = tiffin_refuse(scope, -ENOTRECOVERABLE,
				   "%s is in quarantine, and stays there: load another build of it; /sys/kernel/tiffin/faults says what it did",
				   policy->id);
		tiffin_policy_release(policy);
		goto out_stable;
	}
	if (policy == scope->gate.active->policy) {
		tiffin_policy_release(policy);
		rc = tiffin_refuse(scope, -EALREADY, "%s is active already",
				   scope->gate.active->policy->id);
		goto out_stable;
	}
	rc = tiffin_swap_run(scope, policy, req);
	goto out;

out_stable:
	WRITE_ONCE(swap->state, TIFFIN_STABLE);
out:
	mutex_unlock(&swap->lock);
	return rc;
}

/*
 * Take the scope from whatever is under way, but for another request, which has to end first. No
 * state in between lets one in (U7). A probation ends with the policy that is on it staying, for
 * that moment; a sweep ends where it is. In both the older layout's records are still as at the
 * flip, for a policy that knows them.
 */
static bool tiffin_swap_seize(struct tiffin_scope *scope, const char *why)
{
	struct tiffin_swap *swap = &scope->swap;
	bool on_probation = READ_ONCE(swap->state) == TIFFIN_PROBATION;

	/* In this order: the end of a sweep may come in between. */
	if (!on_probation &&
	    cmpxchg(&swap->state, TIFFIN_SWEEPING, TIFFIN_PREPARING) != TIFFIN_SWEEPING &&
	    cmpxchg(&swap->state, TIFFIN_STABLE, TIFFIN_PREPARING) != TIFFIN_STABLE)
		return false;
	tiffin_sweep_cancel(scope);
	tiffin_instance_give_up(scope->gate.active);
	if (on_probation) {
		tiffin_swap_settle(scope, why);
		tiffin_swap_set_state(scope, TIFFIN_PREPARING);
		tiffin_event_swap(scope, "commit", why);
	}
	return true;
}

/* Swap whatever is under way, but for another request. The swap's lock is held. */
static int tiffin_swap_force(struct tiffin_scope *scope, const char *spec, const char *why)
{
	struct tiffin_swap_request *req;
	struct tiffin_loaded *policy;
	int rc;

	if (!tiffin_swap_seize(scope, why))
		return -EBUSY;
	policy = tiffin_policy_find(scope->family, spec);
	rc = PTR_ERR_OR_ZERO(policy);
	if (rc)
		goto out_let_go;
	if (policy == scope->gate.active->policy)
		rc = -EALREADY;
	else if (tiffin_quarantined(policy))
		rc = -ENOTRECOVERABLE;
	if (rc)
		goto out_policy;
	req = kzalloc(sizeof(*req), GFP_KERNEL);
	if (!req) {
		rc = tiffin_refuse(scope, -ENOMEM, "no memory to have %s take over: %s",
				   policy->id, why);
		goto out_policy;
	}
	tiffin_swap_defaults(scope, req);
	req->probation_ms = 0;
	req->why = why;
	rc = tiffin_swap_run(scope, policy, req);
	kfree(req);
	goto out;

out_policy:
	tiffin_policy_release(policy);
out_let_go:
	tiffin_swap_let_go(scope);
out:
	if (!rc)
		return 0;
	/* The policy whose sweep was ended stays, and is swept on. */
	if (tiffin_instance_go_on(scope->gate.active))
		tiffin_sweep_begin(scope);
	tiffin_swap_try_stable(scope);
	return rc;
}

/* By the policy that was active before the last commit; where that can't be, by the default. */
static int tiffin_swap_replace(struct tiffin_scope *scope, const char *reason)
{
	struct tiffin_swap *swap = &scope->swap;
	char why[sizeof(swap->undo)], before[TIFFIN_ID_LEN];
	int rc;

	/* What ends on the way takes its reason along. */
	strscpy(why, reason, sizeof(why));
	mutex_lock(&swap->text_lock);
	strscpy(before, swap->previous_id, sizeof(before));
	mutex_unlock(&swap->text_lock);
	rc = before[0] ? tiffin_swap_force(scope, before, why) : -ENOENT;
	if (rc && rc != -EBUSY)
		rc = tiffin_swap_force(scope, TIFFIN_DEFAULT_NAME, why);
	return rc;
}

int tiffin_swap_rescue(struct tiffin_scope *scope)
{
	struct tiffin_swap *swap = &scope->swap;
	struct tiffin_loaded *policy;
	bool tell = false;
	char why[128];
	int rc = 0;

	/* Whoever has the lock may have it for long: come again, and keep no worker waiting. */
	if (!mutex_trylock(&swap->lock))
		return -EBUSY;
	policy = scope->gate.active->policy;
	if (!tiffin_quarantined(policy))
		goto out;
	tiffin_quarantine_why(policy, why, sizeof(why));
	if (READ_ONCE(swap->state) == TIFFIN_PROBATION &&
	    !tiffin_quarantined(swap->previous->policy)) {
		/* One that is begun already is brought to its end by the probation's work. */
		rc = swap->undo[0] ? -EBUSY : tiffin_swap_undo(scope, why, TIFFIN_FLIP_BACK_MS);
		/* Who went back has told of it. Else its instance has the module still. */
		tell = scope->gate.active->policy == policy && try_module_get(policy->owner);
		goto out;
	}
	tiffin_quarantine_tell(policy);
	rc = tiffin_swap_replace(scope, why);
	if (!rc)
		pr_notice("tiffin: %s/%s: %s is active in place of a policy in quarantine\n",
			  scope->family->name, scope->name, scope->gate.active->policy->id);
out:
	mutex_unlock(&swap->lock);
	/* Telling may wait for memory, which the flip back is not to wait for (U2). */
	if (tell) {
		tiffin_quarantine_tell(policy);
		tiffin_policy_release(policy);
	}
	return rc;
}

int tiffin_swap_default(struct tiffin_scope *scope, const char *why)
{
	int rc;

	/* As above. */
	if (!mutex_trylock(&scope->swap.lock))
		return -EBUSY;
	rc = tiffin_swap_force(scope, TIFFIN_DEFAULT_NAME, why);
	mutex_unlock(&scope->swap.lock);
	return rc;
}

int tiffin_swap_rollback(struct tiffin_scope *scope)
{
	struct tiffin_swap *swap = &scope->swap;
	struct tiffin_swap_request *req;
	int rc;

	if (mutex_lock_interruptible(&swap->lock))
		return -EINTR;
	if (READ_ONCE(swap->state) == TIFFIN_PROBATION) {
		rc = tiffin_swap_undo(scope, "asked for",
				      READ_ONCE(scope->family->limits.timeout_ms));
		mutex_unlock(&swap->lock);
		return rc;
	}
	mutex_unlock(&swap->lock);

	req = kzalloc(sizeof(*req), GFP_KERNEL);
	if (!req)
		return tiffin_refuse(scope, -ENOMEM,
				     "no memory for a request; nothing has changed");
	tiffin_swap_defaults(scope, req);
	req->probation_ms = 0;
	mutex_lock(&swap->text_lock);
	strscpy(req->policy, swap->previous_id, sizeof(req->policy));
	mutex_unlock(&swap->text_lock);
	if (req->policy[0])
		rc = tiffin_swap_request(scope, req);
	else
		rc = tiffin_refuse(scope, -ENOENT, "%s/%s has no previous policy",
				   scope->family->name, scope->name);
	kfree(req);
	return rc;
}

int tiffin_swap_commit(struct tiffin_scope *scope)
{
	struct tiffin_swap *swap = &scope->swap;
	int rc = 0;

	if (mutex_lock_interruptible(&swap->lock))
		return -EINTR;
	if (READ_ONCE(swap->state) == TIFFIN_PROBATION &&
	    (swap->undo[0] || tiffin_quarantined(scope->gate.active->policy)))
		rc = tiffin_swap_busy(scope, TIFFIN_PROBATION);
	else if (READ_ONCE(swap->state) == TIFFIN_PROBATION)
		tiffin_swap_keep(scope, "asked for");
	else
		rc = tiffin_refuse(scope, -ENOENT, "%s/%s: no probation to end",
				   scope->family->name, scope->name);
	mutex_unlock(&swap->lock);
	return rc;
}

int tiffin_swap_reset_times(struct tiffin_scope *scope)
{
	struct tiffin_swap *swap = &scope->swap;
	int rc = 0;

	if (mutex_lock_interruptible(&swap->lock))
		return -EINTR;
	if (READ_ONCE(swap->state) == TIFFIN_PROBATION)
		rc = tiffin_refuse(scope, -EBUSY,
				   "%s/%s: the gates of a probation read these times; reset them when state is stable",
				   scope->family->name, scope->name);
	else
		tiffin_figures_reset_times(scope);
	mutex_unlock(&swap->lock);
	return rc;
}

void tiffin_swap_init(struct tiffin_scope *scope)
{
	struct tiffin_swap *swap = &scope->swap;

	mutex_init(&swap->lock);
	mutex_init(&swap->text_lock);
	INIT_DELAYED_WORK(&swap->work, tiffin_swap_work);
	tiffin_sweep_init(scope);
	swap->state = TIFFIN_STABLE;
	swap->report.result = "";
}

void tiffin_swap_exit(struct tiffin_scope *scope)
{
	cancel_delayed_work_sync(&scope->swap.work);
	tiffin_sweep_cancel(scope);
}
