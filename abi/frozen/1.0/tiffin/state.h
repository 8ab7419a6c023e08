/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tiffin/state.h: how a policy reads and writes the state that the host lends it for a call.
 *
 * Three ways of writing, by the store's declared sharing (enum tiffin_sharing):
 *  - TIFFIN_SHARE_CPU: a call on the same CPU may interrupt this one between any two instructions.
 *    tiffin_local_add() is one instruction there, so no count is lost.
 *  - TIFFIN_SHARE_ATOMIC: calls on other CPUs run at the same time. tiffin_load(), tiffin_store(),
 *    tiffin_add() and tiffin_cmpxchg() act on single aligned fields of up to 8 bytes. They order
 *    nothing else: a record is a set of independent numbers, not a message.
 *  - TIFFIN_SHARE_LOCKED: plain C on the whole record: no other call has it.
 */
#ifndef TIFFIN_STATE_H
#define TIFFIN_STATE_H

#include <tiffin/plugin.h>

/* The current value of a shared field. */
#define tiffin_load(p)			__atomic_load_n((p), __ATOMIC_RELAXED)

/* Replace a shared field. */
#define tiffin_store(p, v)		__atomic_store_n((p), (v), __ATOMIC_RELAXED)

/* Add to a shared field; gives the value before. */
#define tiffin_add(p, v)		__atomic_fetch_add((p), (v), __ATOMIC_RELAXED)

/**
 * tiffin_cmpxchg - replace a shared field if it still holds what was read
 * @p: the field
 * @old: pointer to the expected value; receives what was found where the exchange failed
 * @new: the value to put
 *
 * Return: true where @new was put.
 */
#define tiffin_cmpxchg(p, old, new)							\
	__atomic_compare_exchange_n((p), (old), (new), 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)

/**
 * tiffin_local_add - add to a field that only this CPU writes
 * @p: a __u64 field of a TIFFIN_SHARE_CPU record
 * @v: what to add
 *
 * Not atomic against other CPUs, but against calls that interrupt this one.
 */
static inline void tiffin_local_add(__u64 *p, __u64 v)
{
#ifdef __x86_64__
	__asm__ ("addq %1, %0" : "+m" (*p) : "er" (v));
#else
	__atomic_fetch_add(p, v, __ATOMIC_RELAXED);
#endif
}

/**
 * tiffin_tunable - the current value of a tunable
 * @ctx: the call's context
 * @index: its place in the policy's declaration
 *
 * Return: a value in the declared range; it may differ between two reads.
 */
static inline __s64 tiffin_tunable(const struct tiffin_ctx *ctx, unsigned int index)
{
	return tiffin_load(&ctx->env->tunables[index]);
}

/**
 * tiffin_count - count something
 * @ctx: the call's context
 * @index: the counter's place in the policy's declaration
 * @n: how much
 */
static inline void tiffin_count(const struct tiffin_ctx *ctx, unsigned int index, __u64 n)
{
	tiffin_local_add(&ctx->env->counters[index], n);
}

/* The record of the instance's store; NULL where the policy declared none. */
static inline void *tiffin_instance(const struct tiffin_ctx *ctx)
{
	return ctx->env->instance;
}

/* This CPU's record of the per-CPU store; NULL where the policy declared none. */
static inline void *tiffin_percpu(const struct tiffin_ctx *ctx)
{
	return ctx->env->percpu;
}

/* The record of the call's object; NULL where the policy declared no object store. */
static inline void *tiffin_object(const struct tiffin_ctx *ctx)
{
	return ctx->object;
}

/* True where the object's record was zeroed for this call. */
static inline int tiffin_object_fresh(const struct tiffin_ctx *ctx)
{
	return !!(ctx->flags & TIFFIN_CTX_OBJECT_FRESH);
}

#endif /* TIFFIN_STATE_H */
