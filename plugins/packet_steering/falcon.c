// SPDX-License-Identifier: GPL-2.0-only
/*
 * falcon: the stages of ONE flow on different CPUs, so that a single flow through an overlay
 * network is worked on by several CPUs at once.
 *
 * After J. Lei, M. Munikar, K. Suo, H. Lu, J. Rao: "Parallelizing Packet Processing in Container
 * Overlay Networks", EuroSys 2021. There a hash of flow and device picks a CPU, a second hash
 * another one where the first is overloaded, and a system that is busy everywhere is left alone.
 * Two things differ. Devices are counted along the packet's way, so that two stages of a flow share
 * a CPU only where there are fewer CPUs than stages. And a flow changes between its two choices at
 * most once in settle_us, and only for a CPU that is clearly idler, as its own load follows it; one
 * that changes again as soon as it may settles for twice as long each time.
 *
 * Version 1.0 kept of a flow when it had changed, 1.1 keeps until when it stays: falcon_convert()
 * makes the one of the other.
 */
#include <tiffin/packet_steering.h>

enum { FIRST_LIMIT, OFF_ABOVE, SETTLE_US, REPEAT };

static const struct tiffin_tunable falcon_tunables[] = {
	[FIRST_LIMIT] = { "first_limit", "load of the first choice, in 1/1000, from which the second is tried",
			  0, 1000, 850 },
	[OFF_ABOVE] = { "off_above", "average load, in 1/1000, above which a flow keeps one CPU; 1000: never",
			0, 1000, 1000 },
	[SETTLE_US] = { "settle_us", "shortest time between two changes of a flow's choice, in us; "
			"up to 64 times that where it changes each time it may",
			0, 10000000, 50000 },
	[REPEAT] = { "repeat", "packets that an answer is repeated for, at most",
		     0, TIFFIN_PS_MAX_REPEAT, 31 },
};

enum { FIRST, SECOND, UNSPLIT, CHANGED, CARRIED, WARM };

static const struct tiffin_counter falcon_counters[] = {
	[FIRST] = { "first", "answers that named the first choice" },
	[SECOND] = { "second", "answers that named the second choice" },
	[UNSPLIT] = { "unsplit", "answers that named the flow's one CPU, as all CPUs are busy" },
	[CHANGED] = { "changed", "times a flow at a stage went from one choice to the other" },
	[CARRIED] = { "carried", "records of version 1.0 that were carried over" },
	[WARM] = { "warm", "flows with packets that another policy had so far: they settle first" },
};

/* A CPU is clearly idler if its load is lower by this much, in 1/1000. */
#define FALCON_MARGIN	125

/* The host samples load about this often: no use in looking more often. */
#define FALCON_SAMPLE_NS	10000000

/* A flow settles for settle_us times 2 to the power of this, at most. */
#define FALCON_STREAK	6

/* A flow at a stage. */
struct falcon_flow {
	__u64 until_ns;		/* keeps its choice until then */
	__u32 second;		/* 0: on its first choice */
	__u16 streak;		/* changes in a row, each within settle_us of when it could */
	__u16 epoch;		/* falcon_epoch() of its last packet; 0: falcon does not know it */
};

/* The same in version 1 of the schema. */
struct falcon_flow_1 {
	__u64 changed_ns;
	__u32 second;
	__u32 reserved;
};

static __u64 falcon_settle_ns(const struct tiffin_ctx *ctx)
{
	return 1000 * (__u64)tiffin_tunable(ctx, SETTLE_US);
}

/* The epoch in 15 bits, and never 0. */
static __u16 falcon_epoch(const struct tiffin_ctx *ctx)
{
	return ctx->epoch << 1 | 1;
}

/* A flow that version 1.0 has placed stays there for as long as it would have. */
static void falcon_convert(const struct tiffin_ctx *ctx, const struct tiffin_convert_in *in,
			   struct tiffin_convert_out *out)
{
	const struct falcon_flow_1 *old = in->from;
	struct falcon_flow *flow = out->record;

	if (in->version != 1 || in->record_size != sizeof(*old)) {
		out->unknown = 1;
		return;
	}
	flow->epoch = falcon_epoch(ctx);
	flow->second = !!old->second;
	if (old->changed_ns)
		flow->until_ns = old->changed_ns + falcon_settle_ns(ctx);
	tiffin_count(ctx, CARRIED, 1);
}

