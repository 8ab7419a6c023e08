/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Destinations: where pp_move() gets pages to move to. The kernel clears each page that it hands
 * out (init_on_alloc), which costs as much as the copy that follows; so pages that come free by
 * moves are kept, a few a node, for moves the other way.
 *
 * Such a page looks as the allocator hands pages out; its content is that of the page it was, which
 * is why it becomes a page that is written over whole before anybody sees it, and nothing else.
 */
#ifndef TIFFIN_PP_RECYCLE_H
#define TIFFIN_PP_RECYCLE_H

#include <linux/types.h>

struct folio;

/* Pages kept on a node, at most: what the batches of a few threads take. */
#define PP_RECYCLED_MAX	64

int pp_recycle_init(void);
void pp_recycle_exit(void);

/**
 * pp_page_get - a page to move to
 * @node: where
 *
 * Without reclaim: it does not push out others' pages, and fails where watermarks are near.
 *
 * Context: process.
 * Return: the page, or NULL.
 */
struct folio *pp_page_get(int node);

/**
 * pp_page_put - a page is not needed any more
 * @folio: the caller has a reference; it is mapped nowhere, on no list and not locked
 *
 * Context: any but NMI and hardirq.
 */
void pp_page_put(struct folio *folio);

/**
 * pp_page_renew - make a page that was a process's look as the allocator hands pages out
 * @folio: the caller's reference should be the only one
 *
 * Return: whether it does. Where it doesn't (others have references, the hardware reported an
 * error in it) only folio_put() is of use.
 */
bool pp_page_renew(struct folio *folio);

/**
 * pp_recycle_close - while memory of a node goes offline, keep none there and give out none
 * @node: the node
 * @close: true: it begins; false: it has ended, or was given up
 *
 * What is kept stays until pp_recycle_shrink().
 */
void pp_recycle_close(int node, bool close);

/* Pages kept on @node. */
unsigned long pp_recycled(int node);

/* Free up to @nr pages kept on @node. Returns how many. */
unsigned long pp_recycle_shrink(int node, unsigned long nr);

#endif /* TIFFIN_PP_RECYCLE_H */
