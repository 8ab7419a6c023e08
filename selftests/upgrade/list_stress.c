// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists under real threads: threads play CPUs whose calls put, move, remove, take and look for
 * objects on the same lists, signals play their interrupts, objects cease to be and their numbers
 * are given to others meanwhile, and one thread swaps between policies that go on with each other's
 * lists, commits, and rolls back to the lists as they are or as they were.
 *
 * Whatever a service answers has to be true of some moment in it: an object that it gives lives
 * then, and one that it calls gone does not live all the time. Some objects never cease to be, and
 * are taken off and put back within a call: each is with one call or on one list, and none is lost.
 * Now and then all calls stand still, and the lists have to be in order to the last link.
 *
 * usage: list-stress [SWAPS [CALLERS [SIGNALS]]]
 */
#include <stdlib.h>
#include <unistd.h>

#include <tiffin/state.h>

#include "callers.h"
#include "core/family.h"
#include "core/scope.h"
#include "core/sysfs.h"
#include "failures.h"
#include "list_model.h"
#include "plain.h"
#include "work.h"

#define LISTS		3
#define OBJECTS		48
/* Numbers below this are tokens: objects that never cease to be, all of them on lists. */
#define TOKENS		16
/* Handles that a caller remembers; by the time it uses them most are of objects that are gone. */
#define KNOWN		8

/* The first two share their lists by services, the others lend them to one call at a time. */
enum who { LIVE, SNAPSHOT, ALONE, ALONE_SNAPSHOT, POLICIES };

enum what { WORK, NESTED, SEED };

/**
 * struct object - what the family knows of a number
 * @busy: a caller has the object cease to be
 * @dead: its last generation that is gone, written when it is
 * @latest: its last generation, written before it lives
 * @taken: of a token: a call has taken it off its list
 */
struct object {
	u32 busy;
	u32 dead;
	u32 latest;
	u32 taken;
};

/* One context that asks: two to a thread, itself and its interrupts. */
struct caller {
	u64 random;
	u64 calls;
	u64 verdict[3];
	u64 wrong;
	u64 result[TIFFIN_LIST_BAD + 1];
	u64 known[KNOWN];
} __aligned(64);

struct in {
	u32 what;
	struct caller *me;
};

struct out {
	u32 answers;
};

static struct tiffin_family family;
static struct tiffin_scope *scope;
static u32 generations[OBJECTS];
static struct object objects[OBJECTS];
static struct caller callers[MAX_CALLERS][2];
static unsigned int nr_callers;
static u64 rests, busy, dropped;

static u32 draw(u64 *random, u32 below)
{
	*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*random >> 33) % below;
}

/* Each object is given a mark of its own, so that two that are mixed up show. */
static u32 mark_of(u64 handle)
{
	return handle * 0x9e3779b97f4a7c15ULL >> 32;
}

/* What was known of a handle's object before a service. */
struct before {
	u64 handle;
	u32 dead;
	bool lived;
};

static struct before look(u64 handle)
{
	u32 object = tiffin_handle_object(handle);

	return (struct before) {
		.handle = handle,
		.dead = READ_ONCE(objects[object].dead),
		.lived = READ_ONCE(generations[object]) == tiffin_handle_generation(handle),
	};
}

/* And what its answer may be then. */
static u32 judge(struct caller *me, const struct before *b, u32 result)
{
	u32 object = tiffin_handle_object(b->handle);
	u32 generation = tiffin_handle_generation(b->handle);

	me->result[result]++;
	if (result == TIFFIN_LIST_OK || result == TIFFIN_LIST_OFF)
		EXPECT(generation, >, b->dead);
	if (result == TIFFIN_LIST_GONE && b->lived)
		EXPECT(READ_ONCE(generations[object]), !=, generation);
	EXPECT(result, !=, TIFFIN_LIST_BAD);
	return result;
}

