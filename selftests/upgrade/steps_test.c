// SPDX-License-Identifier: GPL-2.0-only
/*
 * Something goes wrong in each step of a swap in turn, through its end: an allocation fails, a CPU
 * goes, a policy's module is to be unloaded, the requester is killed, another request comes, a
 * policy comes to quarantine, SysRq asks for the default. Old or new is in charge afterwards, or
 * where both are in quarantine one that was there before them, never neither; after SysRq it is the
 * default; what records and lists say is what each has to find; and nothing is left over.
 */
#include "core/quarantine.h"
#include "ledger.h"
#include "rescue.h"
#include "test.h"

#define OBJECT	3
#define CPU	3
/* More steps than any course has. */
#define MANY	3000

/* SysRq comes after it was kept, or in the probation. */
enum end { KEPT, COMMIT, ROLLBACK, SYSRQ, SYSRQ_ON_PROBATION };

/**
 * struct course - a swap, from the request to the end
 * @name: for messages
 * @before: active before both, or STOCK
 * @from: active before
 * @to: asked for
 * @sweep: the sweep gets its time before the end
 * @end: how it ends
 */
static const struct course {
	const char *name;
	enum lab_who before;
	enum lab_who from;
	enum lab_who to;
	bool sweep;
	enum end end;
} courses[] = {
	{ "converted", STOCK, LAB_ALPHA, LAB_DELTA, true, KEPT },
	{ "converted, committed", STOCK, LAB_ALPHA, LAB_DELTA, true, COMMIT },
	{ "converted, committed in its sweep", STOCK, LAB_ALPHA, LAB_DELTA, false, COMMIT },
	{ "converted, rolled back", LAB_BETA, LAB_ALPHA, LAB_DELTA, true, ROLLBACK },
	{ "converted, rolled back in its sweep", LAB_BETA, LAB_ALPHA, LAB_DELTA, false, ROLLBACK },
	{ "by reference", LAB_GAMMA, LAB_ALPHA, LAB_BETA, false, KEPT },
	{ "by reference, rolled back", STOCK, LAB_ALPHA, LAB_BETA, false, ROLLBACK },
	{ "by reference, rolled back to zeros", STOCK, LAB_SIGMA, LAB_ALPHA, false, ROLLBACK },
	{ "anew, committed", STOCK, LAB_ALPHA, LAB_GAMMA, false, COMMIT },
	{ "shared and lists, converted", STOCK, LAB_KAPPA, LAB_LAMBDA, true, KEPT },
	{ "shared and lists, committed in its sweep", STOCK, LAB_KAPPA, LAB_LAMBDA, false, COMMIT },
	{ "shared and lists, rolled back", STOCK, LAB_KAPPA, LAB_LAMBDA, true, ROLLBACK },
	{ "shared and lists, rolled back in its sweep", LAB_LAMBDA, LAB_KAPPA, LAB_LAMBDA, false,
	  ROLLBACK },
	{ "lists as they are, rolled back", STOCK, LAB_LAMBDA, LAB_KAPPA, false, ROLLBACK },
	{ "lists to who has none, rolled back", STOCK, LAB_KAPPA, LAB_ALPHA, false, ROLLBACK },
	{ "converted, SysRq", LAB_BETA, LAB_ALPHA, LAB_DELTA, true, SYSRQ },
	{ "converted, SysRq in its sweep", LAB_BETA, LAB_ALPHA, LAB_DELTA, false, SYSRQ },
	{ "converted, SysRq on probation", LAB_BETA, LAB_ALPHA, LAB_DELTA, true,
	  SYSRQ_ON_PROBATION },
	{ "converted, SysRq on probation in its sweep", LAB_BETA, LAB_ALPHA, LAB_DELTA, false,
	  SYSRQ_ON_PROBATION },
	{ "shared and lists, SysRq in its sweep", STOCK, LAB_KAPPA, LAB_LAMBDA, false, SYSRQ },
	{ "by reference to zeros, SysRq on probation", STOCK, LAB_SIGMA, LAB_ALPHA, false,
	  SYSRQ_ON_PROBATION },
};

