// SPDX-License-Identifier: GPL-2.0-only
/* Health gates: reading them, finding what they name, and reading what they limit. */

#include "lab_kunit.h"

struct number_case {
	const char *text;
	u64 limit;
};

static void health_numbers(struct kunit *test)
{
	static const struct number_case good[] = {
		{ "m<0", 0 },
		{ "m<18446744073709551615", U64_MAX },
		{ "m<7ns", 7 },
		{ "m<7us", 7000 },
		{ "m<7ms", 7000000 },
		{ "m<7s", 7000000000ULL },
		{ "m<7%", 7 },
		{ "m<18446744073s", 18446744073000000000ULL },
		{ "m<00000000000000000000007", 7 },
	};
	static const char * const bad[] = {
		"m<", "m<x", "m<-1", "m<+1", "m< 1", "m<1 ", "m<1e3", "m<0x10", "m<1.5us", "m<1u",
		"m<1us5", "m<1%%", "m<<1", "m<>1", "m>=1", "m<18446744073709551616",
		"m<18446744074s", "m<18446744073709552us", "m<99999999999999999999999",
		"m<000000000000000000000007", "<1", ">1", "m", "", "m=1",
	};
	struct tiffin_health_gate gate;
	int i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		KUNIT_EXPECT_EQ_MSG(test, tiffin_health_parse(good[i].text, &gate), 0, "%s",
				    good[i].text);
		KUNIT_EXPECT_EQ(test, gate.limit, good[i].limit);
		KUNIT_EXPECT_STREQ(test, gate.name, "m");
		KUNIT_EXPECT_TRUE(test, gate.below);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, tiffin_health_parse(bad[i], &gate), -EINVAL, "%s",
				    bad[i]);
}

/* The longest name is that of a counter with its prefix. */
static void health_names(struct kunit *test)
{
	struct tiffin_health_gate gate;
	char text[64];

	memset(text, 'c', sizeof(text));
	strscpy(text + sizeof(gate.name) - 1, ">5", 3);
	KUNIT_EXPECT_EQ(test, tiffin_health_parse(text, &gate), 0);
	KUNIT_EXPECT_EQ(test, strlen(gate.name), sizeof(gate.name) - 1);
	KUNIT_EXPECT_EQ(test, strlen(gate.name), strlen("counter.") + TIFFIN_NAME_LEN - 1);
	KUNIT_EXPECT_FALSE(test, gate.below);

	memset(text, 'c', sizeof(text));
	strscpy(text + sizeof(gate.name), ">5", 3);
	KUNIT_EXPECT_EQ(test, tiffin_health_parse(text, &gate), -EINVAL);
}

static int health_resolve(struct lab *lab, const char *text, struct tiffin_health_gate *gate,
			  char *why, size_t len)
{
	struct tiffin_loaded *alpha = tiffin_policy_find(&lab->family, "alpha");
	int rc;

	if (IS_ERR(alpha))
		return PTR_ERR(alpha);
	rc = tiffin_health_parse(text, gate) ?:
	     tiffin_health_resolve(lab->family.scope, alpha, gate, 1, why, len);
	tiffin_policy_release(alpha);
	return rc;
}

static void health_resolves(struct kunit *test)
{
	static const struct {
		const char *text;
		enum tiffin_metric metric;
		u32 index;
	} good[] = {
		{ "hook_p50<1", TIFFIN_METRIC_HOOK_P50, 0 },
		{ "hook_p99<1", TIFFIN_METRIC_HOOK_P99, 0 },
		{ "hook_max<1", TIFFIN_METRIC_HOOK_MAX, 0 },
		{ "bad_answers<1", TIFFIN_METRIC_BAD_ANSWERS, 0 },
		{ "continuity<1", TIFFIN_METRIC_CONTINUITY, 0 },
		{ "ticks<1", TIFFIN_METRIC_FIGURE, LAB_TICKS },
		{ "level<1", TIFFIN_METRIC_FIGURE, LAB_LEVEL },
		{ "asked<1", TIFFIN_METRIC_COUNTER, LAB_ASKED },
		{ "fresh<1", TIFFIN_METRIC_COUNTER, LAB_FRESH },
		{ "counter.fresh<1", TIFFIN_METRIC_COUNTER, LAB_FRESH },
	};
	static const char * const bad[] = {
		"hook_p9<1", "hook_p999<1", "counter.ticks<1", "counter.<1", "counter.hook_p99<1",
		"tick<1", "Ticks<1",
	};
	struct lab *lab = test->priv;
	struct tiffin_health_gate gate = {};
	char why[256] = "";
	int i, rc;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		rc = health_resolve(lab, good[i].text, &gate, why, sizeof(why));
		KUNIT_EXPECT_EQ_MSG(test, rc, 0, "%s", good[i].text);
		KUNIT_EXPECT_EQ_MSG(test, gate.metric, good[i].metric, "%s", good[i].text);
		if (gate.metric >= TIFFIN_METRIC_FIGURE)
			KUNIT_EXPECT_EQ_MSG(test, gate.index, good[i].index, "%s", good[i].text);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		rc = health_resolve(lab, bad[i], &gate, why, sizeof(why));
		KUNIT_EXPECT_EQ_MSG(test, rc, -EINVAL, "%s", bad[i]);
		LAB_EXPECT_SAYS(test, why, gate.name);
		LAB_EXPECT_SAYS(test, why, "no such metric");
	}
}

