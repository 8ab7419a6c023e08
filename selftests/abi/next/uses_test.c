// SPDX-License-Identifier: GPL-2.0-only
/* What the policy uses does, before it was carried over and after. */
#include "policy_packet_steering.h"
#include "policy_test.h"

TEST(it_starts_once)
{
	struct ps *ps = ps_new(POLICY, 4);

	EXPECT_EQ(policy_host_counter(ps->host, "started"), 1);
	ps_free(ps);
}

TEST(each_way_to_force)
{
	static const int forced[5][2] = { { 1, 1 }, { 1, 1 }, { 0, 0 }, { 0, 1 }, { 0, 0 } };
	__u32 stage;
	int way;

	for (way = 0; way < 5; way++)
		for (stage = 0; stage < 2; stage++) {
			struct ps *ps = ps_new(POLICY, 4);

			policy_host_set(ps->host, "force", way);
			EXPECT_EQ(ps_ask(ps, .hash = 4, .stage = stage), stage);
			EXPECT_EQ(policy_host_counter(ps->host, "forced"), forced[way][stage]);
			ps_free(ps);
		}
}

TEST(each_way_to_read_the_load)
{
	struct ps *ps = ps_new(POLICY, 4);

	ps->cpu[0].load = 7;
	ps->cpu[1].load = 900;
	ps_ask(ps, .hash = 1);
	EXPECT_EQ(policy_host_counter(ps->host, "loads"), 7 * 7);
	ps_free(ps);
}

TEST(a_flow_stays)
{
	struct ps *ps = ps_new(POLICY, 4);

	EXPECT_EQ(ps_ask(ps, .hash = 6), 2);
	ps_usable(ps, 0, false);
	EXPECT_EQ(ps_ask(ps, .hash = 6), 2);
	EXPECT_EQ(policy_host_counter(ps->host, "kept"), 1);
	ps_free(ps);
}
