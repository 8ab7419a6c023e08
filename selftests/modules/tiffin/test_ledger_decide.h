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
 * that of another, and is known from its next call on.
 *
 * An entry is one word, so that it changes as a whole: flow | calls | time of the last call.
 *
 * The entries are the checker's own copy. At a swap to a ledger of another layout they go over by
 * reference, and after a rollback they come from a snapshot, while the flows' records are converted
 * and after a rollback were never touched: what one way loses or mixes up the other does not.
 */
#define LEDGER_ENTRIES		500
#define LEDGER_FLOW_SHIFT	48
#define LEDGER_CALLS_SHIFT	24
#define LEDGER_FIELD		0xffffff	/* calls; time */
#define LEDGER_TIME_SHIFT	24		/* ns to units of 17 ms */

/* The host gives a flow's record away, so that it starts from zeros, after 10 s of silence. */
#define LEDGER_SILENCE		(9000000000ull >> LEDGER_TIME_SHIFT)

/**
 * struct ledger_flows - the instance's record
 * @ledger: what all ledgers have there
 * @entry: of flows
 */
struct ledger_flows {
	struct ledger ledger;
	__u64 entry[LEDGER_ENTRIES];
};

/**
 * struct ledger_flow - a flow's record
 * @calls: about the flow
 */
struct ledger_flow {
	LEDGER_PAD;
	__u64 calls;
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
	LEDGER_STORE(TIFFIN_STORE_OBJECT, TIFFIN_SHARE_LOCKED, struct ledger_flow),
};

/* Does the flow's record hold the count that its entry says? */
static void ledger_compare(const struct tiffin_ctx *ctx, struct ledger *book, __u64 entry,
			   __u64 calls)
{
	__u64 age = (ctx->now_ns >> LEDGER_TIME_SHIFT) - entry;

	if (tiffin_object_fresh(ctx) && !calls && (age & LEDGER_FIELD) >= LEDGER_SILENCE)
		return;
	ledger_total(ctx, book, LEDGER_COMPARED);
	if ((entry >> LEDGER_CALLS_SHIFT & LEDGER_FIELD) != (calls & LEDGER_FIELD))
		ledger_total(ctx, book, LEDGER_MISSES);
}

/* LEDGER_TURN makes that two ledgers want a flow on different CPUs: each swap moves flows. */
static void ledger_decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
			  struct tiffin_ps_out *out)
{
	struct ledger_flows *book = tiffin_instance(ctx);
	struct ledger_flow *mine = tiffin_object(ctx);
	/* The host has a record for each stage and each value of 12 bits of the hash. */
	__u64 flow = (in->stage + 1) << 12 | (in->hash & 0xfff), calls = mine->calls;
	__u64 *entry = &book->entry[flow % LEDGER_ENTRIES], was = tiffin_load(entry);

	ledger_call(ctx);
	if (was >> LEDGER_FLOW_SHIFT == flow)
		ledger_compare(ctx, &book->ledger, was, calls);
	/* Read before the work, written after it: a second call here would lose a count. */
	mine->calls = ++calls;
	tiffin_store(entry, flow << LEDGER_FLOW_SHIFT |
			    (calls & LEDGER_FIELD) << LEDGER_CALLS_SHIFT |
			    (ctx->now_ns >> LEDGER_TIME_SHIFT & LEDGER_FIELD));
	out->cpu = in->usable[(in->hash + in->stage + LEDGER_TURN) % in->nr_usable];
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
