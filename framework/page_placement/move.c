// SPDX-License-Identifier: GPL-2.0-only
/* Moving pages: the call, the look at the page tables, the attempts; see move.h. */

#include <linux/nodemask.h>

#include "compat/mm.h"
#include "page_placement/move_priv.h"
#include "page_placement/recycle.h"

/**
 * struct pp_look - for pp_look_pte()
 * @move: the batch
 * @i: number of the page
 * @again: the second look, after mmap_lock was given up
 * @plan: what was planned at the first
 */
struct pp_look {
	struct pp_move *move;
	unsigned int i;
	bool again;
	u8 plan;
};

enum pp_reason pp_table_apply(struct mm_struct *mm, unsigned long addr, pte_fn_t fn, void *data)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	p4d_t *p4d;
	pud_t *pud;
	pmd_t pmd;

	if (pgd_none(*pgd) || pgd_bad(*pgd))
		return PP_HOLE;
	p4d = p4d_offset(pgd, addr);
	if (p4d_none(*p4d) || p4d_bad(*p4d))
		return PP_HOLE;
	pud = pud_offset(p4d, addr);
	if (pud_none(*pud) || pud_bad(*pud))
		return PP_HOLE;
	/*
	 * An empty entry may become a huge page any time, one with a table only under mmap_lock for
	 * writing. apply_to_existing_page_range() bears tables alone.
	 */
	pmd = READ_ONCE(*pmd_offset(pud, addr));
	if (pmd_none(pmd))
		return PP_HOLE;
	if (!pmd_present(pmd) || pmd_trans_huge(pmd) || pmd_bad(pmd))
		return PP_HUGE;
	apply_to_existing_page_range(mm, addr, PAGE_SIZE, fn, data);
	return PP_FINE;
}

struct vm_area_struct *pp_movable_vma(struct mm_struct *mm, unsigned long addr,
				      enum pp_reason *reason)
{
	struct vm_area_struct *vma = vma_lookup(mm, addr);

	if (!vma)
		*reason = PP_GONE;
	else if (!vma_is_anonymous(vma) ||
		 (vma->vm_flags & (VM_SPECIAL | VM_HUGETLB | TIFFIN_VM_SHADOW_STACK)))
		*reason = PP_FOREIGN;
	else if (vma_is_temporary_stack(vma))
		*reason = PP_BUSY;
	else
		return vma;
	return NULL;
}

/* A page that can be moved: how? Under the page table's lock; @pte is of the slot's page. */
static void pp_look_plan(struct pp_move *move, unsigned int i, pte_t pte)
{
	struct pp_batch *batch = move->batch;
	struct pp_slot *slot = &move->slot[i];
	struct pp_watch *watch = batch->watch;
	bool remap, changing, lazy = !folio_test_swapbacked(slot->src);

	slot->alone = tiffin_mappings(slot->src) == 1 && !lazy;
	slot->dirty = pte_dirty(pte) || folio_test_dirty(slot->src);

	spin_lock(&watch->lock);
	changing = pp_changed(move, i);
	remap = !(batch->flags & PP_NO_REMAP) &&
		pp_shadow_peek(watch, batch->page[i].addr, slot->src, batch->node);
	if (!remap || slot->dirty) {
		/* It will be of another page soon, or its dirty bit will tell nothing. */
		pp_shadow_drop(watch, batch->page[i].addr,
			       remap ? PP_SHADOW_WRITTEN : PP_SHADOW_CHANGED);
		remap = false;
	}
	spin_unlock(&watch->lock);

	if (remap)
		slot->plan = PP_PLAN_REMAP;
	else if (batch->method == PP_PLAIN)
		slot->plan = PP_PLAN_COPY;
	else if (slot->alone && changing)
		pp_refuse(move, i, PP_BUSY);
	else if (slot->alone && pp_dirty_tells(move))
		slot->plan = PP_PLAN_NOTE;
	else if (batch->flags & PP_OR_PLAIN)
		slot->plan = PP_PLAN_COPY;
	else
		pp_refuse(move, i, lazy ? PP_LAZYFREE : slot->alone ? PP_PINNED : PP_SHARED);
}