/* What goes wrong, and in which step. */
static struct lab *the_lab;
static const struct course *the_course;
static struct ledger ledger;
static bool (*deed)(void);
static bool done, failed;
static unsigned int steps, deed_at, fail_nth;
/* Where the deed is a fault: policies that are in quarantine, a bit each; faults by state. */
static struct tiffin_loaded *loaded[LAB_POLICIES];
static u32 faulty;
static unsigned int faults_in[TIFFIN_SWEEPING + 1];
/* How often records came back as at the flip though the swap had been kept. */
static unsigned int restored;
/* SysRq has been asked for in the middle; its work is at it, and can't be killed. */
static bool sysrq_asked, sysrq_works;

/* Each policy has a module of its own here. */
static struct module modules[LAB_POLICIES] = {
	[LAB_ALPHA] = { .name = "alpha" },
	[LAB_BETA] = { .name = "beta" },
	[LAB_GAMMA] = { .name = "gamma" },
	[LAB_DELTA] = { .name = "delta" },
	[LAB_SIGMA] = { .name = "sigma" },
	[LAB_KAPPA] = { .name = "kappa" },
	[LAB_LAMBDA] = { .name = "lambda" },
};

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

/* U7: who takes the scope finds one layout. */
static void stable_is_swept(void)
{
	const struct tiffin_scope *scope = the_lab->family.scope;
	const struct tiffin_store_mem *mem = scope->gate.active->store[TIFFIN_STORE_OBJECT];

	if (READ_ONCE(scope->swap.state) == TIFFIN_STABLE)
		EXPECT(!mem || !mem->from, ==, true);
}

static void step(void)
{
	void (*hook)(void) = shim.on_step;

	/* What the deed does are no steps of the swap. */
	shim.on_step = NULL;
	holds_are_held();
	stable_is_swept();
	ledger_look(&ledger);
	steps++;
	/* A deed that can't be done in this step waits for the next. */
	if (steps >= deed_at && !done && deed())
		done = true;
	shim.on_step = hook;
}

/* Ask about some objects; on another CPU, too. */
static void ask(void)
{
	void (*hook)(void) = shim.on_step;
	u32 object;

	shim.on_step = NULL;
	ledger_ask(&ledger, OBJECT);
	for (object = OBJECT; object < OBJECT + 3; object++)
		ledger_ask(&ledger, object);
	if (shim_cpu_is_online(CPU)) {
		shim_cpu_start(CPU);
		ledger_ask(&ledger, OBJECT);
		ledger_ask(&ledger, TIFFIN_NO_OBJECT);
		shim_cpu_start(0);
	}
	shim.on_step = hook;
}

static int request(struct lab *lab, enum lab_who to, const char *options)
{
	char text[96];

	scnprintf(text, sizeof(text), "%s%s", lab_policy[to].name, options);
	return lab_swap(lab, text);
}

static bool is_sysrq(enum end end)
{
	return end == SYSRQ || end == SYSRQ_ON_PROBATION;
}

/*
 * Who may be in charge at the end. @rc is what the request returned, @ended what the commit or the
 * rollback did, @mid who was in charge just before that.
 */
static bool may_be_in_charge(const struct course *c, enum lab_who who, int rc, int ended,
			     enum lab_who mid)
{
	bool from = faulty & BIT(c->from), to = faulty & BIT(c->to);

	/* A rollback after SysRq is a request like any other, to who was there before. */
	if (sysrq_asked && mid == STOCK && c->end == ROLLBACK && !ended)
		return who == c->to;
	if (sysrq_asked || is_sysrq(c->end))
		return who == STOCK;
	/* There is nobody to go back to but who was there before: a rollback forgets him. */
	if (from && to)
		return who == STOCK || who == c->before;
	if (to)
		return who == c->from;
	if (!from)
		return who == (rc || c->end == ROLLBACK ? c->from : c->to);
	/* Where the older was faulty in time there was no probation to roll back. */
	if (c->end != ROLLBACK || ended)
		return who == c->to;
	return who == STOCK || who == c->before;
}

