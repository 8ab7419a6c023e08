/* SPDX-License-Identifier: GPL-2.0-only */
/* How a test steers the shim: CPUs, interrupts, time, failing allocations, and what it saw. */
#ifndef TIFFIN_SHIM_H
#define TIFFIN_SHIM_H

#include "shim_kernel.h"

/**
 * struct shim - one for the whole program
 * @virtual_time: time passes only by waiting (cpu_relax(), usleep_range()) and by shim_advance()
 * @on_relax: called each time that somebody waits in a loop, in virtual time; may be NULL
 * @on_sleep: called each time that somebody has slept, in virtual time; may be NULL
 * @before_lock: called each time that a mutex is about to be locked; may be NULL. The place to let
 *	another thread's deeds happen just then.
 * @fatal_signal: the process that makes requests is being killed
 */
struct shim {
	bool virtual_time;
	void (*on_relax)(void);
	void (*on_sleep)(void);
	void (*before_lock)(struct mutex *mutex);
	bool fatal_signal;
};

extern struct shim shim;

/* One cpu_relax() of virtual time. */
#define SHIM_RELAX_NS	10

/* The calling thread plays CPU @cpu from here on. */
void shim_cpu_start(unsigned int cpu);

/* Call @handler on the thread that a SIGUSR1 is sent to, unless it has interrupts off: then later. */
void shim_interrupts(void (*handler)(void));

/* Let virtual time pass and do the work that falls due, each at its time. */
void shim_advance(u64 ns);

/* The allocation number @nth from now fails, from 1; 0: none does. */
void shim_fail_allocation(unsigned int nth);

/* Has it failed yet? */
bool shim_allocation_failed(void);

/* Allocations that have not been freed, per-CPU ones included. */
long shim_allocations(void);

/* Uevents so far, and the value of a key of one of the last 64 (NULL where it has none). */
unsigned int shim_events(void);
const char *shim_event(unsigned int nr, const char *key);

#endif /* TIFFIN_SHIM_H */
