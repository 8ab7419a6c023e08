// SPDX-License-Identifier: GPL-2.0-only
/* Lists of objects: the nodes against a plain model, the services in calls, swaps (L1 to L8). */

#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>

#include "core/service.h"
#include "lab_kunit.h"
#include "list_model.h"

#define LISTS	3
#define ROUNDS	20000

/*
 * struct list_test - a set of its own beside the model; and the lab
 * @lab: first: test->priv is the lab
 * @lists: the set
 * @generation: of the set's objects
 * @model: the model
 * @seed: of random numbers
 */
struct list_test {
	struct lab lab;
	struct tiffin_lists lists;
	u32 generation[MODEL_OBJECTS];
	struct model model;
	u64 seed;
};

static struct list_test *list_test(struct kunit *test)
{
	return test->priv;
}

/* The same in every run. */
static u32 list_random(u64 *seed, u32 below)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return (*seed >> 33) % below;
}

static void list_step(struct kunit *test, struct model_call call)
{
	struct list_test *t = list_test(test);

	KUNIT_ASSERT_STREQ(test, model_step(&t->model, &t->lists, &call) ?: "", "");
}

static u64 list_handle(struct list_test *t, u32 object)
{
	return tiffin_handle(object, t->generation[object]);
}

static void list_put(struct kunit *test, u32 object, u32 list, u32 end)
{
	list_step(test, (struct model_call) {
		.op = MODEL_PUT, .list = list, .end = end, .mark = object,
		.handle = list_handle(list_test(test), object),
	});
}

/* Any operation on any object, list and end, of those that there are, and of others. */
static struct model_call list_any(struct list_test *t)
{
	struct model_call call = {
		.op = list_random(&t->seed, 100) < 40 ? MODEL_PUT :
		      list_random(&t->seed, MODEL_OPS),
		.list = list_random(&t->seed, LISTS),
		.end = list_random(&t->seed, 2),
		.mark = list_random(&t->seed, U32_MAX),
		.handle = list_handle(t, list_random(&t->seed, MODEL_OBJECTS)),
	};

	if (call.op == MODEL_CLEAR && list_random(&t->seed, 100))
		call.op = MODEL_NEXT;
	switch (list_random(&t->seed, 20)) {
	case 0:
		call.list = list_random(&t->seed, 2) ? LISTS : list_random(&t->seed, U32_MAX);
		break;
	case 1:
		call.end = list_random(&t->seed, 2) ? 2 : list_random(&t->seed, U32_MAX);
		break;
	case 4:
		call.handle = tiffin_handle(MODEL_OBJECTS, 1);
		break;
	case 2:
		call.handle -= 1ull << 32;
		break;
	case 3:
		call.handle = (u64)list_random(&t->seed, U32_MAX) << 32 |
			      list_random(&t->seed, U32_MAX);
		break;
	}
	return call;
}

/* L3 to L6: whatever is asked for, nodes and answers are the model's. */
static void list_random_calls(struct kunit *test)
{
	struct list_test *t = list_test(test);
	u32 i, object;

	for (i = 0; i < ROUNDS; i++) {
		list_step(test, list_any(t));
		/* Mostly few objects go at a time, now and then most of them. */
		if (list_random(&t->seed, 10) && i % 1000 > 100)
			continue;
		object = list_random(&t->seed, MODEL_OBJECTS);
		t->generation[object] += list_random(&t->seed, 8) ? 1 : -t->generation[object];
	}
	KUNIT_EXPECT_GT(test, t->lists.gone, 0);
	KUNIT_EXPECT_GT(test, t->lists.bad, 0);
	KUNIT_EXPECT_GT(test, t->lists.dropped, 0);
}

