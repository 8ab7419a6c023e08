// SPDX-License-Identifier: GPL-2.0-only
/* What processes do with their memory while it is being moved: nothing of it may go wrong. */

#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "drive.h"

#define LIFE_PAGES	128ul

/* Moves of all of it, at least, and at most where some way has not met with success by then. */
#define LIFE_ROUNDS	10
#define LIFE_ROUNDS_MAX	400

/**
 * struct life - shared with the process
 * @mem: where its memory is; it may not be there any more
 * @ready: it is filled
 * @stop: enough
 * @times: how often it has done what it does
 */
struct life {
	char *mem;
	bool ready;
	bool stop;
	unsigned long times;
};

static volatile struct life *life;

/* Each takes the memory in the state of fill_pages() and leaves it so; false: that was not so. */

static bool life_fork(char **mem)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return false;
	if (!child) {
		/* A page of its own, and one that stays shared. */
		memset(*mem, 1, PAGE);
		_exit(bad_pages(*mem, LIFE_PAGES) == 1 ? 0 : 1);
	}
	(*mem)[PAGE] ^= 1;
	(*mem)[PAGE] ^= 1;
	return waitpid(child, &status, 0) == child && !status;
}

static bool life_mremap(char **mem)
{
	char *to = map_pages(LIFE_PAGES);
	size_t i;

	/* Onto what was mapped there; what was written just now goes along. */
	for (i = 0; i < LIFE_PAGES; i++)
		(*mem)[i * PAGE] ^= 1;
	to = mremap(*mem, LIFE_PAGES * PAGE, LIFE_PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	if (to == MAP_FAILED)
		return false;
	for (i = 0; i < LIFE_PAGES; i++)
		to[i * PAGE] ^= 1;
	*mem = to;
	life->mem = to;
	return true;
}

static bool life_mprotect(char **mem)
{
	size_t i;

	for (i = 0; i < LIFE_PAGES; i += 3)
		(*mem)[i * PAGE] ^= 1;
	if (mprotect(*mem, LIFE_PAGES * PAGE, PROT_READ) ||
	    mprotect(*mem, LIFE_PAGES * PAGE, PROT_READ | PROT_WRITE))
		return false;
	for (i = 0; i < LIFE_PAGES; i += 3)
		(*mem)[i * PAGE] ^= 1;
	return true;
}

static bool life_dontneed(char **mem)
{
	const size_t half = LIFE_PAGES / 2;
	size_t i;

	if (madvise(*mem + half * PAGE, half * PAGE, MADV_DONTNEED))
		return false;
	for (i = half; i < LIFE_PAGES; i++) {
		if ((*mem)[i * PAGE + 8])
			return false;
	}
	fill_pages(*mem, LIFE_PAGES);
	return true;
}

/* What was freed lazily is moved plainly alone from then on, so half is not. */
static bool life_free(char **mem)
{
	const size_t half = LIFE_PAGES / 2;

	if (madvise(*mem + half * PAGE, half * PAGE, MADV_FREE))
		return false;
	/* Whatever is freed: what is written from now on stays. */
	fill_pages(*mem, LIFE_PAGES);
	return true;
}

static bool life_swap(char **mem)
{
	(*mem)[life->times % LIFE_PAGES * PAGE] ^= 1;
	if (madvise(*mem, LIFE_PAGES * PAGE, MADV_PAGEOUT))
		return false;
	(*mem)[life->times % LIFE_PAGES * PAGE] ^= 1;
	return true;
}

static bool life_mlock(char **mem)
{
	return !mlock(*mem, LIFE_PAGES * PAGE) && !munlock(*mem, LIFE_PAGES * PAGE);
}

static bool life_munmap(char **mem)
{
	const size_t half = LIFE_PAGES / 2;

	if (mmap(*mem + half * PAGE, half * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		return false;
	fill_pages(*mem, LIFE_PAGES);
	return true;
}

/* The kernel frees page tables with mmap_lock for reading, where the mover may have it, too. */
static bool life_unmap(char **mem)
{
	if (munmap(*mem, LIFE_PAGES * PAGE))
		return false;
	*mem = map_pages(LIFE_PAGES);
	life->mem = *mem;
	fill_pages(*mem, LIFE_PAGES);
	return true;
}

static void live(bool (*act)(char **mem))
{
	char *mem = map_pages(LIFE_PAGES);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pin_to(1);
	fill_pages(mem, LIFE_PAGES);
	life->mem = mem;
	life->ready = true;
	while (!life->stop) {
		if (!act(&mem) || bad_pages(mem, LIFE_PAGES))
			_exit(1);
		life->times++;
		usleep(200);
	}
	_exit(0);
}

/* Pages went by each way. Shadows are mapped where what is done leaves them: @remaps. */
static bool life_enough(const struct tally *tally, bool remaps)
{
	return tally->result[TEST_COPIED] && tally->result[TEST_COMMITTED] && tally->by_table &&
	       tally->by_window && tally->kept && (!remaps || tally->result[TEST_REMAPPED]);
}

/* Move the memory of a process to and fro while it does something to it again and again. */
static void life_test(const char *name, bool (*act)(char **mem), bool remaps, unsigned int seconds)
{
	static const struct way keeping_plain = { "plain with shadows", 0, TEST_MOVE_KEEP, 0 };
	const struct way *ways[] = { &keeping, &plain, &by_window, &by_table, &keeping_plain };
	struct tally tally = {};
	unsigned int i = 0;
	uint64_t end;
	pid_t user;
	int fd, status;

	memset((void *)life, 0, sizeof(*life));
	user = fork();
	must(user >= 0, "fork");
	if (!user)
		live(act);
	while (!life->ready)
		usleep(1000);
	fd = drive_open(user);
	end = now_ns() + seconds * 1000000000ull;
	do {
		EXPECT_EQ(drive(fd, life->mem, LIFE_PAGES, i & 1 ? FAST : SLOW, ways[i % 5],
				&tally), 0);
		i++;
	} while (now_ns() < end || i < LIFE_ROUNDS ||
		 (i < LIFE_ROUNDS_MAX && !life_enough(&tally, remaps)));
	life->stop = true;
	must(waitpid(user, &status, 0) == user, "waitpid");
	EXPECT_EQ(status, 0);
	EXPECT(life_enough(&tally, remaps));
	EXPECT(life->times > 0);
	EXPECT_EQ(shadows(fd), 0);
	test_note("%s: %lu times: %lu copied, %lu committed, %lu remapped, %lu aborted, %lu refused",
		  name, life->times, tally.result[TEST_COPIED], tally.result[TEST_COMMITTED],
		  tally.result[TEST_REMAPPED], tally.result[TEST_ABORTED],
		  tally.result[TEST_REFUSED]);
	test_done("under way: %s", name);
	close(fd);
}

/* A process ends, by exit or by exec, while its memory is moved. */
static void life_end(const char *name, bool exec)
{
	unsigned int times, gone = 0;
	struct tally tally = {};
	int fd = -1, status, err;
	pid_t user;

	for (times = 0; times < 10; times++) {
		memset((void *)life, 0, sizeof(*life));
		user = fork();
		must(user >= 0, "fork");
		if (!user) {
			life->mem = map_pages(LIFE_PAGES);
			fill_pages(life->mem, LIFE_PAGES);
			pin_to(1);
			life->ready = true;
			while (!life->stop)
				;
			if (exec)
				execl("/bin/true", "true", NULL);
			_exit(0);
		}
		while (!life->ready)
			usleep(1000);
		fd = drive_open(user);
		err = drive(fd, life->mem, LIFE_PAGES, SLOW, &plain, &tally);
		EXPECT_EQ(err, 0);
		err = drive(fd, life->mem, LIFE_PAGES, FAST, &keeping, &tally);
		EXPECT_EQ(err, 0);
		life->stop = true;
		do {
			err = drive(fd, life->mem, LIFE_PAGES, SLOW, &plain, &tally);
			if (!err)
				err = drive(fd, life->mem, LIFE_PAGES, FAST, &keeping, &tally);
		} while (!err);
		EXPECT_EQ(err, -ESRCH);
		gone += err == -ESRCH;
		must(waitpid(user, &status, 0) == user, "waitpid");
		EXPECT_EQ(status, 0);
		/* The mover has not kept the memory: the process itself took it down. */
		EXPECT_EQ(shadows(fd), 0);
		close(fd);
	}
	EXPECT_EQ(gone, times);
	EXPECT(tally.kept > 0);
	test_done("under way: %s, and its shadows are gone", name);
}

void test_life(unsigned int seconds)
{
	life = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(life != MAP_FAILED, "mmap");
	life_test("fork", life_fork, false, seconds);
	life_test("mremap", life_mremap, false, seconds);
	life_test("mprotect", life_mprotect, true, seconds);
	life_test("MADV_DONTNEED", life_dontneed, false, seconds);
	life_test("MADV_FREE", life_free, false, seconds);
	life_test("MADV_PAGEOUT", life_swap, false, seconds);
	life_test("mlock", life_mlock, true, seconds);
	life_test("another mapping in its place", life_munmap, false, seconds);
	life_test("munmap, and a new mapping", life_unmap, false, seconds);
	life_end("exit", false);
	life_end("exec", true);
}
