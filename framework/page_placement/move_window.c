// SPDX-License-Identifier: GPL-2.0-only
/*
 * The window: pages are unmapped, locked and free of pins from migrate_vma_setup() on, and mapped
 * again by migrate_vma_finalize(). In between it is decided which page it is that is mapped: M1 of
 * move.h.
 */

#include <linux/ktime.h>
#include <linux/pagemap.h>

#include "compat/mm.h"
#include "page_placement/move_priv.h"
#include "page_placement/recycle.h"

/**
 * struct pp_framed - a page in the window
 * @old: the page
 * @new: the one that is to take its place; NULL: none is
 * @moved: it did
 * @cleaned: the old one's dirty bit was cleared
 * @shadow: the old one is to be a shadow
 */
struct pp_framed {
	struct folio *old;
	struct folio *new;
	bool moved;
	bool cleaned;
	bool shadow;
};

/*
 * The page is unmapped, locked, and nobody has it pinned: is it to be moved, and which page takes
 * its place? The caller gets the slot's reference to that. @tells: its dirty bits tell of writes.
 */
static struct folio *pp_window_choose(struct pp_move *move, unsigned int i, struct folio *folio,
				      bool tells)
{
	struct pp_batch *batch = move->batch;
	struct pp_slot *slot = &move->slot[i];
	struct folio *chosen = NULL;

	if (folio != slot->src) {
		pp_abort(move, i);
		return NULL;
	}
	/* migrate_vma_pages() does not bear that. It begins only under the page's lock. */
	if (folio_test_writeback(folio)) {
		pp_refuse(move, i, PP_BUSY);
		return NULL;
	}
	switch (slot->plan) {
	case PP_PLAN_COPY:
		if (!tiffin_copy_page(&slot->dst->page, &folio->page)) {
			pp_refuse(move, i, PP_POISONED);
			return NULL;
		}
		batch->copied += PAGE_SIZE;
		swap(chosen, slot->dst);
		break;
	case PP_PLAN_COMMIT:
		spin_lock(&batch->watch->lock);
		if (!folio_test_dirty(folio) && !pp_changed(move, i) && tells)
			swap(chosen, slot->dst);
		spin_unlock(&batch->watch->lock);
		break;
	case PP_PLAN_REMAP:
		spin_lock(&batch->watch->lock);
		if (folio_test_dirty(folio) || !tells)
			pp_shadow_drop(batch->watch, batch->page[i].addr, PP_SHADOW_WRITTEN);
		else
			chosen = pp_shadow_take(batch->watch, batch->page[i].addr, folio,
						batch->node);
		spin_unlock(&batch->watch->lock);
		if (chosen && !pp_page_renew(chosen)) {
			folio_put(chosen);
			chosen = NULL;
		}
		break;
	}
	if (!chosen)
		pp_abort(move, i);
	return chosen;
}

/* Can the page left behind be a shadow? Then its dirty bit tells of writes from now on. */
static bool pp_window_clean(const struct pp_move *move, unsigned int i, struct folio *folio)
{
	return (move->batch->flags & PP_KEEP_SHADOW) && move->slot[i].alone &&
	       move->slot[i].plan != PP_PLAN_REMAP && folio_test_swapbacked(folio) &&
	       !folio_test_swapcache(folio);
}

/* The page has moved: keep the old one, before anybody can reach the new one. */
static void pp_window_keep(struct pp_move *move, unsigned int i, struct folio *old,
			   struct folio *new)
{
	struct pp_page *asked = &move->batch->page[i];
	struct pp_watch *watch = move->batch->watch;

	folio_get(old);
	spin_lock(&watch->lock);
	asked->shadow_kept = !pp_changed(move, i) && !watch->gone &&
			     pp_shadow_keep(watch, asked->addr, old, new);
	spin_unlock(&watch->lock);
	if (!asked->shadow_kept)
		folio_put(old);
}

/* A result for each of the plans. */
static const u8 pp_window_results[] = {
	[PP_PLAN_COPY] = PP_COPIED,
	[PP_PLAN_COMMIT] = PP_COMMITTED,
	[PP_PLAN_REMAP] = PP_REMAPPED,
};

/* The window is over, as far as a page is concerned that has moved: what was left behind? */
static void pp_window_leave(struct folio *old, bool shadow)
{
	if (!shadow) {
		pp_page_put(old);
		return;
	}
	/* The process's anon_vma, which it points to, may go before it does. */
	if (folio_trylock(old)) {
		old->mapping = NULL;
		folio_unlock(old);
	}
	folio_put(old);
}

void pp_window(struct pp_move *move, struct vm_area_struct *vma, unsigned int first,
	       unsigned int nr)
{
	unsigned long src[PP_BATCH], dst[PP_BATCH];
	struct pp_framed framed[PP_BATCH] = {};
	struct migrate_vma window = {
		.vma = vma,
		.src = src,
		.dst = dst,
		.start = move->batch->page[first].addr,
		.end = move->batch->page[first].addr + nr * PAGE_SIZE,
		.pgmap_owner = (void *)&pp_watch_cookie,
		.flags = MIGRATE_VMA_SELECT_SYSTEM,
	};
	bool tells;
	u64 start;
	u32 i;

	pp_watch_tell(move->batch->watch, move, window.start, window.end);
	start = ktime_get_ns();
	if (migrate_vma_setup(&window)) {
		for (i = first; i < first + nr; i++)
			pp_refuse(move, i, PP_FOREIGN);
		return;
	}
	tells = pp_dirty_tells(move);
	for (i = 0; i < nr; i++) {
		struct folio *folio = pp_migrating(src[i]), *chosen;

		chosen = folio ? pp_window_choose(move, first + i, folio, tells) : NULL;
		if (!chosen)
			continue;
		if (tells && pp_window_clean(move, first + i, folio)) {
			framed[i].cleaned = folio_test_clear_dirty(folio);
			framed[i].shadow = true;
		}
		folio_lock(chosen);
		tiffin_charge_lend(chosen, folio);
		framed[i].old = folio;
		framed[i].new = chosen;
		dst[i] = migrate_pfn(folio_pfn(chosen));
	}
	migrate_vma_pages(&window);
	for (i = 0; i < nr; i++) {
		struct folio *old = framed[i].old, *new = framed[i].new;

		if (!new)
			continue;
		framed[i].moved = pp_migrating(src[i]);
		tiffin_charge_settle(new, old, framed[i].moved);
		if (!framed[i].moved) {
			if (framed[i].cleaned)
				folio_set_dirty(old);
			continue;
		}
		folio_get(old);
		if (framed[i].shadow)
			pp_window_keep(move, first + i, old, new);
	}
	migrate_vma_finalize(&window);
	pp_count_window(move, first, nr, ktime_get_ns() - start);

	for (i = 0; i < nr; i++) {
		unsigned int at = first + i;

		if (framed[i].moved) {
			pp_window_leave(framed[i].old, move->batch->page[at].shadow_kept);
			pp_settle(move, at, pp_window_results[move->slot[at].plan], PP_FINE);
		} else if (move->slot[at].plan != PP_PLAN_NOTHING) {
			pp_refuse(move, at, pp_pinned(move->slot[at].src) ?
						    PP_PINNED : PP_BUSY);
		}
	}
}
