// SPDX-License-Identifier: GPL-2.0-only
/* A program with pages and a host that moves them; see policy_page_placement.h. */
#include <string.h>

#include "policy_page_placement.h"

#define TICK_NS		100000000ull

/* The weight of the hottest page in pp_load(). */
#define ONE		1048576u

static bool can_go(const struct pp *pp, unsigned int page, __u32 direction)
{
	const struct tiffin_pp_machine machine = {
		.nr_nodes = pp->nr_nodes, .node_stride = sizeof(pp->node[0]), .nodes = pp->node,
	};

	return tiffin_pp_can(&machine, pp->page[page].node, direction);
}

/* Shadows of @node go, oldest first (here: by number), for so many pages as memory is short of. */
static void reclaim(struct pp *pp, __u32 node, __u32 wanted)
{
	__u32 count = pp_reclaim(pp, node, wanted), i;

	if (count < wanted - wanted / 2)
		count = wanted - wanted / 2;
	for (i = 0; i < pp->nr_pages && count; i++)
		if (pp->page[i].shadowed && pp->page[i].shadow_node == node) {
			pp_drop_shadow(pp, &pp->page[i]);
			count--;
		}
}

/* The page is on @to. Return: what the caller tells the policy. */
static __u32 moved(struct pp *pp, struct pp_page_state *p, __u32 to, __u32 direction, __u32 flags)
{
	const bool remap = direction == TIFFIN_PP_DEMOTE && flags & TIFFIN_PP_USE_SHADOW &&
			   p->shadowed && p->shadow_node == to;

	if (remap) {
		pp->remaps++;
		p->shadowed = false;
		pp->node[to].shadows--;
		pp->node[p->node].free++;
	} else {
		pp_drop_shadow(pp, p);
		pp->node[to].free--;
		pp->copies++;
		if (direction == TIFFIN_PP_PROMOTE && flags & TIFFIN_PP_KEEP_SHADOW) {
			p->shadowed = true;
			p->shadow_node = p->node;
			pp->node[p->node].shadows++;
		} else {
			pp->node[p->node].free++;
		}
	}
	p->node = to;
	p->aborted = 0;
	p->inaccessible = false;
	if (direction == TIFFIN_PP_PROMOTE) {
		p->promoted++;
		pp->sum.promoted++;
	} else {
		p->demoted++;
		pp->sum.demoted++;
		pp->sum.remapped += remap;
	}
	return remap ? TIFFIN_PP_REMAPPED : TIFFIN_PP_MOVED;
}

static __u32 carry_out(struct pp *pp, unsigned int page, const struct tiffin_pp_plan_out *plan,
		       __u32 direction, __u64 *ns, __u64 *unmapped_ns)
{
	struct pp_page_state *p = &pp->page[page];
	const struct tiffin_pp_node *node = &pp->node[p->node];
	const __u32 to = direction == TIFFIN_PP_PROMOTE ? node->faster : node->slower;
	const bool transactional = plan->method == TIFFIN_PP_TRANSACTIONAL;
	__u32 result;

	if (plan->flags & TIFFIN_PP_CANCEL)
		return TIFFIN_PP_CANCELLED;
	if (p->pinned || !can_go(pp, page, direction))
		return TIFFIN_PP_REFUSED;
	if (pp->node[to].free <= pp->node[to].wm_low && pp->node[to].shadows)
		reclaim(pp, to, TIFFIN_PP_BATCH);
	if (!pp->node[to].free || pp->node[to].free <= pp->node[to].wm_low)
		return TIFFIN_PP_NO_MEMORY;
	if (direction == TIFFIN_PP_PROMOTE && pp->asked.promote_max &&
	    pp->sum.promoted >= pp->asked.promote_max)
		return TIFFIN_PP_LIMITED;
	if (transactional && p->writing) {
		*ns = (plan->retries + 1) * pp->cost.copy;
		p->aborted += p->aborted < 65535;
		pp->sum.written++;
		return TIFFIN_PP_WRITTEN;
	}
	result = moved(pp, p, to, direction, plan->flags);
	*unmapped_ns = pp->cost.map;
	if (result == TIFFIN_PP_MOVED && !transactional) {
		*unmapped_ns += pp->cost.copy;
		pp->waits++;
	}
	*ns = pp->cost.map + (result == TIFFIN_PP_MOVED ? pp->cost.copy : 0);
	return result;
}

