// SPDX-License-Identifier: GPL-2.0-only
/* What the family counts, per CPU, and what is made of it. */

#include <linux/mm.h>
#include <linux/vmstat.h>

#include "page_placement/host.h"
#include "page_placement/shadow.h"
#include "page_placement/watch.h"

DEFINE_PER_CPU(struct pp_counts, pp_counts);

atomic64_t pp_unmapped[PP_TIME_BUCKETS];

enum pp_figure_index {
	PP_FIGURE_REFUSED = PP_N_REFUSED,	/* all reasons together */
	PP_FIGURE_REASON,			/* and one for each but PP_FINE */
	PP_FIGURE_PAGES = PP_N_COUNTS,
	PP_FIGURE_PROGRAMS,
	PP_FIGURE_UNSETTLED,
	PP_FIGURE_LOCKED,
	PP_FIGURE_SHADOWS,
	PP_FIGURE_SHADOWS_USED,
	PP_FIGURE_SHADOWS_WRITTEN,
	PP_FIGURE_SHADOWS_CHANGED,
	PP_FIGURE_SHADOWS_PRESSURE,
	PP_FIGURE_SHADOWS_RECLAIMED,
	PP_FIGURE_SHADOWS_DETACHED,
};

#define PP_COUNTER(name_, doc_) \
	{ .name = name_, .doc = doc_, .kind = TIFFIN_FIGURE_COUNTER }
#define PP_GAUGE(name_, doc_) \
	{ .name = name_, .doc = doc_, .kind = TIFFIN_FIGURE_GAUGE }
#define PP_REFUSAL(reason_, name_, doc_) \
	[PP_N_REFUSED + (reason_)] = PP_COUNTER("refused_" name_, "moves refused: " doc_)

const struct tiffin_figure pp_figures[] = {
	[PP_N_HINTS] = PP_COUNTER("hints", "hint faults of followed programs"),
	[PP_N_FORKS_MISSED] = PP_COUNTER("forks_missed",
		"children of programs not taken up, as too many waited, or memory was short"),
	[PP_N_SLOW_HINTS] = PP_COUNTER("slow_hints",
		"hint faults for pages that a faster node could have"),
	[PP_N_MARKED] = PP_COUNTER("marked", "pages made inaccessible for a hint"),
	[PP_N_OTHER_MMU] = PP_COUNTER("other_mmu",
		"times that no page was marked, as a device or a VM has the page tables, too"),
	[PP_N_YOUNG] = PP_COUNTER("young", "pages that age scans found accessed"),
	[PP_N_OLD] = PP_COUNTER("old", "pages that age scans found not accessed"),
	[PP_N_PROMOTED] = PP_COUNTER("promoted", "pages moved to a faster node"),
	[PP_N_DEMOTED] = PP_COUNTER("demoted", "pages moved to a slower node"),
	[PP_N_REMAPPED] = PP_COUNTER("remapped", "pages moved to their shadow, without a copy"),
	[PP_N_TRANSACTED] = PP_COUNTER("transacted",
		"pages copied while they were mapped, and moved"),
	[PP_N_IN_WAKE] = PP_COUNTER("in_wake", "pages that programs moved themselves"),
	[PP_N_WRITTEN] = PP_COUNTER("written",
		"moves given up as the program wrote to the page meanwhile"),
	[PP_N_NO_ROOM] = PP_COUNTER("no_room",
		"moves not made, as the node would have been short of memory then"),
	[PP_N_LIMITED] = PP_COUNTER("limited", "promotions not made, as the limit was reached"),
	[PP_N_CANCELLED] = PP_COUNTER("cancelled", "moves that the policy took back in plan()"),
	[PP_N_NOT_ALLOWED] = PP_COUNTER("not_allowed",
		"moves not made, as a cpuset keeps the program off the node"),
	[PP_N_STALE] = PP_COUNTER("stale",
		"moves not made, as the page was gone, lay elsewhere or waited for one already"),
	[PP_N_QUEUE_FULL] = PP_COUNTER("queue_full", "moves not made, as too many waited"),
	[PP_N_SHADOWS_KEPT] = PP_COUNTER("shadows_kept", "pages kept as shadows"),
	[PP_N_BYTES_COPIED] = PP_COUNTER("bytes_copied",
		"bytes copied, also where nothing came of it"),
	[PP_N_REPLACED] = PP_COUNTER("replaced",
		"pages no longer followed, as others took their place in the table"),
	[PP_N_UNFOLLOWED] = PP_COUNTER("unfollowed",
		"pages seen and not followed, as the table was full or memory short"),
	[PP_N_HINT_NS] = PP_COUNTER("hint_ns", "ns that the host took in hint faults"),
	[PP_N_WAKE_NS] = PP_COUNTER("wake_ns", "ns that programs took for moves of their own"),
	[PP_N_UNMAPPED_NS] = PP_COUNTER("unmapped_ns",
		"ns that pages were unmapped by background moves, summed over pages"),
	[PP_N_BACKGROUND_NS] = PP_COUNTER("background_ns",
		"ns that the host's threads took for scans and moves"),
	[PP_FIGURE_REFUSED] = PP_COUNTER("refused",
		"moves refused, all reasons; no_room is apart"),
	PP_REFUSAL(PP_GONE, "gone", "the program has no memory there any more"),
	PP_REFUSAL(PP_FOREIGN, "foreign", "it is a file's page, or memory of a special kind"),
	PP_REFUSAL(PP_HOLE, "hole", "there is no page there any more"),
	PP_REFUSAL(PP_SWAPPED, "swapped", "it is in swap, or being moved by the kernel"),
	PP_REFUSAL(PP_THERE, "there", "it was on that node already"),
	PP_REFUSAL(PP_HUGE, "huge", "it is part of a huge page"),
	PP_REFUSAL(PP_SHARED, "shared", "several mappings share it"),
	PP_REFUSAL(PP_LAZYFREE, "lazyfree", "it is freed lazily"),
	PP_REFUSAL(PP_PINNED, "pinned", "somebody holds references to it, for I/O say"),
	PP_REFUSAL(PP_BUSY, "busy", "it was locked, or just being changed"),
	PP_REFUSAL(PP_POISONED, "poisoned", "the hardware reports an error in it"),
	PP_REFUSAL(PP_NO_MEMORY, "no_memory", "the node had no free page"),
	[PP_FIGURE_PAGES] = PP_GAUGE("pages", "pages that are followed now"),
	[PP_FIGURE_PROGRAMS] = PP_GAUGE("programs", "address spaces that are followed now"),
	[PP_FIGURE_UNSETTLED] = PP_GAUGE("unsettled",
		"address spaces that are to be followed, or to be let go"),
	[PP_FIGURE_LOCKED] = PP_COUNTER("locked",
		"work put off, as a program had its memory map locked"),
	[PP_FIGURE_SHADOWS] = PP_GAUGE("shadows", "pages that are kept as shadows now"),
	[PP_FIGURE_SHADOWS_USED] = PP_COUNTER("shadows_used", "shadows that became pages again"),
	[PP_FIGURE_SHADOWS_WRITTEN] = PP_COUNTER("shadows_written",
		"shadows given up as their page was written"),
	[PP_FIGURE_SHADOWS_CHANGED] = PP_COUNTER("shadows_changed",
		"shadows given up as their page was unmapped or replaced, or the program ended"),
	[PP_FIGURE_SHADOWS_PRESSURE] = PP_COUNTER("shadows_pressure",
		"shadows given up as the kernel wanted their memory"),
	[PP_FIGURE_SHADOWS_RECLAIMED] = PP_COUNTER("shadows_reclaimed",
		"shadows given up as their node was short of memory"),
	[PP_FIGURE_SHADOWS_DETACHED] = PP_COUNTER("shadows_detached",
		"shadows given up as the program was detached"),
};

