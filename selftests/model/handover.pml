/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stores that go from one policy to the next as they are, as a model for spin: what
 * framework/core/instance.c makes ready for a swap, does in the flip, and does in the flip back
 * (enum tiffin_undo); what upgrade/swap.c makes of it; what framework/core/dispatch.c does with a
 * record where its call is ended; and CPUs that come and go meanwhile. Each assertion bears the name
 * of the invariant in store.h, swap.h, gate.h or quarantine.h that it stands for.
 *
 * The gate is taken for what gate.pml shows of it: a call is in or out, and nothing flips while one
 * is in. Who changes a scope has its lock (U3), so one process does all that changes it: requests,
 * the end of a probation by commit or rollback, rescues, SysRq. What convert.pml shows is not here:
 * objects' records in another layout begin from zeros, as where a policy has no callback.
 *
 * A step here is what one CPU does between two points where another CPU, or an interrupt, could tell
 * the difference. Calls come on two CPUs; on CPU 0 also by interruption of another call.
 *
 * Policies: the default has no store; A and B declare the same layout, C another one. Each has an
 * undo of its own. Any but the default may fault, in a call, in init or as it converts.
 *
 * Defined by ./run:
 *	OF_CPU		the store is TIFFIN_STORE_PER_CPU
 *	OF_OBJECT	it is TIFFIN_STORE_OBJECT, TIFFIN_SHARE_LOCKED; else TIFFIN_STORE_INSTANCE
 *	SHARED		with OF_OBJECT: TIFFIN_SHARE_ATOMIC
 *	TWO		with OF_OBJECT: two objects
 *	INTERRUPTS	calls come by interruption of one on CPU 0, too
 *	CALLS		calls of each context
 *	SWAPS		requests that are made, one after the other; rescues come on top
 *	FAULTS		policies that may come to quarantine
 *	GENERATIONS	that an object may come to
 *	HOTPLUG		CPU 1 goes offline and comes back, so often
 *	ONLY		the one assertion that counts
 *	BREAK_*		breaks the protocol on purpose
 */

#ifndef CALLS
#define CALLS		1
#endif
#ifndef SWAPS
#define SWAPS		2
#endif
#ifndef FAULTS
#define FAULTS		1
#endif
#ifndef GENERATIONS
#define GENERATIONS	2
#endif

/* Values count writes, and start again at 3; a record that is half written has another one. */
#define WRITTEN(v)	((v + 1) % 3)
#define HALF		9

#if defined(OF_CPU) || defined(TWO)
#define RECORDS		2
#else
#define RECORDS		1
#endif

/* Stores: of the active policy, of the one before or after it, and a spare one. */
#define STORES		3
#define NONE		STORES
#define AT(s, r)	((s) * RECORDS + (r))

#define NOBODY		2

/* Policies, and enum tiffin_undo */
#define DEFAULT		0
#define A		1
#define C		3
#ifdef OF_OBJECT
#define POLICIES	3
#else
#define POLICIES	4
#endif
#define LIVE		0
#define SNAPSHOT	1
#define REBUILD		2
#define LAYOUT(p)	(p == C -> 2 : (p == DEFAULT -> 0 : 1))

