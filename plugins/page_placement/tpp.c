// SPDX-License-Identifier: GPL-2.0-only
/*
 * tpp: a page that is touched again soon goes to fast memory before the program goes on; what was
 * not touched for longest leaves it, ahead of need.
 *
 * After H. Al Maruf, H. Wang, A. Dhanotia, J. Weiner, N. Agarwal, P. Bhattacharya, C. Petersen,
 * M. Chowdhury, S. Kanaujia, P. Chauhan: "TPP: Transparent Page Placement for CXL-Enabled
 * Tiered-Memory", ASPLOS 2023. There a hint fault promotes a page only where it is on the kernel's
 * active list, so that one touch of a cold page moves nothing; demotion begins at a watermark
 * above the one of allocation and takes the end of the inactive list; pages are copied, and nothing
 * stays behind. Here the second access within window_ms stands for the active list, the host's
 * watermarks for the headroom, and a clock (a list with second chances) for the two lists. As in
 * the kernel that followed the paper, a hint has to come soon after its mark, the sooner the more
 * pages return. Placing new pages by their type is the paper's third part; allocation is the
 * kernel's here.
 */
#include <tiffin/page_placement.h>

enum { WINDOW_MS, WARM_HEAT, HINT_PAGES, SCAN_PAGES, HOT_US };

static const struct tiffin_tunable tpp_tunables[] = {
	[WINDOW_MS] = { "window_ms", "a hint within so many ms of the access before promotes",
			1, 600000, 5000 },
	[WARM_HEAT] = { "warm_heat", "heat from which the first hint seen of a page promotes; 264: accessed in the 5 s before, too",
			0, 65536, 264 },
	[HINT_PAGES] = { "hint_pages", "slow pages to make inaccessible in each tick (100 ms)",
			 0, 1000000, 2048 },
	[SCAN_PAGES] = { "scan_pages", "pages whose accessed bit is looked at in each tick",
			 0, 1000000, 4096 },
	[HOT_US] = { "hot_us", "a hint promotes within so many us of its mark; half that, and so on, while pages return",
		     1, 60000000, 1000000 },
};

enum { FIRST, SECOND, WARM, LATE, RETURNED, VICTIM, SPARED };

static const struct tiffin_counter tpp_counters[] = {
	[FIRST] = { "first", "hints that promoted nothing: the page was not touched lately" },
	[SECOND] = { "second", "hints that promoted: the second access within window_ms" },
	[WARM] = { "warm", "hints that promoted a page new to tpp, but hot to the host" },
	[LATE] = { "late", "hints that promoted nothing: they came too long after their mark" },
	[RETURNED] = { "returned", "pages promoted within window_ms of having been demoted" },
	[VICTIM] = { "victim", "pages named for demotion" },
	[SPARED] = { "spared", "pages at the cold end that got a second chance" },
};

/* A page. The same bytes as hermit's. */
struct pp_page {
	__u64 seen_ns;		/* last access */
	__u64 moved_ns;		/* last move */
};

/* What promotions and hints are good for, since the last tick. */
struct tpp_shared {
	__u32 returned;		/* pages */
	__u32 shift;		/* hot_us is divided by 2 to the power of this */
	__u32 rest;		/* and hint_pages by that of this */
	__u32 reserved;
};

/* A list a node; of more nodes some share one, and the host passes over pages of the other. */
#define LISTS		TIFFIN_MAX_LISTS

/* Of each answer to pressure(): pages looked at, and how many of those may be spared. */
#define LOOK		64
#define SPARE		48

/* One return in so many promotions, of which there are a few, is too much. */
#define RETURNS		4
#define FEW		32

/* Fewer hints where less than one in so many promotes. */
#define WORTH		4

#define MAX_SHIFT	10
#define MAX_REST	5

/*
 * The clock of a node: pages come to the head; the mark says that one was touched since. The same
 * as nomad's and hermit's.
 */
