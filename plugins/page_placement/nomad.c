// SPDX-License-Identifier: GPL-2.0-only
/*
 * nomad: no access waits for a copy. Pages are promoted in the background while the program goes on
 * using them; what they leave behind stays as a shadow, so that a page that was not written goes
 * back without a copy.
 *
 * After L. Xiang, Z. Lin, W. Deng, H. Lu, J. Rao, Y. Yuan, R. Wang: "Nomad: Non-Exclusive Memory
 * Tiering via Transactional Page Migration", OSDI 2024. There a hint fault puts a page on a queue
 * of candidates, one that proves hot goes on to a queue of pages to migrate, and a thread copies
 * those in transactions that a write aborts; demotion maps the shadow; shadows are given up many at
 * a time where memory is short. Here a candidate is a page whose last access lies within window_ms
 * (so the queue can't overflow), and its next one, seen by a hint or by an accessed bit,
 * proves it hot; or a hint soon after its mark does. Three things are added. Demotions without
 * a shadow are transactions too. A page that was written under its copies waits longer each time
 * before it is tried again. And, where the hot pages do not fit into fast memory, which the paper
 * leaves open: a page is promoted only if it is hotter than what would leave for it, the time from
 * mark to hint being the measure; and where many were demoted a moment ago nevertheless, promotion
 * is throttled.
 */
#include <tiffin/page_placement.h>

enum {
	WINDOW_MS, WARM_HEAT, HINT_PAGES, SCAN_PAGES, RETRIES, BACKOFF_MS, CHASE_MS, CHASE_LIMIT,
	PROMOTE_MAX, RECLAIM_TIMES, HOT_US, PERIOD_MS,
};

static const struct tiffin_tunable nomad_tunables[] = {
	[WINDOW_MS] = { "window_ms", "an access within so many ms of the one before promotes",
			1, 600000, 5000 },
	[WARM_HEAT] = { "warm_heat", "heat from which the first access seen of a page promotes; 264: another in the 5 s before",
			0, 65536, 264 },
	[HINT_PAGES] = { "hint_pages", "slow pages to make inaccessible in each tick (100 ms)",
			 0, 1000000, 2048 },
	[SCAN_PAGES] = { "scan_pages", "pages whose accessed bit is looked at in each tick",
			 0, 1000000, 4096 },
	[RETRIES] = { "retries", "how often a copy is made anew at once after a write",
		      0, TIFFIN_PP_MAX_RETRIES, 1 },
	[BACKOFF_MS] = { "backoff_ms", "a page written under its copy rests for so many ms, and up to 64 times that",
		0, 60000, 1000 },
	[CHASE_MS] = { "chase_ms", "a page promoted within so many ms of its demotion is a chase",
		       1, 600000, 10000 },
	[CHASE_LIMIT] = { "chase_limit", "chases, in 1/1000 of promotions, that throttle these; 1000: none do",
		0, 1000, 250 },
	[PROMOTE_MAX] = { "promote_max", "pages to promote in each tick if nothing is throttled",
			  32, 1000000, 2048 },
	[RECLAIM_TIMES] = { "reclaim_times", "shadows given up for each page of need",
			    1, 100, 10 },
	[HOT_US] = { "hot_us", "a hint within half of so many us of its mark says more than an accessed bit does; within half of that, still more, and so on",
		     1, 60000000, 1000000 },
	[PERIOD_MS] = { "period_ms", "the throttle is thought over once in so many ms",
			100, 60000, 1000 },
};

enum {
	CANDIDATE, PROVED, WARM, BACKED_OFF, NO_BETTER, COOLED, CHASED, THROTTLED, VICTIM, SPARED,
	BACK, BACK_COPIED,
};

