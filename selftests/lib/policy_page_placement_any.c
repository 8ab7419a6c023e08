// SPDX-License-Identifier: GPL-2.0-only
/* What must hold for any policy of page_placement, whatever it decides. */
#include <string.h>

#include "policy_page_placement.h"
#include "policy_test.h"

TEST(any_descriptor)
{
	const char *wrong = policy_check(POLICY);

	if (wrong)
		policy_fault("%s", wrong);
}

/* A machine of @tiers nodes, each slower than the one before; 1: nothing can be moved. */
static struct pp *machine(const struct tiffin_policy *policy, unsigned int tiers)
{
	struct pp *pp = pp_new(policy, 32, 64);
	unsigned int i;

	for (i = 1; i < tiers; i++) {
		pp->node[i] = pp->node[1];
		pp->node[i].tier = i;
		pp->node[i].faster = i - 1;
		pp->node[i].wm_low = i % 2 ? 0 : 8;
		pp->node[i].wm_high = i % 2 ? 0 : 16;
		pp->node[i].slower = i + 1 < tiers ? i + 1 : TIFFIN_PP_NO_NODE;
	}
	if (tiers == 1) {
		pp->node[0].slower = TIFFIN_PP_NO_NODE;
		pp->node[1].flags = 0;
	}
	pp->nr_nodes = tiers < 2 ? 2 : tiers;
	return pp;
}

/* Any question in any order. */
static void question(struct pp *pp)
{
	const unsigned int page = test_random() % pp->nr_pages;
	const unsigned int direction = test_random() % 2;
	struct pp_page_state *p = &pp->page[page];

	pp->cpu = test_random() % PP_CPUS;
	switch (test_random() % 12) {
	case 0 ... 2:
		pp_access(pp, page, test_random() % 3);
		break;
	case 3:
		pp_age(pp, page);
		break;
	case 4:
		pp_pressure(pp, test_random() % pp->nr_nodes, 1 + test_random() % 40,
			    test_random() % 4);
		break;
	case 5:
		if (pp->node[p->node].faster != TIFFIN_PP_NO_NODE)
			pp_plan(pp, page, TIFFIN_PP_PROMOTE);
		break;
	case 6:
		pp_done(pp, page, &(struct tiffin_pp_done_in) {
			.direction = direction, .result = test_random() % 9,
			.flags = test_random() % 2, .ns = test_random(),
			.unmapped_ns = test_random(),
		});
		break;
	case 7:
		pp_reclaim(pp, test_random() % pp->nr_nodes, 1 + test_random() % 1000);
		break;
	case 8:
		pp->sum.promoted = test_random() % 3 ? 0 : test_random();
		pp->sum.hint_ns = (__u64)test_random() << test_random() % 32;
		pp->sum.wake_ns = (__u64)test_random() << test_random() % 32;
		pp->sum.elapsed_ms = test_random() % 200;
		pp_tick(pp);
		break;
	case 9:
		pp_replace(pp, page, test_random() % pp->nr_nodes);
		break;
	case 10:
		p->writing = test_random() % 2;
		p->queued = false;
		p->aborted = test_random() % 100;
		p->pinned = !(test_random() % 8);
		break;
	default:
		pp->now_ns += test_random();
		break;
	}
}

/* Questions in any order, and a program now and then. */
static void storm(struct pp *pp, unsigned int questions, void (*before)(struct pp *pp))
{
	while (questions--) {
		if (before)
			before(pp);
		question(pp);
		pp_touch(pp, test_random() % pp->nr_pages, !(test_random() % 4));
		if (!(questions % 100))
			pp_pass(pp);
	}
}

TEST(any_answers_are_good)
{
	unsigned int tiers;

	for (tiers = 1; tiers <= PP_MAX_NODES; tiers++) {
		struct pp *pp = machine(POLICY, tiers);

		storm(pp, 3000, NULL);
		pp_free(pp);
	}
}

/* Other calls have the lists each time that one asks for them, or often. */
TEST(any_busy_lists_are_accepted)
{
	unsigned int every;

	for (every = 1; every <= 7; every++) {
		struct pp *pp = machine(POLICY, 3);

		policy_host_busy(pp->host, every);
		storm(pp, 2000, NULL);
		pp_free(pp);
	}
}

/* A policy must accept any bytes that it finds in its records. */
static void scramble(struct pp *pp)
{
	unsigned int i;

	for (i = 0; i < POLICY->nr_stores; i++) {
		const struct tiffin_store *s =
			(const void *)((const char *)POLICY->stores + i * POLICY->store_stride);
		unsigned int record = test_random() % pp->nr_pages, byte;
		unsigned char *data;

		if (s->kind == TIFFIN_STORE_INSTANCE)
			record = 0;
		else if (s->kind == TIFFIN_STORE_PER_CPU)
			record %= PP_CPUS;
		data = policy_host_record(pp->host, s->kind, record);
		for (byte = 0; data && byte < s->record_size; byte++)
			data[byte] = test_random() % 3 ? test_random() : 0xff;
	}
}

TEST(any_bytes_are_accepted)
{
	unsigned int tiers;

	for (tiers = 1; tiers <= 4; tiers++) {
		struct pp *pp = machine(POLICY, tiers);

		storm(pp, 3000, scramble);
		pp_free(pp);
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
			struct pp *pp = machine(POLICY, 2);

			EXPECT_EQ(policy_host_set(pp->host, t->name, value[which]), 0);
			storm(pp, 500, NULL);
			pp_free(pp);
		}
	}
}

/* To another instance of itself; and with whatever it finds when it comes after another policy. */
TEST(any_swap_goes_on)
{
	struct pp *pp = machine(POLICY, 3);
	unsigned int i, round;

	for (round = 0; round < 4; round++)
		for (i = 0; i < nr_policies; i++) {
			if (strcmp(policies[i]->family, POLICY->family))
				continue;
			pp_swap(pp, policies[i]);
			storm(pp, 500, NULL);
		}
	pp_free(pp);
}
