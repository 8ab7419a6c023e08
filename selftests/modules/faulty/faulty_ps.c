// SPDX-License-Identifier: GPL-2.0-only
/*
 * faulty_ps: the same as a policy of packet_steering. Like hash it spreads flows over the CPUs, so
 * that it matters what becomes of a packet whose call is ended.
 */
#include <tiffin/faulty.h>
#include <tiffin/packet_steering.h>

static const struct tiffin_store faulty_stores[] = {
	{ "faulty_object", 1, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_LOCKED,
	  sizeof(struct faulty_record) },
	{ "faulty_percpu", 1, TIFFIN_STORE_PER_CPU, TIFFIN_SHARE_CPU,
	  sizeof(struct faulty_record) },
};

static void faulty_decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
			  struct tiffin_ps_out *out)
{
	struct faulty_record *calls = tiffin_percpu(ctx);

	out->cpu = in->usable[((__u64)in->hash * in->nr_usable) >> 32];
	out->verdict = TIFFIN_PS_CPU;
	faulty_fault(ctx, ++calls->calls);
}

static const struct tiffin_ps_hooks faulty_hooks = {
	.decide = faulty_decide,
};

TIFFIN_POLICY(packet_steering, "faulty_ps", "1.0", "test: does what a policy must not do",
	      .init = faulty_init, TIFFIN_HOOKS(faulty_hooks), TIFFIN_STORES(faulty_stores),
	      TIFFIN_TUNABLES(faulty_tunables), TIFFIN_COUNTERS(faulty_counters));