static const struct tiffin_counter nomad_counters[] = {
	[CANDIDATE] = { "candidate", "accesses that made a page a candidate" },
	[PROVED] = { "proved", "accesses that proved a candidate hot" },
	[WARM] = { "warm", "accesses that promoted a page new to nomad, but hot to the host" },
	[BACKED_OFF] = { "backed_off", "accesses to a page that is left alone, as it was written" },
	[NO_BETTER] = { "no_better", "promotions not made or dropped: what would go is as good" },
	[COOLED] = { "cooled", "promotions dropped, as the page was not touched while it waited" },
	[CHASED] = { "chased", "promotions of pages demoted a moment ago" },
	[THROTTLED] = { "throttled", "ticks with fewer promotions allowed than promote_max" },
	[VICTIM] = { "victim", "pages named for demotion" },
	[SPARED] = { "spared", "pages at the cold end that were worth more than nothing" },
	[BACK] = { "back", "pages demoted that had been promoted before" },
	[BACK_COPIED] = { "back_copied", "of these, those that had to be copied" },
};

/* A list a node; of more nodes some share one, and the host passes over pages of the other. */
#define LISTS		TIFFIN_MAX_LISTS

/* A page. */
struct nomad_page {
	__u64 seen_ns;		/* last access */
	__u64 demoted_ns;	/* last demotion */
	__u64 until_ns;		/* left alone until then */
	__u64 chances;		/* on the clock, once it is promoted: more for the hotter */
};

/* What came of promotions in the period. */
struct nomad_shared {
	__u64 next_ns;		/* when the period ends */
	__u64 promoted;
	__u64 chased;
	__u32 shift;		/* promote_max is divided by 2 to the power of this */
	__u32 reserved;
	__u32 level[LISTS];	/* chances of what left the node last */
	__u32 rest;		/* hint_pages is, as long as hints promote little */
};

/* Of each answer to pressure(): pages looked at. */
#define LOOK		64

/* The throttle is thought over where so many pages were promoted. */
#define FEW		32

/* Greatest shift: of the throttle, of hints with it, of useless hints, and of the back-off. */
#define MAX_SHIFT	5
#define MAX_HINT_SHIFT	3
#define MAX_REST	5
#define MAX_STREAK	6

/* Fewer hints where less than one in so many promotes. */
#define WORTH		4

#define MAX_CHANCES	8

/*
 * The clock of a node: pages come to the head; the mark says how many more times one is spared.
 * A touch is worth once; a promotion the more, the sooner after its mark the hint came.
 */
static const struct tiffin_store nomad_stores[] = {
	{ "nomad_page", 2, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_ATOMIC, sizeof(struct nomad_page) },
	{ "nomad", 1, TIFFIN_STORE_INSTANCE, TIFFIN_SHARE_ATOMIC, sizeof(struct nomad_shared) },
	{ "pp_clock", 1, TIFFIN_STORE_LISTS, TIFFIN_SHARE_ATOMIC, .lists = LISTS },
};

static __u64 nomad_ns(const struct tiffin_ctx *ctx, unsigned int tunable)
{
	return 1000000 * (__u64)tiffin_tunable(ctx, tunable);
}

/* The page of this call was touched, or not; where that is found on no list, it comes to @end. */
static void nomad_order(const struct tiffin_ctx *ctx, __u32 node, __u32 end, int touched)
{
	struct tiffin_entry e = tiffin_list_find(ctx, ctx->handle);

	if (e.result != TIFFIN_LIST_OK || e.list != node % LISTS)
		tiffin_list_put(ctx, ctx->handle, node % LISTS, end, 0);
	else if (touched ? !e.mark : e.mark)
		tiffin_list_mark(ctx, ctx->handle, touched ? 1 : e.mark / 2);
}

/* How hot is it? An accessed bit says least; a hint the more, the sooner after its mark it came. */
static __u32 nomad_chances(const struct tiffin_ctx *ctx, const struct tiffin_pp_access_in *in)
{
	__u64 hot_us = tiffin_tunable(ctx, HOT_US);
	__u32 chances = 1;

	if (in->kind != TIFFIN_PP_HINT || !in->latency_us)
		return chances;
	for (; chances < MAX_CHANCES && in->latency_us <= hot_us / 2; hot_us /= 2)
		chances++;
	return chances;
}

/* Is a page with so many chances better than what would leave @node for it? */
static int nomad_better(const struct tiffin_ctx *ctx, __u32 chances, __u32 node)
{
	struct nomad_shared *shared = tiffin_instance(ctx);

	return chances > tiffin_load(&shared->level[node % LISTS]);
}

