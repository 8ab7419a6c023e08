// SPDX-License-Identifier: GPL-2.0-only
/*
 * uses: all that the rehearsed major change takes away or turns round, in each way that a policy
 * may have written it. Where its packets go is of no use to anyone, but the same before and after.
 */
#include <tiffin/packet_steering.h>

enum { USES_FORCE };

static const struct tiffin_tunable uses_tunables[] = {
	[USES_FORCE] = { "force", "how the answer asks to be forced; 3: not at stage 0, 4: not at all",
			 0, 4, 4 },
};

enum { USES_FORCED, USES_KEPT, USES_LOADS, USES_STARTED };

static const struct tiffin_counter uses_counters[] = {
	[USES_FORCED] = { "forced", "answers that asked to be forced" },
	[USES_KEPT] = { "kept", "packets that stayed where their flow was" },
	[USES_LOADS] = { "loads", "load of CPU 0, seven times a call" },
	[USES_STARTED] = { "started", "times that it was made" },
};

struct uses {
	__u64 calls;
};

static void uses_convert(const struct tiffin_ctx *ctx, const struct tiffin_convert_in *in,
			 struct tiffin_convert_out *out)
{
	out->unknown = in->version != 1;
}

static const struct tiffin_store uses_stores[] = {
	{ "uses", 2, TIFFIN_STORE_INSTANCE, TIFFIN_SHARE_ATOMIC, sizeof(struct uses),
	  .convert = uses_convert },
};

static void uses_decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
			struct tiffin_ps_out *out);

static const struct tiffin_ps_hooks uses_hooks = {
	.decide = uses_decide,
};

static void uses_force(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
		       struct tiffin_ps_out *out)
{
	switch (tiffin_tunable(ctx, USES_FORCE)) {
	case 0:
		out->flags = TIFFIN_PS_FORCE;
		break;
	case 1:
		out->flags |= TIFFIN_PS_FORCE;
		break;
	case 2:
		out->flags |= TIFFIN_PS_FORCE;
		out->flags &= ~TIFFIN_PS_FORCE;
		break;
	case 3:
		out->flags = in->stage ? TIFFIN_PS_FORCE : 0;
		break;
	default:
		out->flags = 0;
	}
	if (out->flags & TIFFIN_PS_FORCE)
		tiffin_count(ctx, USES_FORCED, 1);
}

/* A variable of the field's name is none of the ABI's business. */
static __u64 uses_loads(const struct tiffin_ps_in *in)
{
	const struct tiffin_ps_cpu *cpu = tiffin_ps_cpu(in, 0);
	const struct tiffin_ps_cpu copy = *cpu;
	__u64 load = cpu->load;

	load += copy.load;
	load += tiffin_load(&cpu->load);
	load += tiffin_ps_cpu(in, 0)->load;
	load += tiffin_load(&tiffin_ps_cpu(in, 0)->load);
	load += in->cpus->load;
	load += in->cpus[0].load;
	return load;
}

static void uses_decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
			struct tiffin_ps_out *out)
{
	const struct tiffin_ps_in copy = *in;
	struct uses *uses = tiffin_instance(ctx);

	tiffin_add(&uses->calls, 1);
	uses_force(ctx, in, out);
	tiffin_count(ctx, USES_LOADS, uses_loads(in));
	out->verdict = TIFFIN_PS_CPU;
	out->cpu = in->usable[(in->hash + in->stage) % in->nr_usable];
	if (copy.flow_cpu != TIFFIN_PS_NO_CPU && tiffin_ps_usable(in, in->flow_cpu)) {
		out->cpu = in->flow_cpu;
		tiffin_count(ctx, USES_KEPT, 1);
	}
}

static void uses_start(const struct tiffin_ctx *ctx, const struct tiffin_init_in *in)
{
	tiffin_count(ctx, USES_STARTED, !in->adopted);
}

static void uses_init(const struct tiffin_ctx *ctx, const struct tiffin_init_in *in)
{
	uses_start(ctx, in);
}

TIFFIN_POLICY(packet_steering, "uses", "1.0", "test: what a major change changes",
	      .init = uses_init, TIFFIN_HOOKS(uses_hooks), TIFFIN_STORES(uses_stores),
	      TIFFIN_TUNABLES(uses_tunables), TIFFIN_COUNTERS(uses_counters));
