/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Moving pages of a process to another node: one call, pp_move(), for all ways.
 *
 *	move.c		the call: looks at the pages, goes through the ways, tries again
 *	move_note.c	transactions: clean the page's dirty bit and copy it while it is mapped
 *	move_window.c	the window: unmap, check, copy if need be, map what is the page from now on
 *	watch.c		what happens to a process's memory meanwhile (watch.h)
 *	shadow.c	pages left behind on the node they came from (shadow.h)
 *	recycle.c	pages that come free, kept as destinations (recycle.h)
 *
 * A *batch* is up to PP_BATCH pages of one process, anywhere in its memory. A *window* is the time
 * in which pages are unmapped: who touches one then waits. Neighbours that follow each other in a
 * batch share a window; others have one each.
 *
 * The ways:
 *	plain		one window: unmap, copy, map.
 *	transactional	the page's dirty bit is cleared and the page copied while it is mapped; then
 *			one window: unmap, look whether it was written to, map the copy. A page that
 *			was is aborted and may be tried again. The dirty bit is cleared in the page
 *			tables where that is safe, else by a window without a copy: the mover
 *			chooses for each page.
 *	by remap	where a valid shadow of the page lies on the target node, one window: unmap,
 *			look whether it was written to, map the shadow. It is taken whatever
 *			the method, unless the caller says otherwise.
 *
 * Invariants:
 *  M1. A page is copied for good only while it is unmapped, locked and free of pins (plain), or its
 *	copy is discarded unless, once it is unmapped, locked and free of pins, its dirty bits say
 *	that nothing was written since before the copy began (transactional, remap).
 *  M2. A dirty bit is cleared only of a page that is mapped once, locked, not in the swap cache and
 *	not lazily freed, so that nobody else needs the bit; and a CPU that has the page as writable
 *	and dirty in its TLB has forgotten that before the copy begins, and before the page is
 *	unlocked. References are counted after the bit is cleared: who had the page pinned by then
 *	may write without a trace, and the page is left alone.
 *  M3. A batch enters its watch before it looks at the page tables, and no transaction begins for
 *	an address that is being changed then. So each change of an address from one page to another
 *	is seen: the copy made for that address is discarded, and no shadow is kept. A page number
 *	that is the same again proves nothing. Batches tell each other before they clear a dirty bit
 *	or replace a page.
 *  M4. In the page tables the mover itself writes only under their lock, and only where nobody but
 *	the CPUs reads them: with a secondary MMU (KVM, SVA) about, transactions go by windows.
 *  M5. mmap_lock is held, for reading, in the look, the note and the window, and not during a
 *	transaction's copy: a writer of mmap_lock, and the faults that queue behind it, never wait
 *	for that. The mover itself doesn't wait long for it either (pp_mmap_lock()): a batch that
 *	can't have it is refused. Memory is allocated outside the window, without reclaim.
 *  M6. THP are looked for first: migrate_vma_setup() would split them without a word. Between the
 *	look and the window mmap_lock is held or the look is repeated, so that none comes up.
 */
#ifndef TIFFIN_PP_MOVE_H
#define TIFFIN_PP_MOVE_H

#include <linux/types.h>

struct pp_watch;

/* Pages in a batch, at most. The window grows with it. */
#define PP_BATCH	16

/**
 * enum pp_method - how a page is to be moved
 * @PP_PLAIN: copied while it is unmapped
 * @PP_TRANSACTIONAL: copied while it is mapped
 */
enum pp_method {
	PP_PLAIN,
	PP_TRANSACTIONAL,
};

/* The page left behind is kept as a shadow, where the page can have one. */
#define PP_KEEP_SHADOW	0x1u
/* What no transaction can move (PP_SHARED, PP_LAZYFREE) is moved the plain way, not refused. */
#define PP_OR_PLAIN	0x2u
/* Transactions never go by the page tables: for tests and measurements. */
#define PP_BY_WINDOW	0x4u
/* The page is copied even where its shadow could be mapped. */
#define PP_NO_REMAP	0x8u

/**
 * enum pp_result - what became of a page
 * @PP_UNTRIED: nothing: pp_move() itself has failed
 * @PP_COPIED: moved, copied in the window
 * @PP_COMMITTED: moved by a transaction
 * @PP_REMAPPED: moved to its shadow; nothing was copied
 * @PP_ABORTED: not moved: it was written to, or unmapped for a moment, in each attempt
 * @PP_REFUSED: not moved: see enum pp_reason
 * @PP_RESULTS: how many there are
 */
