// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conversion under real threads: threads play CPUs that ask about objects which come and go,
 * signals play their interrupts, two threads play the workqueue that sweeps, and one swaps between
 * policies with three layouts of the same records (and one with records of its own), commits, and
 * rolls back, often in the middle of a sweep.
 *
 * The policies here check each record that they are lent, and each that they convert, against a
 * copy of their own (convert_copy.h): nothing that was written is lost, converted twice, or mixed
 * up with another object's, and a rollback finds what was there at the flip, or what the policy has
 * declared. There are two programs of it: objects' records are locked, or shared.
 *
 * usage: convert-stress [SWAPS [CALLERS [SIGNALS]]]
 */
#include <stdlib.h>
#include <unistd.h>

#include <tiffin/state.h>

#include "callers.h"
#include "convert_copy.h"
#include "core/family.h"
#include "core/scope.h"
#include "core/sysfs.h"
#include "failures.h"
#include "plain.h"
#include "shim.h"
#include "work.h"

/* Calls meet on these. */
#define HOT		6
#define WORKERS		2

enum who { ONE, UNO, TWO, THREE, OTHER, POLICIES };

struct out {
	u32 answers;
	u32 who;
};

/* One context that asks: two to a thread, itself and its interrupts. */
struct caller {
	u64 calls;
	u64 verdict[3];
	u64 wrong;
	u64 random;
} __aligned(64);

static struct tiffin_family family;
static struct tiffin_scope *scope;
struct flip flips[MAX_EPOCHS];
/* Calls that a policy answered, by the epoch that they were in: of all, and of each CPU. */
static u64 answered[MAX_EPOCHS], answered_on[MAX_EPOCHS][SHIM_MAX_CPUS];
static struct caller callers[MAX_CALLERS][2];
static pthread_t workers[WORKERS];
static unsigned int nr_callers;
static u64 conversions, sweeps_met, unfinished;
static u32 stop_workers;
static unsigned int with_signals = 1;

/* Three layouts. Bytes between the fields are nobody's. */

struct record1 {
	u64 count;
	u64 sum;
	u32 number;
	u32 generation;
};

struct record2 {
	u32 generation;
	u32 number;
	u64 spare[2];
	u64 sum;
	u64 count;
};

struct record3 {
	u64 sum;
	u32 number;
	u32 pad;
	u64 count;
	u32 generation;
	u32 end;
};

static u32 layout_of(enum who who)
{
	return who == TWO ? 2 : who == THREE ? 3 : 1;
}

struct fields fields_of(void *record, u32 layout)
{
	struct record1 *r1 = record;
	struct record2 *r2 = record;
	struct record3 *r3 = record;

	switch (layout) {
	case 1: return (struct fields) { &r1->number, &r1->generation, &r1->count, &r1->sum };
	case 2: return (struct fields) { &r2->number, &r2->generation, &r2->count, &r2->sum };
	default: return (struct fields) { &r3->number, &r3->generation, &r3->count, &r3->sum };
	}
}

struct fact fact_read(const void *record, u32 layout)
{
	const struct fields f = fields_of((void *)record, layout);

	return (struct fact) { *f.number, *f.generation, *f.count, *f.sum };
}

void fact_write(void *record, u32 layout, const struct fact *fact)
{
	const struct fields f = fields_of(record, layout);

	*f.number = fact->number;
	*f.generation = fact->generation;
	*f.count = fact->count;
	*f.sum = fact->sum;
}

bool fact_same(const struct fact *a, const struct fact *b)
{
	return a->number == b->number && a->generation == b->generation && a->count == b->count &&
	       a->sum == b->sum;
}

void fact_differs(const char *what, const struct fact *got, const struct fact *want, u64 epoch)
{
	test_fail(__FILE__, __LINE__,
		  "%s in epoch %llu: object %u.%u count %llu sum %llx, not %u.%u count %llu sum %llx",
		  what, epoch, got->number, got->generation, got->count, got->sum, want->number,
		  want->generation, want->count, want->sum);
}

/* The count in the record of the instance or of a CPU. */
static u64 *count_of(void *record, u32 layout)
{
	return fields_of(record, layout).count;
}

/* The policies. */

