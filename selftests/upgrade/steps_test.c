// SPDX-License-Identifier: GPL-2.0-only
/*
 * Something goes wrong in each step of a swap in turn, through its end: an allocation fails, a CPU
 * goes, a policy's module is to be unloaded, the requester is killed, another request comes. Old or
 * new is in charge afterwards, never neither; what its records say is what it has to find; and
 * nothing is left over.
 */
#include "test.h"

#define LONG	" probation_ms=86400000"
#define OBJECT	3
#define CPU	3
/* More steps than any course has. */
#define MANY	3000

enum end { KEPT, COMMIT, ROLLBACK };

/**
 * struct course - a swap, from the request to the end
 * @name: for messages
 * @from: active before
 * @to: asked for
 * @sweep: the sweep gets its time before the end
 * @end: how it ends
 * @back: of the calls before the swap, how many the object's record knows after a rollback
 */
static const struct course {
	const char *name;
	enum lab_who from;
	enum lab_who to;
	bool sweep;
	enum end end;
	unsigned int back;
} courses[] = {
	{ "converted", LAB_ALPHA, LAB_DELTA, true, KEPT },
	{ "converted, committed", LAB_ALPHA, LAB_DELTA, true, COMMIT },
	{ "converted, committed in its sweep", LAB_ALPHA, LAB_DELTA, false, COMMIT },
	{ "converted, rolled back", LAB_ALPHA, LAB_DELTA, true, ROLLBACK, 4 },
	{ "converted, rolled back in its sweep", LAB_ALPHA, LAB_DELTA, false, ROLLBACK, 4 },
	{ "by reference", LAB_ALPHA, LAB_BETA, false, KEPT },
	{ "by reference, rolled back", LAB_ALPHA, LAB_BETA, false, ROLLBACK, 6 },
	{ "by reference, rolled back to zeros", LAB_SIGMA, LAB_ALPHA, false, ROLLBACK, 0 },
	{ "anew, committed", LAB_ALPHA, LAB_GAMMA, false, COMMIT },
};

/* What goes wrong, and in which step. */
static struct lab *the_lab;
static const struct course *the_course;
static bool (*deed)(void);
static bool done, failed;
static unsigned int steps, deed_at, fail_nth;

/* Each policy has a module of its own here. */
static struct module modules[LAB_POLICIES] = {
	[LAB_ALPHA] = { .name = "alpha" },
	[LAB_BETA] = { .name = "beta" },
	[LAB_GAMMA] = { .name = "gamma" },
	[LAB_DELTA] = { .name = "delta" },
	[LAB_SIGMA] = { .name = "sigma" },
};

static struct tiffin_swap *swap_of(struct lab *lab)
{
	return &lab->family.scope->swap;
}

static void load(struct lab *lab, enum lab_who who)
{
	EXPECT(tiffin_policy_register((const void *)&lab_policy[who], &modules[who], LAB_BUILD),
	       ==, 0);
	lab->loaded[who] = true;
}

static void start(struct lab *lab)
{
	enum lab_who who;

	the_lab = lab;
	for (who = 0; who < LAB_POLICIES; who++) {
		lab_unload(lab, who);
		if (who != LAB_BARE)
			load(lab, who);
	}
}

/* Nothing changes for a module, or a family, that somebody is in. */
static void holds_are_held(void)
{
	struct tiffin_scope *scope = the_lab->family.scope;
	const struct tiffin_loaded *active = scope->gate.active->policy;
	const struct tiffin_instance *previous = scope->swap.previous;

	if (active->owner)
		EXPECT(module_refcount(active->owner), >, 0);
	if (previous && previous->policy->owner)
		EXPECT(module_refcount(previous->policy->owner), >, 0);
	EXPECT(module_refcount(THIS_MODULE), >, 0);
}

static void step(void)
{
	void (*hook)(void) = shim.on_step;

	/* What the deed does are no steps of the swap. */
	shim.on_step = NULL;
	holds_are_held();
	steps++;
	/* A deed that can't be done in this step waits for the next. */
	if (steps >= deed_at && !done && deed())
		done = true;
	shim.on_step = hook;
}

/* Ask; the call is answered once, by one of those who may be in charge. */
static u64 ask(struct lab *lab, const struct course *c, bool exactly, enum lab_who who)
{
	struct lab_out out;

	EXPECT(lab_ask(lab, LAB_ASK, OBJECT, &out), ==, TIFFIN_ANSWERED);
	EXPECT(out.answers, ==, 1);
	if (exactly)
		EXPECT(out.who, ==, who);
	else
		EXPECT(out.who == c->from || out.who == c->to, ==, true);
	return out.object_calls;
}

