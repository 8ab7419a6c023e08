// SPDX-License-Identifier: GPL-2.0-only
/* What nomad promises. */
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

TEST(a_candidate_that_is_touched_again_is_queued)
{
	struct pp *pp = pp_new(POLICY, 32, 64);
	unsigned int page = slow_page(pp);

	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_HINT), TIFFIN_PP_KEEP);
	/* One fault is enough: the accessed bit tells the rest. */
	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_YOUNG), TIFFIN_PP_QUEUE);
	pp->page[page].queued = true;
	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_HINT), TIFFIN_PP_KEEP);
	pp->page[page].queued = false;
	pp->now_ns += 5001 * MS;
	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_HINT), TIFFIN_PP_KEEP);
	EXPECT_EQ(policy_host_counter(pp->host, "candidate"), 2);
	EXPECT_EQ(policy_host_counter(pp->host, "proved"), 1);
	pp_free(pp);
}

TEST(moves_are_transactions_and_keep_shadows)
{
	struct pp *pp = pp_new(POLICY, 32, 64);
	unsigned int page = slow_page(pp);
	struct tiffin_pp_plan_out plan = pp_plan(pp, page, TIFFIN_PP_PROMOTE);

	EXPECT_EQ(plan.method, TIFFIN_PP_TRANSACTIONAL);
	EXPECT_EQ(plan.flags, TIFFIN_PP_KEEP_SHADOW);
	plan = pp_plan(pp, 0, TIFFIN_PP_DEMOTE);
	EXPECT_EQ(plan.method, TIFFIN_PP_TRANSACTIONAL);
	EXPECT_EQ(plan.flags, TIFFIN_PP_USE_SHADOW);

	EXPECT_EQ(pp_move(pp, page, TIFFIN_PP_PROMOTE, false), TIFFIN_PP_MOVED);
	EXPECT_EQ(pp_move(pp, page, TIFFIN_PP_DEMOTE, false), TIFFIN_PP_REMAPPED);
	EXPECT_EQ(pp_move(pp, page, TIFFIN_PP_PROMOTE, false), TIFFIN_PP_MOVED);
	pp_touch(pp, page, true);
	EXPECT_EQ(pp_move(pp, page, TIFFIN_PP_DEMOTE, false), TIFFIN_PP_MOVED);
	EXPECT_EQ(pp->waits, 0);
	EXPECT_EQ(policy_host_counter(pp->host, "back"), 2);
	EXPECT_EQ(policy_host_counter(pp->host, "back_copied"), 1);
	pp_free(pp);
}

TEST(a_page_that_went_cold_in_the_queue_stays)
{
	struct pp *pp = pp_new(POLICY, 32, 64);
	unsigned int page = slow_page(pp);

	pp_access(pp, page, TIFFIN_PP_HINT);
	pp->now_ns += 5000 * MS;
	EXPECT_EQ(pp_plan(pp, page, TIFFIN_PP_PROMOTE).flags, TIFFIN_PP_KEEP_SHADOW);
	pp->now_ns += MS;
	EXPECT_EQ(pp_plan(pp, page, TIFFIN_PP_PROMOTE).flags, TIFFIN_PP_CANCEL);
	EXPECT_EQ(policy_host_counter(pp->host, "cooled"), 1);
	pp_free(pp);
}

/* Nothing is known of the page but that it was touched soon after it was marked. */
TEST(a_hint_that_comes_soon_is_proof_enough)
{
	struct pp *pp = pp_new(POLICY, 32, 64);
	unsigned int page = slow_page(pp);

	pp->now_ns += 10000 * MS;
	EXPECT_EQ(pp_hint_after(pp, page, 500001), TIFFIN_PP_KEEP);
	EXPECT_EQ(pp_hint_after(pp, page + 1, 500000), TIFFIN_PP_QUEUE);
	pp_free(pp);
}

