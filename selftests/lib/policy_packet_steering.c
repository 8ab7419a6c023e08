// SPDX-License-Identifier: GPL-2.0-only
/* Packets for a policy of packet_steering, in user space; see policy_packet_steering.h. */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "policy_packet_steering.h"

/*
 * A host of a later minor version: question and answer have bytes behind those that the policy
 * knows, and so has each CPU's state.
 */
#define LATER	16

struct question {
	struct tiffin_ps_in in;
	unsigned char later[LATER];
};

struct answer {
	struct tiffin_ps_out out;
	unsigned char later[LATER];
};

struct ps *ps_new(const struct tiffin_policy *policy, unsigned int nr_cpus)
{
	struct ps *ps = calloc(1, sizeof(*ps));
	unsigned int i;

	if (!ps || !nr_cpus || nr_cpus > PS_MAX_CPUS)
		errx(1, "ps_new: no memory, or not 1 to %d CPUs", PS_MAX_CPUS);
	if (strcmp(policy->family, "packet_steering"))
		errx(1, "%s is a policy of family %s, not packet_steering", policy->name,
		     policy->family);
	ps->host = policy_host_new(policy, nr_cpus, PS_FLOWS, NULL);
	ps->policy = policy;
	ps->nr_cpus = nr_cpus;
	ps->now_ns = 1000000000;
	ps->epoch = 1;
	for (i = 0; i < nr_cpus; i++)
		ps->cpu[i] = (struct tiffin_ps_cpu) {
			.flags = TIFFIN_PS_CPU_USABLE, .backlog_max = 1000,
		};
	return ps;
}

void ps_swap(struct ps *ps, const struct tiffin_policy *policy)
{
	struct policy_host *next = policy_host_new(policy, ps->nr_cpus, PS_FLOWS, ps->host);

	policy_host_free(ps->host);
	ps->host = next;
	ps->policy = policy;
	ps->epoch++;
}

void ps_usable(struct ps *ps, unsigned int cpu, bool usable)
{
	ps->cpu[cpu].flags = usable ? TIFFIN_PS_CPU_USABLE : 0;
}

void ps_free(struct ps *ps)
{
	policy_host_free(ps->host);
	free(ps);
}

/* What the policy's version has no field for reads as zero. */
static void check_end(const struct ps *ps, const struct answer *answer)
{
	const unsigned char *bytes = (const void *)answer;
	const __u32 abi = ps->policy->family_abi;
	size_t i = sizeof(answer->out);

	if (abi < TIFFIN_ABI(1, 1))
		i = offsetof(struct tiffin_ps_out, repeat);
	for (; i < sizeof(*answer); i++)
		if (bytes[i]) {
			policy_fault("%s wrote to byte %zu of its answer, which ABI %u.%u has not",
				     ps->policy->name, i, TIFFIN_ABI_MAJOR(abi),
				     TIFFIN_ABI_MINOR(abi));
			return;
		}
}

static void check_answer(const struct ps *ps, const struct tiffin_ps_out *out)
{
	const char *name = ps->policy->name;

	if (out->verdict > TIFFIN_PS_CPU)
		policy_fault("%s gave verdict %u", name, out->verdict);
	if (out->flags & ~(TIFFIN_PS_FORCE | TIFFIN_PS_STEADY))
		policy_fault("%s gave flags %#x", name, out->flags);
	if (out->verdict != TIFFIN_PS_CPU)
		return;
	if (out->cpu >= ps->nr_cpus)
		policy_fault("%s named CPU %u of %u", name, out->cpu, ps->nr_cpus);
	else if (!ps->allow_unusable && !(ps->cpu[out->cpu].flags & TIFFIN_PS_CPU_USABLE))
		policy_fault("%s named CPU %u, which is not usable", name, out->cpu);
}

/* The CPUs' state and the numbers of the usable ones, in memory that ends with them. */
static void fill_cpus(const struct ps *ps, struct tiffin_ps_in *in)
{
	const __u32 stride = sizeof(struct tiffin_ps_cpu) + LATER;
	char *cpus = malloc((size_t)ps->nr_cpus * stride);
	__u32 *usable;
	unsigned int i;

	for (i = 0; i < ps->nr_cpus; i++)
		in->nr_usable += ps->cpu[i].flags & TIFFIN_PS_CPU_USABLE;
	usable = malloc(in->nr_usable * sizeof(*usable));
	if (!cpus || !usable || !in->nr_usable)
		errx(1, "no memory, or no usable CPU");
	in->nr_usable = 0;
	for (i = 0; i < ps->nr_cpus; i++) {
		memset(cpus + (size_t)i * stride, 0xa5, stride);
		memcpy(cpus + (size_t)i * stride, &ps->cpu[i], sizeof(ps->cpu[i]));
		if (ps->cpu[i].flags & TIFFIN_PS_CPU_USABLE)
			usable[in->nr_usable++] = i;
	}
	in->nr_cpus = ps->nr_cpus;
	in->cpu_stride = stride;
	in->cpus = (const void *)cpus;
	in->usable = usable;
}

struct tiffin_ps_out ps_decide(struct ps *ps, const struct tiffin_ps_in *packet)
{
	__u32 flow = ps_flow(packet->hash, packet->stage);
	struct answer a = { .out.size = sizeof(a) };
	struct question q = { .in = *packet };
	struct policy_call call = {
		.cpu = packet->cpu, .object = flow, .now_ns = ps->now_ns, .epoch = ps->epoch,
	};

	if (!packet->hash || packet->stage >= TIFFIN_PS_MAX_STAGES || packet->cpu >= ps->nr_cpus)
		errx(1, "ps_decide: no hash, or no such stage or CPU");
	if (!ps->flow[flow].generation ||
	    ps->now_ns - ps->flow[flow].placed_ns >= PS_FORGET_NS) {
		ps->flow[flow].generation++;
		ps->flow[flow].cpu = TIFFIN_PS_NO_CPU;
	}
	ps->flow[flow].placed_ns = ps->now_ns;
	call.generation = ps->flow[flow].generation;
	memset(q.later, 0xa5, sizeof(q.later));
	q.in.size = sizeof(q);
	q.in.flow_cpu = ps->flow[flow].cpu;
	q.in.len = packet->len ?: 1500;
	q.in.segs = packet->segs ?: 1;
	q.in.ifindex = packet->ifindex ?: packet->stage + 2;
	q.in.netns = packet->netns ?: 1;
	fill_cpus(ps, &q.in);

	if (!policy_host_call(ps->host, offsetof(struct tiffin_ps_hooks, decide), &call, &q,
			      sizeof(q), &a, sizeof(a)))
		errx(1, "%s lacks the hook decide", ps->policy->name);
	check_answer(ps, &a.out);
	check_end(ps, &a);
	if (a.out.verdict == TIFFIN_PS_CPU)
		ps->flow[flow].cpu = a.out.cpu;
	else if (a.out.verdict == TIFFIN_PS_STAY)
		ps->flow[flow].cpu = packet->cpu;
	free((void *)q.in.cpus);
	free((void *)q.in.usable);
	return a.out;
}

__u32 ps_target(struct ps *ps, const struct tiffin_ps_in *packet)
{
	struct tiffin_ps_out out = ps_decide(ps, packet);

	switch (out.verdict) {
	case TIFFIN_PS_CPU:
		return out.cpu;
	case TIFFIN_PS_STAY:
		return packet->cpu;
	default:
		return TIFFIN_PS_NO_CPU;
	}
}