/* L6: a long run of objects that are gone is taken off in bounded parts, from both ends. */
static void list_bounded(struct kunit *test)
{
	struct list_test *t = list_test(test);
	struct tiffin_entry entry;
	u32 end, i, calls;

	for (end = TIFFIN_LIST_HEAD; end <= TIFFIN_LIST_TAIL; end++) {
		for (i = 0; i < MODEL_OBJECTS; i++)
			list_put(test, i, 1, !end);
		/* The last one lives. */
		for (i = 0; i < MODEL_OBJECTS - 1; i++)
			t->generation[i]++;
		for (calls = 1; ; calls++) {
			u64 before = t->lists.dropped;

			entry = tiffin_lists_first(&t->lists, 1, end);
			KUNIT_ASSERT_LE(test, t->lists.dropped - before, TIFFIN_LIST_STEPS);
			if (entry.result != TIFFIN_LIST_BUSY)
				break;
			KUNIT_ASSERT_EQ(test, t->lists.dropped - before, TIFFIN_LIST_STEPS);
		}
		KUNIT_EXPECT_EQ(test, calls, DIV_ROUND_UP(MODEL_OBJECTS, TIFFIN_LIST_STEPS));
		KUNIT_EXPECT_EQ(test, entry.handle, list_handle(t, MODEL_OBJECTS - 1));
		KUNIT_EXPECT_EQ(test, tiffin_lists_length(&t->lists, 1), 1);
		KUNIT_EXPECT_STREQ(test, list_wrong(&t->lists) ?: "", "");
		/* The model has not seen this. */
		tiffin_lists_clear(&t->lists);
		memset(t->model.list, 0, sizeof(t->model.list));
		t->model.dropped = t->lists.dropped;
	}
}

/* The order of a queue, and a walk along it while objects move and go. */
static void list_order(struct kunit *test)
{
	struct list_test *t = list_test(test);
	struct tiffin_entry entry;
	u32 i;

	for (i = 0; i < 5; i++)
		list_put(test, i, 0, TIFFIN_LIST_HEAD);
	entry = tiffin_lists_first(&t->lists, 0, TIFFIN_LIST_TAIL);
	for (i = 0; i < 5; i++) {
		KUNIT_EXPECT_EQ(test, entry.result, TIFFIN_LIST_OK);
		KUNIT_EXPECT_EQ(test, entry.handle, list_handle(t, i));
		KUNIT_EXPECT_EQ(test, entry.mark, i);
		entry = tiffin_lists_next(&t->lists, 0, TIFFIN_LIST_TAIL, entry.handle);
	}
	KUNIT_EXPECT_EQ(test, entry.result, TIFFIN_LIST_END);
	KUNIT_EXPECT_EQ(test, entry.handle, TIFFIN_NO_HANDLE);

	/* A place to go on from that has moved, and one whose object is gone. */
	list_put(test, 2, 1, TIFFIN_LIST_HEAD);
	entry = tiffin_lists_next(&t->lists, 0, TIFFIN_LIST_TAIL, list_handle(t, 2));
	KUNIT_EXPECT_EQ(test, entry.result, TIFFIN_LIST_OFF);
	entry = tiffin_lists_next(&t->lists, 0, TIFFIN_LIST_TAIL, list_handle(t, 1));
	KUNIT_EXPECT_EQ(test, entry.handle, list_handle(t, 3));
	t->generation[3]++;
	entry = tiffin_lists_next(&t->lists, 0, TIFFIN_LIST_TAIL, entry.handle);
	KUNIT_EXPECT_EQ(test, entry.result, TIFFIN_LIST_GONE);
	entry = tiffin_lists_take(&t->lists, 0, TIFFIN_LIST_TAIL);
	KUNIT_EXPECT_EQ(test, entry.handle, list_handle(t, 0));
}

/* L8: nodes that a wild write has hit are not followed, wherever it hit. */
static void list_wild_writes(struct kunit *test)
{
	struct list_test *t = list_test(test);
	const size_t words = tiffin_lists_bytes(MODEL_OBJECTS) / sizeof(u32);
	u32 *word = (u32 *)t->lists.set;
	u32 i, calls, object;

	for (i = 0; i < 500; i++) {
		tiffin_lists_clear(&t->lists);
		for (object = 0; object < MODEL_OBJECTS; object++)
			tiffin_lists_put(&t->lists, list_handle(t, object),
					 list_random(&t->seed, LISTS), TIFFIN_LIST_HEAD, 0);
		word[list_random(&t->seed, words)] = list_random(&t->seed, 4) ?
			list_random(&t->seed, U32_MAX) :
			list_random(&t->seed, MODEL_OBJECTS + 1);
		for (calls = 0; calls < 200; calls++) {
			struct model_call call = list_any(t);

			model_real(&t->lists, &call);
		}
	}
	KUNIT_EXPECT_GT(test, t->lists.broken, 0);
	/* One that shows in any case. */
	memset(t->lists.set, 0, tiffin_lists_bytes(MODEL_OBJECTS));
	t->lists.broken = 0;
	tiffin_lists_put(&t->lists, list_handle(t, 1), 0, TIFFIN_LIST_HEAD, 0);
	tiffin_lists_put(&t->lists, list_handle(t, 2), 0, TIFFIN_LIST_HEAD, 0);
	t->lists.set->node[2].link[TIFFIN_LIST_TAIL] = MODEL_OBJECTS + 7;
	KUNIT_EXPECT_EQ(test, tiffin_lists_remove(&t->lists, list_handle(t, 2)), TIFFIN_LIST_BUSY);
	KUNIT_EXPECT_EQ(test, t->lists.broken, 1);
	KUNIT_EXPECT_EQ(test, tiffin_lists_length(&t->lists, 0), 0);
	KUNIT_EXPECT_STREQ(test, list_wrong(&t->lists) ?: "", "");
}

