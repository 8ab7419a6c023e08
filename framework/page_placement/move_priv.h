/* SPDX-License-Identifier: GPL-2.0-only */
/* What the movers' files know of each other, and nobody else does. */
#ifndef TIFFIN_PP_MOVE_PRIV_H
#define TIFFIN_PP_MOVE_PRIV_H

#include <linux/mm.h>
#include <linux/page-flags.h>

#include "compat/mm.h"
#include "page_placement/move.h"
#include "page_placement/shadow.h"
#include "page_placement/watch.h"

/**
 * enum pp_plan - what an attempt does with a page
 * @PP_PLAN_NOTHING: its result stands
 * @PP_PLAN_COPY: copy it in the window
 * @PP_PLAN_NOTE: a transaction: clear its dirty bit
 * @PP_PLAN_COMMIT: a transaction: it has been copied
 * @PP_PLAN_REMAP: map its shadow
 */
enum pp_plan {
	PP_PLAN_NOTHING,
	PP_PLAN_COPY,
	PP_PLAN_NOTE,
	PP_PLAN_COMMIT,
	PP_PLAN_REMAP,
};

/**
 * struct pp_slot - what an attempt knows of a page
 * @src: the page when it was looked at; without a reference but where said
 * @dst: the page to move it to, or NULL; the slot has the only reference
 * @plan: enum pp_plan
 * @alone: it was mapped once, and not shared
 * @dirty: when it was looked at, its dirty bits said that it had been written to
 */
struct pp_slot {
	struct folio *src;
	struct folio *dst;
	u8 plan;
	bool alone;
	bool dirty;
};

/**
 * struct pp_move - a batch that is under way
 * @batch: what the caller asked for
 * @mm: whose; a reference to its users is held
 * @slot: of each page
 * @on_watch: in the watch's @entered
 * @changed: a bit for each page: its address has been, or is being, changed by others since the
 *	attempt began; under the watch's lock
 */
struct pp_move {
	struct pp_batch *batch;
	struct mm_struct *mm;
	struct pp_slot slot[PP_BATCH];
	struct list_head on_watch;
	u32 changed;
};

/* What became of a page; its plan ends with that. */
static inline void pp_settle(struct pp_move *move, unsigned int i, enum pp_result result,
			     enum pp_reason reason)
{
	move->batch->page[i].result = result;
	move->batch->page[i].reason = reason;
	move->slot[i].plan = PP_PLAN_NOTHING;
}

static inline void pp_refuse(struct pp_move *move, unsigned int i, enum pp_reason reason)
{
	pp_settle(move, i, PP_REFUSED, reason);
}

static inline void pp_abort(struct pp_move *move, unsigned int i)
{
	pp_settle(move, i, PP_ABORTED, PP_FINE);
}

/* Has the page references beyond those of its mappings and of the swap cache? A guess, no proof. */
static inline bool pp_pinned(struct folio *folio)
{
	return folio_ref_count(folio) > tiffin_mappings(folio) + folio_test_swapcache(folio);
}

/*
 * Who pins a page for writing may unpin it without making it dirty, as the kernel takes anonymous
 * pages to be dirty anyway; then no dirty bit tells of what was written. The mm is marked before
 * the first such pin, for good, so nothing is made of dirty bits there: no transaction, no shadow.
 * Of a page that is unmapped and free of pins, one look is for good: it can't be pinned there.
 */
static inline bool pp_dirty_tells(const struct pp_move *move)
{
	return !test_bit(MMF_HAS_PINNED, &move->mm->flags);
}

/* The page that migrate_vma_setup() has locked and unmapped for this entry of @src, or NULL. */
static inline struct folio *pp_migrating(unsigned long entry)
{
	struct page *page = migrate_pfn_to_page(entry);

	return page && (entry & MIGRATE_PFN_MIGRATE) ? page_folio(page) : NULL;
}

/* move.c */

