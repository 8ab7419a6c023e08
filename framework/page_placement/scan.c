// SPDX-License-Identifier: GPL-2.0-only
/*
 * Age scans: has the processor set a page's accessed bit since the last look? The bit is cleared,
 * and no TLB flushed for it, as the kernel's own reclaim does: a TLB that knows the page keeps it
 * from being set again for a while.
 */

#include <linux/mm.h>
#include <linux/sched/clock.h>

#include "compat/mm.h"
#include "page_placement/host.h"
#include "page_placement/shadow.h"
#include "page_placement/watch.h"

/* Policies are asked about so many pages between two looks at a page table. */
#define PP_SCAN_PIECE	64

/* Shadows that are looked at in a tick, at most, of each program. */
#define PP_SWEEP	256

/**
 * struct pp_scanner - a walk that looks at accessed bits
 * @walker: the walk
 * @program: whose pages
 * @piece: being looked at
 * @found: bits: there is a page
 * @young: bits: it was accessed
 * @node: where it lies
 */
struct pp_scanner {
	struct pp_walker walker;
	struct pp_program *program;
	const struct pp_piece *piece;
	u64 found;
	u64 young;
	u16 node[PP_SCAN_PIECE];
};

static int pp_scan_one(pte_t *ptep, unsigned long va, void *data)
{
	struct pp_scanner *scanner = data;
	unsigned int i = (va - scanner->piece->start) >> PAGE_SHIFT;
	pte_t pte = ptep_get(ptep);
	struct page *page;

	/* Of a page that waits for a hint nothing is known until that comes. */
	if (!pte_present(pte) || pte_protnone(pte))
		return 0;
	page = pp_pte_page(pte);
	if (!page)
		return 0;
	scanner->found |= BIT_ULL(i);
	scanner->node[i] = page_to_nid(page);
	if (pte_young(pte) && test_and_clear_bit(_PAGE_BIT_ACCESSED, (unsigned long *)&ptep->pte))
		scanner->young |= BIT_ULL(i);
	return 0;
}

static void pp_scan_young(struct pp_program *program, unsigned long va, u32 node)
{
	struct tiffin_pp_access_out out = { .size = sizeof(out) };
	struct tiffin_pp_access_in in = {
		.size = sizeof(in),
		.kind = TIFFIN_PP_YOUNG,
		.cpu_node = TIFFIN_PP_NO_NODE,
		.machine = &pp_tiers.machine,
	};
	struct pp_seen seen;

	pp_count(PP_N_YOUNG, 1);
	if (!pp_object_access(program, va, node, &seen))
		return;
	in.page = &seen.page;
	if (pp_ask_of(PP_HOOK_ACCESS, seen.handle, &in, &out) == TIFFIN_ANSWERED &&
	    out.verdict != TIFFIN_PP_KEEP)
		pp_move_queue(&seen, TIFFIN_PP_PROMOTE);
}

static void pp_scan_old(struct pp_program *program, unsigned long va, u32 node)
{
	struct tiffin_pp_age_out out = { .size = sizeof(out) };
	struct tiffin_pp_age_in in = { .size = sizeof(in), .machine = &pp_tiers.machine };
	struct pp_seen seen;

	pp_count(PP_N_OLD, 1);
	if (!pp_object_idle(program, va, node, &seen))
		return;
	in.page = &seen.page;
	if (pp_ask_of(PP_HOOK_AGE, seen.handle, &in, &out) == TIFFIN_ANSWERED &&
	    out.verdict == TIFFIN_PP_QUEUE)
		pp_move_queue(&seen, TIFFIN_PP_DEMOTE);
}

static bool pp_scan_piece(struct pp_walker *walker, const struct pp_piece *piece)
{
	struct pp_scanner *scanner = container_of(walker, struct pp_scanner, walker);
	unsigned int i;

	scanner->piece = piece;
	scanner->found = 0;
	scanner->young = 0;
	pp_piece_apply(piece, pp_scan_one, scanner);
	for (i = 0; i < PP_SCAN_PIECE; i++) {
		unsigned long va = piece->start + i * PAGE_SIZE;

		if (!(scanner->found & BIT_ULL(i)))
			continue;
		if (scanner->young & BIT_ULL(i))
			pp_scan_young(scanner->program, va, scanner->node[i]);
		else
			pp_scan_old(scanner->program, va, scanner->node[i]);
	}
	return true;
}

/* Look at up to @pages entries of @program. */
static void pp_scan_program(struct pp_program *program, u64 pages)
{
	struct pp_scanner scanner = {
		.walker = { .pages = PP_SCAN_PIECE, .piece = pp_scan_piece },
		.program = program,
	};

	mutex_lock(&program->walk);
	if (!program->ending) {
		pp_walk(program, &program->scan_at, &pages, &scanner.walker);
		if (READ_ONCE(program->watch->nr_shadows))
			pp_shadow_sweep(program->watch, &program->sweep_at, PP_SWEEP);
	}
	mutex_unlock(&program->walk);
}

void pp_scan(u32 pages)
{
	u32 programs = pp_programs();
	struct pp_program *program;

	if (!pages || !programs)
		return;
	for (program = pp_program_next(NULL); program; program = pp_program_next(program))
		pp_scan_program(program, DIV_ROUND_UP(pages, programs));
}
