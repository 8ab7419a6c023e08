// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory nodes and their tiers.
 *
 * The kernel keeps its own tiers to itself. So: nodes with CPUs are the fastest tier; nodes without
 * lie in tiers behind it, by their distance from the nearest CPU. The operator may say otherwise.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/topology.h>

#include "page_placement/host.h"
#include "page_placement/shadow.h"

struct pp_tiers pp_tiers;

/* Between the kernel's watermark and wm_low, and between that and wm_high: permille of the node. */
#define PP_HEADROOM	10
#define PP_HEADROOM_MAX	200

static u32 pp_headroom = PP_HEADROOM;

/* Protects what follows, and changes of tiers. */
static DEFINE_MUTEX(pp_tiers_lock);
static nodemask_t pp_tiers_memory, pp_tiers_cpus;
static u32 *pp_tiers_said;	/* by the operator, of each node, or PP_UNSAID; NULL: nothing */

#define PP_UNSAID	U32_MAX

/* How far a node is from the nearest CPU. */
static int pp_cpu_distance(int node)
{
	int cpus, nearest = INT_MAX;

	for_each_node_state(cpus, N_CPU)
		nearest = min(nearest, node_distance(cpus, node));
	return nearest;
}

/* By the rule at the top. */
static u32 pp_tier_of(int node)
{
	int other, mine = pp_cpu_distance(node);
	u32 tier = 1;

	if (node_state(node, N_CPU))
		return 0;
	/* One more for each smaller distance that a node without CPUs has, each counted once. */
	for_each_node_state(other, N_MEMORY) {
		int before, theirs = pp_cpu_distance(other);
		bool counted = false;

		if (node_state(other, N_CPU) || theirs >= mine)
			continue;
		for_each_node_state(before, N_MEMORY) {
			if (before == other)
				break;
			if (!node_state(before, N_CPU) && pp_cpu_distance(before) == theirs)
				counted = true;
		}
		tier += !counted;
	}
	return tier;
}

/* The nearest node of the tier next to @node's, in the direction; @tier of each node is known. */
static u32 pp_tier_neighbour(int node, u32 direction)
{
	const struct tiffin_pp_node *n = pp_tiers.node;
	u32 mine = n[node].tier, best_tier = 0, best = TIFFIN_PP_NO_NODE;
	int other;

	for_each_node_state(other, N_MEMORY) {
		u32 tier = n[other].tier;

		if (direction == TIFFIN_PP_PROMOTE ? tier >= mine : tier <= mine)
			continue;
		if (best == TIFFIN_PP_NO_NODE ||
		    (direction == TIFFIN_PP_PROMOTE ? tier > best_tier : tier < best_tier) ||
		    (tier == best_tier && node_distance(node, other) < node_distance(node, best))) {
			best = other;
			best_tier = tier;
		}
	}
	return best;
}

/* What the operator said, or what follows from where it lies. */
static u32 pp_tier_wanted(int node)
{
	lockdep_assert_held(&pp_tiers_lock);
	return pp_tiers_said && pp_tiers_said[node] != PP_UNSAID ? pp_tiers_said[node] :
								  pp_tier_of(node);
}

/* Who is where: all but free memory. */
static void pp_tiers_update(void)
{
	int node;

	lockdep_assert_held(&pp_tiers_lock);
	pp_tiers_memory = node_states[N_MEMORY];
	pp_tiers_cpus = node_states[N_CPU];
	for (node = 0; node < nr_node_ids; node++) {
		u32 tier = TIFFIN_PP_NO_NODE;

		if (node_isset(node, pp_tiers_memory))
			tier = pp_tier_wanted(node);
		WRITE_ONCE(pp_tiers.node[node].tier, tier);
	}
	for (node = 0; node < nr_node_ids; node++) {
		struct tiffin_pp_node *n = &pp_tiers.node[node];
		bool memory = node_isset(node, pp_tiers_memory);

		WRITE_ONCE(n->faster, memory ? pp_tier_neighbour(node, TIFFIN_PP_PROMOTE) :
				      TIFFIN_PP_NO_NODE);
		WRITE_ONCE(n->slower, memory ? pp_tier_neighbour(node, TIFFIN_PP_DEMOTE) :
				      TIFFIN_PP_NO_NODE);
	}
}

