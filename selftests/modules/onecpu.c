// SPDX-License-Identifier: GPL-2.0-only
/* onecpu: valid answers, bad policy: every packet of every flow to one CPU. */
#include <tiffin/packet_steering.h>

enum { ONECPU_CPU };

static const struct tiffin_tunable onecpu_tunables[] = {
	[ONECPU_CPU] = { "cpu", "the CPU, counted among the usable ones; the last where there are fewer",
			 0, 4095, 0 },
};

static void onecpu_decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
			  struct tiffin_ps_out *out)
{
	__u32 cpu = tiffin_tunable(ctx, ONECPU_CPU);

	out->cpu = in->usable[cpu < in->nr_usable ? cpu : in->nr_usable - 1];
	out->verdict = TIFFIN_PS_CPU;
}

static const struct tiffin_ps_hooks onecpu_hooks = {
	.decide = onecpu_decide,
};

TIFFIN_POLICY(packet_steering, "onecpu", "1.0", "test: everything to one CPU",
	      TIFFIN_HOOKS(onecpu_hooks), TIFFIN_TUNABLES(onecpu_tunables));
