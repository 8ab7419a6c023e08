/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Part of convert.pml, with FORCED: a probation or a sweep is ended for another policy. From
 * upgrade/swap.c and framework/core/instance.c.
 */

/*
 * tiffin_swap_seize(), once it has the state: the sweep's end, and tiffin_instance_give_up(). "held":
 * the older instance is, as on a probation, and is let go of here (tiffin_swap_settle()).
 */
inline seize(newer, older, held)
{
	stop = true;
#ifdef BREAK_FORCED_NOT_AWAITED
	pending = false;
#else
	cancel();
#endif
	stop = false;
	inst = NONE;
#ifdef BREAK_GIVEN_UP_LATE
	if
	:: held -> put(older)
	:: else
	fi;
#endif
	atomic {
		i = (from[newer] == NONE && held -> older : from[newer]);
		if
		:: i != NONE -> kept = i; reads(kept); refs[kept]++
		:: else
		fi;
#ifdef FAULTS
		holds(W4_as_at_the_flip, !unmade || kept != NONE);
#endif
		i = 0
	};
#ifndef BREAK_GIVEN_UP_LATE
	if
	:: held -> put(older)
	:: else
	fi;
#endif
	held = false
}

/* tiffin_swap_force(), once it has seized the scope: another instance comes, or can't. */
inline force(newer)
{
	if
	:: true ->
		/* It can't: tiffin_instance_go_on(). */
		state = SWEEPING;
		atomic {
			if
#ifdef FAULTS
			/* It writes no more, and what is kept stays good for the next attempt. */
			:: BAD(newer) -> end_conversion(newer)
#endif
			:: kept != NONE && !BAD(newer) ->
#ifndef BREAK_KEPT_FORGOTTEN
				put(kept);
#endif
				kept = NONE
			:: kept == NONE && !BAD(newer)
			fi
		};
#ifndef BREAK_NOT_GONE_ON
		if
		:: from[newer] != NONE ->
			cancel();
			atomic { next_object = 0; inst = newer };
			pending = true
		:: else
		fi;
#endif
		try_stable()
	:: kept != NONE ->
		/* It knows the older layout: as after a rollback. */
		refs[kept]++;
		close_gate();
		atomic {
			for (i : 0 .. OBJECTS - 1) {
				holds(W4_as_at_the_flip,
				      SAYS(kept, i, then_gen[i], then_val[i]));
				now_gen[i] = then_gen[i];
				now_val[i] = then_val[i]
			}
			i = 0;
#ifdef FAULTS
			unmade = false;
			bad[kept] = false;
#endif
			current = kept
		};
		open_gate();
		atomic {
			put(newer);
			if
			:: from[newer] != NONE -> put(from[newer]); from[newer] = NONE
			:: else
			fi;
			put(kept);
			kept = NONE
		};
		state = STABLE
	:: true ->
		/* It knows the newer layout alone: tiffin_instance_end_conversion(). */
		refs[newer]++;
#ifdef BREAK_ENDED_EARLY
		end_conversion(newer);
		close_gate();
#else
		close_gate();
		end_conversion(newer);
#endif
		atomic {
			for (i : 0 .. OBJECTS - 1) {
				/* What was not converted is zeros, and told to be. */
				now_val[i] = (gen[AT(newer, i)] == now_gen[i] -> now_val[i] : 0);
				now_gen[i] = (gen[AT(newer, i)] == now_gen[i] -> now_gen[i] : 0)
			}
			i = 0;
#ifdef FAULTS
			unmade = false;
			bad[newer] = false
#endif
		};
		open_gate();
		atomic {
			put(newer);
			if
			:: kept != NONE -> put(kept); kept = NONE
			:: else
			fi
		};
		state = STABLE
	fi
}

inline end_conversion(newer)
{
	atomic {
		if
		:: from[newer] != NONE -> put(from[newer]); from[newer] = NONE
		:: else
		fi
	}
}
