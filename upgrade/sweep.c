// SPDX-License-Identifier: GPL-2.0-only
/* The sweep; what it is and its invariants are in sweep.h. */

#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>

#include "core/quarantine.h"
#include "core/scope.h"
#include "sweep.h"
#include "work.h"

/* The record of one object, as a call. False: it is busy, or the gate is closed. */
static bool tiffin_sweep_record(struct tiffin_scope *scope, struct tiffin_instance *inst,
				u32 object)
{
	struct tiffin_ctx ctx = { .size = sizeof(ctx), .now_ns = local_clock() };
	bool done = false;

	preempt_disable();
	if (tiffin_gate_enter(&scope->gate, TIFFIN_HOOK_SWEEP) ||
	    tiffin_gate_wait(scope, TIFFIN_HOOK_SWEEP)) {
		/* W2 */
		done = scope->gate.active != inst;
		if (!done) {
			ctx.env = this_cpu_ptr(inst->env);
			ctx.epoch = scope->gate.epoch;
			done = tiffin_record_settle(inst->store[TIFFIN_STORE_OBJECT], object, &ctx);
		}
		tiffin_gate_leave(&scope->gate);
	}
	preempt_enable();
	return done;
}

static void tiffin_sweep_work(struct work_struct *work)
{
	struct tiffin_scope *scope = container_of(to_delayed_work(work), struct tiffin_scope,
						  swap.sweep.work);
	struct tiffin_sweep *sweep = &scope->swap.sweep;
	struct tiffin_instance *inst = sweep->inst;
	struct tiffin_store_mem *mem = inst->store[TIFFIN_STORE_OBJECT];

	for (;;) {
		/*
		 * What a policy in quarantine is asked for comes to nothing, the last record's
		 * conversion, too: the rescue ends it.
		 */
		if (READ_ONCE(scope->gate.active) != inst || tiffin_quarantined(inst->policy) ||
		    READ_ONCE(sweep->stop))
			return;
		if (sweep->next == mem->nr_objects)
			break;
		if (tiffin_sweep_record(scope, inst, sweep->next))
			WRITE_ONCE(sweep->next, sweep->next + 1);
		cond_resched();
	}
	tiffin_store_converted(mem);
	WRITE_ONCE(sweep->inst, NULL);
	tiffin_swap_swept(scope);
}

void tiffin_sweep_init(struct tiffin_scope *scope)
{
	INIT_DELAYED_WORK(&scope->swap.sweep.work, tiffin_sweep_work);
}

void tiffin_sweep_begin(struct tiffin_scope *scope)
{
	struct tiffin_sweep *sweep = &scope->swap.sweep;
	struct tiffin_instance *inst = scope->gate.active;
	struct tiffin_store_mem *mem = inst->store[TIFFIN_STORE_OBJECT];

	if (!mem || !mem->from)
		return;
	/* W1: the work of the one before may still be on its way to tell that it is over. */
	cancel_delayed_work_sync(&sweep->work);
	sweep->next = 0;
	WRITE_ONCE(sweep->inst, inst);
	mod_delayed_work(tiffin_sweep_wq, &sweep->work, 0);
}

void tiffin_sweep_cancel(struct tiffin_scope *scope)
{
	struct tiffin_sweep *sweep = &scope->swap.sweep;

	WRITE_ONCE(sweep->stop, true);
	cancel_delayed_work_sync(&sweep->work);
	WRITE_ONCE(sweep->stop, false);
	WRITE_ONCE(sweep->inst, NULL);
}

bool tiffin_sweep_runs(const struct tiffin_scope *scope)
{
	return READ_ONCE(scope->swap.sweep.inst);
}

u32 tiffin_sweep_left(const struct tiffin_scope *scope, const struct tiffin_store_mem *mem)
{
	if (!READ_ONCE(mem->from))
		return 0;
	return mem->nr_objects - (tiffin_sweep_runs(scope) ? READ_ONCE(scope->swap.sweep.next) : 0);
}
