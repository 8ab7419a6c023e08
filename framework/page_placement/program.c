// SPDX-License-Identifier: GPL-2.0-only
/*
 * The address spaces that are followed.
 *
 * A program is wanted from pp_program_get() on, and left with the last pp_program_leave(). Neither
 * does what may have to wait for the program: that it is watched, and that its marks go. So it is
 * in a list then, and pp_programs_settle() does that: for the operator, if it can be done at once;
 * else with a later tick.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "page_placement/host.h"
#include "page_placement/watch.h"

#define PP_PROGRAM_BITS	12

static DEFINE_HASHTABLE(pp_program_hash, PP_PROGRAM_BITS);

/* Protects changes of the hash table, and the list. */
static DEFINE_SPINLOCK(pp_programs_lock);
static LIST_HEAD(pp_program_list);
static unsigned int pp_nr_programs;

/* Those that are to be watched or let go, and how many of these processes have left. */
static LIST_HEAD(pp_programs_to_settle);
static unsigned int pp_nr_unsettled, pp_nr_leaving;

/* Who lets go of programs waits here for those who work on them. */
static DECLARE_WAIT_QUEUE_HEAD(pp_programs_wait);

/* How long detaching waits for programs that hold it up, and the end of the host. */
#define PP_LET_GO_WAIT		HZ
#define PP_END_TRIES		50
#define PP_END_MS		100

static struct pp_program *pp_program_find(const struct mm_struct *mm)
{
	struct pp_program *program;

	hash_for_each_possible_rcu_notrace(pp_program_hash, program, hash, (unsigned long)mm)
		if (program->mm == mm)
			return program;
	return NULL;
}

struct pp_program *pp_program_of(const struct mm_struct *mm)
{
	struct pp_program *program = pp_program_find(mm);

	/* Pairs with pp_program_watch(). */
	return program && smp_load_acquire(&program->watch) ? program : NULL;
}

/*
 * What a watch tells comes in an RCU read side of ours, or with a reference: its owner may be
 * going.
 */
static struct pp_program *pp_program_of_watch(struct pp_watch *watch)
{
	struct pp_program *program;

	rcu_read_lock();
	program = READ_ONCE(watch->owner);
	if (program && !pp_program_hold(program))
		program = NULL;
	rcu_read_unlock();
	return program;
}

static void pp_program_changed(struct pp_watch *watch, unsigned long start, unsigned long end,
			       bool may_sleep)
{
	struct pp_program *program;

	if (may_sleep) {
		program = pp_program_of_watch(watch);
		if (!program)
			return;
		pp_objects_drop(program, start, end, true);
		pp_program_put(program);
		return;
	}
	rcu_read_lock();
	program = READ_ONCE(watch->owner);
	if (program)
		pp_objects_drop(program, start, end, false);
	rcu_read_unlock();
}

static void pp_program_gone(struct pp_watch *watch)
{
	struct pp_program *program = pp_program_of_watch(watch);

	if (!program)
		return;
	pp_objects_close(program);
	pp_program_put(program);
}

static const struct pp_watch_ops pp_program_watch_ops = {
	.changed = pp_program_changed,
	.gone = pp_program_gone,
};

/* Under the lock. */
static void pp_program_unsettle(struct pp_program *program)
{
	lockdep_assert_held(&pp_programs_lock);
	if (!list_empty(&program->unsettled))
		return;
	list_add_tail(&program->unsettled, &pp_programs_to_settle);
	pp_nr_unsettled++;
}

static void pp_program_settled(struct pp_program *program)
{
	lockdep_assert_held(&pp_programs_lock);
	if (list_empty(&program->unsettled))
		return;
	list_del_init(&program->unsettled);
	pp_nr_unsettled--;
}

static struct pp_program *pp_program_new(struct mm_struct *mm, pid_t pid, const char *comm)
{
	struct pp_program *program = kzalloc(struct_size(program, resident, nr_node_ids),
					     GFP_KERNEL);

	if (!program)
		return ERR_PTR(-ENOMEM);
	kref_init(&program->ref);
	INIT_LIST_HEAD(&program->list);
	INIT_LIST_HEAD(&program->unsettled);
	INIT_LIST_HEAD(&program->processes);
	mmgrab(mm);
	program->mm = mm;
	program->users = 1;
	mutex_init(&program->walk);
	/* A child has its parent's marks. */
	program->hint_marked = true;
	xa_init(&program->objects);
	program->pid = pid;
	strscpy(program->comm, comm, sizeof(program->comm));
	spin_lock(&pp_programs_lock);
	hash_add_rcu(pp_program_hash, &program->hash, (unsigned long)mm);
	pp_program_unsettle(program);
	spin_unlock(&pp_programs_lock);
	return program;
}

struct pp_program *pp_program_get(struct mm_struct *mm, pid_t pid, const char *comm)
{
	struct pp_program *program;

	rcu_read_lock();
	spin_lock(&pp_programs_lock);
	program = pp_program_find(mm);
	if (program && program->ending)
		program = ERR_PTR(-EBUSY);
	else if (program && !program->users++)
		pp_nr_leaving--;
	spin_unlock(&pp_programs_lock);
	rcu_read_unlock();
	return program ?: pp_program_new(mm, pid, comm);
}

void pp_program_leave(struct pp_program *program)
{
	spin_lock(&pp_programs_lock);
	if (!--program->users) {
		pp_nr_leaving++;
		pp_program_unsettle(program);
	}
	spin_unlock(&pp_programs_lock);
}

