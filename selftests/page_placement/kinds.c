// SPDX-License-Identifier: GPL-2.0-only
/* Each kind of memory: what the movers do with it, and that its content stays. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/io_uring.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "drive.h"

#define KIND_PAGES	32ul
#define HUGE_PAGE	(2ul << 20)

static int kind_fd;

/*
 * All pages of @mem are moved by each way, there and back; @by: how transactions move them. Those
 * that commit have been noted in the way that was asked for, at the first try.
 */
static void goes(char *mem, size_t pages, int by)
{
	static const struct way * const ways[] = { &plain, &by_table, &by_window };
	struct tally tally;
	unsigned int i, to;

	for (i = 0; i < 3; i++) {
		for (to = 0; to < 2; to++) {
			struct way way = *ways[i];

			if (by == TEST_COPIED)
				way.flags |= TEST_MOVE_OR_PLAIN;
			drain_lru();
			tally = drive_once(kind_fd, mem, pages, to ? FAST : SLOW, &way);
			EXPECT_EQ(tally.result[way.method ? by : TEST_COPIED], pages);
			if (way.method && by == TEST_COMMITTED) {
				bool window = way.flags & TEST_MOVE_BY_WINDOW;

				EXPECT_EQ(tally.by_window, window ? pages : 0);
				EXPECT_EQ(tally.by_table, window ? 0 : pages);
			}
			EXPECT_EQ(pages_on(0, mem, pages, to ? FAST : SLOW), pages);
		}
	}
}

/* None is moved by a way, for that reason. */
static void stays_by(char *mem, size_t pages, const struct way *way, int reason)
{
	struct tally tally;

	drain_lru();
	tally = drive_once(kind_fd, mem, pages, SLOW, way);
	EXPECT_EQ(tally.result[TEST_REFUSED], pages);
	EXPECT_EQ(tally.reason[reason], pages);
}

/* None is moved, by no way. */
static void stays(char *mem, size_t pages, int reason)
{
	stays_by(mem, pages, &plain, reason);
	stays_by(mem, pages, &by_table, reason);
	stays_by(mem, pages, &by_window, reason);
}

static long vmstat(const char *name)
{
	FILE *file = fopen("/proc/vmstat", "r");
	char line[128];
	long value = -1;
	size_t len = strlen(name);

	must(file, "/proc/vmstat");
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, name, len) && line[len] == ' ')
			value = atol(line + len);
	}
	fclose(file);
	return value;
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Memory that is shared with a child since a fork. */
static void test_fork_shared(void)
{
	char *mem = map_pages(KIND_PAGES), byte;
	int pipes[2], status;
	pid_t child;

	fill_pages(mem, KIND_PAGES);
	must(!pipe(pipes), "pipe");
	child = fork();
	must(child >= 0, "fork");
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pipes[1]);
		/* Until the parent says so. */
		byte = read(pipes[0], &byte, 1);
		_exit(bad_pages(mem, KIND_PAGES) ? 1 : 0);
	}
	close(pipes[0]);
	stays_by(mem, KIND_PAGES, &by_table, TEST_SHARED);
	stays_by(mem, KIND_PAGES, &by_window, TEST_SHARED);
	goes(mem, KIND_PAGES, TEST_COPIED);
	EXPECT_EQ(bad_pages(mem, KIND_PAGES), 0);
	close(pipes[1]);
	must(waitpid(child, &status, 0) == child, "waitpid");
	EXPECT_EQ(status, 0);
	test_done("shared since a fork: plainly");
	munmap(mem, KIND_PAGES * PAGE);
}

static void test_anonymous(void)
{
	char *mem = map_pages(KIND_PAGES);

	stays(mem, KIND_PAGES, TEST_HOLE);
	test_done("never touched: not at all");
	EXPECT_EQ(mem[0] + mem[PAGE], 0);
	stays(mem, 2, TEST_HOLE);
	test_done("the zero page: not at all");
	fill_pages(mem, KIND_PAGES);
	goes(mem, KIND_PAGES, TEST_COMMITTED);
	EXPECT_EQ(bad_pages(mem, KIND_PAGES), 0);
	test_done("ordinary memory: by all ways");
	must(!mlock(mem, KIND_PAGES * PAGE), "mlock");
	goes(mem, KIND_PAGES, TEST_COMMITTED);
	EXPECT_EQ(bad_pages(mem, KIND_PAGES), 0);
	must(!munlock(mem, KIND_PAGES * PAGE), "munlock");
	test_done("locked (mlock): by all ways");
	must(!mprotect(mem, KIND_PAGES * PAGE, PROT_READ), "mprotect");
	goes(mem, KIND_PAGES, TEST_COMMITTED);
	EXPECT_EQ(bad_pages(mem, KIND_PAGES), 0);
	test_done("read-only (mprotect): by all ways");
	EXPECT_EQ(drive_once(kind_fd, mem, KIND_PAGES, FAST, &plain).reason[TEST_THERE],
		  KIND_PAGES);
	test_done("where it is to go already: not at all");
	if (!madvise(mem, KIND_PAGES * PAGE, MADV_PAGEOUT) &&
	    pages_on(0, mem, KIND_PAGES, FAST) == 0) {
		stays(mem, KIND_PAGES, TEST_SWAPPED);
		EXPECT_EQ(bad_pages(mem, KIND_PAGES), 0);
		test_done("swapped out: not at all");
	} else {
		test_skip("swapped out: not at all", "nothing was swapped out");
	}
	munmap(mem, KIND_PAGES * PAGE);
	stays(mem, KIND_PAGES, TEST_GONE);
	test_done("unmapped: not at all");
}

