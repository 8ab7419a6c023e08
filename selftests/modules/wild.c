// SPDX-License-Identifier: GPL-2.0-only
/* wild: answers out of range, each kind in turn. The host must replace and count every one. */
#include <tiffin/packet_steering.h>

enum { WILD_KIND, WILD_ONE_IN };

enum {
	WILD_ALL,
	WILD_VERDICT,
	WILD_NO_SUCH_CPU,
	WILD_HUGE_CPU,
	WILD_FLAGS,
	WILD_UNUSABLE_CPU,
	WILD_KINDS,
};

static const struct tiffin_tunable wild_tunables[] = {
	[WILD_KIND] = { "kind", "0: each in turn; 1: verdict, 2: first CPU number beyond the last, 3: huge CPU number, 4: flags, 5: a CPU that is not usable",
			0, WILD_KINDS - 1, WILD_ALL },
	[WILD_ONE_IN] = { "one_in", "one answer in so many is wild, the others stay; 0: none",
			  0, 1000000, 1 },
};

enum { WILD_BAD, WILD_REFUSED };

static const struct tiffin_counter wild_counters[] = {
	[WILD_BAD] = { "bad", "bad answers given" },
	[WILD_REFUSED] = { "refused", "answers that named a CPU which exists but is not usable" },
};

struct wild {
	__u64 calls;
};

static const struct tiffin_store wild_stores[] = {
	{ "wild", 1, TIFFIN_STORE_INSTANCE, TIFFIN_SHARE_ATOMIC, sizeof(struct wild) },
};

static void wild_decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
			struct tiffin_ps_out *out)
{
	struct wild *wild = tiffin_instance(ctx);
	__u64 one_in = tiffin_tunable(ctx, WILD_ONE_IN), call = tiffin_add(&wild->calls, 1);
	__u32 kind = tiffin_tunable(ctx, WILD_KIND), cpu;

	out->verdict = TIFFIN_PS_STAY;
	if (!one_in || call % one_in)
		return;
	if (kind == WILD_ALL)
		kind = 1 + call / one_in % (WILD_KINDS - 1);
	switch (kind) {
	case WILD_VERDICT:
		out->verdict = TIFFIN_PS_CPU + 1 + call % 1000;
		break;
	case WILD_NO_SUCH_CPU:
		out->verdict = TIFFIN_PS_CPU;
		out->cpu = in->nr_cpus;
		break;
	case WILD_HUGE_CPU:
		out->verdict = TIFFIN_PS_CPU;
		out->cpu = 0xffffffffu - call % 1000;
		break;
	case WILD_FLAGS:
		out->flags = ~(TIFFIN_PS_FORCE | TIFFIN_PS_STEADY);
		break;
	case WILD_UNUSABLE_CPU:
		for (cpu = 0; cpu < in->nr_cpus && tiffin_ps_usable(in, cpu); cpu++)
			;
		if (cpu == in->nr_cpus)
			return;
		out->verdict = TIFFIN_PS_CPU;
		out->cpu = cpu;
		tiffin_count(ctx, WILD_REFUSED, 1);
		return;
	}
	tiffin_count(ctx, WILD_BAD, 1);
}

static const struct tiffin_ps_hooks wild_hooks = {
	.decide = wild_decide,
};

TIFFIN_POLICY(packet_steering, "wild", "1.0", "test: answers out of range",
	      TIFFIN_HOOKS(wild_hooks), TIFFIN_STORES(wild_stores),
	      TIFFIN_TUNABLES(wild_tunables), TIFFIN_COUNTERS(wild_counters));
