// SPDX-License-Identifier: GPL-2.0-only
/* What hash promises. */
#include "policy_packet_steering.h"
#include "policy_test.h"

TEST(a_flow_keeps_one_cpu_at_all_stages)
{
	struct ps *ps = ps_new(POLICY, 4);
	unsigned int i, stage;

	for (i = 0; i < 1000; i++) {
		__u32 hash = test_random() | 1, cpu = ps_ask(ps, .hash = hash);

		for (stage = 0; stage < TIFFIN_PS_MAX_STAGES; stage++)
			EXPECT_EQ(ps_ask(ps, .hash = hash, .stage = stage, .cpu = i % 4), cpu);
	}
	ps_free(ps);
}

/* As RPS with a map of the usable CPUs: reciprocal_scale(hash, len) in include/linux/kernel.h. */
TEST(as_rps)
{
	static const __u32 map[] = { 1, 2, 5 };
	struct ps *ps = ps_new(POLICY, 6);
	unsigned int i;

	ps_usable(ps, 0, false);
	ps_usable(ps, 3, false);
	ps_usable(ps, 4, false);
	for (i = 0; i < 10000; i++) {
		__u32 hash = test_random() | 1;

		EXPECT_EQ(ps_ask(ps, .hash = hash), map[((__u64)hash * 3) >> 32]);
	}
	EXPECT_EQ(ps_ask(ps, .hash = 0xffffffff), 5);
	EXPECT_EQ(ps_ask(ps, .hash = 1), 1);
	ps_free(ps);
}

TEST(counts_answers_that_send_away)
{
	struct ps *ps = ps_new(POLICY, 2);

	ps_ask(ps, .hash = 1, .cpu = 0);
	EXPECT_EQ(policy_host_counter(ps->host, "away"), 0);
	ps_ask(ps, .hash = 1, .cpu = 1);
	EXPECT_EQ(policy_host_counter(ps->host, "away"), 1);
	ps_free(ps);
}

TEST(an_answer_is_repeated_as_the_operator_says)
{
	struct ps *ps = ps_new(POLICY, 4);
	const struct tiffin_ps_in packet = { .hash = 77 };

	EXPECT_EQ(ps_decide(ps, &packet).repeat, 255);
	EXPECT_EQ(policy_host_set(ps->host, "repeat", 0), 0);
	EXPECT_EQ(ps_decide(ps, &packet).repeat, 0);
	ps_free(ps);
}