__u32 pp_move(struct pp *pp, unsigned int page, enum tiffin_pp_direction direction, bool in_wake)
{
	const struct tiffin_pp_plan_out plan = pp_plan(pp, page, direction);
	struct tiffin_pp_done_in done = {
		.direction = direction, .flags = in_wake ? TIFFIN_PP_IN_WAKE : 0,
	};
	__u64 ns = 0, unmapped_ns = 0;

	done.result = carry_out(pp, page, &plan, direction, &ns, &unmapped_ns);
	done.ns = ns;
	done.unmapped_ns = unmapped_ns;
	if (in_wake) {
		pp->sum.wake_ns += ns;
		pp->waited_ns += ns;
	} else {
		pp->sum.background_ns += ns;
		pp->sum.unmapped_ns += unmapped_ns;
	}
	pp_done(pp, page, &done);
	return done.result;
}

/* As the host's own thread does, which is quick here: whenever there is no room to promote to. */
static void relieve(struct pp *pp, __u32 node)
{
	struct tiffin_pp_node *n = &pp->node[node];
	__u32 round, i;

	if (n->slower == TIFFIN_PP_NO_NODE || n->free > n->wm_low)
		return;
	for (round = 0; n->free < n->wm_high; round++) {
		struct tiffin_pp_pressure_out out = pp_pressure(pp, node, n->wm_high - n->free,
								round);

		if (!out.nr)
			break;
		for (i = 0; i < out.nr; i++) {
			const __u32 page = tiffin_handle_object(out.pages[i]);

			if (page < pp->nr_pages && pp->page[page].node == node &&
			    pp->page[page].generation ==
				    tiffin_handle_generation(out.pages[i]))
				pp_move(pp, page, TIFFIN_PP_DEMOTE, false);
		}
		if (round == 1000)
			break;
	}
}

static void promote(struct pp *pp, unsigned int page, bool in_wake)
{
	const __u32 to = pp->node[pp->page[page].node].faster;

	pp_move(pp, page, TIFFIN_PP_PROMOTE, in_wake);
	if (to < pp->nr_nodes)
		relieve(pp, to);
}

static void enqueue(struct pp *pp, unsigned int page, __u32 direction)
{
	if (pp->queued == PP_QUEUE || pp->page[page].queued || !can_go(pp, page, direction))
		return;
	pp->queue[pp->queued].page = page;
	pp->queue[pp->queued].generation = pp->page[page].generation;
	pp->queue[pp->queued].direction = direction;
	pp->queued++;
	pp->page[page].queued = true;
}

static void told(struct pp *pp, unsigned int page, enum tiffin_pp_access kind)
{
	const __u32 verdict = pp_access(pp, page, kind);

	if (verdict == TIFFIN_PP_KEEP || !can_go(pp, page, TIFFIN_PP_PROMOTE))
		return;
	if (verdict == TIFFIN_PP_NOW && kind == TIFFIN_PP_HINT)
		promote(pp, page, true);
	else
		enqueue(pp, page, TIFFIN_PP_PROMOTE);
}

