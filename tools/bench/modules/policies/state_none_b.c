// SPDX-License-Identifier: GPL-2.0-only
/* state_none_b: answers without any state. */
#include <tiffin/bench_state.h>

static void none_ask(const struct tiffin_ctx *ctx, const struct tiffin_state_in *in,
		     struct tiffin_state_out *out)
{
	(void)ctx;
	(void)in;
	out->wrong = 0;
}

static const struct tiffin_bench_state_hooks none_hooks = {
	.ask = none_ask,
};

TIFFIN_POLICY(bench_state, "state_none_b", "1.0", "bench: no state", TIFFIN_HOOKS(none_hooks));
