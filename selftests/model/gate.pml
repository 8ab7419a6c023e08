/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gate of a swap as a model for spin: upgrade/gate.[ch], the part of framework/core/dispatch.c
 * that goes through it, and what upgrade/swap.c makes of it. Each assertion bears the name of the
 * invariant in gate.h, dispatch.h or swap.h that it stands for.
 *
 * Memory is that of x86 (TSO): a CPU's stores go into its buffer, in order, and to memory later; it
 * reads its own stores at once, the others read memory. smp_mb() empties the buffer, and so does the
 * IPI of tiffin_gate_flip() on each CPU. Only stores are modelled that another CPU reads.
 *
 * A step here is what one CPU does between two points where another CPU, or an interrupt, could tell
 * the difference. A barrier makes one step with the read after it: a buffer may be empty at any time,
 * so that nothing is lost by that.
 *
 * CPU 0 runs the swap, in process context, where no call of its own CPU is under way; calls come
 * there by interruption. On the others a call may be interrupted by a call.
 *
 * Defined by ./run:
 *	CPUS		number of CPUs: 2 or 3
 *	DEEP		calls of CPU 1 nest three deep, not two
 *	ALONE		no calls by interruption
 *	CALLS		calls that each context makes, for one swap and its rollback: all must come to
 *			an end. Else calls and flips go on for ever.
 *	OFF		a call may come with interrupts off
 *	PATIENT		no time limit is ever over: what waits goes on only when it may
 *	STUCK		a call of CPU 1 may stay in the policy for ever
 *	STALL		the swap may stop for ever while the gate is closed
 *	ONLY		the one assertion that counts
 *	BREAK_*		breaks the protocol on purpose
 */

#ifndef CPUS
#define CPUS		2
#endif

/* enum tiffin_gate_word */
#define OPEN		0
#define SLOW		1
#define CLOSED		2

/*
 * How often a caller looks at the closed gate in hold_ns, the swap finds a CPU busy in close_us, and
 * the gate is closed in timeout_ms. More of the first two would add nothing: a look at what has not
 * changed might as well not have been made.
 */
#define HOLD		1
#define CLOSE		1
#define ATTEMPTS	2

/* Stores that a buffer holds; a CPU whose buffer is full waits for its oldest store. */
#ifndef DEPTH
#define DEPTH		3
#endif

/*
 * The names of what is asserted; none is 0. D1, D4 and the end of the swap are also what a run with
 * CALLS shows: every call and the swap come to an end, even where the gate never opens (STALL) or a
 * call never leaves (STUCK).
 */
mtype = {
	G1_nobody_inside,	/* from drained to open no call is inside a policy */
	G1_changes_only_there,	/* active and epoch change only then */
	G1_effects_before_flip,	/* what calls did inside is in memory before the flip */
	G2_never_waits_nested,	/* no call waits that interrupts one which has counted itself */
	G3_nested_goes_in,	/* a call that interrupts one which is in goes in too */
	D1_one_verdict,		/* a call has exactly one verdict */
	D2_closed_to_new,	/* no call passes a gate that has drained */
	D3_one_epoch,		/* a call ends in the epoch and the instance that it began in */
	U1_untouched,		/* a swap that did not flip has changed nothing */
	U5_instance_lives,	/* no call is inside an instance that is destroyed */
	count_is_back		/* a call leaves its CPU's counts as it found them */
};

#ifdef ONLY
#define holds(name, condition)	assert(name != ONLY || (condition))
#else
#define holds(name, condition)	assert(name && (condition))
#endif

/* What a buffered store goes to */
mtype = { to_entered, to_effect, to_word, to_active, to_epoch };

chan buffer[CPUS] = [DEPTH] of { mtype, byte };

/*
 * struct tiffin_gate as it is in memory, and as CPU 0, the only one to write it, knows it. "active" is
 * a word of Promela: instance. Of the epoch the last bit will do, as a call spans no single flip.
 */
byte word;
bit instance, epoch;
byte own_word;
bit own_instance, own_epoch;

/* struct tiffin_gate_cpu: entered in memory; entered and inside as their own CPU knows them */
byte entered[CPUS];
byte own_entered[CPUS];
byte inside[CPUS];		/* the swap does not read it: no need for its copy in memory */

/* The machine */
byte level[CPUS];		/* whose turn it is on a CPU: 0 process, 1 and 2 interrupts */
bool off[CPUS];			/* interrupts are off */
bool ipi[CPUS];			/* the IPI of tiffin_gate_flip() is on its way */

