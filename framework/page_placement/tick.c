// SPDX-License-Identifier: GPL-2.0-only
/*
 * The thread that looks: ten times a second at the machine and the targets; and where a policy is
 * active, asks it how many pages to look at, and does that.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/mm.h>

#include "page_placement/host.h"

#define PP_TICK_MS	100

struct pp_bounds pp_bounds = {
	.hint_pages = 16384,
	.scan_pages = 262144,
	.promote_mib = 65536,
};

bool pp_asking;

static struct task_struct *pp_ticker;

/* Another policy is active: it hasn't answered yet. */
static bool pp_tick_fresh;

/**
 * struct pp_last - what was counted until the last tick
 * @ns: when it was
 * @count: by enum pp_count
 * @swap_ins: pages
 */
struct pp_last {
	u64 ns;
	u64 count[PP_N_COUNTS];
	u64 swap_ins;
};

static struct pp_last pp_last;

/* What has come to @what since. */
static u64 pp_since(enum pp_count what)
{
	u64 now = pp_counted(what), grown = now - pp_last.count[what];

	pp_last.count[what] = now;
	return grown;
}

static u32 pp_since32(enum pp_count what)
{
	return min_t(u64, pp_since(what), U32_MAX);
}

/* What has been counted since the last tick. Each tick looks, asked or not: for the next one. */
static void pp_tick_sum(struct tiffin_pp_tick_in *in, u32 elapsed_ms)
{
	u64 swap_ins = pp_swap_ins();

	*in = (struct tiffin_pp_tick_in) {
		.size = sizeof(*in),
		.elapsed_ms = elapsed_ms,
		.pages = pp_objects_followed(),
		.hints = pp_since32(PP_N_HINTS),
		.young = pp_since32(PP_N_YOUNG),
		.old = pp_since32(PP_N_OLD),
		.promoted = pp_since32(PP_N_PROMOTED),
		.demoted = pp_since32(PP_N_DEMOTED),
		.remapped = pp_since32(PP_N_REMAPPED),
		.written = pp_since32(PP_N_WRITTEN),
		.slow_hints = pp_since32(PP_N_SLOW_HINTS),
		.swap_ins = min_t(u64, swap_ins - pp_last.swap_ins, U32_MAX),
		.hint_ns = pp_since(PP_N_HINT_NS),
		.wake_ns = pp_since(PP_N_WAKE_NS),
		.unmapped_ns = pp_since(PP_N_UNMAPPED_NS),
		.background_ns = pp_since(PP_N_BACKGROUND_NS),
		.machine = &pp_tiers.machine,
	};

	pp_last.swap_ins = swap_ins;
}

/* Ask how much to look at. The answer is that of the last time where it can't be given now. */
static void pp_tick_ask(struct tiffin_pp_tick_out *last, const struct tiffin_pp_tick_in *in)
{
	struct tiffin_pp_tick_out out = *last;

	if (xchg(&pp_tick_fresh, false))
		out = (struct tiffin_pp_tick_out) { .size = sizeof(out) };
	switch (pp_ask(PP_HOOK_TICK, in, &out)) {
	case TIFFIN_ANSWERED:
		*last = out;
		break;
	case TIFFIN_DEFAULT:
		*last = (struct tiffin_pp_tick_out) { .size = sizeof(out) };
		break;
	case TIFFIN_CONTINUITY:
		break;
	}
}

/* Look at as much as the policy wants, and the operator allows. */
static void pp_tick_look(const struct tiffin_pp_tick_out *want, u32 elapsed_ms)
{
	u64 promote = div_u64((u64)READ_ONCE(pp_bounds.promote_mib) * (SZ_1M >> PAGE_SHIFT) *
			      elapsed_ms, MSEC_PER_SEC);
	u64 start = ktime_get_ns();
	u32 node;

	if (want->promote_max)
		promote = min_t(u64, promote, want->promote_max);
	pp_move_allow(min_t(u64, promote, U32_MAX));
	pp_scan(min(want->scan_pages, READ_ONCE(pp_bounds.scan_pages)));
	pp_hint_mark(min(want->hint_pages, READ_ONCE(pp_bounds.hint_pages)));
	for (node = 0; node < pp_tiers.machine.nr_nodes; node++)
		if (READ_ONCE(pp_tiers.node[node].flags) & TIFFIN_PP_NODE_PRESSED)
			pp_move_relieve(node);
	pp_count(PP_N_BACKGROUND_NS, ktime_get_ns() - start);
}

/* The default is active: what a policy before it had marked is undone. */
static void pp_tick_restore(void)
{
	struct pp_program *program;

	for (program = pp_program_next(NULL); program; program = pp_program_next(program)) {
		if (!READ_ONCE(program->hint_marked))
			continue;
		mutex_lock(&program->walk);
		pp_hint_restore(program);
		mutex_unlock(&program->walk);
	}
}

static int pp_tick_run(void *unused)
{
	struct tiffin_pp_tick_out want = { .size = sizeof(want) };

	while (!kthread_should_stop()) {
		struct tiffin_pp_tick_in in;
		u64 now;
		u32 ms;

		schedule_timeout_interruptible(msecs_to_jiffies(PP_TICK_MS));
		now = ktime_get_ns();
		ms = min_t(u64, div_u64(now - pp_last.ns, NSEC_PER_MSEC), 10 * MSEC_PER_SEC);
		pp_last.ns = now;
		pp_tiers_sample();
		pp_move_nodes();
		pp_targets_walk();
		pp_tick_sum(&in, ms);
		if (READ_ONCE(pp_asking)) {
			pp_tick_ask(&want, &in);
			pp_tick_look(&want, ms);
		} else {
			pp_tick_restore();
		}
	}
	return 0;
}

void pp_tick_flipped(bool stock)
{
	WRITE_ONCE(pp_tick_fresh, true);
	WRITE_ONCE(pp_asking, !stock);
}

int pp_tick_start(void)
{
	pp_last.ns = ktime_get_ns();
	pp_last.swap_ins = pp_swap_ins();
	pp_ticker = kthread_run(pp_tick_run, NULL, "tiffin_pp_tick");
	return PTR_ERR_OR_ZERO(pp_ticker);
}

void pp_tick_stop(void)
{
	kthread_stop(pp_ticker);
}
