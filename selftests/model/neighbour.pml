/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who looks after a CPU while its watchdog's timer runs, as a model for spin: R5 of
 * framework/core/watchdog.h. One CPU starts and stops its timer for ever; a neighbour is asked,
 * looks, and ends.
 *
 * Memory is that of x86 (TSO), as in gate.pml: here a CPU has one store at a time that matters, so
 * a buffer is one place. A step is what one CPU does between two points where the other could tell.
 *
 * Defined by ./run:
 *	ONLY		the one assertion that counts
 *	BREAK_*		breaks the protocol on purpose
 */

mtype = {
	R5_looked_after,	/* where the timer runs, the neighbour looks or was asked to */
	R5_one_asks		/* nobody asks while somebody is being asked, or looks */
};

#ifdef ONLY
#define holds(name, condition)	assert(name != ONLY || (condition))
#else
#define holds(name, condition)	assert(name && (condition))
#endif

/* As memory has them: the timer runs; struct tiffin_watchdog.watched */
bool running, watched;

/* A store that is still in the buffer of its CPU, and its value; the neighbour's is false. */
bool cpu_stores, cpu_value;
bool neighbour_stores;

/* The kick is on its way; the neighbour's timer is set, or has just come */
bool kicked, looking;

/* What only the assertions look at: the CPU is past its start; the neighbour is about to end */
bool started, ending;

/* smp_mb(), or an exchange: what the CPU stores is in memory. */
inline barrier(stores, place, value)
{
	if
	:: stores -> place = value; stores = false
	:: else
	fi
}

/* tiffin_watchdog_ask() */
inline ask(stores, place, value)
{
#ifdef BREAK_NO_EXCHANGE
	atomic { barrier(stores, place, value); was = watched };
	watched = true;
#elif defined(BREAK_ASK_NO_BARRIER)
	atomic { was = watched; watched = true };
#else
	atomic { barrier(stores, place, value); was = watched; watched = true };
#endif
	if
	:: was
	:: else ->
		atomic {
			holds(R5_one_asks, !kicked && (!looking || ending));
			kicked = true
		}
	fi
}

/* The CPU: tiffin_watchdog_start(), and the beat that stops the timer */
active proctype cpu()
{
	bool was;

	do
	::	atomic { barrier(cpu_stores, running, cpu_value); cpu_value = true; cpu_stores = true };
		ask(cpu_stores, running, cpu_value);
		started = true;
		atomic {
			started = false;
			barrier(cpu_stores, running, cpu_value);
			cpu_value = false;
			cpu_stores = true
		}
	od
}

/* tiffin_watchdog_kick() and tiffin_watchdog_look() */
active proctype neighbour()
{
	bool was;

	do
	:: atomic { kicked -> kicked = false; looking = true }
	/* It may look for the last time whatever the timer does: the kernel may have moved it. */
	:: looking ->
		/* tiffin_watchdog_let_go() */
		atomic { ending = true; barrier(neighbour_stores, watched, false); neighbour_stores = true };
#ifndef BREAK_LET_GO_NO_BARRIER
		atomic { barrier(neighbour_stores, watched, false) };
#endif
#ifndef BREAK_LOOKS_NO_MORE
		if
		:: running -> ask(neighbour_stores, watched, false)
		:: else
		fi;
#endif
		atomic { looking = false; ending = false }
	od
}

/* A buffer is emptied at any time. */
active proctype memory()
{
	do
	:: atomic { cpu_stores -> barrier(cpu_stores, running, cpu_value) }
	:: atomic { neighbour_stores -> barrier(neighbour_stores, watched, false) }
	od
}

active proctype invariants()
{
	do
	:: atomic {
		started && !ending && !cpu_stores && !neighbour_stores ->
			holds(R5_looked_after, kicked || looking)
	}
	od
}
