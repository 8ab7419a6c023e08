// SPDX-License-Identifier: GPL-2.0-only
/* Pages for a policy of page_placement, in user space; see policy_page_placement.h. */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "policy_page_placement.h"

/* A host of a later minor version: each structure has bytes behind those that the policy knows. */
#define LATER		16
#define LATER_BYTE	0xa5

#define TICK_NS		100000000ull

struct pp *pp_new(const struct tiffin_policy *policy, unsigned int fast, unsigned int nr_pages)
{
	struct pp *pp = calloc(1, sizeof(*pp));
	unsigned int i;

	if (!pp || nr_pages > PP_PAGES)
		errx(1, "no memory, or a machine of more than %d pages", PP_PAGES);
	if (strcmp(policy->family, "page_placement"))
		errx(1, "%s is a policy of family %s, not page_placement", policy->name,
		     policy->family);
	pp->host = policy_host_new(policy, PP_CPUS, nr_pages, NULL);
	pp->policy = policy;
	pp->now_ns = 1000000000000;
	pp->epoch = 1;
	pp->cost = (struct pp_cost) { .hint = 1000, .copy = 1500, .map = 1000 };
	pp->nr_nodes = 2;
	pp->node[0] = (struct tiffin_pp_node) {
		.flags = TIFFIN_PP_NODE_USABLE, .tier = 0, .faster = TIFFIN_PP_NO_NODE, .slower = 1,
		.total = fast, .free = fast, .wm_low = fast / 32, .wm_high = fast / 16,
	};
	pp->node[1] = (struct tiffin_pp_node) {
		.flags = TIFFIN_PP_NODE_USABLE, .tier = 1, .faster = 0, .slower = TIFFIN_PP_NO_NODE,
		.total = 3 * nr_pages, .free = 3 * nr_pages,
	};
	pp->nr_pages = nr_pages;
	for (i = 0; i < nr_pages; i++)
		pp_replace(pp, i, pp->node[0].free <= pp->node[0].wm_high);
	return pp;
}

void pp_swap(struct pp *pp, const struct tiffin_policy *policy)
{
	struct policy_host *next = policy_host_new(policy, PP_CPUS, pp->nr_pages, pp->host);

	policy_host_free(pp->host);
	pp->host = next;
	pp->policy = policy;
	pp->epoch++;
	memset(&pp->asked, 0, sizeof(pp->asked));
}

void pp_free(struct pp *pp)
{
	policy_host_free(pp->host);
	free(pp);
}

void pp_drop_shadow(struct pp *pp, struct pp_page_state *p)
{
	if (!p->shadowed)
		return;
	p->shadowed = false;
	pp->node[p->shadow_node].shadows--;
	pp->node[p->shadow_node].free++;
}

void pp_replace(struct pp *pp, unsigned int page, __u32 node)
{
	struct pp_page_state *p = &pp->page[page];
	const __u32 generation = p->generation;

	if (generation) {
		pp_drop_shadow(pp, p);
		pp->node[p->node].free++;
		policy_host_gone(pp->host, page);
	}
	*p = (struct pp_page_state) {
		.generation = generation + 1, .node = node, .heat_ns = pp->now_ns,
		.seen_ns = pp->now_ns,
	};
	pp->node[node].free--;
}

/* Halved with each whole second. */
__u32 pp_heat(const struct pp *pp, unsigned int page)
{
	__u64 seconds = (pp->now_ns - pp->page[page].heat_ns) / 1000000000;

	return seconds < 32 ? pp->page[page].heat >> seconds : 0;
}

static void warm_up(struct pp *pp, unsigned int page)
{
	struct pp_page_state *p = &pp->page[page];
	__u32 heat = pp_heat(pp, page) + 256;

	p->heat = heat < 65535 ? heat : 65535;
	p->heat_ns += (pp->now_ns - p->heat_ns) / 1000000000 * 1000000000;
}

/* What all questions hold, in memory that ends with them. */
struct question {
	struct tiffin_pp_page *page;
	struct tiffin_pp_machine *machine;
	void *page_was, *machine_was, *nodes_was;
	size_t nodes_size;
};

static void *with_later(const void *from, size_t size)
{
	void *p = malloc(size + LATER);

	if (!p)
		err(1, "policy_page_placement");
	memcpy(p, from, size);
	memset((char *)p + size, LATER_BYTE, LATER);
	return p;
}

static void *bytes_of(const void *from, size_t size)
{
	void *p = malloc(size);

	if (!p)
		err(1, "policy_page_placement");
	return memcpy(p, from, size);
}

