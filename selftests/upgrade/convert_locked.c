// SPDX-License-Identifier: GPL-2.0-only
/* The copy of records that one call has at a time: whoever has the record has the copy. */
#include <tiffin/state.h>

#include "convert_copy.h"
#include "failures.h"

/**
 * struct copy - of an object's record
 * @busy: somebody has it
 * @epoch: that @now is of
 * @converted: the epoch in which it was converted last
 * @now: what the record says
 * @then: what it said at the last flip to a newer policy
 */
static struct copy {
	u32 busy;
	u64 epoch;
	u64 converted;
	struct fact now;
	struct fact then;
} copies[OBJECTS];

static u32 generations[OBJECTS];

static void copy_catch_up(struct copy *copy, u64 epoch)
{
	const struct flip *flip;

	for (; copy->epoch < epoch; copy->epoch++) {
		flip = &flips[copy->epoch + 1];
		if (flip->forward)
			copy->then = copy->now;
		if (flip->fate[TIFFIN_STORE_OBJECT] == BACK)
			copy->now = copy->then;
		else if (flip->fate[TIFFIN_STORE_OBJECT] == ZEROS)
			copy->now = (struct fact) {};
	}
}

static void copy_take(struct copy *copy, const char *who)
{
	if (__atomic_exchange_n(&copy->busy, 1, __ATOMIC_RELAXED))
		test_fail(__FILE__, __LINE__, "%s: another call has this record", who);
}

static void copy_give_back(struct copy *copy)
{
	__atomic_store_n(&copy->busy, 0, __ATOMIC_RELAXED);
}

void copy_begin(void)
{
	unsigned int i;

	for (i = 0; i < OBJECTS; i++)
		generations[i] = 1;
}

bool copy_hold(struct hold *hold, u32 number, enum change change)
{
	u32 generation = READ_ONCE(generations[number]);

	if (change == NEXT)
		generation = __atomic_add_fetch(&generations[number], 1, __ATOMIC_RELAXED);
	else if (change == LATE && generation > 1)
		generation--;
	*hold = (struct hold) { .number = number, .generation = generation };
	return true;
}

void copy_let_go(const struct hold *hold, bool answered)
{
}

void copy_answer(const struct tiffin_ctx *ctx, const struct in *in, u32 layout)
{
	struct copy *copy = &copies[in->number];
	void *record = tiffin_object(ctx);
	struct fact fact = fact_read(record, layout);
	int i;

	copy_take(copy, "hook");
	copy_catch_up(copy, ctx->epoch);
	if (tiffin_object_fresh(ctx)) {
		if (!fact_same(&fact, &(struct fact) {}))
			fact_differs("a fresh record", &fact, &(struct fact) {}, ctx->epoch);
		/* Of another object, or of one that nobody knew: else its record is lost. */
		if (copy->now.generation && (s32)(in->generation - copy->now.generation) <= 0)
			fact_differs("a lost record", &fact, &copy->now, ctx->epoch);
		fact = (struct fact) { .number = in->number, .generation = in->generation };
	} else {
		if (!fact_same(&fact, &copy->now))
			fact_differs("a record", &fact, &copy->now, ctx->epoch);
		if (fact.number != in->number || fact.generation != in->generation)
			test_fail(__FILE__, __LINE__, "the record of %u.%u for %u.%u", fact.number,
				  fact.generation, in->number, in->generation);
	}
	fact.count++;
	fact.sum = fact.sum * 31 + in->value;
	copy->now = fact;
	/* Half-written for a while, so that who comes in sees it. */
	memset(record, 0xff, 8);
	for (i = 0; i < 20; i++)
		cpu_relax();
	fact_write(record, layout, &fact);
	copy_give_back(copy);
}

void copy_convert(const struct fact *fact, u64 epoch)
{
	struct copy *copy = &copies[fact->number];

	copy_take(copy, "conversion");
	copy_catch_up(copy, epoch);
	/* As at the flip: no call of this epoch has come to it yet. */
	if (!fact_same(fact, &copy->now))
		fact_differs("a record to convert", fact, &copy->now, epoch);
	if (copy->converted == epoch)
		fact_differs("a record that was converted before", fact, &copy->now, epoch);
	copy->converted = epoch;
	copy_give_back(copy);
}

struct fact copy_at_rest(u32 number, u64 epoch)
{
	copy_catch_up(&copies[number], epoch);
	return copies[number].now;
}
