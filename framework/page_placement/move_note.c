// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transactions, the first half: the page's dirty bit is cleared, so that it tells of writes from
 * then on, and the page is copied while it is mapped. M2 of move.h is what matters here.
 */

#include <linux/ktime.h>
#include <linux/pagemap.h>

#include "compat/mm.h"
#include "page_placement/move_priv.h"

/**
 * struct pp_note - for pp_note_pte()
 * @move: the batch
 * @i: number of the page
 * @noted: pages whose dirty bits are clear, locked
 */
struct pp_note {
	struct pp_move *move;
	unsigned int i;
	u32 noted;
};

/* May the page's dirty bit be cleared, as far as its lock is concerned? It is locked. */
static bool pp_note_may(struct folio *folio)
{
	return !folio_test_swapcache(folio) && folio_test_swapbacked(folio) &&
	       !folio_test_ksm(folio) && tiffin_mappings(folio) == 1;
}

static int pp_note_pte(pte_t *ptep, unsigned long addr, void *data)
{
	struct pp_note *note = data;
	struct pp_slot *slot = &note->move->slot[note->i];
	pte_t pte = ptep_get(ptep), clean;
	struct folio *folio = slot->src;

	/* What has another reference may just be on its way to the LRU lists: see pp_note(). */
	if (!pte_present(pte) || pte_pfn(pte) != folio_pfn(folio) ||
	    folio_ref_count(folio) != 1 || !folio_trylock(folio))
		return 0;
	if (!pp_note_may(folio)) {
		folio_unlock(folio);
		return 0;
	}
	/* A fault or a zap may undo the mapping as soon as the page table is free again. */
	folio_get(folio);
	slot->dirty = folio_test_clear_dirty(folio);
	/* The CPUs set bits of the entry meanwhile. */
	do {
		if (!pte_dirty(pte))
			break;
		slot->dirty = true;
		clean = pte_mkclean(pte);
	} while (!try_cmpxchg(&ptep->pte, &pte.pte, clean.pte));
	note->noted |= BIT(note->i);
	return 0;
}

/* The page tables' way. */
static void pp_note_by_table(struct pp_move *move)
{
	struct pp_note note = { .move = move };
	struct pp_slot *slot;

	tiffin_flush_pending(move->mm);
	for (note.i = 0; note.i < move->batch->nr; note.i++) {
		unsigned long addr = move->batch->page[note.i].addr;

		if (move->slot[note.i].plan == PP_PLAN_NOTE)
			pp_table_apply(move->mm, addr, pp_note_pte, &note);
	}
	/* Until then a CPU may write without a trace. Reclaim, which must not, wants the lock. */
	if (note.noted)
		tiffin_flush_tlb_mm(move->mm);
	tiffin_flush_done(move->mm);

	for (note.i = 0; note.i < move->batch->nr; note.i++) {
		unsigned long addr = move->batch->page[note.i].addr;
		bool keep;

		if (!(note.noted & BIT(note.i)))
			continue;
		slot = &move->slot[note.i];
		/*
		 * Another batch that began before the bit was cleared would miss the write that it
		 * told of; its window, too, wants the lock.
		 */
		pp_watch_tell(move->batch->watch, move, addr, addr + PAGE_SIZE);
		/*
		 * The mapping's reference and ours. A pin that came before the bit was cleared, and
		 * is there yet; MADV_FREE's; or the mapping has gone.
		 */
		keep = folio_ref_count(slot->src) == 2;
		if (keep) {
			slot->plan = PP_PLAN_COMMIT;
			move->batch->noted_by_table++;
		} else if (slot->dirty) {
			folio_set_dirty(slot->src);
		}
		folio_unlock(slot->src);
		if (!keep)
			folio_put(slot->src);
	}
}

/* By the APIs alone: the page is unmapped for a moment, and mapped again without the bit. */
static void pp_note_by_window(struct pp_move *move, struct vm_area_struct *vma, unsigned int first,
			      unsigned int nr)
{
	unsigned long src[PP_BATCH], dst[PP_BATCH];
	struct migrate_vma window = {
		.vma = vma,
		.src = src,
		.dst = dst,
		.start = move->batch->page[first].addr,
		.end = move->batch->page[first].addr + nr * PAGE_SIZE,
		.pgmap_owner = (void *)&pp_watch_cookie,
		.flags = MIGRATE_VMA_SELECT_SYSTEM,
	};
	unsigned int i;
	u64 start;

	start = ktime_get_ns();
	if (migrate_vma_setup(&window)) {
		for (i = first; i < first + nr; i++)
			pp_refuse(move, i, PP_FOREIGN);
		return;
	}
	for (i = 0; i < nr; i++) {
		struct pp_slot *slot = &move->slot[first + i];
		struct folio *folio = pp_migrating(src[i]);

		if (!folio || folio != slot->src || folio_test_swapcache(folio) ||
		    !folio_test_swapbacked(folio))
			continue;
		folio_clear_dirty(folio);
		folio_get(folio);
		slot->plan = PP_PLAN_COMMIT;
		move->batch->noted_by_window++;
	}
	/* While the pages are locked: see pp_note_by_table(). */
	pp_watch_tell(move->batch->watch, move, window.start, window.end);
	migrate_vma_finalize(&window);
	pp_count_window(move, first, nr, ktime_get_ns() - start);
	for (i = first; i < first + nr; i++) {
		if (move->slot[i].plan == PP_PLAN_NOTE)
			pp_refuse(move, i, pp_pinned(move->slot[i].src) ?
						   PP_PINNED : PP_BUSY);
	}
}

void pp_note(struct pp_move *move)
{
	if (!(move->batch->flags & PP_BY_WINDOW) &&
	    tiffin_mm_only_notifier(&move->batch->watch->notifier))
		pp_note_by_table(move);
	/* The rest, too: some of these pages need what only the kernel's own code can do. */
	pp_for_runs(move, BIT(PP_PLAN_NOTE), pp_note_by_window);
}

void pp_copy_noted(struct pp_move *move)
{
	unsigned int i;

	for (i = 0; i < move->batch->nr; i++) {
		struct pp_slot *slot = &move->slot[i];

		if (slot->plan != PP_PLAN_COMMIT)
			continue;
		if (tiffin_copy_page(&slot->dst->page, &slot->src->page))
			move->batch->copied += PAGE_SIZE;
		else
			pp_refuse(move, i, PP_POISONED);
		folio_put(slot->src);
	}
}
