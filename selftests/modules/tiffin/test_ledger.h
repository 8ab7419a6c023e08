/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tiffin/test_ledger.h: the books of the ledger policies, the same for every family.
 *
 * All ledgers declare the same stores, so that a swap from one to the other hands the books over
 * by reference. Each call enters itself in them, and looks for calls of a later epoch: as the
 * stores are shared across a swap, an older policy's call that runs on beside the newer policy
 * finds the newer epoch there. A drained swap has no such call.
 */
#ifndef TIFFIN_TEST_LEDGER_H
#define TIFFIN_TEST_LEDGER_H

#include <tiffin/plugin.h>
#include <tiffin/state.h>

/*
 * The books' records have four layouts, between which each ledger converts: LEDGER_LAYOUT says
 * which one is a ledger's. They differ in how many words that mean nothing a record begins with,
 * and those of objects, by LEDGER_SHARING, in who may write them at the same time.
 */
#ifndef LEDGER_LAYOUT
#define LEDGER_LAYOUT		1
#endif
#ifndef LEDGER_SHARING
#define LEDGER_SHARING		TIFFIN_SHARE_LOCKED
#endif
#define LEDGER_LAYOUTS		4
#define LEDGER_PADS(layout)	(3 * ((layout) - 1))
#define LEDGER_PAD		__u64 pad[LEDGER_PADS(LEDGER_LAYOUT)]

/* A family whose ledgers define it keeps the instance's record in one layout. */
#ifdef LEDGER_BOOK_STAYS
#define LEDGER_BOOK_PAD		__u64 pad[0]
#else
#define LEDGER_BOOK_PAD		LEDGER_PAD
#endif

/* The books' totals, each also a counter of the same number; and further counters. */
enum {
	LEDGER_CALLS,
	LEDGER_OVERLAPS,
	LEDGER_VERIFIED,
	LEDGER_COMPARED,
	LEDGER_MISSES,
	LEDGER_DOUBTS,
	LEDGER_TOTALS,
	LEDGER_CPU_CALLS = LEDGER_TOTALS,
	LEDGER_OWN,
	LEDGER_ADOPTED,
	LEDGER_RECORDS,
};

/**
 * struct ledger - the instance's record, fields shared by all CPUs
 * @highest: highest epoch of any call so far
 * @carried: epoch in which the totals were last carried over to the policy's counters
 * @total: so far, over all ledgers that had this record
 */
struct ledger {
	LEDGER_BOOK_PAD;
	__u64 highest;
	__u64 carried;
	__u64 total[LEDGER_TOTALS];
};

/**
 * struct ledger_tally - the calls that a CPU or an object has seen, said in several ways
 * @began: calls that have begun; written first
 * @number: of the CPU or the object, not 0
 * @sum: LEDGER_SUM times @number for each call
 * @mix: LEDGER_MIX for each call
 * @calls: calls that are over; written last
 *
 * While no call is about the CPU or the object each word follows from @number and @calls. So a
 * record shows by itself that it is torn, half converted, or another's.
 */
struct ledger_tally {
	__u64 began;
	__u64 number;
	__u64 sum;
	__u64 mix;
	__u64 calls;
};

#define LEDGER_SUM		0x9e3779b97f4a7c15ull
#define LEDGER_MIX		0xd1b54a32d192ed03ull

/* CPUs' numbers are none that an object has. */
#define LEDGER_NUMBER_CPU(cpu)	((1u << 24) + (cpu))

/**
 * struct ledger_seen - what a call found in a tally
 * @tally: its words
 * @copy: what it was asked to read at the same time
 * @alone: no other call was in it, so that the words belong together
 */
struct ledger_seen {
	struct ledger_tally tally;
	__u64 copy;
	int alone;
};

/**
 * struct ledger_cpu - a CPU's record
 * @tally: of the calls on this CPU
 * @carried: epoch in which the calls were last carried over to the policy's counters
 */
struct ledger_cpu {
	LEDGER_PAD;
	struct ledger_tally tally;
	__u64 carried;
};

enum { LEDGER_WORK };

