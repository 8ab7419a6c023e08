// SPDX-License-Identifier: GPL-2.0-only
/* The address spaces that are followed. */

#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "page_placement/host.h"
#include "page_placement/watch.h"

#define PP_PROGRAM_BITS	8

static DEFINE_HASHTABLE(pp_program_hash, PP_PROGRAM_BITS);

/* Protects changes of the hash table, and the list. */
static DEFINE_SPINLOCK(pp_programs_lock);
static LIST_HEAD(pp_program_list);
static unsigned int pp_nr_programs;

/* Who lets go of a program waits here for those who work on it. */
static DECLARE_WAIT_QUEUE_HEAD(pp_programs_wait);

struct pp_program *pp_program_of(const struct mm_struct *mm)
{
	struct pp_program *program;

	hash_for_each_possible_rcu_notrace(pp_program_hash, program, hash, (unsigned long)mm)
		if (program->mm == mm)
			return program;
	return NULL;
}

/* What a watch tells comes in an RCU read side of ours: its owner may be going. */
static void pp_program_changed(struct pp_watch *watch, unsigned long start, unsigned long end)
{
	struct pp_program *program;

	rcu_read_lock();
	program = READ_ONCE(watch->owner);
	if (program)
		pp_objects_drop(program, start, end);
	rcu_read_unlock();
}

static void pp_program_gone(struct pp_watch *watch)
{
	struct pp_program *program;

	rcu_read_lock();
	program = READ_ONCE(watch->owner);
	if (program)
		pp_objects_close(program);
	rcu_read_unlock();
}

static const struct pp_watch_ops pp_program_watch_ops = {
	.changed = pp_program_changed,
	.gone = pp_program_gone,
};

static struct pp_program *pp_program_new(struct mm_struct *mm, pid_t pid, const char *comm)
{
	struct pp_program *program = kzalloc(struct_size(program, resident, nr_node_ids),
					     GFP_KERNEL);

	if (!program)
		return ERR_PTR(-ENOMEM);
	kref_init(&program->ref);
	program->mm = mm;
	mutex_init(&program->walk);
	/* A child has its parent's marks. */
	program->hint_marked = true;
	xa_init(&program->objects);
	program->pid = pid;
	strscpy(program->comm, comm, sizeof(program->comm));
	pp_watch_ops = &pp_program_watch_ops;
	program->watch = pp_watch_get(mm);
	if (IS_ERR(program->watch)) {
		long err = PTR_ERR(program->watch);

		kfree(program);
		return ERR_PTR(err);
	}
	WRITE_ONCE(program->watch->owner, program);
	spin_lock(&pp_programs_lock);
	hash_add_rcu(pp_program_hash, &program->hash, (unsigned long)mm);
	list_add_tail(&program->list, &pp_program_list);
	pp_nr_programs++;
	spin_unlock(&pp_programs_lock);
	return program;
}

struct pp_program *pp_program_get(struct mm_struct *mm, pid_t pid, const char *comm)
{
	struct pp_program *program;

	rcu_read_lock();
	program = pp_program_of(mm);
	if (program)
		program->users++;
	rcu_read_unlock();
	if (program)
		return program;
	program = pp_program_new(mm, pid, comm);
	if (!IS_ERR(program))
		program->users = 1;
	return program;
}

void pp_program_leave(struct pp_program *program)
{
	if (--program->users)
		return;
	/* No mark is made from here on, and those there are go while faults still come here. */
	mutex_lock(&program->walk);
	program->ending = true;
	if (mmget_not_zero(program->mm)) {
		pp_hint_restore(program);
		mmput_async(program->mm);
	}
	mutex_unlock(&program->walk);
	spin_lock(&pp_programs_lock);
	hash_del_rcu(&program->hash);
	list_del_init(&program->list);
	pp_nr_programs--;
	spin_unlock(&pp_programs_lock);
	pp_objects_close(program);
	wait_event(pp_programs_wait, kref_read(&program->ref) == 1);
	pp_program_put(program);
}

bool pp_program_hold(struct pp_program *program)
{
	return kref_get_unless_zero(&program->ref);
}

static void pp_program_release(struct kref *ref)
{
	struct pp_program *program = container_of(ref, struct pp_program, ref);

	/* Unless the same memory is followed again already. */
	cmpxchg(&program->watch->owner, program, NULL);
	pp_watch_put(program->watch);
	/* An insertion that failed half way leaves nodes. */
	xa_destroy(&program->objects);
	/* Hint faults and the watch may still be looking at it; neither adds to the index now. */
	kfree_rcu(program, rcu);
}

void pp_program_put(struct pp_program *program)
{
	if (!kref_put(&program->ref, pp_program_release))
		wake_up(&pp_programs_wait);
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

bool pp_program_shadowed(struct pp_program *program, unsigned long va)
{
	return READ_ONCE(program->watch->nr_shadows) &&
	       xa_load(&program->watch->shadows, va >> PAGE_SHIFT);
}