mtype = {
	S1_handed_over,		/* a policy finds what is handed over, the very record, or zeros */
	S1_nobody_reads_freed,	/* nobody reads or writes a store that has been let go of */
	S1_nothing_leaks,	/* all stores but the active one are let go of in the end */
	S2_record_not_lost,	/* a record starts from zeros only where it belongs to none */
	S2_begins_anew,		/* one that an ended call had does */
	S3_alone,		/* a record is lent to one call at a time */
	S3_given_back,		/* and to none when no call is inside */
	S4_older_untouched,	/* who comes back finds a store of its own as it was at the flip */
	S7_no_count_lost,	/* calls of a CPU that interrupt each other lose none */
	S7_stays,		/* a CPU that comes back finds its record */
	S7_with_the_others,	/* handed over, saved and converted as those of others are */
	S7_no_call_in_it,	/* a CPU that goes offline has no call */
	S8_live,		/* who comes back finds what the newer one has made of it, */
	S8_snapshot,		/* or what was there at the flip, */
	S8_zeros,		/* or zeros, by its own undo */
	S9_in_the_flip,		/* what is converted in the flip is there when the first call comes */
	U1_untouched,		/* a swap that did not flip has changed nothing */
	U2_needs_nothing,	/* a flip back needs no memory */
	U5_instance_lives,	/* no call is inside an instance that is destroyed */
	Q2_not_put,		/* nothing is put to a policy in quarantine, which never comes back */
	G5_no_hotplug		/* no CPU comes or goes while the gate is closed */
};

#ifdef ONLY
#define holds(name, condition)	assert(name != ONLY || (condition))
#else
#define holds(name, condition)	assert(name && (condition))
#endif

/* Stores: struct tiffin_record, struct tiffin_store_mem */
byte val[STORES * RECORDS];
byte refs[STORES];
#ifdef OF_OBJECT
byte gen[STORES * RECORDS];
bool lock[STORES * RECORDS];
#endif

/* struct tiffin_instance; its slot is used again, as its memory may be */
byte pol[2];
byte store[2] = NONE;
byte spare[2] = NONE;
byte older[2] = NOBODY;
bool adopted[2];
bool converts[2];
bool saved[2];
bool exists[2];

/* The bytes that one saved: at most one instance has any. */
byte saved_val[RECORDS];
#ifdef OF_OBJECT
byte saved_gen[RECORDS];
bool saved_lock[RECORDS];
#endif

/* Policies */
byte undo[4];
bool quarantined[4];
byte faults;

/* The gate */
byte current;
bool closed;
byte inside[2];

/* The machine: CPU 0 runs what interrupts its call; which CPUs there are; cpus_read_lock() */
bool interrupt;
bool online[2] = true;
bool plugging, reading;

/* What only the assertions look at: what records have to say now, and said at the last flip */
byte now_val[RECORDS], then_val[RECORDS];
#ifdef OF_OBJECT
byte now_gen[RECORDS], then_gen[RECORDS];
byte users[RECORDS];
byte newest[RECORDS] = 1;	/* the generation that an object has come to */
#endif
mtype why = S1_handed_over;	/* since the last swap */
byte ended;

inline reads(s)
{
	holds(S1_nobody_reads_freed, s == NONE || refs[s] > 0)
}

/* tiffin_store_put() */
inline put(s)
{
	holds(S1_nobody_reads_freed, s == NONE || refs[s] > 0);
	if
	:: s != NONE -> refs[s]--
	:: else
	fi
}

#define CHECK(name, good)	holds(name, why != name || (good))

inline finds(good)
{
	CHECK(S1_handed_over, good);
	CHECK(S4_older_untouched, good);
	CHECK(S8_live, good);
	CHECK(S8_snapshot, good);
	CHECK(S8_zeros, good);
	CHECK(S9_in_the_flip, good);
	CHECK(U1_untouched, good)
}

#include "handover_call.pml"

/* tiffin_store_alloc(): all records zero */
inline alloc(to)
{
	to = 0;
	do
	:: refs[to] != 0 -> to++
	:: else -> break
	od;
	refs[to] = 1;
	for (r : 0 .. RECORDS - 1) {
		val[AT(to, r)] = 0;
#ifdef OF_OBJECT
		gen[AT(to, r)] = 0;
		lock[AT(to, r)] = false
#endif
	}
	r = 0
}

/* tiffin_store_save(), tiffin_store_restore(), tiffin_store_clear(): of each possible CPU */
inline save(s)
{
	for (r : 0 .. RECORDS - 1) {
#ifdef BREAK_SAVED_ONLINE
		if
		:: online[r] -> saved_val[r] = val[AT(s, r)]
		:: else -> saved_val[r] = 0
		fi
#else
		saved_val[r] = val[AT(s, r)];
#endif
#ifdef OF_OBJECT
		saved_gen[r] = gen[AT(s, r)];
		saved_lock[r] = lock[AT(s, r)]
#endif
	}
	r = 0
}