/* What the health of the probation under way says; the probation itself is too long to end. */
static bool health_broken(struct lab *lab, bool last, char *why, size_t len)
{
	bool broken;

	mutex_lock(&lab->family.scope->swap.lock);
	broken = tiffin_health_broken(lab->family.scope, last, why, len);
	mutex_unlock(&lab->family.scope->swap.lock);
	return broken;
}

static void health_start(struct kunit *test, const char *gates)
{
	struct lab *lab = test->priv;
	char text[128];

	snprintf(text, sizeof(text), "alpha probation_ms=86400000 %s", gates);
	KUNIT_ASSERT_EQ_MSG(test, lab_swap(lab, text), 0, "%s", lab_error(lab));
	/* Only the test reads the gates from here on. */
	cancel_delayed_work_sync(&lab->family.scope->swap.work);
	KUNIT_EXPECT_EQ(test, lab->windows, 1);
}

#define EXPECT_HOLDS(test, last)							\
do {											\
	char why_[128] = "";								\
											\
	KUNIT_EXPECT_FALSE_MSG(test, health_broken((test)->priv, last, why_, sizeof(why_)),	\
			       "%s", why_);						\
} while (0)

#define EXPECT_BROKEN(test, last, says)							\
do {											\
	char why_[128] = "";								\
											\
	KUNIT_EXPECT_TRUE(test, health_broken((test)->priv, last, why_, sizeof(why_)));	\
	LAB_EXPECT_SAYS(test, why_, says);						\
} while (0)

/* Counts count from the beginning of the probation, whatever they were before. */
static void health_counts_differences(struct kunit *test)
{
	struct lab *lab = test->priv;

	lab->figure[LAB_TICKS] = 1000;
	health_start(test, "gate=ticks<10");
	EXPECT_HOLDS(test, false);
	lab->figure[LAB_TICKS] = 1009;
	EXPECT_HOLDS(test, false);
	lab->figure[LAB_TICKS] = 1010;
	EXPECT_BROKEN(test, false, "gate ticks<10 broken: it was 10");
}

static void health_gauge_is_read_as_it_is(struct kunit *test)
{
	struct lab *lab = test->priv;

	lab->figure[LAB_LEVEL] = 70;
	health_start(test, "gate=level<80%");
	EXPECT_HOLDS(test, false);
	lab->figure[LAB_LEVEL] = 80;
	EXPECT_BROKEN(test, false, "gate level<80 broken: it was 80");
	lab->figure[LAB_LEVEL] = 79;
	EXPECT_HOLDS(test, true);
}

/* A lower limit can hold only by the end: it is not read before. */
static void health_lower_limit_at_the_end(struct kunit *test)
{
	struct lab *lab = test->priv;

	lab->figure[LAB_TICKS] = 500;
	health_start(test, "gate=ticks>5");
	EXPECT_HOLDS(test, false);
	EXPECT_BROKEN(test, true, "gate ticks>5 broken: it was 0");
	lab->figure[LAB_TICKS] = 505;
	EXPECT_BROKEN(test, true, "it was 5");
	lab->figure[LAB_TICKS] = 506;
	EXPECT_HOLDS(test, true);
}

