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
 * @before_cmpxchg: likewise, before a cmpxchg() of that word
 * @on_step: called wherever code that may sleep comes to something that others can see or be in
 *	the way of: an allocation, a lock, work, a sleep, an event; may be NULL
 * @on_wait: called again and again by who waits for another thread's lock, work or file; may be
 *	NULL. So a test can have two threads, of which one runs at a time.
 * @fatal_signal: the process that makes requests is being killed
 * @look_for: text; lines of the log that hold it are counted
 * @found: of these, how many there were
 */
struct shim {
	bool virtual_time;
	void (*on_relax)(void);
	void (*on_sleep)(void);
	void (*before_lock)(struct mutex *mutex);
	void (*before_cmpxchg)(const void *word);
	void (*on_step)(void);
	void (*on_wait)(void);
	bool fatal_signal;
	const char *look_for;
	unsigned int found;
};

extern struct shim shim;

/* One cpu_relax() of virtual time. */
#define SHIM_RELAX_NS	10

/* The calling thread plays CPU @cpu from here on. */
void shim_cpu_start(unsigned int cpu);

/*
 * A CPU other than the caller's goes off or comes back, with nothing under way on it. False: someone
 * holds the CPUs, so this would have to wait.
 */
bool shim_cpu_online(unsigned int cpu, bool online);

/* Call @handler on the thread that a SIGUSR1 is sent to, unless it has interrupts off: then later. */
void shim_interrupts(void (*handler)(void));

/* Let virtual time pass and do the work that falls due, each at its time. */
void shim_advance(u64 ns);

/*
 * Do the work that falls due, in real time, as one of the threads that play a workqueue, until
 * @stop is not 0. Each wants a CPU of its own.
 */
void shim_worker(const u32 *stop);

/* Threads that wait for work to end, so that it goes on when they are gone. */
unsigned int shim_waiting_for_work(void);

/* The allocation number @nth from now fails, from 1; 0: none does. */
void shim_fail_allocation(unsigned int nth);

/* From here on every allocation fails, or none any more. */
void shim_no_memory(bool none);

/* Has it failed yet? */
bool shim_allocation_failed(void);

/* Allocations that have not been freed, per-CPU ones included. */
long shim_allocations(void);

/*
 * The caller is in a file of @kobj's folder, until it closes it: who deletes the folder waits for
 * that. False: it is deleted, or is just being.
 */
bool shim_file_open(struct kobject *kobj);
void shim_file_close(struct kobject *kobj);

/* Taints of the kernel so far. */
unsigned int shim_taints(void);

/* Uevents so far, and the value of a key of one of the last 64 (NULL where it has none). */
unsigned int shim_events(void);
const char *shim_event(unsigned int nr, const char *key);

#endif /* TIFFIN_SHIM_H */
