// SPDX-License-Identifier: GPL-2.0-only
/* Shadows: what keeps them, what drops them; moves to them copy nothing. Memory accounts. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "drive.h"

#define SHADOW_PAGES	256ul
/* So many rounds, and pages, that a page that is lost each time shows. */
#define MEMORY_PAGES	2048ul
#define MEMORY_ROUNDS	12

static int shadow_fd;

/* Memory on the fast node, with a shadow of each page on the slow one. */
static char *with_shadows(void)
{
	char *mem = map_pages(SHADOW_PAGES);
	struct tally tally;

	fill_pages(mem, SHADOW_PAGES);
	drain_lru();
	drive_once(shadow_fd, mem, SHADOW_PAGES, SLOW, &plain);
	drain_lru();
	tally = drive_once(shadow_fd, mem, SHADOW_PAGES, FAST, &keeping);
	EXPECT_EQ(tally.kept, SHADOW_PAGES);
	EXPECT_EQ(shadows(shadow_fd), SHADOW_PAGES);
	drain_lru();
	return mem;
}

static unsigned long ended(int why)
{
	return drive_figures(shadow_fd, SLOW).ended[why];
}

static void done(char *mem, const char *what)
{
	munmap(mem, SHADOW_PAGES * PAGE);
	EXPECT_EQ(shadows(shadow_fd), 0);
	test_done("%s", what);
}

static void test_used(void)
{
	unsigned long used = ended(TEST_END_USED);
	char *mem = with_shadows();
	struct tally tally;
	size_t i;

	tally = drive_once(shadow_fd, mem, SHADOW_PAGES, SLOW, &plain);
	EXPECT_EQ(tally.result[TEST_REMAPPED], SHADOW_PAGES);
	EXPECT_EQ(tally.copied, 0);
	EXPECT_EQ(ended(TEST_END_USED) - used, SHADOW_PAGES);
	EXPECT_EQ(bad_pages(mem, SHADOW_PAGES), 0);
	EXPECT_EQ(pages_on(0, mem, SHADOW_PAGES, SLOW), SHADOW_PAGES);
	done(mem, "a move to shadows copies nothing");

	mem = with_shadows();
	for (i = 0; i < SHADOW_PAGES; i += 16)
		mem[i * PAGE] ^= 1;
	tally = drive_once(shadow_fd, mem, SHADOW_PAGES, SLOW, &plain);
	EXPECT_EQ(tally.result[TEST_REMAPPED], SHADOW_PAGES - SHADOW_PAGES / 16);
	EXPECT_EQ(tally.result[TEST_COPIED], SHADOW_PAGES / 16);
	for (i = 0; i < SHADOW_PAGES; i += 16)
		mem[i * PAGE] ^= 1;
	EXPECT_EQ(bad_pages(mem, SHADOW_PAGES), 0);
	done(mem, "a page that was written to is copied");
}

static void test_sweep(void)
{
	struct test_move_sweep sweep = { .nr = SHADOW_PAGES };
	unsigned long written = ended(TEST_END_WRITTEN);
	char *mem = with_shadows();
	size_t i;

	for (i = 0; i < SHADOW_PAGES; i += 4)
		mem[i * PAGE] ^= 1;
	must(!ioctl(shadow_fd, TEST_MOVE_SWEEP, &sweep), "sweep");
	EXPECT_EQ(sweep.dropped, SHADOW_PAGES / 4);
	EXPECT_EQ(sweep.addr, 0);
	EXPECT_EQ(ended(TEST_END_WRITTEN) - written, SHADOW_PAGES / 4);
	EXPECT_EQ(shadows(shadow_fd), SHADOW_PAGES - SHADOW_PAGES / 4);
	sweep.nr = 10;
	sweep.addr = 0;
	must(!ioctl(shadow_fd, TEST_MOVE_SWEEP, &sweep), "sweep");
	EXPECT_EQ(sweep.dropped, 0);
	EXPECT(sweep.addr > (uintptr_t)mem);
	done(mem, "a sweep drops those of pages that were written to");
}