/* An object that a service gave, of which nothing was known: @dead is from before it. */
static bool given(struct caller *me, const struct tiffin_entry *entry, const u32 *dead, u32 list)
{
	u32 object = tiffin_handle_object(entry->handle);
	u32 generation = tiffin_handle_generation(entry->handle);

	me->result[entry->result]++;
	if (entry->result)
		return false;
	if (object >= OBJECTS) {
		test_fail(__FILE__, __LINE__, "object %u of %u", object, OBJECTS);
		return false;
	}
	EXPECT(generation, >, dead[object]);
	EXPECT(generation, <=, READ_ONCE(objects[object].latest));
	EXPECT(entry->mark, ==, mark_of(entry->handle));
	EXPECT(entry->list, ==, list);
	return true;
}

static void look_at_all(u32 *dead)
{
	u32 i;

	for (i = 0; i < OBJECTS; i++)
		dead[i] = READ_ONCE(objects[i].dead);
}

/* The policies. */

static void put(const struct tiffin_ctx *ctx, struct caller *me, u64 handle)
{
	struct before b = look(handle);

	judge(me, &b, tiffin_list_put(ctx, handle, draw(&me->random, LISTS), draw(&me->random, 2),
				      mark_of(handle)));
}

static void find(const struct tiffin_ctx *ctx, struct caller *me, u64 handle)
{
	struct before b = look(handle);
	struct tiffin_entry entry = tiffin_list_find(ctx, handle);

	if (judge(me, &b, entry.result))
		return;
	EXPECT(entry.handle, ==, handle);
	EXPECT(entry.mark, ==, mark_of(handle));
	EXPECT(entry.list, <, LISTS);
}

static void walk(const struct tiffin_ctx *ctx, struct caller *me)
{
	u32 list = draw(&me->random, LISTS), end = draw(&me->random, 2), dead[OBJECTS], i;
	struct tiffin_entry entry;

	look_at_all(dead);
	entry = tiffin_list_first(ctx, list, end);
	for (i = 0; i < OBJECTS && given(me, &entry, dead, list); i++) {
		look_at_all(dead);
		entry = tiffin_list_next(ctx, list, end, entry.handle);
	}
	EXPECT(tiffin_list_length(ctx, list), <=, OBJECTS);
}

/* A token goes back before the call ends. Who has the lists now gives them back soon. */
static void put_back(const struct tiffin_ctx *ctx, struct caller *me, u64 handle)
{
	u32 token = tiffin_handle_object(handle), list = draw(&me->random, LISTS);
	u32 end = draw(&me->random, 2), result;

	EXPECT(__atomic_exchange_n(&objects[token].taken, 1, __ATOMIC_SEQ_CST), ==, 0);
	cpu_relax();
	EXPECT(__atomic_exchange_n(&objects[token].taken, 0, __ATOMIC_SEQ_CST), ==, 1);
	while ((result = tiffin_list_put(ctx, handle, list, end, mark_of(handle))) ==
	       TIFFIN_LIST_BUSY)
		cpu_relax();
	EXPECT(result, ==, TIFFIN_LIST_OK);
}

static void take(const struct tiffin_ctx *ctx, struct caller *me)
{
	u32 list = draw(&me->random, LISTS), dead[OBJECTS];
	struct tiffin_entry entry;

	look_at_all(dead);
	entry = tiffin_list_take(ctx, list, draw(&me->random, 2));
	if (given(me, &entry, dead, list) && tiffin_handle_object(entry.handle) < TOKENS)
		put_back(ctx, me, entry.handle);
}

static void work(const struct tiffin_ctx *ctx, struct caller *me, bool nested)
{
	u32 i, rounds = 1 + draw(&me->random, 6);
	struct before b;
	u64 handle;

	for (i = 0; i < rounds; i++) {
		handle = draw(&me->random, 2) ? ctx->handle : me->known[draw(&me->random, KNOWN)];
		switch (draw(&me->random, 8)) {
		case 0:
			b = look(handle);
			judge(me, &b, tiffin_list_mark(ctx, handle, mark_of(handle)));
			break;
		case 1:
			b = look(handle);
			judge(me, &b, tiffin_list_remove(ctx, handle));
			break;
		case 2:
			find(ctx, me, handle);
			break;
		case 3:
			walk(ctx, me);
			break;
		case 4:
			/* An interrupt can't wait for the call below it to give them back. */
			if (!nested)
				take(ctx, me);
			break;
		default:
			put(ctx, me, handle);
		}
	}
	me->known[draw(&me->random, KNOWN)] = ctx->handle;
}