/* What only the assertions look at */
byte running[CPUS];		/* calls inside a policy */
byte effects[CPUS];		/* stores of policies that are in the buffer */
bool drained;			/* between (3) and (4) of gate.h, as CPUs other than 0 see it */
bool gone[2];			/* the instance is destroyed */
#ifdef CALLS
byte contexts, ended, stopped;
#endif

#define WORD(c)		(c == 0 -> own_word : word)
#define INSTANCE(c)	(c == 0 -> own_instance : instance)
#define EPOCH(c)	(c == 0 -> own_epoch : epoch)
#define ENTERED(c)	(c == 0 -> own_entered[0] : entered[c])

#if CPUS == 2
#define ON_OTHERS(what)	(what[1])
#else
#define ON_OTHERS(what)	(what[1] || what[2])
#endif
#define ANYWHERE(what)	(what[0] || ON_OTHERS(what))

/* A store on its way; 0 between steps */
mtype where;
byte value;

/* The oldest store of CPU c goes to memory. */
inline reach_memory(c)
{
	buffer[c]?where,value;
	if
	:: where == to_entered -> entered[c] = value
	:: where == to_effect -> effects[c]--
	:: where == to_word ->
		word = value;
		drained = (value == OPEN -> false : drained)
	:: where == to_active ->
		holds(G1_changes_only_there, drained && !ON_OTHERS(running));
		instance = value
	:: where == to_epoch ->
		holds(G1_changes_only_there, drained && !ON_OTHERS(running));
		epoch = value
	fi;
	where = 0;
	value = 0
}

/* smp_mb(), in one step with what follows */
inline full_barrier(c)
{
	do
	:: nempty(buffer[c]) -> reach_memory(c)
	:: empty(buffer[c]) -> break
	od
}

/* tiffin_gate_barrier() */
inline take_ipi(c)
{
	full_barrier(c);
	ipi[c] = false
}

active proctype machine()
{
end:
#ifdef CALLS
	/* This process is always here: any run that goes round for ever is an error (pan -a). */
accept:
#endif
	do
	:: d_step { nempty(buffer[0]) -> reach_memory(0) }
	:: d_step { nempty(buffer[1]) -> reach_memory(1) }
	:: d_step { ipi[1] && !off[1] -> take_ipi(1) }
#if CPUS > 2
	:: d_step { nempty(buffer[2]) -> reach_memory(2) }
	:: d_step { ipi[2] && !off[2] -> take_ipi(2) }
#endif
	od
}

/* this_cpu_inc(entered), this_cpu_dec(entered): one instruction. The buffer has room. */
inline count(c, by)
{
	own_entered[c] = own_entered[c] + by;
	buffer[c]!to_entered,own_entered[c]
}

#ifdef BREAK_NO_SECOND_READ
#define SEEN(c)		seen
#else
#define SEEN(c)		WORD(c)
#endif
#ifdef BREAK_NESTED_REFUSED
#define LETS_NESTED(c)	false
#else
#define LETS_NESTED(c)	(inside[c] > 0)
#endif

/* tiffin_gate_try(): "in" says how it ends. Counts of this CPU are as they were after an interrupt. */
inline try(c)
{
	atomic {
		/* Room for the count, which the barrier makes in any case */
#ifdef BREAK_NO_SLOW_BARRIER
		nfull(buffer[c]);
#else
		full_barrier(c);
#endif
		if
		:: SEEN(c) == CLOSED && !LETS_NESTED(c) ->
			count(c, -1)
		:: SEEN(c) == CLOSED && LETS_NESTED(c) ->
			in = true
		:: SEEN(c) != CLOSED ->
			in = true
		fi
	}
}

/* tiffin_gate_wait(): this call has backed out. May it wait? */
#ifdef BREAK_NESTED_WAITS
#define MAY_WAIT(c)	true
#else
#define MAY_WAIT(c)	(own_entered[c] == 0)
#endif

/* One look at the closed gate: it is open, or the time is over. */
inline look(c)
{
#if defined(PATIENT) || defined(BREAK_NO_HOLD)
	WORD(c) != CLOSED
#else
	atomic {
		if
		:: WORD(c) != CLOSED
		:: WORD(c) == CLOSED && waited < HOLD -> waited++
		:: waited >= HOLD
		fi
	}
#endif
}

byte cpu_of[8], level_of[8];

/*
 * tiffin_dispatch(): the calls of one context of a CPU. A call of a higher level comes at any time
 * that interrupts are on, and then has the CPU until it ends.
 */
