// SPDX-License-Identifier: GPL-2.0-only
#include <tiffin/packet_steering.h>

static __u32 plain;
static __u32 set = 1;
__u32 table[4];
static const char *names[] = { "a", "b" };
static struct { __u32 x; } nameless;
static const __u32 constant = 1;
static const char *const constant_names[] = { "a", "b" };

static void decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
		   struct tiffin_ps_out *out)
{
	static __u32 inner;
	static __u32 inner_set = 2;
	static const __u32 inner_constant = 2;
	__u32 automatic;

	automatic = inner++ + inner_set + inner_constant;
	out->cpu = automatic;
}
