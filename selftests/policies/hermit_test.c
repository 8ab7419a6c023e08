// SPDX-License-Identifier: GPL-2.0-only
/* What hermit promises. */
#include "policy_page_placement.h"
#include "policy_test.h"

#define MS	1000000ull

enum hermit_mode { BACKGROUND, WAKE, NONE };

/* The first page on the slow node. */
static unsigned int slow_page(const struct pp *pp)
{
	unsigned int page;

	for (page = 0; !pp->page[page].node; page++)
		;
	return page;
}

/* A tick, by which 100 ms cost the program so much, in 1/1000 of a CPU. Gives the mode. */
static enum hermit_mode tick(struct pp *pp, unsigned int promoted, unsigned int hints,
			     unsigned int wake)
{
	static const char *const counter[] = { "ticks_background", "ticks_wake", "ticks_none" };
	long long before[3];
	unsigned int i;

	for (i = 0; i < 3; i++)
		before[i] = policy_host_counter(pp->host, counter[i]);
	pp->now_ns += 100 * MS;
	pp->sum.promoted = promoted;
	pp->sum.hint_ns = hints * 100000ull;
	pp->sum.wake_ns = wake * 100000ull;
	pp_tick(pp);
	for (i = 0; i < 2; i++)
		if (policy_host_counter(pp->host, counter[i]) != before[i])
			break;
	return i;
}

/* How many ticks does it take to get there? At most @most. */
static unsigned int until(struct pp *pp, enum hermit_mode mode, unsigned int promoted,
			  unsigned int hints, unsigned int wake, unsigned int most)
{
	unsigned int n;

	for (n = 1; n <= most; n++)
		if (tick(pp, promoted, hints, wake) == mode)
			return n;
	return n;
}

static void promoted_in_wake(struct pp *pp, __u64 ns)
{
	unsigned int i;

	for (i = 0; i < 40; i++)
		pp_done(pp, slow_page(pp), &(struct tiffin_pp_done_in) {
			.direction = TIFFIN_PP_PROMOTE, .result = TIFFIN_PP_MOVED,
			.flags = TIFFIN_PP_IN_WAKE, .ns = ns, .unmapped_ns = ns,
		});
}

TEST(each_mode_answers_as_its_name_says)
{
	struct pp *pp = pp_new(POLICY, 32, 64);
	unsigned int page = slow_page(pp);

	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_HINT), TIFFIN_PP_KEEP);
	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_HINT), TIFFIN_PP_QUEUE);
	EXPECT_EQ(pp_plan(pp, page, TIFFIN_PP_PROMOTE).method, TIFFIN_PP_TRANSACTIONAL);
	EXPECT_EQ(until(pp, WAKE, 10, 1, 0, 100), 5);
	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_HINT), TIFFIN_PP_NOW);
	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_YOUNG), TIFFIN_PP_QUEUE);
	EXPECT_EQ(pp_plan(pp, page, TIFFIN_PP_PROMOTE).method, TIFFIN_PP_PLAIN);
	EXPECT_LE(until(pp, NONE, 0, 500, 0, 100), 20);
	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_HINT), TIFFIN_PP_KEEP);
	EXPECT_EQ(pp->asked.hint_pages, 2048 / 16);
	EXPECT_EQ(policy_host_counter(pp->host, "unanswered"), 1);
	pp_free(pp);
}

TEST(dear_moves_leave_the_wake)
{
	struct pp *pp = pp_new(POLICY, 32, 64);

	EXPECT_EQ(until(pp, WAKE, 10, 1, 0, 100), 5);
	promoted_in_wake(pp, 1000000);
	/* 20/1000 are the limit; what they save is far more. */
	EXPECT_EQ(until(pp, BACKGROUND, 1000, 1, 19, 50), 51);
	EXPECT_LE(until(pp, BACKGROUND, 1000, 1, 40, 50), 10);
	/* 100 promotions at 1 ms each: no, also when it has rested. */
	EXPECT_EQ(until(pp, WAKE, 100, 1, 0, 100), 101);
	/* 1 a tick: yes. */
	EXPECT_LE(until(pp, WAKE, 1, 1, 0, 10), 5);
	pp_free(pp);
}

TEST(a_short_burst_changes_nothing)
{
	struct pp *pp = pp_new(POLICY, 32, 64);
	unsigned int i;

	EXPECT_EQ(until(pp, WAKE, 10, 1, 0, 100), 5);
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(tick(pp, 10, 1, 60), WAKE);
		EXPECT_EQ(until(pp, BACKGROUND, 10, 1, 0, 9), 10);
	}
	EXPECT_EQ(policy_host_counter(pp->host, "changed"), 1);
	pp_free(pp);
}