static void *unmap_half(void *mem)
{
	must(!munmap(mem, SHADOW_PAGES / 2 * PAGE), "munmap");
	return NULL;
}

/*
 * munmap() has taken the mapping out, and goes on with mmap_lock for reading: page tables and
 * shadows are there still. A sweep that found the shadows clean has looked at tables that it may
 * not look at.
 */
static void test_sweep_unmapping(void)
{
	struct test_move_sweep sweep = { .nr = SHADOW_PAGES };
	unsigned long changed = ended(TEST_END_CHANGED);
	char *mem = with_shadows();
	pthread_t thread;
	int on = 1, off = 0;

	must(!ioctl(shadow_fd, TEST_MOVE_NOTIFIER, &on), "a secondary MMU");
	must(!ioctl(shadow_fd, TEST_MOVE_HOLD_UP, &on), "hold up");
	must(!pthread_create(&thread, NULL, unmap_half, mem), "thread");
	must(!ioctl(shadow_fd, TEST_MOVE_HELD), "munmap is held up");
	EXPECT_EQ(shadows(shadow_fd), SHADOW_PAGES);
	must(!ioctl(shadow_fd, TEST_MOVE_SWEEP, &sweep), "sweep");
	EXPECT_EQ(sweep.dropped, SHADOW_PAGES / 2);
	EXPECT_EQ(ended(TEST_END_CHANGED) - changed, SHADOW_PAGES / 2);
	EXPECT_EQ(shadows(shadow_fd), SHADOW_PAGES / 2);
	must(!ioctl(shadow_fd, TEST_MOVE_HOLD_UP, &off), "let go");
	must(!pthread_join(thread, NULL), "join");
	must(!ioctl(shadow_fd, TEST_MOVE_NOTIFIER, &off), "no secondary MMU");
	done(mem, "a sweep leaves alone what is just being unmapped");
}

/* The kernel writes into the process's memory, not the process itself. */
static void test_kernel_writes(void)
{
	char *mem = with_shadows();
	struct tally tally;
	int fd = open("/proc/self/mem", O_RDWR), pipes[2];

	must(fd >= 0, "/proc/self/mem");
	must(!pipe(pipes), "pipe");
	must(pwrite(fd, "proc", 4, (uintptr_t)mem + 3 * PAGE) == 4, "write to memory");
	must(write(pipes[1], "pipe", 4) == 4 && read(pipes[0], mem + 5 * PAGE, 4) == 4, "a pipe");
	tally = drive_once(shadow_fd, mem, SHADOW_PAGES, SLOW, &plain);
	EXPECT_EQ(tally.result[TEST_COPIED], 2);
	EXPECT(!memcmp(mem + 3 * PAGE, "proc", 4));
	EXPECT(!memcmp(mem + 5 * PAGE, "pipe", 4));
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
	done(mem, "what the kernel writes counts, too");
}

static void test_changes(void)
{
	char *mem = with_shadows(), *to;
	unsigned long changed = ended(TEST_END_CHANGED);
	struct tally tally;
	int status;
	pid_t child;

	must(!madvise(mem, 8 * PAGE, MADV_DONTNEED), "MADV_DONTNEED");
	must(!madvise(mem + 8 * PAGE, 8 * PAGE, MADV_FREE), "MADV_FREE");
	EXPECT_EQ(ended(TEST_END_CHANGED) - changed, 16);
	must(!mprotect(mem, SHADOW_PAGES * PAGE, PROT_READ) &&
	     !mprotect(mem, SHADOW_PAGES * PAGE, PROT_READ | PROT_WRITE), "mprotect");
	EXPECT_EQ(shadows(shadow_fd), SHADOW_PAGES - 16);
	child = fork();
	must(child >= 0, "fork");
	if (!child)
		_exit(0);
	must(waitpid(child, &status, 0) == child, "waitpid");
	EXPECT_EQ(shadows(shadow_fd), 0);
	done(mem, "they go with MADV_DONTNEED, MADV_FREE and fork, and stay with mprotect");

	mem = with_shadows();
	to = mremap(mem, SHADOW_PAGES * PAGE, 2 * SHADOW_PAGES * PAGE, MREMAP_MAYMOVE);
	must(to != MAP_FAILED, "mremap");
	/* It may have grown where it was. */
	EXPECT_EQ(shadows(shadow_fd), to == mem ? SHADOW_PAGES : 0);
	tally = drive_once(shadow_fd, to, SHADOW_PAGES, SLOW, &plain);
	EXPECT_EQ(tally_moved(&tally), SHADOW_PAGES);
	EXPECT_EQ(bad_pages(to, SHADOW_PAGES), 0);
	munmap(to + SHADOW_PAGES * PAGE, SHADOW_PAGES * PAGE);
	done(to, "they go with mremap");
}

