// SPDX-License-Identifier: GPL-2.0-only
/* What happens to a process's memory; the invariants are in watch.h. */

#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "compat/mm.h"
#include "page_placement/move_priv.h"

const struct pp_watch_ops *pp_watch_ops;

const char pp_watch_cookie;

/* Tries for a process's mmap_lock, and the time between them. */
#define PP_LOCK_TRIES	8
#define PP_LOCK_US	250

static atomic64_t pp_missed;

/* Watches that are not free yet, and who waits for that. */
static atomic_t pp_nr_watches;
static DECLARE_WAIT_QUEUE_HEAD(pp_watches_wait);

static bool pp_mmap_try(struct mm_struct *mm, bool write)
{
	return write ? tiffin_mmap_write_trylock(mm) : mmap_read_trylock(mm);
}

bool pp_mmap_lock(struct mm_struct *mm, bool write, unsigned long *missed)
{
	unsigned long last = READ_ONCE(*missed);
	bool patient = !last || !time_before(jiffies, last + HZ);
	unsigned int tries;

	for (tries = 1; !pp_mmap_try(mm, write); tries++) {
		if (!patient || tries == PP_LOCK_TRIES) {
			if (patient)
				WRITE_ONCE(*missed, jiffies ?: 1);
			atomic64_inc(&pp_missed);
			return false;
		}
		usleep_range(PP_LOCK_US, 2 * PP_LOCK_US);
	}
	if (write || pp_mm_used(mm))
		return true;
	mmap_read_unlock(mm);
	return false;
}

u64 pp_mmap_missed(void)
{
	return atomic64_read(&pp_missed);
}

/* Mark what a batch has in the range. Under the lock. */
static void pp_watch_mark_one(struct pp_move *move, unsigned long start, unsigned long end)
{
	const struct pp_batch *batch = move->batch;
	unsigned int i;

	for (i = 0; i < batch->nr; i++) {
		if (batch->page[i].addr >= start && batch->page[i].addr < end)
			move->changed |= BIT(i);
	}
}

/* The same for all batches but @except. */
static void pp_watch_mark(struct pp_watch *watch, const struct pp_move *except, unsigned long start,
			  unsigned long end)
{
	struct pp_move *move;

	list_for_each_entry(move, &watch->entered, on_watch) {
		if (move != except)
			pp_watch_mark_one(move, start, end);
	}
}

/* Does the movers' own work invalidate, or what changes neither page nor dirty bit? */
static bool pp_watch_ours(const struct mmu_notifier_range *range)
{
	return (range->event == MMU_NOTIFY_MIGRATE && range->owner == &pp_watch_cookie) ||
	       range->event == MMU_NOTIFY_PROTECTION_VMA;
}

/* An invalidation begins, or ends: under the lock. The same range may be under way twice. */
static void pp_watch_begin(struct pp_watch *watch, const struct mmu_notifier_range *range)
{
	unsigned int i;

	for (i = 0; i < PP_CHANGING; i++) {
		if (!watch->changing[i].end) {
			watch->changing[i] = (struct pp_range) { range->start, range->end };
			return;
		}
	}
	watch->crowded++;
}

static void pp_watch_finish(struct pp_watch *watch, const struct mmu_notifier_range *range)
{
	unsigned int i;

	for (i = 0; i < PP_CHANGING; i++) {
		if (watch->changing[i].start == range->start &&
		    watch->changing[i].end == range->end) {
			watch->changing[i].end = 0;
			return;
		}
	}
	watch->crowded--;
}

static int pp_watch_start(struct mmu_notifier *notifier, const struct mmu_notifier_range *range)
{
	struct pp_watch *watch = container_of(notifier, struct pp_watch, notifier);

	if (pp_watch_ours(range))
		return 0;
	spin_lock(&watch->lock);
	pp_watch_begin(watch, range);
	pp_watch_mark(watch, NULL, range->start, range->end);
	spin_unlock(&watch->lock);
	pp_shadow_drop_range(watch, range->start, range->end, PP_SHADOW_CHANGED,
			     mmu_notifier_range_blockable(range));
	/* At a fork pages become shared, and stay what they are. */
	if (pp_watch_ops && pp_watch_ops->changed && range->event != MMU_NOTIFY_PROTECTION_PAGE)
		pp_watch_ops->changed(watch, range->start, range->end,
				      mmu_notifier_range_blockable(range));
	return 0;
}

static void pp_watch_end(struct mmu_notifier *notifier, const struct mmu_notifier_range *range)
{
	struct pp_watch *watch = container_of(notifier, struct pp_watch, notifier);

	if (pp_watch_ours(range))
		return;
	spin_lock(&watch->lock);
	pp_watch_finish(watch, range);
	spin_unlock(&watch->lock);
}