static const struct tiffin_tunable ledger_tunables[] = {
	[LEDGER_WORK] = { "work", "rounds of a loop in each call, so that calls take time",
			  0, 1000000000000, 0 },
};

/* A policy's counters start anew with each instance; all but the last three carry totals on. */
static const struct tiffin_counter ledger_counters[] = {
	[LEDGER_CALLS] = { "calls", "calls of all ledgers that these books were handed through" },
	[LEDGER_OVERLAPS] = { "overlaps", "calls among them that found a later epoch" },
	[LEDGER_VERIFIED] = { "verified", "calls that found their object's record as it must be" },
	[LEDGER_COMPARED] = { "compared", "calls whose object's count was compared with the copy" },
	[LEDGER_MISSES] = { "misses", "records that weren't what they must be" },
	[LEDGER_DOUBTS] = { "doubts", "calls and conversions whose count the copy could not know" },
	[LEDGER_CPU_CALLS] = { "cpu_calls", "the same, by the books of the CPUs it ran on" },
	[LEDGER_OWN] = { "own", "calls of this instance" },
	[LEDGER_ADOPTED] = { "adopted", "stores that this instance got by reference" },
	[LEDGER_RECORDS] = { "records", "records that it got by conversion, each as it must be" },
};

static void ledger_init(const struct tiffin_ctx *ctx, const struct tiffin_init_in *in)
{
	unsigned int kind;

	for (kind = 0; kind < TIFFIN_STORE_KINDS; kind++)
		tiffin_count(ctx, LEDGER_ADOPTED, in->adopted >> kind & 1);
}

/*
 * The first call of an epoch puts the totals into this instance's counters, once. A call that comes
 * second adds to them only after the first one has read them.
 */
static void ledger_carry(const struct tiffin_ctx *ctx, struct ledger *book)
{
	__u64 carried = tiffin_load(&book->carried), total[LEDGER_TOTALS];
	unsigned int i;

	if (carried == ctx->epoch)
		return;
	for (i = 0; i < LEDGER_TOTALS; i++)
		total[i] = tiffin_load(&book->total[i]);
	if (!tiffin_cmpxchg(&book->carried, &carried, ctx->epoch))
		return;
	for (i = 0; i < LEDGER_TOTALS; i++)
		tiffin_count(ctx, i, total[i]);
}

/* The same for this CPU. */
static void ledger_carry_cpu(const struct tiffin_ctx *ctx, struct ledger_cpu *mine)
{
	__u64 carried = tiffin_load(&mine->carried), calls = tiffin_load(&mine->tally.calls);

	if (carried != ctx->epoch && tiffin_cmpxchg(&mine->carried, &carried, ctx->epoch))
		tiffin_count(ctx, LEDGER_CPU_CALLS, calls);
}

/* Add one to a total. */
static void ledger_total(const struct tiffin_ctx *ctx, struct ledger *book, unsigned int which)
{
	tiffin_add(&book->total[which], 1);
	tiffin_count(ctx, which, 1);
}

static int ledger_overlaps(const struct tiffin_ctx *ctx, struct ledger *book)
{
	__u64 highest = tiffin_load(&book->highest);

	while (highest < ctx->epoch)
		if (tiffin_cmpxchg(&book->highest, &highest, ctx->epoch))
			return 0;
	return highest > ctx->epoch;
}

/*
 * The result goes nowhere; the empty store keeps the loop in. Who makes the rounds fewer ends the
 * calls that are in it: a test of calls that don't end has them end, however slow the machine.
 */
static void ledger_work(const struct tiffin_ctx *ctx)
{
	volatile __u32 sink = 0;
	__s64 rounds;

	for (rounds = 0; rounds < tiffin_tunable(ctx, LEDGER_WORK); rounds++)
		sink = sink * 1664525 + 1013904223;
}

/* Add to a word of a tally, as its store is shared. */
static void ledger_add(__u64 *word, __u64 n, __u32 sharing)
{
	if (sharing == TIFFIN_SHARE_CPU)
		tiffin_local_add(word, n);
	else if (sharing == TIFFIN_SHARE_ATOMIC)
		tiffin_add(word, n);
	else
		*word += n;
}

