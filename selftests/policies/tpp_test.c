// SPDX-License-Identifier: GPL-2.0-only
/* What tpp promises. */
#include "policy_page_placement.h"
#include "policy_test.h"

#define MS	1000000ull

/* The first page on the slow node. */
static unsigned int slow_page(const struct pp *pp)
{
	unsigned int page;

	for (page = 0; !pp->page[page].node; page++)
		;
	return page;
}

TEST(the_second_hint_promotes)
{
	struct pp *pp = pp_new(POLICY, 32, 64);
	unsigned int page = slow_page(pp);

	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_HINT), TIFFIN_PP_KEEP);
	pp->now_ns += 5000 * MS;
	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_HINT), TIFFIN_PP_NOW);
	EXPECT_EQ(policy_host_counter(pp->host, "first"), 1);
	EXPECT_EQ(policy_host_counter(pp->host, "second"), 1);
	/* Another page in its place knows nothing of that. */
	pp_replace(pp, page, 1);
	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_HINT), TIFFIN_PP_KEEP);
	pp_free(pp);
}

TEST(a_hint_after_the_window_is_a_first_one)
{
	struct pp *pp = pp_new(POLICY, 32, 64);
	unsigned int page = slow_page(pp);

	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_HINT), TIFFIN_PP_KEEP);
	pp->now_ns += 5001 * MS;
	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_HINT), TIFFIN_PP_KEEP);
	EXPECT_EQ(policy_host_set(pp->host, "window_ms", 10000), 0);
	pp->now_ns += 5001 * MS;
	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_HINT), TIFFIN_PP_NOW);
	pp_free(pp);
}

/* An accessed bit is a first access, but moves nothing by itself. */
TEST(only_hints_promote)
{
	struct pp *pp = pp_new(POLICY, 32, 64);
	unsigned int page = slow_page(pp);

	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_YOUNG), TIFFIN_PP_KEEP);
	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_YOUNG), TIFFIN_PP_KEEP);
	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_HINT), TIFFIN_PP_NOW);
	/* Nor anything that is fast already. */
	EXPECT_EQ(pp_access(pp, 0, TIFFIN_PP_HINT), TIFFIN_PP_KEEP);
	EXPECT_EQ(pp_access(pp, 0, TIFFIN_PP_HINT), TIFFIN_PP_KEEP);
	pp_free(pp);
}

/* Where pages come back again and again, only hotter ones do from then on; and the other way. */
TEST(returns_raise_the_bar_and_peace_lowers_it)
{
	struct pp *pp = pp_new(POLICY, 32, 64);
	unsigned int page = slow_page(pp), i;

	pp->now_ns += 10000 * MS;
	EXPECT_EQ(pp_hint_after(pp, page, 400000), TIFFIN_PP_KEEP);
	EXPECT_EQ(pp_hint_after(pp, page, 1000001), TIFFIN_PP_KEEP);
	EXPECT_EQ(pp_hint_after(pp, page, 1000000), TIFFIN_PP_NOW);
	EXPECT_EQ(policy_host_counter(pp->host, "late"), 1);
	for (i = 0; i < 40; i++) {
		pp_move(pp, page, TIFFIN_PP_PROMOTE, true);
		pp_move(pp, page, TIFFIN_PP_DEMOTE, false);
	}
	pp->sum.promoted = 40;
	pp_tick(pp);
	EXPECT_EQ(pp_hint_after(pp, page, 500001), TIFFIN_PP_KEEP);
	EXPECT_EQ(pp_hint_after(pp, page, 500000), TIFFIN_PP_NOW);
	pp_tick(pp);
	EXPECT_EQ(pp_hint_after(pp, page, 1000000), TIFFIN_PP_NOW);
	pp_free(pp);
}

TEST(without_room_the_page_is_queued)
{
	struct pp *pp = pp_new(POLICY, 32, 64);
	unsigned int page = slow_page(pp);

	pp_access(pp, page, TIFFIN_PP_HINT);
	pp->node[0].free = pp->node[0].wm_low;
	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_HINT), TIFFIN_PP_QUEUE);
	pp->node[0].free++;
	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_HINT), TIFFIN_PP_NOW);
	pp->node[0].free = pp->node[0].wm_high;
	pp_free(pp);
}

TEST(hints_that_lead_to_nothing_get_fewer)
{
	struct pp *pp = pp_new(POLICY, 32, 64);
	unsigned int i;

	for (i = 0; i < 7; i++) {
		pp->sum.slow_hints = 1000;
		pp->sum.promoted = 100;
		pp_tick(pp);
		EXPECT_EQ(pp->asked.hint_pages, 2048 >> (i < 5 ? i + 1 : 5));
	}
	for (i = 0; i < 5; i++) {
		pp->sum.slow_hints = 1000;
		pp->sum.promoted = 400;
		pp_tick(pp);
	}
	EXPECT_EQ(pp->asked.hint_pages, 2048);
	pp_free(pp);
}

TEST(moves_are_plain_and_leave_nothing_behind)
{
	struct pp *pp = pp_new(POLICY, 32, 64);
	unsigned int page = slow_page(pp);

	EXPECT_EQ(pp_plan(pp, page, TIFFIN_PP_PROMOTE).method, TIFFIN_PP_PLAIN);
	EXPECT_EQ(pp_plan(pp, page, TIFFIN_PP_PROMOTE).flags, 0);
	EXPECT_EQ(pp_plan(pp, 0, TIFFIN_PP_DEMOTE).flags, 0);
	pp_free(pp);
}

