// SPDX-License-Identifier: GPL-2.0-only
/* What page_placement needs of a kernel and a machine: a function, and memory of several speeds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "root.h"
#include "sysfs.h"

/* Most memory nodes that are told apart, as many as the kernel's. */
#define NODES		1024

/**
 * struct nodes - the machine's memory nodes
 * @memory: has memory
 * @cpu: has CPUs
 * @distance: of a node without CPUs: to the nearest that has some
 * @nr: nodes with memory
 * @slow: those of them without CPUs
 */
struct nodes {
	bool memory[NODES];
	bool cpu[NODES];
	int distance[NODES];
	int nr;
	int slow;
};

/* "0-2,5" */
static void list_read(const char *name, bool *set)
{
	char *text __free_on_exit = root_read("/sys/devices/system/node/%s", name);
	char *at = text;

	while (at && *at >= '0' && *at <= '9') {
		unsigned long from = strtoul(at, &at, 10), to = from;

		if (*at == '-')
			to = strtoul(at + 1, &at, 10);
		for (; from <= to && from < NODES; from++)
			set[from] = true;
		at += *at == ',';
	}
}

/* A node's file has its distance to each node that is online, in their order. */
static int nearest_cpu(const struct nodes *n, const bool *online, int node)
{
	char *text __free_on_exit = root_read("/sys/devices/system/node/node%d/distance", node);
	char *at = text;
	int to, nearest = 0;

	for (to = 0; at && *at && to < NODES; to++) {
		int distance;

		if (!online[to])
			continue;
		distance = (int)strtol(at, &at, 10);
		if (n->cpu[to] && (!nearest || distance < nearest))
			nearest = distance;
	}
	return nearest;
}

static void nodes_read(struct nodes *n)
{
	bool online[NODES] = { 0 };

	list_read("online", online);
	list_read("has_memory", n->memory);
	list_read("has_cpu", n->cpu);
	for (int node = 0; node < NODES; node++) {
		if (!n->memory[node])
			continue;
		n->nr++;
		if (n->cpu[node])
			continue;
		n->slow++;
		n->distance[node] = nearest_cpu(n, online, node);
	}
}

/* What the host goes by unless it is told otherwise: nodes with CPUs first, others by distance. */
static char *tiers_by_rule(const struct nodes *n)
{
	struct strings words = { 0 };
	char *text;

	for (int node = 0; node < NODES; node++) {
		char *word __free_on_exit = NULL;
		int tier = !n->cpu[node];

		if (!n->memory[node])
			continue;
		for (int other = 0; tier && other < NODES; other++) {
			bool counted = !n->memory[other] || n->cpu[other] ||
				       n->distance[other] >= n->distance[node];

			/* Each distance counts once. */
			for (int before = 0; !counted && before < other; before++)
				counted = n->memory[before] && !n->cpu[before] &&
					  n->distance[before] == n->distance[other];
			tier += !counted;
		}
		word = xasprintf("%d:%d", node, tier);
		strings_add(&words, word);
	}
	text = strings_join(&words, " ", words.count);
	strings_free(&words);
	return text;
}

static void tiers_check(struct doctor *d)
{
	char *told __free_on_exit = sysfs_read("page_placement/tiers");
	struct nodes n = { 0 };
	char *rule __free_on_exit = NULL;

	nodes_read(&n);
	rule = tiers_by_rule(&n);
	if (told)
		doctor_ok(d, "tiers", "memory nodes and their tiers, 0 the fastest: %s", told);
	else if (n.slow)
		doctor_ok(d, "tiers", "memory nodes and their tiers, 0 the fastest: %s", rule);
	else if (n.nr > 1)
		doctor_note(d, "tiers",
			    "where one is slower, say so: echo NODE:1 > page_placement/tiers",
			    "%d memory nodes, all with CPUs: they are taken to be of one speed",
			    n.nr);
	else
		doctor_note(d, "tiers", "nothing has to be done; a machine with CXL memory, say, has more",
			    "one memory node: there is nowhere to move a page to");
}

/* What else moves pages, or keeps them from being moved. */
static void kernel_check(struct doctor *d)
{
	char *balancing __free_on_exit = root_read("/proc/sys/kernel/numa_balancing");
	char *demotion __free_on_exit = root_read("/sys/kernel/mm/numa/demotion_enabled");
	char *huge __free_on_exit = root_read("/sys/kernel/mm/transparent_hugepage/enabled");

	if (balancing && *balancing != '0')
		doctor_note(d, "balancing", "sysctl kernel.numa_balancing=0",
			    "kernel.numa_balancing=%s: the kernel makes hint faults of its own, which cost the attached programs, too",
			    balancing);
	if (demotion && !strncmp(demotion, "true", 4))
		doctor_note(d, "demotion", "echo false > /sys/kernel/mm/numa/demotion_enabled",
			    "the kernel demotes pages as well, without asking the policy");
	if (huge && strstr(huge, "[always]"))
		doctor_note(d, "hugepages",
			    "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled, before the programs start",
			    "huge pages are left to the kernel, and it gives them to all programs");
}

static void placement_examine(struct doctor *d)
{
	static const struct doctor_option needed[] = {
		{ "NUMA_BALANCING", "there are no hint faults to take over" },
		{ "DEVICE_MIGRATION", "modules can't move pages" },
		{ "MMU_NOTIFIER", "the host can't see what becomes of a page" },
	};
	/* Its name before 6.12. */
	const char *function = doctor_has_function("numa_migrate_prep") ? "numa_migrate_prep" :
									  "numa_migrate_check";

	doctor_options(d, needed, ARRAY_SIZE(needed),
		       "hint faults, and what moving pages takes, are built in");
	doctor_function(d, function);
	doctor_owner(d, function, sysfs_exists("page_placement"));
	doctor_module(d, "tiffin_page_placement");
	tiers_check(d);
	kernel_check(d);
}

const struct doctor_family doctor_page_placement = {
	.name = "page_placement",
	.examine = placement_examine,
};