/* One course, with what goes wrong on its way. Returns what the request returned. */
static int run_course(struct lab *lab, const struct course *c)
{
	struct tiffin_scope *scope = lab->family.scope;
	int rc, ended = 0;
	enum lab_who who, mid;
	unsigned int i;
	u64 epoch;

	ledger_begin(&ledger, lab);
	if (c->before != STOCK)
		EXPECT(request(lab, c->before, ""), ==, 0);
	ask();
	EXPECT(request(lab, c->from, ""), ==, 0);
	shim_advance(1);
	for (i = 0; i < 3; i++)
		ask();
	ledger_settled(&ledger);
	EXPECT(ledger.who, ==, c->from);
	epoch = scope->gate.epoch;
	the_course = c;
	steps = 0;
	done = false;
	faulty = 0;
	sysrq_asked = false;
	for (who = 0; who < LAB_POLICIES; who++)
		loaded[who] = lab_loaded(lab, who);
	shim.on_step = step;
	shim_fail_allocation(fail_nth);
	rc = request(lab, c->to, c->end == KEPT || c->end == SYSRQ ? "" : LONG);
	/* No call has been converted for yet: who faulted in the flip is not active. */
	if (lab->faulty_convert && !rc)
		EXPECT(tiffin_quarantined(loaded[c->to]), ==, false);
	/* U1: old or new, and the epoch says which. */
	EXPECT(scope->gate.epoch, ==, epoch + !rc);
	ask();
	EXPECT(ledger.who, ==, rc ? c->from : c->to);
	if (c->sweep)
		shim_advance(1);
	ask();
	mid = ledger.who;
	if (!rc && c->end == COMMIT)
		ended = tiffin_swap_commit(scope);
	else if (!rc && c->end == ROLLBACK)
		ended = tiffin_swap_rollback(scope);
	/* A rollback whose requester was killed is made good by the probation's work. */
	shim.fatal_signal = false;
	if (lab->faulty_convert && tiffin_quarantined(loaded[c->to]))
		faulty |= BIT(c->to);
	sysrq_works = is_sysrq(c->end);
	if (sysrq_works)
		tiffin_rescue_all();
	if (ended || faulty || sysrq_works)
		shim_advance(200 * NSEC_PER_MSEC);
	shim_advance(1);
	sysrq_works = false;
	shim.on_step = NULL;
	shim.fatal_signal = false;
	lab->faulty_convert = 0;
	failed = shim_allocation_failed();
	shim_fail_allocation(0);
	shim_cpu_online(CPU, true);
	ledger_settled(&ledger);
	if (!may_be_in_charge(c, ledger.who, rc, ended, mid))
		test_fail(__FILE__, __LINE__, "%s, step %u: %s is in charge (%d, %d)", c->name,
			  deed_at, lab_active(lab), rc, ended);
	ask();
	ledger_settled(&ledger);
	restored += ledger.restored;
	return rc;
}

static void swap_to_default(struct lab *lab)
{
	if (strcmp(lab_active(lab), TIFFIN_DEFAULT_NAME))
		EXPECT_SWAP(lab, TIFFIN_DEFAULT_NAME);
}

