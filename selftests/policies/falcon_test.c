// SPDX-License-Identifier: GPL-2.0-only
/* What falcon promises. */
#include <string.h>

#include "policy_packet_steering.h"
#include "policy_test.h"

/* Hashes all over the range, never 0. */
#define each_hash(hash)	(hash) = 0x00800001; (hash) < 0xff000000; (hash) += 0x01234567

/* Where a flow's packets go at stages 0 to @depth - 1. Return: how many CPUs that are. */
static unsigned int path(struct ps *ps, __u32 hash, unsigned int depth, __u32 *cpus)
{
	unsigned int stage, i, different = 0;

	for (stage = 0; stage < depth; stage++) {
		cpus[stage] = ps_ask(ps, .hash = hash, .stage = stage,
				     .cpu = stage ? cpus[stage - 1] : 0);
		for (i = 0; i < stage && cpus[i] != cpus[stage]; i++)
			;
		different += i == stage;
	}
	return different;
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

TEST(stages_share_no_cpu_while_there_are_enough)
{
	__u32 cpus[TIFFIN_PS_MAX_STAGES], hash;
	unsigned int n, depth;

	for (n = 1; n <= 16; n++)
		for (depth = 1; depth <= TIFFIN_PS_MAX_STAGES; depth++) {
			struct ps *ps = ps_new(POLICY, n);

			for (each_hash(hash))
				EXPECT_EQ(path(ps, hash, depth, cpus), least(n, depth));
			ps_free(ps);
		}
}

/* Also under load, once it knows how many stages there are. */
TEST(stages_share_no_cpu_under_any_load)
{
	__u32 cpus[TIFFIN_PS_MAX_STAGES], hash;
	unsigned int n, depth, round, i;

	for (n = 1; n <= 16; n++)
		for (depth = 1; depth <= 4; depth++) {
			struct ps *ps = ps_new(POLICY, n);

			path(ps, 1, depth, cpus);
			for (round = 0; round < 20; round++) {
				for (i = 0; i < n; i++)
					ps->cpu[i].load = test_random() % 1001;
				ps->now_ns += 100000000;
				for (each_hash(hash))
					EXPECT_EQ(path(ps, hash, depth, cpus), least(n, depth));
			}
			ps_free(ps);
		}
}

TEST(flows_use_all_cpus)
{
	struct ps *ps = ps_new(POLICY, 8);
	unsigned int packets[8] = { 0 }, i;
	__u32 hash;

	for (each_hash(hash))
		packets[ps_ask(ps, .hash = hash)]++;
	for (i = 0; i < 8; i++)
		EXPECT_GT(packets[i], 0);
	ps_free(ps);
}

TEST(only_usable_cpus)
{
	struct ps *ps = ps_new(POLICY, 8);
	__u32 cpus[4], hash;
	unsigned int i;

	for (i = 0; i < 8; i++)
		ps_usable(ps, i, i == 2 || i == 3 || i == 6);
	for (each_hash(hash))
		EXPECT_EQ(path(ps, hash, 3, cpus), 3);
	ps_free(ps);
}

TEST(second_choice_where_the_first_is_overloaded)
{
	struct ps *ps = ps_new(POLICY, 8);
	__u32 first = ps_ask(ps, .hash = 77), other;

	ps->now_ns += 1000000000;
	ps->cpu[first].load = 849;
	EXPECT_EQ(ps_ask(ps, .hash = 77), first);
	ps->cpu[first].load = 850;
	other = ps_ask(ps, .hash = 77);
	EXPECT_NE(other, first);
	EXPECT_EQ(policy_host_counter(ps->host, "changed"), 1);
	EXPECT_EQ(policy_host_counter(ps->host, "second"), 1);

	/* Its load follows it: it stays for a while, then only goes back to a CPU clearly idler. */
	ps->cpu[first].load = 0;
	ps->cpu[other].load = 900;
	EXPECT_EQ(ps_ask(ps, .hash = 77), other);
	ps->now_ns += 1000000000;
	ps->cpu[first].load = 800;
	EXPECT_EQ(ps_ask(ps, .hash = 77), other);
	ps->cpu[first].load = 775;
	EXPECT_EQ(ps_ask(ps, .hash = 77), first);
	ps_free(ps);
}

TEST(no_change_where_all_are_overloaded)
{
	struct ps *ps = ps_new(POLICY, 8);
	__u32 first = ps_ask(ps, .hash = 77);
	unsigned int i;

	for (i = 0; i < 8; i++)
		ps->cpu[i].load = 1000;
	ps->now_ns += 1000000000;
	EXPECT_EQ(ps_ask(ps, .hash = 77), first);
	EXPECT_EQ(policy_host_counter(ps->host, "changed"), 0);
	ps_free(ps);
}

TEST(at_most_one_change_in_settle_us)
{
	struct ps *ps = ps_new(POLICY, 8);
	unsigned int i;

	EXPECT_EQ(policy_host_set(ps->host, "settle_us", 1000), 0);
	for (i = 0; i < 10000; i++) {
		ps->cpu[test_random() % 8].load = test_random() % 1001;
		ps->now_ns += 10000;
		ps_ask(ps, .hash = 77);
	}
	EXPECT_GT(policy_host_counter(ps->host, "changed"), 1);
	EXPECT_LE(policy_host_counter(ps->host, "changed"), 10000 * 10000 / 1000000);
	ps_free(ps);
}

/* Its load follows a flow: how often does it change where it may every millisecond? */
static long long changes(struct ps *ps, unsigned int milliseconds)
{
	long long before = policy_host_counter(ps->host, "changed");
	unsigned int i, cpu;

	for (i = 0; i < milliseconds; i++) {
		cpu = ps_ask(ps, .hash = 77);
		memset(ps->cpu, 0, sizeof(ps->cpu));
		for (unsigned int c = 0; c < 8; c++)
			ps_usable(ps, c, true);
		ps->cpu[cpu].load = 1000;
		ps->now_ns += 1000000;
	}
	return policy_host_counter(ps->host, "changed") - before;
}

TEST(a_restless_flow_settles_for_longer)
{
	struct ps *ps = ps_new(POLICY, 8);

	EXPECT_EQ(policy_host_set(ps->host, "settle_us", 1000), 0);
	ps->now_ns += 1000000000;
	/* After 1, 2, 4, ... 64, 64, 64, 64 ms. */
	EXPECT_EQ(changes(ps, 1 + 128 + 4 * 64), 8 + 4);
	/* One that was at peace changes as quickly as in the beginning. */
	ps->now_ns += 1000000000;
	EXPECT_EQ(changes(ps, 8), 4);
	ps_free(ps);
}

/* Has the flow 77 go to its second choice, and no CPU busy after that. Return: that CPU. */
static __u32 to_second_choice(struct ps *ps)
{
	__u32 first = ps_ask(ps, .hash = 77), second;

	ps->now_ns += 1000000000;
	ps->cpu[first].load = 1000;
	second = ps_ask(ps, .hash = 77);
	EXPECT_NE(second, first);
	ps->cpu[first].load = 0;
	return second;
}

/* A flow that version 1.0 has on its second choice stays there, for as long as it would have. */
TEST(flows_of_version_1_0_are_carried_on)
{
	struct ps *ps = ps_new(policy_named("falcon_1_0"), 8);
	__u32 first = ps_ask(ps, .hash = 77), second = to_second_choice(ps);

	ps->cpu[second].load = 1000;
	ps->now_ns += 49000000;
	EXPECT_EQ(ps_ask(ps, .hash = 77), second);
	ps_swap(ps, POLICY);
	/* falcon knows it, so that it does not settle anew. */
	EXPECT_EQ(ps_ask(ps, .hash = 77, .heat = 1000), second);
	ps->now_ns += 1000000;
	EXPECT_EQ(ps_ask(ps, .hash = 77, .heat = 1000), first);

	/* There is no way back but through what the host knows: it keeps the lane. */
	ps_swap(ps, policy_named("falcon_1_0"));
	EXPECT_EQ(ps_ask(ps, .hash = 77), first);
	ps_free(ps);
}

TEST(one_cpu_for_a_flow_where_all_are_busy)
{
	struct ps *ps = ps_new(POLICY, 8);
	__u32 cpus[4], hash;
	unsigned int i;

	EXPECT_EQ(policy_host_set(ps->host, "off_above", 800), 0);
	for (i = 0; i < 8; i++)
		ps->cpu[i].load = 801;
	for (each_hash(hash)) {
		EXPECT_EQ(path(ps, hash, 4, cpus), 1);
		ps->now_ns += 20000000;
	}
	/* And split again when there is room. */
	ps->cpu[3].load = 0;
	for (each_hash(hash)) {
		EXPECT_EQ(path(ps, hash, 4, cpus), 4);
		ps->now_ns += 20000000;
	}
	ps_free(ps);
}

TEST(a_flow_that_is_on_its_second_choice_stays)
{
	struct ps *ps = ps_new(POLICY, 8);
	__u32 second = to_second_choice(ps);

	/* Through a policy that has no such store: only the host knows where the flow is. */
	ps_swap(ps, policy_named("stay"));
	ps_swap(ps, POLICY);
	EXPECT_EQ(ps_ask(ps, .hash = 77), second);
	ps_free(ps);
}

/* falcon -> hash -> falcon: hash moves all flows, and what falcon had of each goes through it. */
TEST(choices_survive_hash)
{
	__u32 before[TIFFIN_PS_MAX_STAGES], after[TIFFIN_PS_MAX_STAGES], hash;
	struct ps *ps = ps_new(POLICY, 8);
	unsigned int i, second = 0;

	for (each_hash(hash))
		path(ps, hash, 4, before);
	/* Each flow at a stage has one choice on an even CPU, and the other one on an odd CPU. */
	ps->now_ns += 1000000000;
	for (i = 0; i < 8; i += 2)
		ps->cpu[i].load = 1000;
	for (each_hash(hash)) {
		path(ps, hash, 4, before);
		second += policy_host_counter(ps->host, "changed") > 0;
		ps_swap(ps, policy_named("hash"));
		EXPECT_EQ(path(ps, hash, 4, after), 1);
		ps_swap(ps, POLICY);
		path(ps, hash, 4, after);
		EXPECT_EQ(memcmp(before, after, 4 * sizeof(*before)), 0);
		/* By what it knew, not as the load says the same again. */
		EXPECT_EQ(policy_host_counter(ps->host, "changed"), 0);
	}
	EXPECT_GT(second, 200);
	ps_free(ps);
}

/* A flow that begins under hash where falcon knew another one is none that falcon knows. */
TEST(what_is_gone_under_hash_leaves_nothing)
{
	struct ps *ps = ps_new(POLICY, 8);
	__u32 first = ps_ask(ps, .hash = 77), second = to_second_choice(ps);

	ps_swap(ps, policy_named("hash"));
	ps_ask(ps, .hash = 77);
	ps_swap(ps, POLICY);
	EXPECT_EQ(ps_ask(ps, .hash = 77), second);
	ps_swap(ps, policy_named("hash"));
	ps->now_ns += PS_FORGET_NS;
	ps_ask(ps, .hash = 77);
	ps_swap(ps, POLICY);
	EXPECT_EQ(ps_ask(ps, .hash = 77), first);
	ps_free(ps);
}

/* One that both had settles as well: it is hash's load that is seen after the swap. */
TEST(a_flow_that_falcon_knows_settles_after_a_swap)
{
	struct ps *ps = ps_new(POLICY, 8);
	__u32 first = ps_ask(ps, .hash = 77), second = to_second_choice(ps);

	ps_swap(ps, policy_named("hash"));
	ps->now_ns += 1000000000;
	ps_ask(ps, .hash = 77, .heat = 1000);
	ps_swap(ps, POLICY);
	ps->cpu[second].load = 1000;
	EXPECT_EQ(ps_ask(ps, .hash = 77, .heat = 1000), second);
	EXPECT_EQ(policy_host_counter(ps->host, "warm"), 1);
	ps->now_ns += 49999999;
	EXPECT_EQ(ps_ask(ps, .hash = 77, .heat = 1000), second);
	EXPECT_EQ(policy_host_counter(ps->host, "warm"), 1);
	ps->now_ns += 1;
	EXPECT_EQ(ps_ask(ps, .hash = 77, .heat = 1000), first);

	/* One that settles for longer goes on with that. */
	EXPECT_EQ(policy_host_set(ps->host, "settle_us", 1000000), 0);
	ps->now_ns += 5000000000;
	ps->cpu[second].load = 0;
	ps->cpu[first].load = 1000;
	EXPECT_EQ(ps_ask(ps, .hash = 77, .heat = 1000), second);
	ps_swap(ps, policy_named("hash"));
	ps_ask(ps, .hash = 77, .heat = 1000);
	ps_swap(ps, POLICY);
	ps->cpu[first].load = 0;
	ps->cpu[second].load = 1000;
	EXPECT_EQ(ps_ask(ps, .hash = 77, .heat = 1000), second);
	ps->now_ns += 999999999;
	EXPECT_EQ(ps_ask(ps, .hash = 77, .heat = 1000), second);
	ps->now_ns += 1;
	EXPECT_EQ(ps_ask(ps, .hash = 77, .heat = 1000), first);
	ps_free(ps);
}

/* Restless before hash, and long ago: it settles no longer than one that never was. */
TEST(a_streak_ends_under_hash)
{
	struct ps *ps = ps_new(POLICY, 8);
	__u32 first = ps_ask(ps, .hash = 77), second = to_second_choice(ps);
	__u32 on = second, other = first;
	unsigned int i;

	for (i = 0; i < 5; i++) {
		ps->cpu[on].load = 1000;
		ps->cpu[other].load = 0;
		while (ps_ask(ps, .hash = 77) == on)
			ps->now_ns += 50000000;
		on = other;
		other = first + second - on;
	}
	ps_swap(ps, policy_named("hash"));
	ps->now_ns += 5000000000;
	ps_ask(ps, .hash = 77, .heat = 1000);
	ps_swap(ps, POLICY);
	ps->cpu[on].load = 1000;
	ps->cpu[other].load = 0;
	EXPECT_EQ(ps_ask(ps, .hash = 77, .heat = 1000), on);
	ps->now_ns += 50000000;
	EXPECT_EQ(ps_ask(ps, .hash = 77, .heat = 1000), other);
	ps->cpu[on].load = 0;
	ps->cpu[other].load = 1000;
	ps->now_ns += 100000000;
	EXPECT_EQ(ps_ask(ps, .hash = 77, .heat = 1000), on);
	ps_free(ps);
}

/* So does one that both had while it was on its first choice; an idle one may change at once. */
TEST(a_flow_with_packets_settles_after_a_swap)
{
	const __u32 hot = 77, idle = 78;
	struct ps *ps = ps_new(POLICY, 8);
	__u32 first = ps_ask(ps, .hash = hot, .heat = 1000);

	EXPECT_EQ(policy_host_counter(ps->host, "warm"), 1);
	ps_swap(ps, policy_named("hash"));
	EXPECT_EQ(ps_ask(ps, .hash = hot, .heat = 1000), first);
	ps_swap(ps, POLICY);
	/* A sample of the load does not have the hot flow elsewhere at once. */
	ps->cpu[first].load = 1000;
	EXPECT_EQ(ps_ask(ps, .hash = hot, .heat = 1000), first);
	EXPECT_NE(ps_ask(ps, .hash = idle), first);
	EXPECT_EQ(policy_host_counter(ps->host, "warm"), 1);
	ps->now_ns += 49999999;
	EXPECT_EQ(ps_ask(ps, .hash = hot, .heat = 1000), first);
	ps->now_ns += 1;
	EXPECT_NE(ps_ask(ps, .hash = hot, .heat = 1000), first);
	ps_free(ps);
}

/* And where the host has it on its second choice, though hash was asked, it stays there. */
TEST(a_flow_that_hash_did_not_move_stays)
{
	struct ps *ps = ps_new(POLICY, 8);
	__u32 first = ps_ask(ps, .hash = 77), second = to_second_choice(ps);

	ps_swap(ps, policy_named("hash"));
	ps->now_ns += PS_FORGET_NS;
	EXPECT_EQ(ps_ask(ps, .hash = 77), first);
	/* The host's say: packets on their way, say, kept it there. */
	ps->flow[ps_flow(77, 0)].cpu = second;
	ps_swap(ps, POLICY);
	EXPECT_EQ(ps_ask(ps, .hash = 77), second);
	ps_free(ps);
}

/* The same flow at its first stage is where hash would have it: a swap between them moves less. */
TEST(first_stage_as_hash)
{
	struct ps *ps = ps_new(POLICY, 8);
	__u32 hash, cpu;

	for (each_hash(hash)) {
		cpu = ps_ask(ps, .hash = hash);
		ps_swap(ps, policy_named("hash"));
		EXPECT_EQ(ps_ask(ps, .hash = hash), cpu);
		ps_swap(ps, POLICY);
	}
	ps_free(ps);
}

TEST(an_answer_is_repeated_as_the_operator_says)
{
	struct ps *ps = ps_new(POLICY, 4);
	const struct tiffin_ps_in packet = { .hash = 77 };

	EXPECT_EQ(ps_decide(ps, &packet).repeat, 31);
	EXPECT_EQ(policy_host_set(ps->host, "repeat", 0), 0);
	EXPECT_EQ(ps_decide(ps, &packet).repeat, 0);
	ps_free(ps);
}