static void test_reclaim(void)
{
	struct test_move_reclaim reclaim = { .node = SLOW, .nr = 100 };
	unsigned long pressure = ended(TEST_END_PRESSURE);
	char *mem = with_shadows();
	int fd;

	must(!ioctl(shadow_fd, TEST_MOVE_RECLAIM, &reclaim), "reclaim");
	EXPECT_EQ(reclaim.done, 100);
	EXPECT_EQ(shadows(shadow_fd), SHADOW_PAGES - 100);
	fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	must(fd >= 0 && write(fd, "2", 1) == 1, "drop_caches");
	close(fd);
	EXPECT_EQ(shadows(shadow_fd), 0);
	EXPECT_EQ(ended(TEST_END_PRESSURE) - pressure, SHADOW_PAGES - 100);
	EXPECT_EQ(drive_figures(shadow_fd, SLOW).recycled, 0);
	EXPECT_EQ(bad_pages(mem, SHADOW_PAGES), 0);
	done(mem, "they go when the host or the kernel wants the memory");

	mem = with_shadows();
	drive_watch(shadow_fd, 0);
	EXPECT_EQ(shadows(shadow_fd), 0);
	drive_watch(shadow_fd, getpid());
	done(mem, "they go when nobody watches any more");
}

void test_shadows(void)
{
	shadow_fd = drive_open(getpid());
	test_used();
	test_sweep();
	test_sweep_unmapping();
	test_kernel_writes();
	test_changes();
	test_reclaim();
	close(shadow_fd);
}

/* Free memory of a node, in pages; what the kernel keeps in its caches goes first. */
static long node_free(int node)
{
	char path[64], line[128];
	long kib = -1;
	FILE *file;
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	must(fd >= 0 && write(fd, "3", 1) == 1, "drop_caches");
	close(fd);
	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/meminfo", node);
	file = fopen(path, "r");
	must(file, path);
	while (fgets(line, sizeof(line), file)) {
		char *free = strstr(line, "MemFree:");

		if (free)
			kib = atol(free + strlen("MemFree:"));
	}
	fclose(file);
	must(kib >= 0, "MemFree");
	return kib / 4;
}

static long number_in(const char *path)
{
	FILE *file = fopen(path, "r");
	long number = -1;

	if (file && fscanf(file, "%ld", &number) != 1)
		number = -1;
	if (file)
		fclose(file);
	return number;
}

/* One process that is moved about by all ways, and goes. */
static void memory_round(bool watched_to_the_end)
{
	pid_t child = fork();
	int status;

	must(child >= 0, "fork");
	if (!child) {
		int fd = drive_open(getpid());
		char *mem = map_pages(MEMORY_PAGES);
		struct tally tally = {};

		fill_pages(mem, MEMORY_PAGES);
		drive(fd, mem, MEMORY_PAGES, SLOW, &plain, &tally);
		drive(fd, mem, MEMORY_PAGES, FAST, &keeping, &tally);
		memset(mem, 1, MEMORY_PAGES / 3 * PAGE);
		drive(fd, mem, MEMORY_PAGES, SLOW, &by_table, &tally);
		drive(fd, mem, MEMORY_PAGES, FAST, &keeping, &tally);
		if (!watched_to_the_end)
			close(fd);
		_exit(tally.kept && tally.result[TEST_REMAPPED] ? 0 : 1);
	}
	must(waitpid(child, &status, 0) == child, "waitpid");
	EXPECT_EQ(status, 0);
}

