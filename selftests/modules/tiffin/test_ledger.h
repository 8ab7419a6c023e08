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
 * The books' records have three layouts, between which each ledger converts: LEDGER_LAYOUT says
 * which one is a ledger's. They differ in how many words that mean nothing a record begins with.
 */
#ifndef LEDGER_LAYOUT
#define LEDGER_LAYOUT		1
#endif
#define LEDGER_LAYOUTS		3
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
	LEDGER_COMPARED,
	LEDGER_MISSES,
	LEDGER_TOTALS,
	LEDGER_CPU_CALLS = LEDGER_TOTALS,
	LEDGER_OWN,
	LEDGER_ADOPTED,
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
 * struct ledger_cpu - a CPU's record
 * @calls: on this CPU
 * @carried: epoch in which @calls was last carried over to the policy's counters
 */
struct ledger_cpu {
	LEDGER_PAD;
	__u64 calls;
	__u64 carried;
};

enum { LEDGER_WORK };

static const struct tiffin_tunable ledger_tunables[] = {
	[LEDGER_WORK] = { "work", "rounds of a loop in each call, so that calls take time",
			  0, 1000000000000, 0 },
};

/* A policy's counters start anew with each instance; all but the last two carry totals on. */
static const struct tiffin_counter ledger_counters[] = {
	[LEDGER_CALLS] = { "calls", "calls of all ledgers that these books were handed through" },
	[LEDGER_OVERLAPS] = { "overlaps", "calls among them that found a later epoch" },
	[LEDGER_COMPARED] = { "compared", "calls whose object's count was compared" },
	[LEDGER_MISSES] = { "misses", "those where the object's record held another count" },
	[LEDGER_CPU_CALLS] = { "cpu_calls", "the same, by the books of the CPUs it ran on" },
	[LEDGER_OWN] = { "own", "calls of this instance" },
	[LEDGER_ADOPTED] = { "adopted", "stores that this instance got by reference" },
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
	__u64 carried = tiffin_load(&mine->carried), calls = tiffin_load(&mine->calls);

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

/* Enter this call in the books. Returns whether a flip came into it. */
static int ledger_call(const struct tiffin_ctx *ctx)
{
	struct ledger_cpu *mine = tiffin_percpu(ctx);
	struct ledger *book = tiffin_instance(ctx);
	int overlap;

	ledger_carry(ctx, book);
	ledger_carry_cpu(ctx, mine);
	overlap = ledger_overlaps(ctx, book);
	ledger_work(ctx);
	tiffin_local_add(&mine->calls, 1);
	ledger_total(ctx, book, LEDGER_CALLS);
	tiffin_count(ctx, LEDGER_CPU_CALLS, 1);
	tiffin_count(ctx, LEDGER_OWN, 1);
	overlap |= ledger_overlaps(ctx, book);
	if (overlap)
		ledger_total(ctx, book, LEDGER_OVERLAPS);
	return overlap;
}

/* A ledger of an older version of the ABI has the first layout, and converts nothing. */
#if TIFFIN_ABI_MINOR(TIFFIN_CORE_ABI) < 1
#define LEDGER_CONVERT
#else
#define LEDGER_CONVERT		.convert = ledger_convert

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