proctype caller(byte c; byte mine) provided (level[cpu_of[_pid]] <= level_of[_pid])
{
	byte below, before, waited, verdicts;
	bit inst, begun;
	bool in;
#ifdef BREAK_NO_SECOND_READ
	byte seen;
#endif
#ifdef CALLS
	byte nr;
#endif

end:
	do
#ifdef CALLS
	:: nr == CALLS -> break
#endif
	/* The call comes; tiffin_gate_enter(): it counts itself. */
	:: atomic {
#ifdef CALLS
		nr < CALLS &&
#endif
		(mine == 0 || (level[c] < mine && !off[c])) && nfull(buffer[c]) ->
#ifdef CALLS
		nr++;
#endif
		below = level[c];
		level[c] = mine;
#ifdef OFF
		if
		:: off[c] = true
		:: true
		fi;
#endif
		before = own_entered[c];
		count(c, 1)
	   }

	/* tiffin_gate_enter() reads the word. */
	if
	:: atomic { WORD(c) == OPEN -> in = true }
	:: atomic {
		WORD(c) != OPEN;
#ifdef BREAK_NO_SECOND_READ
		seen = WORD(c)
#endif
	   }
		/* tiffin_gate_wait() */
		do
		:: true ->
			try(c);
			if
			:: in || !MAY_WAIT(c) || waited >= HOLD -> break
			:: else ->
				holds(G2_never_waits_nested, !before)
			fi;
			look(c);
			atomic {
				nfull(buffer[c]);
#ifdef BREAK_NO_SECOND_READ
				seen = WORD(c);
#endif
				count(c, 1)
			}
		od;
#ifdef BREAK_COUNT_LEAKS
		in = in && waited < HOLD
#endif
	fi;

	if
	/* this_cpu_inc(inside); tiffin_pass() reads active. */
	:: atomic {
		in ->
		inside[c]++;
		running[c]++;
		inst = INSTANCE(c);
		holds(D2_closed_to_new, c == 0 || !drained)
	   }
#ifdef BREAK_LOWER_EARLY
		atomic { nfull(buffer[c]); count(c, -1) };
#endif
#ifdef STUCK
		if
		:: c == 1 && mine == 0 ->
			stopped++;
end_stuck:		false
		:: true
		fi;
#endif
		/* tiffin_put_question() reads epoch; the policy writes to a store. */
		atomic {
			nfull(buffer[c]) ->
			begun = EPOCH(c);
			holds(D3_one_epoch, inst == begun);
			effects[c]++;
			buffer[c]!to_effect,0
		};
		/* The policy has answered; tiffin_gate_leave(). */
		atomic {
			holds(D3_one_epoch, EPOCH(c) == begun && INSTANCE(c) == inst);
			holds(U5_instance_lives, !gone[inst]);
			verdicts++;
			running[c]--;
			inside[c]--
		};
#ifndef BREAK_LOWER_EARLY
		atomic { nfull(buffer[c]) -> count(c, -1) }
#endif
	:: atomic {
		!in ->
		holds(G3_nested_goes_in, !running[c]);
#ifdef BREAK_UNANSWERED
		/* The call could not wait: nobody answers. */
		verdicts = verdicts + (before -> 0 : 1)
#else
		verdicts++
#endif
	   }
	fi;

	atomic {
		holds(D1_one_verdict, verdicts == 1);
		holds(count_is_back, own_entered[c] == before);
		in = false;
		waited = 0;
		inst = 0;
		begun = 0;
		verdicts = 0;
		before = 0;
#ifdef BREAK_NO_SECOND_READ
		seen = 0;
#endif
#ifdef OFF
		/* An IPI that has come while interrupts were off is taken at once. */
		if
		:: off[c] && ipi[c] -> take_ipi(c)
		:: else
		fi;
		off[c] = false;
#endif
		level[c] = below;
		below = 0
	}
	od
#ifdef CALLS
	;
	ended++
#endif
}

/* A store of CPU 0 to the gate */
inline store(what, own, val)
{
	atomic {
		nfull(buffer[0]) ->
		own = val;
		buffer[0]!what,own
	}
}

inline flip_stores(to)
{
	store(to_active, own_instance, to);
	store(to_epoch, own_epoch, 1 - own_epoch);
	holds(G1_nobody_inside, !ANYWHERE(running))
}

