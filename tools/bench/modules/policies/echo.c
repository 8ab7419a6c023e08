// SPDX-License-Identifier: GPL-2.0-only
/* echo: the least that a policy can do. */
#include <tiffin/bench.h>

static void echo_echo(const struct tiffin_ctx *ctx, const struct tiffin_bench_in *in,
		      struct tiffin_bench_out *out)
{
	(void)ctx;
	tiffin_bench_echo(in, out);
}

static const struct tiffin_bench_hooks echo_hooks = {
	.echo = echo_echo,
};

TIFFIN_POLICY(bench, "echo", "1.0", "bench: the least that a policy can do",
	      TIFFIN_HOOKS(echo_hooks));