inline restore(s)
{
	for (r : 0 .. RECORDS - 1) {
#ifdef BREAK_RESTORED_ONLINE
		if
		:: online[r] -> val[AT(s, r)] = saved_val[r]
		:: else
		fi
#else
		val[AT(s, r)] = saved_val[r];
#endif
#ifdef OF_OBJECT
		gen[AT(s, r)] = saved_gen[r];
		lock[AT(s, r)] = saved_lock[r]
#endif
	}
	r = 0
}

inline clear(s)
{
	for (r : 0 .. RECORDS - 1) {
#ifdef BREAK_CLEARED_ONLINE
		if
		:: online[r] -> val[AT(s, r)] = 0
		:: else
		fi
#else
		val[AT(s, r)] = 0
#endif
	}
	r = 0
}

/* tiffin_instance_convert(): "cut" is the record at which the callback is ended, if any. */
inline convert(s, from)
{
	for (r : 0 .. RECORDS - 1) {
		reads(s);
		reads(from);
#ifdef BREAK_CONVERTED_ONLINE
		if
		:: !online[r] -> val[AT(s, r)] = 0
		:: else ->
#else
		if
		:: true ->
#endif
			if
			:: r == cut -> faults++; quarantined[pol[next]] = true
			:: else
			fi;
			val[AT(s, r)] = (quarantined[pol[next]] -> 0 : val[AT(from, r)])
		fi
	}
	r = 0
}

/* tiffin_instance_drop_saved(), tiffin_instance_free() */
inline drop_saved(i)
{
	saved[i] = false;
	put(spare[i]);
	spare[i] = NONE
}

inline destroy(i)
{
	d_step {
		drop_saved(i);
		put(store[i]);
		store[i] = NONE;
		adopted[i] = false;
		converts[i] = false;
		pol[i] = 0;
#ifndef BREAK_OLDER_STALE
		older[i] = NOBODY;
#endif
		exists[i] = false
	}
}

#ifdef BREAK_UNDO_OF_NEWER
#define UNDO(theirs, ours)	undo[ours]
#else
#define UNDO(theirs, ours)	undo[theirs]
#endif

/* tiffin_instance_create() of policy p, beside the active one */
inline create(p)
{
	d_step {
		exists[next] = true;
		pol[next] = p;
		older[next] = current;
		if
		:: p == DEFAULT -> store[next] = NONE
		:: p != DEFAULT && store[current] != NONE && LAYOUT(p) == LAYOUT(pol[current]) ->
			/* tiffin_instance_adopt() */
			store[next] = store[current];
			adopted[next] = true;
#ifndef BREAK_NO_REFERENCE
			refs[store[next]]++;
#endif
			if
			:: UNDO(pol[current], p) == SNAPSHOT ->
				saved[next] = true;
#ifdef BREAK_SAVED_EARLY
				save(store[next])
#endif
#if defined(OF_OBJECT) && !defined(BREAK_NO_SPARE)
			:: UNDO(pol[current], p) == REBUILD -> alloc(spare[next])
#endif
			:: else
			fi
		:: else ->
			alloc(store[next]);
#ifndef OF_OBJECT
			converts[next] = store[current] != NONE;
#ifdef BREAK_CONVERTED_EARLY
			if
			:: converts[next] -> convert(store[next], store[current])
			:: else
			fi
#endif
#endif
		fi
	}
}

