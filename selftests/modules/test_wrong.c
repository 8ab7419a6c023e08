// SPDX-License-Identifier: GPL-2.0-only
/* wrong: one answer in so many is a bad one. The family must count every one. */
#include <tiffin/test_family.h>

enum { WRONG_ONE_IN };

static const struct tiffin_tunable wrong_tunables[] = {
	[WRONG_ONE_IN] = { "one_in", "one answer in so many is bad", 1, 1000000, 2 },
};

enum { WRONG_GIVEN };

static const struct tiffin_counter wrong_counters[] = {
	[WRONG_GIVEN] = { "given", "bad answers given" },
};

static void wrong_ask(const struct tiffin_ctx *ctx, const struct tiffin_test_in *in,
		      struct tiffin_test_out *out)
{
	out->number = in->number;
	out->cpu = ctx->env->cpu;
	if (in->number % (__u64)tiffin_tunable(ctx, WRONG_ONE_IN))
		return;
	out->number++;
	tiffin_count(ctx, WRONG_GIVEN, 1);
}

static const struct tiffin_test_hooks wrong_hooks = {
	.ask = wrong_ask,
	.tell = wrong_ask,
};

TIFFIN_POLICY(test, "wrong", "1.0", "test: gives bad answers", TIFFIN_HOOKS(wrong_hooks),
	      TIFFIN_TUNABLES(wrong_tunables), TIFFIN_COUNTERS(wrong_counters));
