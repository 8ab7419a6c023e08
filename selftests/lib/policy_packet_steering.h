/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets for a policy of packet_steering, in user space: a machine with CPUs, a flow table, and a
 * check of every answer (tiffin/packet_steering.h says what a good one is).
 */
#ifndef POLICY_PACKET_STEERING_H
#define POLICY_PACKET_STEERING_H

#include <stdbool.h>
#include <tiffin/packet_steering.h>

#include "policy_host.h"

#define PS_MAX_CPUS	64

/* As in the kernel, flows at one stage that have 12 bits of their hash in common are one flow. */
#define PS_FLOW_BITS	12
#define PS_FLOWS	(TIFFIN_PS_MAX_STAGES << PS_FLOW_BITS)
#define PS_FORGET_NS	10000000000ull	/* after a silence this long a flow begins anew */

/**
 * struct ps - a machine that asks a policy
 * @host: the active instance
 * @policy: its descriptor
 * @nr_cpus: CPUs
 * @cpu: their state; a test may set load and backlog at any time
 * @now_ns: time; a test sets it on
 * @epoch: number of swaps
 * @flow: where each flow at each stage is, since when, and which one it is
 * @allow_unusable: do not fault a policy that names a CPU which is not usable
 */
struct ps {
	struct policy_host *host;
	const struct tiffin_policy *policy;
	unsigned int nr_cpus;
	struct tiffin_ps_cpu cpu[PS_MAX_CPUS];
	__u64 now_ns;
	__u64 epoch;
	struct {
		__u32 cpu, generation;
		__u64 placed_ns;
	} flow[PS_FLOWS];
	bool allow_unusable;
};

/**
 * ps_new - a machine, all its CPUs usable and idle
 * @policy: becomes active
 * @nr_cpus: 1 to PS_MAX_CPUS
 */
struct ps *ps_new(const struct tiffin_policy *policy, unsigned int nr_cpus);

/* Make another policy active; stores are handed over where they fit, flows stay where they are. */
void ps_swap(struct ps *ps, const struct tiffin_policy *policy);

/* The number of a flow at a stage, that of its record. */
static inline unsigned int ps_flow(__u32 hash, __u32 stage)
{
	return stage << PS_FLOW_BITS | (hash & ((1u << PS_FLOW_BITS) - 1));
}

/* Say whether packets may be sent to a CPU. One at least must stay usable. */
void ps_usable(struct ps *ps, unsigned int cpu, bool usable);

void ps_free(struct ps *ps);

/**
 * ps_decide - ask where a packet goes
 * @ps: the machine
 * @packet: hash (not 0), stage and cpu (that has the packet); zeros elsewhere get what is usual
 *
 * The answer is checked, and the flow is then where the answer sends it.
 */
struct tiffin_ps_out ps_decide(struct ps *ps, const struct tiffin_ps_in *packet);

/* ps_ask(ps, .hash = 7, .stage = 1): where the packet goes, or TIFFIN_PS_NO_CPU (stock). */
#define ps_ask(ps, ...)		ps_target(ps, &(struct tiffin_ps_in){ __VA_ARGS__ })

__u32 ps_target(struct ps *ps, const struct tiffin_ps_in *packet);

#endif /* POLICY_PACKET_STEERING_H */
