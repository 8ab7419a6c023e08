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
 *
 * Lists are the host's: a policy has no bytes of them, it asks for services. Each takes a bounded
 * time, whatever the length of a list. Handles may be kept in stores, as a place to go on from: one
 * whose object is gone, or has moved, is told from a good one.
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

/*
 * The record of the instance's store; NULL where the policy declared none, or it is out of reach:
 * in init, and where a swap converts others, what came by reference is.
 */
static inline void *tiffin_instance(const struct tiffin_ctx *ctx)
{
	return ctx->env->instance;
}

/* This CPU's record of the per-CPU store; NULL likewise. */
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

/**
 * tiffin_handle - the handle of an object
 * @object: its number
 * @generation: its generation, not 0
 */
static inline __u64 tiffin_handle(__u32 object, __u32 generation)
{
	return (__u64)generation << 32 | object;
}

/* The number of the object that a handle names. */
static inline __u32 tiffin_handle_object(__u64 handle)
{
	return (__u32)handle;
}

/* The generation of the object that a handle names; 0 where it names none. */
static inline __u32 tiffin_handle_generation(__u64 handle)
{
	return handle >> 32;
}

/**
 * tiffin_list_put - put an object at an end of a list, from wherever it is
 * @ctx: the call's context
 * @handle: of the object
 * @list: below the declared number
 * @end: TIFFIN_LIST_HEAD or TIFFIN_LIST_TAIL
 * @mark: a number of the policy's own, that stays with the object while it is on a list
 *
 * To move an object, look at it (tiffin_list_first(), tiffin_list_next()) and put it: between a
 * take and a put a busy answer would leave it on no list.
 *
 * Return: %TIFFIN_LIST_OK, _BUSY, _GONE or _BAD.
 */
static inline __u32 tiffin_list_put(const struct tiffin_ctx *ctx, __u64 handle, __u32 list,
				    __u32 end, __u32 mark)
{
	return ctx->env->list_ops->put(ctx, handle, list, end, mark);
}

/**
 * tiffin_list_mark - give an object on a list another mark
 * @ctx: the call's context
 * @handle: of the object
 * @mark: the number
 *
 * Return: %TIFFIN_LIST_OK, _BUSY, _OFF, _GONE or _BAD.
 */
static inline __u32 tiffin_list_mark(const struct tiffin_ctx *ctx, __u64 handle, __u32 mark)
{
	return ctx->env->list_ops->mark(ctx, handle, mark);
}

/**
 * tiffin_list_remove - take an object off its list
 * @ctx: the call's context
 * @handle: of the object
 *
 * Return: %TIFFIN_LIST_OK, _BUSY, _OFF, _GONE or _BAD.
 */
static inline __u32 tiffin_list_remove(const struct tiffin_ctx *ctx, __u64 handle)
{
	return ctx->env->list_ops->remove(ctx, handle);
}

/**
 * tiffin_list_find - where is an object?
 * @ctx: the call's context
 * @handle: of the object
 *
 * Return: an entry with %TIFFIN_LIST_OK, _BUSY, _OFF, _GONE or _BAD.
 */
static inline struct tiffin_entry tiffin_list_find(const struct tiffin_ctx *ctx, __u64 handle)
{
	return ctx->env->list_ops->find(ctx, handle);
}

/**
 * tiffin_list_first - the object at an end of a list; it stays there
 * @ctx: the call's context
 * @list: below the declared number
 * @end: TIFFIN_LIST_HEAD or TIFFIN_LIST_TAIL
 *
 * Return: an entry with %TIFFIN_LIST_OK, _BUSY, _END or _BAD.
 */
static inline struct tiffin_entry tiffin_list_first(const struct tiffin_ctx *ctx, __u32 list,
						    __u32 end)
{
	return ctx->env->list_ops->first(ctx, list, end);
}

/**
 * tiffin_list_next - the next object on the way from an end
 * @ctx: the call's context
 * @list: the list
 * @end: where the way begins
 * @handle: of the object after which the next one is wanted
 *
 * Return: an entry with %TIFFIN_LIST_OK, _BUSY, _END, _OFF, _GONE or _BAD. After _OFF and _GONE
 * begin anew, or go on from another object that was seen before.
 */
static inline struct tiffin_entry tiffin_list_next(const struct tiffin_ctx *ctx, __u32 list,
						   __u32 end, __u64 handle)
{
	return ctx->env->list_ops->next(ctx, list, end, handle);
}

/**
 * tiffin_list_take - take the object at an end off the list
 * @ctx: the call's context
 * @list: below the declared number
 * @end: TIFFIN_LIST_HEAD or TIFFIN_LIST_TAIL
 *
 * Return: an entry with %TIFFIN_LIST_OK, _BUSY, _END or _BAD.
 */
static inline struct tiffin_entry tiffin_list_take(const struct tiffin_ctx *ctx, __u32 list,
						   __u32 end)
{
	return ctx->env->list_ops->take(ctx, list, end);
}

/**
 * tiffin_list_length - objects on a list
 * @ctx: the call's context
 * @list: which; 0 is said of one that is not there
 *
 * Objects that are gone may count until the host has come upon them.
 */
static inline __u32 tiffin_list_length(const struct tiffin_ctx *ctx, __u32 list)
{
	return ctx->env->list_ops->length(ctx, list);
}

#endif /* TIFFIN_STATE_H */