/* A counter of the policy: of the instance on probation, not of an earlier life. */
static void health_counter_of_the_policy(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;
	int i;

	KUNIT_ASSERT_EQ(test, lab_swap(lab, "alpha"), 0);
	for (i = 0; i < 10; i++)
		lab_ask(lab, LAB_ASK, 0, &out);
	KUNIT_ASSERT_EQ(test, lab_swap(lab, "beta"), 0);
	health_start(test, "gate=counter.asked<3 gate=fresh<1");
	for (i = 0; i < 2; i++)
		lab_ask(lab, LAB_ASK, 0, &out);
	EXPECT_HOLDS(test, true);
	lab_ask(lab, LAB_ASK, 0, &out);
	EXPECT_BROKEN(test, false, "gate counter.asked<3 broken: it was 3");
}

static void health_own_counts(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;

	/* The policy before it answers out of range: that is not the newer one's fault. */
	KUNIT_ASSERT_EQ(test, lab_swap(lab, "beta"), 0);
	lab->nonsense = true;
	lab_ask(lab, LAB_ASK, 0, &out);
	lab->nonsense = false;
	health_start(test, "gate=bad_answers<1 gate=continuity<2");
	EXPECT_HOLDS(test, false);
	lab->family.limits.hold_ns = 0;
	WRITE_ONCE(lab->family.scope->gate.word, TIFFIN_GATE_CLOSED);
	lab_ask(lab, LAB_ASK, 0, &out);
	EXPECT_HOLDS(test, false);
	lab_ask(lab, LAB_ASK, 0, &out);
	EXPECT_BROKEN(test, false, "gate continuity<2 broken: it was 2");
	WRITE_ONCE(lab->family.scope->gate.word, TIFFIN_GATE_OPEN);
	lab->nonsense = true;
	lab_ask(lab, LAB_ASK, 0, &out);
	EXPECT_BROKEN(test, false, "gate bad_answers<1 broken: it was 1");
}

/* Hook times of the probation alone; put into the histogram, not measured. */
static void health_hook_times(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct tiffin_scope *scope = lab->family.scope;
	int i;

	preempt_disable();
	for (i = 0; i < 1000; i++)
		tiffin_hist_add(scope->hook_hist, 1000000000);
	preempt_enable();
	health_start(test, "gate=hook_p50<10us gate=hook_p99<100us gate=hook_max<1ms");
	EXPECT_HOLDS(test, true);
	preempt_disable();
	for (i = 0; i < 1000; i++)
		tiffin_hist_add(scope->hook_hist, 5000);
	preempt_enable();
	EXPECT_HOLDS(test, true);
	preempt_disable();
	tiffin_hist_add(scope->hook_hist, 2000000);
	preempt_enable();
	EXPECT_BROKEN(test, false, "gate hook_max<1000000 broken: it was 2000000");
	preempt_disable();
	for (i = 0; i < 20; i++)
		tiffin_hist_add(scope->hook_hist, 500000);
	preempt_enable();
	EXPECT_BROKEN(test, false, "gate hook_p99<100000 broken");
	preempt_disable();
	for (i = 0; i < 2000; i++)
		tiffin_hist_add(scope->hook_hist, 20000);
	preempt_enable();
	EXPECT_BROKEN(test, false, "gate hook_p50<10000 broken");
}

/* All gates are read, in the order given; one broken gate is enough. */
static void health_any_gate(struct kunit *test)
{
	struct lab *lab = test->priv;

	health_start(test, "gate=level<5 gate=ticks<5 gate=asked<5");
	EXPECT_HOLDS(test, true);
	lab->figure[LAB_TICKS] = 5;
	EXPECT_BROKEN(test, false, "gate ticks<5");
	lab->figure[LAB_LEVEL] = 5;
	EXPECT_BROKEN(test, false, "gate level<5");
}

static void health_no_gates(struct kunit *test)
{
	health_start(test, "");
	EXPECT_HOLDS(test, false);
	EXPECT_HOLDS(test, true);
}

static struct kunit_case health_cases[] = {
	KUNIT_CASE(health_numbers),
	KUNIT_CASE(health_names),
	KUNIT_CASE(health_resolves),
	KUNIT_CASE(health_counts_differences),
	KUNIT_CASE(health_gauge_is_read_as_it_is),
	KUNIT_CASE(health_lower_limit_at_the_end),
	KUNIT_CASE(health_counter_of_the_policy),
	KUNIT_CASE(health_own_counts),
	KUNIT_CASE(health_hook_times),
	KUNIT_CASE(health_any_gate),
	KUNIT_CASE(health_no_gates),
	{}
};

static struct kunit_suite health_suite = {
	.name = "health",
	.init = lab_test_init,
	.exit = lab_test_exit,
	.test_cases = health_cases,
};
kunit_test_suite(health_suite);