static void seed(const struct tiffin_ctx *ctx)
{
	u64 handle;
	u32 i;

	for (i = 0; i < TOKENS; i++) {
		handle = tiffin_handle(i, 1);
		EXPECT(tiffin_list_put(ctx, handle, i % LISTS, TIFFIN_LIST_HEAD, mark_of(handle)),
		       ==, TIFFIN_LIST_OK);
	}
}

static void decide(const struct tiffin_ctx *ctx, const struct in *in, struct out *out)
{
	if (in->what == SEED)
		seed(ctx);
	else
		work(ctx, in->me, in->what == NESTED);
	out->answers++;
}

struct hooks {
	void (*decide)(const struct tiffin_ctx *ctx, const struct in *in, struct out *out);
};

static const struct hooks hooks = { decide };

static const struct tiffin_store stores[POLICIES][1] = {
	[LIVE] = { { "queue", 1, TIFFIN_STORE_LISTS, TIFFIN_SHARE_ATOMIC,
		     .undo = TIFFIN_UNDO_LIVE, .lists = LISTS } },
	[SNAPSHOT] = { { "queue", 1, TIFFIN_STORE_LISTS, TIFFIN_SHARE_ATOMIC,
			 .undo = TIFFIN_UNDO_SNAPSHOT, .lists = LISTS } },
	[ALONE] = { { "queue", 1, TIFFIN_STORE_LISTS, TIFFIN_SHARE_LOCKED,
		      .undo = TIFFIN_UNDO_LIVE, .lists = LISTS } },
	[ALONE_SNAPSHOT] = { { "queue", 1, TIFFIN_STORE_LISTS, TIFFIN_SHARE_LOCKED,
			       .undo = TIFFIN_UNDO_SNAPSHOT, .lists = LISTS } },
};

#define QUEUE_ABI	TIFFIN_ABI(1, 0)
#define POLICY(who, name)	PLAIN_POLICY(name, "queue", QUEUE_ABI, hooks, stores[who])

static const struct tiffin_policy policies[POLICIES] = {
	[LIVE] = POLICY(LIVE, "live"),
	[SNAPSHOT] = POLICY(SNAPSHOT, "snapshot"),
	[ALONE] = POLICY(ALONE, "alone"),
	[ALONE_SNAPSHOT] = POLICY(ALONE_SNAPSHOT, "alone_snapshot"),
};

static const struct tiffin_hook questions[] = {
	{ "decide", offsetof(struct hooks, decide), true },
};

static const struct tiffin_family_ops ops;

/* Those who ask. */

/* The object with that number ceases to be, and another gets it. */
static void replace(struct caller *me, u32 number)
{
	struct object *object = &objects[number];
	u32 next;

	if (__atomic_exchange_n(&object->busy, 1, __ATOMIC_SEQ_CST))
		return;
	next = object->latest + 1;
	WRITE_ONCE(generations[number], 0);
	WRITE_ONCE(object->dead, object->latest);
	if (draw(&me->random, 2))
		tiffin_object_gone(scope, number);
	WRITE_ONCE(object->latest, next);
	WRITE_ONCE(generations[number], next);
	__atomic_store_n(&object->busy, 0, __ATOMIC_SEQ_CST);
}

static enum tiffin_verdict dispatch(struct caller *me, u32 number, u32 generation, enum what what)
{
	struct tiffin_call call = { .object = number, .generation = generation, .now_ns = 1 };
	struct in in = { what, me };
	struct out out = {};
	enum tiffin_verdict verdict = tiffin_dispatch(scope, &call, &in, &out);

