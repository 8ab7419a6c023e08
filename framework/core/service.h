/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Services: what a policy may ask the host to do in a call. So far they are those of lists
 * (list.h).
 *
 * A policy reaches them by pointers to functions in its environment, not by symbols: its object
 * file then imports nothing, so the same file is a module for every kernel and a plain object in
 * user space, several hosts of a test can serve it side by side, and on a host that lacks a service
 * it is refused by its ABI version, in words, not by an unknown symbol. The price is an indirect
 * call.
 */
#ifndef TIFFIN_CORE_SERVICE_H
#define TIFFIN_CORE_SERVICE_H

#include <tiffin/plugin.h>

#include "core/store.h"

extern const struct tiffin_list_ops tiffin_list_ops;

/* Try to have the lists of a store alone, in the name of @owner. Never waits (L2). */
static inline bool tiffin_lists_trylock(struct tiffin_store_mem *mem, const void *owner)
{
	return !READ_ONCE(mem->lists_owner) && !cmpxchg_acquire(&mem->lists_owner, NULL, owner);
}

static inline void tiffin_lists_unlock(struct tiffin_store_mem *mem)
{
	/* What was done to the lists comes before the next trylock. */
	smp_store_release(&mem->lists_owner, NULL);
}

/**
 * tiffin_lists_lend - a call begins
 * @mem: the lists of the instance that it reaches
 * @ctx: its context
 *
 * Return: false where the lists are lent to one call at a time, and another has them.
 */
static inline bool tiffin_lists_lend(struct tiffin_store_mem *mem, const struct tiffin_ctx *ctx)
{
	return mem->sharing != TIFFIN_SHARE_LOCKED || tiffin_lists_trylock(mem, ctx);
}

/* It ends. */
static inline void tiffin_lists_return(struct tiffin_store_mem *mem)
{
	if (mem->sharing == TIFFIN_SHARE_LOCKED)
		tiffin_lists_unlock(mem);
}

#endif /* TIFFIN_CORE_SERVICE_H */