static void test_lazyfree(void)
{
	char *mem = map_pages(KIND_PAGES);
	size_t i, bad = 0;

	fill_pages(mem, KIND_PAGES);
	drain_lru();
	must(!madvise(mem, KIND_PAGES * PAGE, MADV_FREE), "MADV_FREE");
	stays_by(mem, KIND_PAGES, &by_table, TEST_LAZYFREE);
	stays_by(mem, KIND_PAGES, &by_window, TEST_LAZYFREE);
	goes(mem, KIND_PAGES, TEST_COPIED);
	/* What is written after MADV_FREE stays. */
	for (i = 0; i < KIND_PAGES; i++)
		mem[i * PAGE] = i + 1;
	drain_lru();
	drive_once(kind_fd, mem, KIND_PAGES, SLOW, &by_table);
	drive_once(kind_fd, mem, KIND_PAGES, SLOW, &plain);
	madvise(mem, KIND_PAGES * PAGE, MADV_PAGEOUT);
	for (i = 0; i < KIND_PAGES; i++)
		bad += mem[i * PAGE] != (char)(i + 1);
	EXPECT_EQ(bad, 0);
	test_done("freed lazily (MADV_FREE): plainly, and what is written then stays");
	munmap(mem, KIND_PAGES * PAGE);
}

