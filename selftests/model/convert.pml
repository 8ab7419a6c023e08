/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Conversion of records as a model for spin: framework/core/store.c (a record is converted at first
 * touch), upgrade/sweep.c (or by the sweep), and the part of upgrade/swap.c that begins and ends a
 * sweep, lets go of the older store, and comes back to it. Each assertion bears the name of the
 * invariant in store.h, sweep.h or swap.h that it stands for.
 *
 * The gate is taken for what gate.pml shows of it: a call is in or out, and nothing flips while one
 * is in. Memory is in order here: what one call leaves to the next goes through the record's lock
 * word or its generation, by acquire and release.
 *
 * A step here is what one CPU does between two points where another could tell the difference.
 *
 * One process swaps, and again as soon as it may; each swap has records converted, and is kept or
 * rolled back at any moment. One is the sweep's worker. The others make calls: about an object that
 * has gone since (a late call), about the present one, or about the next one of that number.
 *
 * Defined by ./run:
 *	CALLERS		contexts that make calls: 1 or 2
 *	CALLS		calls of each
 *	OBJECTS		objects: 1 or 2
 *	SWAPS		swaps that are made, one after the other
 *	GENERATIONS	that an object may come to
 *	FORCED		a probation or a sweep may be ended for another policy (SysRq, a rescue)
 *	FAULTS		with FORCED: a call or a conversion may have to be ended, once; then comes the
 *			rescue
 *	SHARED		records are TIFFIN_SHARE_ATOMIC: lent to many calls, one of which converts
 *	ONLY		the one assertion that counts
 *	BREAK_*		breaks the protocol on purpose
 */

#ifndef CALLERS
#define CALLERS		2
#endif
#ifndef CALLS
#define CALLS		1
#endif
#ifndef OBJECTS
#define OBJECTS		1
#endif
#ifndef SWAPS
#define SWAPS		2
#endif

/* Of generations, the newest that an object may come to. Values count writes, and start again at 4. */
#ifndef GENERATIONS
#define GENERATIONS	3
#endif
#define WRITTEN(v)	((v + 1) % 4)

/* Stores: the active one, an older one, and one that is being made. */
#define STORES		3
#define NONE		STORES
#define AT(s, o)	((s) * OBJECTS + (o))

mtype = {
	S1_nobody_reads_freed,	/* nobody reads or writes a store that has been let go of */
	S1_nothing_leaks,	/* all stores but the active one are let go of in the end */
	S2_record_not_lost,	/* a record starts from zeros only for an object it did not belong to */
	S2_begins_anew,		/* one that an ended call had does, too */
	S3_alone,		/* a record is lent to one call at a time */
	S4_older_untouched,	/* a rollback finds the older store as it was at the flip */
	S5_converted_once,	/* a record is converted at most once after a flip */
	S5_from_the_flip,	/* from the values that it had at the flip */
	U2_back_to_the_flip,	/* after a rollback calls find what was there at the flip */
	W3_sweep_has_ended,	/* before its instance, or what that converts from */
	W4_as_at_the_flip,	/* what a forced end leaves to the next policy is as it was at the flip */
	W1_busy_meanwhile,	/* no swap is accepted before all records are converted */
	W2_overtaken_is_still	/* a sweep that a flip back has overtaken changes nothing more */
};

#ifdef ONLY
#define holds(name, condition)	assert(name != ONLY || (condition))
#else
#define holds(name, condition)	assert(name && (condition))
#endif

/* Stores: struct tiffin_record, struct tiffin_store_mem */
byte gen[STORES * OBJECTS];
byte val[STORES * OBJECTS];
bool lock[STORES * OBJECTS];
byte from[STORES];
byte refs[STORES];

/* The gate and the swap */
byte current;
bool closed;
byte inside;
bool section[CALLERS + 1];	/* runs with preemption disabled; the last is the worker */

mtype = { STABLE, PREPARING, PROBATION, SWEEPING };
mtype state = STABLE;

/* struct tiffin_sweep, and its work */
byte inst = NONE;
byte next_object;
bool pending, running;
#ifdef FORCED
bool stop;
byte kept = NONE;		/* struct tiffin_instance, of the active one */
#endif

