// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults under real threads: threads play CPUs that ask, signals play their interrupts, one thread
 * plays the workqueue that sweeps and rescues. One swaps to a policy with another layout, which
 * comes to quarantine: by a call that is ended, or by somebody else; in its probation, or after it
 * was kept; often in the middle of its sweep. Or the older one does, and is to come back.
 *
 * All objects' records are as they were at the flip then, or, where the sweep was over in time, all
 * begin anew; and each call since has been counted in one of them.
 *
 * Where records are shared a call that was in the faulty policy may still write one that the next
 * begins anew (store.h, S2): without SHARED they are not, for checkers that take that for a
 * mistake.
 *
 * usage: fault-stress [ROUNDS [CALLERS [SIGNALS [SHARED]]]]
 */
#include <stdlib.h>
#include <unistd.h>

#include "callers.h"
#include "core/quarantine.h"
#include "core/sysfs.h"
#include "failures.h"
#include "list_model.h"
#include "rescue.h"
#include "test.h"
#include "work.h"

#define LONG		" probation_ms=86400000"
#define MAX_EPOCHS	20000
/* Far more than a rescue takes. */
#define RESCUE_LIMIT_S	30ULL

enum how { KEPT, ON_PROBATION, OLDER, HOWS };

static struct lab lab;
static unsigned int nr_callers;
static u64 asked[MAX_CALLERS][2];
/* Answers of policies, by epoch and object. */
static u64 answered[MAX_EPOCHS][LAB_OBJECTS];
static u32 stop_worker;
static unsigned int restored, anew;

static void ask(unsigned int caller, bool nested)
{
	u64 nr = asked[caller][nested]++;
	u32 object = (nr * 7 + caller) % LAB_OBJECTS;
	struct lab_out out;

	if (lab_ask(&lab, LAB_ASK, object, &out) == TIFFIN_ANSWERED && out.epoch < MAX_EPOCHS)
		__atomic_fetch_add(&answered[out.epoch][object], 1, __ATOMIC_RELAXED);
}

static void *work(void *unused)
{
	shim_cpu_start(nr_callers + 1);
	shim_worker(&stop_worker);
	return NULL;
}

static const struct tiffin_scope *scope_now(void)
{
	return lab.family.scope;
}

static void swap_to(enum lab_who who, const char *options)
{
	char text[96];

	scnprintf(text, sizeof(text), "%s%s", lab_policy[who].name, options);
	EXPECT_SWAP(&lab, text);
}

static u64 calls_of(enum lab_who who, u32 object)
{
	const struct tiffin_store_mem *mem = scope_now()->gate.active->store[TIFFIN_STORE_OBJECT];
	struct tiffin_record *rec = tiffin_record_of(mem, object);

	EXPECT(rec->locked, ==, 0);
	return rec->generation ? *lab_calls(rec->data, who) : 0;
}

/* No call is under way. @who has come back. */
static void check(enum lab_who who, const u64 *then, enum how how)
{
	const struct tiffin_store_mem *lists = scope_now()->gate.active->store[TIFFIN_STORE_LISTS];
	unsigned int as_then = 0, as_new = 0;
	u32 i;

	EXPECT_STR(lab_active(&lab), lab_policy[who].name);
	for (i = 0; i < LAB_OBJECTS; i++) {
		u64 calls = calls_of(who, i), since = answered[scope_now()->gate.epoch][i];

		as_then += calls == then[i] + since;
		as_new += calls == since;
	}
	EXPECT(as_then == LAB_OBJECTS || (how == KEPT && as_new == LAB_OBJECTS), ==, true);
	restored += as_then == LAB_OBJECTS;
	anew += as_new == LAB_OBJECTS;
	if (lists)
		EXPECT(!list_wrong(&lists->lists), ==, true);
	EXPECT(atomic64_read(&lab.family.stores_bytes), ==,
	       tiffin_instance_bytes(scope_now()->gate.active->policy, NULL));
	EXPECT(lab_accounts_hold(&lab), ==, true);
	EXPECT(lab.mixed, ==, 0);
}

/* What is left is in no known state. */
static void give_up(void)
{
	printf("not ok 1 faults\n1..1\n");
	fflush(stdout);
	_exit(1);
}

