/* SPDX-License-Identifier: GPL-2.0-only */
/* tiffin/test_ledger_decide.h: a ledger for packet_steering, but for name and TIFFIN_POLICY(). */
#ifndef TIFFIN_TEST_LEDGER_DECIDE_H
#define TIFFIN_TEST_LEDGER_DECIDE_H

#include <tiffin/packet_steering.h>
#include <tiffin/test_ledger.h>

static const struct tiffin_store ledger_stores[] = {
	LEDGER_STORES,
};

/* LEDGER_TURN makes that two ledgers want a flow on different CPUs: each swap moves flows. */
static void ledger_decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
			  struct tiffin_ps_out *out)
{
	ledger_call(ctx);
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