/* Policies, by their store, that are in quarantine */
#ifdef FAULTS
bool bad[STORES];
bool faulted_once;
bool unmade;			/* since the flip, a record's only conversion has come to nothing */
#define BAD(s)		bad[s]
#define MAY_FAULT	!faulted_once
#else
#define BAD(s)		false
#endif
#ifdef BREAK_REFUSED_CONVERTS
#define REFUSED(s)	false
#else
#define REFUSED(s)	BAD(s)
#endif

/* What only the assertions look at: what records have to say now, and said at the last flip */
byte now_gen[OBJECTS], now_val[OBJECTS];
byte then_gen[OBJECTS], then_val[OBJECTS];
bool converted[OBJECTS];
byte users[OBJECTS];
byte newest[OBJECTS];		/* the generation that an object has come to */
byte ended;

/* Nobody has the record, and this is what it says: of one of no generation nothing counts. */
#define SAYS(s, o, g, v)	(!lock[AT(s, o)] && gen[AT(s, o)] == g && (!g || val[AT(s, o)] == v))

inline reads(s)
{
	holds(S1_nobody_reads_freed, s == NONE || refs[s] > 0)
}

inline put(s)
{
	holds(S1_nobody_reads_freed, refs[s] > 0);
	refs[s]--
}

/* tiffin_gate_enter(); "in" says how it went: a call may have to do without an answer. */
inline enter(c)
{
	atomic {
		section[c] = true;
		if
		:: !closed -> inside++; in = true
		:: closed -> in = false; section[c] = false
		fi
	}
}

inline leave(c)
{
	atomic {
		inside--;
		in = false;
		section[c] = false
	}
}

#ifdef BREAK_ANY_GENERATION
#define BELONGS(f, o, g)	(gen[AT(f, o)] != 0)
#else
#define BELONGS(f, o, g)	(gen[AT(f, o)] == g)
#endif
#ifdef BREAK_NO_LOCK
#define FREE(s, o)		true
#else
#define FREE(s, o)		(!lock[AT(s, o)])
#endif

/* A call is ended: tiffin_guard_end() */
inline fault(s)
{
#ifdef FAULTS
	faulted_once = true;
	bad[s] = true
#endif
}

/*
 * tiffin_record_open() of object o, generation g, in store s: "got" says whether the record is lent.
 * Uses f and reached. The sweep, tiffin_record_settle(), leaves what comes to nothing in no generation.
 */
inline open(s, o, g, sweeps)
{
	got = false;
	fresh = false;
	if
#ifdef SHARED
	/* The fast path: who sees the generation sees what became of the older record. */
	:: atomic { gen[AT(s, o)] == g -> got = true; reads(s) }
	:: atomic { gen[AT(s, o)] != g && FREE(s, o) -> reads(s); lock[AT(s, o)] = true }
	:: gen[AT(s, o)] != g && !FREE(s, o) -> goto busy
#else
	:: atomic { FREE(s, o) -> reads(s); lock[AT(s, o)] = true }
	:: !FREE(s, o) -> goto busy
#endif
	fi;
	if
	:: got
	:: else ->
		/* tiffin_record_reached() */
		f = from[s];
		atomic {
			reads(f);
#ifdef BREAK_LATE_CALL
			reached = gen[AT(s, o)];
#else
			reached = (gen[AT(s, o)] || f == NONE -> gen[AT(s, o)] : gen[AT(f, o)]);
#endif
			f = 0
		};
		if
		:: reached && g < reached ->
			atomic { reads(s); lock[AT(s, o)] = false; reached = 0 };
			goto busy
		:: else
		fi;
		reached = 0;
		if
		:: gen[AT(s, o)] == g
		:: else ->
#ifdef BREAK_EARLY_UNLOCK
			lock[AT(s, o)] = false;
#endif
			atomic { reads(s); val[AT(s, o)] = 0 };
			/* tiffin_record_carry() */
			f = from[s];
			if
			:: atomic { f != NONE && BELONGS(f, o, g) && REFUSED(s) ->
				fresh = true;
#ifdef FAULTS
				unmade = unmade || !converted[o] && now_gen[o] == g;
#endif
				f = 0
			   }
			:: atomic { f != NONE && BELONGS(f, o, g) && !REFUSED(s) ->
				reads(f);
				holds(S5_converted_once, !converted[o]);
				holds(S5_from_the_flip, gen[AT(f, o)] == g && g == now_gen[o] &&
				      val[AT(f, o)] == then_val[o] && g == then_gen[o]);
				converted[o] = true
			   }
			   /* The callback runs. */
			   atomic {
				reads(f);
				reads(s);
#ifdef FAULTS
				if
				:: val[AT(s, o)] = val[AT(f, o)]
				:: MAY_FAULT -> fault(s); fresh = true; unmade = true
				fi;
#else
				val[AT(s, o)] = val[AT(f, o)];
#endif
#ifdef BREAK_OLD_WRITTEN
				val[AT(f, o)] = 0;
#endif
				f = 0
			   }
			:: atomic { f == NONE || !BELONGS(f, o, g) ->
				reads(f);
				f = 0;
				fresh = true;
				/* Nothing that lives is lost by that; nor where the call will be refused. */
				holds(S2_record_not_lost, BAD(s) || now_gen[o] < g);
				now_gen[o] = (BAD(s) -> now_gen[o] : g);
				now_val[o] = (BAD(s) -> now_val[o] : 0)
			   }
			fi;
			atomic { reads(s); gen[AT(s, o)] = (sweeps && fresh -> 0 : g) }
		fi;
		got = true;
#ifdef SHARED
		lock[AT(s, o)] = false
#endif
	fi
}

