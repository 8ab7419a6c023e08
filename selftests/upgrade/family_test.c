// SPDX-License-Identifier: GPL-2.0-only
/*
 * A family is unloaded in each step of a swap in turn, through its end, and its policies before it,
 * as an operator does it: rmmod, again and again until it works, by a thread of its own. While a
 * swap needs a policy it is refused. Then whoever is still in a file of the family or in its work
 * is waited for, and nothing of it is touched or left over afterwards. Up to there every call is
 * answered, by old or new.
 */
#include <semaphore.h>

#include "core/quarantine.h"
#include "ledger.h"
#include "rescue.h"
#include "test.h"

#define OBJECT	3
/* Who unloads, and whose call is in the way. */
#define OTHER_CPU	1
#define BUSY_CPU	2
/* More steps than any course has. */
#define MANY	3000

/**
 * struct course - a swap, from the request to the end
 * @name: for messages
 * @from: active before, or STOCK
 * @to: asked for, or STOCK
 * @options: of the request
 * @first: done before it; may be NULL
 * @then: done after it; may be NULL
 * @want: what the request returns where all policies stay
 */
struct course {
	const char *name;
	enum lab_who from;
	enum lab_who to;
	const char *options;
	void (*first)(struct lab *lab);
	void (*then)(struct lab *lab);
	int want;
};

/* Where a swap is, more closely than its state says. */
enum place {
	STABLE, PREPARING, CLOSING, PROBATION, SWEEPING, ROLLING_BACK, QUARANTINED, PLACES,
};

static struct lab *the_lab;
static const struct course *the_course;
static struct ledger ledger;
static unsigned int steps, deed_at;
/* The family's module is on its way out: no call comes any more; it is gone. */
static bool going, gone;
/* A call is under way on another CPU. */
static bool busy;
/* Attempts to unload the family that were refused, by where the swap was; and those it waited. */
static unsigned int refused[PLACES], waited;

/* Two threads, of which one runs at a time: this one lets the other run until that has to wait. */
static pthread_t other;
static sem_t its_turn, my_turn;
static bool ended;

static struct module modules[LAB_POLICIES] = {
	[LAB_ALPHA] = { .name = "alpha" },
	[LAB_BETA] = { .name = "beta" },
	[LAB_DELTA] = { .name = "delta" },
	[LAB_KAPPA] = { .name = "kappa" },
	[LAB_LAMBDA] = { .name = "lambda" },
};

static void wait_for_turn(void)
{
	waited += going;
	sem_post(&my_turn);
	sem_wait(&its_turn);
}

static void let_other_run(void)
{
	sem_post(&its_turn);
	sem_wait(&my_turn);
}

static void on_wait(void)
{
	if (pthread_equal(pthread_self(), other))
		wait_for_turn();
	else
		let_other_run();
}

/* Unloading. */

static enum place place_now(const struct tiffin_scope *scope)
{
	static const enum place places[] = {
		[TIFFIN_STABLE] = STABLE,
		[TIFFIN_PREPARING] = PREPARING,
		[TIFFIN_CLOSING] = CLOSING,
		[TIFFIN_PROBATION] = PROBATION,
		[TIFFIN_SWEEPING] = SWEEPING,
	};

	if (tiffin_quarantined(scope->gate.active->policy))
		return QUARANTINED;
	if (scope->swap.state == TIFFIN_PROBATION && scope->swap.undo[0])
		return ROLLING_BACK;
	return places[scope->swap.state];
}

static void unload_policy(enum lab_who who)
{
	if (!modules[who].name[0] || !the_lab->loaded[who] || module_refcount(&modules[who]))
		return;
	modules[who].state = MODULE_STATE_GOING;
	lab_unload(the_lab, who);
}

/* Does the swap need a policy of the family at the moment? */
static bool in_use(const struct tiffin_scope *scope)
{
	/* At most one of two is the default. */
	return scope->swap.previous || scope->gate.active->policy->owner;
}