/* Policies of the lab's family that have lists. */

enum list_who {
	LIST_PLAIN,	/* each service for itself */
	LIST_SAME,	/* the same store as that */
	LIST_OTHER,	/* with another number of lists */
	LIST_SAVED,	/* as plain; after a rollback it wants them as they were */
	LIST_ANEW,	/* as plain; after a rollback it wants them empty */
	LIST_LENT,	/* lent to one call at a time */
	LIST_LOAN,	/* the same store as that */
	LIST_POLICIES,
};

static struct lab *list_lab;
static struct model_call list_call;
static struct tiffin_entry list_got;
static u64 list_of_call;

static void list_ask(const struct tiffin_ctx *ctx, const struct lab_in *in, struct lab_out *out)
{
	void (*in_hook)(struct lab *lab, const struct tiffin_ctx *ctx) =
		READ_ONCE(list_lab->in_hook);

	out->number = in->number;
	out->answers++;
	if (in_hook)
		in_hook(list_lab, ctx);
}

/* A service, as a policy asks for it. */
static struct tiffin_entry list_serve(const struct tiffin_ctx *ctx, const struct model_call *c)
{
	struct tiffin_entry entry = {};

	switch (c->op) {
	case MODEL_PUT:
		entry.result = tiffin_list_put(ctx, c->handle, c->list, c->end, c->mark);
		break;
	case MODEL_MARK:
		entry.result = tiffin_list_mark(ctx, c->handle, c->mark);
		break;
	case MODEL_REMOVE:
		entry.result = tiffin_list_remove(ctx, c->handle);
		break;
	case MODEL_FIND:
		return tiffin_list_find(ctx, c->handle);
	case MODEL_FIRST:
		return tiffin_list_first(ctx, c->list, c->end);
	case MODEL_NEXT:
		return tiffin_list_next(ctx, c->list, c->end, c->handle);
	case MODEL_TAKE:
		return tiffin_list_take(ctx, c->list, c->end);
	}
	return entry;
}

static void list_in_hook(struct lab *lab, const struct tiffin_ctx *ctx)
{
	list_of_call = ctx->handle;
	list_got = list_serve(ctx, &list_call);
}

static void list_in_init(const struct tiffin_ctx *ctx, const struct tiffin_init_in *in)
{
	list_of_call = ctx->handle;
	list_got = tiffin_list_first(ctx, 0, TIFFIN_LIST_HEAD);
	list_got.mark = tiffin_list_length(ctx, 0);
}

static const struct lab_hooks list_hooks = { .ask = list_ask, .tell = list_ask };

#define LIST_STORE(_sharing, _lists, _undo)						\
	{ "queues", 1, TIFFIN_STORE_LISTS, _sharing, .lists = _lists, .undo = _undo }

static const struct tiffin_store list_stores[LIST_POLICIES] = {
	[LIST_PLAIN] = LIST_STORE(TIFFIN_SHARE_ATOMIC, LISTS, TIFFIN_UNDO_LIVE),
	[LIST_SAME] = LIST_STORE(TIFFIN_SHARE_ATOMIC, LISTS, TIFFIN_UNDO_LIVE),
	[LIST_OTHER] = LIST_STORE(TIFFIN_SHARE_ATOMIC, LISTS + 1, TIFFIN_UNDO_LIVE),
	[LIST_SAVED] = LIST_STORE(TIFFIN_SHARE_ATOMIC, LISTS, TIFFIN_UNDO_SNAPSHOT),
	[LIST_ANEW] = LIST_STORE(TIFFIN_SHARE_ATOMIC, LISTS, TIFFIN_UNDO_REBUILD),
	[LIST_LENT] = LIST_STORE(TIFFIN_SHARE_LOCKED, LISTS, TIFFIN_UNDO_LIVE),
	[LIST_LOAN] = LIST_STORE(TIFFIN_SHARE_LOCKED, LISTS, TIFFIN_UNDO_LIVE),
};