TEST(what_saves_nothing_is_given_up)
{
	struct pp *pp = pp_new(POLICY, 32, 64);

	/* 100/1000 of a CPU for 1000 pages at 100 us in 100 ms: it saves ten times as much. */
	EXPECT_EQ(policy_host_set(pp->host, "rest_ms", 600000), 0);
	EXPECT_EQ(until(pp, NONE, 1000, 100, 0, 50), 51);
	/* For 50 pages: it saves half of it. */
	EXPECT_LE(until(pp, NONE, 50, 100, 0, 50), 25);
	pp_free(pp);
}

/* Pages that go back at once save nothing. */
TEST(chases_are_no_gain)
{
	struct pp *pp = pp_new(POLICY, 32, 64);
	unsigned int page = slow_page(pp), round, i;

	EXPECT_EQ(policy_host_set(pp->host, "wake_max", 1000000), 0);
	for (round = 0; round < 60; round++) {
		for (i = 0; i < 200; i++) {
			pp_move(pp, page, TIFFIN_PP_PROMOTE, false);
			pp_move(pp, page, TIFFIN_PP_DEMOTE, false);
		}
		pp->sum.unmapped_ns = 0;
		if (tick(pp, 200, 100, 0) == NONE)
			break;
	}
	EXPECT_LT(round, 30);
	EXPECT_GT(policy_host_counter(pp->host, "wasted"), 200);
	pp_free(pp);
}

/* Where pages are wasted only hotter ones are promoted from then on; and the other way. */
TEST(waste_raises_the_bar_and_peace_lowers_it)
{
	struct pp *pp = pp_new(POLICY, 32, 64);
	unsigned int page = slow_page(pp), i;

	pp->now_ns += 10000 * MS;
	EXPECT_EQ(pp_hint_after(pp, page, 400000), TIFFIN_PP_KEEP);
	EXPECT_EQ(pp_hint_after(pp, page, 1000001), TIFFIN_PP_KEEP);
	EXPECT_EQ(pp_hint_after(pp, page, 1000000), TIFFIN_PP_QUEUE);
	EXPECT_EQ(policy_host_counter(pp->host, "late"), 1);
	for (i = 0; i < 40; i++) {
		pp_move(pp, page, TIFFIN_PP_PROMOTE, false);
		pp_move(pp, page, TIFFIN_PP_DEMOTE, false);
	}
	tick(pp, 40, 0, 0);
	EXPECT_EQ(pp_hint_after(pp, page, 500001), TIFFIN_PP_KEEP);
	EXPECT_EQ(pp_hint_after(pp, page, 500000), TIFFIN_PP_QUEUE);
	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_YOUNG), TIFFIN_PP_KEEP);
	tick(pp, 0, 0, 0);
	EXPECT_EQ(pp_hint_after(pp, page, 1000000), TIFFIN_PP_QUEUE);
	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_YOUNG), TIFFIN_PP_QUEUE);
	pp_free(pp);
}

TEST(hints_that_lead_to_nothing_get_fewer)
{
	struct pp *pp = pp_new(POLICY, 32, 64);
	unsigned int i;

	for (i = 0; i < 7; i++) {
		pp->sum.slow_hints = 1000;
		tick(pp, 100, 0, 0);
		EXPECT_EQ(pp->asked.hint_pages, 2048 >> (i < 5 ? i + 1 : 5));
	}
	for (i = 0; i < 5; i++) {
		pp->sum.slow_hints = 1000;
		tick(pp, 400, 0, 0);
	}
	EXPECT_EQ(pp->asked.hint_pages, 2048);
	pp_free(pp);
}

TEST(a_rest_that_was_for_nothing_is_followed_by_a_longer_one)
{
	struct pp *pp = pp_new(POLICY, 32, 64);
	unsigned int i, last = 0, n;

	until(pp, NONE, 0, 500, 0, 100);
	for (i = 0; i < 6; i++) {
		n = until(pp, BACKGROUND, 0, 0, 0, 10000);
		EXPECT_GT(n, last + last / 2);
		last = n;
		EXPECT_LT(until(pp, NONE, 0, 500, 0, 100), 20);
	}
	EXPECT_GE(last, 20 << 5);
	EXPECT_LE(last, (20 << 6) + 5);
	pp_free(pp);
}

