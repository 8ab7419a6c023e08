// SPDX-License-Identifier: GPL-2.0-only
/* The page tables of a program, piece by piece. */

#include <linux/hugetlb.h>
#include <linux/ksm.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/userfaultfd_k.h>

#include "compat/mm.h"
#include "page_placement/host.h"
#include "page_placement/watch.h"

/* A mapping that is passed over, and a piece without a page table, count as so many entries. */
#define PP_WALK_EMPTY	1

/*
 * Memory that may have marks of ours: ordinary, anonymous, and accessible: a mark in what the
 * program itself has made inaccessible would be lost among its own.
 */
static bool pp_vma_marked(struct vm_area_struct *vma)
{
	return vma_is_anonymous(vma) && vma_is_accessible(vma) &&
	       !(vma->vm_flags & (VM_SPECIAL | VM_HUGETLB | TIFFIN_VM_SHADOW_STACK));
}

bool pp_vma_followed(struct vm_area_struct *vma)
{
	/* Who watches page faults would see ours. */
	return pp_vma_marked(vma) && !userfaultfd_armed(vma);
}

/*
 * Does a page table of single entries stand behind @va? Under mmap_lock it stays, then. Else @end,
 * which is the end of the mapping, receives up to where there is none.
 */
static bool pp_has_table(struct mm_struct *mm, unsigned long va, unsigned long *end)
{
	pgd_t *pgd = pgd_offset(mm, va);
	p4d_t *p4d;
	pud_t *pud;
	pmd_t pmd;

	if (pgd_none(*pgd) || pgd_bad(*pgd)) {
		*end = pgd_addr_end(va, *end);
		return false;
	}
	p4d = p4d_offset(pgd, va);
	if (p4d_none(*p4d) || p4d_bad(*p4d)) {
		*end = p4d_addr_end(va, *end);
		return false;
	}
	pud = pud_offset(p4d, va);
	if (pud_none(*pud) || pud_trans_huge(*pud) || pud_bad(*pud)) {
		*end = pud_addr_end(va, *end);
		return false;
	}
	*end = pmd_addr_end(va, *end);
	pmd = READ_ONCE(*pmd_offset(pud, va));
	return pmd_present(pmd) && !pmd_trans_huge(pmd) && !pmd_bad(pmd);
}

void pp_piece_apply(const struct pp_piece *piece, pte_fn_t fn, void *data)
{
	apply_to_existing_page_range(piece->mm, piece->start, piece->end - piece->start, fn, data);
}

bool pp_page_followed(struct page *page)
{
	return PageAnon(page) && !PageCompound(page) && !PageKsm(page) &&
	       tiffin_mappings(page_folio(page)) == 1;
}

struct page *pp_pte_page(pte_t pte)
{
	struct page *page;

	if (!pte_present(pte) || pte_special(pte) || !pfn_valid(pte_pfn(pte)) ||
	    is_zero_pfn(pte_pfn(pte)))
		return NULL;
	page = pte_page(pte);
	return pp_page_followed(page) ? page : NULL;
}

/* One step: up to the end of a piece. Returns false after the program's end, or the walker's. */
static bool pp_walk_step(struct mm_struct *mm, unsigned long *at, u64 *left,
			 struct pp_walker *walker)
{
	struct vm_area_struct *vma = find_vma(mm, *at);
	struct pp_piece piece = { .mm = mm, .vma = vma };
	u64 looked = PP_WALK_EMPTY;
	bool on = true;

	if (!vma) {
		*at = 0;
		return false;
	}
	piece.start = max(*at, vma->vm_start);
	piece.end = vma->vm_end;
	if ((walker->undo ? pp_vma_marked(vma) : pp_vma_followed(vma)) &&
	    pp_has_table(mm, piece.start, &piece.end)) {
		piece.end = min(piece.end, piece.start + walker->pages * PAGE_SIZE);
		looked = (piece.end - piece.start) >> PAGE_SHIFT;
		on = walker->piece(walker, &piece);
	}
	*at = piece.end;
	*left -= min(*left, looked);
	return on;
}

bool pp_walk(struct pp_program *program, unsigned long *at, u64 *left, struct pp_walker *walker)
{
	struct mm_struct *mm = program->mm;
	bool on = true;

	lockdep_assert_held(&program->walk);
	if (!pp_mmap_lock(mm, false, &program->missed))
		return false;
	while (on && *left) {
		on = pp_walk_step(mm, at, left, walker);
		if (on && (need_resched() || mmap_lock_is_contended(mm))) {
			mmap_read_unlock(mm);
			cond_resched();
			if (!pp_mmap_lock(mm, false, &program->missed))
				return false;
		}
	}
	mmap_read_unlock(mm);
	return true;
}
