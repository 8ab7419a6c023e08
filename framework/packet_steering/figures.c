// SPDX-License-Identifier: GPL-2.0-only
/* What the family counts, per CPU, and what is made of it. */

#include <linux/mm.h>
#include <linux/slab.h>

#include "packet_steering/host.h"

DEFINE_PER_CPU(struct ps_counts, ps_counts);

/* Packets placed on each CPU's lanes when the window began. */
static u64 *ps_window;

enum ps_figure_index {
	PS_FIGURE_PACKETS = PS_COUNTS,
	PS_FIGURE_FLOWS,
	PS_FIGURE_BUSIEST_SHARE,
	PS_FIGURE_STAGE_DEPTH_MAX,
};

#define PS_FIGURE_COUNT(name_, doc_) \
	{ .name = name_, .doc = doc_, .kind = TIFFIN_FIGURE_COUNTER }
#define PS_FIGURE_GAUGE(name_, doc_) \
	{ .name = name_, .doc = doc_, .kind = TIFFIN_FIGURE_GAUGE }

const struct tiffin_figure ps_figures[] = {
	[PS_MOVED] = PS_FIGURE_COUNT("moved", "changes of a flow's lane at a stage"),
	[PS_DEFERRED] = PS_FIGURE_COUNT("deferred",
		"packets kept on their flow's lane, as a change would have reordered them"),
	[PS_EXPIRED] = PS_FIGURE_COUNT("expired",
		"changes of lane that gave up waiting for packets held to be lost"),
	[PS_STAYED] = PS_FIGURE_COUNT("stay",
		"answers that the CPU which has the packet goes on with it"),
	[PS_STEERED] = PS_FIGURE_COUNT("steered", "answers that named a CPU"),
	[PS_REPEATED] = PS_FIGURE_COUNT("repeated",
		"packets placed as the policy's last answer said, without a question"),
	[PS_SAMPLED] = PS_FIGURE_COUNT("samples",
		"times that the load and backlog of all CPUs were looked at"),
	[PS_STOCK] = PS_FIGURE_COUNT("stock", "packets left to the stock kernel's decision"),
	[PS_CPU_REFUSED] = PS_FIGURE_COUNT("cpu_refused",
		"answers that named a CPU that is offline or not allowed"),
	[PS_BACKLOG_REFUSED] = PS_FIGURE_COUNT("backlog_refused",
		"answers that named another CPU whose backlog was full"),
	[PS_FIGURE_PACKETS] = PS_FIGURE_COUNT("packets", "packets placed, counted at each stage"),
	[PS_FIGURE_FLOWS] = PS_FIGURE_GAUGE("flows", "flows at a stage that had a packet lately"),
	[PS_FIGURE_BUSIEST_SHARE] = PS_FIGURE_GAUGE("busiest_share",
		"percent of the packets placed in the window that went to the busiest CPU"),
	[PS_FIGURE_STAGE_DEPTH_MAX] = PS_FIGURE_GAUGE("stage_depth_max",
		"most stages that a packet was seen to pass on this machine"),
};

const unsigned int ps_nr_figures = ARRAY_SIZE(ps_figures);

u64 ps_figures_placed(u32 stage, u32 cpu)
{
	u32 index = cpu * TIFFIN_PS_MAX_STAGES + stage;
	u64 sum = 0;
	int from;

	for_each_possible_cpu(from)
		sum += READ_ONCE(per_cpu(ps_counts, from).placed[index]);
	return sum;
}

/* Packets placed on @cpu's lanes, at any stage. */
static u64 ps_placed_on(u32 cpu)
{
	u64 sum = 0;
	u32 stage;

	for (stage = 0; stage < TIFFIN_PS_MAX_STAGES; stage++)
		sum += ps_figures_placed(stage, cpu);
	return sum;
}

static u64 ps_figures_packets(void)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += ps_placed_on(cpu);
	return sum;
}

static u64 ps_busiest_share(void)
{
	u64 sum = 0, most = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		u64 placed = ps_placed_on(cpu) - READ_ONCE(ps_window[cpu]);

		sum += placed;
		most = max(most, placed);
	}
	return sum ? div64_u64(100 * most, sum) : 0;
}

static u64 ps_stage_depth(void)
{
	u32 stage;
	int cpu;

	for (stage = TIFFIN_PS_MAX_STAGES; stage; stage--)
		for_each_possible_cpu(cpu)
			if (ps_figures_placed(stage - 1, cpu))
				return stage;
	return 0;
}

u64 ps_figure(struct tiffin_family *family, unsigned int index)
{
	u64 sum = 0;
	int cpu;

	switch (index) {
	case PS_FIGURE_PACKETS:
		return ps_figures_packets();
	case PS_FIGURE_FLOWS:
		return ps_table_flows(&ps_steer.table, jiffies);
	case PS_FIGURE_BUSIEST_SHARE:
		return ps_busiest_share();
	case PS_FIGURE_STAGE_DEPTH_MAX:
		return ps_stage_depth();
	}
	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(ps_counts, cpu).count[index]);
	return sum;
}

void ps_figures_window(struct tiffin_family *family)
{
	int cpu;

	for_each_possible_cpu(cpu)
		WRITE_ONCE(ps_window[cpu], ps_placed_on(cpu));
}

int ps_figures_init(void)
{
	int cpu;

	ps_window = kvcalloc(nr_cpu_ids, sizeof(*ps_window), GFP_KERNEL);
	if (!ps_window)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		u64 *placed = kvzalloc_node(array3_size(TIFFIN_PS_MAX_STAGES, nr_cpu_ids,
							sizeof(*placed)),
					    GFP_KERNEL, cpu_to_node(cpu));

		if (!placed) {
			ps_figures_exit();
			return -ENOMEM;
		}
		per_cpu(ps_counts, cpu).placed = placed;
	}
	return 0;
}

void ps_figures_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		kvfree(per_cpu(ps_counts, cpu).placed);
	kvfree(ps_window);
}