	me->calls++;
	me->verdict[verdict]++;
	me->wrong += out.answers != (verdict == TIFFIN_ANSWERED);
	return verdict;
}

static void begin(struct caller *me, u64 random)
{
	unsigned int i;

	me->random = random;
	for (i = 0; i < KNOWN; i++)
		me->known[i] = tiffin_handle(TOKENS + i, 1);
}

static void ask(unsigned int caller, bool nested)
{
	struct caller *me = &callers[caller][nested];
	u32 number = TOKENS + draw(&me->random, OBJECTS - TOKENS);

	if (!nested && !draw(&me->random, 4))
		replace(me, number);
	dispatch(me, number, READ_ONCE(objects[number].latest), nested ? NESTED : WORK);
}

/* The one who swaps. */

static struct tiffin_store_mem *lists_now(void)
{
	return scope->gate.active->store[TIFFIN_STORE_LISTS];
}

/* No call is under way. */
static void check_at_rest(void)
{
	const struct tiffin_lists *lists = &lists_now()->lists;
	const char *wrong = list_wrong(lists);
	unsigned int i;

	rests++;
	if (wrong)
		test_fail(__FILE__, __LINE__, "%s", wrong);
	EXPECT(lists->broken, ==, 0);
	EXPECT(!lists_now()->lists_owner, ==, true);
	for (i = 0; i < OBJECTS; i++) {
		const struct tiffin_list_node *node = &lists->set->node[i];

		EXPECT(objects[i].taken, ==, 0);
		if (i < TOKENS)
			EXPECT(node->list && node->era == lists->set->era, ==, true);
		if (!node->list || node->era != lists->set->era)
			continue;
		EXPECT(node->generation, <=, objects[i].latest);
		EXPECT(node->mark, ==, mark_of(tiffin_handle(i, node->generation)));
	}
}

static int swap_to(const char *name, u32 probation_ms)
{
	struct tiffin_swap_request req;

	tiffin_swap_defaults(scope, &req);
	strscpy(req.policy, name, sizeof(req.policy));
	req.probation_ms = probation_ms;
	return tiffin_swap_request(scope, &req);
}

/* @one and @two go on with each other's lists, which @one begins. */
static void swap_between(enum who one, enum who two, unsigned int swaps, u64 *random)
{
	enum who active = one, next;
	struct caller *me = &callers[0][0];
	unsigned int i;

	callers_park();
	EXPECT(swap_to(policies[one].name, 0), ==, 0);
	EXPECT(dispatch(me, TIFFIN_NO_OBJECT, 0, SEED), ==, TIFFIN_ANSWERED);
	callers_go_on();
	for (i = 0; i < swaps && !READ_ONCE(failures); i++) {
		next = active == one ? two : one;
		callers_let_run();
		EXPECT(swap_to(policies[next].name, draw(random, 2) ? 600000 : 0), ==, 0);
		if (scope->swap.state == TIFFIN_PROBATION) {
			callers_let_run();
			if (draw(random, 3))
				EXPECT(tiffin_swap_rollback(scope), ==, 0);
			else
				EXPECT(tiffin_swap_commit(scope), ==, 0);
		}
		active = strcmp(scope->gate.active->policy->policy.name, policies[one].name) ?
			 two : one;
		if (i % 4)
			continue;
		callers_park();
		check_at_rest();
		callers_go_on();
	}
	callers_park();
	check_at_rest();
	busy += atomic_read(&lists_now()->lists_busy);
	dropped += lists_now()->lists.dropped;
	if (scope->swap.state == TIFFIN_PROBATION)
		tiffin_swap_commit(scope);
	callers_go_on();
}