void pp_touch(struct pp *pp, unsigned int page, bool write)
{
	struct pp_page_state *p = &pp->page[page];

	pp->touches++;
	pp->fast += !pp->node[p->node].tier;
	if (write)
		pp_drop_shadow(pp, p);
	p->accessed = true;
	if (!p->inaccessible)
		return;
	pp->sum.hints++;
	pp->sum.slow_hints += !!pp->node[p->node].tier;
	pp->sum.hint_ns += pp->cost.hint;
	pp->waited_ns += pp->cost.hint;
	told(pp, page, TIFFIN_PP_HINT);
	/* The accessed bit tells nothing more than the hint did. */
	p->inaccessible = false;
	p->accessed = false;
}

static void carry_out_queue(struct pp *pp)
{
	unsigned int i;

	for (i = 0; i < pp->queued; i++) {
		struct pp_page_state *p = &pp->page[pp->queue[i].page];

		if (p->generation != pp->queue[i].generation)
			continue;
		p->queued = false;
		if (pp->queue[i].direction == TIFFIN_PP_PROMOTE)
			promote(pp, pp->queue[i].page, false);
		else
			pp_move(pp, pp->queue[i].page, TIFFIN_PP_DEMOTE, false);
	}
	pp->queued = 0;
}

static unsigned int after(const struct pp *pp, unsigned int page)
{
	return page + 1 < pp->nr_pages ? page + 1 : 0;
}

static void mark_for_hints(struct pp *pp, __u32 pages)
{
	unsigned int i;

	for (i = 0; i < pp->nr_pages && pages; i++) {
		struct pp_page_state *p = &pp->page[pp->hint_hand];

		pp->hint_hand = after(pp, pp->hint_hand);
		if (!pp->node[p->node].tier || p->inaccessible)
			continue;
		p->inaccessible = true;
		p->hinted_ns = pp->now_ns;
		pages--;
	}
}

static void scan(struct pp *pp, __u32 pages)
{
	if (pages > pp->nr_pages)
		pages = pp->nr_pages;
	while (pages--) {
		const unsigned int page = pp->scan_hand;
		struct pp_page_state *p = &pp->page[page];

		pp->scan_hand = after(pp, pp->scan_hand);
		if (p->inaccessible)
			continue;
		if (p->accessed) {
			p->accessed = false;
			pp->sum.young++;
			told(pp, page, TIFFIN_PP_YOUNG);
		} else {
			pp->sum.old++;
			if (pp_age(pp, page) == TIFFIN_PP_QUEUE)
				enqueue(pp, page, TIFFIN_PP_DEMOTE);
		}
	}
}

void pp_pass(struct pp *pp)
{
	__u32 i;

	pp->now_ns += TICK_NS;
	scan(pp, pp->asked.scan_pages);
	carry_out_queue(pp);
	for (i = 0; i < pp->nr_nodes; i++)
		relieve(pp, i);
	pp_tick(pp);
	mark_for_hints(pp, pp->asked.hint_pages);
}

/* The hot pages lie all over: an odd number times the rank comes to each page once. */
static unsigned int pick(const struct pp *pp, unsigned int sum, unsigned int random)
{
	unsigned int rank, left = random % sum;

	for (rank = 0; left >= ONE / (rank + 1); rank++)
		left -= ONE / (rank + 1);
	return (rank * 2654435769u + 7) % pp->nr_pages;
}

static unsigned int draw(struct pp *pp)
{
	pp->random = pp->random * 6364136223846793005ull + 1442695040888963407ull;
	return pp->random >> 32;
}

void pp_load(struct pp *pp, unsigned int passes, unsigned int touches, unsigned int writes)
{
	unsigned int sum = ONE, i;

	for (i = 1; i < pp->nr_pages; i++)
		sum += ONE / (i + 1);
	while (passes--) {
		for (i = 0; i < touches; i++)
			pp_touch(pp, pick(pp, sum, draw(pp)), draw(pp) % 1000 < writes);
		pp_pass(pp);
	}
}

unsigned int pp_hits(struct pp *pp)
{
	const unsigned int hits = pp->touches ? pp->fast * 1000 / pp->touches : 0;

	pp->touches = 0;
	pp->fast = 0;
	return hits;
}
