// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hint faults. A page is marked: its page-table entry becomes inaccessible, in the way of the
 * kernel's NUMA balancing. The program's next access faults; the kernel makes the entry accessible
 * again, and asks numa_migrate_check() where the page should be. For programs that are followed
 * the host takes that question: it puts it to the policy, and answers that the page stays, as
 * moving it is its own business. The sysctl kernel.numa_balancing is left as it is; where it is
 * on, marks of the kernel's own on pages that are followed are hints like others.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ftrace.h>
#include <linux/ktime.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/sched/clock.h>

#include "compat/hint.h"
#include "compat/mm.h"
#include "page_placement/host.h"
#include "page_placement/watch.h"

/* Entries that are looked at for each page that is to be marked, at most, and pieces of a walk. */
#define PP_MARK_LOOK	16
#define PP_MARK_PIECE	256

/* The policy is asked about an access; the page-table lock is held. */
static void pp_hint_ask(struct pp_program *program, const struct tiffin_hint *hint, u32 node)
{
	struct tiffin_pp_access_out out = { .size = sizeof(out) };
	struct tiffin_pp_access_in in = {
		.size = sizeof(in),
		.kind = TIFFIN_PP_HINT,
		.cpu_node = numa_mem_id(),
		.machine = &pp_tiers.machine,
	};
	struct pp_seen seen;

	if (!pp_object_access(program, hint->va & PAGE_MASK, node, &seen))
		return;
	in.latency_us = seen.latency_us;
	in.page = &seen.page;
	if (pp_ask_of(PP_HOOK_ACCESS, seen.handle, &in, &out) != TIFFIN_ANSWERED)
		return;
	if (out.verdict == TIFFIN_PP_NOW)
		pp_move_in_wake(&seen);
	else if (out.verdict == TIFFIN_PP_QUEUE)
		pp_move_queue(&seen, TIFFIN_PP_PROMOTE);
}

/* A hint fault of a program that is followed. */
static void pp_hint_take(const struct tiffin_hint *hint)
{
	u64 start = local_clock();
	struct pp_program *program;
	u32 node = page_to_nid(hint->page);

	/* The page-table lock is an RCU read side. It was followed when the handler looked. */
	program = pp_program_of(hint->vma->vm_mm);
	if (!program)
		return;
	pp_count(PP_N_HINTS, 1);
	if (pp_tiers_next(node, TIFFIN_PP_PROMOTE) != TIFFIN_PP_NO_NODE)
		pp_count(PP_N_SLOW_HINTS, 1);
	atomic64_inc(&program->sums.count[PP_SUM_HINTS]);
	if (READ_ONCE(pp_asking))
		pp_hint_ask(program, hint, node);
	pp_count(PP_N_HINT_NS, local_clock() - start);
}

static int pp_hint_substitute(TIFFIN_HINT_ARGUMENTS)
{
	struct tiffin_hint hint;
	int answer = tiffin_hint_answer(TIFFIN_HINT_ARGUMENT_NAMES, &hint);

	pp_hint_take(&hint);
	return answer;
}

/*
 * Whose fault is it? That of a program or a page which is not followed goes the kernel's own way
 * (P1): the kernel marks files and shared memory, too, and a page that we have marked may be shared
 * by now. So do all of them where the default is active and no mark of ours is left. The page-table
 * lock is held, so what the page is, it stays.
 */
static void notrace pp_hint_handler(unsigned long ip, unsigned long parent_ip,
				    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	int bit = ftrace_test_recursion_trylock(ip, parent_ip);
	struct pp_program *program;
	struct tiffin_hint hint;

	if (bit < 0)
		return;
	tiffin_hint_of(fregs, &hint);
	program = pp_program_of(hint.vma->vm_mm);
	if (program && (READ_ONCE(pp_asking) || READ_ONCE(program->hint_marked)) &&
	    pp_vma_followed(hint.vma) && pp_page_followed(hint.page))
		ftrace_regs_set_instruction_pointer(fregs, (unsigned long)pp_hint_substitute);
	ftrace_test_recursion_unlock(bit);
}

static struct ftrace_ops pp_hint_ops = {
	.func = pp_hint_handler,
	.flags = FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT,
};

int pp_hint_init(void)
{
	struct kprobe probe = {
		.symbol_name = TIFFIN_HINT_FUNCTION,
		.flags = KPROBE_FLAG_DISABLED,
	};
	int err = register_kprobe(&probe);

	/* Kprobes know where functions are. This one is never armed. */
	if (err) {
		pr_err("cannot find %s() in this kernel (error %d): it needs CONFIG_NUMA_BALANCING and CONFIG_KPROBES; load this module on a kernel that has them\n",
		       TIFFIN_HINT_FUNCTION, err);
		return -EOPNOTSUPP;
	}
	unregister_kprobe(&probe);
	return 0;
}

