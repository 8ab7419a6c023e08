/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one way into a policy.
 *
 * tiffin_dispatch() puts a hook's question to the active policy of a scope. It is written once for
 * all families: gate, stores, context, counting; the call itself is guarded (guard.h).
 *
 * Invariants:
 *  D1. Every call of tiffin_dispatch() returns exactly one verdict and counts it once, on the CPU
 *	it ran on: calls == answered + stock + continuity (summed over CPUs, when none is in
 *	flight); an answer out of range is replaced by continuity and counted there.
 *  D2. While the gate is closed no call is inside a policy, but for a call nested in one that was
 *	let in before; the swap waits for that one.
 *  D3. No call inside a policy spans a flip: it ends in the epoch that it began in. Each call
 *	checks this at its end; "overlapped" counts where it failed and is always 0.
 *  D4. A caller waits at a closed gate for at most the family's hold_ns, with interrupts as it
 *	found them, and not at all where it interrupts a call on its own CPU that has come to the
 *	gate and could not back out meanwhile.
 *  D5. A call that had to be ended is answered by continuity, as are those that come until another
 *	policy is active. The object's record that it had begins anew; no other record does. Where
 *	objects' records are as at the flip for who comes next (store.h, S4), that one is, too.
 */
#ifndef TIFFIN_CORE_DISPATCH_H
#define TIFFIN_CORE_DISPATCH_H

#include <linux/types.h>

struct tiffin_scope;
struct tiffin_instance;

#define TIFFIN_NO_OBJECT	U32_MAX

/**
 * struct tiffin_call - one question
 * @hook: index in the family's hooks
 * @object: number of the object that the call is about, below the family's max_objects, or
 *	TIFFIN_NO_OBJECT
 * @generation: of that object, not 0: when the family gives a number to another object it takes the
 *	next generation, and the record starts from zeros; a late call with an older one is answered
 *	by continuity, where the record has one (store.h, S2)
 * @now_ns: monotonic time that the policy is told
 */
struct tiffin_call {
	u32 hook;
	u32 object;
	u32 generation;
	u64 now_ns;
};

/**
 * enum tiffin_verdict - who answered
 * @TIFFIN_ANSWERED: the policy; the answer is in @out and the hook's answer_ok() has found it good
 * @TIFFIN_DEFAULT: nobody, as the built-in default is active or the policy lacks this optional
 *	hook: the family leaves it to the stock kernel
 * @TIFFIN_CONTINUITY: the call could not be put, or its answer is out of range and may not be
 *	looked at: the family repeats the object's last decision
 */
enum tiffin_verdict {
	TIFFIN_ANSWERED,
	TIFFIN_DEFAULT,
	TIFFIN_CONTINUITY,
};

/**
 * tiffin_dispatch - put a question to the active policy
 * @scope: where
 * @call: which question, about what
 * @in: the hook's argument struct, filled
 * @out: the hook's answer struct, as the family wants to find it if the policy writes nothing
 *
 * Context: any but NMI. Does not sleep. Calls may nest by interruption.
 */
enum tiffin_verdict tiffin_dispatch(struct tiffin_scope *scope, const struct tiffin_call *call,
				    const void *in, void *out);

/**
 * tiffin_object_gone - take an object that is gone off the policy's lists
 * @scope: where
 * @object: its number; the family has said in its @generation that the object is gone
 *
 * For the lists' lengths to be exact: without this call it goes when someone comes upon it. It may
 * do nothing, where the lists are busy or the gate is closed.
 *
 * Context: any but NMI. Does not sleep.
 */
void tiffin_object_gone(struct tiffin_scope *scope, u32 object);

/* What that is to the gate, in place of a hook's index. */
#define TIFFIN_HOOK_GONE	(U32_MAX - 1)

#endif /* TIFFIN_CORE_DISPATCH_H */
