// SPDX-License-Identifier: GPL-2.0-only
/* The table of followed pages of page_placement: numbers, generations, heat, who makes room. */

#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/kthread.h>
#include <linux/prandom.h>

#include "lab_kunit.h"

/* The object is part of the family's module, not of the host module that suites are built with. */
#include "page_placement/object.c"

#define OBJECTS		16
#define PROGRAMS	2
/* More than there are objects, so that some make room. */
#define PAGES		24
#define FAST		0
#define SLOW		1
#define NODES		2
#define STEPS		20000
#define THREADS		4

/* What object.c has of the host's other files: here pages go from FAST to SLOW and back. */
struct tiffin_family pp_family;
DEFINE_PER_CPU(struct pp_counts, pp_counts);

u32 pp_tiers_next(u32 node, u32 direction)
{
	if (direction == TIFFIN_PP_DEMOTE)
		return node == FAST ? SLOW : TIFFIN_PP_NO_NODE;
	return node == SLOW ? FAST : TIFFIN_PP_NO_NODE;
}

bool pp_program_hold(struct pp_program *program)
{
	return kref_get_unless_zero(&program->ref);
}

bool pp_program_shadowed(struct pp_program *program, unsigned long va)
{
	return false;
}

/**
 * struct object_lab - programs that have pages, and the table
 * @lab: whose scope is told of pages that are gone; first: test->priv is the lab
 * @program: that have pages
 * @table: it is there
 */
struct object_lab {
	struct lab lab;
	struct pp_program *program[PROGRAMS];
	bool table;
};

static struct object_lab *object_lab(struct kunit *test)
{
	return test->priv;
}

static unsigned long page_va(unsigned int page)
{
	return 0x100000 + page * PAGE_SIZE;
}

static int object_init(struct kunit *test)
{
	struct object_lab *lab = kunit_kzalloc(test, sizeof(*lab), GFP_KERNEL);
	unsigned int i;
	int rc;

	if (!lab)
		return -ENOMEM;
	test->priv = lab;
	rc = lab_start(&lab->lab);
	if (rc)
		return rc;
	pp_family.scope = lab->lab.family.scope;
	for (i = 0; i < PROGRAMS; i++) {
		lab->program[i] = kunit_kzalloc(test, struct_size(lab->program[i], resident, NODES),
						GFP_KERNEL);
		if (!lab->program[i])
			return -ENOMEM;
		kref_init(&lab->program[i]->ref);
		xa_init(&lab->program[i]->objects);
	}
	rc = pp_objects_init(OBJECTS);
	lab->table = !rc;
	return rc;
}

static void object_exit(struct kunit *test)
{
	struct object_lab *lab = object_lab(test);
	unsigned int i;

	if (!lab)
		return;
	for (i = 0; i < PROGRAMS && lab->table; i++) {
		pp_objects_close(lab->program[i]);
		xa_destroy(&lab->program[i]->objects);
	}
	if (lab->table)
		pp_objects_exit();
	lab_stop(&lab->lab);
}

/* The free numbers are noted in @free; how many there are. */
static unsigned int count_free(unsigned long *free)
{
	unsigned int nr = 0;
	u32 number;

	bitmap_zero(free, OBJECTS);
	for (number = pp_objects.free; number != PP_NO_OBJECT && nr <= OBJECTS; nr++) {
		__set_bit(number, free);
		number = pp_objects.object[number].next;
	}
	return nr;
}

static unsigned int count_indexed(struct pp_program *program)
{
	unsigned long index;
	unsigned int nr = 0;
	void *entry;

	xa_for_each(&program->objects, index, entry)
		nr++;
	return nr;
}

/*
 * While nobody changes the table: each number is free or has one page, which its program's index
 * leads to; generations and counts say the same.
 */