/* A call begins. What it looks at from here on belongs together, should it prove to be alone. */
static void ledger_begin(struct ledger_tally *tally, __u32 sharing, struct ledger_seen *seen)
{
	if (sharing == TIFFIN_SHARE_ATOMIC) {
		seen->tally.began = tiffin_add(&tally->began, 1);
	} else {
		ledger_add(&tally->began, 1, sharing);
		seen->tally.began = tiffin_load(&tally->began) - 1;
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/*
 * What does the tally say, and @copy? Others may come in between, and go: then the call wasn't
 * alone. Whoever ends adds to @calls last; so it is read first, and @began last.
 */
static void ledger_look(const struct ledger_tally *tally, const __u64 *copy,
			struct ledger_seen *seen)
{
	__u64 began = seen->tally.began;

	seen->tally.calls = tiffin_load(&tally->calls);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	seen->tally.number = tiffin_load(&tally->number);
	seen->tally.sum = tiffin_load(&tally->sum);
	seen->tally.mix = tiffin_load(&tally->mix);
	seen->copy = copy ? tiffin_load(copy) : 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	seen->alone = seen->tally.calls == began && tiffin_load(&tally->began) == began + 1;
}

/*
 * And ends. Where records are locked the words are those that were read at the begin and one more:
 * a second call in between would lose a count.
 */
static void ledger_end(struct ledger_tally *tally, __u64 number, __u32 sharing,
		       const struct ledger_seen *seen)
{
	if (tiffin_load(&tally->number) != number)
		tiffin_store(&tally->number, number);
	if (sharing == TIFFIN_SHARE_LOCKED) {
		tally->sum = seen->tally.sum + LEDGER_SUM * number;
		tally->mix = seen->tally.mix + LEDGER_MIX;
		tally->calls = seen->tally.calls + 1;
		return;
	}
	ledger_add(&tally->sum, LEDGER_SUM * number, sharing);
	ledger_add(&tally->mix, LEDGER_MIX, sharing);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	ledger_add(&tally->calls, 1, sharing);
}

/* Does each word of a tally without calls in it follow from the others? */
static int ledger_right(const struct ledger_tally *tally, __u64 number)
{
	return tally->number == number && tally->began == tally->calls && tally->calls &&
	       tally->sum == tally->calls * LEDGER_SUM * number &&
	       tally->mix == tally->calls * LEDGER_MIX;
}

static int ledger_empty(const struct ledger_tally *tally)
{
	return !(tally->began | tally->number | tally->sum | tally->mix | tally->calls);
}

/* The first of a call: the totals are this instance's, so that it may add to them. */
static struct ledger *ledger_open(const struct tiffin_ctx *ctx)
{
	struct ledger *book = tiffin_instance(ctx);

	ledger_carry(ctx, book);
	ledger_carry_cpu(ctx, tiffin_percpu(ctx));
	return book;
}

/*
 * A call about an object has begun: is its record what it must be? Where records are locked it has
 * it alone, and finds zeros if it is told so, and only then. Where they are shared it may have come
 * second, or be told of zeros that another call has written to by then.
 */
static void ledger_object_look(const struct tiffin_ctx *ctx, struct ledger *book,
			       const struct ledger_tally *tally, __u64 number, const __u64 *copy,
			       struct ledger_seen *seen)
{
	int shared = LEDGER_SHARING == TIFFIN_SHARE_ATOMIC, fresh = tiffin_object_fresh(ctx);
	int right;

	ledger_look(tally, copy, seen);
	if (shared && !seen->alone)
		return;
	right = seen->alone && (((shared || fresh) && ledger_empty(&seen->tally)) ||
				((shared || !fresh) && ledger_right(&seen->tally, number)));
	ledger_total(ctx, book, right ? LEDGER_VERIFIED : LEDGER_MISSES);
}

/*
 * Enter this call in the books, between the begin and the end of its object's. @copy is NULL or a
 * second count of this CPU's calls, that goes another way from ledger to ledger. Returns whether a
 * flip came into the call.
 */
static int ledger_call(const struct tiffin_ctx *ctx, struct ledger *book, __u64 *copy)
{
	struct ledger_cpu *mine = tiffin_percpu(ctx);
	__u64 number = LEDGER_NUMBER_CPU(ctx->env->cpu);
	struct ledger_seen seen;
	int overlap;

	overlap = ledger_overlaps(ctx, book);
	ledger_begin(&mine->tally, TIFFIN_SHARE_CPU, &seen);
	ledger_look(&mine->tally, copy, &seen);
	if (seen.alone && ((copy && seen.copy != seen.tally.calls) ||
			   !(ledger_empty(&seen.tally) || ledger_right(&seen.tally, number))))
		ledger_total(ctx, book, LEDGER_MISSES);
	ledger_work(ctx);
	if (copy)
		tiffin_add(copy, 1);
	ledger_end(&mine->tally, number, TIFFIN_SHARE_CPU, &seen);
	ledger_total(ctx, book, LEDGER_CALLS);
	tiffin_count(ctx, LEDGER_CPU_CALLS, 1);
	tiffin_count(ctx, LEDGER_OWN, 1);
	overlap |= ledger_overlaps(ctx, book);
	if (overlap)
		ledger_total(ctx, book, LEDGER_OVERLAPS);
	return overlap;
}

/* A ledger of an older version of the ABI has the first layout, and converts nothing. */
#if TIFFIN_ABI(1, 1) > TIFFIN_CORE_ABI
#define LEDGER_CONVERT
#else
#define LEDGER_CONVERT		.convert = ledger_convert

/* The family's ledgers: does their copy say the same? */
static inline int ledger_agrees(const struct tiffin_ctx *ctx, __u32 kind,
				const struct ledger_tally *tally);

/*
 * A record has come over. No call is in it, so each word follows from the others, and is what the
 * copy says. So each sweep, and what is done in the flip, reads all records that were in use.
 */
static void ledger_converted(const struct tiffin_ctx *ctx, __u32 kind,
			     const struct ledger_tally *tally)
{
	struct ledger *book = tiffin_instance(ctx);
	int right;

	if (kind == TIFFIN_STORE_PER_CPU)
		right = ledger_empty(tally) ||
			ledger_right(tally, LEDGER_NUMBER_CPU(ctx->env->cpu));
	else
		right = tally->number && ledger_right(tally, tally->number);
	if (right && ledger_agrees(ctx, kind, tally))
		tiffin_count(ctx, LEDGER_RECORDS, 1);
	else if (book)
		ledger_total(ctx, book, LEDGER_MISSES);
	else
		tiffin_count(ctx, LEDGER_MISSES, 1);
}

/* From any layout to this ledger's; an object's record takes its time, as calls do. */
static void ledger_convert(const struct tiffin_ctx *ctx, const struct tiffin_convert_in *in,
			   struct tiffin_convert_out *out)
{
	const __u32 theirs = LEDGER_PADS(in->version);
	const __u32 words = in->record_size / sizeof(__u64);
	const __u64 *from = in->from;
	__u64 *to = out->record;
	__u32 i;

	if (in->version > LEDGER_LAYOUTS || words > TIFFIN_MAX_RECORD / sizeof(__u64)) {
		out->unknown = 1;
		return;
	}
	for (i = theirs; i < words; i++)
		to[i - theirs + LEDGER_PADS(LEDGER_LAYOUT)] = from[i];
	if (in->kind == TIFFIN_STORE_INSTANCE)
		return;
	ledger_converted(ctx, in->kind, (void *)&to[LEDGER_PADS(LEDGER_LAYOUT)]);
	if (in->kind == TIFFIN_STORE_OBJECT)
		ledger_work(ctx);
}
#endif

#define LEDGER_STORE(kind_, sharing_, type)						\
	{ "ledger", LEDGER_LAYOUT, kind_, sharing_, sizeof(type), LEDGER_CONVERT }

/* @record: the instance's, which begins with a struct ledger */
#define LEDGER_STORES(record)								\
	LEDGER_STORE(TIFFIN_STORE_INSTANCE, TIFFIN_SHARE_ATOMIC, record),			\
	LEDGER_STORE(TIFFIN_STORE_PER_CPU, TIFFIN_SHARE_CPU, struct ledger_cpu)

#endif /* TIFFIN_TEST_LEDGER_H */
