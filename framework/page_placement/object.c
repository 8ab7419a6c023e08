// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of followed pages.
 *
 * An object is found by its number, or in its program's index by the page's address. Numbers are
 * few: when all are taken, a page that was accessed takes that of the coldest of some others.
 */

#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <tiffin/state.h>

#include "page_placement/host.h"

/* An access counts so much. */
#define PP_HEAT_ACCESS	256
#define PP_HEAT_MAX	65535

/* So many objects are looked at for one to be replaced. */
#define PP_REPLACE_LOOK	16

/* So many objects are dropped in a row. */
#define PP_DROP_ONCE	256

/**
 * struct pp_object - a followed page
 * @lock: of all that follows; and a live object is in its program's index, and has its generation
 *	in pp_objects.generation, exactly while @program is not NULL
 * @generation: of the page that has the number, or had it last
 * @program: whose page; NULL: the number is free
 * @va: where
 * @heat: accesses, decayed until @heat_at
 * @heat_at: jiffies
 * @seen_at: jiffies of the last access that was seen, or when the page was first seen
 * @marked_at: when it was marked, us, never 0; 0: it isn't
 * @node: where the page lies
 * @promoted: times, up to 65535
 * @demoted: likewise
 * @aborted: moves since the last that was not
 * @queued: a move waits
 * @next: the next free number
 */
struct pp_object {
	spinlock_t lock;	/* of all that follows */
	u32 generation;
	struct pp_program *program;
	unsigned long va;
	u32 heat;
	u32 heat_at;
	u32 seen_at;
	u32 marked_at;
	u16 node;
	u16 promoted;
	u16 demoted;
	u16 aborted;
	bool queued;
	u32 next;
};

#define PP_NO_OBJECT	U32_MAX

/**
 * struct pp_object_table - all objects
 * @object: by number
 * @generation: by number, for the core: 0 where there is none
 * @nr: numbers
 * @free_lock: protects @free
 * @free: the first free number, or PP_NO_OBJECT
 * @followed: objects that live
 * @hand: where to look next for one to be replaced
 */
static struct pp_object_table {
	struct pp_object *object;
	u32 *generation;
	u32 nr;
	spinlock_t free_lock;	/* of the free numbers */
	u32 free;
	atomic_t followed;
	atomic_t hand;
} pp_objects;

/*
 * An object is found locked, or not at all, and its pointer says which; sparse can't follow that.
 * So for sparse the lock is dropped when the object is given, and taken again to be dropped.
 */
static struct pp_object *pp_object_locked(struct pp_object *o) __releases(&o->lock)
{
	__release(&o->lock);
	return o;
}

/* The same where it is @good; else the lock is dropped, and NULL given. */
static struct pp_object *pp_object_if(struct pp_object *o, bool good) __releases(&o->lock)
{
	if (good)
		return pp_object_locked(o);
	spin_unlock(&o->lock);
	return NULL;
}

static void pp_object_unlock(struct pp_object *o)
{
	__acquire(&o->lock);
	spin_unlock(&o->lock);
}

u32 pp_objects_max(void)
{
	return pp_objects.nr;
}

const u32 *pp_objects_generation(void)
{
	return pp_objects.generation;
}

u32 pp_objects_followed(void)
{
	return atomic_read(&pp_objects.followed);
}

static u32 pp_object_number(const struct pp_object *o)
{
	return o - pp_objects.object;
}

static u64 pp_object_handle(const struct pp_object *o)
{
	return tiffin_handle(pp_object_number(o), o->generation);
}

static u32 pp_now_us(void)
{
	return (u32)div_u64(ktime_get_ns(), NSEC_PER_USEC) | 1;
}

/* Bring the object's heat up to now. */
static void pp_object_cool(struct pp_object *o, u32 now)
{
	u32 seconds = (now - o->heat_at) / HZ;

	lockdep_assert_held(&o->lock);
	o->heat = seconds < 32 ? o->heat >> seconds : 0;
	o->heat_at += seconds * HZ;
}