/*
 * Free pages of @zone that wait on lists of the CPUs. The kernel does not count them as free, but
 * may leave an eighth of a zone there for as long as it likes, after many were freed in a row: as
 * they are when a node is relieved.
 */
static u64 pp_zone_listed(const struct zone *zone)
{
	u64 listed = 0;
	int cpu;

	for_each_online_cpu(cpu)
		listed += READ_ONCE(per_cpu_ptr(zone->per_cpu_pageset, cpu)->count);
	return listed;
}

/**
 * struct pp_free - a node's memory, in pages
 * @total: for programs
 * @free: of it, but for what waits on lists of the CPUs
 * @listed: that, where it was asked for
 * @kernel: with fewer free, the kernel's own reclaim has to go on
 * @low: wm_low
 */
struct pp_free {
	u64 total;
	u64 free;
	u64 listed;
	u64 kernel;
	u64 low;
};

/*
 * Look at a node with memory. Zones that the kernel keeps for devices (their reserve is larger than
 * they are) are not for programs, and do not count. To look at lists of all CPUs takes long.
 */
static void pp_node_look(int node, bool lists, struct pp_free *f)
{
	struct zone *zone;

	*f = (struct pp_free) {};
	for (zone = NODE_DATA(node)->node_zones; zone < NODE_DATA(node)->node_zones + MAX_NR_ZONES;
	     zone++) {
		long reserve = zone->lowmem_reserve[ZONE_MOVABLE];

		if (!managed_zone(zone) || reserve >= zone_managed_pages(zone))
			continue;
		f->total += zone_managed_pages(zone);
		f->free += zone_page_state(zone, NR_FREE_PAGES);
		if (lists)
			f->listed += pp_zone_listed(zone);
		f->kernel += high_wmark_pages(zone) + reserve;
	}
	f->low = f->kernel + max_t(u64, div_u64(f->total * READ_ONCE(pp_headroom), 1000), 1);
}

void pp_tiers_look(u32 node)
{
	struct tiffin_pp_node *n = &pp_tiers.node[node];
	struct pp_free f;

	if (!node_state(node, N_MEMORY)) {
		WRITE_ONCE(n->flags, 0);
		WRITE_ONCE(n->total, 0);
		WRITE_ONCE(n->free, 0);
		return;
	}
	pp_node_look(node, true, &f);
	WRITE_ONCE(n->total, f.total);
	WRITE_ONCE(n->free, f.free + f.listed);
	WRITE_ONCE(n->wm_low, f.low);
	WRITE_ONCE(n->wm_high, 2 * f.low - f.kernel);
	WRITE_ONCE(n->flags, TIFFIN_PP_NODE_USABLE |
			     (f.free + f.listed <= f.low ? TIFFIN_PP_NODE_PRESSED : 0));
}

void pp_tiers_sample(void)
{
	int node;

	mutex_lock(&pp_tiers_lock);
	if (!nodes_equal(pp_tiers_memory, node_states[N_MEMORY]) ||
	    !nodes_equal(pp_tiers_cpus, node_states[N_CPU]))
		pp_tiers_update();
	mutex_unlock(&pp_tiers_lock);
	for (node = 0; node < nr_node_ids; node++) {
		struct pp_shadow_figures shadows = {};

		pp_tiers_look(node);
		if (node_state(node, N_MEMORY))
			pp_shadow_figures(node, &shadows);
		WRITE_ONCE(pp_tiers.node[node].shadows, shadows.now);
	}
}

u64 pp_tiers_room(u32 node)
{
	struct pp_free f;
	u64 spare;

	if (!node_state(node, N_MEMORY))
		return 0;
	pp_node_look(node, false, &f);
	/* What waits on lists is looked at where it decides. */
	if (f.free >= f.low + PP_BATCH)
		return f.free - f.low;
	pp_node_look(node, true, &f);
	spare = f.free > f.kernel ? f.free - f.kernel : 0;
	return f.free + f.listed > f.low ? min(f.free + f.listed - f.low, spare) : 0;
}

