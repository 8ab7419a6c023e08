// SPDX-License-Identifier: GPL-2.0-only
/*
 * The verifier: threads of one process write to and read from memory whose pages are moved to and
 * fro by another, by each way in turn. Each thread has a word of its own in each page and knows
 * what it wrote there last; the rest of a page never changes. One lost write fails.
 */

#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "drive.h"

#define VERIFY_PAGES	2048ul
/*
 * Pages that go to and fro together, how often some do, at least, and how many move each way
 * before a verdict is worth something. How many of the tries succeed is a matter of luck: a writer
 * that has a processor to itself meets most of them. So there are more rounds where it takes more.
 */
#define VERIFY_SLICE	64ul
#define VERIFY_ROUNDS	16
#define VERIFY_MOVED	256
#define VERIFY_ROUNDS_MAX	(8 * VERIFY_ROUNDS)
/* A thread works for so many reads, then sleeps: the mover wants a processor, too. */
#define VERIFY_BURST	2048
#define VERIFY_THREADS	2
/* Words of the threads; what follows never changes. */
#define VERIFY_WORDS	16

/**
 * struct verify - shared by the two processes
 * @mem: where the memory is, in the one that uses it
 * @ready: it is filled
 * @stop: enough
 * @lost: words that were not what was written last
 * @reads: how many were looked at
 * @writes: how many were written
 * @write_percent: how often a word is written that was looked at
 * @page_out: threads ask for swapping out
 */
struct verify {
	char *mem;
	bool ready;
	bool stop;
	unsigned long lost;
	unsigned long reads;
	unsigned long writes;
	unsigned int write_percent;
	bool page_out;
};

static volatile struct verify *verify;

static uint64_t still(size_t page, size_t word)
{
	return (page * 512 + word) * 0x9e3779b97f4a7c15ull;
}

static void lost(size_t page, size_t word, uint64_t is, uint64_t should)
{
	if (__atomic_add_fetch(&verify->lost, 1, __ATOMIC_RELAXED) <= 5)
		test_note("LOST: page %zu word %zu is %lx, should be %lx", page, word, is, should);
}

static void *verify_thread(void *id)
{
	size_t own = (uintptr_t)id, page, word;
	uint64_t *last = calloc(VERIFY_PAGES, sizeof(*last));
	volatile uint64_t *mem = (volatile uint64_t *)verify->mem;
	uint64_t x = 88172645463325252ull + own * 7919, reads = 0, writes = 0, bursts = 0;

	must(last, "memory");
	pin_to(1);
	while (!verify->stop) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		page = (x >> 8) % VERIFY_PAGES;
		if (mem[page * 512 + own] != last[page]) {
			lost(page, own, mem[page * 512 + own], last[page]);
			last[page] = mem[page * 512 + own];
		}
		word = VERIFY_WORDS + (x >> 32) % (512 - VERIFY_WORDS);
		if (mem[page * 512 + word] != still(page, word))
			lost(page, word, mem[page * 512 + word], still(page, word));
		reads++;
		if ((x >> 20) % 100 < verify->write_percent) {
			mem[page * 512 + own] = ++last[page];
			writes++;
		}
		if (reads % VERIFY_BURST)
			continue;
		/* The last one goes from CPU to CPU: the mover's TLB, too, knows pages. */
		if (own == VERIFY_THREADS - 1)
			pin_to(++bursts & 1);
		if (verify->page_out && !(reads % (16 * VERIFY_BURST)))
			madvise(verify->mem + page * PAGE, 16 * PAGE, MADV_PAGEOUT);
		usleep(100);
	}
	for (page = 0; page < VERIFY_PAGES; page++) {
		if (mem[page * 512 + own] != last[page])
			lost(page, own, mem[page * 512 + own], last[page]);
	}
	__atomic_add_fetch(&verify->reads, reads, __ATOMIC_RELAXED);
	__atomic_add_fetch(&verify->writes, writes, __ATOMIC_RELAXED);
	free(last);
	return NULL;
}

static void verify_user(void)
{
	pthread_t thread[VERIFY_THREADS];
	uint64_t *mem;
	size_t i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Some more, for MADV_PAGEOUT at the end. */
	verify->mem = map_pages(VERIFY_PAGES + 16);
	mem = (uint64_t *)verify->mem;
	for (i = 0; i < VERIFY_PAGES * 512; i++)
		mem[i] = i % 512 < VERIFY_WORDS ? 0 : still(i / 512, i % 512);
	for (i = 0; i < VERIFY_THREADS; i++)
		must(!pthread_create(&thread[i], NULL, verify_thread, (void *)i), "thread");
	verify->ready = true;
	for (i = 0; i < VERIFY_THREADS; i++)
		pthread_join(thread[i], NULL);
	for (i = 0; i < VERIFY_PAGES * 512; i++) {
		if (i % 512 >= VERIFY_WORDS && mem[i] != still(i / 512, i % 512))
			lost(i / 512, i % 512, mem[i], still(i / 512, i % 512));
	}
	_exit(0);
}