/* The machine's state and, but for POLICY_NO_OBJECT, a page's. */
static void question_begin(const struct pp *pp, struct question *q, unsigned int page)
{
	const __u32 stride = sizeof(pp->node[0]) + LATER;
	struct tiffin_pp_machine machine = {
		.size = sizeof(machine) + LATER, .nr_nodes = pp->nr_nodes, .node_stride = stride,
		.queued = pp->queued, .queue_max = PP_QUEUE,
	};
	struct tiffin_pp_page facts = { .size = sizeof(facts) + LATER };
	char *nodes;
	__u32 i;

	q->nodes_size = pp->nr_nodes * stride;
	nodes = malloc(q->nodes_size);
	if (!nodes)
		err(1, "policy_page_placement");
	memset(nodes, LATER_BYTE, q->nodes_size);
	for (i = 0; i < pp->nr_nodes; i++)
		memcpy(nodes + i * stride, &pp->node[i], sizeof(pp->node[i]));
	machine.nodes = (const void *)nodes;
	if (page != POLICY_NO_OBJECT) {
		const struct pp_page_state *p = &pp->page[page];

		facts.flags = (p->shadowed ? TIFFIN_PP_PAGE_SHADOWED : 0) |
			      (p->queued ? TIFFIN_PP_PAGE_QUEUED : 0);
		facts.node = p->node;
		facts.heat = pp_heat(pp, page);
		facts.idle_ms = (pp->now_ns - p->seen_ns) / 1000000;
		facts.promoted = p->promoted;
		facts.demoted = p->demoted;
		facts.aborted = p->aborted;
	}
	q->page = with_later(&facts, sizeof(facts));
	q->machine = with_later(&machine, sizeof(machine));
	q->page_was = bytes_of(q->page, q->page->size);
	q->machine_was = bytes_of(q->machine, q->machine->size);
	q->nodes_was = bytes_of(nodes, q->nodes_size);
}

static void question_end(const struct pp *pp, struct question *q)
{
	if (memcmp(q->page, q->page_was, sizeof(*q->page) + LATER) ||
	    memcmp(q->machine, q->machine_was, sizeof(*q->machine) + LATER) ||
	    memcmp(q->machine->nodes, q->nodes_was, q->nodes_size))
		policy_fault("%s wrote to what its question points to", pp->policy->name);
	free((void *)q->machine->nodes);
	free(q->machine);
	free(q->page);
	free(q->page_was);
	free(q->machine_was);
	free(q->nodes_was);
}

/*
 * Put a question; @out is what the policy is to find, and receives its answer. Each structure
 * begins with its size. Return: whether the policy has the hook.
 */
static int ask(struct pp *pp, size_t hook, unsigned int page, const void *in, size_t in_size,
	       void *out, size_t out_size)
{
	const struct policy_call call = {
		.cpu = pp->cpu, .object = page, .now_ns = pp->now_ns, .epoch = pp->epoch,
		.generation = page == POLICY_NO_OBJECT ? 0 : pp->page[page].generation,
	};
	void *question = with_later(in, in_size), *answer = with_later(out, out_size);
	const __u32 sizes[] = { in_size + LATER, out_size };
	unsigned char *later = (unsigned char *)answer + out_size;
	unsigned int i;
	int has;

	memcpy(question, &sizes[0], sizeof(sizes[0]));
	memcpy(answer, &sizes[1], sizeof(sizes[1]));
	memset(later, 0, LATER);
	has = policy_host_call(pp->host, hook, &call, question, in_size + LATER, answer,
			       out_size + LATER);
	for (i = 0; i < LATER; i++)
		if (later[i]) {
			policy_fault("%s wrote to byte %zu of its answer, which has %zu",
				     pp->policy->name, out_size + i, out_size);
			break;
		}
	memcpy(out, answer, out_size);
	free(question);
	free(answer);
	return has;
}

#define ASK(pp, hook, page, in, out)						\
	ask(pp, offsetof(struct tiffin_pp_hooks, hook), page, in, sizeof(*(in)),	\
	    out, sizeof(*(out)))

__u32 pp_access(struct pp *pp, unsigned int page, enum tiffin_pp_access kind)
{
	struct pp_page_state *p = &pp->page[page];
	struct tiffin_pp_access_in in = { .kind = kind, .cpu_node = TIFFIN_PP_NO_NODE };
	struct tiffin_pp_access_out out = { .verdict = TIFFIN_PP_KEEP };
	struct question q;

	if (kind == TIFFIN_PP_HINT) {
		in.cpu_node = 0;
		in.latency_us = p->inaccessible ? (pp->now_ns - p->hinted_ns) / 1000 : 0;
	}
	warm_up(pp, page);
	question_begin(pp, &q, page);
	in.page = q.page;
	in.machine = q.machine;
	ASK(pp, access, page, &in, &out);
	question_end(pp, &q);
	p->seen_ns = pp->now_ns;
	if (out.verdict > TIFFIN_PP_NOW)
		policy_fault("%s gave verdict %u to an access", pp->policy->name, out.verdict);
	return out.verdict;
}