#define LIST_POLICY(_who, _name)							\
	[_who] = {									\
		LAB_HEAD(_name),							\
		TIFFIN_HOOKS(list_hooks),						\
		.stores = &list_stores[_who],						\
		.nr_stores = 1,								\
		.store_stride = sizeof(struct tiffin_store),				\
		.init = list_in_init,							\
	}

static const struct tiffin_policy list_policy[LIST_POLICIES] = {
	LIST_POLICY(LIST_PLAIN, "plain"),
	LIST_POLICY(LIST_SAME, "same"),
	LIST_POLICY(LIST_OTHER, "other"),
	LIST_POLICY(LIST_SAVED, "saved"),
	LIST_POLICY(LIST_ANEW, "anew"),
	LIST_POLICY(LIST_LENT, "lent"),
	LIST_POLICY(LIST_LOAN, "loan"),
};

static struct tiffin_store_mem *list_mem(struct lab *lab)
{
	return lab->family.scope->gate.active->store[TIFFIN_STORE_LISTS];
}

/* A call in which the active policy asks for a service, about the call's object. */
static struct tiffin_entry list_in_call(struct kunit *test, struct model_call call)
{
	struct lab *lab = test->priv;
	struct lab_out out;

	list_call = call;
	list_got.result = U16_MAX;
	lab->in_hook = list_in_hook;
	KUNIT_EXPECT_EQ(test, lab_ask_generation(lab, LAB_ASK, (u32)call.handle, 1, &out),
			TIFFIN_ANSWERED);
	lab->in_hook = NULL;
	return list_got;
}

/* Put objects from @from to @to at the tail of list 0. */
static void list_fill(struct kunit *test, u32 from, u32 to)
{
	for (; from <= to; from++)
		KUNIT_ASSERT_EQ(test, list_in_call(test, (struct model_call) {
			.op = MODEL_PUT, .end = TIFFIN_LIST_TAIL, .mark = from,
			.handle = tiffin_handle(from, 1) }).result, TIFFIN_LIST_OK);
}

/* List 0 of the active policy holds objects @from to @to, in this order. */
static void list_expect(struct kunit *test, u32 from, u32 to)
{
	const struct tiffin_lists *lists = &list_mem(test->priv)->lists;
	u32 at = lists->set->list[0].end[TIFFIN_LIST_HEAD];

	KUNIT_EXPECT_STREQ(test, list_wrong(lists) ?: "", "");
	for (; from <= to && at; from++) {
		KUNIT_EXPECT_EQ(test, at - 1, from);
		KUNIT_EXPECT_EQ(test, lists->set->node[at - 1].mark, from);
		at = lists->set->node[at - 1].link[TIFFIN_LIST_TAIL];
	}
	KUNIT_EXPECT_EQ_MSG(test, from, to + 1, "the list ends early");
	KUNIT_EXPECT_EQ_MSG(test, at, 0, "the list goes on");
}

#define LIST_EMPTY	1, 0

/* A call about an object tells its handle, and reaches the lists. */
static void list_of_a_call(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;

	lab->in_hook = list_in_hook;
	EXPECT_SWAP(test, "alpha");
	list_call = (struct model_call) { .op = MODEL_FIRST };
	KUNIT_EXPECT_EQ(test, lab_ask_generation(lab, LAB_ASK, 5, 9, &out), TIFFIN_ANSWERED);
	KUNIT_EXPECT_EQ(test, list_of_call, tiffin_handle(5, 9));
	KUNIT_EXPECT_EQ_MSG(test, list_got.result, TIFFIN_LIST_BUSY, "it has declared none");

	EXPECT_SWAP(test, "plain");
	KUNIT_EXPECT_EQ_MSG(test, list_got.result, TIFFIN_LIST_BUSY, "there are none in init");
	KUNIT_EXPECT_EQ(test, list_of_call, TIFFIN_NO_HANDLE);
	lab_ask(lab, LAB_ASK, TIFFIN_NO_OBJECT, &out);
	KUNIT_EXPECT_EQ(test, list_of_call, TIFFIN_NO_HANDLE);
	KUNIT_EXPECT_EQ(test, list_got.result, TIFFIN_LIST_END);
	list_fill(test, 0, 3);
	KUNIT_EXPECT_EQ(test, list_of_call, tiffin_handle(3, 1));
	list_expect(test, 0, 3);
	KUNIT_EXPECT_EQ(test, list_in_call(test, (struct model_call) {
		.op = MODEL_FIND, .handle = tiffin_handle(2, 1) }).mark, 2);
	LAB_EXPECT_ACCOUNTS(test, lab);
}

