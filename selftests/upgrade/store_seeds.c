// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first inputs of every run, so that what they would find is found in any build: each record is
 * written in full and so are its neighbours, in each layout, by calls and by conversions; each kind
 * of store is handed over and taken back.
 */
#include "list_model.h"
#include "store_seeds.h"

#define ROLLBACK	4
#define COMMIT		5
#define SWEEP		6
#define CPU		8
/* Moves of a generation. */
#define SAME		0
#define LATER		3
#define LATE		5
#define BEHIND		7

static void put(struct seed *seed, u8 byte)
{
	if (seed->size == sizeof(seed->bytes))
		shim_splat(__FILE__, __LINE__, "the seed has no room");
	seed->bytes[seed->size++] = byte;
}

/* What scribble() takes: the first @size bytes of a record. */
static void put_bytes(struct seed *seed, u8 size)
{
	u8 i;

	put(seed, 0);
	put(seed, size);
	for (i = 0; i < size; i++)
		put(seed, 'a' + i);
}

/* What convert() takes. */
static void put_convert(struct seed *seed, u8 size, bool knows)
{
	put_bytes(seed, size);
	put(seed, knows ? 0 : 3);
}

/* A call that opens a record, and what answer() takes: the whole record is written. */
static void put_call(struct seed *seed, u8 object, u8 move)
{
	put(seed, 0);
	put(seed, object);
	put(seed, move);
}

static void put_answer(struct seed *seed, u8 size)
{
	put(seed, 1);
	put_bytes(seed, size);
	put(seed, 1);
}

/* The call that interrupts another. */
static void put_call_within(struct seed *seed, u8 object)
{
	put(seed, object);
	put(seed, SAME);
}

static void put_swap(struct seed *seed, u8 to, bool probation)
{
	put(seed, 3);
	put(seed, to | (probation ? 0x80 : 0));
	/* The records of the instance and the CPUs, where they are converted. */
	if (to == ODD || to == SHARED) {
		put_convert(seed, 1, true);
		put_convert(seed, 1, true);
		put_convert(seed, 1, true);
	}
}

/* Neighbours, then the one in between again, then another object in its place, then a late call. */
static void seed_neighbours(struct seed *seed)
{
	u8 i;

	for (i = 0; i < 3; i++) {
		put_call(seed, i, SAME);
		put_answer(seed, 24);
	}
	put_call(seed, 1, LATER);
	put_answer(seed, 24);
	put_call(seed, 1, LATE);
}

/* To smaller records by conversion, called in its middle, late as well, and to larger ones. */
static void seed_conversion(struct seed *seed)
{
	seed_neighbours(seed);
	put_swap(seed, ODD, false);
	put_call(seed, 1, LATE);
	put_call(seed, 1, SAME);
	put_convert(seed, 7, true);
	put_answer(seed, 7);
	put_call(seed, 2, LATER);
	put_answer(seed, 7);
	put(seed, SWEEP);
	put_convert(seed, 7, true);
	put_swap(seed, SHARED, false);
	put(seed, SWEEP);
	put_convert(seed, 48, true);
	put_convert(seed, 48, true);
	put_convert(seed, 48, true);
	put_call(seed, 1, SAME);
	put_answer(seed, 48);
}

/* What the newer one writes is gone after a rollback, in the middle of the sweep and after it. */
static void seed_rollback(struct seed *seed)
{
	seed_neighbours(seed);
	put_swap(seed, ODD, true);
	put_call(seed, 1, SAME);
	put_convert(seed, 7, true);
	put_answer(seed, 7);
	put(seed, ROLLBACK);
	put_call(seed, 1, SAME);
	put_answer(seed, 24);
	put_swap(seed, SHARED, true);
	put(seed, SWEEP);
	put_convert(seed, 48, true);
	put_convert(seed, 48, true);
	put_convert(seed, 48, true);
	put_call(seed, 1, SAME);
	put_answer(seed, 48);
	put(seed, ROLLBACK);
	put_call(seed, 1, SAME);
	put_answer(seed, 24);
	put_swap(seed, OTHER, true);
	put(seed, COMMIT);
	put_call(seed, 1, SAME);
	put_answer(seed, 1);
	put(seed, ROLLBACK);
}

