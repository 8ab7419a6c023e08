/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists of objects as a model for spin: framework/core/list.c under the lock of service.h, as calls
 * and the family (tiffin_object_gone()) come to them, while policies are swapped and rolled back and
 * objects go. Each assertion bears the name of the invariant in list.h or store.h that it
 * stands for.
 *
 * The gate is taken for what gate.pml shows of it, and what changes a scope for one process, as in
 * handover.pml. Which way the links lead is not here, as an operation is made alone (L2): a list is
 * the objects that are on it, and its length. Which of them is at an end is left open.
 *
 * Each instance has an undo of its own, and may fault once. The next one has the same number of
 * lists, or another.
 *
 * Defined by ./run:
 *	LOCKED		the lists are TIFFIN_SHARE_LOCKED: a call's from beginning to end
 *	INTERRUPTS	a call may interrupt another on its CPU
 *	CALLERS		contexts that make calls: 1 or 2
 *	CALLS		calls of each
 *	SWAPS		requests that are made, one after the other; rescues come on top
 *	FAULTS		policies that may come to quarantine
 *	GENERATIONS	that an object may come to
 *	WILD		a policy's wild write may hit the links, once (L8)
 *	ONLY		the one assertion that counts
 *	BREAK_*		breaks the protocol on purpose
 */

#ifndef CALLERS
#define CALLERS		1
#endif
#ifndef CALLS
#define CALLS		2
#endif
#ifndef SWAPS
#define SWAPS		1
#endif
#ifndef FAULTS
#define FAULTS		0
#endif
#ifndef GENERATIONS
#define GENERATIONS	2
#endif
#ifdef WILD
#define WILDS		1
#else
#define WILDS		0
#endif

#define OBJECTS		2
#define LISTS		2	/* numbered from 1; 0: on none */
#define SETS		2
#define AT(s, o)	((s) * OBJECTS + (o))
#define LENGTH(s, l)	length[(s) * LISTS + (l) - 1]
#define NOBODY		2
#define CONTEXTS	(CALLERS + 1)

/* enum tiffin_undo */
#define LIVE		0
#define SNAPSHOT	1
#define REBUILD		2

mtype = {
	L1_nobody_inside,	/* no operation is under way when the flip touches the set */
	L2_one_at_a_time,	/* nor two at once */
	L2_given_back,		/* nobody has the lists when no call is inside */
	L4_on_one_list,		/* lengths are those of the lists, and no object is on two */
	L5_never_gone,		/* an operation gives no object that is gone, and takes no handle of one */
	L7_by_reference,	/* the next policy finds the set, or an empty one */
	L7_live,		/* who comes back finds it as the newer one has left it, */
	L7_as_at_the_flip,	/* or as it was at the flip, */
	L7_empty,		/* or empty, by its own undo */
	S1_nobody_reads_freed,	/* nobody touches a set that has been let go of */
	S1_nothing_leaks	/* all sets but the active one are let go of in the end */
};

#ifdef ONLY
#define holds(name, condition)	assert(name != ONLY || (condition))
#else
#define holds(name, condition)	assert(name && (condition))
#endif

/* struct tiffin_list_set, struct tiffin_list_node, and what is around them */
byte era[SETS];
byte length[SETS * LISTS];
byte node_gen[SETS * OBJECTS];
byte node_era[SETS * OBJECTS];
byte node_list[SETS * OBJECTS];
byte refs[SETS];
bool owner[SETS];

/* struct tiffin_instance, and its policy */
byte set[2];
byte undo[2];
bool adopted[2];
bool saved[2];
bool quarantined[2];
byte faults, wilds;

/* The bytes that one saved */
byte saved_era;
byte saved_length[LISTS];
byte saved_gen[OBJECTS], saved_node_era[OBJECTS], saved_list[OBJECTS];

/* The gate */
byte current;
bool closed;
byte inside;
bool interrupt;

