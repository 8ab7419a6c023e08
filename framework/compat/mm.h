/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between the supported kernels in memory management, and what modules lack there. */
#ifndef TIFFIN_COMPAT_MM_H
#define TIFFIN_COMPAT_MM_H

#include <linux/build_bug.h>
#include <linux/highmem.h>
#include <linux/memcontrol.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/seqlock.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <asm/tlbflush.h>

/* The shadow stacks of user space came in 6.6. */
#ifdef VM_SHADOW_STACK
#define TIFFIN_VM_SHADOW_STACK	VM_SHADOW_STACK
#else
#define TIFFIN_VM_SHADOW_STACK	VM_NONE
#endif

/* How often a page is mapped: a folio of one page, as all here are. */
static inline int tiffin_mappings(const struct folio *folio)
{
	return atomic_read(&folio->_mapcount) + 1;
}

/**
 * tiffin_lru_drain - put what waits in this CPU's batches onto the LRU lists
 *
 * lru_add_drain() is not exported, but migrating a range of no pages begins with it.
 */
static inline void tiffin_lru_drain(void)
{
	migrate_device_range(NULL, 0, 0);
}

static inline void tiffin_flush_tlb_here(void *unused)
{
	__flush_tlb_all();
}

/**
 * tiffin_flush_tlb_mm - no CPU knows of the page tables what it knew before
 * @mm: whose
 *
 * flush_tlb_mm_range() is not exported. A CPU that switches to @mm puts itself into the mask before
 * it reads the generation, which is raised here before the mask is read: it is in the mask, or sees
 * the new generation and flushes.
 *
 * Context: may sleep.
 */
static inline void tiffin_flush_tlb_mm(struct mm_struct *mm)
{
	atomic64_inc_return(&mm->context.tlb_gen);
	on_each_cpu_mask(mm_cpumask(mm), tiffin_flush_tlb_here, NULL, true);
}

/*
 * Around a change of page tables that is flushed later: inc_tlb_flush_pending() and its reverse,
 * whose header the analyzers take offence at. The page tables' lock orders them.
 */
static inline void tiffin_flush_pending(struct mm_struct *mm)
{
	atomic_inc(&mm->tlb_flush_pending);
}

static inline void tiffin_flush_done(struct mm_struct *mm)
{
	atomic_dec(&mm->tlb_flush_pending);
}

/*
 * What tells the locks of single mappings that mmap_lock is held for writing: in 6.12 at first a
 * number that its unlocking raises, since a later release of 6.12 a seqcount that both raise.
 */
static inline void tiffin_mm_lock_seq_begin(struct mm_struct *mm)
{
#ifdef CONFIG_PER_VMA_LOCK
	BUILD_BUG_ON(!__same_type(mm->mm_lock_seq, int) &&
		     !__same_type(mm->mm_lock_seq, seqcount_t));
	if (__same_type(mm->mm_lock_seq, seqcount_t))
		do_raw_write_seqcount_begin((void *)&mm->mm_lock_seq);
#endif
}

/* mmap_write_trylock(), which not all of the kernels have. mmap_write_unlock() is its reverse. */
static inline bool tiffin_mmap_write_trylock(struct mm_struct *mm)
{
	if (!down_write_trylock(&mm->mmap_lock))
		return false;
	tiffin_mm_lock_seq_begin(mm);
	return true;
}

/* The beginning of mm/mmu_notifier.c's own struct; the same in all supported kernels. */
struct tiffin_mm_subscriptions {
	struct hlist_head list;
	bool has_itree;
};

/**
 * tiffin_mm_only_notifier - is nobody else told of changes to this memory?
 * @notifier: registered with it
 *
 * Where the struct above is not what the kernel has, the answer is no: @notifier isn't in it.
 *
 * Context: mmap_lock is held, so that nobody else comes meanwhile.
 */
static inline bool tiffin_mm_only_notifier(const struct mmu_notifier *notifier)
{
	const struct tiffin_mm_subscriptions *subscriptions =
		(const void *)notifier->mm->notifier_subscriptions;

	return subscriptions && READ_ONCE(subscriptions->list.first) == &notifier->hlist &&
	       !READ_ONCE(notifier->hlist.next) && !READ_ONCE(subscriptions->has_itree);
}

/*
 * Since 6.7 a migrated page gives its cgroup's charge to the new one. Before, the new one was
 * charged on top, and the old one kept its charge until it was freed; here it may never be. Two
 * calls around the migration make the older kernels do what the newer do.
 */

/* Before: @new is to take @old's place. Both are locked, @old is isolated. */
static inline void tiffin_charge_lend(struct folio *new, const struct folio *old)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0) && defined(CONFIG_MEMCG)
	new->memcg_data = old->memcg_data;
#endif
}

/* After: @new has taken @old's place, or, where not @moved, has not. Both are still locked. */
static inline void tiffin_charge_settle(struct folio *new, struct folio *old, bool moved)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0) && defined(CONFIG_MEMCG)
	if (moved)
		old->memcg_data = 0;
	else
		new->memcg_data = 0;
#endif
}

/* Is it charged to a cgroup? */
static inline bool tiffin_charged(const struct folio *folio)
{
#ifdef CONFIG_MEMCG
	return folio->memcg_data;
#else
	return false;
#endif
}

/**
 * tiffin_copy_page - copy a page, and bear memory that has gone bad
 * @to: the copy
 * @from: the page
 *
 * Since 6.4 copy_mc_highpage(), which tells the kernel of the error, too; before, the next who
 * reads the page does.
 *
 * Return: false where the hardware reports an error in @from, if the machine can tell.
 */
static inline bool tiffin_copy_page(struct page *to, struct page *from)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	return !copy_mc_highpage(to, from);
#elif defined(copy_mc_to_kernel)
	return !copy_mc_to_kernel(page_address(to), page_address(from), PAGE_SIZE);
#else
	copy_highpage(to, from);
	return true;
#endif
}

/* struct shrinker is allocated by the kernel since 6.7. */

/**
 * tiffin_shrinker_new - register a shrinker that is asked node by node
 * @name: for debugfs
 * @count: how many objects there are
 * @scan: free some
 *
 * The objects cost next to nothing to make again.
 *
 * Context: process, may sleep.
 * Return: the shrinker, or NULL.
 */
static inline struct shrinker *
tiffin_shrinker_new(const char *name,
		    unsigned long (*count)(struct shrinker *, struct shrink_control *),
		    unsigned long (*scan)(struct shrinker *, struct shrink_control *))
{
	struct shrinker *shrinker;

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	shrinker = shrinker_alloc(SHRINKER_NUMA_AWARE, "%s", name);
#else
	shrinker = kzalloc(sizeof(*shrinker), GFP_KERNEL);
#endif
	if (!shrinker)
		return NULL;
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker->seeks = 1;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	shrinker_register(shrinker);
#else
	shrinker->flags = SHRINKER_NUMA_AWARE;
	if (register_shrinker(shrinker, "%s", name)) {
		kfree(shrinker);
		return NULL;
	}
#endif
	return shrinker;
}

/* Its reverse. At return it is not running. */
static inline void tiffin_shrinker_free(struct shrinker *shrinker)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	shrinker_free(shrinker);
#else
	unregister_shrinker(shrinker);
	kfree(shrinker);
#endif
}

#endif /* TIFFIN_COMPAT_MM_H */