/* tiffin_instance_give_back(): "to" was active before. */
inline give_back(to)
{
	if
	:: adopted[current] ->
		reads(store[current]);
		holds(U2_needs_nothing, undo[pol[to]] != SNAPSHOT || saved[current]);
		if
		:: saved[current] -> restore(store[current])
		:: !saved[current] && UNDO(pol[to], pol[current]) == REBUILD ->
#ifdef OF_OBJECT
			holds(U2_needs_nothing, spare[current] != NONE);
			r = store[to];
			store[to] = spare[current];
#ifdef BREAK_SPARE_LEAKS
			spare[current] = NONE;
#else
			spare[current] = r;
#endif
			r = 0
#else
			clear(store[to])
#endif
		:: else
		fi
	:: else
	fi
}

/* What records have to say after a flip to the newer one, or back */
inline expect_forth(to)
{
	for (r : 0 .. RECORDS - 1) {
		then_val[r] = now_val[r];
		now_val[r] = (adopted[to] || converts[to] -> now_val[r] : 0);
#ifdef OF_OBJECT
		then_gen[r] = now_gen[r];
		now_gen[r] = (adopted[to] -> now_gen[r] : 0)
#endif
	}
	r = 0;
#ifdef BREAK_CONVERT_REACHES
	now_val[0] = (written -> WRITTEN(now_val[0]) : now_val[0]);
	written = false;
#endif
	why = (converts[to] -> S9_in_the_flip : S1_handed_over)
}

inline expect_back(to)
{
	if
	:: !adopted[current] -> why = S4_older_untouched
	:: adopted[current] && undo[pol[to]] == LIVE -> why = S8_live
	:: adopted[current] && undo[pol[to]] == SNAPSHOT -> why = S8_snapshot
	:: adopted[current] && undo[pol[to]] == REBUILD -> why = S8_zeros
	fi;
	for (r : 0 .. RECORDS - 1) {
		now_val[r] = (why == S8_live -> now_val[r] : (why == S8_zeros -> 0 : then_val[r]));
#ifdef OF_OBJECT
		now_gen[r] = (why == S8_live -> now_gen[r] : (why == S8_zeros -> 0 : then_gen[r]))
#endif
	}
	r = 0
}

#ifdef BREAK_FLIPPED_ANYWAY
#define ENDED(to)	false
#else
#define ENDED(to)	quarantined[pol[to]]
#endif

#ifdef BREAK_CONVERT_REACHES
/* The callback of a store that is converted before this one is saved writes here; or is ended. */
inline reaches(s)
{
	val[AT(s, 0)] = WRITTEN(val[AT(s, 0)]);
	if
	:: cut == 0 -> written = true
	:: else -> faults++; quarantined[pol[next]] = true
	fi
}
#endif

/* tiffin_instance_flip(); "flipped" says how it went. */
inline instance_flip(to)
{
	d_step {
#ifdef OF_OBJECT
		for (r : 0 .. RECORDS - 1) {
			holds(S3_given_back, store[current] == NONE || !lock[AT(store[current], r)])
		}
		r = 0;
#endif
		flipped = false;
		if
		:: ENDED(to)
		:: !ENDED(to) && older[current] == to ->
#ifndef BREAK_GIVEN_BACK_LATE
			give_back(to);
#endif
			flipped = true
		:: else ->
			/* tiffin_instance_take_over() */
#ifdef BREAK_CONVERT_REACHES
			if
			:: adopted[to] && cut != NOBODY -> reaches(store[to])
			:: else
			fi;
#endif
#ifndef BREAK_SAVED_EARLY
			if
			:: saved[to] -> save(store[to])
			:: else
			fi;
#endif
#if !defined(BREAK_CONVERTED_EARLY) && !defined(BREAK_CONVERTED_LATE)
			if
			:: converts[to] -> convert(store[to], store[current])
			:: else
			fi;
#endif
			flipped = !ENDED(to)
		fi;
		if
		:: flipped ->
			if
			:: to == previous -> expect_back(to)
			:: else -> expect_forth(to)
			fi;
			holds(Q2_not_put, !quarantined[pol[to]]);
			current = to;
#ifdef OF_CPU
			for (r : 0 .. RECORDS - 1) {
				holds(S7_with_the_others, store[to] == NONE ||
				      val[AT(store[to], r)] == now_val[r])
			}
			r = 0;
#endif
		:: else
		fi
	}
}

