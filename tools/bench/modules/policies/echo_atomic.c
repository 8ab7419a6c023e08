// SPDX-License-Identifier: GPL-2.0-only
/* echo_atomic: as echo, with a record of each object that it never looks at. */
#include <tiffin/bench.h>

static const struct tiffin_store echo_stores[] = {
	{ "echo", 1, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_ATOMIC, sizeof(__u64) },
};

static void echo_echo(const struct tiffin_ctx *ctx, const struct tiffin_bench_in *in,
		      struct tiffin_bench_out *out)
{
	(void)ctx;
	tiffin_bench_echo(in, out);
}

static const struct tiffin_bench_hooks echo_hooks = {
	.echo = echo_echo,
};

TIFFIN_POLICY(bench, "echo_atomic", "1.0", "bench: the least that a policy with records can do",
	      TIFFIN_HOOKS(echo_hooks), TIFFIN_STORES(echo_stores));