/* struct tiffin_family: the generation of each object that lives, 0 where it is gone */
byte lives[OBJECTS] = 1;
byte newest[OBJECTS] = 1;

/* What only the assertions look at: where each object is, and was at the last flip */
byte now_gen[OBJECTS], now_list[OBJECTS], then_gen[OBJECTS], then_list[OBJECTS];
mtype why = L7_by_reference;
byte working[SETS];
byte ended;

#define ON(s, o)	(node_list[AT(s, o)] != 0 && node_era[AT(s, o)] == era[s])
#define ON_LIST(s, o, l) (node_list[AT(s, o)] == l && node_era[AT(s, o)] == era[s])

#define CHECK(name, good)	holds(name, why != name || (good))

inline agrees()
{
	CHECK(L7_by_reference, agree);
	CHECK(L7_live, agree);
	CHECK(L7_as_at_the_flip, agree);
	CHECK(L7_empty, agree);
	agree = false
}

/* tiffin_lists_clear() */
inline clear(s)
{
	LENGTH(s, 1) = 0;
	LENGTH(s, 2) = 0;
#ifndef BREAK_SAME_ERA
	era[s]++
#endif
}

/* tiffin_list_unlink() */
inline unlink(s, o)
{
	LENGTH(s, node_list[AT(s, o)])--;
	node_list[AT(s, o)] = 0
}

/* tiffin_list_link() */
inline link(s, o, l)
{
	node_list[AT(s, o)] = l;
	node_era[AT(s, o)] = era[s];
	LENGTH(s, l)++
}

inline lengths(s)
{
	holds(L4_on_one_list,
	      LENGTH(s, 1) == (ON_LIST(s, 0, 1) -> 1 : 0) + (ON_LIST(s, 1, 1) -> 1 : 0) &&
	      LENGTH(s, 2) == (ON_LIST(s, 0, 2) -> 1 : 0) + (ON_LIST(s, 1, 2) -> 1 : 0))
}

#ifdef BREAK_NO_LIVES
#define LIVES(s, o)	true
#else
#define LIVES(s, o)	(lives[o] == node_gen[AT(s, o)])
#endif
#ifdef BREAK_NO_GENERATION
#define GOOD(o, g)	(lives[o] != 0)
#else
#define GOOD(o, g)	(lives[o] == g)
#endif

/* tiffin_lists_put(), of the object that the handle o, g names */
inline put(s, o, g, l)
{
	if
	:: !GOOD(o, g)
	:: GOOD(o, g) ->
		holds(L5_never_gone, lives[o] == g);
#ifndef BREAK_NOT_TAKEN_OFF
		if
		:: ON(s, o) -> unlink(s, o)
		:: else
		fi;
#endif
		node_gen[AT(s, o)] = g;
		link(s, o, l);
		now_gen[o] = g;
		now_list[o] = l
	fi
}

/* tiffin_lists_find() */
inline find(s, o, g)
{
	if
	:: !GOOD(o, g)
	:: GOOD(o, g) ->
		holds(L5_never_gone, lives[o] == g);
		l = (ON(s, o) && node_gen[AT(s, o)] == g -> node_list[AT(s, o)] : 0);
		agree = l == (now_gen[o] == g -> now_list[o] : 0);
		l = 0;
		agrees()
	fi
}

/* tiffin_lists_take(), tiffin_list_walk(): one that is gone goes off the list on the way. */
inline take(s, o, on)
{
	if
	:: !ON_LIST(s, o, on)
	:: ON_LIST(s, o, on) ->
		if
		:: LIVES(s, o) ->
			holds(L5_never_gone, lives[o] == node_gen[AT(s, o)]);
			agree = now_gen[o] == node_gen[AT(s, o)] && now_list[o] == on;
			agrees();
			now_list[o] = 0
		:: else ->
			now_list[o] = (now_gen[o] == node_gen[AT(s, o)] -> 0 : now_list[o])
		fi;
		unlink(s, o)
	fi
}

