/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard: a call into a policy that faults, or never returns, ends all the same.
 *
 * tiffin_guard_call() (guard_entry.S) saves what its caller needs in a frame on the stack, points
 * the CPU's cursor at it, and calls the policy. Where an exception in the policy's text (fault.c),
 * or the watchdog (watchdog.c), ends the call, execution goes on at the landing, on the stack that
 * the cursor names: tiffin_guard_call() returns then, to a caller that sees that the policy did
 * not.
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
 *	interrupts, preemption, RCU's read side, migration.
 *  C4. A policy whose call was ended is in quarantine before the caller goes on; so is one that
 *	returned with interrupts or preemption other than it found them.
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
struct tiffin_guard_frame;
struct tiffin_loaded;

#ifdef TIFFIN_HAVE_GUARD

#include <linux/irqflags.h>
#include <linux/preempt.h>
#include <linux/ptrace.h>
#include <linux/sched.h>

#include "core/watchdog.h"

/**
 * struct tiffin_guard_frame - what a call has on the stack; guard_entry.S builds it
 * @outer: the cursor before the call
 * @policy: that is called
 * @ctx: of the call: what a service is given has to be this
 * @ticks: of the CPU's watchdog that have hit this call, not what has interrupted it
 */
struct tiffin_guard_frame {
	struct tiffin_guard_frame *outer;
	struct tiffin_loaded *policy;
	const struct tiffin_ctx *ctx;
	unsigned long ticks;
};

/**
 * struct tiffin_guard - the state of the CPU before a call
 * @flags: interrupts
 * @preempt: preempt_count()
 * @rcu: depth of RCU's read side, where that is counted in the task
 * @migration: depth of migrate_disable()
 *
 * Whole words, as the compiler would put halves together to store them.
 */
struct tiffin_guard {
	unsigned long flags;
	long preempt;
	long rcu;
	long migration;
};

DECLARE_PER_CPU(struct tiffin_guard_frame *, tiffin_guard_cursor);

/**
 * tiffin_guard_call - call a function of a policy
 * @ctx: its first argument
 * @in: its second
 * @out: its third
 * @fn: the function
 * @policy: whose it is
 *
 * Context: preemption disabled.
 * Return: NULL where @fn returned; else the address that the call's frame had, interrupts are
 * disabled, and tiffin_guard_end() has to follow.
 */
struct tiffin_guard_frame *
tiffin_guard_call(const struct tiffin_ctx *ctx, const void *in, void *out,
		  void (*fn)(const struct tiffin_ctx *ctx, const void *in, void *out),
		  struct tiffin_loaded *policy);

static __always_inline void tiffin_guard_begin(struct tiffin_guard *was)
{
	was->flags = arch_local_save_flags();
	was->preempt = preempt_count();
	was->rcu = 0;
#ifdef CONFIG_PREEMPT_RCU
	was->rcu = current->rcu_read_lock_nesting;
#endif
	was->migration = 0;
#ifdef CONFIG_SMP
	was->migration = current->migration_disabled;
#endif
	tiffin_watchdog_begin();
}

/* Has the policy left interrupts and preemption alone? */
static __always_inline bool tiffin_guard_kept(const struct tiffin_guard *was)
{
	return !((arch_local_save_flags() ^ was->flags) & X86_EFLAGS_IF) &&
	       preempt_count() == was->preempt;
}

/**
 * tiffin_guard_end - a call was ended, or has not left the CPU as it found it
 * @policy: that was called
 * @frame: what tiffin_guard_call() returned
 * @was: the state of the CPU before
 *
 * Repairs the state, and puts the policy in quarantine.
 *
 * Context: that of the call; interrupts disabled where @frame is not NULL.
 */
void tiffin_guard_end(struct tiffin_loaded *policy, struct tiffin_guard_frame *frame,
		      const struct tiffin_guard *was);

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

/* Look what the kernel is told, as a policy becomes active. Process context, may sleep. */
void tiffin_guard_refresh(void);

/* Begin and stop to end calls. Process context, may sleep. */
int tiffin_guard_init(void);
void tiffin_guard_exit(void);

#else /* TIFFIN_HAVE_GUARD */

struct tiffin_guard {
};

struct tiffin_guard_frame *
tiffin_guard_call(const struct tiffin_ctx *ctx, const void *in, void *out,
		  void (*fn)(const struct tiffin_ctx *ctx, const void *in, void *out),
		  struct tiffin_loaded *policy);

static inline void tiffin_guard_begin(struct tiffin_guard *was)
{
}

static inline bool tiffin_guard_kept(const struct tiffin_guard *was)
{
	return true;
}

void tiffin_guard_end(struct tiffin_loaded *policy, struct tiffin_guard_frame *frame,
		      const struct tiffin_guard *was);

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

static inline void tiffin_guard_refresh(void)
{
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