/* Its module's exit: first it sees to it that no call comes, then it unregisters. */
static bool unload_family(void)
{
	const struct tiffin_scope *scope = the_lab->family.scope;
	bool used = in_use(scope);

	if (module_refcount(THIS_MODULE)) {
		refused[place_now(scope)]++;
		return false;
	}
	EXPECT(used, ==, false);
	THIS_MODULE->state = MODULE_STATE_GOING;
	going = true;
	while (busy)
		wait_for_turn();
	tiffin_family_unregister(&the_lab->family);
	the_lab->family.scope = NULL;
	gone = true;
	return true;
}

static void *unload(void *unused)
{
	enum lab_who who;

	shim_cpu_start(OTHER_CPU);
	sem_wait(&its_turn);
	for (;;) {
		for (who = 0; who < LAB_POLICIES; who++)
			unload_policy(who);
		if (unload_family())
			break;
		wait_for_turn();
	}
	ended = true;
	sem_post(&my_turn);
	return NULL;
}

/* The swap. */

static void ask(void)
{
	const struct course *c = the_course;

	if (going)
		return;
	ledger_ask(&ledger, OBJECT);
	EXPECT(ledger.who == c->from || ledger.who == c->to || ledger.who == STOCK, ==, true);
}

static void step(void)
{
	void (*hook)(void) = shim.on_step;

	/* What is done here are no steps of the swap. */
	shim.on_step = NULL;
	steps++;
	ask();
	if (steps >= deed_at && !ended)
		let_other_run();
	shim.on_step = hook;
}

/* A write to a file of the scope: it may be gone, else it stays until the write is over. */
static int write_file(struct lab *lab, int (*write)(struct lab *lab))
{
	struct tiffin_scope *scope = lab->family.scope;
	int rc;

	if (!scope || !shim_file_open(&scope->kobj))
		return -ENODEV;
	rc = write(lab);
	shim_file_close(&scope->kobj);
	return rc;
}

static const char *name_of(enum lab_who who)
{
	return who == STOCK ? TIFFIN_DEFAULT_NAME : lab_policy[who].name;
}

static int write_swap(struct lab *lab)
{
	char text[96];

	scnprintf(text, sizeof(text), "%s%s", name_of(the_course->to), the_course->options);
	return lab_swap(lab, text);
}

static int write_default(struct lab *lab)
{
	return lab_swap(lab, TIFFIN_DEFAULT_NAME);
}

static int write_commit(struct lab *lab)
{
	return tiffin_swap_commit(lab->family.scope);
}

static int write_rollback(struct lab *lab)
{
	return tiffin_swap_rollback(lab->family.scope);
}

static void commit(struct lab *lab)
{
	write_file(lab, write_commit);
}

static void roll_back(struct lab *lab)
{
	write_file(lab, write_rollback);
}

static void gate_breaks(struct lab *lab)
{
	lab->figure[LAB_LEVEL] = 5;
	shim_advance(200 * MS);
}

static void call_begins(struct lab *lab)
{
	if (going)
		return;
	busy = true;
	lab_call_on_cpu(lab, BUSY_CPU, LAB_ASK, 1, true);
}

static void call_ends(struct lab *lab)
{
	if (!busy)
		return;
	busy = false;
	lab_call_on_cpu(lab, BUSY_CPU, LAB_ASK, -1, true);
}

static void roll_back_held_up(struct lab *lab)
{
	lab->family.limits.timeout_ms = 1;
	call_begins(lab);
	write_file(lab, write_rollback);
	shim_advance(200 * MS);
	call_ends(lab);
}

static void fault(struct lab *lab)
{
	if (!going && ledger.who == the_course->to)
		ledger_fault(&ledger, OBJECT);
	shim_advance(20 * MS);
}

static void sysrq(struct lab *lab)
{
	tiffin_rescue_all();
	shim_advance(20 * MS);
}