/* L2: where the lists are taken a service says so, is counted, and does nothing. */
static void list_busy(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct tiffin_store_mem *mem;
	u32 op;

	EXPECT_SWAP(test, "plain");
	list_fill(test, 0, 3);
	mem = list_mem(lab);
	KUNIT_EXPECT_PTR_EQ(test, mem->lists_owner, NULL);
	WRITE_ONCE(mem->lists_owner, test);
	for (op = MODEL_PUT; op <= MODEL_TAKE; op++)
		KUNIT_EXPECT_EQ(test, list_in_call(test, (struct model_call) {
			.op = op, .list = 1, .handle = tiffin_handle(1, 1) }).result,
			TIFFIN_LIST_BUSY);
	KUNIT_EXPECT_EQ(test, atomic_read(&mem->lists_busy), MODEL_TAKE + 1);
	list_expect(test, 0, 3);
	WRITE_ONCE(mem->lists_owner, NULL);
	list_fill(test, 4, 4);
	list_expect(test, 0, 4);
}

/* The call that has the lists is interrupted by another one. */
static void list_interrupted(struct lab *lab, const struct tiffin_ctx *ctx)
{
	struct tiffin_ctx other = *ctx;
	enum tiffin_verdict verdict;
	struct lab_out out;

	lab->in_hook = NULL;
	verdict = lab_ask(lab, LAB_ASK, 9, &out);
	lab->private = (void *)(unsigned long)verdict;
	list_got = tiffin_list_first(ctx, 0, TIFFIN_LIST_HEAD);
	/* A call that is made for this one has a context of its own. */
	list_call.mark = tiffin_list_first(&other, 0, TIFFIN_LIST_HEAD).result;
}

/* L2: lists that are lent to one call at a time are so from its beginning to its end. */
static void list_lent(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;

	EXPECT_SWAP(test, "lent");
	list_fill(test, 0, 3);
	KUNIT_EXPECT_PTR_EQ(test, list_mem(lab)->lists_owner, NULL);
	lab->in_hook = list_interrupted;
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 1, &out), TIFFIN_ANSWERED);
	KUNIT_EXPECT_EQ(test, (unsigned long)lab->private, TIFFIN_CONTINUITY);
	KUNIT_EXPECT_EQ(test, list_got.handle, tiffin_handle(0, 1));
	KUNIT_EXPECT_EQ(test, list_call.mark, TIFFIN_LIST_BUSY);
	KUNIT_EXPECT_EQ(test, lab_figures(lab).continuity_busy, 1);
	KUNIT_EXPECT_PTR_EQ(test, list_mem(lab)->lists_owner, NULL);

	/* Not so with those of which each service is done for itself. */
	EXPECT_SWAP(test, "plain");
	list_fill(test, 0, 3);
	lab->in_hook = list_interrupted;
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 1, &out), TIFFIN_ANSWERED);
	KUNIT_EXPECT_EQ(test, (unsigned long)lab->private, TIFFIN_ANSWERED);
	KUNIT_EXPECT_EQ(test, lab_figures(lab).continuity_busy, 1);
	LAB_EXPECT_ACCOUNTS(test, lab);
}

