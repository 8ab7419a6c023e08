// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps a machine with swap short of memory for so many seconds, or until SIGTERM:
 * hog SECONDS FILE...
 *
 * Two children have the memory. The keeper takes all but a little, and goes through it all the
 * time. Then the taker takes the rest, until half of swap is in use, goes through what it has for
 * a while, and takes on until the OOM killer ends it, which prefers it to all others. The
 * parent starts whichever has ended anew. All of this is done step by step, with pauses, so that
 * others get to run, and the FILEs stay in memory: without its programs a machine stands still.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE		4096ul
#define TAKE		256	/* pages between two pauses */
#define WALK		64
#define TAKE_MS		2	/* pauses */
#define WALK_MS		10
#define HOLD_S		2	/* the taker, before it takes on */
#define KEEPER_LEAVES	32768	/* KiB, of what is available */
#define MOST		(4ul << 30)	/* bytes of address space; more than there is of memory */

struct memory {
	char *start;
	size_t pages;	/* that have been touched */
	size_t at;	/* where the walk is */
};

static void pause_ms(long ms)
{
	struct timespec t = { .tv_nsec = ms * 1000000 };

	nanosleep(&t, NULL);
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* A line of /proc/meminfo, in KiB; a child that can't read it starts anew. */
static long read_kib(const char *name)
{
	char text[4096];
	int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	const char *line;

	if (n <= 0)
		_exit(1);
	close(fd);
	text[n] = 0;
	line = strstr(text, name);
	if (!line)
		_exit(1);
	return atol(line + strlen(name));
}

/* Not all one word: zram would not need memory for that. */
static void touch(struct memory *mem, size_t page)
{
	char *at = mem->start + page * PAGE;

	memcpy(at, &page, sizeof(page));
	at[PAGE / 2]++;
}

static void take(struct memory *mem)
{
	for (int i = 0; i < TAKE && mem->pages < MOST / PAGE; i++)
		touch(mem, mem->pages++);
	pause_ms(TAKE_MS);
}

static void walk(struct memory *mem)
{
	for (int i = 0; i < WALK && mem->pages; i++)
		touch(mem, mem->at++ % mem->pages);
	pause_ms(WALK_MS);
}

static void keeper(struct memory *mem)
{
	for (;;) {
		if (read_kib("MemAvailable:") > KEEPER_LEAVES)
			take(mem);
		else
			walk(mem);
	}
}

static void taker(struct memory *mem)
{
	long half = read_kib("SwapTotal:") / 2;
	time_t begin;

	/* What it had is to be taken again: little, and so soon. */
	while (read_kib("MemAvailable:") > KEEPER_LEAVES)
		pause_ms(WALK_MS);
	while (read_kib("SwapFree:") > half)
		take(mem);
	begin = now();
	while (now() - begin < HOLD_S)
		walk(mem);
	for (;;)
		take(mem);
}

/* @adj: for the OOM killer. A child that can't be told from others by it must not be. */
static pid_t start(void (*work)(struct memory *), const char *adj)
{
	struct memory mem = { 0 };
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, adj, strlen(adj)) < 0)
		_exit(1);
	close(fd);
	mem.start = mmap(NULL, MOST, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem.start == MAP_FAILED || nice(19) < 0)
		_exit(1);
	work(&mem);
	_exit(1);
}

static bool lock_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *text;

	if (fd < 0 || fstat(fd, &st))
		return false;
	text = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	return text != MAP_FAILED && !mlock(text, st.st_size);
}

int main(int argc, char **argv)
{
	const struct {
		void (*work)(struct memory *mem);
		const char *adj;
	} part[] = { { keeper, "0" }, { taker, "1000" } };
	const struct timespec between = { .tv_nsec = 50000000 };
	pid_t pid[2] = { -1, -1 };
	unsigned int starts[2] = { 0 };
	sigset_t term;
	time_t end;

	if (argc < 2 || atol(argv[1]) <= 0) {
		fprintf(stderr, "usage: hog SECONDS FILE...\n");
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		if (!lock_file(argv[i])) {
			fprintf(stderr, "hog: %s can't be kept in memory\n", argv[i]);
			return 2;
		}
	}
	end = now() + atol(argv[1]);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	do {
		for (int i = 0; i < 2; i++) {
			/* A fork fails where memory is short: again, then. */
			if (pid[i] > 0 && !waitpid(pid[i], NULL, WNOHANG))
				continue;
			pid[i] = start(part[i].work, part[i].adj);
			starts[i] += pid[i] > 0;
		}
	} while (sigtimedwait(&term, NULL, &between) < 0 && now() < end);
	for (int i = 0; i < 2; i++) {
		if (pid[i] > 0) {
			kill(pid[i], SIGKILL);
			waitpid(pid[i], NULL, 0);
		}
	}
	printf("keeper started %u times, taker %u\n", starts[0], starts[1]);
	return 0;
}