static unsigned int named(const struct tiffin_pp_pressure_out *out, unsigned int i)
{
	return i < out->nr ? tiffin_handle_object(out->pages[i]) : ~0u;
}

TEST(the_cold_end_leaves_first)
{
	struct pp *pp = pp_new(POLICY, 32, 64);
	struct tiffin_pp_pressure_out out;
	unsigned int page;

	EXPECT_EQ(pp_pressure(pp, 0, 16, 0).nr, 0);
	for (page = 0; page < 8; page++)
		pp_access(pp, page, TIFFIN_PP_YOUNG);
	/* Touched again: it is spared, once. */
	pp_access(pp, 1, TIFFIN_PP_YOUNG);
	/* Never touched: first of all. */
	pp->now_ns += 1000 * MS;
	pp_age(pp, 20);
	out = pp_pressure(pp, 0, 3, 0);
	EXPECT_EQ(out.nr, 3);
	EXPECT_EQ(named(&out, 0), 20);
	EXPECT_EQ(named(&out, 1), 0);
	EXPECT_EQ(named(&out, 2), 2);
	EXPECT_EQ(policy_host_counter(pp->host, "spared"), 1);

	/* What was named stands in nobody's way, even where it could not be moved. */
	out = pp_pressure(pp, 0, 3, 1);
	EXPECT_EQ(named(&out, 0), 3);
	EXPECT_EQ(named(&out, 1), 4);
	EXPECT_EQ(named(&out, 2), 5);
	pp_free(pp);
}

TEST(idle_pages_lose_their_second_chance)
{
	struct pp *pp = pp_new(POLICY, 32, 64);
	struct tiffin_pp_pressure_out out;

	pp_access(pp, 4, TIFFIN_PP_YOUNG);
	pp_access(pp, 4, TIFFIN_PP_YOUNG);
	pp_access(pp, 5, TIFFIN_PP_YOUNG);
	pp_age(pp, 4);
	out = pp_pressure(pp, 0, 1, 0);
	EXPECT_EQ(named(&out, 0), 4);
	pp_free(pp);
}

/* All of them touched: some have to go all the same, and each answer takes a bounded time. */
TEST(pressure_is_always_answered)
{
	struct pp *pp = pp_new(POLICY, 512, 512);
	unsigned int page, round;

	for (page = 0; page < 400; page++) {
		pp_access(pp, page, TIFFIN_PP_YOUNG);
		pp_access(pp, page, TIFFIN_PP_YOUNG);
	}
	for (round = 0; round < 10; round++)
		EXPECT_EQ(pp_pressure(pp, 0, 100, round).nr, TIFFIN_PP_BATCH);
	EXPECT_GT(policy_host_counter(pp->host, "spared"), 0);
	pp_free(pp);
}

TEST(a_promoted_page_can_be_demoted_and_a_demoted_one_not)
{
	struct pp *pp = pp_new(POLICY, 32, 64);
	struct tiffin_pp_pressure_out out;
	unsigned int page = slow_page(pp);

	EXPECT_EQ(pp_move(pp, page, TIFFIN_PP_PROMOTE, true), TIFFIN_PP_MOVED);
	/* It has a second chance, which goes by with the first round. */
	out = pp_pressure(pp, 0, 1, 0);
	EXPECT_EQ(out.nr, 0);
	out = pp_pressure(pp, 0, 1, 1);
	EXPECT_EQ(named(&out, 0), page);
	EXPECT_EQ(pp_move(pp, page, TIFFIN_PP_DEMOTE, false), TIFFIN_PP_MOVED);
	EXPECT_EQ(pp_pressure(pp, 0, 1, 2).nr, 0);
	EXPECT_EQ(policy_host_counter(pp->host, "returned"), 0);
	pp_move(pp, page, TIFFIN_PP_PROMOTE, true);
	EXPECT_EQ(policy_host_counter(pp->host, "returned"), 1);
	pp_free(pp);
}

/* Records and clocks are the same bytes in both: nothing is learned anew. */
TEST(goes_on_where_hermit_was)
{
	struct pp *pp = pp_new(policy_named("hermit"), 32, 64);
	unsigned int page = slow_page(pp);
	struct tiffin_pp_pressure_out out;

	pp_access(pp, 3, TIFFIN_PP_YOUNG);
	pp_access(pp, page, TIFFIN_PP_HINT);
	pp_swap(pp, POLICY);
	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_HINT), TIFFIN_PP_NOW);
	EXPECT_EQ(policy_host_counter(pp->host, "second"), 1);
	out = pp_pressure(pp, 0, 1, 0);
	EXPECT_EQ(named(&out, 0), 3);
	pp_free(pp);
}

/* Of nomad's records it knows nothing, but of the page's heat. */
TEST(starts_warm_after_nomad)
{
	struct pp *pp = pp_new(policy_named("nomad"), 32, 64);
	unsigned int hot = slow_page(pp), cold = hot + 1;

	pp_access(pp, hot, TIFFIN_PP_HINT);
	pp_access(pp, hot, TIFFIN_PP_YOUNG);
	pp_swap(pp, POLICY);
	EXPECT_EQ(pp_access(pp, cold, TIFFIN_PP_HINT), TIFFIN_PP_KEEP);
	EXPECT_EQ(pp_access(pp, hot, TIFFIN_PP_HINT), TIFFIN_PP_NOW);
	EXPECT_EQ(policy_host_counter(pp->host, "warm"), 1);
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
	EXPECT_GT(after, before + 150);
	EXPECT_GE(pp->node[0].free, pp->node[0].wm_low);
	EXPECT_EQ(pp->node[1].shadows, 0);
	pp_free(pp);
}
