/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gate between hook callers and the active instance of a scope.
 *
 * Callers pay one per-CPU count each way and one read. All cost of closing lies with the swap:
 *
 *	  OPEN --(1)--> SLOW --(2)--> CLOSED --(3)--> flip --(4)--> OPEN
 *	    ^             ^              |
 *	    +-------------+-----(5)------+   did not drain in close_us: reopen, try again later
 *
 *  (1) Callers that read SLOW put a full barrier between their count and a second read of the word.
 *      Then one IPI to every CPU, while calls still run: a caller that read OPEN has its count
 *      visible when its CPU has taken the IPI; one that comes later reads SLOW.
 *  (2) With interrupts off, so that the closed time is short and the swap can't be interrupted by a
 *      caller. From here no caller gets in: each either counted before it read the word, and is
 *      waited for, or reads CLOSED and backs out.
 *  (3) When all counts are zero, no call is inside a policy, on any CPU.
 *  (4) The store to the word releases what the flip wrote; a caller's read of the word acquires it.
 *
 * Invariants:
 *  G1. From (3) to (4) no call is inside a policy; active and epoch change only there.
 *  G2. A caller that found the gate closed waits at most hold_ns. It doesn't wait at all where it
 *	interrupts a call on the same CPU that has counted itself but isn't in yet: that one could
 *	not back out meanwhile and the gate would never drain.
 *  G3. A caller that interrupts a call which is in goes in too: the swap waits for both.
 *  G4. At most one gate of the machine is not OPEN (tiffin_gate_flip() serialises).
 *  G5. No CPU goes on- or offline between (1) and (4).
 */
#ifndef TIFFIN_UPGRADE_GATE_H
#define TIFFIN_UPGRADE_GATE_H

#include <linux/compiler.h>
#include <linux/percpu.h>
#include <linux/types.h>

struct tiffin_instance;
struct tiffin_scope;

enum tiffin_gate_word {
	TIFFIN_GATE_OPEN,
	TIFFIN_GATE_SLOW,
	TIFFIN_GATE_CLOSED,
};

/**
 * struct tiffin_gate_cpu - one CPU's callers
 * @entered: calls that have counted themselves and not left
 * @inside: calls among them that were let in
 * @hook: the last call's hook, to name who holds a swap up
 */
struct tiffin_gate_cpu {
	u32 entered;
	u32 inside;
	u32 hook;
};

/**
 * struct tiffin_gate - the gate of a scope
 * @word: enum tiffin_gate_word
 * @active: the instance that calls reach; changes only under G1
 * @epoch: number of flips so far; changes only under G1
 * @cpu: callers
 */
struct tiffin_gate {
	u32 word;
	struct tiffin_instance *active;
	u64 epoch;
	struct tiffin_gate_cpu __percpu *cpu;
};

/**
 * struct tiffin_gate_report - what one attempt to flip saw
 * @closed_ns: how long the gate was closed
 * @busy_cpu: a CPU whose call did not leave in time, or -1
 * @busy_hook: that call's hook
 */
struct tiffin_gate_report {
	u64 closed_ns;
	int busy_cpu;
	u32 busy_hook;
};

/**
 * tiffin_gate_init - an open gate
 * @gate: the gate
 * @active: the first instance
 *
 * Return: 0 or -ENOMEM.
 */
int tiffin_gate_init(struct tiffin_gate *gate, struct tiffin_instance *active);

/* Free what tiffin_gate_init() allocated. */
void tiffin_gate_exit(struct tiffin_gate *gate);

/**
 * tiffin_gate_enter - a call comes to the gate
 * @gate: the gate
 * @hook: of the call
 *
 * Context: preemption disabled from here to tiffin_gate_leave().
 * Return: true where the call is in; else tiffin_gate_wait() has to decide.
 */
static __always_inline bool tiffin_gate_enter(struct tiffin_gate *gate, u32 hook)
{
	struct tiffin_gate_cpu __percpu *mine = gate->cpu;

	this_cpu_inc(mine->entered);
	this_cpu_write(mine->hook, hook);
	barrier();
	/* Who finds it open sees what the flip wrote. */
	if (unlikely(smp_load_acquire(&gate->word) != TIFFIN_GATE_OPEN))
		return false;
	this_cpu_inc(mine->inside);
	return true;
}

/**
 * tiffin_gate_wait - a call found the gate not open
 * @scope: whose gate; holds and their length are counted there
 * @hook: of the call
 *
 * Return: true where the call is in; false where it has left again and is to be answered by
 * continuity.
 */
bool tiffin_gate_wait(struct tiffin_scope *scope, u32 hook);

/* A call that was let in leaves. */
static __always_inline void tiffin_gate_leave(struct tiffin_gate *gate)
{
	struct tiffin_gate_cpu __percpu *mine = gate->cpu;

	barrier();
	/* What the policy did comes before the counts go down (x86 keeps that order). */
	smp_mb__before_atomic();
	this_cpu_dec(mine->inside);
	this_cpu_dec(mine->entered);
}

/**
 * tiffin_gate_flip - close, drain, make another instance active, open
 * @gate: the gate
 * @next: becomes active
 * @close_us: longest time to keep the gate closed while calls drain; what is handed over at the
 *	flip comes on top, see tiffin_instance_flip()
 * @report: receives what happened
 *
 * Context: process, may sleep (waits for other gates and for CPU hotplug); interrupts on.
 * Return: 0; -EAGAIN where calls did not drain in time, -EFAULT where @next is in quarantine: the
 * gate is open, nothing has changed.
 */
int tiffin_gate_flip(struct tiffin_gate *gate, struct tiffin_instance *next, u32 close_us,
		     struct tiffin_gate_report *report);

#endif /* TIFFIN_UPGRADE_GATE_H */