static int request(struct lab *lab, enum lab_who to, const char *options)
{
	char text[96];

	scnprintf(text, sizeof(text), "%s%s", lab_policy[to].name, options);
	return lab_swap(lab, text);
}

/* The record of a CPU knows all calls of that CPU, whoever came and went. */
static void ask_on_cpu(struct lab *lab, u64 want)
{
	struct lab_out out;

	shim_cpu_start(CPU);
	EXPECT(lab_ask(lab, LAB_ASK, TIFFIN_NO_OBJECT, &out), ==, TIFFIN_ANSWERED);
	shim_cpu_start(0);
	if (want)
		EXPECT(out.cpu_calls, ==, want);
}

/*
 * One course, with what goes wrong on its way. Returns what the request returned; what it leaves is
 * looked at here.
 */
static int run_course(struct lab *lab, const struct course *c)
{
	struct tiffin_scope *scope = lab->family.scope;
	struct tiffin_instance *before;
	unsigned int known, end;
	u64 epoch, calls;
	int rc, ended = 0;

	EXPECT(request(lab, c->from, ""), ==, 0);
	shim_advance(1);
	for (known = 0; known < 4; known++)
		EXPECT(ask(lab, c, true, c->from), ==, known + 1);
	ask_on_cpu(lab, 1);
	before = scope->gate.active;
	epoch = scope->gate.epoch;
	the_course = c;
	steps = 0;
	done = false;
	shim.on_step = step;
	shim_fail_allocation(fail_nth);
	rc = request(lab, c->to, c->end == KEPT ? "" : LONG);
	/* U1: old or new, and the epoch says which. */
	EXPECT(scope->gate.epoch, ==, epoch + !rc);
	EXPECT(scope->gate.active == before, ==, rc != 0);
	EXPECT(ask(lab, c, true, rc ? c->from : c->to), ==, rc || c->to != LAB_GAMMA ? 5 : 1);
	if (c->sweep)
		shim_advance(1);
	ask(lab, c, true, rc ? c->from : c->to);
	if (!rc && c->end == COMMIT)
		ended = tiffin_swap_commit(scope);
	else if (!rc && c->end == ROLLBACK)
		ended = tiffin_swap_rollback(scope);
	/* A rollback whose requester was killed is made good by the probation's work. */
	shim.fatal_signal = false;
	if (ended)
		shim_advance(200 * NSEC_PER_MSEC);
	shim_advance(1);
	shim.on_step = NULL;
	shim.fatal_signal = false;
	failed = shim_allocation_failed();
	shim_fail_allocation(0);
	shim_cpu_online(CPU, true);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_STABLE);
	EXPECT(tiffin_sweep_runs(scope), ==, false);
	EXPECT(!swap_of(lab)->previous, ==, true);
	EXPECT(scope->gate.word, ==, TIFFIN_GATE_OPEN);

	if (rc || c->end != ROLLBACK) {
		end = c->to == LAB_GAMMA && !rc ? 3 : 7;
		calls = ask(lab, c, true, rc ? c->from : c->to);
	} else {
		end = c->back + 1;
		calls = ask(lab, c, true, c->from);
	}
	EXPECT(calls, ==, end);
	EXPECT(lab_accounts_hold(lab), ==, true);
	EXPECT(lab->mixed, ==, 0);
	/* Stores that start anew, and sigma's, have forgotten the CPU's. */
	ask_on_cpu(lab, c->to == LAB_GAMMA || c->from == LAB_SIGMA ? 0 : 2);
	return rc;
}

/* All that a course took has been given back. */
static void back_to_default(struct lab *lab, long allocations)
{
	enum lab_who who;

	EXPECT_SWAP(lab, TIFFIN_DEFAULT_NAME);
	for (who = 0; who < LAB_POLICIES; who++) {
		if (who == LAB_BARE)
			continue;
		EXPECT(module_refcount(&modules[who]), ==, 0);
		modules[who].state = MODULE_STATE_LIVE;
		if (!lab->loaded[who])
			load(lab, who);
	}
	EXPECT(shim_allocations(), ==, allocations);
}

/* Each course, with the deed in each of its steps in turn. */
static void in_each_step(struct lab *lab, bool (*what)(void), int refusal)
{
	unsigned int i, times = 0;
	long allocations;
	int rc;

	start(lab);
	allocations = shim_allocations();
	deed = what;
	for (i = 0; i < ARRAY_SIZE(courses); i++) {
		for (deed_at = 1; deed_at < MANY; deed_at++) {
			rc = run_course(lab, &courses[i]);
			if (rc)
				EXPECT(rc, ==, refusal);
			times += done;
			back_to_default(lab, allocations);
			if (steps < deed_at)
				break;
		}
		EXPECT(deed_at, <, MANY);
		EXPECT(deed_at, >, 25);
	}
	/* Else it was never done. */
	EXPECT(times, >, ARRAY_SIZE(courses));
}

