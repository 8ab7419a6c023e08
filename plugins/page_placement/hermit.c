// SPDX-License-Identifier: GPL-2.0-only
/*
 * hermit: whether a page is promoted in the wake of its fault, in the background, or not at all,
 * is decided by what that costs the program, measured as it runs.
 *
 * After Y. Qiao, C. Wang, Z. Ruan, A. Belay, Q. Lu, Y. Zhang, M. Kim, G. H. Xu: "Hermit:
 * Low-Latency, High-Throughput, and Transparent Remote Memory via Feedback-Directed Asynchrony",
 * NSDI 2023. There the work behind a swap fault that is not urgent leaves the fault's path, and
 * feedback says whether that is worth it, how much of it there may be, and when it is done. Here
 * the work is promotion, and
 *  - whether: the mode. WAKE gives way to BACKGROUND where moves in the wake take too much of the
 *    program's time, BACKGROUND to NONE where hints and moves take more than the promoted pages
 *    save. Each change takes patience ticks in a row; the way back up begins with a rest, that is
 *    twice as long each time it was for nothing.
 *  - how much: fewer hints the fuller the queue of moves, and where they lead to nothing, a trickle
 *    in NONE; and while many pages leave again, only those whose hint came soon after its mark.
 *  - when: pages are demoted before memory is short, the sooner the more pages come in: promoted
 *    ones, and those from swap (zram, a disk), for which the program waits anyway.
 * The remote side, the network and the swap-out are the paper's; swap is the kernel's here.
 */
#include <tiffin/page_placement.h>

enum {
	WINDOW_MS, HINT_PAGES, SCAN_PAGES, WAKE_MAX, COST_FREE, PAGE_GAIN_US, CHASE_MS, PATIENCE,
	REST_MS, COLD_MS, AHEAD, HOT_US,
};

static const struct tiffin_tunable hermit_tunables[] = {
	[WINDOW_MS] = { "window_ms", "an access within so many ms of the one before promotes",
			1, 600000, 5000 },
	[HINT_PAGES] = { "hint_pages", "slow pages to make inaccessible in each tick (100 ms)",
			 0, 1000000, 2048 },
	[SCAN_PAGES] = { "scan_pages", "pages whose accessed bit is looked at in each tick",
			 0, 1000000, 4096 },
	[WAKE_MAX] = { "wake_max", "time for moves in the wake of faults, in 1/1000 of a CPU",
		       1, 1000000, 20 },
	[COST_FREE] = { "cost_free", "time that hints and moves may cost whatever they save, in 1/1000 of a CPU",
		0, 1000000, 50 },
	[PAGE_GAIN_US] = { "page_gain_us", "time that a promoted page is taken to save, in us",
			   0, 1000000, 100 },
	[CHASE_MS] = { "chase_ms", "a page that leaves again in so many ms saved nothing",
		       1, 600000, 10000 },
	[PATIENCE] = { "patience", "ticks in a row that have to ask for another mode", 1, 1000, 5 },
	[REST_MS] = { "rest_ms", "rest before a dearer mode is tried, in ms; up to 64 times that where it was for nothing",
		1, 600000, 2000 },
	[COLD_MS] = { "cold_ms", "pages idle for so many ms may leave ahead of need",
		      1, 600000, 5000 },
	[AHEAD] = { "ahead", "ticks' worth of incoming pages to keep free; 0: none",
		    0, 1000, 10 },
	[HOT_US] = { "hot_us", "a hint promotes within so many us of its mark; half that, and so on, while pages leave again",
		     1, 60000000, 1000000 },
};

/* The modes; a new instance begins in the first. */
enum { BACKGROUND, WAKE, NONE, MODES };

enum {
	TICKS_BACKGROUND, TICKS_WAKE, TICKS_NONE, CHANGED, IN_WAKE, IN_BACKGROUND, UNANSWERED,
	WASTED, EARLY, VICTIM, LATE,
};

