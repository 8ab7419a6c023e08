// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzing of any policy of packet_steering: the input is a machine, the bytes in the policy's
 * records, and what happens; every answer is checked.
 */
#include "policy_fuzz.h"
#include "policy_packet_steering.h"

static void set_cpu(struct ps *ps, struct input *input)
{
	struct tiffin_ps_cpu *cpu = &ps->cpu[number(input, ps->nr_cpus)];

	take(input, &cpu->load, sizeof(cpu->load));
	take(input, &cpu->backlog, sizeof(cpu->backlog));
	take(input, &cpu->backlog_max, sizeof(cpu->backlog_max));
	cpu->flags = number(input, 2) ? TIFFIN_PS_CPU_USABLE : 0;
	/* The host always leaves one. */
	ps->cpu[number(input, ps->nr_cpus)].flags = TIFFIN_PS_CPU_USABLE;
}

/* Few flows, so that one comes again; or any. */
static struct tiffin_ps_in some_packet(struct input *input)
{
	struct tiffin_ps_in packet = { 0 };

	packet.hash = number(input, 8) ?: number(input, UINT32_MAX);
	packet.hash = packet.hash ?: 1;
	packet.stage = number(input, TIFFIN_PS_MAX_STAGES);
	return packet;
}

static void decide(struct ps *ps, struct input *input)
{
	struct tiffin_ps_in packet = some_packet(input);

	packet.cpu = number(input, ps->nr_cpus);
	packet.in_flight = number(input, UINT32_MAX);
	packet.len = number(input, UINT32_MAX);
	packet.segs = number(input, UINT32_MAX);
	packet.heat = number(input, UINT32_MAX);
	ps_decide(ps, &packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	struct ps *ps = ps_new(&tiffin_policy, 1 + number(&input, PS_MAX_CPUS));
	struct tiffin_ps_in packet;

	while (input.left) {
		switch (number(&input, 8)) {
		case 0:
			set_tunable(ps->host, &input);
			break;
		case 1:
			packet = some_packet(&input);
			set_record(ps->host, &input, ps_flow(packet.hash, packet.stage),
				   ps->nr_cpus);
			break;
		case 2:
			set_cpu(ps, &input);
			break;
		case 3:
			take(&input, &ps->now_ns, sizeof(ps->now_ns));
			break;
		case 4:
			ps_swap(ps, &tiffin_policy);
			break;
		default:
			decide(ps, &input);
		}
	}
	decide(ps, &input);
	ps_free(ps);
	return 0;
}