/* What policies are told. */
static void pp_object_tell(struct pp_object *o, struct pp_seen *seen)
{
	u32 now = jiffies;

	pp_object_cool(o, now);
	seen->handle = pp_object_handle(o);
	seen->program = o->program;
	seen->va = o->va;
	seen->latency_us = o->marked_at ? pp_now_us() - o->marked_at : 0;
	seen->page = (struct tiffin_pp_page) {
		.size = sizeof(seen->page),
		.flags = o->queued ? TIFFIN_PP_PAGE_QUEUED : 0,
		.node = o->node,
		.heat = o->heat,
		.idle_ms = jiffies_to_msecs(now - o->seen_at),
		.promoted = o->promoted,
		.demoted = o->demoted,
		.aborted = o->aborted,
	};
	if (pp_program_shadowed(o->program, o->va))
		seen->page.flags |= TIFFIN_PP_PAGE_SHADOWED;
}

static u32 pp_free_pop(void)
{
	u32 number;

	spin_lock(&pp_objects.free_lock);
	number = pp_objects.free;
	if (number != PP_NO_OBJECT)
		pp_objects.free = pp_objects.object[number].next;
	spin_unlock(&pp_objects.free_lock);
	return number;
}

static void pp_free_push(u32 number)
{
	spin_lock(&pp_objects.free_lock);
	pp_objects.object[number].next = pp_objects.free;
	pp_objects.free = number;
	spin_unlock(&pp_objects.free_lock);
}

/* The object's page is not followed any more. The number is the caller's. */
static void pp_object_end(struct pp_object *o)
{
	struct pp_program *program = o->program;

	lockdep_assert_held(&o->lock);
	xa_erase(&program->objects, o->va >> PAGE_SHIFT);
	atomic_dec(&program->resident[o->node]);
	atomic_dec(&pp_objects.followed);
	WRITE_ONCE(pp_objects.generation[pp_object_number(o)], 0);
	o->program = NULL;
}

/*
 * The number of an object that is colder than others, which is no more; PP_NO_OBJECT where all that
 * were looked at wait for a move.
 */
static u32 pp_object_replace(void)
{
	u32 hand = (u32)atomic_add_return(PP_REPLACE_LOOK, &pp_objects.hand), now = jiffies;
	u32 best = PP_NO_OBJECT, best_heat = U32_MAX, best_idle = 0, i;
	struct pp_object *o;

	/* A first look takes no lock: what it finds may have changed, and is looked at again. */
	for (i = 0; i < PP_REPLACE_LOOK; i++) {
		u32 number = (hand + i) % pp_objects.nr, seconds, heat, idle;

		o = &pp_objects.object[number];
		if (!READ_ONCE(o->program) || READ_ONCE(o->queued))
			continue;
		seconds = min_t(u32, (now - READ_ONCE(o->heat_at)) / HZ, 31);
		heat = READ_ONCE(o->heat) >> seconds;
		idle = now - READ_ONCE(o->seen_at);
		if (heat < best_heat || (heat == best_heat && idle > best_idle)) {
			best = number;
			best_heat = heat;
			best_idle = idle;
		}
	}
	if (best == PP_NO_OBJECT)
		return best;
	o = &pp_objects.object[best];
	if (!spin_trylock(&o->lock))
		return PP_NO_OBJECT;
	if (o->program && !o->queued) {
		pp_object_end(o);
		pp_count(PP_N_REPLACED, 1);
	} else {
		best = PP_NO_OBJECT;
	}
	spin_unlock(&o->lock);
	if (best != PP_NO_OBJECT)
		tiffin_object_gone(pp_family.scope, best);
	return best;
}

/* Into the program's index; false where it is closed, has the address, or memory is short. */
static bool pp_object_index(struct pp_program *program, unsigned long va, u32 number)
{
	bool done = false;

	xa_lock(&program->objects);
	if (!program->closed)
		done = !__xa_insert(&program->objects, va >> PAGE_SHIFT, xa_mk_value(number),
				    GFP_NOWAIT | __GFP_NOWARN);
	xa_unlock(&program->objects);
	return done;
}