/* Those of ticks in the order of the modes. */
static const struct tiffin_counter hermit_counters[] = {
	[TICKS_BACKGROUND] = { "ticks_background", "ticks in the mode BACKGROUND" },
	[TICKS_WAKE] = { "ticks_wake", "ticks in the mode WAKE" },
	[TICKS_NONE] = { "ticks_none", "ticks in the mode NONE" },
	[CHANGED] = { "changed", "changes of the mode" },
	[IN_WAKE] = { "in_wake", "pages promoted at once, in the wake of a hint" },
	[IN_BACKGROUND] = { "in_background", "pages queued for promotion" },
	[UNANSWERED] = { "unanswered", "pages not promoted because of the mode NONE" },
	[WASTED] = { "wasted", "pages demoted within chase_ms of their promotion" },
	[EARLY] = { "early", "pages queued for demotion ahead of need" },
	[VICTIM] = { "victim", "pages named for demotion under pressure" },
	[LATE] = { "late", "accesses that promoted nothing: not soon after a mark" },
};

/* A page. The same bytes as tpp's. */
struct pp_page {
	__u64 seen_ns;		/* last access */
	__u64 moved_ns;		/* last move */
};

/* Times are in ns a ms of elapsed time, averaged over some ticks. */
struct hermit_shared {
	__u64 cost;		/* of hints and moves to the program */
	__u64 wake;		/* of that, moves in the wake */
	__u64 gain;		/* what promotions save it */
	__u64 wake_page_ns;	/* of one promotion in the wake, when that was done last */
	__u64 incoming;		/* pages in a tick that want free fast memory */
	__u64 wasted;		/* pages, since the last tick */
	__u64 changed_ns;	/* last change of the mode */
	__u64 until_ns;		/* no dearer mode is tried until then */
	__u32 mode;
	__u32 wanted;		/* what the last tick asked for */
	__u32 run;		/* ticks in a row that did */
	__u32 streak;		/* rests in a row that were for nothing */
	__u32 shift;		/* hot_us is divided by 2 to the power of this */
	__u32 few;		/* and hint_pages by that of this */
};

#define LISTS		TIFFIN_MAX_LISTS	/* a clock a node, as tpp's */
#define LOOK		64	/* of each answer to pressure(): pages looked at */
#define SPARE		48	/* how many of those may be spared */
#define MAX_STREAK	6
#define MAX_SHIFT	10

/* One wasted in so many promotions, of which there are some, is too much. */
#define WASTES		4
#define SOME		32

/* Fewer hints where less than one in so many promotes. */
#define WORTH		4
#define MAX_FEW		5

#define TRICKLE		16	/* the part of hint_pages that is left in NONE */
#define TOP		(1ull << 40)	/* of averages, whatever stands in a record or a question */

static const struct tiffin_store hermit_stores[] = {
	{ "pp_page", 1, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_ATOMIC, sizeof(struct pp_page) },
	{ "hermit", 2, TIFFIN_STORE_INSTANCE, TIFFIN_SHARE_ATOMIC, sizeof(struct hermit_shared) },
	{ "pp_clock", 1, TIFFIN_STORE_LISTS, TIFFIN_SHARE_ATOMIC, .lists = LISTS },
};

static __u64 hermit_ns(const struct tiffin_ctx *ctx, unsigned int tunable)
{
	return 1000000 * (__u64)tiffin_tunable(ctx, tunable);
}

static __u32 hermit_mode(const struct tiffin_ctx *ctx)
{
	struct hermit_shared *shared = tiffin_instance(ctx);
	__u32 mode = tiffin_load(&shared->mode);

	return mode < MODES ? mode : BACKGROUND;
}

/*
 * Did the hint come soon after its mark? That is not always known. An accessed bit says nothing of
 * that: it is good enough as long as nothing hotter has to be looked for.
 */
static int hermit_hot(const struct tiffin_ctx *ctx, const struct tiffin_pp_access_in *in)
{
	struct hermit_shared *shared = tiffin_instance(ctx);
	const __u32 shift = tiffin_load(&shared->shift) % 32;

	if (in->kind != TIFFIN_PP_HINT)
		return !shift;
	return in->latency_us <= (__u64)tiffin_tunable(ctx, HOT_US) >> shift;
}

/* The page of this call was touched, or not; where that is found on no list, it comes to @end. */
static void hermit_order(const struct tiffin_ctx *ctx, __u32 node, __u32 end, __u32 touched)
{
	struct tiffin_entry e = tiffin_list_find(ctx, ctx->handle);

	if (e.result != TIFFIN_LIST_OK || e.list != node % LISTS)
		tiffin_list_put(ctx, ctx->handle, node % LISTS, end, 0);
	else if (e.mark != touched)
		tiffin_list_mark(ctx, ctx->handle, touched);
}

