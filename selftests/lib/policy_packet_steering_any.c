// SPDX-License-Identifier: GPL-2.0-only
/* What must hold for any policy of packet_steering, whatever it decides. */
#include <string.h>

#include "policy_packet_steering.h"
#include "policy_test.h"

TEST(any_descriptor)
{
	const char *wrong = policy_check(POLICY);

	if (wrong)
		policy_fault("%s", wrong);
}

/* Some flows come again, some only once. */
static __u32 some_hash(void)
{
	return 1 + test_random() % (test_random() % 2 ? 16 : 0xfffffff0);
}

/* Random packets on a machine whose CPUs come, go and work. */
static void storm(struct ps *ps, unsigned int packets, void (*before)(struct ps *ps))
{
	while (packets--) {
		unsigned int cpu = test_random() % ps->nr_cpus;

		ps->cpu[cpu].load = test_random() % 1001;
		ps->cpu[cpu].backlog = test_random() % 1001;
		ps_usable(ps, cpu, test_random() % 4);
		ps_usable(ps, test_random() % ps->nr_cpus, true);
		ps->now_ns += test_random() % 100000;
		if (before)
			before(ps);
		ps_decide(ps, &(struct tiffin_ps_in) {
			.hash = some_hash(),
			.stage = test_random() % TIFFIN_PS_MAX_STAGES,
			.cpu = test_random() % ps->nr_cpus,
			.len = test_random() % 65536,
			.segs = 1 + test_random() % 64,
			.in_flight = test_random() % 100,
			.heat = test_random() % 3 * 1000,
		});
	}
}

static const unsigned int sizes[] = { 1, 2, 3, 4, 7, 8, 64 };

TEST(any_answers_are_good)
{
	unsigned int i;

	for (i = 0; i < TIFFIN_ARRAY_SIZE(sizes); i++) {
		struct ps *ps = ps_new(POLICY, sizes[i]);

		storm(ps, 5000, NULL);
		ps_free(ps);
	}
}

/* A policy must accept any bytes that it finds in its records. */
static void scramble(struct ps *ps)
{
	unsigned int i, kind;

	for (i = 0; i < POLICY->nr_stores; i++) {
		const struct tiffin_store *s =
			(const void *)((const char *)POLICY->stores + i * POLICY->store_stride);
		unsigned int record, byte;
		unsigned char *data;

		kind = s->kind;
		record = ps_flow(some_hash(), test_random() % TIFFIN_PS_MAX_STAGES);
		if (kind == TIFFIN_STORE_INSTANCE)
			record = 0;
		else if (kind == TIFFIN_STORE_PER_CPU)
			record %= ps->nr_cpus;
		data = policy_host_record(ps->host, kind, record);
		for (byte = 0; byte < s->record_size; byte++)
			data[byte] = test_random() % 3 ? test_random() : 0xff;
	}
}

TEST(any_bytes_are_accepted)
{
	unsigned int i;

	for (i = 0; i < TIFFIN_ARRAY_SIZE(sizes); i++) {
		struct ps *ps = ps_new(POLICY, sizes[i]);

		storm(ps, 5000, scramble);
		ps_free(ps);
	}
}

TEST(any_tunable_in_range_is_accepted)
{
	unsigned int i, which;

	for (i = 0; i < POLICY->nr_tunables; i++) {
		const struct tiffin_tunable *t =
			(const void *)((const char *)POLICY->tunables + i * POLICY->tunable_stride);
		const __s64 value[] = { t->min, t->max, t->min + (t->max - t->min) / 2, t->def };

		for (which = 0; which < TIFFIN_ARRAY_SIZE(value); which++) {
			struct ps *ps = ps_new(POLICY, 4);

			EXPECT_EQ(policy_host_set(ps->host, t->name, value[which]), 0);
			storm(ps, 2000, NULL);
			ps_free(ps);
		}
	}
}

/* To another instance of itself; and with whatever it finds when it comes after another policy. */
TEST(any_swap_goes_on)
{
	struct ps *ps = ps_new(POLICY, 4);
	unsigned int i, round;

	for (round = 0; round < 4; round++)
		for (i = 0; i < nr_policies; i++) {
			if (strcmp(policies[i]->family, POLICY->family))
				continue;
			ps_swap(ps, policies[i]);
			storm(ps, 500, NULL);
		}
	ps_free(ps);
}