static void show(const char *to, const struct tally *tally, unsigned long rounds)
{
	test_note("%s: %lu rounds: %lu copied, %lu committed, %lu remapped, %lu aborted, %lu refused (%lu busy, %lu pinned, %lu swapped), %lu noted by table, %lu by window, %lu shadows kept, %lu KiB copied, %lu windows, unmapped at most %lu us",
		  to, rounds, tally->result[TEST_COPIED], tally->result[TEST_COMMITTED],
		  tally->result[TEST_REMAPPED], tally->result[TEST_ABORTED],
		  tally->result[TEST_REFUSED], tally->reason[TEST_BUSY], tally->reason[TEST_PINNED],
		  tally->reason[TEST_SWAPPED], tally->by_table, tally->by_window, tally->kept,
		  tally->copied / 1024, tally->windows, tally->unmapped_ns / 1000);
}

/* As many were moved by @way as it takes; by transactions where it has such. */
static bool enough(const struct way *way, const struct tally *tally)
{
	return (way->method ? tally->result[TEST_COMMITTED] : tally_moved(tally)) > VERIFY_MOVED;
}

/* Move to the fast node by @up, back by @down, and see that nothing is lost. */
static void verify_way(const struct way *up, const struct way *down, unsigned int write_percent,
		       bool page_out, unsigned int seconds)
{
	struct tally ups = {}, downs = {};
	unsigned long rounds;
	uint64_t end;
	pid_t user;
	int fd, status;

	memset((void *)verify, 0, sizeof(*verify));
	verify->write_percent = write_percent;
	verify->page_out = page_out;
	user = fork();
	must(user >= 0, "fork");
	if (!user)
		verify_user();
	while (!verify->ready)
		usleep(1000);
	fd = drive_open(user);
	drain_lru();
	drive_once(fd, verify->mem, VERIFY_PAGES, SLOW, &plain);
	end = now_ns() + seconds * 1000000000ull;
	for (rounds = 0; now_ns() < end || rounds < VERIFY_ROUNDS_MAX; rounds++) {
		char *slice = verify->mem + rounds * VERIFY_SLICE % VERIFY_PAGES * PAGE;

		if (rounds >= VERIFY_ROUNDS && now_ns() >= end &&
		    enough(up, &ups) && tally_moved(&downs) > VERIFY_MOVED)
			break;
		EXPECT_EQ(drive(fd, slice, VERIFY_SLICE, FAST, up, &ups), 0);
		EXPECT_EQ(drive(fd, slice, VERIFY_SLICE, SLOW, down, &downs), 0);
	}
	verify->stop = true;
	must(waitpid(user, &status, 0) == user, "waitpid");
	close(fd);

	show("to the fast node", &ups, rounds);
	show("to the slow node", &downs, rounds);
	test_note("%lu reads, %lu writes, %lu lost", verify->reads, verify->writes, verify->lost);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(verify->lost, 0);
	/* Else it would show nothing. */
	EXPECT(verify->reads > 10000 && verify->writes > (write_percent ? 500 : 0));
	EXPECT(enough(up, &ups));
	EXPECT(tally_moved(&downs) > VERIFY_MOVED);
	if (up->method) {
		EXPECT(!ups.result[TEST_COPIED]);
		EXPECT(ups.result[TEST_ABORTED] + ups.copied / PAGE > ups.result[TEST_COMMITTED]);
		EXPECT(up->flags & TEST_MOVE_BY_WINDOW ? !ups.by_table : ups.by_table > 0);
	}
	if (up->flags & TEST_MOVE_KEEP) {
		EXPECT(ups.kept > 0);
		EXPECT(downs.result[TEST_REMAPPED] > 0);
	}
	test_done("no write is lost: %s, back %s, %u %% writes%s", up->name, down->name,
		  write_percent, page_out ? ", being swapped out" : "");
}

void test_commit(unsigned int seconds)
{
	verify = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(verify != MAP_FAILED, "mmap");
	verify_way(&by_table, &by_table, 50, false, seconds);
	verify_way(&by_window, &by_window, 50, false, seconds);
}

void test_verify(unsigned int seconds)
{
	static const struct way plain_keeping = { "plain with shadows", 0, TEST_MOVE_KEEP, 0 };
	static const struct way back = { "transactional", 1, 0, 2 };

	test_commit(seconds);
	verify_way(&plain, &plain, 50, false, seconds);
	verify_way(&plain_keeping, &plain, 5, false, seconds);
	verify_way(&keeping, &back, 5, false, seconds);
	verify_way(&keeping, &plain, 50, false, seconds);
	verify_way(&keeping, &plain, 20, true, seconds);
}