/* tiffin_gate_flip(), as gate.pml shows it: closed, drained. A first flip may not come to that. */
inline gate_flip(to)
{
	atomic {
#ifndef BREAK_NO_CPUS_LOCK
		!plugging -> reading = true;
#endif
		closed = true;
		was_online = online[1]
	};
	if
#ifdef BREAK_NO_DRAIN
	:: instance_flip(to)
#else
	/* tiffin_gate_busy_cpu() looks at CPUs that are online. */
	:: atomic { inside[0] == 0 && (inside[1] == 0 || !online[1]) -> instance_flip(to) }
#endif
	:: to != previous
	fi;
	atomic {
		holds(G5_no_hotplug, online[1] == was_online);
		was_online = false;
		closed = false;
		reading = false
	}
}

/* tiffin_swap_settle(), by the end of a probation or as there is none */
inline settle()
{
	drop_saved(current);
#ifndef BREAK_OLDER_STALE
	older[current] = NOBODY;
#endif
	adopted[current] = false;
	converts[current] = false;
	destroy(previous);
	previous = NOBODY;
	for (r : 0 .. RECORDS - 1) {
		then_val[r] = 0;
#ifdef OF_OBJECT
		then_gen[r] = 0
#endif
	}
	r = 0
}

#define HERE	quarantined[pol[current]]
#define MAY_COME(q)	(q < POLICIES && pol[current] != q && !quarantined[q])

/* tiffin_swap_run() up to the flip. Where it can't come to that, next is NOBODY again. */
inline prepare()
{
	next = 1 - current;
	if
	:: MAY_COME(0) -> create(0)
	:: MAY_COME(1) -> create(1)
	:: MAY_COME(2) -> create(2)
	:: MAY_COME(3) -> create(3)
	:: !MAY_COME(0) && !MAY_COME(1) && !MAY_COME(2) && !MAY_COME(3) -> next = NOBODY
	fi;
	if
	:: next == NOBODY || cut == NOBODY
	/* A callback that converts in the flip may be ended at any record. */
	:: next != NOBODY && converts[next] && faults < FAULTS -> cut = 0
	:: next != NOBODY && converts[next] && faults < FAULTS && RECORDS > 1 -> cut = 1
#ifdef BREAK_CONVERT_REACHES
	:: next != NOBODY && adopted[next] -> cut = 0
	:: next != NOBODY && adopted[next] && faults < FAULTS -> cut = 1
#endif
	/* Memory is short: tiffin_swap_fail() */
	:: next != NOBODY -> fails()
	/* tiffin_instance_init() is ended. */
	:: next != NOBODY && pol[next] != DEFAULT && faults < FAULTS ->
		faults++;
		quarantined[pol[next]] = true;
#ifdef BREAK_INIT_REACHES
		if
		:: adopted[next] -> val[AT(store[next], 0)] = HALF
		:: else
		fi;
#endif
		fails()
	fi
}

/* U1 */
inline fails()
{
	why = U1_untouched;
	destroy(next);
	next = NOBODY
}