/* L5: the family says that an object is gone; what comes with its handle is refused. */
static void list_gone(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct tiffin_scope *scope = lab->family.scope;
	struct tiffin_lists *lists;

	tiffin_object_gone(scope, 2);
	EXPECT_SWAP(test, "plain");
	list_fill(test, 0, 5);
	lists = &list_mem(lab)->lists;
	tiffin_object_gone(scope, 0);
	list_expect(test, 0, 5);

	WRITE_ONCE(lab->generation[0], 2);
	tiffin_object_gone(scope, 0);
	list_expect(test, 1, 5);
	KUNIT_EXPECT_EQ(test, lists->dropped, 1);
	KUNIT_EXPECT_EQ(test, list_in_call(test, (struct model_call) {
		.op = MODEL_PUT, .handle = tiffin_handle(0, 1) }).result, TIFFIN_LIST_GONE);
	KUNIT_EXPECT_EQ(test, lists->gone, 1);
	list_expect(test, 1, 5);

	/* Busy: whoever comes upon it does it. */
	WRITE_ONCE(lab->generation[1], 0);
	list_mem(lab)->lists_owner = test;
	tiffin_object_gone(scope, 1);
	list_expect(test, 1, 5);
	list_mem(lab)->lists_owner = NULL;
	KUNIT_EXPECT_EQ(test, list_in_call(test, (struct model_call) { .op = MODEL_FIRST }).handle,
			tiffin_handle(2, 1));
	list_expect(test, 2, 5);
	tiffin_object_gone(scope, LAB_OBJECTS);
	KUNIT_EXPECT_EQ(test, list_in_call(test, (struct model_call) {
		.op = MODEL_PUT, .handle = tiffin_handle(LAB_OBJECTS, 1) }).result,
		TIFFIN_LIST_BAD);
	KUNIT_EXPECT_EQ(test, lists->bad, 1);
}

/* What the operator sees of the above. */
static void list_seen(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct tiffin_scope *scope = lab->family.scope;
	char *page = (char *)get_zeroed_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_EQ(test, tiffin_scope_lists(scope, page), 0);
	EXPECT_SWAP(test, "plain");
	list_fill(test, 0, 5);
	list_mem(lab)->lists_owner = test;
	list_in_call(test, (struct model_call) { .op = MODEL_FIRST });
	list_mem(lab)->lists_owner = NULL;
	list_in_call(test, (struct model_call) { .op = MODEL_FIRST, .list = LISTS });
	list_in_call(test, (struct model_call) { .op = MODEL_FIRST, .end = 2 });
	lab->generation[0] = 2;
	list_in_call(test, (struct model_call) { .op = MODEL_FIRST });
	list_in_call(test, (struct model_call) { .op = MODEL_FIND, .handle = tiffin_handle(0, 1) });
	tiffin_scope_lists(scope, page);
	KUNIT_EXPECT_STREQ(test, page,
			   "length_0 5\nlength_1 0\nlength_2 0\nbusy 1\nforeign 0\ngone 1\nbad 2\ndropped 1\nbroken 0\n");
	free_page((unsigned long)page);
}

/* L7: the same store goes over as it is, another begins empty. */
static void list_handed_over(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct tiffin_store_mem *mem;

	EXPECT_SWAP(test, "plain");
	list_fill(test, 0, 5);
	mem = list_mem(lab);
	EXPECT_SWAP(test, "same");
	KUNIT_EXPECT_PTR_EQ(test, list_mem(lab), mem);
	KUNIT_EXPECT_EQ_MSG(test, list_got.result, TIFFIN_LIST_BUSY, "out of reach in init");
	KUNIT_EXPECT_EQ(test, list_got.mark, 0);
	list_expect(test, 0, 5);
	EXPECT_SWAP(test, "other");
	KUNIT_EXPECT_PTR_NE(test, list_mem(lab), mem);
	list_expect(test, LIST_EMPTY);
	EXPECT_SWAP(test, "lent");
	list_expect(test, LIST_EMPTY);
	list_fill(test, 1, 4);
	EXPECT_SWAP(test, "loan");
	list_expect(test, 1, 4);
}

/* What a policy finds after a rollback to it. */
static void list_back(struct kunit *test, const char *from, const char *to, u32 first, u32 last)
{
	struct lab *lab = test->priv;
	char text[64];

	EXPECT_SWAP(test, from);
	list_fill(test, 0, 5);
	scnprintf(text, sizeof(text), "%s" LONG, to);
	EXPECT_SWAP(test, text);
	list_fill(test, 6, 8);
	/* Not there when it comes back, though its bytes are. */
	lab->generation[0] = 2;
	KUNIT_EXPECT_EQ(test, list_in_call(test, (struct model_call) { .op = MODEL_TAKE }).handle,
			strcmp(to, "other") ? tiffin_handle(1, 1) : tiffin_handle(6, 1));
	KUNIT_ASSERT_EQ(test, tiffin_swap_rollback(lab->family.scope), 0);
	list_expect(test, first, last);
	if (first <= last)
		KUNIT_EXPECT_EQ(test, list_in_call(test, (struct model_call) {
			.op = MODEL_FIRST }).handle, tiffin_handle(max(first, 1u), 1));
	list_fill(test, 9, 9);
	KUNIT_EXPECT_STREQ(test, list_wrong(&list_mem(lab)->lists) ?: "", "");
}