static void init_faults(struct lab *lab)
{
	lab->faulty_init = BIT(the_course->to);
}

static void convert_faults(struct lab *lab)
{
	lab->faulty_convert = BIT(the_course->to);
}

static void time_passes(struct lab *lab)
{
	shim_advance(200 * MS);
}

static void start(struct lab *lab)
{
	enum lab_who who;

	memset(lab, 0, sizeof(*lab));
	EXPECT(lab_start(lab), ==, 0);
	for (who = 0; who < LAB_POLICIES; who++) {
		lab_unload(lab, who);
		if (!modules[who].name[0])
			continue;
		modules[who].state = MODULE_STATE_LIVE;
		EXPECT(tiffin_policy_register((const void *)&lab_policy[who], &modules[who],
					      LAB_BUILD), ==, 0);
		lab->loaded[who] = true;
	}
	going = false;
	gone = false;
	ended = false;
	steps = 0;
}

static void run_course(struct lab *lab, const struct course *c)
{
	unsigned int i;
	int rc;

	start(lab);
	the_course = c;
	ledger_begin(&ledger, lab);
	if (c->from != STOCK)
		EXPECT_SWAP(lab, name_of(c->from));
	for (i = OBJECT; i < OBJECT + 3; i++)
		ledger_ask(&ledger, i);
	ask();
	if (c->first)
		c->first(lab);
	EXPECT(pthread_create(&other, NULL, unload, NULL), ==, 0);
	shim.on_wait = on_wait;
	shim.on_step = step;

	rc = write_file(lab, write_swap);
	if (rc != c->want)
		EXPECT(rc == -ENODEV || rc == -ENOENT, ==, true);
	call_ends(lab);
	ask();
	if (c->then)
		c->then(lab);
	shim_advance(200 * MS);
	ask();
	if (!going)
		ledger_settled(&ledger);
	write_file(lab, write_default);
	shim_advance(200 * MS);
	ask();

	shim.on_step = NULL;
	/* By now nothing is needed any more. */
	for (i = 0; i < LAB_POLICIES && !ended; i++)
		let_other_run();
	if (!ended)
		shim_splat(__FILE__, __LINE__, "%s, from step %u: it can't be unloaded", c->name,
			   deed_at);
	pthread_join(other, NULL);
	shim.on_wait = NULL;
	THIS_MODULE->state = MODULE_STATE_LIVE;
	EXPECT(gone, ==, true);
	EXPECT(module_refcount(THIS_MODULE), ==, 0);
	EXPECT(atomic64_read(&lab->family.stores_bytes), ==, 0);
	for (i = 0; i < LAB_POLICIES; i++)
		EXPECT(module_refcount(&modules[i]), ==, 0);
	/* Work that was left behind would run now. */
	shim_advance(1000 * MS);
}

static void in_each_step(struct lab *lab, const struct course *courses, unsigned int n)
{
	unsigned int i;
	long allocations;

	sem_init(&its_turn, 0, 0);
	sem_init(&my_turn, 0, 0);
	lab_stop(lab);
	allocations = shim_allocations();
	the_lab = lab;
	for (i = 0; i < n; i++) {
		for (deed_at = 1; deed_at < MANY; deed_at++) {
			run_course(lab, &courses[i]);
			EXPECT(shim_allocations(), ==, allocations);
			if (steps < deed_at)
				break;
		}
		EXPECT(deed_at, <, MANY);
		EXPECT(deed_at, >, 25);
	}
	EXPECT(waited, >, 0);
}

