/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The watchdog: ends a call into a policy that lasts longer than the family's budget, and puts a
 * policy that takes too large a share of a CPU in quarantine.
 *
 * Each CPU that calls policies has a timer of TIFFIN_WATCHDOG_NS. A tick that hits a call is
 * counted in the call's frame, so a call is timed without a clock being read for it. A tick that
 * finds that no call has come since the one before stops the timer, and the next call starts it
 * again: a CPU that is idle has none.
 *
 * Where a call keeps interrupts disabled its own CPU's timer does not come. A neighbour looks after
 * it, at a longer interval and only while that CPU's timer should be running, and sends it an NMI.
 *
 * A nohz_full CPU that calls policies has its timer as any other: who does not want that keeps
 * policies off it. The neighbour is a CPU that may have timers for others, where there is one.
 *
 * Invariants:
 *  R1. A call is ended only where it has run for longer than the budget: calls that are nested in
 *	it begin and end as they please, and are not blamed for it, nor it for them; nor is it for
 *	other work of interrupts that hold it up.
 *  R2. Ticks count what a CPU has run: where it was kept waiting, as virtual CPUs are by their
 *	host, that counts for nothing. A call may last longer than its budget for that, by the
 *	clock.
 *  R3. No timer runs on a CPU that has called no policy for two ticks and looks after no other.
 *  R4. A call is ended in the policy's own text at once; in a function of the kernel that the
 *	policy has called, when that function returns. Nothing of the kernel is cut short.
 *  R5. Where a CPU's timer runs, another CPU looks after it, or was asked to, if one is online.
 *	Who starts the timer says so first, and then looks whether there is a neighbour; a neighbour
 *	that ends says so first, and then looks whether the timer runs; each with a full barrier
 *	between. So at least one of them sees the other, and asks.
 */
#ifndef TIFFIN_CORE_WATCHDOG_H
#define TIFFIN_CORE_WATCHDOG_H

#include <linux/linkage.h>
#include <linux/percpu.h>
#include <linux/time64.h>
#include <linux/types.h>

#define TIFFIN_WATCHDOG_NS	(2 * NSEC_PER_MSEC)

/* Not 0 where the next call has to tell the timer that there are calls, or to start it. */
DECLARE_PER_CPU(u8, tiffin_watchdog_idle);

/*
 * Tell it, or start it; tiffin_guard_call() asks for it. Context: any but NMI, preemption disabled.
 */
asmlinkage void tiffin_watchdog_start(void);

/*
 * Have a CPU look, by an NMI, whether the call that is under way there lasts too long with
 * interrupts disabled. Context: any.
 */
void tiffin_watchdog_poke(int cpu);

/* Process context, may sleep. */
int tiffin_watchdog_init(void);

/* The same; no call comes any more. */
void tiffin_watchdog_exit(void);

#endif /* TIFFIN_CORE_WATCHDOG_H */
