// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken on purpose: divides by what it finds in a record that is rarely 0.
 * Found by: fuzz
 * Seen as: division by zero
 */
#include <tiffin/packet_steering.h>

struct divides {
	__u64 last_ns;
};

static const struct tiffin_store divides_stores[] = {
	{ "divides", 1, TIFFIN_STORE_INSTANCE, TIFFIN_SHARE_ATOMIC, sizeof(struct divides) },
};

static void divides_decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
			   struct tiffin_ps_out *out)
{
	struct divides *shared = tiffin_instance(ctx);
	__u64 last_ns = tiffin_load(&shared->last_ns);

	tiffin_store(&shared->last_ns, ctx->now_ns);
	/* Fails where no time has passed. */
	if (last_ns && 1000000000 / (ctx->now_ns - last_ns) > 1000)
		out->verdict = TIFFIN_PS_STAY;
}

static const struct tiffin_ps_hooks divides_hooks = {
	.decide = divides_decide,
};

TIFFIN_POLICY(packet_steering, "divides", "1.0", "test: broken on purpose",
	      TIFFIN_HOOKS(divides_hooks),
	      TIFFIN_STORES(divides_stores));