/* tiffin_lists_gone() */
inline gone(s, o)
{
	if
	:: ON(s, o) && !LIVES(s, o) ->
		now_list[o] = (now_gen[o] == node_gen[AT(s, o)] -> 0 : now_list[o]);
		unlink(s, o)
	:: else
	fi
}

/* tiffin_list_broken() */
inline broken(s)
{
	clear(s);
	now_list[0] = 0;
	now_list[1] = 0
}

#ifdef BREAK_NO_LOCK
#define FREE(s)		true
#else
#define FREE(s)		(!owner[s])
#endif

inline begins(s)
{
	holds(S1_nobody_reads_freed, refs[s] > 0);
	working[s]++;
	holds(L2_one_at_a_time, working[s] == 1)
}

inline ends(s)
{
	holds(S1_nobody_reads_freed, refs[s] > 0);
	holds(L2_one_at_a_time, working[s] == 1);
	lengths(s);
	working[s]--
}

#ifdef INTERRUPTS
#define HAS_ITS_CPU	provided (!interrupt || _pid != 1)
#else
#define HAS_ITS_CPU
#endif

/* tiffin_dispatch(), of a policy that asks for one service. Process 1 is interrupted by the second. */
proctype caller(bool irq) HAS_ITS_CPU
{
	byte nr, s, o, g, l;
	bool has, agree;

	do
	:: nr == CALLS -> break
	:: atomic { nr < CALLS && (!closed || inside) ->
		/* tiffin_gate_enter() */
		nr++;
		interrupt = interrupt || irq;
		inside++;
		s = set[current]
	   };
#ifdef LOCKED
		/* tiffin_lists_lend() */
#ifdef BREAK_WAITS
		atomic { FREE(s) -> owner[s] = true; has = true };
#else
		if
		:: atomic { FREE(s) -> owner[s] = true; has = true }
		:: atomic { !FREE(s) -> goto out }
		fi;
#endif
#endif
		/* tiffin_enter(); the handle is of an object that lives, or has lived. */
		atomic {
			if
			:: quarantined[current] -> goto back
			:: else
			fi;
			if
			:: o = 0
			:: o = 1
			fi;
			if
			:: g = newest[o]
			:: newest[o] > 1 -> g = newest[o] - 1
			fi
		};
		/* tiffin_service_begin() */
#ifndef LOCKED
#ifdef BREAK_WAITS
		atomic { FREE(s) -> owner[s] = true; has = true };
#else
		if
		:: atomic { FREE(s) -> owner[s] = true; has = true }
		:: atomic { !FREE(s) -> goto out }
		fi;
#endif
#endif
		atomic { begins(s) };
		atomic {
			if
			:: put(s, o, g, 1)
			:: put(s, o, g, 2)
			:: find(s, o, g)
			:: take(s, o, 1)
			:: take(s, o, 2)
			:: wilds < WILDS -> wilds++; broken(s)
			fi;
			ends(s);
#ifndef LOCKED
			/* tiffin_service_end() */
			owner[s] = false;
			has = false
#endif
		};
		/* The call may be ended, in the policy's text. */
		if
		:: true
		:: atomic { faults < FAULTS ->
			faults++;
			quarantined[current] = true;
#ifdef BREAK_ENDED_KEEPS_LISTS
			has = false
#endif
		   }
		fi;
back:
		/* tiffin_lists_return() */
		atomic {
			owner[s] = (has -> false : owner[s]);
			has = false
		};
out:
		atomic {
			interrupt = interrupt && !irq;
			inside--;
			s = 0; o = 0; g = 0; l = 0
		}
	od;
	ended++
}