/* A call within a call: about the same object, its neighbour, its successor. */
static void seed_nested(struct seed *seed)
{
	static const struct {
		u8 object;
		u8 move;
	} inner[] = { { 0, SAME }, { 1, SAME }, { 0, LATER } };
	u8 shared, i;

	for (shared = 0; shared < 2; shared++) {
		for (i = 0; i < ARRAY_SIZE(inner); i++) {
			put_call(seed, 0, SAME);
			put(seed, 1 | 8 | 16);
			put_bytes(seed, 24);
			put(seed, inner[i].object);
			put(seed, inner[i].move);
			/* A locked record is busy there, and nobody answers. */
			if (shared || inner[i].object)
				put_answer(seed, 24);
			put_bytes(seed, 24);
			put(seed, 1);
		}
		if (shared)
			break;
		put_swap(seed, SHARED, false);
		put(seed, SWEEP);
		put_convert(seed, 48, true);
		put_convert(seed, 48, true);
	}
}

/* Conversions that scribble and then don't know, of all kinds, at a call and by the sweep. */
static void seed_unknown(struct seed *seed)
{
	u8 i;

	seed_neighbours(seed);
	put(seed, 3);
	put(seed, ODD);
	for (i = 0; i < 3; i++)
		put_convert(seed, 1, false);
	put_call(seed, 1, SAME);
	put_convert(seed, 7, false);
	put_answer(seed, 7);
	put(seed, SWEEP);
	put_convert(seed, 7, false);
	put_convert(seed, 7, false);
}

/* What any_handle() and use_lists() take: one service, about an object that lives. */
static void put_service(struct seed *seed, u8 op, u8 list, u8 end, u8 object)
{
	put(seed, op);
	put(seed, list);
	put(seed, end);
	put(seed, object);
	put(seed, 0);
	put(seed, 'm');
}

/* A call that writes @size bytes of all three records, and puts its object on a list. */
static void put_all(struct seed *seed, u8 object, u8 size)
{
	u8 k;

	put_call(seed, object, SAME);
	put(seed, 1 | 2 | 4 | 32);
	for (k = 0; k < 3; k++)
		put_bytes(seed, size);
	put(seed, 0);
	put_service(seed, MODEL_PUT, 0, size % 2, object);
	put(seed, 1);
}

/* What @older hands to @newer by reference comes back as its owner has declared. */
static void put_undo(struct seed *seed, u8 older, u8 newer, u8 size)
{
	/* No swap of these converts. */
	put(seed, 3);
	put(seed, older);
	put_all(seed, 0, size);
	put_all(seed, 1, size);
	put(seed, 3);
	put(seed, newer | 0x80);
	put_all(seed, 1, size - 1);
	/* Nobody is asked, and nobody has the lists after that. */
	put_call(seed, 1, BEHIND);
	put(seed, CPU);
	put(seed, 1);
	put_all(seed, 2, size);
	put(seed, CPU);
	put(seed, 0);
	put(seed, ROLLBACK);
	put_all(seed, 0, size);
}

static void seed_undo(struct seed *seed)
{
	put_undo(seed, UNDO, FIRST, 8);
	put_undo(seed, FIRST, UNDO, 8);
	put_undo(seed, OTHER, NEXT, 1);
	put_undo(seed, NEXT, OTHER, 1);
	put_undo(seed, SHARED, THIRD, 17);
	put_undo(seed, THIRD, SHARED, 17);
}

/*
 * Lists go over by reference while records are converted: services from within a call, before and
 * after one that interrupts it, and about an object that is gone by then.
 */
static void seed_lists(struct seed *seed)
{
	u8 i;

	for (i = 0; i < 3; i++)
		put_all(seed, i, 8);
	put_swap(seed, ODD, true);
	put_call(seed, 1, SAME);
	put_convert(seed, 7, true);
	put(seed, 1 | 8 | 32 | 64 | 128);
	put_bytes(seed, 7);
	put(seed, 1);
	put_service(seed, MODEL_NEXT, 0, 0, 1);
	put_service(seed, MODEL_PUT, 1, 0, 1);
	/* The call within it, then the object that goes. */
	put_call_within(seed, 2);
	put_convert(seed, 7, true);
	put(seed, 1 | 32);
	put_bytes(seed, 7);
	put(seed, 0);
	put_service(seed, MODEL_TAKE, 0, 1, 0);
	put(seed, 1);
	put(seed, 0);
	put(seed, 2);
	put_service(seed, MODEL_FIRST, 0, 0, 0);
	put_service(seed, MODEL_FIND, 0, 0, 0);
	put_service(seed, MODEL_MARK, 0, 0, 1);
	put(seed, 1);
	put(seed, ROLLBACK);
	put_all(seed, 1, 8);
}

void store_seed(unsigned int nr, struct seed *seed)
{
	static void (* const make[SEEDS])(struct seed *seed) = {
		seed_neighbours, seed_conversion, seed_rollback, seed_nested, seed_unknown,
		seed_undo, seed_lists,
	};

	make[nr](seed);
}