static void nomad_access(const struct tiffin_ctx *ctx, const struct tiffin_pp_access_in *in,
			 struct tiffin_pp_access_out *out)
{
	const struct tiffin_pp_page *page = in->page;
	struct nomad_page *record = tiffin_object(ctx);
	__u64 seen_ns = tiffin_load(&record->seen_ns), until_ns = tiffin_load(&record->until_ns);
	unsigned int why = CANDIDATE;
	__u32 chances;

	tiffin_store(&record->seen_ns, ctx->now_ns);
	if (tiffin_pp_can(in->machine, page->node, TIFFIN_PP_DEMOTE))
		nomad_order(ctx, page->node, TIFFIN_LIST_HEAD, 1);
	if (!tiffin_pp_can(in->machine, page->node, TIFFIN_PP_PROMOTE) ||
	    page->flags & TIFFIN_PP_PAGE_QUEUED)
		return;
	if (ctx->now_ns < until_ns &&
	    until_ns - ctx->now_ns <= nomad_ns(ctx, BACKOFF_MS) << MAX_STREAK)
		why = BACKED_OFF;
	else if (seen_ns && ctx->now_ns - seen_ns <= nomad_ns(ctx, WINDOW_MS))
		why = PROVED;
	else if (!seen_ns && page->heat >= (__u64)tiffin_tunable(ctx, WARM_HEAT))
		why = WARM;
	chances = nomad_chances(ctx, in);
	/* Who has only been seen leaves the queue to the hotter ones, most of it. */
	if (chances < 2 && in->machine->queued > in->machine->queue_max / 4)
		why = CANDIDATE;
	/* One that came that soon was no chance: it is touched again and again. */
	if (why == CANDIDATE && chances > 1)
		why = PROVED;
	if ((why == PROVED || why == WARM) &&
	    !nomad_better(ctx, chances, tiffin_pp_node(in->machine, page->node)->faster))
		why = NO_BETTER;
	if (why == PROVED || why == WARM) {
		out->verdict = TIFFIN_PP_QUEUE;
		tiffin_store(&record->chances, chances);
	}
	tiffin_count(ctx, why, 1);
}

/* One that was touched lately, as the host knows, does not begin at the cold end. */
static void nomad_age(const struct tiffin_ctx *ctx, const struct tiffin_pp_age_in *in,
		      struct tiffin_pp_age_out *out)
{
	if (tiffin_pp_can(in->machine, in->page->node, TIFFIN_PP_DEMOTE))
		nomad_order(ctx, in->page->node,
			    in->page->heat ? TIFFIN_LIST_HEAD : TIFFIN_LIST_TAIL, 0);
}

/*
 * The cold end: of the pages that are looked at those with the fewest chances. Each goes to the
 * other end, so that none comes up twice, with a chance less.
 */
static void nomad_pressure(const struct tiffin_ctx *ctx, const struct tiffin_pp_pressure_in *in,
			   struct tiffin_pp_pressure_out *out)
{
	const __u32 list = in->node % LISTS, length = tiffin_list_length(ctx, list);
	const __u32 most = in->wanted < TIFFIN_PP_BATCH ? in->wanted : TIFFIN_PP_BATCH;
	struct nomad_shared *shared = tiffin_instance(ctx);
	__u32 mark[TIFFIN_PP_BATCH], i, at, nr = 0, untouched = 0;
	struct tiffin_entry e;

	for (i = 0; i < LOOK && i < length && untouched < most; i++) {
		e = tiffin_list_first(ctx, list, TIFFIN_LIST_TAIL);
		if (e.result != TIFFIN_LIST_OK ||
		    tiffin_list_put(ctx, e.handle, list, TIFFIN_LIST_HEAD,
				    e.mark ? e.mark - 1 : 0) != TIFFIN_LIST_OK)
			break;
		untouched += !e.mark;
		if (e.mark)
			tiffin_count(ctx, SPARED, 1);
		if (nr == most && mark[most - 1] <= e.mark)
			continue;
		at = nr < most ? nr++ : most - 1;
		for (; at && mark[at - 1] > e.mark; at--) {
			mark[at] = mark[at - 1];
			out->pages[at] = out->pages[at - 1];
		}
		mark[at] = e.mark;
		out->pages[at] = e.handle;
	}
	out->nr = nr;
	if (nr)
		tiffin_store(&shared->level[list], mark[nr - 1]);
	tiffin_count(ctx, VICTIM, nr);
}