/* All that a course took has been given back. */
static void back_to_default(struct lab *lab, long allocations)
{
	enum lab_who who;

	swap_to_default(lab);
	for (who = 0; who < LAB_POLICIES; who++) {
		if (who == LAB_BARE)
			continue;
		EXPECT(module_refcount(&modules[who]), ==, 0);
		modules[who].state = MODULE_STATE_LIVE;
		if (faulty & BIT(who))
			lab_unload(lab, who);
		if (!lab->loaded[who])
			load(lab, who);
	}
	faulty = 0;
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
			if (rc == -EFAULT || rc == -ENOTRECOVERABLE)
				EXPECT(faulty & BIT(courses[i].to), !=, 0);
			else if (rc)
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
		swap_to_default(lab);
		before = steps;
		EXPECT(run_course(lab, &courses[i]), ==, 0);
		swap_to_default(lab);
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
	if (sysrq_works)
		return false;
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

/*
 * Faults. Whoever is not asked any more, or went before, is as good as anybody to come to
 * quarantine; all that counts is who is in charge then, and what he finds.
 */
static bool quarantine(enum lab_who who)
{
	faulty |= BIT(who);
	faults_in[READ_ONCE(swap_of(the_lab)->state)]++;
	lab_quarantine(the_lab, loaded[who], "the lab's fault");
	return true;
}

static bool older_faults(void)
{
	return quarantine(the_course->from);
}

static bool newer_faults(void)
{
	return quarantine(the_course->to);
}

static bool active_faults(void)
{
	return ledger.who != STOCK && quarantine(ledger.who);
}

static bool both_fault(void)
{
	return older_faults() && newer_faults();
}

/* A call has to be ended, with the object's record open. */
static bool call_faults(void)
{
	if (ledger.who == STOCK)
		return false;
	faulty |= BIT(ledger.who);
	faults_in[READ_ONCE(swap_of(the_lab)->state)]++;
	ledger_fault(&ledger, OBJECT);
	return true;
}

/* From here on conversions have to be ended, whosever call they are made for. */
static bool conversion_faults(void)
{
	the_lab->faulty_convert = 1;
	return true;
}

static void fault_in_each_step(struct lab *lab, bool (*what)(void))
{
	enum tiffin_swap_state state;

	memset(faults_in, 0, sizeof(faults_in));
	in_each_step(lab, what, 0);
	for (state = TIFFIN_STABLE; state <= TIFFIN_SWEEPING; state++)
		EXPECT(faults_in[state], >, 10);
}

TEST(each_step_with_a_fault_of_the_older)
{
	fault_in_each_step(lab, older_faults);
	EXPECT(restored, >, 10);
}

TEST(each_step_with_a_fault_of_the_newer)
{
	fault_in_each_step(lab, newer_faults);
	EXPECT(restored, >, 10);
}

TEST(each_step_with_a_fault_of_the_active)
{
	fault_in_each_step(lab, active_faults);
}

TEST(each_step_with_a_fault_of_both)
{
	fault_in_each_step(lab, both_fault);
}

TEST(each_step_with_a_call_that_is_ended)
{
	fault_in_each_step(lab, call_faults);
	EXPECT(restored, >, 10);
}

TEST(each_step_with_a_conversion_that_is_ended)
{
	in_each_step(lab, conversion_faults, 0);
	EXPECT(restored, >, 10);
}

/* The default is what the operator wants: whatever he did before, not what he asks for after it. */
static bool sysrq(void)
{
	sysrq_asked = true;
	tiffin_rescue_all();
	return true;
}

TEST(each_step_with_sysrq)
{
	in_each_step(lab, sysrq, 0);
}

/*
 * Inside the closed gate there are no steps: what another CPU's fault would do there is done by the
 * conversion at the flip.
 */
static struct tiffin_policy inside;
static struct tiffin_store inside_stores[4];
static void (*lab_convert)(const struct tiffin_ctx *ctx, const struct tiffin_convert_in *in,
			   struct tiffin_convert_out *out);

static void inside_convert(const struct tiffin_ctx *ctx, const struct tiffin_convert_in *in,
			   struct tiffin_convert_out *out)
{
	if (in->kind == TIFFIN_STORE_INSTANCE && !done) {
		EXPECT(the_lab->family.scope->gate.word, ==, TIFFIN_GATE_CLOSED);
		done = older_faults();
	}
	lab_convert(ctx, in, out);
}

static void load_inside(struct lab *lab, enum lab_who who)
{
	unsigned int i;

	inside = lab_policy[who];
	for (i = 0; i < inside.nr_stores; i++) {
		inside_stores[i] = inside.stores[i];
		if (inside_stores[i].convert) {
			lab_convert = inside_stores[i].convert;
			inside_stores[i].convert = inside_convert;
		}
	}
	inside.stores = inside_stores;
	lab_unload(lab, who);
	EXPECT(tiffin_policy_register((const void *)&inside, &modules[who], LAB_BUILD), ==, 0);
}

/* The older policy comes to quarantine in the flip: there is nobody to go back to. */
TEST(older_faults_inside_the_flip)
{
	start(lab);
	load_inside(lab, LAB_DELTA);
	the_course = &courses[3];
	EXPECT(the_course->from, ==, LAB_ALPHA);
	EXPECT(the_course->to, ==, LAB_DELTA);
	ledger_begin(&ledger, lab);
	EXPECT(request(lab, LAB_BETA, ""), ==, 0);
	EXPECT(request(lab, LAB_ALPHA, ""), ==, 0);
	ask();
	done = false;
	loaded[LAB_ALPHA] = lab_loaded(lab, LAB_ALPHA);
	EXPECT(request(lab, LAB_DELTA, LONG), ==, 0);
	EXPECT(done, ==, true);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_SWEEPING);
	EXPECT(tiffin_swap_commit(lab->family.scope), ==, -ENOENT);
	ask();
	shim_advance(200 * MS);
	EXPECT(ledger.who, ==, LAB_DELTA);
	ledger_settled(&ledger);
	swap_to_default(lab);
	tiffin_policy_unregister((const void *)&inside);
}