struct falcon_cpu {
	__u64 next_ns;		/* when to take the average again */
	__u64 busy;		/* the average is above off_above */
};

struct falcon_shared {
	__u32 depth;		/* stages that packets were seen to pass */
	__u32 reserved;
};

/* hash declares the first and the last, too: what it gets of them it hands on. */
static const struct tiffin_store falcon_stores[] = {
	{ "falcon_flow", 2, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_ATOMIC, sizeof(struct falcon_flow),
	  .convert = falcon_convert },
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
			   int known, __u32 first, __u32 second)
{
	const __u64 load[] = { tiffin_ps_cpu(in, first)->load, tiffin_ps_cpu(in, second)->load };
	struct falcon_flow *flow = tiffin_object(ctx);
	__u64 until_ns = tiffin_load(&flow->until_ns), settle_ns = falcon_settle_ns(ctx);
	__u32 on = !!tiffin_load(&flow->second), streak = tiffin_load(&flow->streak);

	/* New to falcon, but the host knows where the flow is: it stays there. */
	if (!known && in->flow_cpu == second) {
		tiffin_store(&flow->second, 1);
		on = 1;
	}
	if ((on || load[0] >= (__u64)tiffin_tunable(ctx, FIRST_LIMIT)) &&
	    load[!on] + FALCON_MARGIN <= load[on] &&
	    (ctx->now_ns >= until_ns || until_ns - ctx->now_ns > settle_ns << FALCON_STREAK)) {
		on = !on;
		if (ctx->now_ns - until_ns >= settle_ns)
			streak = 0;
		else
			streak = streak < FALCON_STREAK ? streak + 1 : FALCON_STREAK;
		tiffin_store(&flow->second, on);
		tiffin_store(&flow->streak, streak);
		tiffin_store(&flow->until_ns, ctx->now_ns + (settle_ns << streak));
		tiffin_count(ctx, CHANGED, 1);
	}
	return on;
}

/*
 * A flow that has packets on their way, under another policy so far: wherever falcon wants it
 * first, or had it before, it settles there. Else a swap would have all flows choose at once, by
 * one sample of the load. Return: did falcon know it?
 *
 * That a record is fresh does not say so: where hash was active it has been to hash.
 */
static int falcon_start_warm(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in)
{
	__u64 settle_ns = falcon_settle_ns(ctx), settled_ns = ctx->now_ns + settle_ns;
	struct falcon_flow *flow = tiffin_object(ctx);
	__u16 epoch = tiffin_load(&flow->epoch), now = falcon_epoch(ctx);
	__u64 until_ns = tiffin_load(&flow->until_ns);
	int known = !!epoch;

	/* One call does it, of those that come at once. */
	if (epoch == now || !tiffin_cmpxchg(&flow->epoch, &epoch, now) || !in->heat)
		return known;
	/* Unless it stays for longer. */
	if (until_ns - settled_ns > settle_ns << FALCON_STREAK) {
		tiffin_store(&flow->until_ns, settled_ns);
		/* It could have changed long ago: what it does next is not in a row with that. */
		if (ctx->now_ns - until_ns >= settle_ns)
			tiffin_store(&flow->streak, 0);
	}
	tiffin_count(ctx, WARM, 1);
	return known;
}

static void falcon_decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
			  struct tiffin_ps_out *out)
{
	__u32 n = in->nr_usable, base = ((__u64)in->hash * n) >> 32, second;
	int known = falcon_start_warm(ctx, in);
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
		if (falcon_choice(ctx, in, known, out->cpu, second)) {
			out->cpu = second;
			what = SECOND;
		}
	}
	tiffin_count(ctx, what, 1);
}

static const struct tiffin_ps_hooks falcon_hooks = {
	.decide = falcon_decide,
};

TIFFIN_POLICY(packet_steering, "falcon", "1.1", "the stages of one flow on different CPUs, load-aware",
	      TIFFIN_HOOKS(falcon_hooks), TIFFIN_STORES(falcon_stores),
	      TIFFIN_TUNABLES(falcon_tunables), TIFFIN_COUNTERS(falcon_counters));