/* Fast memory is full of pages that are touched, one of them hotter than the others. */
TEST(a_page_moves_only_where_a_colder_one_leaves)
{
	struct pp *pp = pp_new(POLICY, 32, 64);
	unsigned int page = slow_page(pp), hot = page + 1, i;
	struct tiffin_pp_pressure_out out;

	pp->now_ns += 10000 * MS;
	EXPECT_EQ(pp_hint_after(pp, hot, 1), TIFFIN_PP_QUEUE);
	EXPECT_EQ(pp_move(pp, hot, TIFFIN_PP_PROMOTE, false), TIFFIN_PP_MOVED);
	for (i = 0; i < 20; i++) {
		pp_access(pp, i, TIFFIN_PP_YOUNG);
		pp_access(pp, i, TIFFIN_PP_YOUNG);
	}
	/* Nothing has had to leave yet: two accesses are enough. */
	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_YOUNG), TIFFIN_PP_KEEP);
	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_YOUNG), TIFFIN_PP_QUEUE);
	out = pp_pressure(pp, 0, 16, 0);
	EXPECT_EQ(out.nr, 16);
	for (i = 0; i < 16; i++)
		EXPECT_NE(tiffin_handle_object(out.pages[i]), hot);
	/* What left had been touched, too. */
	EXPECT_EQ(pp_plan(pp, page, TIFFIN_PP_PROMOTE).flags, TIFFIN_PP_CANCEL);
	EXPECT_EQ(pp_access(pp, page, TIFFIN_PP_YOUNG), TIFFIN_PP_KEEP);
	EXPECT_EQ(pp_hint_after(pp, page, 600000), TIFFIN_PP_KEEP);
	EXPECT_EQ(pp_hint_after(pp, page, 400000), TIFFIN_PP_QUEUE);
	EXPECT_EQ(policy_host_counter(pp->host, "no_better"), 3);
	pp_free(pp);
}

/* Milliseconds until an access promotes the page again; at most @most. */
static unsigned int rest(struct pp *pp, unsigned int page, unsigned int most)
{
	unsigned int ms;

	for (ms = 0; ms <= most; ms += 100, pp->now_ns += 100 * MS)
		if (pp_access(pp, page, TIFFIN_PP_YOUNG) == TIFFIN_PP_QUEUE)
			return ms;
	return ms;
}

TEST(a_page_written_again_and_again_waits_longer_each_time)
{
	struct pp *pp = pp_new(POLICY, 32, 64);
	unsigned int page = slow_page(pp), i;

	pp->page[page].writing = true;
	pp_access(pp, page, TIFFIN_PP_YOUNG);
	for (i = 1; i <= 8; i++) {
		EXPECT_EQ(pp_move(pp, page, TIFFIN_PP_PROMOTE, false), TIFFIN_PP_WRITTEN);
		EXPECT_EQ(rest(pp, page, 100000), 1000 << (i < 6 ? i : 6));
	}
	EXPECT_GT(policy_host_counter(pp->host, "backed_off"), 0);
	/* Once it is moved all is forgotten. */
	pp->page[page].writing = false;
	EXPECT_EQ(pp_move(pp, page, TIFFIN_PP_PROMOTE, false), TIFFIN_PP_MOVED);
	EXPECT_EQ(pp_move(pp, page, TIFFIN_PP_DEMOTE, false), TIFFIN_PP_REMAPPED);
	EXPECT_EQ(rest(pp, page, 100000), 0);
	pp_free(pp);
}

TEST(shadows_are_given_up_many_at_a_time)
{
	struct pp *pp = pp_new(POLICY, 32, 64);

	pp->node[1].shadows = 100;
	EXPECT_EQ(pp_reclaim(pp, 1, 3), 30);
	EXPECT_EQ(pp_reclaim(pp, 1, 16), 100);
	pp->node[1].shadows = 0;
	pp_free(pp);
}

/*
 * The warm start: what tpp has seen of a page is in tpp's records, which nomad can't read. Its heat
 * is the host's.
 */