proctype swap()
{
	byte nr, next = NOBODY, previous = NOBODY, r, cut = NOBODY;
	bool probation, flipped, was_online;
#ifdef BREAK_CONVERT_REACHES
	bool written;
#endif

	do
	/* All is over. */
	:: previous == NOBODY && !HERE && nr == SWAPS && ended == CONTEXTS -> break
	:: atomic {
		if
		/* tiffin_swap_request() */
		:: previous == NOBODY && !HERE && nr < SWAPS ->
			nr++;
			probation = true;
			prepare()
		/* tiffin_swap_rescue(), tiffin_swap_replace() */
		:: previous == NOBODY && HERE -> prepare()
		/* tiffin_swap_seize() in a probation: SysRq, or both are in quarantine */
		:: previous != NOBODY -> settle(); prepare()
		/* tiffin_swap_keep() */
		:: previous != NOBODY && !HERE -> settle()
		/* tiffin_swap_undo(): asked for, or a health gate fails, or by the rescue */
		:: previous != NOBODY && !quarantined[pol[previous]] -> next = previous
		fi
	   };
		if
		:: next == NOBODY -> goto none
		:: else -> gate_flip(next)
		fi;
#ifdef BREAK_GIVEN_BACK_LATE
		d_step {
			if
			:: flipped && next == previous ->
				current = 1 - next;
				give_back(next);
				current = next
			:: else
			fi
		};
#endif
#ifdef BREAK_CONVERTED_LATE
		d_step {
			if
			:: flipped && converts[next] -> convert(store[next], store[1 - next])
			:: else
			fi
		};
#endif
		atomic {
			if
			:: next == previous ->
				previous = 1 - current;
				settle()
			:: next != previous && flipped ->
				previous = 1 - current;
				if
				:: probation && !quarantined[pol[previous]]
				:: else -> settle()
				fi
			:: next != previous && !flipped -> fails()
			fi;
none:
			next = NOBODY;
			cut = NOBODY;
			flipped = false;
			probation = false
		}
	od;
	ended++
}

#ifdef HOTPLUG
/* CPU 1 goes offline, as no call is in it (calls are not preempted), and comes back. */
proctype hotplug()
{
	byte nr;

	do
	:: nr == HOTPLUG -> break
	:: nr < HOTPLUG ->
		nr++;
		/* cpus_write_lock() */
#ifdef BREAK_NO_CPUS_LOCK
		plugging = true;
#else
		atomic { !reading -> plugging = true };
#endif
		atomic {
#ifndef BREAK_PREEMPTED
			inside[1] == 0 ->
#endif
			online[1] = false;
			holds(S7_no_call_in_it, inside[1] == 0);
#ifdef BREAK_OFFLINE_CLEARED
			if
			:: store[current] != NONE -> val[AT(store[current], 1)] = 0
			:: else
			fi;
#endif
			plugging = false
		};
#ifdef BREAK_NO_CPUS_LOCK
		plugging = true;
#else
		atomic { !reading -> plugging = true };
#endif
		atomic {
			online[1] = true;
			holds(S7_stays, store[current] == NONE ||
			      val[AT(store[current], 1)] == now_val[1]);
			plugging = false
		}
	od
}
#endif

init {
	byte i;

	/* Policy A is active, and knows a record. */
	atomic {
		exists[0] = true;
		pol[0] = A;
		store[0] = 0;
		refs[0] = 1;
		if
		:: undo[1] = LIVE; undo[2] = SNAPSHOT; undo[3] = REBUILD
		:: undo[1] = SNAPSHOT; undo[2] = REBUILD; undo[3] = LIVE
		:: undo[1] = REBUILD; undo[2] = LIVE; undo[3] = SNAPSHOT
		fi;
		for (i : 0 .. RECORDS - 1) {
			val[AT(0, i)] = 1;
			now_val[i] = 1;
#ifdef OF_OBJECT
			gen[AT(0, i)] = 1;
			now_gen[i] = 1;
#endif
		}
		i = 0;
		run caller(0, false);
		run caller(1, false);
#ifdef INTERRUPTS
		run caller(0, true);
#endif
		run swap();
#ifdef HOTPLUG
		run hotplug();
#endif
	};
	/* All calls and swaps are over. */
	atomic {
		ended == CONTEXTS + 1 ->
		for (i : 0 .. STORES - 1) {
			holds(S1_nothing_leaks, refs[i] == (i == store[current] -> 1 : 0))
		}
		holds(S1_nothing_leaks, !exists[1 - current] && !saved[current]);
		holds(Q2_not_put, !quarantined[pol[current]])
	}
}
