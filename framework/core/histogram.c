// SPDX-License-Identifier: GPL-2.0-only
/* Histograms of times: reading. */

#include <linux/cpumask.h>
#include <linux/string.h>

#include "core/histogram.h"

void tiffin_hist_read(struct tiffin_hist __percpu *hist, struct tiffin_hist_sum *sum)
{
	unsigned int i;
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const struct tiffin_hist *h = per_cpu_ptr(hist, cpu);

		for (i = 0; i < TIFFIN_HIST_BUCKETS; i++) {
			u64 n = READ_ONCE(h->count[i]);

			sum->count[i] += n;
			sum->total += n;
		}
		sum->max = max(sum->max, READ_ONCE(h->max));
	}
}

void tiffin_hist_since(struct tiffin_hist_sum *sum, const struct tiffin_hist_sum *before)
{
	unsigned int i;

	sum->total = 0;
	for (i = 0; i < TIFFIN_HIST_BUCKETS; i++) {
		sum->count[i] -= before->count[i];
		sum->total += sum->count[i];
	}
}

u64 tiffin_hist_percentile(const struct tiffin_hist_sum *sum, unsigned int permille)
{
	u64 want = DIV_ROUND_UP_ULL(sum->total * permille, 1000);
	u64 have = 0;
	unsigned int i;

	if (!sum->total)
		return 0;
	for (i = 0; i < TIFFIN_HIST_BUCKETS - 1; i++) {
		have += sum->count[i];
		if (have >= want)
			return min(tiffin_hist_upper(i), sum->max);
	}
	return sum->max;
}

void tiffin_hist_reset(struct tiffin_hist __percpu *hist)
{
	int cpu;

	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(hist, cpu), 0, sizeof(*hist));
}