static void decide(const struct tiffin_ctx *ctx, const struct in *in, struct out *out, enum who who)
{
	u32 layout = layout_of(who);

	copy_answer(ctx, in, layout);
	tiffin_add(count_of(tiffin_instance(ctx), layout), 1);
	tiffin_local_add(count_of(tiffin_percpu(ctx), layout), 1);
	__atomic_fetch_add(&answered[ctx->epoch], 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&answered_on[ctx->epoch][ctx->env->cpu], 1, __ATOMIC_RELAXED);
	out->answers++;
	out->who = who;
}

#define DECIDE(name, who)							\
static void name(const struct tiffin_ctx *ctx, const struct in *in, struct out *out)	\
{										\
	decide(ctx, in, out, who);						\
}

DECIDE(decide_one, ONE)
DECIDE(decide_uno, UNO)
DECIDE(decide_two, TWO)
DECIDE(decide_three, THREE)
DECIDE(decide_other, OTHER)

/*
 * What a count is when @epoch begins, from the calls of the epochs before: of CPU @cpu, or of all
 * (-1). Of the thread that swaps; epochs that are over change no more, so it goes on from the last.
 */
static u64 expected(u64 epoch, unsigned int kind, int cpu)
{
	static struct {
		u64 epoch;
		u64 now;
		u64 then;
	} known[KINDS][SHIM_MAX_CPUS + 1], *at;
	const struct flip *flip;
	u64 e;

	at = &known[kind][cpu + 1];
	for (; at->epoch < epoch; at->epoch++) {
		e = at->epoch;
		at->now += cpu < 0 ? READ_ONCE(answered[e]) : READ_ONCE(answered_on[e][cpu]);
		flip = &flips[e + 1];
		if (flip->forward)
			at->then = at->now;
		if (flip->fate[kind] == BACK)
			at->now = at->then;
		else if (flip->fate[kind] == ZEROS)
			at->now = 0;
	}
	return at->now;
}

static void convert_count(const struct tiffin_ctx *ctx, const struct tiffin_convert_in *in,
			  void *record, u32 layout)
{
	u64 count = *count_of((void *)in->from, in->version);
	int cpu = in->kind == TIFFIN_STORE_PER_CPU ? (int)ctx->env->cpu : -1;

	EXPECT(count, ==, expected(ctx->epoch, in->kind, cpu));
	EXPECT(*count_of(record, layout), ==, 0);
	*count_of(record, layout) = count;
}

static void carry(const struct tiffin_ctx *ctx, const struct tiffin_convert_in *in,
		  struct tiffin_convert_out *out, u32 layout)
{
	struct fact fact, fresh;

	if (in->kind != TIFFIN_STORE_OBJECT) {
		convert_count(ctx, in, out->record, layout);
		return;
	}
	fact = fact_read(in->from, in->version);
	fresh = fact_read(out->record, layout);
	if (!fact_same(&fresh, &(struct fact) {}))
		fact_differs("a record to convert to", &fresh, &(struct fact) {}, ctx->epoch);
	if (fact.number >= OBJECTS) {
		test_fail(__FILE__, __LINE__, "no record to convert: object %u", fact.number);
		return;
	}
	copy_convert(&fact, ctx->epoch);
	fact_write(out->record, layout, &fact);
	__atomic_fetch_add(&conversions, 1, __ATOMIC_RELAXED);
}

#define CONVERT(name, layout)								\
static void name(const struct tiffin_ctx *ctx, const struct tiffin_convert_in *in,	\
		 struct tiffin_convert_out *out)					\
{											\
	carry(ctx, in, out, layout);							\
}

CONVERT(convert_1, 1)
CONVERT(convert_2, 2)
CONVERT(convert_3, 3)