static void expect_consistent(struct kunit *test)
{
	unsigned int lives[PROGRAMS] = {}, resident[PROGRAMS][NODES] = {}, live = 0, number, p, n;
	struct object_lab *lab = object_lab(test);
	DECLARE_BITMAP(free, OBJECTS);

	KUNIT_EXPECT_EQ(test, count_free(free), bitmap_weight(free, OBJECTS));
	for (number = 0; number < OBJECTS; number++) {
		struct pp_object *o = &pp_objects.object[number];

		KUNIT_EXPECT_EQ(test, !o->program, test_bit(number, free));
		KUNIT_EXPECT_EQ(test, pp_objects.generation[number],
				o->program ? o->generation : 0);
		for (p = 0; p < PROGRAMS; p++) {
			if (o->program != lab->program[p])
				continue;
			live++;
			lives[p]++;
			resident[p][o->node]++;
			KUNIT_EXPECT_PTR_EQ(test, xa_load(&o->program->objects,
							  o->va >> PAGE_SHIFT),
					    xa_mk_value(number));
		}
	}
	KUNIT_EXPECT_EQ(test, live + bitmap_weight(free, OBJECTS), OBJECTS);
	KUNIT_EXPECT_EQ(test, pp_objects_followed(), live);
	for (p = 0; p < PROGRAMS; p++) {
		KUNIT_EXPECT_EQ(test, count_indexed(lab->program[p]), lives[p]);
		for (n = 0; n < NODES; n++)
			KUNIT_EXPECT_EQ(test, atomic_read(&lab->program[p]->resident[n]),
					resident[p][n]);
	}
}

static struct pp_seen see(struct kunit *test, unsigned int page, u32 node)
{
	struct pp_seen seen = {};

	KUNIT_EXPECT_TRUE(test, pp_object_access(object_lab(test)->program[0], page_va(page), node,
						 &seen));
	return seen;
}

/* So many seconds pass. */
static void passes(u64 handle, u32 seconds)
{
	struct pp_object *o = &pp_objects.object[tiffin_handle_object(handle)];

	o->heat_at -= seconds * HZ;
	o->seen_at -= seconds * HZ;
}

static void object_access(struct kunit *test)
{
	struct pp_seen first = see(test, 3, SLOW), again = see(test, 3, SLOW);

	KUNIT_EXPECT_NE(test, first.handle, TIFFIN_NO_HANDLE);
	KUNIT_EXPECT_EQ(test, first.handle, again.handle);
	KUNIT_EXPECT_PTR_EQ(test, first.program, object_lab(test)->program[0]);
	KUNIT_EXPECT_EQ(test, first.va, page_va(3));
	KUNIT_EXPECT_EQ(test, first.page.node, SLOW);
	KUNIT_EXPECT_EQ(test, first.page.heat, PP_HEAT_ACCESS);
	KUNIT_EXPECT_EQ(test, again.page.heat, 2 * PP_HEAT_ACCESS);
	KUNIT_EXPECT_NE(test, see(test, 4, SLOW).handle, first.handle);
	/* It has come to another node by itself. */
	KUNIT_EXPECT_EQ(test, see(test, 3, FAST).page.node, FAST);
	expect_consistent(test);
}

/* Heat halves each second, and ends at its limit. */
static void object_heat(struct kunit *test)
{
	struct pp_seen seen = {};
	unsigned int i;

	for (i = 0; i < 8; i++)
		seen = see(test, 0, SLOW);
	KUNIT_EXPECT_EQ(test, seen.page.heat, 8 * PP_HEAT_ACCESS);
	passes(seen.handle, 3);
	KUNIT_EXPECT_EQ(test, see(test, 0, SLOW).page.heat, 2 * PP_HEAT_ACCESS);
	passes(seen.handle, 100);
	KUNIT_EXPECT_EQ(test, see(test, 0, SLOW).page.heat, PP_HEAT_ACCESS);
	for (i = 0; i < 300; i++)
		seen = see(test, 0, SLOW);
	KUNIT_EXPECT_EQ(test, seen.page.heat, PP_HEAT_MAX);
}