/* A page that is not known gets a number. Its lock is held at return; NULL where there is none. */
static struct pp_object *pp_object_add(struct pp_program *program, unsigned long va, u32 node,
				       bool replace)
{
	u32 number = pp_free_pop(), now = jiffies;
	struct pp_object *o;

	if (number == PP_NO_OBJECT && replace)
		number = pp_object_replace();
	if (number == PP_NO_OBJECT) {
		pp_count(PP_N_UNFOLLOWED, 1);
		return NULL;
	}
	o = &pp_objects.object[number];
	spin_lock(&o->lock);
	if (!pp_object_index(program, va, number)) {
		spin_unlock(&o->lock);
		pp_free_push(number);
		pp_count(PP_N_UNFOLLOWED, 1);
		return NULL;
	}
	o->generation = o->generation + 1 ?: 1;
	o->program = program;
	o->va = va;
	o->heat = 0;
	o->heat_at = now;
	o->seen_at = now;
	o->marked_at = 0;
	o->node = node;
	o->promoted = 0;
	o->demoted = 0;
	o->aborted = 0;
	o->queued = false;
	atomic_inc(&program->resident[node]);
	atomic_inc(&pp_objects.followed);
	WRITE_ONCE(pp_objects.generation[number], o->generation);
	return pp_object_locked(o);
}

/* The object of a page, its lock held; NULL where it has none. */
static struct pp_object *pp_object_find(struct pp_program *program, unsigned long va)
{
	void *entry = xa_load(&program->objects, va >> PAGE_SHIFT);
	struct pp_object *o;

	if (!entry)
		return NULL;
	o = &pp_objects.object[xa_to_value(entry)];
	spin_lock(&o->lock);
	return pp_object_if(o, o->program == program && o->va == va);
}

/* The object of a handle, its lock held; NULL where it is gone, or there never was one (P2). */
static struct pp_object *pp_object_of(u64 handle)
{
	u32 number = tiffin_handle_object(handle);
	struct pp_object *o;

	if (handle == TIFFIN_NO_HANDLE || number >= pp_objects.nr)
		return NULL;
	o = &pp_objects.object[number];
	spin_lock(&o->lock);
	return pp_object_if(o, o->program &&
			       o->generation == tiffin_handle_generation(handle));
}

/* The page has been seen on @node. */
static void pp_object_lies(struct pp_object *o, u32 node)
{
	if (o->node == node)
		return;
	atomic_dec(&o->program->resident[o->node]);
	atomic_inc(&o->program->resident[node]);
	o->node = node;
}

bool pp_object_access(struct pp_program *program, unsigned long va, u32 node, struct pp_seen *seen)
{
	struct pp_object *o = pp_object_find(program, va);

	if (!o)
		o = pp_object_add(program, va, node, true);
	if (!o)
		return false;
	pp_object_lies(o, node);
	pp_object_tell(o, seen);
	o->heat = min_t(u32, o->heat + PP_HEAT_ACCESS, PP_HEAT_MAX);
	seen->page.heat = o->heat;
	o->seen_at = jiffies;
	o->marked_at = 0;
	pp_object_unlock(o);
	return true;
}

bool pp_object_idle(struct pp_program *program, unsigned long va, u32 node, struct pp_seen *seen)
{
	struct pp_object *o = pp_object_find(program, va);

	/* Where no page goes from, one that is idle is of no interest. */
	if (!o && pp_tiers_next(node, TIFFIN_PP_DEMOTE) != TIFFIN_PP_NO_NODE)
		o = pp_object_add(program, va, node, true);
	if (!o)
		return false;
	pp_object_lies(o, node);
	pp_object_tell(o, seen);
	pp_object_unlock(o);
	return true;
}

