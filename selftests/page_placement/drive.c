// SPDX-License-Identifier: GPL-2.0-only
/* What the tests of the movers share; and which are run. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "drive.h"

const struct way plain = { "plain", 0, 0, 0 };
const struct way by_table = { "transactional by page table", 1, 0, 2 };
const struct way by_window = { "transactional by window", 1, TEST_MOVE_BY_WINDOW, 2 };
const struct way keeping = { "transactional with shadows", 1, TEST_MOVE_KEEP, 2 };

static int test_nr, test_failed;
static bool test_bad;

void test_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("# ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
}

bool test_expect(bool ok, const char *file, int line, const char *what, long a, long b)
{
	if (ok)
		return true;
	test_bad = true;
	test_note("%s:%d: not so: %s (%ld, %ld)", file, line, what, a, b);
	return false;
}

void test_done(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("%sok %d ", test_bad ? "not " : "", ++test_nr);
	vprintf(format, args);
	printf("\n");
	va_end(args);
	test_failed += test_bad;
	test_bad = false;
}

void test_skip(const char *name, const char *why)
{
	printf("ok %d %s # SKIP %s\n", ++test_nr, name, why);
}

void must(bool ok, const char *what)
{
	if (ok)
		return;
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

void drive_watch(int fd, pid_t pid)
{
	int nr = pid;

	must(!ioctl(fd, TEST_MOVE_WATCH, &nr), "watch");
}

int drive_open(pid_t pid)
{
	int fd = open("/dev/" TEST_MOVE_DEVICE, O_RDWR | O_CLOEXEC);

	must(fd >= 0, "the device");
	if (pid)
		drive_watch(fd, pid);
	return fd;
}

int drive(int fd, const void *addr, size_t pages, int node, const struct way *way,
	  struct tally *tally)
{
	struct test_move move = {
		.node = node,
		.method = way->method,
		.flags = way->flags,
		.retries = way->retries,
	};
	size_t done;
	unsigned int i;

	for (done = 0; done < pages; done += move.nr) {
		move.nr = pages - done < TEST_MOVE_PAGES ? pages - done : TEST_MOVE_PAGES;
		for (i = 0; i < move.nr; i++)
			move.addr[i] = (uintptr_t)addr + (done + i) * PAGE;
		if (ioctl(fd, TEST_MOVE_MOVE, &move))
			return -errno;
		for (i = 0; i < move.nr; i++) {
			tally->result[move.result[i]]++;
			tally->reason[move.reason[i]]++;
			tally->kept += move.kept[i];
			if (move.unmapped_ns[i] > tally->unmapped_ns)
				tally->unmapped_ns = move.unmapped_ns[i];
		}
		tally->copied += move.copied;
		tally->windows += move.windows;
		tally->by_table += move.by_table;
		tally->by_window += move.by_window;
	}
	return 0;
}

struct tally drive_once(int fd, const void *addr, size_t pages, int node, const struct way *way)
{
	struct tally tally = {};

	EXPECT_EQ(drive(fd, addr, pages, node, way, &tally), 0);
	return tally;
}

unsigned long tally_moved(const struct tally *tally)
{
	return tally->result[TEST_COPIED] + tally->result[TEST_COMMITTED] +
	       tally->result[TEST_REMAPPED];
}

static uint64_t word_of(size_t page, size_t word)
{
	return (page * 512 + word) * 0x9e3779b97f4a7c15ull + 1;
}

char *map_pages(size_t pages)
{
	char *mem = mmap(NULL, (pages + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(mem != MAP_FAILED, "mmap");
	mem += PAGE;
	must(!mprotect(mem, pages * PAGE, PROT_READ | PROT_WRITE), "mprotect");
	return mem;
}

void fill_pages(char *mem, size_t pages)
{
	uint64_t *word = (uint64_t *)mem;
	size_t i;

	for (i = 0; i < pages * 512; i++)
		word[i] = word_of(i / 512, i % 512);
}

size_t bad_pages(const char *mem, size_t pages)
{
	const uint64_t *word = (const uint64_t *)mem;
	size_t page, i, bad = 0;

	for (page = 0; page < pages; page++) {
		for (i = 0; i < 512 && word[page * 512 + i] == word_of(page, i); i++)
			;
		bad += i < 512;
	}
	return bad;
}

size_t pages_on(pid_t pid, const void *addr, size_t pages, int node)
{
	void **page = calloc(pages, sizeof(*page));
	int *status = calloc(pages, sizeof(*status));
	size_t i, nr = 0;

	must(page && status, "memory");
	for (i = 0; i < pages; i++)
		page[i] = (char *)addr + i * PAGE;
	if (!syscall(SYS_move_pages, pid, pages, page, NULL, status, 0)) {
		for (i = 0; i < pages; i++)
			nr += status[i] == node;
	}
	free(status);
	free(page);
	return nr;
}

struct test_move_figures drive_figures(int fd, int node)
{
	struct test_move_figures figures = { .node = node };

	must(!ioctl(fd, TEST_MOVE_FIGURES, &figures), "figures");
	return figures;
}

unsigned long shadows(int fd)
{
	return drive_figures(fd, FAST).now + drive_figures(fd, SLOW).now;
}

void drain_lru(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	/* It drains them on all CPUs first. */
	must(fd >= 0 && write(fd, "1", 1) == 1, "drop_caches");
	close(fd);
}

void pin_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must(!sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity");
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

int main(int argc, char **argv)
{
	unsigned int seconds;
	int i;

	if (argc < 3) {
		fprintf(stderr, "usage: move_test SECONDS verify|commit|kinds|life|shadows|memory...\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	seconds = atoi(argv[1]);
	pin_to(0);
	printf("TAP version 13\n");
	for (i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "verify"))
			test_verify(seconds);
		else if (!strcmp(argv[i], "commit"))
			test_commit(seconds);
		else if (!strcmp(argv[i], "kinds"))
			test_kinds();
		else if (!strcmp(argv[i], "life"))
			test_life(seconds);
		else if (!strcmp(argv[i], "shadows"))
			test_shadows();
		else if (!strcmp(argv[i], "memory"))
			test_memory();
		else
			must(false, argv[i]);
	}
	printf("1..%d\n", test_nr);
	return test_failed ? 1 : 0;
}
