// SPDX-License-Identifier: GPL-2.0-only
/* The gate between hook callers and the active instance; protocol and invariants in gate.h. */

#include <linux/cpu.h>
#include <linux/irqflags.h>
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/sched/clock.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>

#include "core/scope.h"
#include "gate.h"

static DEFINE_MUTEX(tiffin_one_gate);

/*
 * The clock of all limits here. local_clock() would not do: with interrupts off it may stand still
 * (it rests on ticks where the TSC is unstable or missing), and no limit would ever be over.
 */
static u64 tiffin_gate_clock(void)
{
	return ktime_get_mono_fast_ns();
}

int tiffin_gate_init(struct tiffin_gate *gate, struct tiffin_instance *active)
{
	gate->cpu = alloc_percpu(struct tiffin_gate_cpu);
	if (!gate->cpu)
		return -ENOMEM;
	gate->word = TIFFIN_GATE_OPEN;
	gate->active = active;
	return 0;
}

void tiffin_gate_exit(struct tiffin_gate *gate)
{
	free_percpu(gate->cpu);
}

/* The call has counted itself. Let it in unless the gate is closed to it. */
static bool tiffin_gate_try(struct tiffin_gate *gate)
{
	/* Between the count and the read: against the swap's barrier between word and counts. */
	smp_mb();
	/* Who finds it open sees what the flip wrote. */
	if (smp_load_acquire(&gate->word) == TIFFIN_GATE_CLOSED &&
	    !this_cpu_read(gate->cpu->inside)) {
		this_cpu_dec(gate->cpu->entered);
		return false;
	}
	this_cpu_inc(gate->cpu->inside);
	return true;
}

bool tiffin_gate_wait(struct tiffin_scope *scope, u32 hook)
{
	struct tiffin_gate *gate = &scope->gate;
	u32 limit = READ_ONCE(scope->family->limits.hold_ns);
	u64 start, waited = 0;
	bool in;

	if (tiffin_gate_try(gate))
		return true;
	if (this_cpu_read(gate->cpu->entered))
		return false;

	start = tiffin_gate_clock();
	do {
		while (READ_ONCE(gate->word) == TIFFIN_GATE_CLOSED && waited < limit) {
			cpu_relax();
			waited = tiffin_gate_clock() - start;
		}
		this_cpu_inc(gate->cpu->entered);
		this_cpu_write(gate->cpu->hook, hook);
		in = tiffin_gate_try(gate);
	} while (!in && waited < limit);

	waited = tiffin_gate_clock() - start;
	this_cpu_inc(scope->figures->held);
	tiffin_hist_add(scope->hold_hist, waited);
	return in;
}

/* A CPU that has a call counted, or -1. */
static int tiffin_gate_busy_cpu(struct tiffin_gate *gate)
{
	int cpu;

	for_each_online_cpu(cpu)
		if (READ_ONCE(per_cpu_ptr(gate->cpu, cpu)->entered))
			return cpu;
	return -1;
}

static void tiffin_gate_barrier(void *unused)
{
	/* A count of this CPU comes before what the swap reads after (1). */
	smp_mb();
}

int tiffin_gate_flip(struct tiffin_gate *gate, struct tiffin_instance *next, u32 close_us,
		     struct tiffin_gate_report *report)
{
	u64 start, now, limit = (u64)close_us * NSEC_PER_USEC;
	unsigned long flags;
	int busy, rc = -EAGAIN;

	mutex_lock(&tiffin_one_gate);
	cpus_read_lock();

	WRITE_ONCE(gate->word, TIFFIN_GATE_SLOW);
	on_each_cpu(tiffin_gate_barrier, NULL, 1);

	/* For those that convert at the flip: the clock of hooks. */
	now = local_clock();
	local_irq_save(flags);
	start = tiffin_gate_clock();
	WRITE_ONCE(gate->word, TIFFIN_GATE_CLOSED);
	/* Between word and counts: against the barrier in tiffin_gate_try(). */
	smp_mb();
	while ((busy = tiffin_gate_busy_cpu(gate)) >= 0 && tiffin_gate_clock() - start < limit)
		cpu_relax();
	if (busy < 0) {
		/* What calls did inside comes before the flip: pairs with their leaving. */
		smp_mb();
		rc = tiffin_instance_flip(gate->active, next, gate->epoch + 1, now);
		if (!rc) {
			WRITE_ONCE(gate->active, next);
			WRITE_ONCE(gate->epoch, gate->epoch + 1);
		}
	} else {
		report->busy_hook = READ_ONCE(per_cpu_ptr(gate->cpu, busy)->hook);
	}
	/* What the flip wrote comes first: pairs with the callers' reading of the word. */
	smp_store_release(&gate->word, TIFFIN_GATE_OPEN);
	report->closed_ns = tiffin_gate_clock() - start;
	local_irq_restore(flags);

	cpus_read_unlock();
	mutex_unlock(&tiffin_one_gate);
	report->busy_cpu = busy;
	return rc;
}
