// SPDX-License-Identifier: GPL-2.0-only
/* The one way into a policy; the invariants are in dispatch.h. */

#include <linux/export.h>
#include <linux/percpu.h>
#include <linux/sched/clock.h>

#include <tiffin/state.h>

#include "core/dispatch.h"
#include "core/enter.h"
#include "core/scope.h"
#include "core/service.h"

/* Call with the clock running. Apart, as only one call in many is timed. */
static noinline enum tiffin_entered
tiffin_enter_timed(struct tiffin_scope *scope, struct tiffin_loaded *policy, tiffin_hook_fn fn,
		   const struct tiffin_ctx *ctx, const void *in, void *out)
{
	u64 start = local_clock();
	enum tiffin_entered entered;

	entered = tiffin_enter(policy, fn, ctx, in, out);
	tiffin_hist_add(scope->hook_hist, local_clock() - start);
	return entered;
}

static __always_inline enum tiffin_verdict
tiffin_put_question(struct tiffin_scope *scope, struct tiffin_instance *inst,
		    struct tiffin_loaded *policy, tiffin_hook_fn fn,
		    const struct tiffin_call *call, const void *in, void *out,
		    struct tiffin_figures __percpu *figures, u64 nr)
{
	bool (*answer_ok)(const void *in, const void *out);
	struct tiffin_record *rec = NULL;
	enum tiffin_entered entered;
	/* All that a policy looks at is written; zeros before, which the compiler adds, cost. */
	struct tiffin_ctx ctx __attribute__((uninitialized));

	ctx.size = sizeof(ctx);
	ctx.flags = 0;
	ctx.env = this_cpu_ptr(inst->env);
	ctx.now_ns = call->now_ns;
	ctx.epoch = scope->gate.epoch;
	ctx.object = NULL;
	ctx.handle = TIFFIN_NO_HANDLE;
	if (inst->store[TIFFIN_STORE_LISTS] &&
	    !tiffin_lists_lend(inst->store[TIFFIN_STORE_LISTS], &ctx)) {
		this_cpu_inc(figures->continuity_busy);
		return TIFFIN_CONTINUITY;
	}
	if (call->object != TIFFIN_NO_OBJECT) {
		ctx.handle = tiffin_handle(call->object, call->generation);
		if (inst->store[TIFFIN_STORE_OBJECT]) {
			rec = tiffin_record_open(inst->store[TIFFIN_STORE_OBJECT], call->object,
						 call->generation, &ctx);
			if (unlikely(!rec)) {
				if (inst->store[TIFFIN_STORE_LISTS])
					tiffin_lists_return(inst->store[TIFFIN_STORE_LISTS]);
				this_cpu_inc(figures->continuity_busy);
				return TIFFIN_CONTINUITY;
			}
			ctx.object = rec->data;
		}
	}
	if (unlikely(!(nr & READ_ONCE(scope->sample_mask))))
		entered = tiffin_enter_timed(scope, policy, fn, &ctx, in, out);
	else
		entered = tiffin_enter(policy, fn, &ctx, in, out);
	if (rec) {
		/* One that no policy has seen is as new to the next as one that is half written. */
		if (unlikely(entered != TIFFIN_ENTERED) &&
		    (entered == TIFFIN_ENTER_FAULTED || ctx.flags & TIFFIN_CTX_OBJECT_FRESH))
			tiffin_record_drop(rec);
		tiffin_record_close(inst->store[TIFFIN_STORE_OBJECT], rec);
	}
	if (inst->store[TIFFIN_STORE_LISTS])
		tiffin_lists_return(inst->store[TIFFIN_STORE_LISTS]);
	if (unlikely(READ_ONCE(scope->gate.epoch) != ctx.epoch))
		this_cpu_inc(figures->overlapped);
	if (unlikely(entered != TIFFIN_ENTERED)) {
		this_cpu_inc(figures->continuity_fault);
		return TIFFIN_CONTINUITY;
	}
	answer_ok = scope->family->hooks[call->hook].answer_ok;
	if (answer_ok && unlikely(!answer_ok(in, out))) {
		this_cpu_inc(figures->bad_answers);
		tiffin_quarantine_answer(policy);
		return TIFFIN_CONTINUITY;
	}
	this_cpu_inc(figures->answered);
	return TIFFIN_ANSWERED;
}

/* The call is through the gate: nothing flips until it has left. */
static __always_inline enum tiffin_verdict
tiffin_pass(struct tiffin_scope *scope, const struct tiffin_call *call, const void *in, void *out,
	    struct tiffin_figures __percpu *figures, u64 nr)
{
	struct tiffin_instance *inst = scope->gate.active;
	struct tiffin_loaded *policy = inst->policy;
	tiffin_hook_fn fn = policy->hook[call->hook];

	if (fn)
		return tiffin_put_question(scope, inst, policy, fn, call, in, out, figures, nr);
	this_cpu_inc(figures->stock);
	return TIFFIN_DEFAULT;
}

enum tiffin_verdict tiffin_dispatch(struct tiffin_scope *scope, const struct tiffin_call *call,
				    const void *in, void *out)
{
	struct tiffin_figures __percpu *figures = scope->figures;
	enum tiffin_verdict verdict;
	u64 nr;

	preempt_disable_notrace();
	nr = this_cpu_inc_return(figures->calls);
	if (likely(tiffin_gate_enter(&scope->gate, call->hook)) ||
	    tiffin_gate_wait(scope, call->hook)) {
		verdict = tiffin_pass(scope, call, in, out, figures, nr);
		tiffin_gate_leave(&scope->gate);
	} else {
		this_cpu_inc(figures->continuity_gate);
		verdict = TIFFIN_CONTINUITY;
	}
	preempt_enable_notrace();
	return verdict;
}
EXPORT_SYMBOL_NS_GPL(tiffin_dispatch, TIFFIN);

void tiffin_object_gone(struct tiffin_scope *scope, u32 object)
{
	struct tiffin_store_mem *lists;

	preempt_disable_notrace();
	if (tiffin_gate_enter(&scope->gate, TIFFIN_HOOK_GONE) ||
	    tiffin_gate_wait(scope, TIFFIN_HOOK_GONE)) {
		lists = scope->gate.active->store[TIFFIN_STORE_LISTS];
		/* Where they are busy, whoever comes upon the object next takes it off (L5). */
		if (lists && tiffin_lists_trylock(lists, scope)) {
			tiffin_lists_gone(&lists->lists, object);
			tiffin_lists_unlock(lists);
		}
		tiffin_gate_leave(&scope->gate);
	}
	preempt_enable_notrace();
}
EXPORT_SYMBOL_NS_GPL(tiffin_object_gone, TIFFIN);