/* It is in quarantine: until another policy is active, and no swap under way. */
static void wait_for_rescue(void)
{
	u64 limit = ktime_get_ns() + RESCUE_LIMIT_S * NSEC_PER_SEC;

	while (tiffin_scope_quarantined(lab.family.scope) ||
	       READ_ONCE(lab.family.scope->swap.state) != TIFFIN_STABLE) {
		if (ktime_get_ns() > limit) {
			test_fail(__FILE__, __LINE__, "no rescue within %llu s: %s is active, %s",
				  RESCUE_LIMIT_S, lab_active(&lab),
				  tiffin_swap_state_name(lab.family.scope->swap.state));
			give_up();
		}
		usleep(50);
	}
}

static void reload(enum lab_who who)
{
	lab_unload(&lab, who);
	EXPECT(lab_load(&lab, who), ==, 0);
}

static void one_round(enum lab_who from, enum lab_who to, enum how how, unsigned int dice)
{
	u64 then[LAB_OBJECTS];
	u32 i;

	if (how == OLDER)
		swap_to(LAB_BETA, "");
	swap_to(from, "");
	callers_let_run();
	callers_park();
	for (i = 0; i < LAB_OBJECTS; i++)
		then[i] = calls_of(from, i);
	swap_to(to, how == KEPT ? "" : LONG);
	callers_go_on();
	usleep(dice % 16 * 20);
	if (how == OLDER) {
		lab_quarantine(&lab, lab_loaded(&lab, from), "the older one's fault");
		EXPECT(tiffin_swap_rollback(lab.family.scope), ==, 0);
	} else if (dice % 2) {
		WRITE_ONCE(lab.faulty, BIT(to));
		while (!tiffin_quarantined(lab_loaded(&lab, to)))
			usleep(20);
		WRITE_ONCE(lab.faulty, 0);
	} else {
		lab_quarantine(&lab, lab_loaded(&lab, to), "another's fault");
	}
	wait_for_rescue();
	callers_let_run();
	callers_park();
	check(how == OLDER ? LAB_BETA : from, then, how);
	EXPECT_SWAP(&lab, TIFFIN_DEFAULT_NAME);
	reload(how == OLDER ? from : to);
	callers_go_on();
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? atoi(argv[1]) : 300, i;
	bool with_signals = argc > 3 ? atoi(argv[3]) : true;
	bool shared = argc > 4 ? atoi(argv[4]) : true;
	pthread_t worker;

	nr_callers = argc > 2 ? atoi(argv[2]) : 3;
	if (!nr_callers || nr_callers > MAX_CALLERS - 1 || rounds > MAX_EPOCHS / 8)
		return 2;
	nr_cpu_ids = nr_callers + 2;
	if (tiffin_work_init() || tiffin_sysfs_init() || lab_start(&lab))
		return 1;
	/* Threads lose their processor as CPUs don't; an attempt to flip may meet that often. */
	lab.family.limits.timeout_ms = 600000;
	if (pthread_create(&worker, NULL, work, NULL) ||
	    !callers_start(nr_callers, with_signals, ask))
		return 1;
	for (i = 0; i < rounds && !READ_ONCE(failures); i++) {
		enum how how = i % HOWS;

		/* Beta goes on with alpha's records. */
		if (how == OLDER || !shared || i % 2)
			one_round(LAB_ALPHA, LAB_DELTA, how, i / HOWS);
		else
			one_round(LAB_KAPPA, LAB_LAMBDA, how, i / HOWS);
	}
	callers_stop();
	WRITE_ONCE(stop_worker, 1);
	pthread_join(worker, NULL);
	printf("# %u rounds: records as at the flip %u times, anew %u times; %llu calls, %llu rollbacks\n",
	       i, restored, anew, lab_figures(&lab).calls, lab.family.scope->swap.rollbacks);
	/* Else the run shows nothing. */
	EXPECT(restored, >, rounds / 2);
	lab_stop(&lab);
	tiffin_sysfs_exit();
	tiffin_rescue_exit();
	tiffin_work_exit();
	EXPECT(shim_allocations(), ==, 0);
	printf("%sok 1 faults\n1..1\n", failures ? "not " : "");
	return failures > 0;
}
