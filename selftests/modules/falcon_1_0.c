// SPDX-License-Identifier: GPL-2.0-only
/*
 * falcon_1_0: plugins/packet_steering/falcon.c as it was in version 1.0, from whose records version
 * 1.1 makes its own. Under a name of its own, so that tests can ask for either.
 */
#include <tiffin/packet_steering.h>

enum { FIRST_LIMIT, OFF_ABOVE, SETTLE_US, REPEAT };

static const struct tiffin_tunable falcon_tunables[] = {
	[FIRST_LIMIT] = { "first_limit", "load of the first choice, in 1/1000, from which the second is tried",
			  0, 1000, 850 },
	[OFF_ABOVE] = { "off_above", "average load, in 1/1000, above which a flow keeps one CPU; 1000: never",
			0, 1000, 1000 },
	[SETTLE_US] = { "settle_us", "shortest time between two changes of a flow's choice, in us",
			0, 10000000, 50000 },
	[REPEAT] = { "repeat", "packets that an answer is repeated for, at most",
		     0, TIFFIN_PS_MAX_REPEAT, 31 },
};

enum { FIRST, SECOND, UNSPLIT, CHANGED };

static const struct tiffin_counter falcon_counters[] = {
	[FIRST] = { "first", "answers that named the first choice" },
	[SECOND] = { "second", "answers that named the second choice" },
	[UNSPLIT] = { "unsplit", "answers that named the flow's one CPU, as all CPUs are busy" },
	[CHANGED] = { "changed", "times a flow at a stage went from one choice to the other" },
};

/* A CPU is clearly idler if its load is lower by this much, in 1/1000. */
#define FALCON_MARGIN	125

/* The host samples load about this often: no use in looking more often. */
#define FALCON_SAMPLE_NS	10000000

/* A flow at a stage. */
struct falcon_flow {
	__u64 changed_ns;
	__u32 second;		/* 0: on its first choice */
	__u32 reserved;
};

struct falcon_cpu {
	__u64 next_ns;		/* when to take the average again */
	__u64 busy;		/* the average is above off_above */
};

struct falcon_shared {
	__u32 depth;		/* stages that packets were seen to pass */
	__u32 reserved;
};

static const struct tiffin_store falcon_stores[] = {
	{ "falcon_flow", 1, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_ATOMIC, sizeof(struct falcon_flow) },
	{ "falcon_cpu", 1, TIFFIN_STORE_PER_CPU, TIFFIN_SHARE_CPU, sizeof(struct falcon_cpu) },
	{ "falcon", 1, TIFFIN_STORE_INSTANCE, TIFFIN_SHARE_ATOMIC, sizeof(struct falcon_shared) },
};

/* Is there no idle CPU to win by splitting? */
static int falcon_busy(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in)
{
	__u64 off_above = tiffin_tunable(ctx, OFF_ABOVE), sum = 0;
	struct falcon_cpu *c = tiffin_percpu(ctx);
	__u32 i;

	if (off_above >= 1000)
		return 0;
	if (ctx->now_ns >= tiffin_load(&c->next_ns) ||
	    tiffin_load(&c->next_ns) - ctx->now_ns > FALCON_SAMPLE_NS) {
		for (i = 0; i < in->nr_usable; i++)
			sum += tiffin_ps_cpu(in, in->usable[i])->load;
		tiffin_store(&c->busy, sum > off_above * in->nr_usable);
		tiffin_store(&c->next_ns, ctx->now_ns + FALCON_SAMPLE_NS);
	}
	return !!tiffin_load(&c->busy);
}

/* The number of stages on this machine; at least that of this packet. */
static __u32 falcon_depth(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in)
{
	struct falcon_shared *shared = tiffin_instance(ctx);
	__u32 depth = tiffin_load(&shared->depth);

	if (depth <= in->stage || depth > TIFFIN_PS_MAX_STAGES) {
		depth = in->stage + 1;
		tiffin_store(&shared->depth, depth);
	}
	return depth;
}

/* Is the flow on its second choice, once it has been thought over? */
static __u32 falcon_choice(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
			   __u32 first, __u32 second)
{
	const __u64 load[] = { tiffin_ps_cpu(in, first)->load, tiffin_ps_cpu(in, second)->load };
	struct falcon_flow *flow = tiffin_object(ctx);
	__u64 settle_ns = 1000 * (__u64)tiffin_tunable(ctx, SETTLE_US);
	__u32 on = !!tiffin_load(&flow->second);

	/* New to this policy, but the host knows where the flow is: it stays there. */
	if (tiffin_object_fresh(ctx) && in->flow_cpu == second) {
		tiffin_store(&flow->second, 1);
		on = 1;
	}
	if ((on || load[0] >= (__u64)tiffin_tunable(ctx, FIRST_LIMIT)) &&
	    load[!on] + FALCON_MARGIN <= load[on] &&
	    ctx->now_ns - tiffin_load(&flow->changed_ns) >= settle_ns) {
		on = !on;
		tiffin_store(&flow->second, on);
		tiffin_store(&flow->changed_ns, ctx->now_ns);
		tiffin_count(ctx, CHANGED, 1);
	}
	return on;
}

static void falcon_decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
			  struct tiffin_ps_out *out)
{
	__u32 n = in->nr_usable, base = ((__u64)in->hash * n) >> 32, second;
	unsigned int what = FIRST;

	out->verdict = TIFFIN_PS_CPU;
	out->repeat = tiffin_tunable(ctx, REPEAT);
	out->cpu = in->usable[(base + in->stage) % n];
	if (falcon_busy(ctx, in)) {
		out->cpu = in->usable[base];
		what = UNSPLIT;
	} else if (falcon_depth(ctx, in) + in->stage < n) {
		/* First choices go up from base, second ones down to it: they don't meet. */
		second = in->usable[(base + n - 1 - in->stage) % n];
		if (falcon_choice(ctx, in, out->cpu, second)) {
			out->cpu = second;
			what = SECOND;
		}
	}
	tiffin_count(ctx, what, 1);
}

static const struct tiffin_ps_hooks falcon_hooks = {
	.decide = falcon_decide,
};

TIFFIN_POLICY(packet_steering, "falcon_1_0", "1.0", "test: falcon before its flows learnt to settle",
	      TIFFIN_HOOKS(falcon_hooks), TIFFIN_STORES(falcon_stores),
	      TIFFIN_TUNABLES(falcon_tunables), TIFFIN_COUNTERS(falcon_counters));