/* tiffin_record_close() */
inline close(s, o)
{
#ifndef SHARED
	atomic { reads(s); lock[AT(s, o)] = false };
#endif
	got = false
}

/* The policy: reads, and writes one more; or is ended; or is in quarantine, and is not entered. */
inline decide(s, o, g)
{
#ifdef SHARED
	atomic {
		reads(s);
#ifdef FAULTS
		if
		:: BAD(s) -> ended_call = fresh; goto back
		:: !BAD(s) && MAY_FAULT -> fault(s); ended_call = true; goto back
		:: !BAD(s)
		fi;
#endif
		holds(S2_begins_anew, g == now_gen[o]);
		holds(U2_back_to_the_flip, val[AT(s, o)] == now_val[o] && g == now_gen[o]);
		val[AT(s, o)] = WRITTEN(val[AT(s, o)]);
		now_val[o] = WRITTEN(now_val[o])
	}
#else
	atomic {
		reads(s);
#ifdef FAULTS
		if
		:: BAD(s) -> ended_call = fresh; goto back
		:: else
		fi;
#endif
		users[o]++;
		holds(S3_alone, users[o] == 1);
		holds(S2_begins_anew, g == now_gen[o]);
		holds(U2_back_to_the_flip, val[AT(s, o)] == now_val[o] && g == now_gen[o]);
		v = val[AT(s, o)]
	};
	atomic {
		reads(s);
#ifdef FAULTS
		if
		:: MAY_FAULT -> fault(s); ended_call = true; v = 0; users[o]--; goto back
		:: true
		fi;
#endif
		val[AT(s, o)] = WRITTEN(v);
		now_val[o] = WRITTEN(v);
#ifdef BREAK_OLD_KEPT_UP
		/* The newer policy writes to the older store as well. */
		if
		:: from[s] != NONE -> val[AT(from[s], o)] = WRITTEN(v)
		:: else
		fi;
#endif
		v = 0;
		users[o]--
	}
#endif
}

proctype caller(byte c)
{
	byte nr, s, o, g, f, reached, v;
	bool in, got, fresh, ended_call;

	do
	:: nr == CALLS -> break
	:: nr < CALLS ->
		atomic {
			nr++;
#if OBJECTS > 1
			if
			:: o = 0
			:: o = 1
			fi;
#endif
#ifdef SHARED
			g = 1
#else
			if
			:: g = newest[o]
			/* A late call */
			:: newest[o] > 1 -> g = newest[o] - 1
			/* Another object */
			:: newest[o] < GENERATIONS -> newest[o]++; g = newest[o]
			fi
#endif
		};
		enter(c);
		if
		:: !in -> goto next
		:: else
		fi;
		s = current;
		open(s, o, g, false);
		decide(s, o, g);
#ifdef FAULTS
		/* tiffin_record_drop() */
back:		atomic {
			if
			:: ended_call ->
#ifndef BREAK_NOT_DROPPED
				gen[AT(s, o)] = 0;
#endif
				now_gen[o] = 0;
				now_val[o] = 0
			:: else
			fi
		};
#endif
		close(s, o);
busy:		leave(c);
next:		atomic { s = 0; o = 0; g = 0; f = 0; got = false; fresh = false; ended_call = false }
	od;
	ended++
}

