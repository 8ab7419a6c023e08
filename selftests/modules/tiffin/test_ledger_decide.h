/* SPDX-License-Identifier: GPL-2.0-only */
/* tiffin/test_ledger_decide.h: a ledger for packet_steering, but for name and TIFFIN_POLICY(). */
#ifndef TIFFIN_TEST_LEDGER_DECIDE_H
#define TIFFIN_TEST_LEDGER_DECIDE_H

#define LEDGER_BOOK_STAYS
#include <tiffin/packet_steering.h>
#include <tiffin/test_ledger.h>

/*
 * Each flow's record counts the calls about the flow, and so does an entry in the instance's
 * record: the two have to agree whenever a call comes. There are few entries: a flow takes over
 * that of another, and is known from its next call on. Each CPU's calls, too, are counted in the
 * CPU's record and in the instance's.
 *
 * An entry is one word, so that it changes as a whole: flow | calls | time of the last call. Where
 * flows' records are shared, calls that meet in one leave an entry of no flow.
 *
 * The entries are the checker's own copy. At a swap to a ledger of another layout they go over by
 * reference, and after a rollback they come from a snapshot, while the flows' records are converted
 * and after a rollback were never touched: what one way loses or mixes up the other does not.
 */
#define LEDGER_ENTRIES		487
#define LEDGER_CPUS		16
#define LEDGER_FLOW_SHIFT	48
#define LEDGER_CALLS_SHIFT	24
#define LEDGER_FIELD		0xffffff	/* calls; time */
#define LEDGER_TIME_SHIFT	24		/* ns to units of 17 ms */

/* The host gives a flow's record away, so that it starts from zeros, after 10 s of silence. */
#define LEDGER_SILENCE		(9000000000ull >> LEDGER_TIME_SHIFT)

/**
 * struct ledger_flows - the instance's record
 * @ledger: what all ledgers have there
 * @cpu_calls: calls on each CPU, of the first LEDGER_CPUS
 * @entry: of flows
 */
struct ledger_flows {
	struct ledger ledger;
	__u64 cpu_calls[LEDGER_CPUS];
	__u64 entry[LEDGER_ENTRIES];
};

/**
 * struct ledger_flow - a flow's record
 * @tally: of the calls about the flow
 */
struct ledger_flow {
	LEDGER_PAD;
	struct ledger_tally tally;
};

/* A ledger of an older version of the ABI can't ask for a snapshot. */
#if TIFFIN_ABI_MINOR(TIFFIN_CORE_ABI) < 1
#define LEDGER_UNDO
#else
#define LEDGER_UNDO	.undo = TIFFIN_UNDO_SNAPSHOT
#endif

static const struct tiffin_store ledger_stores[] = {
	{ "ledger", 1, TIFFIN_STORE_INSTANCE, TIFFIN_SHARE_ATOMIC, sizeof(struct ledger_flows),
	  LEDGER_UNDO },
	LEDGER_STORE(TIFFIN_STORE_PER_CPU, TIFFIN_SHARE_CPU, struct ledger_cpu),
	LEDGER_STORE(TIFFIN_STORE_OBJECT, LEDGER_SHARING, struct ledger_flow),
};

static int ledger_entry_agrees(__u64 entry, __u64 calls)
{
	return (entry >> LEDGER_CALLS_SHIFT & LEDGER_FIELD) == (calls & LEDGER_FIELD);
}

/* Does the flow's record hold the count that its entry says? */
static void ledger_compare(const struct tiffin_ctx *ctx, struct ledger *book, __u64 entry,
			   __u64 calls)
{
	__u64 age = (ctx->now_ns >> LEDGER_TIME_SHIFT) - entry;

	if (!calls && (age & LEDGER_FIELD) >= LEDGER_SILENCE)
		return;
	ledger_total(ctx, book, LEDGER_COMPARED);
	if (!ledger_entry_agrees(entry, calls))
		ledger_total(ctx, book, LEDGER_MISSES);
}

/*
 * The call is in the flow's entry, if no other call about the flow is under way. One that is would
 * not know which of the two came last: it leaves an entry that is like no other.
 */
static void ledger_note(const struct tiffin_ctx *ctx, const struct ledger_flow *mine, __u64 flow,
			__u64 *entry, const struct ledger_seen *seen)
{
	__u64 time = ctx->now_ns >> LEDGER_TIME_SHIFT & LEDGER_FIELD, was = seen->copy;
	__u64 begun = seen->tally.began + 1;
	__u64 word = (begun & LEDGER_FIELD) << LEDGER_CALLS_SHIFT | time;

	if (!seen->alone || tiffin_load(&mine->tally.began) != begun ||
	    !tiffin_cmpxchg(entry, &was, flow << LEDGER_FLOW_SHIFT | word))
		tiffin_store(entry, word);
}

/* A flow that is converted has had no call since the flip, and its entry none either. */
static inline int ledger_agrees(const struct tiffin_ctx *ctx, __u32 kind,
				const struct ledger_tally *tally)
{
	const struct ledger_flows *book = tiffin_instance(ctx);
	__u64 entry;

	if (kind == TIFFIN_STORE_PER_CPU)
		return ctx->env->cpu >= LEDGER_CPUS ||
		       tiffin_load(&book->cpu_calls[ctx->env->cpu]) == tally->calls;
	entry = tiffin_load(&book->entry[tally->number % LEDGER_ENTRIES]);
	return entry >> LEDGER_FLOW_SHIFT != tally->number ||
	       ledger_entry_agrees(entry, tally->calls);
}

/* LEDGER_TURN makes that two ledgers want a flow on different CPUs: each swap moves flows. */
static void ledger_decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
			  struct tiffin_ps_out *out)
{
	struct ledger_flows *flows = tiffin_instance(ctx);
	struct ledger *book = ledger_open(ctx);
	struct ledger_flow *mine = tiffin_object(ctx);
	/* The host has a record for each stage and each value of 12 bits of the hash. */
	__u64 flow = (in->stage + 1) << 12 | (in->hash & 0xfff);
	__u64 *entry = &flows->entry[flow % LEDGER_ENTRIES];
	struct ledger_seen seen;

	ledger_object_begin(ctx, book, &mine->tally, flow, entry, &seen);
	if (seen.alone && seen.copy >> LEDGER_FLOW_SHIFT == flow)
		ledger_compare(ctx, book, seen.copy, seen.tally.calls);
	ledger_call(ctx, book, ctx->env->cpu < LEDGER_CPUS ? &flows->cpu_calls[ctx->env->cpu] : 0);
	ledger_note(ctx, mine, flow, entry, &seen);
	ledger_end(&mine->tally, flow, LEDGER_SHARING, &seen);
	out->cpu = in->usable[(in->hash + in->stage + LEDGER_TURN) % in->nr_usable];
	/* What a rollback takes back is gone from the books, but not from the host's count. */
	if (tiffin_load(&book->total[LEDGER_MISSES]))
		out->cpu = ~0u;
	out->verdict = TIFFIN_PS_CPU;
}

static const struct tiffin_ps_hooks ledger_hooks = {
	.decide = ledger_decide,
};

#define LEDGER_DECIDE_POLICY(name, doc)							\
	TIFFIN_POLICY(packet_steering, name, "1.0", doc, .init = ledger_init,		\
		      TIFFIN_HOOKS(ledger_hooks), TIFFIN_STORES(ledger_stores),		\
		      TIFFIN_TUNABLES(ledger_tunables), TIFFIN_COUNTERS(ledger_counters))

#endif /* TIFFIN_TEST_LEDGER_DECIDE_H */
