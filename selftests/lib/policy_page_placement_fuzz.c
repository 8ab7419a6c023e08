// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzing of any policy of page_placement: the input is a machine, the bytes in the policy's
 * records, and what happens; every answer is checked.
 */
#include "policy_fuzz.h"
#include "policy_page_placement.h"

#define PAGES	64

/* A page is another one, or known otherwise. */
static void set_page(struct pp *pp, struct input *input, unsigned int page)
{
	struct pp_page_state *p = &pp->page[page];

	if (number(input, 2))
		pp_replace(pp, page, number(input, pp->nr_nodes));
	take(input, &p->heat, sizeof(uint16_t));
	p->aborted = number(input, 256);
	p->writing = number(input, 2);
	p->pinned = !number(input, 4);
	p->queued = false;
}

static void set_node(struct pp *pp, struct input *input)
{
	struct tiffin_pp_node *node = &pp->node[number(input, pp->nr_nodes)];

	node->flags = number(input, 4);
	take(input, &node->wm_low, sizeof(node->wm_low));
	take(input, &node->wm_high, sizeof(node->wm_high));
	node->faster = number(input, 3) ? number(input, pp->nr_nodes) : TIFFIN_PP_NO_NODE;
	node->slower = number(input, 3) ? number(input, pp->nr_nodes) : TIFFIN_PP_NO_NODE;
}

static void tick(struct pp *pp, struct input *input)
{
	take(input, &pp->sum.elapsed_ms, sizeof(pp->sum.elapsed_ms));
	take(input, &pp->sum.promoted, sizeof(pp->sum.promoted));
	take(input, &pp->sum.swap_ins, sizeof(pp->sum.swap_ins));
	take(input, &pp->sum.hint_ns, sizeof(pp->sum.hint_ns));
	take(input, &pp->sum.wake_ns, sizeof(pp->sum.wake_ns));
	take(input, &pp->sum.unmapped_ns, sizeof(pp->sum.unmapped_ns));
	pp->queued = number(input, PP_QUEUE + 2);
	pp_tick(pp);
	pp->queued = 0;
}

static void done(struct pp *pp, struct input *input, unsigned int page)
{
	struct tiffin_pp_done_in in = { 0 };

	in.direction = number(input, 3);
	in.result = number(input, 9);
	in.flags = number(input, 2);
	take(input, &in.ns, sizeof(in.ns));
	take(input, &in.unmapped_ns, sizeof(in.unmapped_ns));
	pp_done(pp, page, &in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	struct pp *pp = pp_new(&tiffin_policy, PAGES / 2, PAGES);
	unsigned int page;

	policy_host_busy(pp->host, number(&input, 8));
	pp->nr_nodes = 2 + number(&input, PP_MAX_NODES - 1);
	while (input.left) {
		page = number(&input, PAGES);
		pp->cpu = page % PP_CPUS;
		switch (number(&input, 14)) {
		case 0:
			set_tunable(pp->host, &input);
			break;
		case 1:
			set_record(pp->host, &input, number(&input, PAGES), PP_CPUS);
			break;
		case 2:
			set_page(pp, &input, page);
			break;
		case 3:
			set_node(pp, &input);
			break;
		case 4:
			take(&input, &pp->now_ns, sizeof(pp->now_ns));
			break;
		case 5:
			pp_swap(pp, &tiffin_policy);
			break;
		case 6:
			tick(pp, &input);
			break;
		case 7:
			pp_age(pp, page);
			break;
		case 8:
			pp_pressure(pp, number(&input, pp->nr_nodes), 1 + number(&input, 256),
				    number(&input, 4));
			break;
		case 9:
			pp_plan(pp, page, number(&input, 2));
			break;
		case 10:
			done(pp, &input, page);
			break;
		case 11:
			pp_reclaim(pp, number(&input, pp->nr_nodes), number(&input, UINT32_MAX));
			break;
		default:
			pp_access(pp, page, number(&input, 3));
		}
	}
	pp_access(pp, 0, TIFFIN_PP_HINT);
	pp_free(pp);
	return 0;
}