/* tiffin_swap_try_stable(), by the sweep and by the end of a probation */
inline try_stable()
{
	if
	:: inst == NONE ->
		atomic {
			if
			:: state == SWEEPING -> state = STABLE
			:: else
			fi
		}
	:: else
	fi
}

/* tiffin_sweep_work() */
active proctype worker()
{
	byte s, o, g, f, reached, i;
	bool in, got, fresh, done;

end:
	do
	:: atomic { pending && !running -> pending = false; running = true; s = inst; o = next_object };
#ifdef BREAK_SWEEP_OUTSIDE
#define STILL	true
#else
#define STILL	(current == s)
#endif
		do
#ifdef BREAK_SWEPT_ALL_THE_SAME
		:: atomic { o == OBJECTS -> reads(s) }; goto swept
#else
		:: atomic { o == OBJECTS && !BAD(s) -> reads(s) }; goto swept
#endif
		:: atomic { o < OBJECTS && current != s -> reads(s) }; goto out
#ifdef FORCED
		:: atomic { stop || BAD(s) -> reads(s) }; goto out
#endif
		:: o < OBJECTS && current == s ->
			/* tiffin_sweep_record() */
#ifdef BREAK_SWEEP_OUTSIDE
			section[CALLERS] = true;
			in = true;
#else
			enter(CALLERS);
#endif
			if
			:: in && !STILL -> done = true; goto busy
			:: in && STILL ->
				/* tiffin_record_settle() */
				atomic {
					reads(s);
					f = from[s];
					holds(W3_sweep_has_ended, f != NONE);
					reads(f);
					g = gen[AT(f, o)];
					f = 0
				};
				if
#ifdef BREAK_CONVERTED_TWICE
				:: !g -> done = true; goto busy
#else
				:: !g || gen[AT(s, o)] -> done = true; goto busy
#endif
				:: else
				fi;
#ifdef BREAK_CONVERTED_TWICE
				gen[AT(s, o)] = 0;
#endif
				open(s, o, g, true);
				holds(W2_overtaken_is_still, current == s);
				close(s, o);
				done = true;
busy:
#ifdef BREAK_SWEEP_OUTSIDE
				section[CALLERS] = false;
				in = false
#else
				leave(CALLERS)
#endif
			:: !in
			fi;
			atomic {
#ifdef BREAK_SWEEP_SKIPS
				o++;
#else
				o = (done -> o + 1 : o);
#endif
				done = false;
				g = 0;
				f = 0;
				fresh = false;
				got = false
			}
		od;
swept:
		/* tiffin_store_converted() */
		atomic {
			f = from[s];
			holds(W3_sweep_has_ended, f != NONE);
			from[s] = NONE
		};
#ifndef BREAK_NO_GRACE
		for (i : 0 .. CALLERS - 1) {
			!section[i]
		};
#endif
		atomic { put(f); f = 0; i = 0 };
		inst = NONE;
		/* tiffin_swap_swept() */
		try_stable();
out:
		atomic { running = false; s = 0; o = 0 }
	od
}

/* cancel_delayed_work_sync() */
inline cancel()
{
	pending = false;
	!running;
	pending = false
}

/* tiffin_gate_flip(), as gate.pml shows it: closed, drained */
inline close_gate()
{
	closed = true;
#ifndef BREAK_NO_DRAIN
	inside == 0
#endif
}

inline open_gate()
{
	closed = false
}

#ifdef FORCED
#include "convert_forced.pml"
#endif