/* Shadows are charged to no cgroup: its usage stays, whatever its pages leave behind. */
static void test_charge(void)
{
	const char *group = "/sys/fs/cgroup/movers";
	char path[128], text[32];
	long before, after;
	char *mem;
	int fd;

	fd = open("/sys/fs/cgroup/cgroup.subtree_control", O_WRONLY);
	if (fd < 0 || write(fd, "+memory", 7) != 7 || mkdir(group, 0755)) {
		test_skip("shadows are charged to nobody", "no memory cgroups");
		return;
	}
	close(fd);
	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	fd = open(path, O_WRONLY);
	snprintf(text, sizeof(text), "%d", getpid());
	must(fd >= 0 && write(fd, text, strlen(text)) > 0, path);
	close(fd);

	shadow_fd = drive_open(getpid());
	mem = map_pages(MEMORY_PAGES);
	fill_pages(mem, MEMORY_PAGES);
	drain_lru();
	drive_once(shadow_fd, mem, MEMORY_PAGES, SLOW, &plain);
	snprintf(path, sizeof(path), "%s/memory.current", group);
	before = number_in(path);
	drain_lru();
	EXPECT(drive_once(shadow_fd, mem, MEMORY_PAGES, FAST, &keeping).kept > MEMORY_PAGES / 2);
	after = number_in(path);
	test_note("memory.current %ld before, %ld with %lu shadows", before, after,
		  shadows(shadow_fd));
	EXPECT(before > (long)(MEMORY_PAGES * PAGE));
	EXPECT(labs(after - before) < (long)(MEMORY_PAGES / 4 * PAGE));
	munmap(mem, MEMORY_PAGES * PAGE);
	after = number_in(path);
	EXPECT(after < before - (long)(MEMORY_PAGES / 2 * PAGE));
	test_done("shadows are charged to nobody, and what they left is uncharged");
	close(shadow_fd);
	fd = open("/sys/fs/cgroup/cgroup.procs", O_WRONLY);
	must(fd >= 0 && write(fd, text, strlen(text)) > 0, "back to the root cgroup");
	close(fd);
	rmdir(group);
}

static unsigned long went(const struct test_move_figures *figures)
{
	unsigned long sum = 0;
	unsigned int i;

	for (i = 0; i < TEST_MOVE_ENDS; i++)
		sum += figures->ended[i];
	return sum;
}

void test_memory(void)
{
	int fd = drive_open(0), node;
	struct test_move_figures figures;
	unsigned long kept[2];
	long before[2], after[2];
	unsigned int i;

	memory_round(false);
	for (node = FAST; node <= SLOW; node++) {
		kept[node] = drive_figures(fd, node).kept;
		before[node] = node_free(node);
	}
	for (i = 0; i < MEMORY_ROUNDS; i++)
		memory_round(i & 1);
	EXPECT_EQ(shadows(fd), 0);
	for (node = FAST; node <= SLOW; node++) {
		after[node] = node_free(node);
		figures = drive_figures(fd, node);
		test_note("node %d: %ld pages free before, %ld after %d rounds with %lu pages",
			  node, before[node], after[node], MEMORY_ROUNDS, MEMORY_PAGES);
		EXPECT(before[node] - after[node] < (long)MEMORY_PAGES);
		/* Each that was kept has gone, for one reason. */
		EXPECT_EQ(figures.kept, went(&figures));
		EXPECT_EQ(figures.kept > kept[node], node == SLOW);
	}
	test_done("no memory is lost");
	test_charge();
	close(fd);
}
