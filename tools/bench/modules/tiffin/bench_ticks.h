/* SPDX-License-Identifier: GPL-2.0-only */
/* How calls are counted. Where QEMU counts instructions (-icount shift=0) a tick is one. */
#ifndef TIFFIN_BENCH_TICKS_H
#define TIFFIN_BENCH_TICKS_H

#include <linux/compiler.h>
#include <linux/irqflags.h>
#include <linux/minmax.h>
#include <asm/msr.h>

#define BENCH_CALLS	1000
#define BENCH_TRIES	32	/* the least of them counts: the others were disturbed */

/*
 * @statement so many times; the caller has variables in, out and i. A loop for each way, as a
 * choice within it would be counted too.
 */
#define BENCH_LOOP(statement)						\
	do {								\
		for (i = 0; i < BENCH_CALLS; i++) {			\
			barrier_data(&in);				\
			statement;					\
			barrier_data(&out);				\
		}							\
	} while (0)

/* The ticks that @calls takes, interrupts off. */
static u64 bench_ticks(void (*calls)(unsigned int way), unsigned int way)
{
	u64 start, took, least = U64_MAX;
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < BENCH_TRIES; i++) {
		local_irq_save(flags);
		start = rdtsc_ordered();
		calls(way);
		took = rdtsc_ordered() - start;
		local_irq_restore(flags);
		least = min(least, took);
	}
	return least;
}

#endif /* TIFFIN_BENCH_TICKS_H */