static void hermit_access(const struct tiffin_ctx *ctx, const struct tiffin_pp_access_in *in,
			  struct tiffin_pp_access_out *out)
{
	const struct tiffin_pp_page *page = in->page;
	const __u32 mode = hermit_mode(ctx);
	struct pp_page *record = tiffin_object(ctx);
	__u64 seen_ns = tiffin_load(&record->seen_ns);

	tiffin_store(&record->seen_ns, ctx->now_ns);
	if (tiffin_pp_can(in->machine, page->node, TIFFIN_PP_DEMOTE))
		hermit_order(ctx, page->node, TIFFIN_LIST_HEAD, 1);
	if (!seen_ns || ctx->now_ns - seen_ns > hermit_ns(ctx, WINDOW_MS) ||
	    page->flags & TIFFIN_PP_PAGE_QUEUED ||
	    !tiffin_pp_can(in->machine, page->node, TIFFIN_PP_PROMOTE))
		return;
	/* Those that have only been seen leave the queue to the hotter ones, most of it. */
	if (!hermit_hot(ctx, in) || (in->kind != TIFFIN_PP_HINT &&
				     in->machine->queued > in->machine->queue_max / 4)) {
		tiffin_count(ctx, LATE, 1);
		return;
	}
	if (mode == WAKE && in->kind == TIFFIN_PP_HINT)
		out->verdict = TIFFIN_PP_NOW;
	else if (mode != NONE)
		out->verdict = TIFFIN_PP_QUEUE;
	tiffin_count(ctx, out->verdict == TIFFIN_PP_NOW ? IN_WAKE :
			  out->verdict == TIFFIN_PP_QUEUE ? IN_BACKGROUND : UNANSWERED, 1);
}

/* Ahead of need: a page that is cold goes while there is still time, where more are coming in. */
static void hermit_age(const struct tiffin_ctx *ctx, const struct tiffin_pp_age_in *in,
		       struct tiffin_pp_age_out *out)
{
	struct hermit_shared *shared = tiffin_instance(ctx);
	const struct tiffin_pp_page *page = in->page;
	const struct tiffin_pp_node *node;
	__u64 ahead = tiffin_tunable(ctx, AHEAD) * (tiffin_load(&shared->incoming) % TOP);

	if (!tiffin_pp_can(in->machine, page->node, TIFFIN_PP_DEMOTE))
		return;
	hermit_order(ctx, page->node, page->heat ? TIFFIN_LIST_HEAD : TIFFIN_LIST_TAIL, 0);
	node = tiffin_pp_node(in->machine, page->node);
	if (!ahead || page->flags & TIFFIN_PP_PAGE_QUEUED ||
	    page->idle_ms < (__u64)tiffin_tunable(ctx, COLD_MS) ||
	    node->free >= node->wm_high + ahead)
		return;
	out->verdict = TIFFIN_PP_QUEUE;
	tiffin_count(ctx, EARLY, 1);
}

/* The cold end. Each page that is looked at goes to the other end, so that none comes up twice. */
static void hermit_pressure(const struct tiffin_ctx *ctx, const struct tiffin_pp_pressure_in *in,
			    struct tiffin_pp_pressure_out *out)
{
	const __u32 list = in->node % LISTS, length = tiffin_list_length(ctx, list);
	struct tiffin_entry e;
	__u32 i;

	for (i = 0; i < LOOK && i < length && out->nr < in->wanted && out->nr < TIFFIN_PP_BATCH;
	     i++) {
		e = tiffin_list_first(ctx, list, TIFFIN_LIST_TAIL);
		if (e.result != TIFFIN_LIST_OK ||
		    tiffin_list_put(ctx, e.handle, list, TIFFIN_LIST_HEAD, 0) != TIFFIN_LIST_OK)
			break;
		if (!e.mark || i >= SPARE)
			out->pages[out->nr++] = e.handle;
	}
	tiffin_count(ctx, VICTIM, out->nr);
}

