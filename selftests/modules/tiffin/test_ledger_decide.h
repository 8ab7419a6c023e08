/* SPDX-License-Identifier: GPL-2.0-only */
/* tiffin/test_ledger_decide.h: a ledger for packet_steering, but for name and TIFFIN_POLICY(). */
#ifndef TIFFIN_TEST_LEDGER_DECIDE_H
#define TIFFIN_TEST_LEDGER_DECIDE_H

#define LEDGER_BOOK_STAYS
#include <tiffin/packet_steering.h>
#include <tiffin/test_ledger.h>

/*
 * Each flow's record counts the calls about the flow, and so does an entry in the instance's
 * record, on its own: the two have to agree whenever a call comes that no other call about the flow
 * is beside, and whenever the record is converted. Each CPU's calls, too, are counted in the CPU's
 * record and in the instance's.
 *
 * The entries are the checker's own copy. At a swap to a ledger of another layout they go over by
 * reference, and after a rollback they come from a snapshot, while the flows' records are converted
 * and after a rollback were never touched: what one way loses or mixes up the other does not.
 *
 * An entry is one word, so that it changes as a whole: flow | doubt | calls | time of the last
 * call. A flow has the first of LEDGER_PROBES places that was free at its first call, for ever: a
 * record in use without an entry has come from nowhere. Nothing is known of a flow for which none
 * was free.
 *
 * The host gives a flow's record away after a silence, so that it starts from zeros: whether it has
 * is doubtful, for calls that meet in the first moment afterwards, until one is alone and says so.
 */
#define LEDGER_ENTRIES		487
#define LEDGER_PROBES		64
#define LEDGER_CPUS		16
#define LEDGER_FLOW_SHIFT	48
#define LEDGER_DOUBT		(1ull << 47)
#define LEDGER_CALLS_SHIFT	24
#define LEDGER_COUNT		0x7fffff	/* calls */
#define LEDGER_FIELD		0xffffff	/* time */
#define LEDGER_TIME_SHIFT	24		/* ns to units of 17 ms */

/* The host gives a flow's record away after 10 s, or with all others, which no test here does. */
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
#if TIFFIN_ABI(1, 1) > TIFFIN_CORE_ABI
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

/* The flow's entry, or a free one (0), or NULL: it has none and can have none. */
static __u64 *ledger_entry(struct ledger_flows *flows, __u64 flow)
{
	__u64 *entry, word;
	__u32 i;

	for (i = 0; i < LEDGER_PROBES; i++) {
		entry = &flows->entry[(flow + i) % LEDGER_ENTRIES];
		word = tiffin_load(entry);
		if (!word || word >> LEDGER_FLOW_SHIFT == flow)
			return entry;
	}
	return 0;
}

static int ledger_silent(const struct tiffin_ctx *ctx, __u64 word)
{
	__u64 age = ((ctx->now_ns >> LEDGER_TIME_SHIFT) - word) & LEDGER_FIELD;

	/* Another CPU's clock may be ahead. */
	return word && age >= LEDGER_SILENCE && age < LEDGER_FIELD / 2;
}

static int ledger_entry_agrees(__u64 word, __u64 calls)
{
	return (word >> LEDGER_CALLS_SHIFT & LEDGER_COUNT) == (calls & LEDGER_COUNT);
}

/* No other call about the flow is under way: does its record hold the count that its entry says? */
static void ledger_compare(const struct tiffin_ctx *ctx, struct ledger *book, const __u64 *entry,
			   __u64 word, __u64 calls)
{
	if (!entry || word & LEDGER_DOUBT || (!calls && ledger_silent(ctx, word))) {
		ledger_total(ctx, book, LEDGER_DOUBTS);
		return;
	}
	ledger_total(ctx, book, LEDGER_COMPARED);
	if (!ledger_entry_agrees(word, calls))
		ledger_total(ctx, book, LEDGER_MISSES);
}

/*
 * Count the call in the flow's entry: one more than there were, which a call that was alone when it
 * began knows from the record too, should the entry be doubtful.
 */
static void ledger_note(const struct tiffin_ctx *ctx, struct ledger_flows *flows, __u64 flow,
			const struct ledger_seen *seen)
{
	__u64 time = ctx->now_ns >> LEDGER_TIME_SHIFT & LEDGER_FIELD, was, count, doubt;
	__u64 *entry;

	for (;;) {
		entry = ledger_entry(flows, flow);
		if (!entry)
			return;
		was = tiffin_load(entry);
		if (was && was >> LEDGER_FLOW_SHIFT != flow)
			continue;
		count = (was >> LEDGER_CALLS_SHIFT & LEDGER_COUNT) + 1;
		doubt = was & LEDGER_DOUBT;
		if (doubt || ledger_silent(ctx, was)) {
			doubt = LEDGER_DOUBT;
			if (seen->alone && was == seen->copy) {
				count = seen->tally.calls + 1;
				doubt = 0;
			}
		}
		count = (count & LEDGER_COUNT) << LEDGER_CALLS_SHIFT;
		if (tiffin_cmpxchg(entry, &was, flow << LEDGER_FLOW_SHIFT | doubt | count | time))
			return;
	}
}

/*
 * A flow that is converted has had no call since the flip, and its entry none either. A CPU's
 * record is converted in the flip, where the copy is out of reach: its next call compares it.
 */
static inline int ledger_agrees(const struct tiffin_ctx *ctx, __u32 kind,
				const struct ledger_tally *tally)
{
	struct ledger_flows *book = tiffin_instance(ctx);
	const __u64 *entry;
	__u64 word;

	if (kind == TIFFIN_STORE_PER_CPU)
		return !book || ctx->env->cpu >= LEDGER_CPUS ||
		       tiffin_load(&book->cpu_calls[ctx->env->cpu]) == tally->calls;
	entry = ledger_entry(book, tally->number);
	word = entry ? tiffin_load(entry) : LEDGER_DOUBT;
	if (!(word & LEDGER_DOUBT))
		return ledger_entry_agrees(word, tally->calls);
	ledger_total(ctx, &book->ledger, LEDGER_DOUBTS);
	return 1;
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
	struct ledger_seen seen;
	const __u64 *entry;

	/* A free entry may become another flow's; this flow's own, not while the call is alone. */
	ledger_begin(&mine->tally, LEDGER_SHARING, &seen);
	entry = ledger_entry(flows, flow);
	ledger_object_look(ctx, book, &mine->tally, flow, entry, &seen);
	if (seen.copy >> LEDGER_FLOW_SHIFT != flow)
		seen.copy = 0;
	if (seen.alone)
		ledger_compare(ctx, book, entry, seen.copy, seen.tally.calls);
	ledger_call(ctx, book, ctx->env->cpu < LEDGER_CPUS ? &flows->cpu_calls[ctx->env->cpu] : 0);
	ledger_note(ctx, flows, flow, &seen);
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