static int pp_look_pte(pte_t *ptep, unsigned long addr, void *data)
{
	struct pp_look *look = data;
	struct pp_move *move = look->move;
	struct pp_slot *slot = &move->slot[look->i];
	struct pp_page *asked = &move->batch->page[look->i];
	enum pp_reason reason = PP_FINE;
	pte_t pte = ptep_get(ptep);
	struct folio *folio;

	if (look->again) {
		/* A transaction that has failed by now needs no window to find that out. */
		if (pte_present(pte) && pte_pfn(pte) == folio_pfn(slot->src) &&
		    (look->plan != PP_PLAN_COMMIT ||
		     (!pte_dirty(pte) && !folio_test_dirty(slot->src))))
			slot->plan = look->plan;
		return 0;
	}
	if (!pte_present(pte)) {
		pp_refuse(move, look->i, PP_SWAPPED);
		return 0;
	}
	if (is_zero_pfn(pte_pfn(pte))) {
		pp_refuse(move, look->i, PP_HOLE);
		return 0;
	}
	if (pte_special(pte) || !pfn_valid(pte_pfn(pte))) {
		pp_refuse(move, look->i, PP_FOREIGN);
		return 0;
	}
	folio = page_folio(pte_page(pte));
	asked->node = folio_nid(folio);
	if (folio_test_large(folio))
		reason = PP_HUGE;
	else if (!folio_test_anon(folio))
		reason = PP_FOREIGN;
	else if (asked->node == move->batch->node)
		reason = PP_THERE;
	else if (folio_test_ksm(folio))
		reason = PP_SHARED;
	else if (folio_maybe_dma_pinned(folio))
		reason = PP_PINNED;
	else if (!folio_test_lru(folio))
		reason = PP_BUSY;
	if (reason) {
		pp_refuse(move, look->i, reason);
		return 0;
	}
	slot->src = folio;
	pp_look_plan(move, look->i, pte);
	return 0;
}

/* Look at the pages of an attempt, or, @again, at those with plans before the window. */
static void pp_look(struct pp_move *move, u32 pages, bool again)
{
	struct pp_look look = { .move = move, .again = again };
	enum pp_reason reason;

	for (look.i = 0; look.i < move->batch->nr; look.i++) {
		unsigned long addr = move->batch->page[look.i].addr;

		if (!(pages & BIT(look.i)))
			continue;
		/* Until the table says otherwise. */
		look.plan = move->slot[look.i].plan;
		if (again)
			pp_abort(move, look.i);
		else
			pp_refuse(move, look.i, PP_HOLE);
		if (!pp_movable_vma(move->mm, addr, &reason)) {
			pp_refuse(move, look.i, reason);
			continue;
		}
		reason = pp_table_apply(move->mm, addr, pp_look_pte, &look);
		if (reason != PP_FINE)
			pp_refuse(move, look.i, reason);
	}
}

/* Pages with one of the plans. */
static u32 pp_planned(const struct pp_move *move, u32 plans)
{
	u32 pages = 0;
	unsigned int i;

	for (i = 0; i < move->batch->nr; i++) {
		if (plans & BIT(move->slot[i].plan))
			pages |= BIT(i);
	}
	return pages;
}

void pp_for_runs(struct pp_move *move, u32 plans,
		 void (*fn)(struct pp_move *move, struct vm_area_struct *vma, unsigned int first,
			    unsigned int nr))
{
	const struct pp_page *page = move->batch->page;
	u32 pages = pp_planned(move, plans);
	unsigned int first, nr;
	enum pp_reason reason;

	for (first = 0; first < move->batch->nr; first += nr) {
		struct vm_area_struct *vma;

		nr = 1;
		if (!(pages & BIT(first)))
			continue;
		vma = pp_movable_vma(move->mm, page[first].addr, &reason);
		if (!vma) {
			pp_refuse(move, first, reason);
			continue;
		}
		while (first + nr < move->batch->nr && (pages & BIT(first + nr)) &&
		       page[first + nr].addr == page[first].addr + nr * PAGE_SIZE &&
		       page[first + nr].addr < vma->vm_end)
			nr++;
		fn(move, vma, first, nr);
	}
}

void pp_count_window(struct pp_move *move, unsigned int first, unsigned int nr, u64 ns)
{
	unsigned int i;

	move->batch->windows++;
	move->batch->window_ns += ns;
	for (i = first; i < first + nr; i++)
		move->batch->page[i].unmapped_ns =
			max_t(u64, move->batch->page[i].unmapped_ns, min_t(u64, ns, U32_MAX));
}

/* Destinations for the pages that will be copied. */
static void pp_get_pages(struct pp_move *move)
{
	u32 pages = pp_planned(move, BIT(PP_PLAN_COPY) | BIT(PP_PLAN_NOTE));
	unsigned int i;

	for (i = 0; i < move->batch->nr; i++) {
		if (!(pages & BIT(i)))
			continue;
		move->slot[i].dst = pp_page_get(move->batch->node);
		if (!move->slot[i].dst)
			pp_refuse(move, i, PP_NO_MEMORY);
	}
}

/* Those that were not needed. */
static void pp_put_pages(struct pp_move *move)
{
	unsigned int i;

	for (i = 0; i < move->batch->nr; i++) {
		if (move->slot[i].dst)
			pp_page_put(move->slot[i].dst);
		move->slot[i].dst = NULL;
	}
}