/* Processes have it: it gets its watch. False: not now. Its @walk is held. */
static bool pp_program_watch(struct pp_program *program)
{
	struct pp_watch *watch;

	if (program->watch)
		return true;
	if (!mmget_not_zero(program->mm))
		return false;
	watch = pp_watch_get(program->mm, &program->missed);
	mmput_async(program->mm);
	if (IS_ERR(watch))
		return false;
	WRITE_ONCE(watch->owner, program);
	/* Who finds it finds all of it. */
	smp_store_release(&program->watch, watch);
	return true;
}

/* No process has it: it goes. Its @walk is held. */
static void pp_program_end(struct pp_program *program, bool at_once)
{
	bool clean;

	/* No mark is made from here on, and those there are go while faults still come here. */
	clean = pp_hint_restore(program) || !pp_mm_used(program->mm);
	if (!clean && !at_once)
		return;
	if (!clean)
		pr_warn("%d %s has locked its memory map: its marks are left to the kernel, each is a hint fault\n",
			program->pid, program->comm);
	spin_lock(&pp_programs_lock);
	hash_del_rcu(&program->hash);
	if (!list_empty(&program->list)) {
		list_del_init(&program->list);
		pp_nr_programs--;
	}
	pp_program_settled(program);
	spin_unlock(&pp_programs_lock);
	pp_objects_close(program);
	pp_program_put(program);
}

static void pp_program_settle(struct pp_program *program, bool at_once)
{
	bool ending;

	spin_lock(&pp_programs_lock);
	if (!program->users)
		program->ending = true;
	ending = program->ending;
	spin_unlock(&pp_programs_lock);
	if (ending) {
		/* Unless another has ended it meanwhile. */
		if (!hlist_unhashed(&program->hash))
			pp_program_end(program, at_once);
		return;
	}
	if (!pp_program_watch(program))
		return;
	spin_lock(&pp_programs_lock);
	if (list_empty(&program->list)) {
		list_add_tail(&program->list, &pp_program_list);
		pp_nr_programs++;
	}
	if (program->users)
		pp_program_settled(program);
	spin_unlock(&pp_programs_lock);
}

/* The one to be settled that waits longest, with a reference. It is the last one then. */
static struct pp_program *pp_program_first(void)
{
	struct pp_program *program;

	spin_lock(&pp_programs_lock);
	program = list_first_entry_or_null(&pp_programs_to_settle, struct pp_program, unsettled);
	if (program) {
		list_move_tail(&program->unsettled, &pp_programs_to_settle);
		/* While it is in the list it has a reference. */
		kref_get(&program->ref);
	}
	spin_unlock(&pp_programs_lock);
	return program;
}

static unsigned int pp_programs_go_round(bool at_once)
{
	unsigned int nr = pp_programs_unsettled();
	struct pp_program *program;

	while (nr-- && (program = pp_program_first())) {
		/* Who has it walks it, or settles it, which may take long. */
		if (at_once)
			mutex_lock(&program->walk);
		if (at_once || mutex_trylock(&program->walk)) {
			pp_program_settle(program, at_once);
			mutex_unlock(&program->walk);
		}
		pp_program_put(program);
		cond_resched();
	}
	return pp_programs_unsettled();
}

unsigned int pp_programs_settle(void)
{
	return pp_programs_go_round(false);
}

void pp_programs_let_go(void)
{
	pp_programs_settle();
	/* The tick's thread goes on with it. */
	wait_event_killable_timeout(pp_programs_wait, !READ_ONCE(pp_nr_leaving), PP_LET_GO_WAIT);
}

void pp_programs_end(void)
{
	unsigned int tries;

	for (tries = 0; pp_programs_settle() && tries < PP_END_TRIES; tries++)
		msleep(PP_END_MS);
	pp_programs_go_round(true);
	wait_event(pp_programs_wait, !READ_ONCE(pp_nr_leaving));
}

bool pp_program_hold(struct pp_program *program)
{
	return kref_get_unless_zero(&program->ref);
}

static void pp_program_release(struct kref *ref)
{
	struct pp_program *program = container_of(ref, struct pp_program, ref);

	if (program->watch) {
		/* Unless the same memory is followed again already. */
		cmpxchg(&program->watch->owner, program, NULL);
		pp_watch_put(program->watch);
	}
	/* An insertion that failed half way leaves nodes. */
	xa_destroy(&program->objects);
	mmdrop(program->mm);
	/* Hint faults and the watch may still be looking at it; neither adds to the index now. */
	kfree_rcu(program, rcu);
	spin_lock(&pp_programs_lock);
	pp_nr_leaving--;
	spin_unlock(&pp_programs_lock);
	wake_up(&pp_programs_wait);
}

void pp_program_put(struct pp_program *program)
{
	kref_put(&program->ref, pp_program_release);
}

struct pp_program *pp_program_next(struct pp_program *last)
{
	struct pp_program *program = NULL, *next;

	spin_lock(&pp_programs_lock);
	/* One that has left the list meanwhile ends the round. */
	next = last && list_empty(&last->list) ? NULL :
	       list_prepare_entry(last, &pp_program_list, list);
	if (next)
		list_for_each_entry_continue(next, &pp_program_list, list)
			if (pp_program_hold(next)) {
				program = next;
				break;
			}
	spin_unlock(&pp_programs_lock);
	if (last)
		pp_program_put(last);
	return program;
}

unsigned int pp_programs(void)
{
	return READ_ONCE(pp_nr_programs);
}

unsigned int pp_programs_unsettled(void)
{
	return READ_ONCE(pp_nr_unsettled);
}

void pp_programs_init(void)
{
	pp_watch_ops = &pp_program_watch_ops;
}

bool pp_program_shadowed(struct pp_program *program, unsigned long va)
{
	return READ_ONCE(program->watch->nr_shadows) &&
	       xa_load(&program->watch->shadows, va >> PAGE_SHIFT);
}
