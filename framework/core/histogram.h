/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Histograms of times in ns: eight buckets an octave, so that a percentile is at most 12.5 % above
 * the true value. Counting is one per-CPU increment, safe against interrupts on the same CPU.
 */
#ifndef TIFFIN_CORE_HISTOGRAM_H
#define TIFFIN_CORE_HISTOGRAM_H

#include <linux/bitops.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/types.h>

#define TIFFIN_HIST_BUCKETS	256

/**
 * struct tiffin_hist - one CPU's counts
 * @count: by tiffin_hist_bucket()
 * @max: largest value since the last reset
 */
struct tiffin_hist {
	u64 count[TIFFIN_HIST_BUCKETS];
	u64 max;
};

/**
 * struct tiffin_hist_sum - the counts of all CPUs at one moment
 * @count: by tiffin_hist_bucket()
 * @total: sum of @count
 * @max: largest value since the last reset
 */
struct tiffin_hist_sum {
	u64 count[TIFFIN_HIST_BUCKETS];
	u64 total;
	u64 max;
};

/* The bucket that @ns falls into; the last one takes all that is larger. */
static inline unsigned int tiffin_hist_bucket(u64 ns)
{
	unsigned int octave;

	if (ns < 8)
		return ns;
	octave = fls64(ns) - 1;
	return min_t(unsigned int, (octave - 2) * 8 + ((ns >> (octave - 3)) & 7),
		     TIFFIN_HIST_BUCKETS - 1);
}

/* The largest value that falls into @bucket. */
static inline u64 tiffin_hist_upper(unsigned int bucket)
{
	unsigned int octave = bucket / 8 + 2;

	if (bucket < 8)
		return bucket;
	return ((u64)(8 + bucket % 8 + 1) << (octave - 3)) - 1;
}

/**
 * tiffin_hist_add - count a value on this CPU
 * @hist: per-CPU histograms
 * @ns: the value
 *
 * Context: any, preemption disabled.
 */
static inline void tiffin_hist_add(struct tiffin_hist __percpu *hist, u64 ns)
{
	u64 max = this_cpu_read(hist->max), found;

	this_cpu_inc(hist->count[tiffin_hist_bucket(ns)]);
	/* An interrupt may count a larger one between the two. */
	while (ns > max) {
		found = this_cpu_cmpxchg(hist->max, max, ns);
		if (found == max)
			break;
		max = found;
	}
}

/**
 * tiffin_hist_read - add up all CPUs
 * @hist: per-CPU histograms
 * @sum: receives the counts
 */
void tiffin_hist_read(struct tiffin_hist __percpu *hist, struct tiffin_hist_sum *sum);

/**
 * tiffin_hist_since - reduce counts to what came after an earlier reading
 * @sum: the later reading; receives the difference (its @max stays as it is)
 * @before: the earlier reading
 */
void tiffin_hist_since(struct tiffin_hist_sum *sum, const struct tiffin_hist_sum *before);

/**
 * tiffin_hist_percentile - the value that a share of all values does not exceed
 * @sum: counts
 * @permille: the share, 1 to 1000
 *
 * Return: upper end of the bucket, but not above the largest value seen; 0 without values.
 */
u64 tiffin_hist_percentile(const struct tiffin_hist_sum *sum, unsigned int permille);

/* Forget all values. Counts that come meanwhile may or may not survive. */
void tiffin_hist_reset(struct tiffin_hist __percpu *hist);

#endif /* TIFFIN_CORE_HISTOGRAM_H */