/* In the wake the program waits for the whole of it, and a plain move is the shortest. */
static void hermit_plan(const struct tiffin_ctx *ctx, const struct tiffin_pp_plan_in *in,
			struct tiffin_pp_plan_out *out)
{
	if (in->direction == TIFFIN_PP_DEMOTE)
		out->flags = TIFFIN_PP_USE_SHADOW;
	else if (hermit_mode(ctx) == WAKE)
		return;
	out->method = TIFFIN_PP_TRANSACTIONAL;
	out->retries = 1;
}

static __u64 hermit_average(__u64 average, __u64 value)
{
	return average % TOP - average % TOP / 4 + (value < TOP ? value : TOP) / 4;
}

static void hermit_done(const struct tiffin_ctx *ctx, const struct tiffin_pp_done_in *in,
			struct tiffin_pp_done_out *out)
{
	const int promote = in->direction == TIFFIN_PP_PROMOTE;
	struct hermit_shared *shared = tiffin_instance(ctx);
	struct pp_page *record = tiffin_object(ctx);
	__u64 moved_ns = tiffin_load(&record->moved_ns);

	if (in->result != TIFFIN_PP_MOVED && in->result != TIFFIN_PP_REMAPPED)
		return;
	tiffin_store(&record->moved_ns, ctx->now_ns);
	if (in->flags & TIFFIN_PP_IN_WAKE)
		tiffin_store(&shared->wake_page_ns,
			     hermit_average(tiffin_load(&shared->wake_page_ns), in->ns));
	if (!promote && moved_ns && ctx->now_ns - moved_ns <= hermit_ns(ctx, CHASE_MS)) {
		tiffin_add(&shared->wasted, 1);
		tiffin_count(ctx, WASTED, 1);
	}
	if (tiffin_pp_can(in->machine, in->page->node, TIFFIN_PP_DEMOTE))
		tiffin_list_put(ctx, ctx->handle, in->page->node % LISTS, TIFFIN_LIST_HEAD,
				promote);
	else
		tiffin_list_remove(ctx, ctx->handle);
}

/* What the last tick says of the program's time, worked into the averages. */
static void hermit_measure(struct hermit_shared *shared, const struct tiffin_pp_tick_in *in,
			   __u64 page_gain_us, int in_wake)
{
	const __u32 ms = in->elapsed_ms ? in->elapsed_ms : 1;
	const __u64 page_ns = tiffin_load(&shared->wake_page_ns);
	__u64 wasted = tiffin_load(&shared->wasted), useful;
	__u32 shift = tiffin_load(&shared->shift) % 32, few = tiffin_load(&shared->few) % 32;

	tiffin_store(&shared->wasted, 0);
	useful = wasted < in->promoted ? in->promoted - wasted : 0;
	/* Those that fast memory is full of are as hot: only hotter ones from now on. */
	if (wasted >= SOME && wasted > in->promoted / WASTES)
		shift = shift < MAX_SHIFT ? shift + 1 : MAX_SHIFT;
	else if (shift && in->promoted < SOME)
		shift--;
	if (in->slow_hints / WORTH > in->promoted)
		few = few < MAX_FEW ? few + 1 : MAX_FEW;
	else if (few)
		few--;
	tiffin_store(&shared->shift, shift);
	tiffin_store(&shared->few, few);
	/* Where nothing is done in the wake, what it costs there is forgotten little by little. */
	if (!in_wake)
		tiffin_store(&shared->wake_page_ns, page_ns - page_ns / 64);
	tiffin_store(&shared->wake, hermit_average(tiffin_load(&shared->wake), in->wake_ns / ms));
	tiffin_store(&shared->cost,
		     hermit_average(tiffin_load(&shared->cost),
				    (in->hint_ns + in->wake_ns + in->unmapped_ns) / ms));
	tiffin_store(&shared->gain, hermit_average(tiffin_load(&shared->gain),
						   useful * page_gain_us * 1000 / ms));
	tiffin_store(&shared->incoming, hermit_average(tiffin_load(&shared->incoming),
						       (__u64)in->promoted + in->swap_ins));
}

