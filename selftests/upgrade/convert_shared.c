// SPDX-License-Identifier: GPL-2.0-only
/*
 * The copy of records that calls share, field by field. A record counts the calls about its object,
 * and adds STEP for each: the copy counts those that have begun and those that are over, by epoch,
 * so that it knows between which bounds each field lies, and what it is when nobody is in a call.
 *
 * No lock keeps calls apart here, and none may: what was at the beginning of an epoch follows from
 * what is over and changes no more, so that all who want to know it come to the same.
 *
 * A call about an object that is gone may write to the record of the next object of that number:
 * a policy has to accept that. Here calls about two objects of a number don't meet, so that each
 * field can be told; that they are kept apart where it is promised is the locked records' to show.
 */
#include <tiffin/state.h>

#include "convert_copy.h"
#include "failures.h"

#define STEP		0x9e3779b97f4a7c15ULL
#define ALONE		(1U << 31)

/**
 * struct life - the calls about an object in one epoch
 * @generation: of the object, 0 before the first call; there when the others are
 * @converted: times that the record was converted
 * @base: calls that were counted before
 * @begun: calls that have begun
 * @over: calls that are over
 */
struct life {
	u32 generation;
	u32 converted;
	u64 base;
	u64 begun;
	u64 over;
};

/* A record's generation and count. */
struct state {
	u32 generation;
	u64 count;
};

/**
 * struct start - of an object, when an epoch begins
 * @ready: the others are there
 * @now: the record
 * @then: the record at the last flip to a newer policy
 */
struct start {
	u32 ready;
	struct state now;
	struct state then;
};

static struct life lives[MAX_EPOCHS][OBJECTS];
static struct start starts[MAX_EPOCHS][OBJECTS];
static u32 generations[OBJECTS];
/* Calls about an object, or ALONE. */
static u32 users[OBJECTS];
/* The next call is the first of its generation. */
static u32 first[OBJECTS];

#define get(p)		__atomic_load_n((p), __ATOMIC_SEQ_CST)
#define put(p, v)	__atomic_store_n((p), (v), __ATOMIC_SEQ_CST)
#define add(p, v)	__atomic_add_fetch((p), (v), __ATOMIC_SEQ_CST)

static struct state state_get(struct state *state)
{
	return (struct state) { get(&state->generation), get(&state->count) };
}

static void state_put(struct state *state, struct state value)
{
	put(&state->generation, value.generation);
	put(&state->count, value.count);
}

/* What the record is at the end of an epoch. */
static struct state state_at_end(u64 epoch, u32 number)
{
	struct life *life = &lives[epoch][number];

	if (get(&life->generation))
		return (struct state) { get(&life->generation),
					get(&life->base) + get(&life->over) };
	return state_get(&starts[epoch][number].now);
}

static struct state state_at_start(u64 epoch, u32 number)
{
	const struct flip *flip;
	struct state now, then;
	u64 e = epoch;

	while (e && !get(&starts[e][number].ready))
		e--;
	for (; e < epoch; e++) {
		struct start *next = &starts[e + 1][number];

		flip = &flips[e + 1];
		now = state_at_end(e, number);
		then = flip->forward ? now : state_get(&starts[e][number].then);
		if (flip->fate[TIFFIN_STORE_OBJECT] == BACK)
			now = then;
		else if (flip->fate[TIFFIN_STORE_OBJECT] == ZEROS)
			now = (struct state) {};
		state_put(&next->now, now);
		state_put(&next->then, then);
		put(&next->ready, 1);
	}
	return state_get(&starts[epoch][number].now);
}

static struct fact fact_of(u32 number, struct state state)
{
	if (!state.generation)
		return (struct fact) {};
	return (struct fact) { number, state.generation, state.count, state.count * STEP };
}

void copy_begin(void)
{
	unsigned int i;

	for (i = 0; i < OBJECTS; i++)
		generations[i] = 1;
}

