// SPDX-License-Identifier: GPL-2.0-only
/* Threads that play CPUs and ask; see callers.h. */
#include <signal.h>
#include <unistd.h>

#include "callers.h"

static struct caller {
	pthread_t thread;
	u64 asked;
} __aligned(64) callers[MAX_CALLERS];

static void (*question)(unsigned int caller, bool nested);
static unsigned int nr_callers;
static bool ticks;
static pthread_t ticker;
static u32 stop, park, parked;

static void interrupt(void)
{
	if (shim_cpu && shim_cpu <= nr_callers && !READ_ONCE(park))
		question(shim_cpu - 1, true);
}

static void *call(void *data)
{
	struct caller *me = data;

	shim_cpu_start(me - callers + 1);
	while (!READ_ONCE(stop)) {
		question(me - callers, false);
		WRITE_ONCE(me->asked, me->asked + 1);
		if (!READ_ONCE(park))
			continue;
		__atomic_add_fetch(&parked, 1, __ATOMIC_SEQ_CST);
		while (READ_ONCE(park))
			usleep(50);
		__atomic_sub_fetch(&parked, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static void *interrupts(void *unused)
{
	unsigned int i;

	while (!READ_ONCE(stop)) {
		for (i = 0; i < nr_callers; i++)
			pthread_kill(callers[i].thread, SIGUSR1);
		usleep(200);
	}
	return NULL;
}

bool callers_start(unsigned int nr, bool signals, void (*ask)(unsigned int caller, bool nested))
{
	unsigned int i;

	question = ask;
	nr_callers = nr;
	ticks = signals;
	shim_interrupts(interrupt);
	for (i = 0; i < nr; i++)
		if (pthread_create(&callers[i].thread, NULL, call, &callers[i]))
			return false;
	return !ticks || !pthread_create(&ticker, NULL, interrupts, NULL);
}

void callers_stop(void)
{
	unsigned int i;

	WRITE_ONCE(stop, 1);
	if (ticks)
		pthread_join(ticker, NULL);
	for (i = 0; i < nr_callers; i++)
		pthread_join(callers[i].thread, NULL);
}

void callers_let_run(void)
{
	unsigned int i;
	u64 before;

	for (i = 0; i < nr_callers; i++) {
		before = READ_ONCE(callers[i].asked);
		while (READ_ONCE(callers[i].asked) == before)
			usleep(20);
	}
}

void callers_park(void)
{
	WRITE_ONCE(park, 1);
	while (READ_ONCE(parked) != nr_callers)
		usleep(20);
}

void callers_go_on(void)
{
	WRITE_ONCE(park, 0);
	while (READ_ONCE(parked))
		usleep(20);
}
