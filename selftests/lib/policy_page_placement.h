/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages for a policy of page_placement, in user space: a machine with memory nodes, a program that
 * touches pages, and what the host does with the answers, of which each is checked
 * (tiffin/page_placement.h says what a good one is).
 *
 * Two ways to use it. A test asks one question at a time: pp_access(), pp_age(), pp_pressure(), and
 * so on; nothing is moved then but by pp_move(). Or it runs a program: pp_touch() is an access by
 * it, pp_pass() lets 100 ms go by, in which the host makes pages inaccessible for hints, scans
 * accessed bits, carries out moves and keeps the fast nodes above their watermarks.
 */
#ifndef POLICY_PAGE_PLACEMENT_H
#define POLICY_PAGE_PLACEMENT_H

#include <stdbool.h>
#include <tiffin/page_placement.h>

#include "policy_host.h"

#define PP_MAX_NODES	8
#define PP_PAGES	2048	/* most pages that a machine has */
#define PP_CPUS		4
#define PP_QUEUE	512	/* moves that may wait */

/**
 * struct pp_page_state - a page of the program
 * @generation: of the object; 0: there is no such page
 * @node: where it lies
 * @heat: as in struct tiffin_pp_page, at @heat_ns
 * @promoted: times
 * @demoted: times
 * @aborted: moves since the last good one that a write ended
 * @heat_ns: when @heat was right
 * @seen_ns: last access that was seen, or when the page came
 * @hinted_ns: when it was made inaccessible
 * @inaccessible: the next access is a hint
 * @accessed: the accessed bit
 * @writing: the program writes to it all the time: a transaction is aborted
 * @pinned: it can't be moved
 * @shadowed: its shadow is good
 * @shadow_node: where that lies
 * @queued: a move waits
 */
struct pp_page_state {
	__u32 generation, node, heat, promoted, demoted, aborted;
	__u64 heat_ns, seen_ns, hinted_ns;
	bool inaccessible, accessed, writing, pinned, shadowed, queued;
	__u32 shadow_node;
};

/**
 * struct pp_cost - how long things take, in ns; a test may set them at any time
 * @hint: a hint fault
 * @copy: a page's copy
 * @map: what else a move takes; the page is unmapped meanwhile
 */
struct pp_cost {
	__u64 hint, copy, map;
};

/**
 * struct pp - a machine that asks a policy
 * @host: the active instance
 * @policy: its descriptor
 * @nr_nodes: nodes
 * @node: their state; a test may set what it likes
 * @nr_pages: pages that the program has, numbered from 0
 * @page: their state
 * @now_ns: time
 * @epoch: number of swaps
 * @cpu: that calls run on
 * @cost: how long things take
 * @asked: what the policy wants looked at
 * @sum: since the last tick; a test may add to it
 * @queue: moves that wait
 * @queued: how many
 * @hint_hand: the next page to be made inaccessible
 * @scan_hand: the next page to be scanned
 * @touches: by the program
 * @fast: of those, of pages on nodes of tier 0
 * @copies: pages copied
 * @remaps: demotions without a copy
 * @waits: accesses that waited for a copy
 * @waited_ns: what hints and moves cost the program
 * @random: of pp_load(): the same numbers in every run
 */
struct pp {
	struct policy_host *host;
	const struct tiffin_policy *policy;
	unsigned int nr_nodes;
	struct tiffin_pp_node node[PP_MAX_NODES];
	unsigned int nr_pages;
	struct pp_page_state page[PP_PAGES];
	__u64 now_ns;
	__u64 epoch;
	unsigned int cpu;
	struct pp_cost cost;
	struct tiffin_pp_tick_out asked;
	struct tiffin_pp_tick_in sum;
	struct {
		unsigned int page;
		__u32 generation, direction;
	} queue[PP_QUEUE];
	unsigned int queued;
	unsigned int hint_hand, scan_hand;
	unsigned long long touches, fast, copies, remaps, waits;
	__u64 waited_ns;
	__u64 random;
};

/**
 * pp_new - a machine with a fast node 0 and a slow node 1
 * @policy: becomes active
 * @fast: pages of node 0; its watermarks are 1/32 and 1/16 of that
 * @nr_pages: pages of the program, at most PP_PAGES; the first ones are on node 0, as many as leave
 *	its high watermark free, the others on node 1, which has room for all and their shadows
 */
struct pp *pp_new(const struct tiffin_policy *policy, unsigned int fast, unsigned int nr_pages);

/* Make another policy active; stores are handed over where they fit, pages stay where they are. */
void pp_swap(struct pp *pp, const struct tiffin_policy *policy);

void pp_free(struct pp *pp);

/* A page is unmapped, and another one comes in its place on @node. */
void pp_replace(struct pp *pp, unsigned int page, __u32 node);

/* A page's shadow, if it has one, is given up. */
void pp_drop_shadow(struct pp *pp, struct pp_page_state *p);

/* The page's heat now. */
__u32 pp_heat(const struct pp *pp, unsigned int page);

/* Ask. Each answer is checked. Return: the verdict, or the answer. */
__u32 pp_access(struct pp *pp, unsigned int page, enum tiffin_pp_access kind);

/* The same by a hint that comes so many us after the page's mark. */
__u32 pp_hint_after(struct pp *pp, unsigned int page, unsigned int us);

__u32 pp_age(struct pp *pp, unsigned int page);
struct tiffin_pp_pressure_out pp_pressure(struct pp *pp, __u32 node, __u32 wanted, __u32 round);
struct tiffin_pp_plan_out pp_plan(struct pp *pp, unsigned int page,
				  enum tiffin_pp_direction direction);
void pp_done(struct pp *pp, unsigned int page, const struct tiffin_pp_done_in *done);
__u32 pp_reclaim(struct pp *pp, __u32 node, __u32 wanted);

/* Asks tick() with @sum, which starts anew then. */
struct tiffin_pp_tick_out pp_tick(struct pp *pp);

/**
 * pp_move - ask how, move a page, and tell what came of it
 * @pp: the machine
 * @page: which
 * @direction: one of enum tiffin_pp_direction
 * @in_wake: the program does it itself
 *
 * Return: one of enum tiffin_pp_result.
 */
__u32 pp_move(struct pp *pp, unsigned int page, enum tiffin_pp_direction direction, bool in_wake);

/* The program touches a page, as what has been asked for so far lets it find it. */
void pp_touch(struct pp *pp, unsigned int page, bool write);

/* 100 ms go by. */
void pp_pass(struct pp *pp);

/**
 * pp_load - the program works on its pages, some of them far more often than others
 * @pp: the machine; the number of pages is a power of 2
 * @passes: of 100 ms
 * @touches: in each pass; the n-th hottest page gets 1/n of those that the hottest one gets
 * @writes: of them, in 1/1000
 */
void pp_load(struct pp *pp, unsigned int passes, unsigned int touches, unsigned int writes);

/* Touches of pages on the fast tier in 1/1000 of all, since the last call. */
unsigned int pp_hits(struct pp *pp);

#endif /* POLICY_PAGE_PLACEMENT_H */
