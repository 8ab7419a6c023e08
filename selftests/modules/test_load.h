/* SPDX-License-Identifier: GPL-2.0-only */
/* What makes the test family ask: threads and timers. */
#ifndef TIFFIN_TEST_LOAD_H
#define TIFFIN_TEST_LOAD_H

#include <linux/types.h>

#define TEST_MAX_THREADS	64
/* A day: for tests that end the load themselves. */
#define TEST_MAX_MS		86400000

/* Which timers ask, too. TEST_IRQS_OFF: none, and threads ask with interrupts disabled. */
enum test_ticks { TEST_NONE, TEST_ALL, TEST_SOFT, TEST_HARD, TEST_IRQS_OFF };

/* Put one question, by hook number. Context: any but NMI. */
void test_ask(u32 hook);

/* Once, before any test_load(). */
void test_load_init(void);

/**
 * test_load - call test_ask() as often as can be
 * @threads: from so many kernel threads, at most TEST_MAX_THREADS
 * @ms: for so long, at most TEST_MAX_MS
 * @ticks: and from these timers on each CPU; or how threads ask
 *
 * Context: process, one caller at a time. When it returns, all is quiet again.
 * Return: 0, -EINTR, or the error of a thread that could not be started.
 */
int test_load(unsigned int threads, unsigned int ms, enum test_ticks ticks);

#endif /* TIFFIN_TEST_LOAD_H */
