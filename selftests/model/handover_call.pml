/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Part of handover.pml: calls, from framework/core/dispatch.c; how they are lent an object's record,
 * from store.h and store.c; and what is left of one that is ended.
 */

#ifdef BREAK_NESTED_LENT
#define FREE(s, r)	(!lock[AT(s, r)] || irq)
#else
#define FREE(s, r)	(!lock[AT(s, r)])
#endif

#ifdef OF_OBJECT
/* The record is of generation g from here on, and zeros. */
inline zeroed(s, r, g)
{
	holds(S2_record_not_lost, now_gen[r] < g);
	now_gen[r] = g;
	now_val[r] = 0;
	fresh = true
}

/* tiffin_record_open(): "got" says whether the record is lent. */
inline open(s, r, g)
{
#ifdef SHARED
	if
	/* The fast path */
	:: atomic { gen[AT(s, r)] == g ->
		reads(s);
		holds(S2_begins_anew, now_gen[r] == g);
		got = true
	   }
	:: atomic { gen[AT(s, r)] != g && FREE(s, r) -> reads(s); lock[AT(s, r)] = true };
		if
		:: gen[AT(s, r)] == g
		:: gen[AT(s, r)] != g ->
			atomic { reads(s); val[AT(s, r)] = 0 };
			atomic {
				reads(s);
				zeroed(s, r, g);
				gen[AT(s, r)] = g
			}
		fi;
		atomic { reads(s); lock[AT(s, r)] = false; got = true }
	:: gen[AT(s, r)] != g && !FREE(s, r)
	fi
#else
	/* Who comes meanwhile looks at the lock alone. */
	atomic {
		reads(s);
		if
		:: !FREE(s, r)
		:: FREE(s, r) && g < gen[AT(s, r)]
		:: FREE(s, r) && g >= gen[AT(s, r)] ->
			lock[AT(s, r)] = true;
			got = true;
			if
			:: gen[AT(s, r)] == g ->
				holds(S2_begins_anew, now_gen[r] == g)
			:: else ->
				val[AT(s, r)] = 0;
				zeroed(s, r, g);
				gen[AT(s, r)] = g
			fi
		fi
	}
#endif
}

/* tiffin_record_drop() */
inline drop(s, r)
{
	reads(s);
	gen[AT(s, r)] = 0
}

/* tiffin_record_close() */
inline close(s, r)
{
	reads(s);
#ifndef SHARED
	lock[AT(s, r)] = false
#endif
}
#endif

/* A call is ended: tiffin_guard_end() */
inline fault(p)
{
	faults++;
	quarantined[p] = true;
	faulted = true
}

#ifdef BREAK_ENTERED_ANYWAY
#define REFUSED(p)	false
#else
#define REFUSED(p)	quarantined[p]
#endif

/* The policy reads, and then writes one more; or is ended before that, or after it. */
inline looks(s, r, g)
{
	reads(s);
#ifdef SHARED
	finds(now_gen[r] != g || val[AT(s, r)] == now_val[r])
#else
	finds(val[AT(s, r)] == now_val[r])
#endif
#ifdef BREAK_NOT_LOCAL
	;
	v = val[AT(s, r)]
#endif
#if defined(OF_OBJECT) && !defined(SHARED)
	;
	users[r]++;
	holds(S3_alone, users[r] == 1);
	v = val[AT(s, r)];
	val[AT(s, r)] = HALF
#endif
}

inline writes(s, r, g, p)
{
	reads(s);
#ifdef BREAK_OLD_KEPT_UP
	if
	:: older[i] != NOBODY && !adopted[i] && store[1 - i] != NONE ->
		val[AT(store[1 - i], r)] = WRITTEN(val[AT(store[1 - i], r)])
	:: else
	fi;
#endif
#if defined(OF_OBJECT) && !defined(SHARED)
	holds(S3_alone, users[r] == 1);
	users[r]--;
	if
	:: val[AT(s, r)] = WRITTEN(v);
		now_val[r] = WRITTEN(v)
	:: faults < FAULTS -> fault(p)
	fi;
	v = 0
#else
	if
	:: true ->
#ifdef BREAK_NOT_LOCAL
		val[AT(s, r)] = WRITTEN(v);
#else
		val[AT(s, r)] = WRITTEN(val[AT(s, r)]);
#endif
#ifdef SHARED
		if
		:: now_gen[r] == g -> now_val[r] = WRITTEN(now_val[r])
		:: else
		fi;
#else
		now_val[r] = WRITTEN(now_val[r]);
		holds(S7_no_count_lost, val[AT(s, r)] == now_val[r]);
#endif
		if
		:: true
		:: faults < FAULTS -> fault(p)
		fi
	:: faults < FAULTS -> fault(p)
	fi;
	v = 0
#endif
}