static const struct tiffin_store tpp_stores[] = {
	{ "pp_page", 1, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_ATOMIC, sizeof(struct pp_page) },
	{ "tpp", 1, TIFFIN_STORE_INSTANCE, TIFFIN_SHARE_ATOMIC, sizeof(struct tpp_shared) },
	{ "pp_clock", 1, TIFFIN_STORE_LISTS, TIFFIN_SHARE_ATOMIC, .lists = LISTS },
};

/* The page of this call was touched, or not; where that is found on no list, it comes to @end. */
static void tpp_order(const struct tiffin_ctx *ctx, __u32 node, __u32 end, __u32 touched)
{
	struct tiffin_entry e = tiffin_list_find(ctx, ctx->handle);

	if (e.result != TIFFIN_LIST_OK || e.list != node % LISTS)
		tiffin_list_put(ctx, ctx->handle, node % LISTS, end, 0);
	else if (e.mark != touched)
		tiffin_list_mark(ctx, ctx->handle, touched);
}

/* Did the hint come soon after its mark? That is not always known. */
static int tpp_hot(const struct tiffin_ctx *ctx, const struct tiffin_pp_access_in *in)
{
	struct tpp_shared *shared = tiffin_instance(ctx);

	return in->latency_us <=
	       (__u64)tiffin_tunable(ctx, HOT_US) >> tiffin_load(&shared->shift) % 32;
}

/* Without room on @node the program would wait for nothing; the queue waits for some. */
static int tpp_room(const struct tiffin_pp_machine *machine, __u32 node)
{
	const struct tiffin_pp_node *to;

	if (node >= machine->nr_nodes)
		return 0;
	to = tiffin_pp_node(machine, node);
	return to->free > to->wm_low;
}

static void tpp_access(const struct tiffin_ctx *ctx, const struct tiffin_pp_access_in *in,
		       struct tiffin_pp_access_out *out)
{
	const __u64 window_ns = 1000000 * (__u64)tiffin_tunable(ctx, WINDOW_MS);
	const struct tiffin_pp_page *page = in->page;
	struct pp_page *record = tiffin_object(ctx);
	__u64 seen_ns = tiffin_load(&record->seen_ns);
	unsigned int why = FIRST;
	__u32 to;

	tiffin_store(&record->seen_ns, ctx->now_ns);
	if (tiffin_pp_can(in->machine, page->node, TIFFIN_PP_DEMOTE))
		tpp_order(ctx, page->node, TIFFIN_LIST_HEAD, 1);
	if (in->kind != TIFFIN_PP_HINT ||
	    !tiffin_pp_can(in->machine, page->node, TIFFIN_PP_PROMOTE))
		return;
	if (seen_ns && ctx->now_ns - seen_ns <= window_ns)
		why = SECOND;
	else if (!seen_ns && page->heat >= (__u64)tiffin_tunable(ctx, WARM_HEAT))
		why = WARM;
	if (why != FIRST && !tpp_hot(ctx, in))
		why = LATE;
	if (why == SECOND || why == WARM) {
		/* Nodes change while they are looked at: read once. */
		to = tiffin_load(&tiffin_pp_node(in->machine, page->node)->faster);
		out->verdict = tpp_room(in->machine, to) ? TIFFIN_PP_NOW : TIFFIN_PP_QUEUE;
	}
	tiffin_count(ctx, why, 1);
}

/* One that was touched lately, as the host knows, does not begin at the cold end. */
static void tpp_age(const struct tiffin_ctx *ctx, const struct tiffin_pp_age_in *in,
		    struct tiffin_pp_age_out *out)
{
	if (tiffin_pp_can(in->machine, in->page->node, TIFFIN_PP_DEMOTE))
		tpp_order(ctx, in->page->node,
			  in->page->heat ? TIFFIN_LIST_HEAD : TIFFIN_LIST_TAIL, 0);
}