/* The family: an object goes, and its number is another's; tiffin_object_gone(). */
proctype family()
{
	byte s, o;
	bool in;

	do
	:: newest[0] == GENERATIONS -> break
	:: newest[0] < GENERATIONS ->
		lives[0] = 0;
		atomic {
#ifndef BREAK_GONE_OUTSIDE
			if
			:: !closed -> inside++; in = true
			:: true
			fi;
#else
			in = true;
#endif
			s = set[current]
		};
		if
		:: in ->
			if
			:: atomic { FREE(s) -> owner[s] = true; begins(s) };
				atomic {
					gone(s, o);
					ends(s);
					owner[s] = false
				}
			:: !FREE(s)
			fi;
#ifndef BREAK_GONE_OUTSIDE
			inside--
#endif
		:: else
		fi;
		atomic { newest[0]++; lives[0] = newest[0]; in = false; s = 0 }
	od;
	ended++
}

/* tiffin_store_save(), tiffin_store_restore(): all bytes of the set */
inline save(s)
{
	saved_era = era[s];
	saved_length[0] = LENGTH(s, 1);
	saved_length[1] = LENGTH(s, 2);
	for (o : 0 .. OBJECTS - 1) {
		saved_gen[o] = node_gen[AT(s, o)];
		saved_node_era[o] = node_era[AT(s, o)];
		saved_list[o] = node_list[AT(s, o)]
	}
	o = 0
}

inline restore(s)
{
#ifndef BREAK_ERA_STAYS
	era[s] = saved_era;
#endif
	LENGTH(s, 1) = saved_length[0];
	LENGTH(s, 2) = saved_length[1];
	for (o : 0 .. OBJECTS - 1) {
		node_gen[AT(s, o)] = saved_gen[o];
		node_era[AT(s, o)] = saved_node_era[o];
		node_list[AT(s, o)] = saved_list[o]
	}
	o = 0
}

/* tiffin_instance_drop_saved() */
inline drop_saved()
{
	for (o : 0 .. OBJECTS - 1) {
		saved_gen[o] = 0;
		saved_node_era[o] = 0;
		saved_list[o] = 0;
		then_gen[o] = 0;
		then_list[o] = 0
	}
	o = 0;
	saved_era = 0;
	saved_length[0] = 0;
	saved_length[1] = 0
}

/* tiffin_instance_destroy() */
inline destroy(i)
{
#ifndef BREAK_SET_KEPT
	refs[set[i]]--;
#endif
	set[i] = 0;
	undo[i] = 0;
	adopted[i] = false;
	saved[i] = false;
	quarantined[i] = false
}

/* tiffin_swap_settle() */
inline settle()
{
	saved[current] = false;
	adopted[current] = false;
	drop_saved();
	destroy(previous);
	previous = NOBODY
}

/* tiffin_instance_create(): the same lists, or others, which are empty */
inline create()
{
	next = 1 - current;
	undo[next] = (undo[current] + 1) % 3;
	if
	:: set[next] = set[current];
		adopted[next] = true;
#ifdef BREAK_UNDO_OF_NEWER
		saved[next] = undo[next] == SNAPSHOT;
#else
		saved[next] = undo[current] == SNAPSHOT;
#endif
#ifdef BREAK_SAVED_EARLY
		if
		:: saved[next] -> save(set[next])
		:: else
		fi;
#endif
#ifdef BREAK_NO_REFERENCE
		refs[set[next]]--;
#endif
	:: set[next] = 1 - set[current];
		era[set[next]] = 0;
		LENGTH(set[next], 1) = 0;
		LENGTH(set[next], 2) = 0;
		for (o : 0 .. OBJECTS - 1) {
			node_gen[AT(set[next], o)] = 0;
			node_era[AT(set[next], o)] = 0;
			node_list[AT(set[next], o)] = 0
		}
		o = 0
	fi;
	refs[set[next]]++
}

/* tiffin_instance_give_back() */
inline give_back()
{
	if
	:: saved[current] -> restore(set[current])
	:: !saved[current] && adopted[current] && undo[next] == REBUILD -> clear(set[current])
	:: else
	fi
}

