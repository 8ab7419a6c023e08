// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loops in a policy's code. Whether one ends can't be told in general; that one has no way out can.
 * A call is taken to return. A jump whose target is not fixed is taken for a way out.
 */
#include <string.h>

#include "verify_loops.h"

#define CHECK	"loops"
#define NONE	SIZE_MAX

/**
 * struct graph - what may follow what
 * @steps: the nodes
 * @count: of them
 * @target: of each, the node that it jumps to, or NONE
 * @jumper: of each, a node that jumps to it, or NONE
 * @next_jumper: of each, another one that jumps to the same node, or NONE
 * @queue: room for all nodes
 */
struct graph {
	const struct step *steps;
	size_t count;
	size_t *target;
	size_t *jumper;
	size_t *next_jumper;
	size_t *queue;
};

static size_t step_at(const struct graph *g, size_t section, uint64_t address)
{
	size_t low = 0, high = g->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct step *s = &g->steps[middle];

		if (s->section == section && s->address == address)
			return middle;
		if (s->section < section || (s->section == section && s->address < address))
			low = middle + 1;
		else
			high = middle;
	}
	return NONE;
}

/* The node behind this one, in the same function, or NONE. */
static size_t next_of(const struct graph *g, size_t i)
{
	return g->steps[i].falls && i + 1 < g->count &&
	       g->steps[i + 1].section == g->steps[i].section &&
	       g->steps[i + 1].function == g->steps[i].function ? i + 1 : NONE;
}

static size_t *nodes_new(size_t count)
{
	size_t *nodes = xrealloc(NULL, count * sizeof(*nodes));

	for (size_t i = 0; i < count; i++)
		nodes[i] = NONE;
	return nodes;
}

static void graph_begin(struct graph *g)
{
	g->target = nodes_new(g->count);
	g->jumper = nodes_new(g->count);
	g->next_jumper = nodes_new(g->count);
	g->queue = nodes_new(g->count);
	for (size_t i = 0; i < g->count; i++) {
		size_t to;

		if (!g->steps[i].jumps)
			continue;
		to = step_at(g, g->steps[i].to_section, g->steps[i].to);
		g->target[i] = to;
		if (to == NONE)
			continue;
		g->next_jumper[i] = g->jumper[to];
		g->jumper[to] = i;
	}
}

static void graph_end(struct graph *g)
{
	free(g->target);
	free(g->jumper);
	free(g->next_jumper);
	free(g->queue);
}

/* Execution may end here, or go where nothing is known of it. */
static bool is_end(const struct graph *g, size_t i)
{
	const struct step *s = &g->steps[i];

	if (s->falls && next_of(g, i) == NONE)
		return true;
	if (s->jumps)
		return g->target[i] == NONE;
	return !s->falls;
}

/* Which nodes have a way to an end: from the ends backwards. */
static void ends_find(const struct graph *g, bool *ends)
{
	size_t from = 0, to = 0;

	for (size_t i = 0; i < g->count; i++) {
		ends[i] = is_end(g, i);
		if (ends[i])
			g->queue[to++] = i;
	}
	while (from < to) {
		size_t i = g->queue[from++];

		if (i && next_of(g, i - 1) == i && !ends[i - 1]) {
			ends[i - 1] = true;
			g->queue[to++] = i - 1;
		}
		for (size_t j = g->jumper[i]; j != NONE; j = g->next_jumper[j]) {
			if (ends[j])
				continue;
			ends[j] = true;
			g->queue[to++] = j;
		}
	}
}

/*
 * Which functions have a loop: walk on from each node as far as possible, and turn back where there
 * is nothing new. A jump to a node that was entered and not yet left behind closes a loop.
 */
static void loops_find(const struct graph *g, struct strings *names)
{
	enum { NEW, NEXT, JUMP, LEFT } *state = xrealloc(NULL, g->count * sizeof(*state));

	memset(state, 0, g->count * sizeof(*state));
	for (size_t start = 0; start < g->count; start++) {
		size_t depth = 0;

		if (state[start] != NEW)
			continue;
		g->queue[depth++] = start;
		while (depth) {
			size_t i = g->queue[depth - 1];
			size_t to = NONE;

			if (state[i] == JUMP) {
				state[i] = LEFT;
				depth--;
				continue;
			}
			to = state[i] == NEW ? next_of(g, i) : g->target[i];
			state[i] = state[i] == NEW ? NEXT : JUMP;
			if (to == NONE || state[to] == LEFT)
				continue;
			if (state[to] == NEW)
				g->queue[depth++] = to;
			else if (!strings_have(names, g->steps[to].function))
				strings_add(names, g->steps[to].function);
		}
	}
	free(state);
}

void verify_loops(struct verify *v, const struct step *steps, size_t count)
{
	struct graph g = { .steps = steps, .count = count };
	struct strings loops = { 0 }, endless = { 0 };
	bool *ends;

	if (!count)
		return;
	ends = xrealloc(NULL, count * sizeof(*ends));
	graph_begin(&g);
	ends_find(&g, ends);
	loops_find(&g, &loops);
	for (size_t i = 0; i < count; i++)
		if (!ends[i] && !strings_have(&endless, steps[i].function))
			strings_add(&endless, steps[i].function);
	for (size_t i = 0; i < endless.count; i++)
		verify_miss(v, CHECK, "give it a bound that does not depend on stored bytes",
			    "%s() has a loop that nothing leaves: it would never return",
			    endless.item[i]);
	for (size_t i = 0; i < loops.count; i++)
		if (!strings_have(&endless, loops.item[i]))
			verify_note(v, CHECK,
				    "run policy_test and policy_fuzz (selftests/lib) on its source",
				    "%s() has a loop; nothing proves that it ends, and nothing stops it at run time",
				    loops.item[i]);
	if (!loops.count)
		verify_ok(v, CHECK, "none");
	strings_free(&loops);
	strings_free(&endless);
	graph_end(&g);
	free(ends);
}
