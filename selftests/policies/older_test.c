// SPDX-License-Identifier: GPL-2.0-only
/* A policy built against ABI 1.0 (selftests/modules/older) on today's host. */
#include "policy_packet_steering.h"
#include "policy_test.h"

TEST(older_is_of_1_0)
{
	EXPECT_EQ(POLICY->family_abi, TIFFIN_ABI(1, 0));
	EXPECT_LT(POLICY->family_abi, TIFFIN_packet_steering_ABI);
}

TEST(older_answers_and_leaves_the_rest)
{
	struct ps *ps = ps_new(POLICY, 4);
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		const struct tiffin_ps_in packet = {
			.hash = 1 + test_random() % 0xfffffff0,
			.cpu = i % 4,
		};
		const struct tiffin_ps_out out = ps_decide(ps, &packet);

		EXPECT_GT(out.size, offsetof(struct tiffin_ps_out, repeat));
		EXPECT_EQ(out.verdict, TIFFIN_PS_CPU);
		EXPECT_EQ(out.cpu, (__u64)packet.hash * 4 >> 32);
		EXPECT_EQ(out.repeat, 0);
	}
	EXPECT_GT(policy_host_counter(ps->host, "away"), 0);
	ps_free(ps);
}