static void nomad_plan(const struct tiffin_ctx *ctx, const struct tiffin_pp_plan_in *in,
		       struct tiffin_pp_plan_out *out)
{
	struct nomad_page *record = tiffin_object(ctx);
	__u64 chances = tiffin_load(&record->chances);

	out->method = TIFFIN_PP_TRANSACTIONAL;
	out->retries = tiffin_tunable(ctx, RETRIES);
	if (in->direction == TIFFIN_PP_DEMOTE) {
		out->flags = TIFFIN_PP_USE_SHADOW;
		return;
	}
	out->flags = TIFFIN_PP_KEEP_SHADOW;
	if (in->page->idle_ms > (__u64)tiffin_tunable(ctx, WINDOW_MS)) {
		out->flags = TIFFIN_PP_CANCEL;
		tiffin_count(ctx, COOLED, 1);
	} else if (chances && !nomad_better(ctx, chances, in->to)) {
		out->flags = TIFFIN_PP_CANCEL;
		tiffin_count(ctx, NO_BETTER, 1);
	}
}

/* A page was promoted: has it been demoted a moment ago? */
static void nomad_promoted(const struct tiffin_ctx *ctx, const struct tiffin_pp_page *page,
			   const struct nomad_page *record)
{
	struct nomad_shared *shared = tiffin_instance(ctx);
	__u64 demoted_ns = tiffin_load(&record->demoted_ns);

	tiffin_add(&shared->promoted, 1);
	/* The first time it comes back: where it lay before was not a policy's choice. */
	if (page->promoted < 2 || !demoted_ns || ctx->now_ns - demoted_ns > nomad_ns(ctx, CHASE_MS))
		return;
	tiffin_add(&shared->chased, 1);
	tiffin_count(ctx, CHASED, 1);
}

static void nomad_demoted(const struct tiffin_ctx *ctx, const struct tiffin_pp_done_in *in,
			  struct nomad_page *record)
{
	tiffin_store(&record->demoted_ns, ctx->now_ns);
	if (!in->page->promoted)
		return;
	tiffin_count(ctx, BACK, 1);
	tiffin_count(ctx, BACK_COPIED, in->result == TIFFIN_PP_MOVED);
}

static void nomad_done(const struct tiffin_ctx *ctx, const struct tiffin_pp_done_in *in,
		       struct tiffin_pp_done_out *out)
{
	const __u32 streak = in->page->aborted < MAX_STREAK ? in->page->aborted : MAX_STREAK;
	const int promote = in->direction == TIFFIN_PP_PROMOTE;
	struct nomad_page *record = tiffin_object(ctx);
	__u64 chances = tiffin_load(&record->chances);

	if (in->result == TIFFIN_PP_WRITTEN) {
		if (promote)
			tiffin_store(&record->until_ns,
				     ctx->now_ns + (nomad_ns(ctx, BACKOFF_MS) << streak));
		else
			nomad_order(ctx, in->page->node, TIFFIN_LIST_HEAD, 1);
		return;
	}
	if (in->result != TIFFIN_PP_MOVED && in->result != TIFFIN_PP_REMAPPED)
		return;
	if (promote)
		nomad_promoted(ctx, in->page, record);
	else
		nomad_demoted(ctx, in, record);
	if (tiffin_pp_can(in->machine, in->page->node, TIFFIN_PP_DEMOTE))
		tiffin_list_put(ctx, ctx->handle, in->page->node % LISTS, TIFFIN_LIST_HEAD,
				!promote ? 0 : chances < MAX_CHANCES ? chances + 1 : MAX_CHANCES);
	else
		tiffin_list_remove(ctx, ctx->handle);
}

