/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shadows: when a page is moved, the page left behind can be kept. As long as nobody writes to the
 * page, it has the same content; then the way back needs no copy: pp_move() maps the shadow.
 *
 * Whose it is: a shadow is the host's alone. It is mapped nowhere, on no LRU list, charged to no
 * cgroup, and looks as the allocator hands pages out.
 *
 * When it goes:
 *	written		the page's dirty bit is set. Nothing tells the host at once:
 *			pp_shadow_sweep() looks for such, and pp_move() when it comes to the page.
 *	changed		the address was unmapped, or its page replaced or shared: watch.h. Also
 *			where a mapping is cut in two: the kernel invalidates the 2 MiB around
 *			the cut if all of them were mapped alike, huge page or not
 *	pressure	the kernel wants memory on its node (a shrinker; out of memory: all)
 *	reclaimed	pp_shadow_reclaim(), on a policy's behalf
 *	used		pp_move() has mapped it
 *
 * Invariants:
 *  S1. A shadow is valid for an address if it is there, the page at the address is the one that it
 *	was left by, and, once that page is unmapped, its dirty bits are clear. Who clears a dirty
 *	bit of a page drops its shadow first (pp_move()'s transactions), or unmaps the page
 *	(reclaim), or tells the notifier (MADV_FREE).
 *  S2. It is on its node's list exactly as long as it is in its watch; under both locks.
 */
#ifndef TIFFIN_PP_SHADOW_H
#define TIFFIN_PP_SHADOW_H

#include <linux/types.h>

struct page;
struct pp_watch;

/**
 * enum pp_shadow_end - why shadows went
 * @PP_SHADOW_USED: mapped
 * @PP_SHADOW_WRITTEN: the page was written to
 * @PP_SHADOW_CHANGED: the address got another page, or none, or the process has ended
 * @PP_SHADOW_PRESSURE: the kernel wanted the memory
 * @PP_SHADOW_RECLAIMED: the host did
 * @PP_SHADOW_DETACHED: the watch was put
 * @PP_SHADOW_ENDS: how many there are
 */
enum pp_shadow_end {
	PP_SHADOW_USED,
	PP_SHADOW_WRITTEN,
	PP_SHADOW_CHANGED,
	PP_SHADOW_PRESSURE,
	PP_SHADOW_RECLAIMED,
	PP_SHADOW_DETACHED,
	PP_SHADOW_ENDS,
};

/**
 * struct pp_shadow_figures - of one node
 * @kept: shadows kept on it, ever
 * @ended: how many went, by enum pp_shadow_end
 * @now: how many there are
 */
struct pp_shadow_figures {
	u64 kept;
	u64 ended[PP_SHADOW_ENDS];
	unsigned long now;
};

/* Copy @node's figures. Context: any that may take a spinlock. */
void pp_shadow_figures(int node, struct pp_shadow_figures *figures);

/**
 * pp_shadow_reclaim - free shadows on a node, those kept longest first
 * @node: whose
 * @nr: how many
 *
 * Context: process; does not sleep.
 * Return: how many went.
 */
unsigned long pp_shadow_reclaim(int node, unsigned long nr);

/**
 * pp_shadow_sweep - drop shadows whose pages have been written to, or are just being unmapped
 * @watch: of the process
 * @addr: where to begin; receives where to go on, 0 after the last one
 * @nr: shadows to look at, at most
 *
 * Context: process, may sleep; no mmap_lock held: it is taken, for reading; where it is not to be
 * had, nothing is looked at.
 * Return: how many were dropped.
 */
unsigned long pp_shadow_sweep(struct pp_watch *watch, unsigned long *addr, unsigned long nr);

#endif /* TIFFIN_PP_SHADOW_H */