/* Take mmap_lock for some pages of the batch. Where it is not to be had, that is it for them. */
static bool pp_attempt_lock(struct pp_move *move, u32 pages)
{
	unsigned int i;

	if (pp_mmap_lock(move->mm, false, &move->batch->watch->missed))
		return true;
	for (i = 0; i < move->batch->nr; i++) {
		if (pages & BIT(i))
			pp_refuse(move, i, PP_BUSY);
	}
	return false;
}

/* Once through all of it, for some pages of the batch, from the look to the window. */
static void pp_attempt_locked(struct pp_move *move, u32 pages)
{
	const u32 plans = BIT(PP_PLAN_COPY) | BIT(PP_PLAN_COMMIT) | BIT(PP_PLAN_REMAP);

	if (!pp_attempt_lock(move, pages))
		return;
	pp_look(move, pages, false);
	pp_get_pages(move);
	pp_note(move);
	if (pp_planned(move, BIT(PP_PLAN_COMMIT))) {
		mmap_read_unlock(move->mm);
		pp_copy_noted(move);
		pages = pp_planned(move, plans);
		if (!pp_attempt_lock(move, pages))
			return;
		pp_look(move, pages, true);
	}
	pp_for_runs(move, plans, pp_window);
	mmap_read_unlock(move->mm);
}

static void pp_attempt(struct pp_move *move, u32 pages)
{
	struct pp_watch *watch = move->batch->watch;

	pp_watch_enter(watch, move);
	pp_attempt_locked(move, pages);
	pp_watch_leave(watch, move);
	pp_put_pages(move);
}

static bool pp_batch_ok(const struct pp_batch *batch)
{
	unsigned int i;

	if (!batch->nr || batch->nr > PP_BATCH || batch->method > PP_TRANSACTIONAL ||
	    batch->node < 0 || batch->node >= nr_node_ids || !node_state(batch->node, N_MEMORY))
		return false;
	for (i = 0; i < batch->nr; i++) {
		if (!PAGE_ALIGNED(batch->page[i].addr))
			return false;
	}
	return true;
}

int pp_move(struct pp_batch *batch)
{
	struct pp_move move = { .batch = batch, .mm = pp_watch_mm(batch->watch) };
	u32 pages = 0;
	/* A plain move is aborted only where a shadow, or the page, went at the last moment. */
	unsigned int left = batch->retries + (batch->method == PP_PLAIN), i;

	batch->copied = 0;
	batch->windows = 0;
	batch->window_ns = 0;
	batch->noted_by_table = 0;
	batch->noted_by_window = 0;
	for (i = 0; i < batch->nr && i < PP_BATCH; i++) {
		batch->page[i] = (struct pp_page) { .addr = batch->page[i].addr, .node = -1 };
		pages |= BIT(i);
	}
	if (!pp_batch_ok(batch))
		return -EINVAL;
	if (!pp_mm_used(move.mm))
		return -ESRCH;
	/* Pages on their way to the LRU lists can't be isolated from them. */
	tiffin_lru_drain();
	do {
		pp_attempt(&move, pages);
		for (i = 0; i < batch->nr; i++) {
			if (batch->page[i].result != PP_ABORTED)
				pages &= ~BIT(i);
		}
	} while (pages && left--);
	return 0;
}

static const char * const pp_result_names[PP_RESULTS] = {
	[PP_UNTRIED] = "untried",
	[PP_COPIED] = "copied",
	[PP_COMMITTED] = "committed",
	[PP_REMAPPED] = "remapped",
	[PP_ABORTED] = "aborted",
	[PP_REFUSED] = "refused",
};

const char *pp_result_name(enum pp_result result)
{
	return pp_result_names[result];
}

static const char * const pp_reason_names[PP_REASONS] = {
	[PP_FINE] = "fine",
	[PP_GONE] = "gone",
	[PP_FOREIGN] = "foreign",
	[PP_HOLE] = "hole",
	[PP_SWAPPED] = "swapped",
	[PP_THERE] = "there",
	[PP_HUGE] = "huge",
	[PP_SHARED] = "shared",
	[PP_LAZYFREE] = "lazyfree",
	[PP_PINNED] = "pinned",
	[PP_BUSY] = "busy",
	[PP_POISONED] = "poisoned",
	[PP_NO_MEMORY] = "no_memory",
};

const char *pp_reason_name(enum pp_reason reason)
{
	return pp_reason_names[reason];
}

int pp_movers_init(void)
{
	int err = pp_recycle_init();

	if (err)
		return err;
	err = pp_shadow_init();
	if (err)
		pp_recycle_exit();
	return err;
}

void pp_movers_exit(void)
{
	pp_watch_exit();
	pp_shadow_exit();
	pp_recycle_exit();
}
