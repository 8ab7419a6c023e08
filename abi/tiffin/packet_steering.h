/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tiffin/packet_steering.h: which CPU processes a received packet next.
 *
 * A received packet crosses stages: the network card, the VXLAN device, a veth end of a container,
 * ... At each stage the kernel asks which CPU continues with the packet (its own answer is RPS),
 * and this family puts that question to the policy. An object of this family is a flow at a
 * stage: a bucket of the host's flow table that all packets with one hash at one stage share.
 *
 * The host keeps order: a policy may change its mind at any packet; the host moves the flow only
 * when every packet that was sent to the old CPU is known to have left it, and until then answers
 * with the old CPU ("deferred"). A policy needs no state for that.
 *
 * Deepest context: hardirq (a driver that calls netif_rx() there) inside softirq.
 */
#ifndef TIFFIN_PACKET_STEERING_H
#define TIFFIN_PACKET_STEERING_H

#include <tiffin/plugin.h>
#include <tiffin/state.h>

#define TIFFIN_packet_steering_ABI	TIFFIN_ABI(1, 1)
#define TIFFIN_packet_steering_ABI_TEXT	1.1

/* "No CPU yet" where a CPU is given. */
#define TIFFIN_PS_NO_CPU		0xffffffffu

/* Stages are numbered from 0; packets at deeper ones are left to the stock kernel. */
#define TIFFIN_PS_MAX_STAGES		8

/* Most packets that an answer may be repeated for. */
#define TIFFIN_PS_MAX_REPEAT		255

/* The CPU is online and the operator allows packets on it: an answer may name it. */
#define TIFFIN_PS_CPU_USABLE		(1u << 0)

/**
 * struct tiffin_ps_cpu - what the host knows of a CPU
 * @flags: TIFFIN_PS_CPU_*
 * @load: share of time not idle, 0 to 1000, over the last sample period: about 10 ms, longer where
 *	no question was put for longer
 * @backlog: packets waiting in the CPU's receive backlog at the last sample
 * @backlog_max: packets the backlog takes before it drops
 */
struct tiffin_ps_cpu {
	__u32 flags;
	__u32 load;
	__u32 backlog;
	__u32 backlog_max;
};

/**
 * struct tiffin_ps_in - the question
 * @size: bytes of this structure on the host's side
 * @stage: how many stages on this machine the packet has passed already, 0 to
 *	TIFFIN_PS_MAX_STAGES - 1; the same for every packet of a flow that takes the same path
 * @hash: of the packet's flow, never 0. Inside a tunnel it may be the outer or the inner flow's,
 *	but always the same one at the same stage.
 * @cpu: the CPU that has the packet now
 * @flow_cpu: the CPU that the flow's packets go to at this stage now, or TIFFIN_PS_NO_CPU. The
 *	host knows it whichever policy or stock kernel placed it, so a policy starts warm.
 * @in_flight: packets of the flow that were placed at this stage and have not been seen at the
 *	next one; 0 where the flow has none
 * @len: bytes of the packet
 * @segs: network packets that this one stands for, 1 or more (GRO, GSO)
 * @ifindex: of the device that received it, meaningful within @netns only
 * @netns: cookie of the network namespace, unique until reboot
 * @nr_cpus: entries of @cpus
 * @cpu_stride: bytes from one entry of @cpus to the next; use tiffin_ps_cpu()
 * @nr_usable: entries of @usable, 1 or more
 * @cpus: state of each CPU, by number; valid during the call
 * @usable: numbers of the CPUs that an answer may name, ascending; valid during the call
 * @heat: packets of the flow placed at this stage in a second, lately: what is older than 1/8 s
 *	counts half, than 1/4 s a quarter, and so on. The host takes it when the policy is asked, so
 *	where that was longer ago it is the average since; 0 until it is known of a flow. It goes on
 *	whichever policy is active, so that with @flow_cpu a policy starts warm. Since 1.1.
 * @reserved: zero
 */
struct tiffin_ps_in {
	__u32 size;
	__u32 stage;
	__u32 hash;
	__u32 cpu;
	__u32 flow_cpu;
	__u32 in_flight;
	__u32 len;
	__u32 segs;
	__u32 ifindex;
	__u32 nr_cpus;
	__u64 netns;
	__u32 cpu_stride;
	__u32 nr_usable;
	const struct tiffin_ps_cpu *cpus;
	const __u32 *usable;
	__u32 heat;
	__u32 reserved;
};

/**
 * enum tiffin_ps_verdict - what an answer says
 * @TIFFIN_PS_STOCK: the stock kernel decides (its RPS and RFS settings count)
 * @TIFFIN_PS_STAY: this CPU continues with the packet
 * @TIFFIN_PS_CPU: the CPU in &tiffin_ps_out.cpu continues with the packet
 */
enum tiffin_ps_verdict {
	TIFFIN_PS_STOCK,
	TIFFIN_PS_STAY,
	TIFFIN_PS_CPU,
};

/*
 * Move the flow at once, without waiting for its packets in flight: the policy accepts reordering.
 */
#define TIFFIN_PS_FORCE			(1u << 0)

/*
 * The answer depends on no CPU's load or backlog: repeating it does not end with their next sample.
 * Since 1.1.
 */
#define TIFFIN_PS_STEADY		(1u << 1)

/**
 * struct tiffin_ps_out - the answer; zeros (STOCK) when the call begins
 * @size: bytes of this structure on the host's side
 * @verdict: one of enum tiffin_ps_verdict. A value the host does not know is a bad answer.
 * @cpu: with TIFFIN_PS_CPU: the target. A CPU that does not exist is a bad answer; one that is
 *	not usable or whose backlog is full is refused and counted apart.
 * @flags: TIFFIN_PS_FORCE, TIFFIN_PS_STEADY, both or 0; other bits make a bad answer
 * @repeat: for how many further packets of the flow at this stage the answer holds: the host may
 *	place them alike without a question. 0: each is asked about. The host asks anew after
 *	%TIFFIN_PS_MAX_REPEAT of them at the latest, when it has sampled the CPUs again (about
 *	10 ms) unless the answer is TIFFIN_PS_STEADY, when the usable ones change, when another
 *	policy is active, and for each packet while the flow is on another CPU than the answer's.
 *	Since 1.1.
 *
 * In place of a bad or refused answer the flow stays on the CPU it is on, or, where it is on none,
 * the stock kernel decides.
 */
struct tiffin_ps_out {
	__u32 size;
	__u32 verdict;
	__u32 cpu;
	__u32 flags;
	__u32 repeat;
};

/**
 * struct tiffin_ps_hooks - the hook table of the family
 * @decide: required. Where does this packet go next? Asked at each stage, for each packet that no
 *	repeated answer covers.
 */
struct tiffin_ps_hooks {
	void (*decide)(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
		       struct tiffin_ps_out *out);
};

/**
 * tiffin_ps_cpu - state of one CPU
 * @in: the question
 * @cpu: below @in->nr_cpus
 */
static inline const struct tiffin_ps_cpu *tiffin_ps_cpu(const struct tiffin_ps_in *in, __u32 cpu)
{
	return (const struct tiffin_ps_cpu *)((const char *)in->cpus + (__u64)cpu * in->cpu_stride);
}

/* True where an answer may name @cpu. */
static inline int tiffin_ps_usable(const struct tiffin_ps_in *in, __u32 cpu)
{
	return cpu < in->nr_cpus && (tiffin_ps_cpu(in, cpu)->flags & TIFFIN_PS_CPU_USABLE);
}

#endif /* TIFFIN_PACKET_STEERING_H */