proctype swap()
{
	byte nr, older, newer, i;
#ifdef FORCED
	bool held;
#endif

	do
#ifdef FAULTS
	:: nr == SWAPS && ended == CALLERS && state == STABLE && !BAD(current) -> break
	/* tiffin_swap_rescue() */
	:: atomic { BAD(current) && (state == SWEEPING || state == STABLE) -> state = PREPARING };
		newer = current;
		seize(newer, older, held);
		force(newer);
		newer = 0
#else
	:: nr == SWAPS -> break
#endif
	/* tiffin_swap_claim(): refused but in STABLE */
	:: atomic { nr < SWAPS && state == STABLE && !BAD(current) ->
			nr++;
			holds(W1_busy_meanwhile, from[current] == NONE && inst == NONE);
			state = PREPARING
		};
		/* A store beside the active one: tiffin_store_convert_from() */
		d_step {
			older = current;
			newer = 0;
			do
			:: refs[newer] != 0 -> newer++
			:: else -> break
			od;
			for (i : 0 .. OBJECTS - 1) {
				gen[AT(newer, i)] = 0;
				val[AT(newer, i)] = 0;
				lock[AT(newer, i)] = false
			}
			i = 0;
			refs[newer] = 1;
#ifdef FAULTS
			bad[newer] = false;
#endif
			refs[older]++;
			from[newer] = older
		};
		close_gate();
		d_step {
			for (i : 0 .. OBJECTS - 1) {
				then_gen[i] = now_gen[i];
				then_val[i] = now_val[i];
				converted[i] = false
			}
			i = 0;
			current = newer
		};
		open_gate();
		state = PROBATION;
		/* tiffin_sweep_begin() */
#ifndef BREAK_TWO_SWEEPS
		cancel();
#endif
		atomic { next_object = 0; inst = newer };
		pending = true;
		if
		:: true ->
			/* tiffin_swap_keep() */
			put(older);
#ifdef BREAK_NOT_AWAITED
			state = STABLE
#else
			if
			:: inst != NONE ->
				state = SWEEPING;
				try_stable()
			:: else ->
				state = STABLE
			fi
#endif
#ifdef FORCED
			;
			if
			:: true
			:: atomic { state == SWEEPING || state == STABLE -> state = PREPARING };
				seize(newer, older, held);
				force(newer)
			fi
		:: true ->
			state = PREPARING;
			held = true;
			seize(newer, older, held);
			force(newer)
#endif
		:: !BAD(older) ->
			/* tiffin_swap_undo() */
			close_gate();
			atomic {
				for (i : 0 .. OBJECTS - 1) {
					holds(S4_older_untouched,
					      SAYS(older, i, then_gen[i], then_val[i]));
					now_gen[i] = then_gen[i];
					now_val[i] = then_val[i]
				}
				i = 0;
#ifdef FAULTS
				unmade = false;
#endif
#ifndef BREAK_KEEPS_NEWER
				current = older
#endif
			};
			open_gate();
#ifdef BREAK_KEEPS_NEWER
			/* Its records are the newer policy's still. */
			d_step {
				for (i : 0 .. OBJECTS - 1) {
					val[AT(older, i)] = (gen[AT(newer, i)] == gen[AT(older, i)] ->
							     val[AT(newer, i)] : val[AT(older, i)])
				}
				i = 0;
				current = older
			};
#endif
#ifndef BREAK_SWEEP_OUTLIVES
			cancel();
#endif
			inst = NONE;
			/* tiffin_instance_destroy(): the store's last reference drops its own. */
			atomic {
				put(newer);
				if
				:: from[newer] != NONE -> put(from[newer]); from[newer] = NONE
				:: else
				fi
			};
			state = STABLE
		fi;
		atomic { older = 0; newer = 0 }
	od;
	ended++
}

init {
	byte i;

	d_step {
		for (i : 0 .. STORES - 1) {
			from[i] = NONE
		}
		refs[0] = 1;
		for (i : 0 .. OBJECTS - 1) {
			newest[i] = 1
		}
		i = 0
	};
	/* An object that the first policy knows, of the first or the second generation; or none. */
	if
	:: true
	:: atomic { gen[0] = 1; val[0] = 1; now_gen[0] = 1; now_val[0] = 1 }
#ifndef SHARED
	:: atomic { gen[0] = 2; val[0] = 2; now_gen[0] = 2; now_val[0] = 2; newest[0] = 2 }
#endif
	fi;
#if OBJECTS > 1
	atomic { gen[1] = 1; val[1] = 3; now_gen[1] = 1; now_val[1] = 3 };
#endif
	atomic {
		run swap();
		for (i : 0 .. CALLERS - 1) {
			run caller(i)
		}
		i = 0
	};
	/* All calls and swaps are over, and the sweep as well. */
	atomic {
		ended == CALLERS + 1 && !pending && !running && state == STABLE ->
		holds(S1_nothing_leaks, refs[0] + refs[1] + refs[2] == 1 && refs[current] == 1);
		holds(W1_busy_meanwhile, from[current] == NONE);
		for (i : 0 .. OBJECTS - 1) {
			holds(S2_record_not_lost, SAYS(current, i, now_gen[i], now_val[i]))
		}
	}
}