bool copy_hold(struct hold *hold, u32 number, enum change change)
{
	u32 nobody = 0;

	*hold = (struct hold) { .number = number };
	if (change != SAME || get(&first[number]))
		hold->alone = __atomic_compare_exchange_n(&users[number], &nobody, ALONE, false,
							  __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	if (!hold->alone && (add(&users[number], 1) & ALONE || get(&first[number]))) {
		add(&users[number], -1);
		return false;
	}
	hold->generation = get(&generations[number]);
	if (!hold->alone)
		return true;
	hold->late = change == LATE && hold->generation > 1;
	if (hold->late) {
		hold->generation--;
	} else if (change == NEXT) {
		hold->generation = add(&generations[number], 1);
		put(&first[number], 1);
	}
	return true;
}

void copy_let_go(const struct hold *hold, bool answered)
{
	if (hold->alone && answered)
		put(&first[hold->number], hold->late);
	add(&users[hold->number], hold->alone ? -ALONE : -1);
}

/* The calls about this object in this epoch. */
static struct life *life_of(const struct tiffin_ctx *ctx, const struct in *in)
{
	struct life *life = &lives[ctx->epoch][in->number];
	struct state start = state_at_start(ctx->epoch, in->number);
	u32 known = get(&life->generation), latest = known ?: start.generation;

	if (latest && (s32)(in->generation - latest) < 0)
		test_fail(__FILE__, __LINE__, "a late call, for %u.%u, is answered after %u",
			  in->number, in->generation, latest);
	if (known == in->generation)
		return life;
	/* Another object: the call is alone. */
	if (known) {
		put(&life->begun, 0);
		put(&life->over, 0);
	}
	put(&life->base, !known && start.generation == in->generation ? start.count : 0);
	put(&life->generation, in->generation);
	return life;
}

/* Is @what so many, of @low to @high? */
static void within(const char *what, const struct in *in, u64 epoch, u64 got, u64 low, u64 high)
{
	if (got < low || got > high)
		test_fail(__FILE__, __LINE__, "%s of %u.%u in epoch %llu: %llu, not %llu to %llu",
			  what, in->number, in->generation, epoch, got, low, high);
}

void copy_answer(const struct tiffin_ctx *ctx, const struct in *in, u32 layout)
{
	struct fields field = fields_of(tiffin_object(ctx), layout);
	struct life *life = life_of(ctx, in);
	u64 low, high, count, sum, steps;
	u32 number, generation;
	int i;

	add(&life->begun, 1);
	low = get(&life->base) + get(&life->over);
	count = tiffin_load(field.count);
	sum = tiffin_load(field.sum);
	number = tiffin_load(field.number);
	generation = tiffin_load(field.generation);
	/* This call has added nothing yet. */
	high = get(&life->base) + get(&life->begun) - 1;
	if (tiffin_object_fresh(ctx) && get(&life->base))
		within("a lost record", in, ctx->epoch, 0, get(&life->base), get(&life->base));
	within("the count", in, ctx->epoch, count, low, high);
	for (steps = low; steps < high && steps * STEP != sum;)
		steps++;
	if (steps * STEP != sum)
		test_fail(__FILE__, __LINE__, "sum %llx of %u.%u in epoch %llu is not of %llu to %llu",
			  sum, in->number, in->generation, ctx->epoch, low, high);
	/* Zeros only where nobody may have written yet. */
	if ((number != in->number && (low || number)) ||
	    (generation != in->generation && (low || generation)))
		test_fail(__FILE__, __LINE__, "the record of %u.%u for %u.%u", number, generation,
			  in->number, in->generation);

	tiffin_store(field.number, in->number);
	tiffin_store(field.generation, in->generation);
	tiffin_add(field.count, 1);
	/* Half-written for a while, so that a flip or a conversion would find it so. */
	for (i = 0; i < 20; i++)
		cpu_relax();
	tiffin_add(field.sum, STEP);
	add(&life->over, 1);
}

void copy_convert(const struct fact *fact, u64 epoch)
{
	struct life *life = &lives[epoch][fact->number];
	struct fact want = fact_of(fact->number, state_at_start(epoch, fact->number));

	/* As at the flip: no call of this epoch has come to it yet. */
	if (!fact_same(fact, &want))
		fact_differs("a record to convert", fact, &want, epoch);
	if (get(&life->generation))
		fact_differs("a record that a call has had", fact, &want, epoch);
	if (add(&life->converted, 1) > 1)
		fact_differs("a record that was converted before", fact, &want, epoch);
}

struct fact copy_at_rest(u32 number, u64 epoch)
{
	state_at_start(epoch, number);
	return fact_of(number, state_at_end(epoch, number));
}