static void list_back_live(struct kunit *test)
{
	list_back(test, "plain", "same", 2, 8);
}

static void list_back_saved(struct kunit *test)
{
	list_back(test, "saved", "same", 0, 5);
}

static void list_back_anew(struct kunit *test)
{
	list_back(test, "anew", "same", LIST_EMPTY);
}

static void list_back_from_other(struct kunit *test)
{
	list_back(test, "plain", "other", 0, 5);
}

/*
 * struct list_caller - one context that asks in its own random way
 * @seed: of it
 * @lab: whom
 * @task: the thread, or NULL where it is the timer
 * @timer: or that
 * @calls: so far
 */
struct list_caller {
	u64 seed;
	struct lab *lab;
	struct task_struct *task;
	struct hrtimer timer;
	u64 calls;
};

static atomic_t list_inside;
static atomic_t list_two;

/* Services of all kinds, about any object, with handles good and bad. */
static void list_load_hook(struct lab *lab, const struct tiffin_ctx *ctx)
{
	u64 seed = ctx->handle * 31 + local_clock();
	u32 i;

	if (atomic_inc_return(&list_inside) > 1)
		atomic_inc(&list_two);
	for (i = 0; i < 8; i++) {
		struct model_call call = {
			.op = list_random(&seed, MODEL_TAKE + 1),
			.list = list_random(&seed, LISTS + 1),
			.end = list_random(&seed, 2),
			.handle = tiffin_handle(list_random(&seed, LAB_OBJECTS + 1),
						1 + list_random(&seed, 2)),
		};

		list_serve(ctx, &call);
	}
	atomic_dec(&list_inside);
}

static void list_load_ask(struct list_caller *caller)
{
	struct lab_out out;
	u32 object = list_random(&caller->seed, LAB_OBJECTS);

	lab_ask(caller->lab, LAB_ASK, object, &out);
	if (!list_random(&caller->seed, 16)) {
		WRITE_ONCE(caller->lab->generation[object], 1 + list_random(&caller->seed, 2));
		tiffin_object_gone(caller->lab->family.scope, object);
	}
	WRITE_ONCE(caller->calls, caller->calls + 1);
}

static int list_load_thread(void *data)
{
	while (!kthread_should_stop()) {
		list_load_ask(data);
		cond_resched();
	}
	return 0;
}

static enum hrtimer_restart list_load_tick(struct hrtimer *timer)
{
	list_load_ask(container_of(timer, struct list_caller, timer));
	hrtimer_forward_now(timer, ns_to_ktime(300000));
	return HRTIMER_RESTART;
}