static void test_files(void)
{
	char *mem = mmap(NULL, KIND_PAGES * PAGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd = open("/root/page_placement", O_RDWR | O_CREAT | O_TRUNC, 0600);

	must(mem != MAP_FAILED && fd >= 0, "a file");
	fill_pages(mem, KIND_PAGES);
	stays(mem, KIND_PAGES, TEST_FOREIGN);
	munmap(mem, KIND_PAGES * PAGE);
	test_done("shared anonymous memory (shmem): not at all");
	must(!ftruncate(fd, KIND_PAGES * PAGE), "ftruncate");
	mem = mmap(NULL, KIND_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(mem != MAP_FAILED, "mmap");
	fill_pages(mem, KIND_PAGES);
	stays(mem, KIND_PAGES, TEST_FOREIGN);
	munmap(mem, KIND_PAGES * PAGE);
	test_done("a file: not at all");
	mem = mmap(NULL, KIND_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	must(mem != MAP_FAILED, "mmap");
	fill_pages(mem, KIND_PAGES);
	stays(mem, KIND_PAGES, TEST_FOREIGN);
	munmap(mem, KIND_PAGES * PAGE);
	close(fd);
	test_done("private pages of a file's mapping: not at all");
}

static void test_pins(void)
{
	static const struct way keeping_plain = { "plain with shadows", 0, TEST_MOVE_KEEP, 0 };
	char *mem = map_pages(KIND_PAGES);
	struct iovec iov = { mem, 16 * PAGE };
	struct io_uring_params params = {};
	int pipes[2], ring;

	fill_pages(mem, KIND_PAGES);
	must(!pipe(pipes), "pipe");
	fcntl(pipes[1], F_SETPIPE_SZ, 1 << 20);
	must(vmsplice(pipes[1], &iov, 1, SPLICE_F_NONBLOCK) == 16 * (long)PAGE, "vmsplice");
	stays(mem, 16, TEST_PINNED);
	goes(mem + 16 * PAGE, KIND_PAGES - 16, TEST_COMMITTED);
	close(pipes[0]);
	close(pipes[1]);
	goes(mem, KIND_PAGES, TEST_COMMITTED);
	EXPECT_EQ(bad_pages(mem, KIND_PAGES), 0);
	test_done("in a pipe (vmsplice): not at all, until it is out");

	ring = syscall(SYS_io_uring_setup, 4, &params);
	if (ring < 0 ||
	    syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &iov, 1)) {
		test_skip("pinned by io_uring", "no io_uring here");
	} else {
		stays(mem, 16, TEST_PINNED);
		syscall(SYS_io_uring_register, ring, IORING_UNREGISTER_BUFFERS, NULL, 0);
		close(ring);
		/* The pins go when the kernel comes to it. */
		usleep(300000);
		/* From the first such pin on no dirty bit of the process tells of all writes. */
		stays_by(mem, KIND_PAGES, &by_table, TEST_PINNED);
		stays_by(mem, KIND_PAGES, &by_window, TEST_PINNED);
		goes(mem, KIND_PAGES, TEST_COPIED);
		EXPECT_EQ(drive_once(kind_fd, mem, KIND_PAGES, SLOW, &keeping_plain).kept, 0);
		EXPECT_EQ(bad_pages(mem, KIND_PAGES), 0);
		test_done("pinned by io_uring: not at all, then plainly and without shadows");
	}
	munmap(mem, KIND_PAGES * PAGE);
}

static void test_huge(void)
{
	char *mem = map_pages(2 * HUGE_PAGE / PAGE), *huge;
	long splits = vmstat("thp_split_page"), pmds = vmstat("thp_split_pmd");
	long had = vmstat("nr_anon_transparent_hugepages");

	huge = (char *)(((uintptr_t)mem + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
	write_file("/sys/kernel/mm/transparent_hugepage/enabled", "madvise");
	madvise(huge, HUGE_PAGE, MADV_HUGEPAGE);
	fill_pages(huge, HUGE_PAGE / PAGE);
	if (vmstat("nr_anon_transparent_hugepages") <= had) {
		test_skip("huge pages", "none came");
	} else {
		stays(huge + 17 * PAGE, KIND_PAGES, TEST_HUGE);
		EXPECT_EQ(vmstat("thp_split_page"), splits);
		EXPECT_EQ(vmstat("thp_split_pmd"), pmds);
		test_done("a huge page (THP): not at all, and it stays one");
		/* Mapped by page-table entries from here on. */
		must(!mprotect(huge, PAGE, PROT_READ), "mprotect");
		stays(huge + 17 * PAGE, KIND_PAGES, TEST_HUGE);
		EXPECT_EQ(vmstat("thp_split_page"), splits);
		EXPECT_EQ(bad_pages(huge, HUGE_PAGE / PAGE), 0);
		test_done("part of a huge page: not at all");
	}
	munmap(mem, 2 * HUGE_PAGE);
	write_file("/sys/kernel/mm/transparent_hugepage/enabled", "never");

	write_file("/proc/sys/vm/nr_hugepages", "2");
	mem = mmap(NULL, HUGE_PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (mem == MAP_FAILED) {
		test_skip("hugetlb", "no huge pages to be had");
	} else {
		mem[0] = 1;
		stays(mem, KIND_PAGES, TEST_FOREIGN);
		munmap(mem, HUGE_PAGE);
		test_done("hugetlb: not at all");
	}
	write_file("/proc/sys/vm/nr_hugepages", "0");
}

static void test_merged(void)
{
	char *mem = map_pages(KIND_PAGES);
	unsigned int tries;

	memset(mem, 7, KIND_PAGES * PAGE);
	write_file("/sys/kernel/mm/ksm/pages_to_scan", "1000");
	write_file("/sys/kernel/mm/ksm/sleep_millisecs", "10");
	if (madvise(mem, KIND_PAGES * PAGE, MADV_MERGEABLE) ||
	    !write_file("/sys/kernel/mm/ksm/run", "1")) {
		test_skip("merged (KSM)", "no KSM here");
		return;
	}
	for (tries = 0; tries < 100; tries++) {
		FILE *file = fopen("/sys/kernel/mm/ksm/pages_sharing", "r");
		long sharing = 0;

		if (file && fscanf(file, "%ld", &sharing) != 1)
			sharing = 0;
		if (file)
			fclose(file);
		if (sharing >= (long)KIND_PAGES - 1)
			break;
		usleep(100000);
	}
	if (tries == 100) {
		test_skip("merged (KSM)", "nothing was merged");
	} else {
		stays(mem, KIND_PAGES, TEST_SHARED);
		test_done("merged (KSM): not at all");
	}
	write_file("/sys/kernel/mm/ksm/run", "2");
	munmap(mem, KIND_PAGES * PAGE);
}

/* With somebody else about who maps the memory, the page tables are left alone. */
static void test_secondary(void)
{
	char *mem = map_pages(KIND_PAGES);
	struct tally tally;
	int on = 1, off = 0;

	fill_pages(mem, KIND_PAGES);
	drain_lru();
	tally = drive_once(kind_fd, mem, KIND_PAGES, SLOW, &by_table);
	EXPECT_EQ(tally.by_table, KIND_PAGES);
	must(!ioctl(kind_fd, TEST_MOVE_NOTIFIER, &on), "a notifier");
	drain_lru();
	tally = drive_once(kind_fd, mem, KIND_PAGES, FAST, &by_table);
	EXPECT_EQ(tally.by_table, 0);
	EXPECT_EQ(tally.by_window, KIND_PAGES);
	EXPECT_EQ(tally.result[TEST_COMMITTED], KIND_PAGES);
	must(!ioctl(kind_fd, TEST_MOVE_NOTIFIER, &off), "no notifier");
	drain_lru();
	tally = drive_once(kind_fd, mem, KIND_PAGES, SLOW, &by_table);
	EXPECT_EQ(tally.by_table, KIND_PAGES);
	EXPECT_EQ(bad_pages(mem, KIND_PAGES), 0);
	test_done("with a secondary MMU: transactions by windows");
	munmap(mem, KIND_PAGES * PAGE);
}

void test_kinds(void)
{
	kind_fd = drive_open(getpid());
	test_anonymous();
	test_fork_shared();
	test_lazyfree();
	test_files();
	test_huge();
	test_merged();
	test_secondary();
	/* It marks the process for good. */
	test_pins();
	close(kind_fd);
}