static void pp_watch_release(struct mmu_notifier *notifier, struct mm_struct *mm)
{
	struct pp_watch *watch = container_of(notifier, struct pp_watch, notifier);

	spin_lock(&watch->lock);
	watch->gone = true;
	spin_unlock(&watch->lock);
	/* Who has the lock may still look at the memory; who gets it later finds it unused (W4). */
	mmap_write_lock(mm);
	mmap_write_unlock(mm);
	pp_shadow_drop_range(watch, 0, ULONG_MAX, PP_SHADOW_CHANGED, true);
	if (pp_watch_ops && pp_watch_ops->gone)
		pp_watch_ops->gone(watch);
}

static struct mmu_notifier *pp_watch_alloc(struct mm_struct *mm)
{
	struct pp_watch *watch = kzalloc(sizeof(*watch), GFP_KERNEL);

	if (!watch)
		return ERR_PTR(-ENOMEM);
	spin_lock_init(&watch->lock);
	INIT_LIST_HEAD(&watch->entered);
	xa_init(&watch->shadows);
	atomic_inc(&pp_nr_watches);
	return &watch->notifier;
}

/* No notifier is in it, and none comes. Bottom halves are disabled. */
static void pp_watch_free(struct mmu_notifier *notifier)
{
	struct pp_watch *watch = container_of(notifier, struct pp_watch, notifier);

	WARN_ON(watch->nr_shadows);
	xa_destroy(&watch->shadows);
	kfree(watch);
	if (atomic_dec_and_test(&pp_nr_watches))
		wake_up(&pp_watches_wait);
}

static const struct mmu_notifier_ops pp_watch_notifier_ops = {
	.invalidate_range_start = pp_watch_start,
	.invalidate_range_end = pp_watch_end,
	.release = pp_watch_release,
	.alloc_notifier = pp_watch_alloc,
	.free_notifier = pp_watch_free,
};

struct pp_watch *pp_watch_get(struct mm_struct *mm, unsigned long *missed)
{
	struct mmu_notifier *notifier;
	struct pp_watch *watch;

	if (!pp_mmap_lock(mm, true, missed))
		return ERR_PTR(-EAGAIN);
	notifier = mmu_notifier_get_locked(&pp_watch_notifier_ops, mm);
	mmap_write_unlock(mm);
	if (IS_ERR(notifier))
		return ERR_CAST(notifier);
	watch = container_of(notifier, struct pp_watch, notifier);
	spin_lock(&watch->lock);
	watch->users++;
	spin_unlock(&watch->lock);
	return watch;
}

void pp_watch_put(struct pp_watch *watch)
{
	bool last;

	spin_lock(&watch->lock);
	last = !--watch->users;
	spin_unlock(&watch->lock);
	/* Here, where it may take its time. Who gets the watch meanwhile only misses them. */
	if (last)
		pp_shadow_drop_range(watch, 0, ULONG_MAX, PP_SHADOW_DETACHED, true);
	/* Reclaim may have dropped the last of them, and not left the lock yet. */
	spin_lock(&watch->lock);
	spin_unlock(&watch->lock);
	mmu_notifier_put(&watch->notifier);
}

void pp_watch_enter(struct pp_watch *watch, struct pp_move *move)
{
	unsigned int i;

	spin_lock(&watch->lock);
	move->changed = watch->crowded ? ~0u : 0;
	list_add(&move->on_watch, &watch->entered);
	for (i = 0; i < PP_CHANGING; i++) {
		if (watch->changing[i].end)
			pp_watch_mark_one(move, watch->changing[i].start, watch->changing[i].end);
	}
	spin_unlock(&watch->lock);
}

void pp_watch_leave(struct pp_watch *watch, struct pp_move *move)
{
	spin_lock(&watch->lock);
	list_del(&move->on_watch);
	spin_unlock(&watch->lock);
}

void pp_watch_tell(struct pp_watch *watch, struct pp_move *move, unsigned long start,
		   unsigned long end)
{
	spin_lock(&watch->lock);
	pp_watch_mark(watch, move, start, end);
	spin_unlock(&watch->lock);
}

void pp_watch_exit(void)
{
	/*
	 * mmu_notifier_synchronize() waits for a grace period only, not until what was to be called
	 * after it has been.
	 */
	wait_event(pp_watches_wait, !atomic_read(&pp_nr_watches));
	/* The last one may not have left our text yet, but bottom halves are disabled in it. */
	synchronize_rcu();
}
