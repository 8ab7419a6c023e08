/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A watch: what the host is told of changes to a process's memory. It holds the only mmu_notifier
 * that the family has on a process: with a second one the movers would take it for a secondary MMU
 * and leave the page tables alone. So others in the family listen here.
 *
 * Invariants:
 *  W1. Every invalidation that is not the movers' own stands in @changing from before the page
 *	tables change until after, marks the batches under way that have an address in it, and drops
 *	the shadows in it. Changes of protection of a mapping as a whole are none: they change
 *	neither page nor dirty bit, and NUMA balancing makes them all the time.
 *  W2. A batch that enters is marked for the addresses that stand in @changing then. A shadow is
 *	kept only by a batch that is not marked for its address; all that under @lock. So no shadow
 *	outlives the page that it is of.
 *  W3. The process's end drops all shadows. The watch itself lives until its last reference is put,
 *	and holds the mm_struct (not the memory) until then.
 *  W4. Nobody who looks at the memory keeps it from ending: its users let it go themselves, at
 *	once. Else it would stay charged when its process is gone, and the OOM killer, which doesn't
 *	see that, would end another. So mmap_lock is all that is held; the end waits for who has it,
 *	and a memory without users is left alone: pp_mmap_lock().
 *  W5. With mmap_lock for reading, nobody looks at the page tables of an address before the mapping
 *	there is found. munmap(), brk() and mremap() take mappings out, and free the page tables of
 *	these with the lock for reading; those of a mapping that is found stay.
 */
#ifndef TIFFIN_PP_WATCH_H
#define TIFFIN_PP_WATCH_H

#include <linux/list.h>
#include <linux/mmu_notifier.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/xarray.h>

/* Invalidations of a process's memory that are under way at once, and told apart. */
#define PP_CHANGING	8

/* Addresses from @start up to @end. */
struct pp_range {
	unsigned long start;
	unsigned long end;
};

/**
 * struct pp_watch - of one process's memory
 * @notifier: registered with its mm
 * @lock: of what follows; taken in contexts that may not sleep, inside page-table locks. Order:
 *	this, then a node's lock of shadow.c.
 * @changing: invalidations under way; free entries end at 0
 * @crowded: invalidations under way that found no entry: as if they were of all addresses
 * @gone: the process is at its end
 * @entered: batches under way
 * @shadows: struct pp_shadow by page number of the address
 * @nr_shadows: entries of @shadows; read without the lock, too
 * @users: how many have got the watch
 * @missed: of pp_mmap_lock()
 * @owner: whoever got the watch keeps here what it likes; see pp_watch_ops
 */
struct pp_watch {
	struct mmu_notifier notifier;
	spinlock_t lock; /* of what follows */
	struct pp_range changing[PP_CHANGING];
	unsigned int crowded;
	bool gone;
	struct list_head entered;
	struct xarray shadows;
	unsigned long nr_shadows;
	unsigned int users;
	unsigned long missed;
	void *owner;
};

/**
 * struct pp_watch_ops - what the host wants to hear
 * @changed: pages from @start up to @end are being unmapped or replaced. May be NULL.
 * @gone: the process's memory is being taken down; may sleep. May be NULL.
 *
 * Context: mmap_lock and page locks may be held; may not sleep but where @may_sleep.
 */
struct pp_watch_ops {
	void (*changed)(struct pp_watch *watch, unsigned long start, unsigned long end,
			bool may_sleep);
	void (*gone)(struct pp_watch *watch);
};

/* Set before the first watch is got, and left alone until the last is put; or NULL. */
extern const struct pp_watch_ops *pp_watch_ops;

/**
 * pp_mmap_lock - take a process's mmap_lock, but don't wait for long
 * @mm: of the process
 * @write: for writing
 * @missed: where the caller keeps, for this process, when it could not be had; 0 at first
 *
 * A program can hold its own lock for as long as it likes: throttled while it has it, or waiting
 * for a file system of its own. So who works for all programs never waits for it, but tries for a
 * few milliseconds, and for the next second not even that.
 *
 * For reading no reference to the memory's users is needed: it stays while the lock is held (W4).
 *
 * Context: process, may sleep.
 * Return: whether it is taken; not for reading where the memory has no users any more.
 */
bool pp_mmap_lock(struct mm_struct *mm, bool write, unsigned long *missed);

/* Has the memory users still? Without them it is being taken down. */
static inline bool pp_mm_used(const struct mm_struct *mm)
{
	return atomic_read(&mm->mm_users) > 0;
}

/* How often it could not be had. */
u64 pp_mmap_missed(void);

/**
 * pp_watch_get - watch a process's memory
 * @mm: of the process; the caller has a reference to its users (mmget), and not mmap_lock, which is
 *	taken here, for writing
 * @missed: as for pp_mmap_lock()
 *
 * All who ask for the same @mm get the same watch.
 *
 * Context: process, may sleep.
 * Return: the watch, or an ERR_PTR: -EAGAIN where mmap_lock was not to be had; -ENOMEM; -EINTR
 * where a signal is pending.
 */
struct pp_watch *pp_watch_get(struct mm_struct *mm, unsigned long *missed);

/**
 * pp_watch_put - the reverse
 * @watch: not used by the caller any more
 *
 * Whoever puts the last reference drops the shadows. The watch is freed later, when no notifier
 * can be in it; pp_movers_exit() waits for that.
 *
 * Context: process, may sleep.
 */
void pp_watch_put(struct pp_watch *watch);

/* Its mm. Only the mm_struct is certain to be there: pp_mmap_lock() before more is touched. */
static inline struct mm_struct *pp_watch_mm(const struct pp_watch *watch)
{
	return watch->notifier.mm;
}

#endif /* TIFFIN_PP_WATCH_H */