static void settle(void)
{
	u64 calls = 0, verdict[3] = {}, result[TIFFIN_LIST_BAD + 1] = {};
	struct tiffin_figures f;
	unsigned int i, k, v;

	for (i = 0; i < nr_callers; i++)
		for (k = 0; k < 2; k++) {
			const struct caller *c = &callers[i][k];

			calls += c->calls;
			for (v = 0; v < 3; v++)
				verdict[v] += c->verdict[v];
			for (v = 0; v <= TIFFIN_LIST_BAD; v++)
				result[v] += c->result[v];
			EXPECT(c->wrong, ==, 0);
		}
	tiffin_figures_read(scope, &f);
	EXPECT(f.calls, ==, calls);
	EXPECT(f.answered, ==, verdict[TIFFIN_ANSWERED]);
	EXPECT(f.stock, ==, verdict[TIFFIN_DEFAULT]);
	EXPECT(tiffin_figures_continuity(&f), ==, verdict[TIFFIN_CONTINUITY]);
	EXPECT(f.overlapped, ==, 0);
	printf("# %llu calls: %llu answered, %llu continuity at the gate, %llu at the lists; %llu swaps, %llu rollbacks, %llu rests\n",
	       f.calls, f.answered, f.continuity_gate, f.continuity_busy, scope->swap.swaps,
	       scope->swap.rollbacks, rests);
	printf("# services: %llu ok, %llu busy, %llu gone, %llu off, %llu at an end; %llu nodes dropped\n",
	       result[TIFFIN_LIST_OK], result[TIFFIN_LIST_BUSY], result[TIFFIN_LIST_GONE],
	       result[TIFFIN_LIST_OFF], result[TIFFIN_LIST_END], dropped);
	/* Else the run shows nothing. */
	EXPECT(busy, >, 0);
	EXPECT(dropped, >, 0);
	EXPECT(f.continuity_busy, >, 0);
	EXPECT(result[TIFFIN_LIST_GONE], >, 0);
	EXPECT(scope->swap.rollbacks, >, 0);
}

int main(int argc, char **argv)
{
	unsigned int swaps = argc > 1 ? atoi(argv[1]) : 1000;
	unsigned int i, k, with_signals = argc > 3 ? atoi(argv[3]) : 1;
	u64 random = 1;

	nr_callers = argc > 2 ? atoi(argv[2]) : 3;
	if (!nr_callers || nr_callers > MAX_CALLERS)
		return 2;
	nr_cpu_ids = nr_callers + 1;
	family = (struct tiffin_family) {
		.name = "queue",
		.abi = QUEUE_ABI,
		.owner = THIS_MODULE,
		.hooks = questions,
		.nr_hooks = ARRAY_SIZE(questions),
		.max_objects = OBJECTS,
		.generation = generations,
		.ops = &ops,
		.limits = TIFFIN_LIMITS_INIT,
	};
	/* Threads lose their processor as CPUs don't; an attempt to flip may meet that often. */
	family.limits.timeout_ms = 600000;
	if (tiffin_work_init() || tiffin_sysfs_init() || tiffin_family_register(&family))
		return 1;
	scope = family.scope;
	for (i = 0; i < POLICIES; i++)
		if (tiffin_policy_register((const void *)&policies[i], THIS_MODULE, "b1"))
			return 1;
	for (i = 0; i < OBJECTS; i++) {
		generations[i] = 1;
		objects[i].latest = 1;
	}
	for (i = 0; i < nr_callers; i++)
		for (k = 0; k < 2; k++)
			begin(&callers[i][k], 2 * i + k + 1);
	if (!callers_start(nr_callers, with_signals, ask))
		return 1;
	swap_between(LIVE, SNAPSHOT, swaps / 2, &random);
	swap_between(ALONE, ALONE_SNAPSHOT, swaps / 2, &random);
	callers_stop();
	check_at_rest();
	settle();
	EXPECT(swap_to(TIFFIN_DEFAULT_NAME, 0), ==, 0);
	for (i = 0; i < POLICIES; i++)
		tiffin_policy_unregister((const void *)&policies[i]);
	tiffin_family_unregister(&family);
	tiffin_sysfs_exit();
	tiffin_work_exit();
	EXPECT(shim_allocations(), ==, 0);
	printf("%sok 1 lists\n1..1\n", failures ? "not " : "");
	return failures > 0;
}
