// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first inputs of every run, so that what they would find is found in any build: each record is
 * written in full and so are its neighbours, in each layout, by calls and by conversions.
 */
#include "store_seeds.h"

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

#define ROLLBACK	4
#define COMMIT		5
#define SWEEP		6
/* Moves of a generation. */
#define SAME		0
#define NEXT		3
#define LATE		5

/* Neighbours, then the one in between again, then another object in its place, then a late call. */
static void seed_neighbours(struct seed *seed)
{
	u8 i;

	for (i = 0; i < 3; i++) {
		put_call(seed, i, SAME);
		put_answer(seed, 24);
	}
	put_call(seed, 1, NEXT);
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
	put_call(seed, 2, NEXT);
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
	} inner[] = { { 0, SAME }, { 1, SAME }, { 0, NEXT } };
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

/* Stores go over by reference, and come back as their owner has declared. */
static void seed_undo(struct seed *seed)
{
	u8 i, k;

	put_swap(seed, UNDO, false);
	for (i = 0; i < 2; i++) {
		put_call(seed, 0, SAME);
		/* All three records. */
		put(seed, 7);
		for (k = 0; k < 3; k++)
			put_bytes(seed, 3 + i);
		put(seed, 1);
		if (!i)
			put_swap(seed, FIRST, true);
	}
	put(seed, ROLLBACK);
	put_call(seed, 0, SAME);
	put_answer(seed, 24);
}

void store_seed(unsigned int nr, struct seed *seed)
{
	static void (* const make[SEEDS])(struct seed *seed) = {
		seed_neighbours, seed_conversion, seed_rollback, seed_nested, seed_unknown,
		seed_undo,
	};

	make[nr](seed);
}
