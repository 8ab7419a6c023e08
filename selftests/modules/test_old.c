// SPDX-License-Identifier: GPL-2.0-only
/* old: built against version 1.0 of family test, which knew the hook ask alone. Must load. */
#include <tiffin/test_family.h>

#undef TIFFIN_test_ABI
#undef TIFFIN_test_ABI_TEXT
#define TIFFIN_test_ABI		TIFFIN_ABI(1, 0)
#define TIFFIN_test_ABI_TEXT	1.0

static void old_ask(const struct tiffin_ctx *ctx, const struct tiffin_test_in *in,
		    struct tiffin_test_out *out)
{
	out->number = in->number;
	out->cpu = ctx->env->cpu;
}

struct old_hooks {
	void (*ask)(const struct tiffin_ctx *ctx, const struct tiffin_test_in *in,
		    struct tiffin_test_out *out);
};

static const struct old_hooks old_hooks = {
	.ask = old_ask,
};

TIFFIN_POLICY(test, "old", "1.0", "test: built against an older minor version",
	      TIFFIN_HOOKS(old_hooks));