/* An access ends the mark's time, which was told once. */
static void object_marked(struct kunit *test)
{
	struct pp_program *program = object_lab(test)->program[0];
	struct pp_seen seen;

	pp_object_marked(program, page_va(5), SLOW);
	seen = see(test, 5, SLOW);
	pp_objects.object[tiffin_handle_object(seen.handle)].marked_at = (pp_now_us() - 5000) | 1;
	KUNIT_EXPECT_GE(test, see(test, 5, SLOW).latency_us, 4000U);
	KUNIT_EXPECT_EQ(test, see(test, 5, SLOW).latency_us, 0U);
	/* Marks make no room: they tell less than an access. */
	while (pp_objects_followed() < OBJECTS)
		see(test, 6 + pp_objects_followed(), SLOW);
	pp_object_marked(program, page_va(0), SLOW);
	KUNIT_EXPECT_NULL(test, xa_load(&program->objects, page_va(0) >> PAGE_SHIFT));
	expect_consistent(test);
}

/* A page that is idle where none goes from is not followed for that. */
static void object_idle(struct kunit *test)
{
	struct pp_program *program = object_lab(test)->program[0];
	struct pp_seen seen = {};

	KUNIT_EXPECT_FALSE(test, pp_object_idle(program, page_va(1), SLOW, &seen));
	KUNIT_EXPECT_TRUE(test, pp_object_idle(program, page_va(1), FAST, &seen));
	KUNIT_EXPECT_EQ(test, seen.page.heat, 0);
	KUNIT_EXPECT_TRUE(test, pp_object_idle(program, page_va(1), SLOW, &seen));
	KUNIT_EXPECT_EQ(test, seen.page.node, SLOW);
	expect_consistent(test);
}

/* P2: a handle is worth nothing once its page is gone, also where the number is another page's. */
static void object_generations(struct kunit *test)
{
	struct pp_seen gone = see(test, 1, SLOW), next, seen;

	pp_object_drop(gone.handle);
	next = see(test, 2, SLOW);
	KUNIT_ASSERT_EQ(test, tiffin_handle_object(next.handle), tiffin_handle_object(gone.handle));
	KUNIT_EXPECT_NE(test, next.handle, gone.handle);
	KUNIT_EXPECT_FALSE(test, pp_object_queue(gone.handle));
	KUNIT_EXPECT_FALSE(test, pp_object_claim(gone.handle, &seen));
	pp_object_moved(&gone, TIFFIN_PP_PROMOTE, TIFFIN_PP_MOVED, FAST);
	pp_object_drop(gone.handle);
	seen = see(test, 2, SLOW);
	KUNIT_EXPECT_EQ(test, seen.handle, next.handle);
	KUNIT_EXPECT_EQ(test, seen.page.promoted, 0);
	KUNIT_EXPECT_FALSE(test, pp_object_queue(TIFFIN_NO_HANDLE));
	KUNIT_EXPECT_FALSE(test, pp_object_queue(tiffin_handle(OBJECTS, 1)));
	expect_consistent(test);
}

/* The coldest makes room, of two as cold the one that was idle for longer; never one that waits. */
static void object_makes_room(struct kunit *test)
{
	struct pp_seen seen[OBJECTS], more;
	unsigned int i;

	for (i = 0; i < OBJECTS; i++) {
		seen[i] = see(test, i, SLOW);
		see(test, i, SLOW);
	}
	passes(seen[7].handle, 10);
	passes(seen[9].handle, 20);
	passes(seen[11].handle, 30);
	KUNIT_EXPECT_TRUE(test, pp_object_queue(seen[11].handle));
	KUNIT_EXPECT_FALSE(test, pp_object_queue(seen[11].handle));
	more = see(test, OBJECTS, SLOW);
	KUNIT_EXPECT_EQ(test, tiffin_handle_object(more.handle),
			tiffin_handle_object(seen[9].handle));
	see(test, OBJECTS, SLOW);
	more = see(test, OBJECTS + 1, SLOW);
	KUNIT_EXPECT_EQ(test, tiffin_handle_object(more.handle),
			tiffin_handle_object(seen[7].handle));
	pp_object_unqueue(seen[11].handle);
	see(test, OBJECTS + 1, SLOW);
	more = see(test, OBJECTS + 2, SLOW);
	KUNIT_EXPECT_EQ(test, tiffin_handle_object(more.handle),
			tiffin_handle_object(seen[11].handle));
	expect_consistent(test);
}