u32 pp_tiers_next(u32 node, u32 direction)
{
	u32 to;

	if (node >= nr_node_ids)
		return TIFFIN_PP_NO_NODE;
	to = direction == TIFFIN_PP_PROMOTE ? READ_ONCE(pp_tiers.node[node].faster) :
					      READ_ONCE(pp_tiers.node[node].slower);
	return to < nr_node_ids ? to : TIFFIN_PP_NO_NODE;
}

int pp_tiers_set(const char *text)
{
	u32 *said = NULL, *old, node, tier;
	int read, err = 0;

	if (!sysfs_streq(text, "auto")) {
		said = kcalloc(nr_node_ids, sizeof(*said), GFP_KERNEL);
		if (!said)
			return -ENOMEM;
		/* A node that is not named stays where it would be, also one that comes later. */
		for (node = 0; node < nr_node_ids; node++)
			said[node] = PP_UNSAID;
		for (; sscanf(text, " %u:%u%n", &node, &tier, &read) == 2; text += read) {
			if (node >= nr_node_ids || !node_state(node, N_MEMORY))
				err = -ENODEV;
			else if (tier >= MAX_NUMNODES)
				err = -ERANGE;
			if (err)
				goto free;
			said[node] = tier;
		}
		if (*skip_spaces(text)) {
			err = -EINVAL;
			goto free;
		}
	}
	mutex_lock(&pp_tiers_lock);
	old = pp_tiers_said;
	pp_tiers_said = said;
	pp_tiers_update();
	mutex_unlock(&pp_tiers_lock);
	said = old;
free:
	kfree(said);
	return err;
}

ssize_t pp_tiers_show(char *buf)
{
	ssize_t len = 0;
	int node;

	mutex_lock(&pp_tiers_lock);
	for_each_node_mask(node, pp_tiers_memory)
		len += sysfs_emit_at(buf, len, "%s%d:%u", len ? " " : "", node,
				     pp_tiers.node[node].tier);
	mutex_unlock(&pp_tiers_lock);
	return len + sysfs_emit_at(buf, len, "\n");
}

int pp_tiers_set_headroom(u32 permille)
{
	if (!permille || permille > PP_HEADROOM_MAX)
		return -ERANGE;
	WRITE_ONCE(pp_headroom, permille);
	return 0;
}

u32 pp_tiers_headroom(void)
{
	return READ_ONCE(pp_headroom);
}

int pp_tiers_init(void)
{
	int node, tiers = 0;

	if (num_node_state(N_MEMORY) < 2) {
		pr_err("this machine has one memory node only, so no page has anywhere to go: load this module where slow memory is a node of its own (CXL or persistent memory as system RAM: daxctl reconfigure-device --mode=system-ram)\n");
		return -ENODEV;
	}
	pp_tiers.node = kcalloc(nr_node_ids, sizeof(*pp_tiers.node), GFP_KERNEL);
	if (!pp_tiers.node)
		return -ENOMEM;
	pp_tiers.machine = (struct tiffin_pp_machine) {
		.size = sizeof(pp_tiers.machine),
		.nr_nodes = nr_node_ids,
		.node_stride = sizeof(*pp_tiers.node),
		.nodes = pp_tiers.node,
	};
	mutex_lock(&pp_tiers_lock);
	pp_tiers_update();
	mutex_unlock(&pp_tiers_lock);
	for_each_node_state(node, N_MEMORY)
		tiers = max_t(int, tiers, pp_tiers.node[node].tier + 1);
	if (tiers < 2)
		pr_warn("all memory nodes have CPUs, so they count as one tier and no page is moved: write which are slower to page_placement/tiers, e.g. 1:1\n");
	return 0;
}

void pp_tiers_exit(void)
{
	kfree(pp_tiers_said);
	kfree(pp_tiers.node);
}
