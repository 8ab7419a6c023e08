/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between the supported kernels in NUMA hint faults. */
#ifndef TIFFIN_COMPAT_HINT_H
#define TIFFIN_COMPAT_HINT_H

#include <linux/ftrace.h>
#include <linux/mm.h>
#include <linux/version.h>

#include "compat/ftrace.h"

/*
 * The function that a hint fault asks where the page should be, with the page-table lock held; its
 * answer NUMA_NO_NODE is that it stays. Since 6.12 numa_migrate_check(); before,
 * numa_migrate_prep(), which takes a reference to the page, too, that the fault drops.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#define TIFFIN_HINT_FUNCTION	"numa_migrate_check"
#else
#define TIFFIN_HINT_FUNCTION	"numa_migrate_prep"
#endif

/**
 * struct tiffin_hint - what a hint fault is about
 * @page: the page, of which the fault is; the first one of a large folio
 * @vma: where it is mapped
 * @va: the address
 */
struct tiffin_hint {
	struct page *page;
	struct vm_area_struct *vma;
	unsigned long va;
};

/* The fault that an ftrace handler at the function's start finds in its registers. */
static __always_inline void tiffin_hint_of(struct ftrace_regs *fregs, struct tiffin_hint *hint)
{
	hint->page = (struct page *)ftrace_regs_get_argument(fregs, 0);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	hint->vma = ((struct vm_fault *)ftrace_regs_get_argument(fregs, 1))->vma;
#else
	hint->vma = (struct vm_area_struct *)ftrace_regs_get_argument(fregs, 1);
#endif
	hint->va = ftrace_regs_get_argument(fregs, 2);
}

/*
 * A substitute for the function has its arguments. tiffin_hint_answer() is what it answers for the
 * page to stay where it is, and tells what the fault is about.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#define TIFFIN_HINT_ARGUMENTS								\
	struct folio *folio, struct vm_fault *vmf, unsigned long addr, int *flags,	\
	bool writable, int *last_cpupid
#define TIFFIN_HINT_ARGUMENT_NAMES	folio, vmf, addr, flags, writable, last_cpupid

static inline int tiffin_hint_answer(TIFFIN_HINT_ARGUMENTS, struct tiffin_hint *hint)
{
	*hint = (struct tiffin_hint) {
		.page = folio_page(folio, 0), .vma = vmf->vma, .va = addr,
	};
	*last_cpupid = -1 & LAST_CPUPID_MASK;
	return NUMA_NO_NODE;
}
#else
#define TIFFIN_HINT_ARGUMENTS								\
	struct page *page, struct vm_area_struct *vma, unsigned long addr, int page_nid, int *flags
#define TIFFIN_HINT_ARGUMENT_NAMES	page, vma, addr, page_nid, flags

static inline int tiffin_hint_answer(TIFFIN_HINT_ARGUMENTS, struct tiffin_hint *hint)
{
	*hint = (struct tiffin_hint) { .page = page, .vma = vma, .va = addr };
	get_page(page);
	return NUMA_NO_NODE;
}
#endif

/**
 * tiffin_pte_mark - the entry that makes the page inaccessible, as NUMA balancing does
 * @pte: present, and not marked
 *
 * pte_modify() is of no use to modules where memory encryption is built in: what it masks with is
 * not exported. Since 6.3 the fault finds out itself whether the page may be writable; before, it
 * looks whether the marked entry says so.
 */
static inline pte_t tiffin_pte_mark(pte_t pte)
{
	u64 old = pte_val(pte), new;

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	pte = pte_wrprotect(pte);
#endif
	new = pte_val(pte) & ~(u64)(_PAGE_PRESENT | _PAGE_USER | _PAGE_NX);
	new |= _PAGE_PROTNONE;
	return __pte(flip_protnone_guard(old, new, PTE_PFN_MASK));
}

/**
 * tiffin_pte_unmark - the entry that it was, but perhaps for being writable
 * @pte: marked
 * @vma: where; accessible
 *
 * Where it is not writable any more, the next write finds that it may be.
 */
static inline pte_t tiffin_pte_unmark(pte_t pte, const struct vm_area_struct *vma)
{
	u64 old = pte_val(pte), new = old & ~(u64)_PAGE_PROTNONE;

	new |= _PAGE_PRESENT | _PAGE_USER | (pgprot_val(vma->vm_page_prot) & _PAGE_NX);
	return __pte(flip_protnone_guard(old, new, PTE_PFN_MASK));
}

/* Put @new where @old was found, unless that has changed; @old receives what is there then. */
static inline bool tiffin_pte_replace(pte_t *ptep, pte_t *old, pte_t new)
{
	return try_cmpxchg(&ptep->pte, &old->pte, new.pte);
}

#endif /* TIFFIN_COMPAT_HINT_H */