/* The record goes back, where there is one. */
inline give_back_record(s, r)
{
#ifdef OF_OBJECT
	if
	:: faulted || (refused && fresh) ->
		now_gen[r] = 0;
		now_val[r] = 0;
#if defined(BREAK_NOT_DROPPED)
		if
		:: refused -> drop(s, r)
		:: else
		fi
#elif defined(BREAK_REFUSED_KEPT)
		if
		:: faulted -> drop(s, r)
		:: else
		fi
#elif !defined(BREAK_DROPPED_OUTSIDE)
		drop(s, r)
#endif
#ifdef BREAK_REFUSED_DROPPED
	:: refused && !fresh -> drop(s, r)
#endif
	:: else
	fi;
#ifdef BREAK_ENDED_KEEPS_LOCK
	if
	:: faulted
	:: else -> close(s, r)
	fi
#else
	close(s, r)
#endif
#else
	skip
#endif
}

#ifdef INTERRUPTS
#define CONTEXTS	3
#define HAS_ITS_CPU	provided (!interrupt || _pid != 1)
#else
#define CONTEXTS	2
#define HAS_ITS_CPU
#endif

/* tiffin_dispatch(). What interrupts a call has its CPU until it ends; process 1 is CPU 0's. */
proctype caller(byte c; bool irq) HAS_ITS_CPU
{
	byte nr, i, s, r, g, v;
	bool in, got, fresh, faulted, refused;

	do
	:: nr == CALLS -> break
	:: atomic {
		nr < CALLS && online[c] ->
		nr++;
		interrupt = interrupt || irq;
#ifdef OF_CPU
		r = c;
#endif
#ifdef OF_OBJECT
#ifdef TWO
		if
		:: r = 0
		:: r = 1
		fi;
#endif
#ifdef SHARED
		g = 1;
#else
		if
		:: g = newest[r]
		/* A late call */
		:: newest[r] > 1 -> g = newest[r] - 1
		/* Another object */
		:: newest[r] < GENERATIONS -> newest[r]++; g = newest[r]
		fi;
#endif
#endif
		/* tiffin_gate_enter(); G3 */
		in = !closed || inside[c];
		if
		:: in ->
			inside[c]++;
			i = current;
			s = store[i]
		:: else
		fi
	   };
	if
	:: atomic { !in || pol[i] == DEFAULT -> skip }
	:: in && pol[i] != DEFAULT ->
#ifdef OF_OBJECT
		open(s, r, g);
		if
		:: !got ->
#ifdef BREAK_BUSY_GIVES_BACK
			atomic { close(s, r) };
#endif
			goto out
		:: else
		fi;
#endif
		/* tiffin_enter() */
		atomic {
			holds(U5_instance_lives, exists[i]);
			refused = REFUSED(pol[i]);
			holds(Q2_not_put, refused || !quarantined[pol[i]]);
			if
			:: refused
			:: else -> looks(s, r, g)
			fi
		};
		if
		:: atomic { refused -> give_back_record(s, r) }
		:: atomic { !refused -> writes(s, r, g, pol[i]) };
			atomic { give_back_record(s, r) }
		fi
	fi;
out:
	atomic {
		holds(U5_instance_lives, !in || exists[i]);
		if
		:: in -> inside[c]--
		:: else
		fi;
		interrupt = interrupt && !irq;
#ifdef BREAK_DROPPED_OUTSIDE
	};
	atomic {
		if
		:: faulted || (refused && fresh) -> gen[AT(s, r)] = 0
		:: else
		fi;
#endif
		i = 0; s = 0; r = 0; g = 0; v = 0;
		in = false; got = false; fresh = false; faulted = false; refused = false
	}
	od;
	ended++
}