enum pp_result {
	PP_UNTRIED,
	PP_COPIED,
	PP_COMMITTED,
	PP_REMAPPED,
	PP_ABORTED,
	PP_REFUSED,
	PP_RESULTS,
};

/**
 * enum pp_reason - why a page was refused
 * @PP_FINE: it was not
 * @PP_GONE: there is no mapping at this address
 * @PP_FOREIGN: the mapping is not ordinary anonymous memory, or the page is a file's (so that is of
 *	private mappings of files)
 * @PP_HOLE: no page has been put there yet, or the zero page
 * @PP_SWAPPED: it is in swap, or under migration by somebody else
 * @PP_THERE: it is on the target node
 * @PP_HUGE: it is part of a huge page or of a large folio
 * @PP_SHARED: several mappings share it (after fork), or KSM merged it; plain moves take the first
 * @PP_LAZYFREE: freed lazily (MADV_FREE), and its dirty bit is needed; plain moves take it
 * @PP_PINNED: somebody holds references to it, for I/O say
 * @PP_BUSY: locked, isolated, about to be written to swap, in a CPU's batch on its way to the LRU
 *	lists, or the process's memory is just being changed, or its mmap_lock held for long; later
 *	it may go
 * @PP_POISONED: the hardware reports an error in it
 * @PP_NO_MEMORY: no page was to be had on the target node without reclaim
 * @PP_REASONS: how many there are
 */
enum pp_reason {
	PP_FINE,
	PP_GONE,
	PP_FOREIGN,
	PP_HOLE,
	PP_SWAPPED,
	PP_THERE,
	PP_HUGE,
	PP_SHARED,
	PP_LAZYFREE,
	PP_PINNED,
	PP_BUSY,
	PP_POISONED,
	PP_NO_MEMORY,
	PP_REASONS,
};

/**
 * struct pp_page - a page of a batch
 * @addr: where the process has it; filled by the caller
 * @result: enum pp_result
 * @reason: enum pp_reason
 * @node: it was on this node; -1 where that is not known
 * @shadow_kept: its shadow was kept when it was moved
 * @unmapped_ns: longest time for which it was unmapped, in all attempts; 0: it never was. It is
 *	measured from before the first page of the window is unmapped until the last one is back.
 */
struct pp_page {
	unsigned long addr;
	u8 result;
	u8 reason;
	s16 node;
	bool shadow_kept;
	u32 unmapped_ns;
};

/**
 * struct pp_batch - what is asked of pp_move(), and what came of it
 * @watch: of the process; the caller has a reference
 * @node: target
 * @method: enum pp_method
 * @flags: PP_KEEP_SHADOW and the like
 * @retries: for a transaction that is aborted: so many attempts more
 * @nr: pages, up to PP_BATCH
 * @page: the pages; neighbours that follow each other share a window
 * @copied: bytes copied, those of aborted transactions too
 * @windows: how many there were
 * @window_ns: how long all of them took together
 * @noted_by_table: pages whose dirty bit was cleared in the page tables
 * @noted_by_window: pages whose dirty bit was cleared by a window
 *
 * The caller fills all up to @page's addresses; pp_move() writes the rest.
 */
struct pp_batch {
	struct pp_watch *watch;
	int node;
	u8 method;
	u8 flags;
	u8 retries;
	u8 nr;
	struct pp_page page[PP_BATCH];
	u64 copied;
	u32 windows;
	u64 window_ns;
	u32 noted_by_table;
	u32 noted_by_window;
};

/**
 * pp_move - move pages to a node
 * @batch: which, and how
 *
 * Takes mmap_lock, and no reference to the memory's users: it may end on the way. Any number of
 * batches may be under way at once, of one process too. The thread that calls should be bound to a
 * CPU: pages on their way to the LRU lists are known to its CPU alone.
 *
 * Context: process, may sleep; no lock held, above all not an mmap_lock.
 * Return: 0, whatever became of each page; -ESRCH where the process has gone (its memory is being,
 * or has been, taken down); -EINVAL where the batch is not one (@node without memory, @nr, an
 * address not page-aligned). Then each page is PP_UNTRIED.
 */
int pp_move(struct pp_batch *batch);

/* "copied", "pinned": names for sysfs and traces. */
const char *pp_result_name(enum pp_result result);
const char *pp_reason_name(enum pp_reason reason);

/**
 * pp_movers_init - start-up of all that the files named above own
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int pp_movers_init(void);

/**
 * pp_movers_exit - its exact reverse
 *
 * Context: process, may sleep. All watches have been put, no batch is under way. At return no
 * notifier is registered, and each page that was kept is free.
 */
void pp_movers_exit(void);

#endif /* TIFFIN_PP_MOVE_H */
