/* SPDX-License-Identifier: GPL-2.0-only */
/* tiffin/test_ledger_ask.h: a ledger for family test, but for its name and its TIFFIN_POLICY(). */
#ifndef TIFFIN_TEST_LEDGER_ASK_H
#define TIFFIN_TEST_LEDGER_ASK_H

#include <tiffin/test_family.h>
#include <tiffin/test_ledger.h>

struct ledger_object {
	LEDGER_PAD;
	__u64 calls;
};

static const struct tiffin_store ledger_stores[] = {
	LEDGER_STORES(struct ledger),
	LEDGER_STORE(TIFFIN_STORE_OBJECT, TIFFIN_SHARE_LOCKED, struct ledger_object),
};

static void ledger_ask(const struct tiffin_ctx *ctx, const struct tiffin_test_in *in,
		       struct tiffin_test_out *out)
{
	struct ledger_object *object = tiffin_object(ctx);
	struct ledger_cpu *mine = tiffin_percpu(ctx);
	__u64 calls = object->calls;

	if (tiffin_object_fresh(ctx) && calls)
		out->flags |= TIFFIN_TEST_STALE;
	out->number = in->number;
	out->cpu = ctx->env->cpu;
	out->cpu_before = tiffin_load(&mine->calls);
	if (ledger_call(ctx))
		out->flags |= TIFFIN_TEST_OVERLAP;
	out->cpu_after = tiffin_load(&mine->calls);
	/* Read before the work, written after it: a second call here would lose a count. */
	object->calls = calls + 1;
	out->object_calls = calls + 1;
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