/*
 * The cold end. Each page that is looked at goes to the other end, so that the next answer goes on
 * behind it; one whose demotion comes to nothing must not stand in the way.
 */
static void tpp_pressure(const struct tiffin_ctx *ctx, const struct tiffin_pp_pressure_in *in,
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
		if (e.mark && i < SPARE) {
			tiffin_count(ctx, SPARED, 1);
			continue;
		}
		out->pages[out->nr++] = e.handle;
		tiffin_count(ctx, VICTIM, 1);
	}
}

static void tpp_done(const struct tiffin_ctx *ctx, const struct tiffin_pp_done_in *in,
		     struct tiffin_pp_done_out *out)
{
	struct tpp_shared *shared = tiffin_instance(ctx);
	struct pp_page *record = tiffin_object(ctx);
	__u64 moved_ns = tiffin_load(&record->moved_ns);

	if (in->result != TIFFIN_PP_MOVED && in->result != TIFFIN_PP_REMAPPED)
		return;
	tiffin_store(&record->moved_ns, ctx->now_ns);
	if (in->direction == TIFFIN_PP_PROMOTE && moved_ns &&
	    ctx->now_ns - moved_ns <= 1000000 * (__u64)tiffin_tunable(ctx, WINDOW_MS)) {
		tiffin_count(ctx, RETURNED, 1);
		/* The first time, where it lay before was not a policy's choice. */
		if (in->page->promoted > 1)
			tiffin_add(&shared->returned, 1);
	}
	if (tiffin_pp_can(in->machine, in->page->node, TIFFIN_PP_DEMOTE))
		tiffin_list_put(ctx, ctx->handle, in->page->node % LISTS, TIFFIN_LIST_HEAD,
				in->direction == TIFFIN_PP_PROMOTE);
	else
		tiffin_list_remove(ctx, ctx->handle);
}

/*
 * Where pages return, those that fast memory is full of are as hot: only hotter ones from now on.
 * Where hints promote little, they are not worth what they cost the program: fewer of them.
 */
static void tpp_weigh(struct tpp_shared *shared, const struct tiffin_pp_tick_in *in)
{
	__u32 shift = tiffin_load(&shared->shift) % 32, rest = tiffin_load(&shared->rest) % 32;

	if (in->promoted >= FEW) {
		if (tiffin_load(&shared->returned) > in->promoted / RETURNS)
			shift = shift < MAX_SHIFT ? shift + 1 : MAX_SHIFT;
	} else if (shift) {
		shift--;
	}
	if (in->slow_hints / WORTH > in->promoted)
		rest = rest < MAX_REST ? rest + 1 : MAX_REST;
	else if (rest)
		rest--;
	tiffin_store(&shared->returned, 0);
	tiffin_store(&shared->shift, shift);
	tiffin_store(&shared->rest, rest);
}

static void tpp_tick(const struct tiffin_ctx *ctx, const struct tiffin_pp_tick_in *in,
		     struct tiffin_pp_tick_out *out)
{
	struct tpp_shared *shared = tiffin_instance(ctx);

	tpp_weigh(shared, in);
	out->hint_pages = (__u64)tiffin_tunable(ctx, HINT_PAGES) >> tiffin_load(&shared->rest) % 32;
	out->scan_pages = tiffin_tunable(ctx, SCAN_PAGES);
	out->promote_max = 0;
}

static const struct tiffin_pp_hooks tpp_hooks = {
	.access = tpp_access,
	.age = tpp_age,
	.pressure = tpp_pressure,
	.done = tpp_done,
	.tick = tpp_tick,
};

TIFFIN_POLICY(page_placement, "tpp", "1.0", "promotes at the second hint, demotes by headroom",
	      TIFFIN_HOOKS(tpp_hooks), TIFFIN_STORES(tpp_stores),
	      TIFFIN_TUNABLES(tpp_tunables), TIFFIN_COUNTERS(tpp_counters));