static void object_all_wait(struct kunit *test)
{
	struct pp_seen seen = {};
	unsigned int i;

	for (i = 0; i < OBJECTS; i++)
		pp_object_queue(see(test, i, SLOW).handle);
	KUNIT_EXPECT_FALSE(test, pp_object_access(object_lab(test)->program[1], page_va(0), SLOW,
						  &seen));
	expect_consistent(test);
}

static void object_moves(struct kunit *test)
{
	struct pp_seen seen = see(test, 1, SLOW), claimed;

	pp_object_queue(seen.handle);
	KUNIT_ASSERT_TRUE(test, pp_object_claim(seen.handle, &claimed));
	KUNIT_EXPECT_EQ(test, kref_read(&claimed.program->ref), 2);
	KUNIT_EXPECT_TRUE(test, claimed.page.flags & TIFFIN_PP_PAGE_QUEUED);
	pp_object_moved(&claimed, TIFFIN_PP_PROMOTE, TIFFIN_PP_WRITTEN, SLOW);
	KUNIT_EXPECT_EQ(test, claimed.page.aborted, 1);
	KUNIT_EXPECT_FALSE(test, claimed.page.flags & TIFFIN_PP_PAGE_QUEUED);
	pp_object_moved(&claimed, TIFFIN_PP_PROMOTE, TIFFIN_PP_MOVED, FAST);
	KUNIT_EXPECT_EQ(test, claimed.page.node, FAST);
	KUNIT_EXPECT_EQ(test, claimed.page.promoted, 1);
	KUNIT_EXPECT_EQ(test, claimed.page.aborted, 0);
	pp_object_moved(&claimed, TIFFIN_PP_DEMOTE, TIFFIN_PP_REMAPPED, SLOW);
	KUNIT_EXPECT_EQ(test, claimed.page.demoted, 1);
	KUNIT_EXPECT_EQ(test, claimed.page.promoted, 1);
	expect_consistent(test);
}

static void object_drops(struct kunit *test)
{
	struct object_lab *lab = object_lab(test);
	struct pp_seen seen = {};
	unsigned int i;

	for (i = 0; i < 8; i++)
		see(test, i, SLOW);
	pp_object_access(lab->program[1], page_va(3), SLOW, &seen);
	pp_objects_drop(lab->program[0], page_va(2), page_va(5), false);
	KUNIT_EXPECT_EQ(test, count_indexed(lab->program[0]), 5);
	KUNIT_EXPECT_NOT_NULL(test, xa_load(&lab->program[0]->objects, page_va(1) >> PAGE_SHIFT));
	KUNIT_EXPECT_NULL(test, xa_load(&lab->program[0]->objects, page_va(4) >> PAGE_SHIFT));
	KUNIT_EXPECT_NOT_NULL(test, xa_load(&lab->program[0]->objects, page_va(5) >> PAGE_SHIFT));
	KUNIT_EXPECT_EQ(test, count_indexed(lab->program[1]), 1);
	expect_consistent(test);
	pp_objects_close(lab->program[0]);
	KUNIT_EXPECT_FALSE(test, pp_object_access(lab->program[0], page_va(1), SLOW, &seen));
	KUNIT_EXPECT_EQ(test, pp_objects_followed(), 1);
	expect_consistent(test);
}

/* The programs keep theirs. */
static void last_reference(struct kref *ref)
{
	WARN_ON_ONCE(1);
}