/**
 * pp_table_apply - call a function for a page-table entry, under the table's lock
 * @mm: whose; mmap_lock is held
 * @addr: of the page; the mapping there has been found since mmap_lock was taken (W5)
 * @fn: called unless the entry is empty
 * @data: for it
 *
 * Return: PP_FINE where there is a table with such an entry, whether empty or not; else PP_HOLE or
 * PP_HUGE.
 */
enum pp_reason pp_table_apply(struct mm_struct *mm, unsigned long addr, pte_fn_t fn, void *data);

/* The mapping at @addr, where its pages may be moved; or NULL, and why not in @reason. */
struct vm_area_struct *pp_movable_vma(struct mm_struct *mm, unsigned long addr,
				      enum pp_reason *reason);

/**
 * pp_for_runs - call a function for each run of neighbours
 * @move: the batch; mmap_lock is held
 * @plans: bits of the plans that pages of a run may have
 * @fn: told the mapping, the run's first page and how many follow each other
 */
void pp_for_runs(struct pp_move *move, u32 plans,
		 void (*fn)(struct pp_move *move, struct vm_area_struct *vma, unsigned int first,
			    unsigned int nr));

/* A window of @ns has been over the pages from @first on. */
void pp_count_window(struct pp_move *move, unsigned int first, unsigned int nr, u64 ns);

/* move_note.c: clear the dirty bits of pages with PP_PLAN_NOTE; those done are PP_PLAN_COMMIT then,
 * and a reference to @src is held. mmap_lock is held.
 */
void pp_note(struct pp_move *move);

/* move_note.c: copy what has been noted, and drop the references. No lock is held. */
void pp_copy_noted(struct pp_move *move);

/* move_window.c: do what is planned for a run of pages, in one window. mmap_lock is held. */
void pp_window(struct pp_move *move, struct vm_area_struct *vma, unsigned int first,
	       unsigned int nr);

/* watch.c */

/* What migrate_vma_setup() tells notifiers in the movers' name. */
extern const char pp_watch_cookie;

/* A batch begins an attempt, and ends it. */
void pp_watch_enter(struct pp_watch *watch, struct pp_move *move);
void pp_watch_leave(struct pp_watch *watch, struct pp_move *move);

/* @move is about to clear dirty bits or to replace pages: other batches have to know. */
void pp_watch_tell(struct pp_watch *watch, struct pp_move *move, unsigned long start,
		   unsigned long end);

/* Has a page of the batch been changed by others? Under the watch's lock. */
static inline bool pp_changed(const struct pp_move *move, unsigned int i)
{
	lockdep_assert_held(&move->batch->watch->lock);
	return move->changed & BIT(i);
}

/* All watches have been put. At return each is free, and no notifier is registered. */
void pp_watch_exit(void);

/* shadow.c; the first four under the watch's lock */

/**
 * pp_shadow_peek - is there a shadow to map?
 * @watch: of the process
 * @addr: of the page
 * @folio: the page there
 * @node: where the shadow is to be
 *
 * Return: whether there is a shadow of @folio on @node.
 */
bool pp_shadow_peek(struct pp_watch *watch, unsigned long addr, struct folio *folio, int node);

/* Take the shadow that pp_shadow_peek() finds; NULL where it finds none. */
struct folio *pp_shadow_take(struct pp_watch *watch, unsigned long addr, struct folio *folio,
			     int node);

/* Drop the shadow at @addr, if there is one. */
void pp_shadow_drop(struct pp_watch *watch, unsigned long addr, enum pp_shadow_end end);

/* Keep @shadow, with the caller's reference, for @folio at @addr. False: there is no memory. */
bool pp_shadow_keep(struct pp_watch *watch, unsigned long addr, struct folio *shadow,
		    struct folio *folio);

/* Drop all shadows from @start up to @end. Takes the lock; @may_sleep: where there are many. */
void pp_shadow_drop_range(struct pp_watch *watch, unsigned long start, unsigned long end,
			  enum pp_shadow_end why, bool may_sleep);

int pp_shadow_init(void);
void pp_shadow_exit(void);

#endif /* TIFFIN_PP_MOVE_PRIV_H */
