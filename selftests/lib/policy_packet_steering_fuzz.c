// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzing of any policy of packet_steering: the input is a machine, the bytes in the policy's
 * records, and what happens; every answer is checked.
 */
#include <stdint.h>
#include <string.h>

#include "policy_packet_steering.h"

extern const struct tiffin_policy tiffin_policy;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t left;
};

/* The next bytes of the input; zeros when it has run out. */
static void take(struct input *input, void *to, size_t size)
{
	size_t n = size < input->left ? size : input->left;

	memset(to, 0, size);
	memcpy(to, input->data, n);
	input->data += n;
	input->left -= n;
}

static uint32_t number(struct input *input, uint32_t below)
{
	uint32_t n;

	take(input, &n, below <= 256 ? 1 : sizeof(n));
	return n % below;
}

static void set_tunable(struct ps *ps, struct input *input)
{
	const struct tiffin_tunable *t;
	uint64_t value, range;

	if (!tiffin_policy.nr_tunables)
		return;
	t = &tiffin_policy.tunables[number(input, tiffin_policy.nr_tunables)];
	take(input, &value, sizeof(value));
	range = (uint64_t)t->max - (uint64_t)t->min;
	if (range != UINT64_MAX)
		value %= range + 1;
	policy_host_set(ps->host, t->name, (int64_t)((uint64_t)t->min + value));
}

/* Put bytes of the input into a record. */
static void set_record(struct ps *ps, struct input *input)
{
	const struct tiffin_store *store;
	void *record;

	if (!tiffin_policy.nr_stores)
		return;
	store = &tiffin_policy.stores[number(input, tiffin_policy.nr_stores)];
	record = policy_host_record(ps->host, store->kind, number(input, PS_FLOWS) %
				    (store->kind == TIFFIN_STORE_INSTANCE ? 1 :
				     store->kind == TIFFIN_STORE_PER_CPU ? ps->nr_cpus : PS_FLOWS));
	take(input, record, store->record_size);
}

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

static void decide(struct ps *ps, struct input *input)
{
	struct tiffin_ps_in packet = { 0 };

	/* Few flows, so that one comes again; or any. */
	packet.hash = number(input, 8) ?: number(input, UINT32_MAX);
	packet.hash = packet.hash ?: 1;
	packet.stage = number(input, TIFFIN_PS_MAX_STAGES);
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

	while (input.left) {
		switch (number(&input, 8)) {
		case 0:
			set_tunable(ps, &input);
			break;
		case 1:
			set_record(ps, &input);
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