/* tiffin_gate_flip(); "flipped" says how it went. */
inline gate_flip(to)
{
	/* (1) */
#ifndef BREAK_NO_SLOW
	store(to_word, own_word, SLOW);
#endif
	/* on_each_cpu() queues its work with a locked instruction; on its own CPU it is a call. */
	d_step {
		full_barrier(0);
#ifndef BREAK_NO_IPI
		ipi[1] = true;
#if CPUS > 2
		ipi[2] = true
#endif
#endif
	};
	!ON_OTHERS(ipi);

	/* (2) */
#ifndef BREAK_INTERRUPTS_ON
	off[0] = true;
#endif
	store(to_word, own_word, CLOSED);
#ifndef BREAK_NO_CLOSED_BARRIER
	d_step { true; full_barrier(0); true };
#endif
#ifdef STALL
	if
	:: stopped++;
end_stall:	false
	:: true
	fi;
#endif
	/* tiffin_gate_busy_cpu() until no CPU is or the time is over */
	do
	:: atomic { busy < CPUS && !ENTERED(busy) -> busy++ }
	:: busy == CPUS -> break
#if defined(PATIENT) || defined(BREAK_NO_CLOSE_LIMIT)
#else
	:: atomic { busy < CPUS && ENTERED(busy) && scans < CLOSE -> scans++; busy = 0 }
	:: busy < CPUS && ENTERED(busy) -> break
#endif
	od;
#ifdef BREAK_NOT_AWAITED
	busy = CPUS;
#endif
	if
	:: busy == CPUS ->
		/* (3) */
		d_step {
			true;
			full_barrier(0);
			drained = true;
			holds(G1_nobody_inside, !ANYWHERE(running));
			holds(G1_effects_before_flip, !ANYWHERE(effects))
		};
#ifdef BREAK_OPEN_FIRST
		store(to_word, own_word, OPEN);
		flip_stores(to);
#else
		flip_stores(to);
		/* (4) */
		store(to_word, own_word, OPEN);
#endif
		flipped = true
	:: else ->
		/* (5) */
#ifdef BREAK_FLIP_UNDRAINED
		flip_stores(to);
#endif
		store(to_word, own_word, OPEN)
	fi;
	atomic {
		off[0] = false;
		scans = 0;
		busy = 0
	}
}

/* tiffin_swap_flip(): attempts until one works or the time is over */
inline swap_flip(to)
{
	flipped = false;
	attempt = 0;
	do
	:: !flipped && attempt < ATTEMPTS ->
		gate_flip(to)
#ifndef BREAK_NO_TIMEOUT
		;
		attempt++
#endif
	:: flipped || attempt == ATTEMPTS -> break
	od
}

proctype swap() provided (level[0] == 0)
{
	byte attempt, scans, busy;
	bool flipped;

#ifdef CALLS
	/* tiffin_swap_run(), then tiffin_swap_keep() or tiffin_swap_undo() */
	swap_flip(1);
	if
	:: !flipped ->
		holds(U1_untouched, own_instance == 0 && own_epoch == 0);
		gone[1] = true
	:: flipped ->
		/* Probation, and its end */
		if
		:: gone[0] = true
		:: swap_flip(0);
			if
			:: flipped -> gone[1] = true
			/* Both stay whole (U2), and the rollback is tried again. */
			:: !flipped ->
				holds(U1_untouched, own_instance == 1 && own_epoch == 1)
			fi
		fi
	fi;
	ended++
#else
	/* One swap after the other. Whether it commits or rolls back: one instance is destroyed. */
	do
	:: true ->
		gone[1 - own_instance] = false;
		gate_flip(1 - own_instance);
		atomic {
			gone[1 - own_instance] = true;
			flipped = false
		}
	od
#endif
}

/* The process that comes next finds by its number where it belongs. */
#define START(cpu, lvl)	cpu_of[_nr_pr] = cpu; level_of[_nr_pr] = lvl; run caller(cpu, lvl)

init {
	atomic {
		run swap();
		START(1, 0);
#ifndef ALONE
		START(1, 1);
#ifndef QUIET
		START(0, 1);
#endif
#endif
#ifdef DEEP
		START(1, 2);
#endif
#if CPUS > 2
		START(2, 0);
#endif
#ifdef CALLS
		contexts = _nr_pr - 2
#endif
	}
#ifdef CALLS
	;
	/* All has come to its end, but for what is to stop half-way: then that call is in flight. */
	ended + stopped == contexts;
	holds(count_is_back, (stopped || !ANYWHERE(own_entered) && !ANYWHERE(inside)))
#endif
}