/* tiffin_instance_flip() */
inline instance_flip()
{
	holds(L1_nobody_inside, !working[0] && !working[1]);
	holds(L2_given_back, !owner[set[current]]);
	if
	:: next == previous ->
		if
		:: adopted[current] && undo[next] == LIVE -> why = L7_live
		:: adopted[current] && undo[next] == REBUILD -> why = L7_empty
		:: else -> why = L7_as_at_the_flip
		fi;
		for (o : 0 .. OBJECTS - 1) {
			now_gen[o] = (why == L7_as_at_the_flip -> then_gen[o] : now_gen[o]);
			now_list[o] = (why == L7_empty -> 0 :
				       (why == L7_live -> now_list[o] : then_list[o]))
		}
		o = 0;
#ifndef BREAK_GIVEN_BACK_LATE
		give_back()
#endif
	:: else ->
		why = L7_by_reference;
		for (o : 0 .. OBJECTS - 1) {
			then_gen[o] = now_gen[o];
			then_list[o] = now_list[o];
			now_list[o] = (adopted[next] -> now_list[o] : 0)
		}
		o = 0;
#ifdef BREAK_CLEARED
		clear(set[next]);
#endif
#ifndef BREAK_SAVED_EARLY
		if
		:: saved[next] -> save(set[next])
		:: else
		fi
#endif
	fi;
	current = next
}

proctype swap()
{
	byte nr, next = NOBODY, previous = NOBODY, o;

	do
	/* All is over. */
	:: previous == NOBODY && !quarantined[current] && nr == SWAPS && ended == CONTEXTS -> break
	:: atomic {
		if
		/* tiffin_swap_request(), tiffin_swap_rescue() */
		:: previous == NOBODY && nr < SWAPS -> nr++; create()
		:: previous == NOBODY && quarantined[current] -> create()
		/* tiffin_swap_keep(), also as the one before is in quarantine */
		:: previous != NOBODY -> settle()
		/* tiffin_swap_undo() */
		:: previous != NOBODY && !quarantined[previous] -> next = previous
		fi
	   };
		if
		:: next == NOBODY
		:: else ->
			/* tiffin_gate_flip() */
			closed = true;
			if
			:: atomic {
#ifndef BREAK_NO_DRAIN
				!inside ->
#endif
				instance_flip();
#ifndef BREAK_GIVEN_BACK_LATE
				closed = false
#endif
			   }
#ifdef BREAK_GIVEN_BACK_LATE
				closed = false;
				atomic {
					if
					:: next == previous ->
						current = 1 - next;
						give_back();
						current = next
					:: else
					fi
				}
#endif
			/* Not in time: tiffin_swap_fail() */
			:: atomic { next != previous -> closed = false; destroy(next); next = NOBODY }
			fi;
			atomic {
				if
				:: next == NOBODY
				:: next != NOBODY && next == previous -> previous = 1 - current; settle()
				:: next != NOBODY && next != previous -> previous = 1 - current
				fi;
				next = NOBODY
			}
		fi
	od;
	ended++
}

init {
	atomic {
		refs[0] = 1;
		if
		:: undo[0] = LIVE
		:: undo[0] = SNAPSHOT
		:: undo[0] = REBUILD
		fi;
		/* One object is on a list, the other on none. */
		node_gen[0] = 1;
		now_gen[0] = 1;
		node_list[0] = 1;
		now_list[0] = 1;
		length[0] = 1;
		run caller(false);
#if CALLERS > 1
#ifdef INTERRUPTS
		run caller(true);
#else
		run caller(false);
#endif
#endif
		run family();
		run swap()
	};
	/* All calls and swaps are over. */
	atomic {
		ended == CONTEXTS + 1 ->
		holds(S1_nothing_leaks, refs[set[current]] == 1 && refs[1 - set[current]] == 0);
		holds(L2_given_back, !owner[0] && !owner[1])
	}
}