/* Which mode does this tick ask for? */
static __u32 hermit_wanted(const struct tiffin_ctx *ctx, const struct tiffin_pp_tick_in *in,
			   const struct hermit_shared *shared, __u32 mode)
{
	const __u64 wake_max = 1000 * (__u64)tiffin_tunable(ctx, WAKE_MAX);
	const __u64 cost = tiffin_load(&shared->cost), until_ns = tiffin_load(&shared->until_ns);
	const int dear = cost > 1000 * (__u64)tiffin_tunable(ctx, COST_FREE) &&
			 cost > tiffin_load(&shared->gain);
	const int rested = ctx->now_ns >= until_ns ||
			   until_ns - ctx->now_ns > hermit_ns(ctx, REST_MS) << MAX_STREAK;
	const __u32 ms = in->elapsed_ms ? in->elapsed_ms : 1;
	__u64 wake;

	if (mode == NONE)
		return rested ? BACKGROUND : NONE;
	if (mode == WAKE)
		return dear || tiffin_load(&shared->wake) > wake_max ? BACKGROUND : WAKE;
	if (dear)
		return NONE;
	/* Would what is promoted now be cheap in the wake? By half, so that it does not swing. */
	wake = tiffin_load(&shared->wake_page_ns) % TOP * in->promoted / ms;
	return rested && wake <= wake_max / 2 ? WAKE : BACKGROUND;
}

static void hermit_change(const struct tiffin_ctx *ctx, struct hermit_shared *shared, __u32 from,
			  __u32 to)
{
	const __u64 rest_ns = hermit_ns(ctx, REST_MS);
	__u32 streak = tiffin_load(&shared->streak);

	if (from == WAKE || to == NONE) {
		if (ctx->now_ns - tiffin_load(&shared->changed_ns) > 2 * rest_ns)
			streak = 0;
		else
			streak = streak < MAX_STREAK ? streak + 1 : MAX_STREAK;
		tiffin_store(&shared->streak, streak);
		tiffin_store(&shared->until_ns, ctx->now_ns + (rest_ns << streak));
	}
	tiffin_store(&shared->mode, to);
	tiffin_store(&shared->changed_ns, ctx->now_ns);
	/* What was measured is the older mode's. */
	tiffin_store(&shared->cost, 0);
	tiffin_store(&shared->wake, 0);
	tiffin_store(&shared->gain, 0);
	tiffin_count(ctx, CHANGED, 1);
}

static void hermit_tick(const struct tiffin_ctx *ctx, const struct tiffin_pp_tick_in *in,
			struct tiffin_pp_tick_out *out)
{
	const struct tiffin_pp_machine *machine = in->machine;
	struct hermit_shared *shared = tiffin_instance(ctx);
	__u32 mode = hermit_mode(ctx), wanted, run = 1;
	__u64 hints = tiffin_tunable(ctx, HINT_PAGES);

	hermit_measure(shared, in, tiffin_tunable(ctx, PAGE_GAIN_US), mode == WAKE);
	wanted = hermit_wanted(ctx, in, shared, mode);
	if (wanted == tiffin_load(&shared->wanted) && tiffin_load(&shared->run) < 1000)
		run = tiffin_load(&shared->run) + 1;
	tiffin_store(&shared->wanted, wanted);
	tiffin_store(&shared->run, run);
	if (wanted != mode && run >= (__u64)tiffin_tunable(ctx, PATIENCE)) {
		hermit_change(ctx, shared, mode, wanted);
		mode = wanted;
	}
	tiffin_count(ctx, mode, 1);
	if (mode == NONE)
		hints /= TRICKLE;
	else if (machine->queued < machine->queue_max)
		hints = hints * (machine->queue_max - machine->queued) / machine->queue_max;
	else
		hints = 0;
	out->hint_pages = hints >> tiffin_load(&shared->few) % 32;
	out->scan_pages = tiffin_tunable(ctx, SCAN_PAGES);
	out->promote_max = 0;
}

static const struct tiffin_pp_hooks hermit_hooks = {
	.access = hermit_access,
	.age = hermit_age,
	.pressure = hermit_pressure,
	.plan = hermit_plan,
	.done = hermit_done,
	.tick = hermit_tick,
};

TIFFIN_POLICY(page_placement, "hermit", "1.0", "promotes when and how the program's time allows it",
	      TIFFIN_HOOKS(hermit_hooks), TIFFIN_STORES(hermit_stores),
	      TIFFIN_TUNABLES(hermit_tunables), TIFFIN_COUNTERS(hermit_counters));