const unsigned int pp_nr_figures = ARRAY_SIZE(pp_figures);

u64 pp_counted(enum pp_count what)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(pp_counts, cpu).count[what]);
	return sum;
}

u64 pp_swap_ins(void)
{
	u64 sum = 0;
#ifdef CONFIG_VM_EVENT_COUNTERS
	int cpu;

	for_each_online_cpu(cpu)
		sum += READ_ONCE(per_cpu(vm_event_states, cpu).event[PSWPIN]);
#endif
	return sum;
}

static u64 pp_shadows(unsigned int index)
{
	struct pp_shadow_figures figures;
	u64 sum = 0;
	int node;

	for_each_node_state(node, N_MEMORY) {
		pp_shadow_figures(node, &figures);
		sum += index == PP_FIGURE_SHADOWS ? figures.now :
		       figures.ended[index - PP_FIGURE_SHADOWS_USED];
	}
	return sum;
}

u64 pp_figure(struct tiffin_family *family, unsigned int index)
{
	u64 sum = 0;
	int reason;

	switch (index) {
	case PP_FIGURE_REFUSED:
		for (reason = PP_FINE + 1; reason < PP_NO_MEMORY; reason++)
			sum += pp_counted(PP_N_REFUSED + reason);
		return sum;
	case PP_FIGURE_PAGES:
		return pp_objects_followed();
	case PP_FIGURE_PROGRAMS:
		return pp_programs();
	case PP_FIGURE_UNSETTLED:
		return pp_programs_unsettled();
	case PP_FIGURE_LOCKED:
		return pp_mmap_missed();
	case PP_FIGURE_SHADOWS ... PP_FIGURE_SHADOWS_DETACHED:
		return pp_shadows(index);
	}
	return pp_counted(index);
}
