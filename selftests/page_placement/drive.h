/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of the movers share: TAP, the device, memory on two nodes. */
#ifndef DRIVE_H
#define DRIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "modules/test_move.h"

#define PAGE		4096ul
#define FAST		0
#define SLOW		1

/**
 * struct tally - what became of pages
 * @result: by TEST_COPIED and the like
 * @reason: by TEST_GONE and the like
 * @kept: shadows kept
 * @copied: bytes
 * @windows: how many
 * @by_table: noted in the page tables
 * @by_window: noted by windows
 * @unmapped_ns: longest time
 */
struct tally {
	unsigned long result[TEST_REFUSED + 1];
	unsigned long reason[TEST_REASONS];
	unsigned long kept;
	unsigned long copied;
	unsigned long windows;
	unsigned long by_table;
	unsigned long by_window;
	unsigned long unmapped_ns;
};

/* How pages are to be moved. */
struct way {
	const char *name;
	unsigned int method;
	unsigned int flags;
	unsigned int retries;
};

extern const struct way plain, by_table, by_window, keeping;

/* TAP: a test passes if all expectations since the last one held. */
void test_done(const char *format, ...) __attribute__((format(printf, 1, 2)));
void test_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
void test_skip(const char *name, const char *why);
bool test_expect(bool ok, const char *file, int line, const char *what, long a, long b);

#define EXPECT(cond)		test_expect(cond, __FILE__, __LINE__, #cond, 0, 0)
#define EXPECT_EQ(a, b)								\
	({									\
		long a_ = (a), b_ = (b);					\
										\
		test_expect(a_ == b_, __FILE__, __LINE__, #a " == " #b, a_, b_);	\
	})

/* End with a message where the test can't go on. */
void must(bool ok, const char *what);

/* Open the device to watch a process; 0: none. */
int drive_open(pid_t pid);
void drive_watch(int fd, pid_t pid);

/* Move @pages pages from @addr on; add to @tally. Returns 0, or -ESRCH: the process is gone. */
int drive(int fd, const void *addr, size_t pages, int node, const struct way *way,
	  struct tally *tally);

/* The same in a tally of its own. */
struct tally drive_once(int fd, const void *addr, size_t pages, int node, const struct way *way);

/* Pages moved, whatever the way. */
unsigned long tally_moved(const struct tally *tally);

/*
 * Anonymous memory, each page with a content of its own, checked by bad_pages(). It stands between
 * two pages of no access, which stay: were it one mapping with its neighbours, the kernel would
 * invalidate all 2 MiB around where a test cuts it out of that, as huge pages would need.
 */
char *map_pages(size_t pages);
void fill_pages(char *mem, size_t pages);
size_t bad_pages(const char *mem, size_t pages);

/* How many of @pages pages are on a node. */
size_t pages_on(pid_t pid, const void *addr, size_t pages, int node);

struct test_move_figures drive_figures(int fd, int node);
/* Shadows on all nodes. */
unsigned long shadows(int fd);

/* Put all pages onto the LRU lists. */
void drain_lru(void);

/* Stay on a CPU. */
void pin_to(int cpu);
uint64_t now_ns(void);

/* The tests. */
void test_verify(unsigned int seconds);
void test_commit(unsigned int seconds);
void test_kinds(void);
void test_life(unsigned int seconds);
void test_shadows(void);
void test_memory(void);

#endif /* DRIVE_H */