TEST(family_unloaded_in_each_step_of_a_request)
{
	static const struct course courses[] = {
		{ "from the default", STOCK, LAB_ALPHA, "" },
		{ "by reference", LAB_ALPHA, LAB_BETA, "" },
		{ "to the default", LAB_ALPHA, STOCK, "" },
		{ "converted", LAB_ALPHA, LAB_DELTA, "", .then = time_passes },
		{ "shared and lists, converted", LAB_KAPPA, LAB_LAMBDA, "", .then = time_passes },
		{ "held up", LAB_ALPHA, STOCK, " timeout_ms=20", .first = call_begins,
		  .want = -ETIMEDOUT },
	};

	in_each_step(lab, courses, ARRAY_SIZE(courses));
	EXPECT(refused[PREPARING], >, 0);
	EXPECT(refused[CLOSING], >, 0);
	EXPECT(refused[SWEEPING], >, 0);
	EXPECT(refused[STABLE], >, 0);
}

TEST(family_unloaded_in_each_step_of_a_probation)
{
	static const struct course courses[] = {
		{ "committed", STOCK, LAB_ALPHA, LONG, .then = commit },
		{ "to the default, committed", LAB_ALPHA, STOCK, LONG, .then = commit },
		{ "to the default, over", LAB_ALPHA, STOCK, " probation_ms=100",
		  .then = time_passes },
		{ "rolled back", STOCK, LAB_ALPHA, LONG, .then = roll_back },
		{ "to the default, rolled back", LAB_ALPHA, STOCK, LONG, .then = roll_back },
		{ "a gate breaks", STOCK, LAB_ALPHA, LONG " gate=level<5", .then = gate_breaks },
		{ "rolled back, held up", STOCK, LAB_ALPHA, LONG, .then = roll_back_held_up },
		{ "converted, rolled back in its sweep", LAB_ALPHA, LAB_DELTA, LONG,
		  .then = roll_back },
		{ "converted, committed in its sweep", LAB_ALPHA, LAB_DELTA, LONG,
		  .then = commit },
		{ "shared and lists, rolled back in its sweep", LAB_KAPPA, LAB_LAMBDA, LONG,
		  .then = roll_back },
		{ "shared and lists, committed in its sweep", LAB_KAPPA, LAB_LAMBDA, LONG,
		  .then = commit },
		{ "lists, rolled back", LAB_LAMBDA, LAB_KAPPA, LONG, .then = roll_back },
	};

	in_each_step(lab, courses, ARRAY_SIZE(courses));
	EXPECT(refused[PROBATION], >, 0);
	EXPECT(refused[ROLLING_BACK], >, 0);
	EXPECT(refused[SWEEPING], >, 0);
}

TEST(family_unloaded_in_each_step_of_a_rescue)
{
	static const struct course courses[] = {
		{ "to the default", STOCK, LAB_ALPHA, "", .then = fault },
		{ "to the policy before", LAB_ALPHA, LAB_BETA, "", .then = fault },
		{ "from a probation", STOCK, LAB_ALPHA, LONG, .then = fault },
		{ "from a sweep", LAB_ALPHA, LAB_DELTA, "", .then = fault },
		{ "shared and lists, from a sweep", LAB_KAPPA, LAB_LAMBDA, "", .then = fault },
		{ "shared and lists, from a probation", LAB_KAPPA, LAB_LAMBDA, LONG,
		  .then = fault },
		{ "init faults", STOCK, LAB_ALPHA, "", .first = init_faults, .want = -EFAULT },
		{ "conversion faults", LAB_ALPHA, LAB_DELTA, "", .first = convert_faults,
		  .want = -EFAULT },
		{ "SysRq, the default is active", LAB_ALPHA, STOCK, "", .then = sysrq },
		{ "SysRq", LAB_ALPHA, LAB_BETA, "", .then = sysrq },
		{ "SysRq in a probation", STOCK, LAB_ALPHA, LONG, .then = sysrq },
		{ "SysRq in a sweep", LAB_ALPHA, LAB_DELTA, "", .then = sysrq },
		{ "SysRq in a sweep, with lists", LAB_KAPPA, LAB_LAMBDA, "", .then = sysrq },
	};

	in_each_step(lab, courses, ARRAY_SIZE(courses));
	EXPECT(refused[QUARANTINED], >, 0);
}