int pp_hint_attach(void)
{
	int err = ftrace_set_filter(&pp_hint_ops, TIFFIN_HINT_FUNCTION,
				    strlen(TIFFIN_HINT_FUNCTION), 1);

	if (!err)
		err = register_ftrace_function(&pp_hint_ops);
	if (!err)
		return 0;
	ftrace_free_filter(&pp_hint_ops);
	if (err == -EBUSY)
		pr_err("%s() cannot be hooked: ftrace is switched off (sysctl kernel.ftrace_enabled=1), or another tool (a live patch) has hooked it (see /sys/kernel/tracing/enabled_functions; detach it); then load this module again\n",
		       TIFFIN_HINT_FUNCTION);
	else
		pr_err("ftrace cannot hook %s() (error %d): load this module on a kernel with CONFIG_DYNAMIC_FTRACE\n",
		       TIFFIN_HINT_FUNCTION, err);
	return err;
}

void pp_hint_detach(void)
{
	unregister_ftrace_function(&pp_hint_ops);
	ftrace_free_filter(&pp_hint_ops);
	/* Who is in the substitute has a page-table lock. */
	synchronize_rcu();
}

/**
 * struct pp_marker - a walk that marks
 * @walker: the walk
 * @program: whose pages
 * @left: pages to mark still
 * @marked: pages that have been
 */
struct pp_marker {
	struct pp_walker walker;
	struct pp_program *program;
	u32 left;
	u32 marked;
};

static int pp_mark_one(pte_t *ptep, unsigned long va, void *data)
{
	struct pp_marker *marker = data;
	pte_t pte = ptep_get(ptep);
	struct page *page;
	u32 node;

	if (!marker->left)
		return 1;
	if (!pte_present(pte) || pte_protnone(pte))
		return 0;
	page = pp_pte_page(pte);
	if (!page)
		return 0;
	node = page_to_nid(page);
	if (pp_tiers_next(node, TIFFIN_PP_PROMOTE) == TIFFIN_PP_NO_NODE)
		return 0;
	/* The processor may set bits of it meanwhile. */
	while (!tiffin_pte_replace(ptep, &pte, tiffin_pte_mark(pte)))
		;
	pp_object_marked(marker->program, va, node);
	marker->marked++;
	marker->left--;
	return 0;
}

static bool pp_mark_piece(struct pp_walker *walker, const struct pp_piece *piece)
{
	struct pp_marker *marker = container_of(walker, struct pp_marker, walker);

	/* A device with these tables would go on to use what its TLB knows of the page (P7). */
	if (!tiffin_mm_only_notifier(&marker->program->watch->notifier)) {
		pp_count(PP_N_OTHER_MMU, 1);
		return false;
	}
	pp_piece_apply(piece, pp_mark_one, marker);
	return marker->left;
}

/* Mark up to @pages pages of @program. Returns how many were. */
static u32 pp_mark_program(struct pp_program *program, u32 pages)
{
	struct pp_marker marker = {
		.walker = { .pages = PP_MARK_PIECE, .piece = pp_mark_piece },
		.program = program,
		.left = pages,
	};
	u64 look = (u64)pages * PP_MARK_LOOK;

	mutex_lock(&program->walk);
	if (!program->ending) {
		/* Before the first mark: from here on its faults come to us. */
		WRITE_ONCE(program->hint_marked, true);
		program->restore_at = 0;
		/* Who changes these page tables meanwhile flushes for us, too. */
		tiffin_flush_pending(program->mm);
		pp_walk(program, &program->hint_at, &look, &marker.walker);
		if (marker.marked)
			tiffin_flush_tlb_mm(program->mm);
		tiffin_flush_done(program->mm);
	}
	mutex_unlock(&program->walk);
	return marker.marked;
}

void pp_hint_mark(u32 pages)
{
	u32 programs = pp_programs(), share;
	struct pp_program *program;

	if (!pages || !programs)
		return;
	/* All get the same; what one has no use for is left to those behind it. */
	for (program = pp_program_next(NULL); program; program = pp_program_next(program)) {
		u32 marked;

		share = DIV_ROUND_UP(pages, max(programs, 1u));
		marked = share ? pp_mark_program(program, share) : 0;
		pp_count(PP_N_MARKED, marked);
		pages -= marked;
		programs -= !!programs;
	}
}

/**
 * struct pp_restorer - a walk that undoes marks
 * @walker: the walk
 * @vma: of the piece
 */
struct pp_restorer {
	struct pp_walker walker;
	struct vm_area_struct *vma;
};

static int pp_restore_one(pte_t *ptep, unsigned long va, void *data)
{
	struct pp_restorer *restorer = data;
	pte_t pte = ptep_get(ptep);

	while (pte_protnone(pte) &&
	       !tiffin_pte_replace(ptep, &pte, tiffin_pte_unmark(pte, restorer->vma)))
		;
	return 0;
}

static bool pp_restore_piece(struct pp_walker *walker, const struct pp_piece *piece)
{
	struct pp_restorer *restorer = container_of(walker, struct pp_restorer, walker);

	restorer->vma = piece->vma;
	pp_piece_apply(piece, pp_restore_one, restorer);
	return true;
}

bool pp_hint_restore(struct pp_program *program)
{
	struct pp_restorer restorer = {
		.walker = { .pages = PP_MARK_PIECE, .undo = true, .piece = pp_restore_piece },
	};
	u64 left = U64_MAX;

	if (!program->hint_marked)
		return true;
	/* No TLB knows of an entry that is not accessible: there is nothing to flush. */
	if (!pp_walk(program, &program->restore_at, &left, &restorer.walker))
		return false;
	WRITE_ONCE(program->hint_marked, false);
	return true;
}