#define STORES(prefix, layout, convert_, object_undo, cpu_undo, all_undo)		\
{											\
	{ prefix "flow", layout, TIFFIN_STORE_OBJECT, COPY_SHARING,			\
	  sizeof(struct record##layout), object_undo, 0, convert_ },			\
	{ prefix "cpu", layout, TIFFIN_STORE_PER_CPU, TIFFIN_SHARE_CPU,			\
	  sizeof(struct record##layout), cpu_undo, 0, convert_ },			\
	{ prefix "all", layout, TIFFIN_STORE_INSTANCE, TIFFIN_SHARE_ATOMIC,		\
	  sizeof(struct record##layout), all_undo, 0, convert_ },			\
}

static const struct tiffin_store stores[POLICIES][KINDS] = {
	[ONE] = STORES("", 1, convert_1, TIFFIN_UNDO_LIVE, TIFFIN_UNDO_LIVE, TIFFIN_UNDO_LIVE),
	[UNO] = STORES("", 1, convert_1, TIFFIN_UNDO_REBUILD, TIFFIN_UNDO_REBUILD,
		       TIFFIN_UNDO_SNAPSHOT),
	[TWO] = STORES("", 2, convert_2, TIFFIN_UNDO_LIVE, TIFFIN_UNDO_LIVE, TIFFIN_UNDO_LIVE),
	[THREE] = STORES("", 3, convert_3, TIFFIN_UNDO_LIVE, TIFFIN_UNDO_LIVE, TIFFIN_UNDO_LIVE),
	[OTHER] = STORES("other_", 1, NULL, TIFFIN_UNDO_LIVE, TIFFIN_UNDO_LIVE, TIFFIN_UNDO_LIVE),
};

struct hooks {
	void (*decide)(const struct tiffin_ctx *ctx, const struct in *in, struct out *out);
};

static const struct hooks hooks[POLICIES] = {
	[ONE] = { decide_one },
	[UNO] = { decide_uno },
	[TWO] = { decide_two },
	[THREE] = { decide_three },
	[OTHER] = { decide_other },
};

#define BOOK_ABI	TIFFIN_ABI(1, 0)
#define POLICY(who, name)	PLAIN_POLICY(name, "book", BOOK_ABI, hooks[who], stores[who])

static const struct tiffin_policy policies[POLICIES] = {
	[ONE] = POLICY(ONE, "one"),
	[UNO] = POLICY(UNO, "uno"),
	[TWO] = POLICY(TWO, "two"),
	[THREE] = POLICY(THREE, "three"),
	[OTHER] = POLICY(OTHER, "other"),
};

static const struct tiffin_hook questions[] = {
	{ "decide", offsetof(struct hooks, decide), true },
};

static const struct tiffin_family_ops ops;

/* Those who ask. */

static u64 draw(u64 *random)
{
	*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
	return *random >> 33;
}

static void ask(unsigned int caller, bool nested)
{
	struct caller *me = &callers[caller][nested];
	u64 dice = draw(&me->random);
	u32 number = dice % 4 ? dice / 4 % HOT : dice / 4 % OBJECTS;
	enum tiffin_verdict verdict;
	struct tiffin_call call;
	struct out out = {};
	struct hold hold;
	struct in in;

	dice = draw(&me->random);
	/* The object goes and its number is given to another, or the call is late. */
	if (!copy_hold(&hold, number, dice % 64 == 0 ? NEXT : dice % 64 == 1 ? LATE : SAME))
		return;
	in = (struct in) { number, hold.generation, dice };
	call = (struct tiffin_call) {
		.object = number, .generation = hold.generation, .now_ns = 1,
	};
	WRITE_ONCE(me->calls, me->calls + 1);
	verdict = tiffin_dispatch(scope, &call, &in, &out);
	me->verdict[verdict]++;
	me->wrong += out.answers != (verdict == TIFFIN_ANSWERED);
	copy_let_go(&hold, verdict == TIFFIN_ANSWERED);
}

static void *sweep(void *data)
{
	shim_cpu_start(nr_callers + 1 + (uintptr_t)data);
	shim_worker(&stop_workers);
	return NULL;
}

/* The one who swaps. */

static enum who active = POLICIES;

static u64 epoch_now(void)
{
	return READ_ONCE(scope->gate.epoch);
}

/* What the next flip will do to each store: the copy has to know before it happens. */
static void expect_flip(enum who from, enum who to, bool forward)
{
	struct flip *flip = &flips[epoch_now() + 1];
	bool schema = (from == OTHER) == (to == OTHER) && from != POLICIES;
	bool reference = schema && layout_of(from) == layout_of(to);
	unsigned int k, i;

	flip->forward = forward;
	for (i = 0; i < KINDS; i++) {
		k = stores[to][i].kind;
		if (forward)
			flip->fate[k] = schema ? KEEPS : ZEROS;
		else if (!reference)
			flip->fate[k] = BACK;
		else if (stores[to][i].undo == TIFFIN_UNDO_SNAPSHOT)
			flip->fate[k] = BACK;
		else
			flip->fate[k] = stores[to][i].undo == TIFFIN_UNDO_LIVE ? KEEPS : ZEROS;
	}
}

static int swap_to_name(const char *name, u32 probation_ms)
{
	struct tiffin_swap_request req;

	tiffin_swap_defaults(scope, &req);
	strscpy(req.policy, name, sizeof(req.policy));
	req.probation_ms = probation_ms;
	return tiffin_swap_request(scope, &req);
}

static int swap_to(enum who to, u32 probation_ms)
{
	return swap_to_name(policies[to].name, probation_ms);
}

/* Who asks during a sweep is told so: W1. Nothing but the sweep takes the state from there. */
static void wait_stable(enum who to)
{
	unsigned int met = 0;
	int rc;

	while (READ_ONCE(scope->swap.state) == TIFFIN_SWEEPING) {
		/* The state may change meanwhile; a refused request is all that may come of it. */
		if (!met++ && tiffin_sweep_runs(scope)) {
			expect_flip(active, to, true);
			rc = swap_to(to, 0);
			if (rc != -EBUSY) {
				EXPECT(rc, ==, 0);
				active = to;
				continue;
			}
			sweeps_met++;
		}
		usleep(50);
	}
	EXPECT(scope->swap.state, ==, TIFFIN_STABLE);
	EXPECT(tiffin_sweep_runs(scope), ==, false);
}

static void step(u64 *random)
{
	enum who to, from = active;
	u64 dice = draw(random);

	do
		to = draw(random) % 40 ? draw(random) % OTHER : OTHER;
	while (to == active);
	wait_stable(to);
	if (to == active)
		return;
	from = active;
	expect_flip(from, to, true);
	/* Kept at once, kept when the time is over, or as it is decided here. */
	EXPECT(swap_to(to, dice % 3 == 0 ? 0 : dice % 16 == 1 ? 5 : 600000), ==, 0);
	active = to;
	if (dice % 3 == 0)
		return;
	if (dice % 16 == 1) {
		while (READ_ONCE(scope->swap.state) == TIFFIN_PROBATION)
			usleep(50);
		return;
	}
	dice = draw(random);
	if (dice % 2)
		usleep(dice / 2 % 1500);
	unfinished += tiffin_sweep_runs(scope);
	if (dice % 5 < 2) {
		EXPECT(tiffin_swap_commit(scope), ==, 0);
		return;
	}
	expect_flip(to, from, false);
	EXPECT(tiffin_swap_rollback(scope), ==, 0);
	EXPECT(tiffin_sweep_runs(scope), ==, false);
	active = from;
}

/* All is at rest: each record, and each count, is what the copy says. */
static void settle(void)
{
	struct tiffin_instance *inst = scope->gate.active;
	struct tiffin_store_mem *objects = inst->store[TIFFIN_STORE_OBJECT];
	u32 layout = layout_of(active);
	unsigned int i, k, v, known = 0;
	u64 calls = 0, nested = 0, verdict[3] = {}, epoch = epoch_now();
	struct tiffin_figures f;

	for (i = 0; i < nr_callers; i++) {
		nested += callers[i][1].calls;
		for (k = 0; k < 2; k++) {
			calls += callers[i][k].calls;
			for (v = 0; v < 3; v++)
				verdict[v] += callers[i][k].verdict[v];
			EXPECT(callers[i][k].wrong, ==, 0);
		}
	}
	tiffin_figures_read(scope, &f);
	EXPECT(f.calls, ==, calls);
	EXPECT(f.answered, ==, verdict[TIFFIN_ANSWERED]);
	EXPECT(f.stock, ==, 0);
	EXPECT(tiffin_figures_continuity(&f), ==, verdict[TIFFIN_CONTINUITY]);
	EXPECT(f.overlapped, ==, 0);
	EXPECT(!objects->from, ==, true);
	for (i = 0; i < OBJECTS; i++) {
		struct tiffin_record *rec = tiffin_record_of(objects, i);
		struct fact fact = fact_read(rec->data, layout);
		struct fact want = copy_at_rest(i, epoch);

		EXPECT(rec->locked, ==, 0);
		EXPECT(rec->generation, ==, want.generation);
		if (!fact_same(&fact, &want))
			fact_differs("a record at the end", &fact, &want, epoch);
		known += rec->generation != 0;
	}
	EXPECT(*count_of(inst->store[TIFFIN_STORE_INSTANCE]->record, layout), ==,
	       expected(epoch, TIFFIN_STORE_INSTANCE, -1) + answered[epoch]);
	for (i = 0; i < nr_cpu_ids; i++)
		EXPECT(*count_of(per_cpu_ptr(inst->store[TIFFIN_STORE_PER_CPU]->percpu, i), layout),
		       ==, expected(epoch, TIFFIN_STORE_PER_CPU, i) + answered_on[epoch][i]);
	printf("# %llu calls, %llu of them nested: %llu answered, %llu continuity at the gate, %llu at a record; %llu swaps, %llu rollbacks\n",
	       f.calls, nested, f.answered, f.continuity_gate, f.continuity_busy, scope->swap.swaps,
	       scope->swap.rollbacks);
	printf("# %llu records converted, %llu probations ended in a sweep, %llu requests met one, %u records known\n",
	       conversions, unfinished, sweeps_met, known);
	/* Else the run shows nothing. */
	EXPECT(!nested, ==, !with_signals);
	EXPECT(conversions, >, 0);
	EXPECT(unfinished, >, 0);
	EXPECT(f.continuity_busy, >, 0);
}

int main(int argc, char **argv)
{
	unsigned int swaps = argc > 1 ? atoi(argv[1]) : 2000;
	unsigned int i;
	u64 random = 1;

	nr_callers = argc > 2 ? atoi(argv[2]) : 3;
	if (argc > 3)
		with_signals = atoi(argv[3]);
	if (!nr_callers || nr_callers > MAX_CALLERS - WORKERS || swaps > MAX_EPOCHS / 4)
		return 2;
	nr_cpu_ids = nr_callers + 1 + WORKERS;
	family = (struct tiffin_family) {
		.name = "book",
		.abi = BOOK_ABI,
		.owner = THIS_MODULE,
		.hooks = questions,
		.nr_hooks = ARRAY_SIZE(questions),
		.max_objects = OBJECTS,
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
	copy_begin();
	expect_flip(POLICIES, ONE, true);
	EXPECT(swap_to(ONE, 0), ==, 0);
	active = ONE;
	for (i = 0; i < WORKERS; i++)
		if (pthread_create(&workers[i], NULL, sweep, (void *)(uintptr_t)i))
			return 1;
	for (i = 0; i < nr_callers; i++) {
		callers[i][0].random = 2 * i + 1;
		callers[i][1].random = 2 * i + 2;
	}
	if (!callers_start(nr_callers, with_signals, ask))
		return 1;
	for (i = 0; i < swaps && !READ_ONCE(failures); i++)
		step(&random);
	wait_stable(active);
	callers_stop();
	if (scope->swap.state == TIFFIN_PROBATION)
		tiffin_swap_commit(scope);
	while (tiffin_sweep_runs(scope))
		usleep(50);
	WRITE_ONCE(stop_workers, 1);
	for (i = 0; i < WORKERS; i++)
		pthread_join(workers[i], NULL);
	settle();
	if (failures) {
		/* What is left is in no known state. */
		printf("not ok 1 convert\n1..1\n");
		fflush(stdout);
		_exit(1);
	}
	EXPECT(swap_to_name(TIFFIN_DEFAULT_NAME, 0), ==, 0);
	for (i = 0; i < POLICIES; i++)
		tiffin_policy_unregister((const void *)&policies[i]);
	tiffin_family_unregister(&family);
	tiffin_sysfs_exit();
	tiffin_work_exit();
	EXPECT(shim_allocations(), ==, 0);
	printf("%sok 1 convert\n1..1\n", failures ? "not " : "");
	return failures > 0;
}