static bool nothing(void)
{
	return false;
}

/* The steps are the same each time, so that "the next one" means something. */
TEST(each_step_is_met_again)
{
	unsigned int i, before;

	start(lab);
	deed = nothing;
	for (i = 0; i < ARRAY_SIZE(courses); i++) {
		EXPECT(run_course(lab, &courses[i]), ==, 0);
		EXPECT_SWAP(lab, TIFFIN_DEFAULT_NAME);
		before = steps;
		EXPECT(run_course(lab, &courses[i]), ==, 0);
		EXPECT_SWAP(lab, TIFFIN_DEFAULT_NAME);
		EXPECT(steps, ==, before);
	}
}

/* Allocation after allocation fails: of the request, the new instance, the events, the end. */
TEST(each_allocation_fails)
{
	unsigned int i, refused;
	long allocations;
	int rc;

	start(lab);
	allocations = shim_allocations();
	deed = nothing;
	for (i = 0; i < ARRAY_SIZE(courses); i++) {
		refused = 0;
		for (fail_nth = 1; fail_nth < MANY; fail_nth++) {
			rc = run_course(lab, &courses[i]);
			if (rc)
				EXPECT(rc, ==, -ENOMEM);
			refused += rc != 0;
			back_to_default(lab, allocations);
			if (!failed)
				break;
		}
		EXPECT(fail_nth, <, MANY);
		/* The request, its text, sums of times, instance, env, counters at the least. */
		EXPECT(refused, >=, 6);
	}
	fail_nth = 0;
}

/* Off in one step, and back in the next where that may be. */
static bool cpu_goes_and_comes(void)
{
	if (!shim_cpu_is_online(CPU))
		return shim_cpu_online(CPU, true);
	shim_cpu_online(CPU, false);
	return false;
}

TEST(each_step_with_a_cpu_going_and_coming)
{
	in_each_step(lab, cpu_goes_and_comes, 0);
}

static bool cpu_goes(void)
{
	return shim_cpu_online(CPU, false);
}

/* What its record says is carried on none the less. */
TEST(each_step_with_a_cpu_going)
{
	in_each_step(lab, cpu_goes, 0);
}

/* rmmod: refused while the module is held; from then on it can't be held; then it goes. */
static bool unload(enum lab_who who)
{
	struct module *mod = &modules[who];

	if (mod->state == MODULE_STATE_LIVE) {
		if (!module_refcount(mod))
			mod->state = MODULE_STATE_GOING;
		return false;
	}
	/* Else it waits for those locks. */
	if (shim_mutex_is_mine(&tiffin_registry))
		return false;
	lab_unload(the_lab, who);
	return true;
}

static bool unload_older(void)
{
	return unload(the_course->from);
}

static bool unload_newer(void)
{
	return unload(the_course->to);
}

TEST(each_step_with_the_older_policy_unloaded)
{
	in_each_step(lab, unload_older, 0);
}

TEST(each_step_with_the_newer_policy_unloaded)
{
	in_each_step(lab, unload_newer, -ENOENT);
}

static bool kill_requester(void)
{
	shim.fatal_signal = true;
	return true;
}

TEST(each_step_with_the_requester_killed)
{
	in_each_step(lab, kill_requester, -EINTR);
}

/* One at a time has the scope: any other is told so, in whatever step it comes. */
static bool other_request(void)
{
	struct tiffin_swap *swap = swap_of(the_lab);

	/* In STABLE it would have the scope; where this thread has a lock it would wait. */
	if (READ_ONCE(swap->state) == TIFFIN_STABLE || shim_mutex_is_mine(&swap->text_lock) ||
	    shim_mutex_is_mine(&tiffin_registry))
		return false;
	EXPECT(lab_swap(the_lab, "sigma"), ==, -EBUSY);
	return true;
}

TEST(each_step_with_another_request)
{
	in_each_step(lab, other_request, 0);
}

static bool commit(void)
{
	struct tiffin_swap *swap = swap_of(the_lab);

	if (the_course->end != COMMIT || READ_ONCE(swap->state) != TIFFIN_PROBATION ||
	    shim_mutex_is_mine(&swap->lock) || shim_mutex_is_mine(&tiffin_registry))
		return false;
	EXPECT(tiffin_swap_commit(the_lab->family.scope), ==, 0);
	return true;
}

/* Kept by somebody else, also in the middle of its sweep. */
TEST(each_step_with_a_commit)
{
	in_each_step(lab, commit, 0);
}