void pp_object_marked(struct pp_program *program, unsigned long va, u32 node)
{
	struct pp_object *o = pp_object_find(program, va);

	if (!o)
		o = pp_object_add(program, va, node, false);
	if (!o)
		return;
	o->marked_at = pp_now_us();
	pp_object_unlock(o);
}

bool pp_object_queue(u64 handle)
{
	struct pp_object *o = pp_object_of(handle);
	bool fresh;

	if (!o)
		return false;
	fresh = !o->queued;
	o->queued = true;
	pp_object_unlock(o);
	return fresh;
}

void pp_object_unqueue(u64 handle)
{
	struct pp_object *o = pp_object_of(handle);

	if (!o)
		return;
	o->queued = false;
	pp_object_unlock(o);
}

bool pp_object_claim(u64 handle, struct pp_seen *seen)
{
	struct pp_object *o = pp_object_of(handle);
	bool held;

	if (!o)
		return false;
	pp_object_tell(o, seen);
	held = pp_program_hold(o->program);
	pp_object_unlock(o);
	return held;
}

static u16 pp_one_more(u16 n)
{
	return n == U16_MAX ? n : n + 1;
}

void pp_object_moved(struct pp_seen *seen, u32 direction, u32 result, u32 node)
{
	struct pp_object *o = pp_object_of(seen->handle);

	if (!o)
		return;
	o->queued = false;
	pp_object_lies(o, node);
	switch (result) {
	case TIFFIN_PP_MOVED:
	case TIFFIN_PP_REMAPPED:
		if (direction == TIFFIN_PP_PROMOTE)
			o->promoted = pp_one_more(o->promoted);
		else
			o->demoted = pp_one_more(o->demoted);
		o->aborted = 0;
		break;
	case TIFFIN_PP_WRITTEN:
		o->aborted = pp_one_more(o->aborted);
		break;
	}
	pp_object_tell(o, seen);
	pp_object_unlock(o);
}

/* @o is locked, and will not be at return. */
static void pp_object_release(struct pp_object *o)
{
	u32 number = pp_object_number(o);

	pp_object_end(o);
	pp_object_unlock(o);
	tiffin_object_gone(pp_family.scope, number);
	pp_free_push(number);
}

void pp_object_drop(u64 handle)
{
	struct pp_object *o = pp_object_of(handle);

	if (o)
		pp_object_release(o);
}

void pp_objects_drop(struct pp_program *program, unsigned long start, unsigned long end,
		     bool may_sleep)
{
	unsigned int nr = 0;
	unsigned long index;
	void *entry;

	xa_for_each_range(&program->objects, index, entry, start >> PAGE_SHIFT,
			  (end - 1) >> PAGE_SHIFT) {
		struct pp_object *o = pp_object_find(program, index << PAGE_SHIFT);

		if (o)
			pp_object_release(o);
		if (may_sleep && !(++nr % PP_DROP_ONCE))
			cond_resched();
	}
}

void pp_objects_close(struct pp_program *program)
{
	xa_lock(&program->objects);
	program->closed = true;
	xa_unlock(&program->objects);
	pp_objects_drop(program, 0, ULONG_MAX, true);
}

int pp_objects_init(u32 nr)
{
	u32 i;

	pp_objects.object = vzalloc(array_size(nr, sizeof(*pp_objects.object)));
	pp_objects.generation = vzalloc(array_size(nr, sizeof(*pp_objects.generation)));
	if (!pp_objects.object || !pp_objects.generation) {
		pp_objects_exit();
		return -ENOMEM;
	}
	pp_objects.nr = nr;
	spin_lock_init(&pp_objects.free_lock);
	pp_objects.free = PP_NO_OBJECT;
	for (i = nr; i--;) {
		spin_lock_init(&pp_objects.object[i].lock);
		pp_objects.object[i].next = pp_objects.free;
		pp_objects.free = i;
	}
	return 0;
}

void pp_objects_exit(void)
{
	vfree(pp_objects.generation);
	vfree(pp_objects.object);
}
