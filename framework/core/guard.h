/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard: a call into a policy that faults, or never returns, ends all the same.
 *
 * tiffin_guard_call() (guard_entry.S) saves what its caller needs in a frame on the stack, points
 * the CPU's cursor at it, and calls the policy. Where an exception in the policy's text (fault.c),
 * or the watchdog (watchdog.c), ends the call, execution goes on at the landing, on the stack that
 * the cursor names: the CPU is put right, the policy goes to quarantine, and tiffin_guard_call()
 * returns.
 *
 *	caller's stack  | ... return address, saved registers | frame | policy ...
 *	                                                      ^ cursor
 *
 * Calls nest, as an interrupt may put another question: frames are chained, and the cursor names
 * the innermost. A landing restores the one outside.
 *
 * Invariants:
 *  C1. The cursor of a CPU is not 0 exactly while a call is under way there, but for the few
 *	instructions at its begin and end, at which no text of a policy runs.
 *  C2. Only the call that the cursor names is ended, and only where nothing but text of its policy,
 *	and at most one function of the kernel that has not touched the stack, would be cut short:
 *	tiffin_fault_is() says how that is known. What else faults is the kernel's, and stays so.
 *  C3. After a landing all is as it was before the call, but the memory that the policy was lent:
 *	interrupts, preemption, RCU's read side, migration, the flags that C takes for granted.
 *  C4. A policy whose call was ended is in quarantine before the caller goes on; so is one that
 *	returned with interrupts, preemption or such a flag other than it found them.
 *
 * There is no host without a guard. Only tests are built for what is not x86-64 (User Mode Linux,
 * user space), and bring one of their own, in which a call ends itself (selftests/kunit/lab.c).
 */
#ifndef TIFFIN_CORE_GUARD_H
#define TIFFIN_CORE_GUARD_H

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/percpu.h>
#include <linux/types.h>

struct tiffin_ctx;
struct tiffin_loaded;

/**
 * enum tiffin_entered - how a call into a policy went
 * @TIFFIN_ENTERED: the policy returned, with interrupts and preemption as it found them
 * @TIFFIN_ENTER_REFUSED: the policy is in quarantine and was not called
 * @TIFFIN_ENTER_FAULTED: the call was ended for the policy, and has put it in quarantine: what it
 *	was writing may be half written
 */
enum tiffin_entered {
	TIFFIN_ENTERED,
	TIFFIN_ENTER_REFUSED,
	TIFFIN_ENTER_FAULTED,
};

/**
 * tiffin_guard_call - call a function of a policy
 * @ctx: its first argument
 * @in: its second
 * @out: its third
 * @fn: the function
 * @policy: whose it is
 * @task: tiffin_guard_task()
 *
 * Context: preemption disabled.
 * Return: whether @fn returned; never %TIFFIN_ENTER_REFUSED.
 */
enum tiffin_entered
tiffin_guard_call(const struct tiffin_ctx *ctx, const void *in, void *out,
		  void (*fn)(const struct tiffin_ctx *ctx, const void *in, void *out),
		  struct tiffin_loaded *policy, u64 task);

#ifdef TIFFIN_HAVE_GUARD

#include <linux/sched.h>

/**
 * struct tiffin_guard_frame - what a call has on the stack; guard_entry.S builds it
 * @outer: the cursor before the call
 * @policy: that is called
 * @ctx: of the call: what a service is given has to be this
 * @flags: the CPU's, with interrupts, before the call
 * @ticks: of the CPU's watchdog that have hit this call, not what has interrupted it; saved with
 *	@flags, whose upper half is 0
 * @preempt: the preempt count before the call
 * @beside: what lies beside that in memory
 * @task: tiffin_guard_task()
 *
 * guard_frame.h has the offsets.
 */
struct tiffin_guard_frame {
	struct tiffin_guard_frame *outer;
	struct tiffin_loaded *policy;
	const struct tiffin_ctx *ctx;
	u32 flags;
	u32 ticks;
	u32 preempt;
	u32 beside;
	u64 task;
};

DECLARE_PER_CPU(struct tiffin_guard_frame *, tiffin_guard_cursor);

/*
 * Depths that are counted in the task, of RCU's read side and of migrate_disable(), lie side by
 * side: one word has both.
 */
#define TIFFIN_GUARD_TASK	offsetofend(struct task_struct, migration_pending)

static __always_inline u64 tiffin_guard_task(void)
{
	return *(const u64 *)((const void *)current + TIFFIN_GUARD_TASK);
}

/**
 * tiffin_guard_end - a call has not returned as it should
 * @frame: of the call; this runs on the stack below it
 * @landed: it was ended, and interrupts are disabled; else the CPU is not as before the call,
 *	perhaps in nothing that matters: an interrupt may have said that it is time to schedule
 * @left: where it was not ended, the CPU's flags as the policy left them
 *
 * tiffin_guard_call() asks for it. Puts the CPU right, and the policy in quarantine.
 *
 * Return: %TIFFIN_ENTERED where nothing that matters differs, else %TIFFIN_ENTER_FAULTED.
 */
asmlinkage enum tiffin_entered tiffin_guard_end(struct tiffin_guard_frame *frame, bool landed,
						unsigned long left);

/**
 * tiffin_guard_ctx - the context of the call that is under way on this CPU
 * @given: what a service was given as that; where there is no guard, it is taken for it
 */
static inline const struct tiffin_ctx *tiffin_guard_ctx(const struct tiffin_ctx *given)
{
	const struct tiffin_guard_frame *frame = this_cpu_read(tiffin_guard_cursor);

	return frame ? frame->ctx : NULL;
}

/*
 * Where the kernel is told to panic on an oops, faults are left to it, unless the operator wants
 * them contained all the same. Runaways are ended whatever it is told.
 */
bool tiffin_guard_contain(void);
int tiffin_guard_set_contain(bool always);

/*
 * Look what the kernel is told: as a policy becomes active, and whenever somebody wants to know, as
 * it does not say when that changes. Process context, may sleep.
 * Return: are faults of policies contained from now on?
 */
bool tiffin_guard_refresh(void);

/* Begin and stop to end calls. Process context, may sleep. */
int tiffin_guard_init(void);
void tiffin_guard_exit(void);

#else /* TIFFIN_HAVE_GUARD */

static inline u64 tiffin_guard_task(void)
{
	return 0;
}

static inline const struct tiffin_ctx *tiffin_guard_ctx(const struct tiffin_ctx *given)
{
	return given;
}

static inline bool tiffin_guard_contain(void)
{
	return false;
}

static inline int tiffin_guard_set_contain(bool always)
{
	return -EOPNOTSUPP;
}

static inline bool tiffin_guard_refresh(void)
{
	return false;
}

static inline int tiffin_guard_init(void)
{
	return 0;
}

static inline void tiffin_guard_exit(void)
{
}

#endif /* TIFFIN_HAVE_GUARD */

#endif /* TIFFIN_CORE_GUARD_H */
