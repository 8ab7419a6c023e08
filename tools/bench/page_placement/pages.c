// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that knows nothing of tiers, with a working set that is hotter in some places: the
 * micro-benchmark, after NOMAD's.
 *
 *	pages COLD_KIB SET_KIB zipf|scan WRITE_PERCENT WRITE_EVERY THETA SCAN_LINES ACCESSES REST_NS
 *
 * It writes COLD_KIB that are left alone then, and SET_KIB, the working set; then accesses lines of
 * that, WRITE_PERCENT of them writing, but only in each WRITE_EVERYth page. It says "at N" at the
 * beginning, after half, and at the end, executes a mark, and goes on at a line on standard input.
 *
 * Each line of the working set has a constant, which each access checks, and a count, which a write
 * adds 1 to: a write that was lost, or a page that another's contents came to, is seen at the
 * latest in the end, when all counts are added up. Then it says as JSON what was done, and wrong.
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "../mark.h"
#include "zipf.h"

enum { PAGE = 4096, BATCH = 8192, HALVES = 2 };

struct line {
	volatile uint64_t count;
	volatile uint64_t constant;
	uint64_t rest[6];
};

enum { LINES = PAGE / sizeof(struct line) };

static struct line (*set)[LINES];
static uint64_t nr_pages, write_every, write_below, wrong, writes;

static uint64_t constant_of(uint64_t page, unsigned int line)
{
	return (page * LINES + line) * 0x9e3779b97f4a7c15ull ^ 0x5bd1e995;
}

static void *take(uint64_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		err(2, "%lu bytes", bytes);
	return at;
}

static inline void touch(uint64_t page, unsigned int line, uint64_t dice)
{
	struct line *at = &set[page][line];

	wrong += at->constant != constant_of(page, line);
	if ((dice & 0xffff) < write_below && page % write_every == 0) {
		at->count++;
		writes++;
	}
}

static void zipf(uint64_t n)
{
	while (n--) {
		uint64_t dice = next_random();

		touch(zipf_thing(dice), dice >> 16 & (LINES - 1), dice);
	}
}

static void scan(uint64_t n, unsigned int lines)
{
	static uint64_t page;
	static unsigned int line;

	while (n--) {
		touch(page, line * LINES / lines, next_random());
		if (++line == lines) {
			line = 0;
			page = (page + 1) % nr_pages;
		}
	}
}

static void stop_at(int nr)
{
	char answer[16];

	mark();
	printf("at %d\n", nr);
	fflush(stdout);
	if (!fgets(answer, sizeof(answer), stdin))
		errx(2, "nobody says how to go on");
}

int main(int argc, char **argv)
{
	uint64_t cold_pages, accesses, rest_ns, counted = 0;
	unsigned int lines;
	struct timespec rest;
	char (*cold)[PAGE];
	int is_scan;

	if (argc != 10)
		errx(2, "want nine arguments");
	cold_pages = strtoull(argv[1], NULL, 10) * 1024 / PAGE;
	nr_pages = strtoull(argv[2], NULL, 10) * 1024 / PAGE;
	is_scan = !strcmp(argv[3], "scan");
	write_below = strtoull(argv[4], NULL, 10) * 0x10000 / 100;
	write_every = strtoull(argv[5], NULL, 10);
	lines = (unsigned int)strtoul(argv[7], NULL, 10);
	accesses = strtoull(argv[8], NULL, 10);
	rest_ns = strtoull(argv[9], NULL, 10) * BATCH;
	rest = (struct timespec){ rest_ns / 1000000000, rest_ns % 1000000000 };
	if (!nr_pages || !write_every || !lines || lines > LINES)
		errx(2, "that is no working set");

	cold = take(cold_pages * PAGE + PAGE);
	for (uint64_t page = 0; page < cold_pages; page++)
		memcpy(cold[page], &page, sizeof(page));
	set = take(nr_pages * PAGE);
	for (uint64_t page = 0; page < nr_pages; page++)
		for (unsigned int line = 0; line < LINES; line++)
			set[page][line].constant = constant_of(page, line);
	zipf_begin((uint32_t)nr_pages, strtod(argv[6], NULL));

	stop_at(0);
	for (int half = 1; half <= HALVES; half++) {
		for (uint64_t left = accesses / HALVES; left;) {
			uint64_t n = left < BATCH ? left : BATCH;

			if (is_scan)
				scan(n, lines);
			else
				zipf(n);
			left -= n;
			if (rest_ns)
				clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, NULL);
		}
		stop_at(half);
	}

	for (uint64_t page = 0; page < nr_pages; page++) {
		for (unsigned int line = 0; line < LINES; line++) {
			wrong += set[page][line].constant != constant_of(page, line);
			counted += set[page][line].count;
		}
	}
	for (uint64_t page = 0; page < cold_pages; page++)
		wrong += memcmp(cold[page], &page, sizeof(page)) != 0;
	printf("{\"operations\": %lu, \"writes\": %lu, \"lost\": %ld, \"wrong\": %lu}\n",
	       accesses / HALVES * HALVES, writes, (long)(writes - counted), wrong);
	return wrong || counted != writes;
}