__u32 pp_hint_after(struct pp *pp, unsigned int page, unsigned int us)
{
	struct pp_page_state *p = &pp->page[page];
	__u32 verdict;

	p->inaccessible = true;
	p->hinted_ns = pp->now_ns - us * 1000ull;
	verdict = pp_access(pp, page, TIFFIN_PP_HINT);
	p->inaccessible = false;
	return verdict;
}

__u32 pp_age(struct pp *pp, unsigned int page)
{
	struct tiffin_pp_age_out out = { .verdict = TIFFIN_PP_KEEP };
	struct tiffin_pp_age_in in = { 0 };
	struct question q;

	question_begin(pp, &q, page);
	in.page = q.page;
	in.machine = q.machine;
	ASK(pp, age, page, &in, &out);
	question_end(pp, &q);
	if (out.verdict > TIFFIN_PP_QUEUE)
		policy_fault("%s gave verdict %u to a page's age", pp->policy->name, out.verdict);
	return out.verdict;
}

struct tiffin_pp_pressure_out pp_pressure(struct pp *pp, __u32 node, __u32 wanted, __u32 round)
{
	struct tiffin_pp_pressure_in in = { .node = node, .wanted = wanted, .round = round };
	struct tiffin_pp_pressure_out out = { .nr = 0 };
	struct question q;

	question_begin(pp, &q, POLICY_NO_OBJECT);
	in.machine = q.machine;
	ASK(pp, pressure, POLICY_NO_OBJECT, &in, &out);
	question_end(pp, &q);
	if (out.nr > TIFFIN_PP_BATCH) {
		policy_fault("%s named %u pages under pressure", pp->policy->name, out.nr);
		out.nr = 0;
	}
	return out;
}

struct tiffin_pp_plan_out pp_plan(struct pp *pp, unsigned int page,
				  enum tiffin_pp_direction direction)
{
	const struct tiffin_pp_node *node = &pp->node[pp->page[page].node];
	struct tiffin_pp_plan_in in = {
		.direction = direction,
		.to = direction == TIFFIN_PP_PROMOTE ? node->faster : node->slower,
	};
	struct tiffin_pp_plan_out out = { .method = TIFFIN_PP_PLAIN };
	struct question q;

	question_begin(pp, &q, page);
	in.page = q.page;
	in.machine = q.machine;
	ASK(pp, plan, page, &in, &out);
	question_end(pp, &q);
	if (out.method > TIFFIN_PP_TRANSACTIONAL || out.retries > TIFFIN_PP_MAX_RETRIES ||
	    out.flags & ~(TIFFIN_PP_KEEP_SHADOW | TIFFIN_PP_USE_SHADOW | TIFFIN_PP_CANCEL)) {
		policy_fault("%s plans with method %u, %u retries, flags %#x", pp->policy->name,
			     out.method, out.retries, out.flags);
		memset(&out, 0, sizeof(out));
	}
	return out;
}

void pp_done(struct pp *pp, unsigned int page, const struct tiffin_pp_done_in *done)
{
	struct tiffin_pp_done_out out = { .reserved = 0 };
	struct tiffin_pp_done_in in = *done;
	struct question q;

	question_begin(pp, &q, page);
	in.page = q.page;
	in.machine = q.machine;
	ASK(pp, done, page, &in, &out);
	question_end(pp, &q);
}

__u32 pp_reclaim(struct pp *pp, __u32 node, __u32 wanted)
{
	struct tiffin_pp_reclaim_in in = {
		.node = node, .kept = pp->node[node].shadows, .wanted = wanted,
	};
	struct tiffin_pp_reclaim_out out = { .count = wanted };
	struct question q;

	question_begin(pp, &q, POLICY_NO_OBJECT);
	in.machine = q.machine;
	ASK(pp, reclaim, POLICY_NO_OBJECT, &in, &out);
	question_end(pp, &q);
	return out.count;
}

struct tiffin_pp_tick_out pp_tick(struct pp *pp)
{
	struct tiffin_pp_tick_out out = pp->asked;
	struct tiffin_pp_tick_in in = pp->sum;
	struct question q;

	if (!in.elapsed_ms)
		in.elapsed_ms = TICK_NS / 1000000;
	in.pages = pp->nr_pages;
	question_begin(pp, &q, POLICY_NO_OBJECT);
	in.machine = q.machine;
	if (!ASK(pp, tick, POLICY_NO_OBJECT, &in, &out))
		errx(1, "%s lacks the hook tick", pp->policy->name);
	question_end(pp, &q);
	memset(&pp->sum, 0, sizeof(pp->sum));
	pp->asked = out;
	return out;
}