/* One step of any kind on any page; @held are handles from earlier steps. */
static void any_step(struct object_lab *lab, struct rnd_state *rnd, u64 held[8])
{
	u32 dice = prandom_u32_state(rnd);
	struct pp_program *program = lab->program[dice % PROGRAMS];
	unsigned long va = page_va(dice / 2 % PAGES);
	u64 *handle = &held[dice >> 8 & 7];
	u32 node = dice >> 11 & 1;
	struct pp_seen seen = {};

	switch (dice >> 12 & 15) {
	case 0:
		pp_object_idle(program, va, node, &seen);
		break;
	case 1:
		pp_object_marked(program, va, node);
		break;
	case 2:
		pp_object_drop(*handle);
		break;
	case 3:
		pp_objects_drop(program, va, va + 3 * PAGE_SIZE, true);
		break;
	case 4 ... 6:
		pp_object_queue(*handle);
		break;
	case 7 ... 9:
		if (pp_object_claim(*handle, &seen)) {
			pp_object_moved(&seen, dice >> 16 & 1, (dice >> 17) % 3, node);
			kref_put(&seen.program->ref, last_reference);
		}
		break;
	case 10:
		pp_object_unqueue(*handle);
		break;
	default:
		if (pp_object_access(program, va, node, &seen))
			*handle = seen.handle;
	}
}

static void object_random(struct kunit *test)
{
	u64 held[8] = {};
	struct rnd_state rnd;
	unsigned int i;

	prandom_seed_state(&rnd, 1);
	for (i = 0; i < STEPS; i++) {
		any_step(object_lab(test), &rnd, held);
		expect_consistent(test);
	}
}

/**
 * struct object_walker - a thread that makes steps
 * @lab: where
 * @seed: of its steps
 * @done: it has made all
 */
struct object_walker {
	struct object_lab *lab;
	u64 seed;
	struct completion done;
};

static int object_thread(void *data)
{
	struct object_walker *walker = data;
	u64 held[8] = {};
	struct rnd_state rnd;
	unsigned int i;

	prandom_seed_state(&rnd, walker->seed);
	for (i = 0; i < STEPS; i++) {
		any_step(walker->lab, &rnd, held);
		cond_resched();
	}
	complete(&walker->done);
	return 0;
}

/* Several at once: afterwards nothing is lost, and nothing stands twice. */
static void object_threads(struct kunit *test)
{
	struct object_walker *walker = kunit_kcalloc(test, THREADS, sizeof(*walker), GFP_KERNEL);
	struct task_struct *task;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, walker);
	for (i = 0; i < THREADS; i++) {
		walker[i].lab = object_lab(test);
		walker[i].seed = i + 2;
		init_completion(&walker[i].done);
		task = kthread_run(object_thread, &walker[i], "pp_object/%u", i);
		KUNIT_EXPECT_FALSE(test, IS_ERR(task));
		if (IS_ERR(task))
			complete(&walker[i].done);
	}
	for (i = 0; i < THREADS; i++)
		wait_for_completion(&walker[i].done);
	KUNIT_EXPECT_EQ(test, kref_read(&object_lab(test)->program[0]->ref), 1);
	KUNIT_EXPECT_EQ(test, kref_read(&object_lab(test)->program[1]->ref), 1);
	expect_consistent(test);
}

static struct kunit_case object_cases[] = {
	KUNIT_CASE(object_access),
	KUNIT_CASE(object_heat),
	KUNIT_CASE(object_marked),
	KUNIT_CASE(object_idle),
	KUNIT_CASE(object_generations),
	KUNIT_CASE(object_makes_room),
	KUNIT_CASE(object_all_wait),
	KUNIT_CASE(object_moves),
	KUNIT_CASE(object_drops),
	KUNIT_CASE(object_random),
	KUNIT_CASE(object_threads),
	{}
};

static struct kunit_suite object_suite = {
	.name = "pp_object",
	.init = object_init,
	.exit = object_exit,
	.test_cases = object_cases,
};
kunit_test_suite(object_suite);