static void nomad_reclaim(const struct tiffin_ctx *ctx, const struct tiffin_pp_reclaim_in *in,
			  struct tiffin_pp_reclaim_out *out)
{
	__u64 count = (__u64)in->wanted * tiffin_tunable(ctx, RECLAIM_TIMES);

	out->count = count < in->kept ? count : in->kept;
}

/*
 * Once a period: down by half while pages chase each other, up again step by step. What has to
 * leave for others may have got colder meanwhile: let a few in that are no better, and find out.
 */
static __u32 nomad_throttle(const struct tiffin_ctx *ctx)
{
	const __u64 limit = tiffin_tunable(ctx, CHASE_LIMIT), period_ns = nomad_ns(ctx, PERIOD_MS);
	struct nomad_shared *shared = tiffin_instance(ctx);
	__u64 next_ns = tiffin_load(&shared->next_ns), promoted, chased;
	__u32 shift = tiffin_load(&shared->shift), level, i;

	if (shift > MAX_SHIFT)
		shift = MAX_SHIFT;
	if (ctx->now_ns < next_ns && next_ns - ctx->now_ns <= period_ns)
		return shift;
	promoted = tiffin_load(&shared->promoted);
	chased = tiffin_load(&shared->chased);
	if (limit < 1000 && promoted >= FEW && chased > promoted / 1000 * limit +
						     promoted % 1000 * limit / 1000)
		shift = shift < MAX_SHIFT ? shift + 1 : MAX_SHIFT;
	else if (shift)
		shift--;
	for (i = 0; i < LISTS; i++) {
		level = tiffin_load(&shared->level[i]);
		if (level)
			tiffin_store(&shared->level[i], level - 1);
	}
	tiffin_store(&shared->promoted, 0);
	tiffin_store(&shared->chased, 0);
	tiffin_store(&shared->shift, shift);
	tiffin_store(&shared->next_ns, ctx->now_ns + period_ns);
	return shift;
}

/* Hints that lead to nothing cost the program all the same: fewer of them, until more do. */
static __u32 nomad_rest(const struct tiffin_ctx *ctx, const struct tiffin_pp_tick_in *in)
{
	struct nomad_shared *shared = tiffin_instance(ctx);
	__u32 rest = tiffin_load(&shared->rest);

	if (rest > MAX_REST)
		rest = MAX_REST;
	if (in->slow_hints / WORTH > in->promoted)
		rest = rest < MAX_REST ? rest + 1 : MAX_REST;
	else if (rest)
		rest--;
	tiffin_store(&shared->rest, rest);
	return rest;
}

static void nomad_tick(const struct tiffin_ctx *ctx, const struct tiffin_pp_tick_in *in,
		       struct tiffin_pp_tick_out *out)
{
	const __u32 shift = nomad_throttle(ctx);
	__u32 hint_shift = nomad_rest(ctx, in);

	if (shift)
		tiffin_count(ctx, THROTTLED, 1);
	if (hint_shift < shift)
		hint_shift = shift < MAX_HINT_SHIFT ? shift : MAX_HINT_SHIFT;
	out->hint_pages = (__u64)tiffin_tunable(ctx, HINT_PAGES) >> hint_shift;
	out->scan_pages = tiffin_tunable(ctx, SCAN_PAGES);
	out->promote_max = (__u64)tiffin_tunable(ctx, PROMOTE_MAX) >> shift;
}

static const struct tiffin_pp_hooks nomad_hooks = {
	.access = nomad_access,
	.age = nomad_age,
	.pressure = nomad_pressure,
	.plan = nomad_plan,
	.done = nomad_done,
	.reclaim = nomad_reclaim,
	.tick = nomad_tick,
};

TIFFIN_POLICY(page_placement, "nomad", "1.0", "moves pages that are in use, and keeps shadows",
	      TIFFIN_HOOKS(nomad_hooks), TIFFIN_STORES(nomad_stores),
	      TIFFIN_TUNABLES(nomad_tunables), TIFFIN_COUNTERS(nomad_counters));
