// SPDX-License-Identifier: GPL-2.0-only
/* Histograms of times: buckets, percentiles, differences. */

#include <kunit/test.h>
#include <linux/percpu.h>

#include "core/histogram.h"

static int histogram_init(struct kunit *test)
{
	test->priv = (void __force *)alloc_percpu(struct tiffin_hist);
	return test->priv ? 0 : -ENOMEM;
}

static void histogram_exit(struct kunit *test)
{
	free_percpu((struct tiffin_hist __percpu *)test->priv);
}

static struct tiffin_hist __percpu *histogram_of(struct kunit *test)
{
	return (struct tiffin_hist __percpu *)test->priv;
}

static void histogram_add(struct kunit *test, u64 ns, unsigned int times)
{
	preempt_disable();
	while (times--)
		tiffin_hist_add(histogram_of(test), ns);
	preempt_enable();
}

static struct tiffin_hist_sum *histogram_read(struct kunit *test)
{
	struct tiffin_hist_sum *sum = kunit_kzalloc(test, sizeof(*sum), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sum);
	tiffin_hist_read(histogram_of(test), sum);
	return sum;
}

static void histogram_buckets(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < TIFFIN_HIST_BUCKETS - 1; i++) {
		u64 upper = tiffin_hist_upper(i);

		KUNIT_EXPECT_EQ(test, tiffin_hist_bucket(upper), i);
		KUNIT_EXPECT_EQ(test, tiffin_hist_bucket(upper + 1), i + 1);
	}
	KUNIT_EXPECT_EQ(test, tiffin_hist_bucket(0), 0);
	KUNIT_EXPECT_EQ(test, tiffin_hist_bucket(U64_MAX), TIFFIN_HIST_BUCKETS - 1);
}

/* A percentile reads the bucket's upper end: never below a value in it, at most an eighth above. */
static void histogram_precision(struct kunit *test)
{
	u64 ns;

	for (ns = 1; ns < 1ULL << 33; ns += ns / 7 + 1) {
		u64 upper = tiffin_hist_upper(tiffin_hist_bucket(ns));

		KUNIT_EXPECT_GE(test, upper, ns);
		KUNIT_EXPECT_LE(test, upper - ns, ns / 8);
	}
}

static void histogram_percentiles(struct kunit *test)
{
	struct tiffin_hist_sum *sum;

	sum = histogram_read(test);
	KUNIT_EXPECT_EQ(test, tiffin_hist_percentile(sum, 500), 0);

	histogram_add(test, 3, 900);
	histogram_add(test, 100, 90);
	histogram_add(test, 5000, 9);
	histogram_add(test, 70000, 1);
	sum = histogram_read(test);
	KUNIT_EXPECT_EQ(test, sum->total, 1000);
	KUNIT_EXPECT_EQ(test, sum->max, 70000);
	KUNIT_EXPECT_EQ(test, tiffin_hist_percentile(sum, 1), 3);
	KUNIT_EXPECT_EQ(test, tiffin_hist_percentile(sum, 500), 3);
	KUNIT_EXPECT_EQ(test, tiffin_hist_percentile(sum, 900), 3);
	KUNIT_EXPECT_EQ(test, tiffin_hist_percentile(sum, 901),
			tiffin_hist_upper(tiffin_hist_bucket(100)));
	KUNIT_EXPECT_EQ(test, tiffin_hist_percentile(sum, 990),
			tiffin_hist_upper(tiffin_hist_bucket(100)));
	KUNIT_EXPECT_EQ(test, tiffin_hist_percentile(sum, 991),
			tiffin_hist_upper(tiffin_hist_bucket(5000)));
	/* Not above the largest value seen, though the bucket ends above it. */
	KUNIT_EXPECT_GT(test, tiffin_hist_upper(tiffin_hist_bucket(70000)), 70000);
	KUNIT_EXPECT_EQ(test, tiffin_hist_percentile(sum, 1000), 70000);
}

/* The last bucket has no upper end: what falls there reads as the largest value. */
static void histogram_last_bucket(struct kunit *test)
{
	struct tiffin_hist_sum *sum;

	histogram_add(test, 1ULL << 50, 2);
	sum = histogram_read(test);
	KUNIT_EXPECT_EQ(test, tiffin_hist_percentile(sum, 500), 1ULL << 50);
}

static void histogram_since(struct kunit *test)
{
	struct tiffin_hist_sum *before, *after;

	histogram_add(test, 1000000, 50);
	before = histogram_read(test);
	histogram_add(test, 7, 3);
	after = histogram_read(test);
	tiffin_hist_since(after, before);
	KUNIT_EXPECT_EQ(test, after->total, 3);
	KUNIT_EXPECT_EQ(test, tiffin_hist_percentile(after, 990), 7);
}

static void histogram_reset(struct kunit *test)
{
	struct tiffin_hist_sum *sum;

	histogram_add(test, 1000, 50);
	tiffin_hist_reset(histogram_of(test));
	sum = histogram_read(test);
	KUNIT_EXPECT_EQ(test, sum->total, 0);
	KUNIT_EXPECT_EQ(test, sum->max, 0);
}

/* A reading adds up the CPUs and takes the largest of their largest values. */
static void histogram_all_cpus(struct kunit *test)
{
	struct tiffin_hist_sum *sum;
	unsigned int cpus = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct tiffin_hist *h = per_cpu_ptr(histogram_of(test), cpu);

		h->count[5]++;
		h->max = 5 + cpu;
		cpus++;
	}
	sum = histogram_read(test);
	KUNIT_EXPECT_EQ(test, sum->total, cpus);
	KUNIT_EXPECT_EQ(test, sum->count[5], cpus);
	KUNIT_EXPECT_EQ(test, sum->max, 5 + cpumask_last(cpu_possible_mask));
}

static struct kunit_case histogram_cases[] = {
	KUNIT_CASE(histogram_buckets),
	KUNIT_CASE(histogram_precision),
	KUNIT_CASE(histogram_percentiles),
	KUNIT_CASE(histogram_last_bucket),
	KUNIT_CASE(histogram_since),
	KUNIT_CASE(histogram_reset),
	KUNIT_CASE(histogram_all_cpus),
	{}
};

static struct kunit_suite histogram_suite = {
	.name = "histogram",
	.init = histogram_init,
	.exit = histogram_exit,
	.test_cases = histogram_cases,
};
kunit_test_suite(histogram_suite);