TEST(fewer_hints_the_fuller_the_queue)
{
	struct pp *pp = pp_new(POLICY, 32, 64);

	tick(pp, 0, 0, 0);
	EXPECT_EQ(pp->asked.hint_pages, 2048);
	pp->queued = PP_QUEUE / 4;
	tick(pp, 0, 0, 0);
	EXPECT_EQ(pp->asked.hint_pages, 2048 * 3 / 4);
	pp->queued = PP_QUEUE;
	tick(pp, 0, 0, 0);
	EXPECT_EQ(pp->asked.hint_pages, 0);
	pp->queued = 0;
	pp_free(pp);
}

TEST(cold_pages_leave_ahead_of_need)
{
	struct pp *pp = pp_new(POLICY, 256, 64);
	unsigned int i;

	/* 192 pages are free and nothing comes in. */
	pp->now_ns += 6000 * MS;
	EXPECT_EQ(pp_age(pp, 0), TIFFIN_PP_KEEP);
	/* 40 in each tick, from the slow node or from swap: ten ticks' worth is not free. */
	for (i = 0; i < 40; i++) {
		pp->sum.swap_ins = 20;
		tick(pp, 20, 0, 0);
	}
	EXPECT_EQ(pp_age(pp, 0), TIFFIN_PP_QUEUE);
	EXPECT_EQ(policy_host_counter(pp->host, "early"), 1);
	/* But not what is in use. */
	pp_access(pp, 0, TIFFIN_PP_YOUNG);
	EXPECT_EQ(pp_age(pp, 0), TIFFIN_PP_KEEP);
	EXPECT_EQ(policy_host_set(pp->host, "ahead", 0), 0);
	EXPECT_EQ(pp_age(pp, 1), TIFFIN_PP_KEEP);
	pp_free(pp);
}

/* The whole: a program, and a machine whose moves become dear and cheap again. */
TEST(the_mode_follows_the_cost_under_load)
{
	struct pp *pp = pp_new(POLICY, 128, 512);
	long long wake, none;

	EXPECT_EQ(policy_host_set(pp->host, "hint_pages", 32), 0);
	EXPECT_EQ(policy_host_set(pp->host, "scan_pages", 64), 0);
	pp_load(pp, 30, 200, 100);
	wake = policy_host_counter(pp->host, "ticks_wake");
	EXPECT_GT(wake, 15);
	/* A fault takes 1 ms now, and a copy 10. */
	pp->cost = (struct pp_cost) { .hint = 1000000, .copy = 10000000, .map = 1000000 };
	pp_load(pp, 20, 200, 100);
	wake = policy_host_counter(pp->host, "ticks_wake");
	none = policy_host_counter(pp->host, "ticks_none");
	pp_load(pp, 50, 200, 100);
	test_note("of 50 dear ticks %lld in the wake, %lld none",
		  policy_host_counter(pp->host, "ticks_wake") - wake,
		  policy_host_counter(pp->host, "ticks_none") - none);
	EXPECT_EQ(policy_host_counter(pp->host, "ticks_wake"), wake);
	EXPECT_GT(policy_host_counter(pp->host, "ticks_none"), none + 25);
	pp->cost = (struct pp_cost) { .hint = 1000, .copy = 1500, .map = 1000 };
	pp_load(pp, 600, 100, 100);
	EXPECT_GT(policy_host_counter(pp->host, "ticks_wake"), wake);
	pp_free(pp);
}

/*
 * A program of 512 pages, and a fast node that has room for 120 of them. All that is looked at
 * stands in proportion: each slow page is hinted once in some 3 s, each accessed bit read once in
 * 1 s.
 */
TEST(hot_pages_come_to_fast_memory)
{
	struct pp *pp = pp_new(POLICY, 128, 512);
	unsigned int before, after;

	EXPECT_EQ(policy_host_set(pp->host, "hint_pages", 16), 0);
	EXPECT_EQ(policy_host_set(pp->host, "scan_pages", 64), 0);
	EXPECT_EQ(policy_host_set(pp->host, "window_ms", 2000), 0);
	pp_load(pp, 10, 100, 100);
	before = pp_hits(pp);
	pp_load(pp, 300, 100, 100);
	pp_hits(pp);
	pp_load(pp, 50, 100, 100);
	after = pp_hits(pp);
	test_note("fast touches in 1/1000: %u before, %u after; %llu copies", before, after,
		  pp->copies);
	EXPECT_GT(after, before + 100);
	EXPECT_GE(pp->node[0].free, pp->node[0].wm_low);
	pp_free(pp);
}
