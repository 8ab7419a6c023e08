/* SPDX-License-Identifier: GPL-2.0-only */
/* tiffin/test_ledger_ask.h: a ledger for family test, but for its name and its TIFFIN_POLICY(). */
#ifndef TIFFIN_TEST_LEDGER_ASK_H
#define TIFFIN_TEST_LEDGER_ASK_H

#include <tiffin/test_family.h>
#include <tiffin/test_ledger.h>

struct ledger_object {
	LEDGER_PAD;
	struct ledger_tally tally;
};

static const struct tiffin_store ledger_stores[] = {
	LEDGER_STORES(struct ledger),
	LEDGER_STORE(TIFFIN_STORE_OBJECT, LEDGER_SHARING, struct ledger_object),
};

/* The copy is the family's: it compares what calls tell it of the records. */
static inline int ledger_agrees(const struct tiffin_ctx *ctx, __u32 kind,
				const struct ledger_tally *tally)
{
	return 1;
}

static void ledger_ask(const struct tiffin_ctx *ctx, const struct tiffin_test_in *in,
		       struct tiffin_test_out *out)
{
	struct ledger_object *object = tiffin_object(ctx);
	struct ledger_cpu *mine = tiffin_percpu(ctx);
	struct ledger *book = ledger_open(ctx);
	struct ledger_seen seen;

	ledger_begin(&object->tally, LEDGER_SHARING, &seen);
	ledger_object_look(ctx, book, &object->tally, in->object + 1, 0, &seen);
	if (tiffin_object_fresh(ctx) && !ledger_empty(&seen.tally))
		out->flags |= TIFFIN_TEST_STALE;
	out->cpu = ctx->env->cpu;
	out->cpu_before = tiffin_load(&mine->tally.calls);
	if (ledger_call(ctx, book, 0))
		out->flags |= TIFFIN_TEST_OVERLAP;
	out->cpu_after = tiffin_load(&mine->tally.calls);
	ledger_end(&object->tally, in->object + 1, LEDGER_SHARING, &seen);
	out->object_calls = seen.tally.calls + 1;
	/* What a rollback takes back is gone from the books, but not from the family's count. */
	out->number = tiffin_load(&book->total[LEDGER_MISSES]) ? ~in->number : in->number;
}

static const struct tiffin_test_hooks ledger_hooks = {
	.ask = ledger_ask,
	.tell = ledger_ask,
};

#define LEDGER_ASK_POLICY(name, doc)							\
	TIFFIN_POLICY(test, name, "1.0", doc, .init = ledger_init, TIFFIN_HOOKS(ledger_hooks),	\
		      TIFFIN_STORES(ledger_stores), TIFFIN_TUNABLES(ledger_tunables),	\
		      TIFFIN_COUNTERS(ledger_counters))

#endif /* TIFFIN_TEST_LEDGER_ASK_H */