static void list_load_start(struct kunit *test, struct list_caller *caller, unsigned int cpu)
{
	struct task_struct *task = kthread_create(list_load_thread, caller, "list_caller/%u", cpu);

	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	caller->task = task;
	kthread_bind(task, cpu);
	wake_up_process(task);
	hrtimer_init(&caller[1].timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	caller[1].timer.function = list_load_tick;
	hrtimer_start(&caller[1].timer, ns_to_ktime(300000), HRTIMER_MODE_REL);
}

/* L1 to L5 while threads and interrupts of all CPUs ask, and policies are swapped. */
static void list_under_load(struct kunit *test)
{
	static const char * const swaps[] = {
		"plain", "same", "saved" LONG, NULL, "lent", "loan" LONG, NULL,
		"other", "anew", "same" LONG, NULL,
	};
	unsigned int i, cpu, round, nr = 2 * num_online_cpus();
	struct lab *lab = test->priv;
	struct list_caller *callers;

	callers = kunit_kcalloc(test, nr, sizeof(*callers), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, callers);
	lab->family.limits.timeout_ms = 60000;
	lab->in_hook = list_load_hook;
	for (i = 0; i < nr; i++) {
		callers[i].seed = i + 1;
		callers[i].lab = lab;
	}
	i = 0;
	for_each_online_cpu(cpu) {
		list_load_start(test, &callers[i], cpu);
		i += 2;
	}
	for (round = 0; round < 5 * ARRAY_SIZE(swaps); round++) {
		const char *text = swaps[round % ARRAY_SIZE(swaps)];
		u64 before = READ_ONCE(callers[0].calls), ticks = READ_ONCE(callers[1].calls);

		if (text)
			KUNIT_EXPECT_EQ_MSG(test, lab_swap(lab, text), 0, "%s", lab_error(lab));
		else
			KUNIT_EXPECT_EQ(test, tiffin_swap_rollback(lab->family.scope), 0);
		/* The calls of the policy before are over, as the gate has been closed since. */
		atomic_set(&list_two, 0);
		while (READ_ONCE(callers[0].calls) < before + 20 ||
		       READ_ONCE(callers[1].calls) == ticks)
			usleep_range(50, 200);
		if (list_mem(lab)->sharing == TIFFIN_SHARE_LOCKED)
			KUNIT_EXPECT_EQ_MSG(test, atomic_read(&list_two), 0,
					    "two calls had the lists at once");
	}
	lab->in_hook = NULL;
	for (i = 0; i < nr; i += 2) {
		kthread_stop(callers[i].task);
		hrtimer_cancel(&callers[i + 1].timer);
	}
	KUNIT_EXPECT_STREQ(test, list_wrong(&list_mem(lab)->lists) ?: "", "");
	KUNIT_EXPECT_EQ(test, list_mem(lab)->lists.broken, 0);
	KUNIT_EXPECT_PTR_EQ(test, list_mem(lab)->lists_owner, NULL);
	LAB_EXPECT_ACCOUNTS(test, lab);
}

static int list_test_init(struct kunit *test)
{
	struct list_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	int rc, i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t);
	test->priv = t;
	t->seed = 1;
	for (i = 0; i < MODEL_OBJECTS; i++)
		t->generation[i] = 1;
	t->model.generation = t->generation;
	t->model.nr_objects = MODEL_OBJECTS;
	t->model.nr_lists = LISTS;
	t->lists.set = kunit_kzalloc(test, tiffin_lists_bytes(MODEL_OBJECTS), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->lists.set);
	t->lists.generation = t->generation;
	t->lists.nr_objects = MODEL_OBJECTS;
	t->lists.nr_lists = LISTS;
	list_lab = &t->lab;
	rc = lab_start(&t->lab);
	for (i = 0; i < LIST_POLICIES && !rc; i++)
		rc = tiffin_policy_register((const void *)&list_policy[i], THIS_MODULE, LAB_BUILD);
	return rc;
}

static void list_test_exit(struct kunit *test)
{
	struct lab *lab = test->priv;
	int i;

	lab->in_hook = NULL;
	if (lab->family.scope->swap.state == TIFFIN_PROBATION)
		tiffin_swap_commit(lab->family.scope);
	if (strcmp(lab_active(lab), TIFFIN_DEFAULT_NAME))
		lab_swap(lab, TIFFIN_DEFAULT_NAME " probation_ms=0");
	for (i = 0; i < LIST_POLICIES; i++)
		tiffin_policy_unregister((const void *)&list_policy[i]);
	lab_stop(lab);
}

static struct kunit_case list_cases[] = {
	KUNIT_CASE(list_random_calls),
	KUNIT_CASE(list_bounded),
	KUNIT_CASE(list_order),
	KUNIT_CASE(list_wild_writes),
	KUNIT_CASE(list_of_a_call),
	KUNIT_CASE(list_busy),
	KUNIT_CASE(list_lent),
	KUNIT_CASE(list_gone),
	KUNIT_CASE(list_seen),
	KUNIT_CASE(list_handed_over),
	KUNIT_CASE(list_back_live),
	KUNIT_CASE(list_back_saved),
	KUNIT_CASE(list_back_anew),
	KUNIT_CASE(list_back_from_other),
	KUNIT_CASE(list_under_load),
	{}
};

static struct kunit_suite list_suite = {
	.name = "list",
	.init = list_test_init,
	.exit = list_test_exit,
	.test_cases = list_cases,
};
kunit_test_suite(list_suite);