TEST(a_page_that_was_hot_under_tpp_is_promoted_at_its_first_hint)
{
	struct pp *pp = pp_new(policy_named("tpp"), 32, 64);
	unsigned int hot = slow_page(pp), lukewarm = hot + 1, cold = hot + 2, i;
	struct tiffin_pp_pressure_out out;

	pp_access(pp, lukewarm, TIFFIN_PP_YOUNG);
	pp->now_ns += 5000 * MS;
	for (i = 0; i < 3; i++) {
		pp_access(pp, hot, TIFFIN_PP_YOUNG);
		pp->now_ns += 500 * MS;
	}
	pp_access(pp, 5, TIFFIN_PP_YOUNG);
	pp_swap(pp, POLICY);
	EXPECT_EQ(pp_access(pp, cold, TIFFIN_PP_HINT), TIFFIN_PP_KEEP);
	EXPECT_EQ(pp_access(pp, lukewarm, TIFFIN_PP_HINT), TIFFIN_PP_KEEP);
	EXPECT_EQ(pp_access(pp, hot, TIFFIN_PP_HINT), TIFFIN_PP_QUEUE);
	EXPECT_EQ(policy_host_counter(pp->host, "warm"), 1);
	/* The clocks are the same bytes in both. */
	out = pp_pressure(pp, 0, 1, 0);
	EXPECT_EQ(out.nr, 1);
	EXPECT_EQ(tiffin_handle_object(out.pages[0]), 5);
	pp_free(pp);

	/* The same hint where nothing is known of the page. */
	pp = pp_new(POLICY, 32, 64);
	EXPECT_EQ(pp_access(pp, hot, TIFFIN_PP_HINT), TIFFIN_PP_KEEP);
	EXPECT_EQ(policy_host_counter(pp->host, "warm"), 0);
	pp_free(pp);
}

/* What is promoted right after a swap from tpp, and what by one that begins with nothing. */
TEST(the_warm_start_shows_under_load)
{
	struct pp *warm = pp_new(policy_named("tpp"), 128, 512);
	struct pp *cold = pp_new(POLICY, 128, 512);
	unsigned int i;

	/* tpp sees what is hot, and moves nothing. */
	EXPECT_EQ(policy_host_set(warm->host, "hint_pages", 0), 0);
	pp_load(warm, 30, 2000, 0);
	EXPECT_EQ(warm->copies, 0);
	pp_swap(warm, POLICY);
	for (i = 0; i < 2; i++) {
		struct pp *pp = i ? cold : warm;

		pp_tick(pp);
		pp_load(pp, 1, 2000, 0);
	}
	test_note("promoted at once: %llu warm, %llu cold", warm->copies, cold->copies);
	EXPECT_GT(warm->copies, 20);
	EXPECT_EQ(cold->copies, 0);
	pp_free(warm);
	pp_free(cold);
}

/* One written page in 16; the hot ones do not fit, so that pages go both ways all the time. */
TEST(nobody_waits_for_a_copy_and_clean_pages_go_back_without_one)
{
	struct pp *pp = pp_new(POLICY, 128, 512);
	unsigned long long all = 0;
	unsigned int pass, i;

	EXPECT_EQ(policy_host_set(pp->host, "chase_limit", 1000), 0);
	for (pass = 0; pass < 20; pass++) {
		for (i = 0; i < 1000; i++) {
			unsigned int page = test_random() % 512;

			pp_touch(pp, page, !(page % 16));
		}
		pp_pass(pp);
	}
	for (i = 0; i < 512; i++)
		all += pp->page[i].demoted;
	test_note("%llu demoted, %llu of them without a copy", all, pp->remaps);
	EXPECT_GT(all, 500);
	EXPECT_GE(pp->remaps * 10, all * 8);
	EXPECT_EQ(pp->waits, 0);
	pp_free(pp);
}

/* Pages touched at random, many more than fit: promotion is no use, and is throttled. */
TEST(thrash_is_throttled_and_the_throttle_opens_again)
{
	struct pp *pp = pp_new(POLICY, 128, 512);
	unsigned int pass, i;

	pp_tick(pp);
	EXPECT_EQ(pp->asked.promote_max, 2048);
	EXPECT_EQ(pp->asked.hint_pages, 2048);
	EXPECT_EQ(policy_host_set(pp->host, "scan_pages", 64), 0);
	for (pass = 0; pass < 60; pass++) {
		for (i = 0; i < 300; i++)
			pp_touch(pp, test_random() % 512, false);
		pp_pass(pp);
	}
	EXPECT_GT(policy_host_counter(pp->host, "chased"), 100);
	EXPECT_EQ(pp->asked.promote_max, 2048 >> 5);
	EXPECT_EQ(pp->asked.hint_pages, 2048 >> 3);
	for (pass = 0; pass < 70; pass++)
		pp_pass(pp);
	EXPECT_EQ(pp->asked.promote_max, 2048);
	EXPECT_EQ(pp->asked.hint_pages, 2048);
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
	EXPECT_GT(after, before + 130);
	EXPECT_GE(pp->node[0].free, pp->node[0].wm_low);
	EXPECT_EQ(pp->waits, 0);
	pp_free(pp);
}
