// SPDX-License-Identifier: GPL-2.0-only
/* faulty: does what a policy must not do (tiffin/faulty.h), as a policy of the test family. */
#include <tiffin/faulty.h>
#include <tiffin/test_family.h>

static const struct tiffin_store faulty_stores[] = {
	{ "faulty_object", 1, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_LOCKED,
	  sizeof(struct faulty_record) },
	{ "faulty_lists", 1, TIFFIN_STORE_LISTS, TIFFIN_SHARE_ATOMIC, .lists = 2 },
};

static void faulty_ask(const struct tiffin_ctx *ctx, const struct tiffin_test_in *in,
		       struct tiffin_test_out *out)
{
	struct faulty_record *record = ctx->object;

	out->number = in->number;
	out->cpu = ctx->env->cpu;
	record->calls++;
	faulty_fault(ctx, in->number);
}

static const struct tiffin_test_hooks faulty_hooks = {
	.ask = faulty_ask,
	.tell = faulty_ask,
};

TIFFIN_POLICY(test, "faulty", "1.0", "test: does what a policy must not do",
	      .init = faulty_init, TIFFIN_HOOKS(faulty_hooks), TIFFIN_STORES(faulty_stores),
	      TIFFIN_TUNABLES(faulty_tunables), TIFFIN_COUNTERS(faulty_counters));
