/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which of many things is accessed next: the same ones in each run, by Zipf's law, those that are
 * accessed often scattered over all. For one thread.
 */
#ifndef BENCH_ZIPF_H
#define BENCH_ZIPF_H

#include <math.h>
#include <stdint.h>

enum { ZIPF_QUANTILES = 1024 };

static uint64_t random_state = 88172645463325252ull;
static uint32_t zipf_quantile[ZIPF_QUANTILES + 1], zipf_things, zipf_scatter;

/* Marsaglia's xorshift. */
static inline uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static inline uint32_t zipf_gcd(uint32_t a, uint32_t b)
{
	return b ? zipf_gcd(b, a % b) : a;
}

/*
 * Finds the ranks at which each 1024th of the accesses has gathered, once, so that an access costs
 * no floating point. Between two of them ranks are equally likely.
 */
static inline void zipf_begin(uint32_t things, double theta)
{
	double total = 0, sum = 0;
	unsigned int q = 0;

	for (uint32_t rank = 0; rank < things; rank++)
		total += pow((double)rank + 1, -theta);
	for (uint32_t rank = 0; rank < things; rank++) {
		for (; q < ZIPF_QUANTILES && sum >= total * q / ZIPF_QUANTILES; q++)
			zipf_quantile[q] = rank;
		sum += pow((double)rank + 1, -theta);
	}
	for (; q <= ZIPF_QUANTILES; q++)
		zipf_quantile[q] = things;
	zipf_things = things;
	for (zipf_scatter = 7919; zipf_gcd(zipf_scatter, things) != 1; zipf_scatter++)
		;
}

/* By @dice, of which the low 22 bits are not used. */
static inline uint32_t zipf_thing(uint64_t dice)
{
	uint32_t q = dice >> 54, low = zipf_quantile[q], span = zipf_quantile[q + 1] - low;
	uint64_t rank = low + (span ? (dice >> 22 & 0xffffffff) * span >> 32 : 0);

	return (uint32_t)(rank * zipf_scatter % zipf_things);
}

#endif /* BENCH_ZIPF_H */
