// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policies that write anything into what they are lent, within its borders, ask for any service of
 * their lists, with any numbers, answer anything, and convert records to anything; asked in any
 * order about objects of any generation, which go at any time, from within their own hooks as well,
 * and swapped, kept and rolled back at any time. A model of all stores, to the byte, says what has
 * to stand there then: headers, neighbours and padding included, and who is on which list.
 */
#include <stdlib.h>

#include "core/family.h"
#include "core/scope.h"
#include "core/sysfs.h"
#include "list_model.h"
#include "plain.h"
#include "shim.h"
#include "store_seeds.h"
#include "work.h"

#define KINDS		TIFFIN_STORE_KINDS
/* Those with records come before the lists. */
#define RECORDS		(TIFFIN_STORE_OBJECT + 1)
#define OBJECTS		5
#define CPUS		2
#define MAX_SIZE	48
#define HEADER		sizeof(struct tiffin_record)
#define MAX_BYTES	(OBJECTS * (HEADER + MAX_SIZE))
#define MAX_DEPTH	3
/* Answers from here on are out of range. */
#define BAD		200

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#define HOLDS(x)									\
do {											\
	if (!(x))									\
		shim_splat(__FILE__, __LINE__, "does not hold: %s", #x);		\
} while (0)

struct in {
	u32 object;
	u32 generation;
	bool fresh;
	bool carried;
};

struct out {
	u32 answers;
	u32 value;
};

static struct seed seeds[SEEDS];
static struct tiffin_family family;
static struct tiffin_scope *scope;
static const struct tiffin_store stores[POLICIES][KINDS];

/* What has to stand in the stores. */

/**
 * struct image - the bytes of one store
 * @bytes: how many
 * @mem: the records of objects with their headers, of the instance, or of the CPUs in turn
 */
struct image {
	size_t bytes;
	u8 mem[MAX_BYTES];
};

/**
 * struct whole - what has to be
 * @active: policy, or POLICIES: the default
 * @older: to go back to: in a probation, or else by a swap; POLICIES: none
 * @on_probation: a rollback needs only a flip
 * @sweeps: records are still being converted
 * @how: each store came
 * @now: the stores of the active policy
 * @then: those of the older one, as they were at the flip
 * @lists: of the active policy
 * @lists_then: of the older one, as they were at the flip
 * @generation: of the objects that live, as the family says
 * @figures: of dispatch
 */
static struct whole {
	u32 active;
	u32 older;
	bool on_probation;
	bool sweeps;
	enum tiffin_handover how[KINDS];
	struct image now[RECORDS];
	struct image then[RECORDS];
	struct model lists;
	struct model lists_then;
	u32 generation[OBJECTS];
	struct tiffin_figures figures;
} model;

static const u8 *input, *input_end;
static unsigned int depth;
/* The last conversion did not know. */
static bool unknown;
/* Conversions are the sweep's: what one does not know stays in no generation. */
static bool sweeping;
static unsigned int conversions;

static u8 take(void)
{
	return input < input_end ? *input++ : 0;
}

static const struct tiffin_store *decl_of(u32 policy, u32 kind)
{
	u32 i;

	for (i = 0; i < KINDS; i++)
		if (stores[policy][i].kind == kind)
			return &stores[policy][i];
	return NULL;
}

static size_t stride_of(const struct tiffin_store *decl)
{
	return HEADER + (decl->record_size + 7) / 8 * 8;
}

static void image_clear(struct image *image, const struct tiffin_store *decl)
{
	image->bytes = decl->kind == TIFFIN_STORE_OBJECT ? OBJECTS * stride_of(decl) :
		       decl->kind == TIFFIN_STORE_PER_CPU ? CPUS * decl->record_size :
		       decl->record_size;
	memset(image->mem, 0, sizeof(image->mem));
}

static struct tiffin_record *model_record(struct image *images, u32 policy, u32 object)
{
	const struct tiffin_store *decl = decl_of(policy, TIFFIN_STORE_OBJECT);

	return (void *)(images[TIFFIN_STORE_OBJECT].mem + object * stride_of(decl));
}

static void check_store(const struct tiffin_store_mem *mem, const struct image *image)
{
	u8 bytes[MAX_BYTES];

	HOLDS(tiffin_store_payload(mem) == image->bytes);
	tiffin_store_save(mem, bytes);
	HOLDS(!memcmp(bytes, image->mem, image->bytes));
}

static void check_lists(const struct tiffin_store_mem *mem, const struct model *lists)
{
	const char *wrong = model_differs(lists, &mem->lists);

	if (wrong)
		shim_splat(__FILE__, __LINE__, "lists: %s", wrong);
}

/* All stores that there are. */
static void check_stores(void)
{
	struct tiffin_instance *inst = scope->gate.active, *older = scope->swap.previous;
	u32 k;

	if (model.active == POLICIES)
		return;
	for (k = 0; k < RECORDS; k++) {
		check_store(inst->store[k], &model.now[k]);
		if (older && model.older != POLICIES && model.how[k] != TIFFIN_HANDOVER_REFERENCE)
			check_store(older->store[k], &model.then[k]);
	}
	check_lists(inst->store[k], &model.lists);
	if (older && model.older != POLICIES && model.how[k] != TIFFIN_HANDOVER_REFERENCE)
		check_lists(older->store[k], &model.lists_then);
	HOLDS(!inst->store[TIFFIN_STORE_OBJECT]->from == !model.sweeps);
	if (model.sweeps)
		check_store(inst->store[TIFFIN_STORE_OBJECT]->from,
			    &model.then[TIFFIN_STORE_OBJECT]);
}

static void check_figures(void)
{
	const struct tiffin_figures *want = &model.figures;
	struct tiffin_figures have;

	tiffin_figures_read(scope, &have);
	HOLDS(have.calls == want->calls);
	HOLDS(have.answered == want->answered);
	HOLDS(have.stock == want->stock);
	HOLDS(have.continuity_busy == want->continuity_busy);
	HOLDS(have.bad_answers == want->bad_answers);
	HOLDS(!have.continuity_gate && !have.overlapped && !have.held);
}

/* The policies. */

/* Write what the input says, where it says, to a record and to its model. */
static void scribble(void *record, u8 *image, u32 size)
{
	u32 at, len, i;
	u8 byte;

	at = take() % size;
	len = take() % (size - at + 1);
	for (i = at; i < at + len; i++) {
		byte = take();
		((u8 *)record)[i] = byte;
		image[i] = byte;
	}
}

/* Mostly that of an object that lives, else of one that does not, or is none. */
static u64 any_handle(void)
{
	u32 object = take() % (OBJECTS + 1), move = take() % 4;

	return tiffin_handle(object, object == OBJECTS || move == 3 ? 0 :
				     model.generation[object] + (move == 2));
}

/* Ask for what the input says: the answer is the model's. */
static void use_lists(const struct tiffin_ctx *ctx)
{
	struct tiffin_entry have = {}, want = {};
	unsigned int n = 1 + take() % 4;
	struct model_call c;

	while (n--) {
		c.op = take() % 8;
		c.list = take() % 4;
		c.end = take() % 3;
		c.handle = any_handle();
		c.mark = take();
		if (c.op < MODEL_CLEAR)
			want = model_do(&model.lists, &c);
		have = (struct tiffin_entry) {};
		switch (c.op) {
		case MODEL_PUT:
			have.result = tiffin_list_put(ctx, c.handle, c.list, c.end, c.mark);
			break;
		case MODEL_MARK:
			have.result = tiffin_list_mark(ctx, c.handle, c.mark);
			break;
		case MODEL_REMOVE:
			have.result = tiffin_list_remove(ctx, c.handle);
			break;
		case MODEL_FIND:
			have = tiffin_list_find(ctx, c.handle);
			break;
		case MODEL_FIRST:
			have = tiffin_list_first(ctx, c.list, c.end);
			break;
		case MODEL_NEXT:
			have = tiffin_list_next(ctx, c.list, c.end, c.handle);
			break;
		case MODEL_TAKE:
			have = tiffin_list_take(ctx, c.list, c.end);
			break;
		default:
			HOLDS(tiffin_list_length(ctx, c.list) == model.lists.list[c.list].n);
			continue;
		}
		HOLDS(have.result == want.result && have.handle == want.handle);
		HOLDS(have.mark == want.mark && have.list == want.list);
	}
}

/* The lists are lent to one call, and that is under way. */
static bool lists_are_lent(void)
{
	return depth && decl_of(model.active, TIFFIN_STORE_LISTS)->sharing == TIFFIN_SHARE_LOCKED;
}

/* An object goes. Where the lists are lent it is found out later. */
static void model_gone(u32 object)
{
	const struct model_call gone = { .op = MODEL_GONE, .handle = object };

	model.generation[object] = 0;
	if (model.active != POLICIES && !lists_are_lent())
		model_do(&model.lists, &gone);
	tiffin_object_gone(scope, object);
}

static u32 model_call(u32 object, u32 generation);

static void answer(const struct tiffin_ctx *ctx, const struct in *in, struct out *out, u32 who)
{
	struct image *now = model.now;
	u8 what = take();
	u32 size;

	HOLDS(who == model.active);
	HOLDS(ctx->env->cpu == shim_cpu);
	HOLDS(!ctx->object == (in->object == TIFFIN_NO_OBJECT));
	HOLDS(!(ctx->flags & TIFFIN_CTX_OBJECT_FRESH) ==
	      !(in->fresh || (in->carried && unknown)));
	check_stores();
	out->answers++;
	if (what & 1 && ctx->object)
		scribble(ctx->object, model_record(now, who, in->object)->data,
			 decl_of(who, TIFFIN_STORE_OBJECT)->record_size);
	if (what & 2)
		scribble(ctx->env->instance, now[TIFFIN_STORE_INSTANCE].mem,
			 decl_of(who, TIFFIN_STORE_INSTANCE)->record_size);
	size = decl_of(who, TIFFIN_STORE_PER_CPU)->record_size;
	if (what & 4)
		scribble(ctx->env->percpu, now[TIFFIN_STORE_PER_CPU].mem + shim_cpu * size, size);
	if (what & 32)
		use_lists(ctx);
	/* As an interrupt would. */
	if (what & 8 && depth < MAX_DEPTH)
		model_call(take(), take());
	if (what & 64)
		model_gone(take() % OBJECTS);
	check_stores();
	if (what & 128)
		use_lists(ctx);
	/* Once more: the record is this call's still. */
	if (what & 16 && ctx->object)
		scribble(ctx->object, model_record(now, who, in->object)->data,
			 decl_of(who, TIFFIN_STORE_OBJECT)->record_size);
	out->value = take();
}

static bool answer_ok(const void *in, const void *out)
{
	return ((const struct out *)out)->value < BAD;
}

#define ANSWER(name, who)								\
static void name(const struct tiffin_ctx *ctx, const struct in *in, struct out *out)	\
{											\
	answer(ctx, in, out, who);							\
}

ANSWER(answer_first, FIRST)
ANSWER(answer_odd, ODD)
ANSWER(answer_shared, SHARED)
ANSWER(answer_undo, UNDO)
ANSWER(answer_other, OTHER)
ANSWER(answer_third, THIRD)
ANSWER(answer_next, NEXT)

static bool is_zero(const u8 *bytes, size_t size)
{
	return !size || (!bytes[0] && !memcmp(bytes, bytes + 1, size - 1));
}

/* The new record is where it has to be, and so is the old one; both say what they have to. */
static void convert(const struct tiffin_ctx *ctx, const struct tiffin_convert_in *in,
		    struct tiffin_convert_out *out)
{
	const struct tiffin_store *to = decl_of(model.active, in->kind);
	const struct tiffin_store *from = decl_of(model.older, in->kind);
	struct tiffin_store_mem *mem;
	u8 *image, *then;
	u32 object;

	HOLDS(in->version == from->version && in->record_size == from->record_size);
	HOLDS(!ctx->object && !ctx->flags);
	if (in->kind == TIFFIN_STORE_OBJECT) {
		mem = scope->gate.active->store[TIFFIN_STORE_OBJECT];
		object = (u32)(out->record - mem->objects) / stride_of(to);
		HOLDS(object < OBJECTS);
		HOLDS(out->record == mem->objects + object * stride_of(to) + HEADER);
		image = model_record(model.now, model.active, object)->data;
		then = model_record(model.then, model.older, object)->data;
	} else {
		object = in->kind == TIFFIN_STORE_PER_CPU ? ctx->env->cpu : 0;
		image = model.now[in->kind].mem + object * to->record_size;
		then = model.then[in->kind].mem + object * from->record_size;
	}
	HOLDS(!memcmp(in->from, then, from->record_size));
	HOLDS(is_zero(out->record, to->record_size) && is_zero(image, to->record_size));
	conversions++;
	scribble(out->record, image, to->record_size);
	unknown = take() % 4 == 3;
	out->unknown = unknown;
	if (unknown)
		memset(image, 0, to->record_size);
	if (unknown && sweeping)
		model_record(model.now, model.active, object)->generation = 0;
}

#define STORES(prefix, version, sharing, object, cpu, all, convert_, u_object, u_cpu, u_all, ...) \
{												\
	{ prefix "l", .kind = TIFFIN_STORE_LISTS, __VA_ARGS__ },				\
	{ prefix "o", version, TIFFIN_STORE_OBJECT, sharing, object, u_object, 0, convert_ },	\
	{ prefix "c", version, TIFFIN_STORE_PER_CPU, TIFFIN_SHARE_CPU, cpu, u_cpu, 0, convert_ }, \
	{ prefix "a", version, TIFFIN_STORE_INSTANCE, TIFFIN_SHARE_ATOMIC, all, u_all, 0,	\
	  convert_ },										\
}

#define LIVE		TIFFIN_UNDO_LIVE
#define SNAPSHOT	TIFFIN_UNDO_SNAPSHOT
#define REBUILD		TIFFIN_UNDO_REBUILD
#define LISTS(version_, sharing_, n, undo_)						\
	.version = version_, .sharing = sharing_, .lists = n, .undo = undo_

static const struct tiffin_store stores[POLICIES][KINDS] = {
	[FIRST] = STORES("", 1, TIFFIN_SHARE_LOCKED, 24, 8, 16, convert, LIVE, LIVE, LIVE,
			 LISTS(1, TIFFIN_SHARE_ATOMIC, 2, LIVE)),
	[ODD] = STORES("", 2, TIFFIN_SHARE_LOCKED, 7, 5, 1, convert, LIVE, LIVE, LIVE,
		       LISTS(1, TIFFIN_SHARE_ATOMIC, 2, SNAPSHOT)),
	[SHARED] = STORES("", 3, TIFFIN_SHARE_ATOMIC, MAX_SIZE, 17, 33, convert, SNAPSHOT, LIVE,
			  REBUILD, LISTS(1, TIFFIN_SHARE_LOCKED, 3, SNAPSHOT)),
	[UNDO] = STORES("", 1, TIFFIN_SHARE_LOCKED, 24, 8, 16, NULL, REBUILD, REBUILD, SNAPSHOT,
			LISTS(1, TIFFIN_SHARE_ATOMIC, 2, REBUILD)),
	[OTHER] = STORES("other", 1, TIFFIN_SHARE_LOCKED, 1, 1, 24, NULL, LIVE, SNAPSHOT, LIVE,
			 LISTS(1, TIFFIN_SHARE_LOCKED, 1, LIVE)),
	/* What these two hand over by reference, and to each other alone. */
	[THIRD] = STORES("", 3, TIFFIN_SHARE_ATOMIC, MAX_SIZE, 17, 33, NULL, REBUILD, SNAPSHOT,
			 LIVE, LISTS(1, TIFFIN_SHARE_LOCKED, 3, REBUILD)),
	[NEXT] = STORES("other", 1, TIFFIN_SHARE_LOCKED, 1, 1, 24, NULL, SNAPSHOT, REBUILD,
			SNAPSHOT, LISTS(1, TIFFIN_SHARE_LOCKED, 1, SNAPSHOT)),
};

struct hooks {
	void (*answer)(const struct tiffin_ctx *ctx, const struct in *in, struct out *out);
};

static const struct hooks hooks[POLICIES] = {
	{ answer_first }, { answer_odd }, { answer_shared }, { answer_undo }, { answer_other },
	{ answer_third }, { answer_next },
};

#define FUZZ_ABI	TIFFIN_ABI(1, 0)
#define POLICY(who, name)	PLAIN_POLICY(name, "fuzz", FUZZ_ABI, hooks[who], stores[who])

static const struct tiffin_policy policies[POLICIES] = {
	[FIRST] = POLICY(FIRST, "first"),
	[ODD] = POLICY(ODD, "odd"),
	[SHARED] = POLICY(SHARED, "shared"),
	[UNDO] = POLICY(UNDO, "undo"),
	[OTHER] = POLICY(OTHER, "other"),
	[THIRD] = POLICY(THIRD, "third"),
	[NEXT] = POLICY(NEXT, "next"),
};

static const struct tiffin_hook questions[] = {
	{ "answer", offsetof(struct hooks, answer), true, answer_ok },
};

static const struct tiffin_family_ops ops;

/* What may be done, each with the model first. */

/* Open a record in the model. False: it is busy. */
static bool model_open(u32 object, u32 generation, struct in *in)
{
	const struct tiffin_store *decl = decl_of(model.active, TIFFIN_STORE_OBJECT);
	struct tiffin_record *rec = model_record(model.now, model.active, object), *old = NULL;
	bool locked = decl->sharing == TIFFIN_SHARE_LOCKED;
	u32 reached = rec->generation;

	if (rec->locked)
		return false;
	if (model.sweeps)
		old = model_record(model.then, model.older, object);
	if (!reached && old)
		reached = old->generation;
	if (reached && (s32)(generation - reached) < 0)
		return false;
	if (rec->generation != generation) {
		in->carried = old && old->generation == generation;
		in->fresh = !in->carried;
		memset(rec->data, 0, stride_of(decl) - HEADER);
		rec->generation = generation;
	}
	rec->locked = locked;
	return true;
}

/* A call about @object (or none), whose generation has moved by some from what its record says. */
static u32 model_call(u32 object, u32 generation)
{
	/* As it is, the next one, the last one, far ahead and behind, and the edges. */
	static const u32 moves[] = { 0, 0, 0, 1, 2, -1, 0x7fffffff, 0x80000000, 0x80000001, 77 };
	struct in in = {};
	struct tiffin_call call;
	enum tiffin_verdict verdict;
	struct out out = {};
	bool busy;

	object = object % (OBJECTS + 1) == OBJECTS ? TIFFIN_NO_OBJECT : object % (OBJECTS + 1);
	if (object != TIFFIN_NO_OBJECT && model.active != POLICIES) {
		struct tiffin_record *rec = model_record(model.now, model.active, object);

		in.generation = rec->generation;
		if (!in.generation && model.sweeps)
			in.generation = model_record(model.then, model.older, object)->generation;
		in.generation += moves[generation % ARRAY_SIZE(moves)];
	}
	in.generation += !in.generation;
	in.object = object;
	call = (struct tiffin_call) { .object = object, .generation = in.generation, .now_ns = 1 };
	model.figures.calls++;
	busy = model.active != POLICIES && lists_are_lent();
	if (object != TIFFIN_NO_OBJECT && model.active != POLICIES && !busy) {
		busy = !model_open(object, in.generation, &in);
		if (!busy)
			model.generation[object] = in.generation;
	}
	depth++;
	conversions = 0;
	unknown = false;
	verdict = tiffin_dispatch(scope, &call, &in, &out);
	depth--;
	if (model.active == POLICIES) {
		HOLDS(verdict == TIFFIN_DEFAULT && !out.answers);
		model.figures.stock++;
	} else if (busy) {
		HOLDS(verdict == TIFFIN_CONTINUITY && !out.answers);
		model.figures.continuity_busy++;
	} else if (out.value >= BAD) {
		HOLDS(verdict == TIFFIN_CONTINUITY && out.answers == 1);
		model.figures.bad_answers++;
	} else {
		HOLDS(verdict == TIFFIN_ANSWERED && out.answers == 1);
		model.figures.answered++;
	}
	if (!busy && object != TIFFIN_NO_OBJECT && model.active != POLICIES &&
	    decl_of(model.active, TIFFIN_STORE_OBJECT)->sharing == TIFFIN_SHARE_LOCKED)
		model_record(model.now, model.active, object)->locked = 0;
	return verdict;
}

static enum tiffin_handover handover(u32 from, u32 to, u32 kind)
{
	const struct tiffin_store *a, *b;

	if (from == POLICIES)
		return TIFFIN_HANDOVER_NEW;
	a = decl_of(from, kind);
	b = decl_of(to, kind);
	if (strcmp(a->schema, b->schema))
		return TIFFIN_HANDOVER_NEW;
	if (a->version == b->version && a->sharing == b->sharing && a->lists == b->lists)
		return TIFFIN_HANDOVER_REFERENCE;
	return b->convert ? TIFFIN_HANDOVER_CONVERT : TIFFIN_HANDOVER_NEW;
}

static int request(const char *name, bool probation)
{
	struct tiffin_swap_request req;

	tiffin_swap_defaults(scope, &req);
	strscpy(req.policy, name, sizeof(req.policy));
	req.probation_ms = probation ? 86400000 : 0;
	return tiffin_swap_request(scope, &req);
}

/* Nobody is on @policy's lists, which nobody has used. */
static void lists_new(u32 policy)
{
	model.lists = (struct model) {
		.generation = model.generation,
		.nr_objects = OBJECTS,
		.nr_lists = decl_of(policy, TIFFIN_STORE_LISTS)->lists,
	};
}

static void model_swap(u32 to, bool probation, bool by_rollback)
{
	int rc, want = 0;
	u32 k;

	if (model.on_probation || model.sweeps)
		want = -EBUSY;
	else if (to == model.active)
		want = -EALREADY;
	if (!want) {
		model.older = model.active;
		model.active = to;
		for (k = 0; k < RECORDS; k++) {
			model.then[k] = model.now[k];
			model.how[k] = handover(model.older, to, k);
			if (model.how[k] != TIFFIN_HANDOVER_REFERENCE)
				image_clear(&model.now[k], decl_of(to, k));
		}
		model.lists_then = model.lists;
		model.how[k] = handover(model.older, to, k);
		if (model.how[k] != TIFFIN_HANDOVER_REFERENCE)
			lists_new(to);
		model.on_probation = probation;
	}
	conversions = 0;
	rc = by_rollback ? tiffin_swap_rollback(scope) : request(policies[to].name, probation);
	HOLDS(rc == want);
	if (want)
		return;
	model.sweeps = model.how[TIFFIN_STORE_OBJECT] == TIFFIN_HANDOVER_CONVERT;
	HOLDS(conversions == (model.how[TIFFIN_STORE_INSTANCE] == TIFFIN_HANDOVER_CONVERT) +
			     CPUS * (model.how[TIFFIN_STORE_PER_CPU] == TIFFIN_HANDOVER_CONVERT));
}

/* Counts are of the lists' whole life. */
static void model_rollback_lists(void)
{
	const struct tiffin_store *decl = decl_of(model.older, TIFFIN_STORE_LISTS);

	if (model.how[TIFFIN_STORE_LISTS] != TIFFIN_HANDOVER_REFERENCE)
		model.lists = model.lists_then;
	else if (decl->undo == SNAPSHOT)
		memcpy(model.lists.list, model.lists_then.list, sizeof(model.lists.list));
	else if (decl->undo == REBUILD)
		memset(model.lists.list, 0, sizeof(model.lists.list));
}

static void model_rollback(void)
{
	u32 k;

	if (!model.on_probation) {
		if (model.older == POLICIES)
			/* The default, or nobody. */
			return;
		model_swap(model.older, false, true);
		return;
	}
	HOLDS(!tiffin_swap_rollback(scope));
	if (model.older != POLICIES)
		model_rollback_lists();
	for (k = 0; k < RECORDS && model.older != POLICIES; k++) {
		const struct tiffin_store *decl = decl_of(model.older, k);

		if (model.how[k] != TIFFIN_HANDOVER_REFERENCE || decl->undo == SNAPSHOT)
			model.now[k] = model.then[k];
		else if (decl->undo == REBUILD)
			image_clear(&model.now[k], decl);
	}
	model.active = model.older;
	model.older = POLICIES;
	model.on_probation = false;
	model.sweeps = false;
}

static void model_commit(void)
{
	HOLDS(tiffin_swap_commit(scope) == (model.on_probation ? 0 : -ENOENT));
	model.on_probation = false;
}

/* The sweep goes over all records. */
static void model_sweep(void)
{
	u32 object, expected = 0;

	for (object = 0; object < OBJECTS && model.sweeps; object++) {
		struct tiffin_record *rec = model_record(model.now, model.active, object);
		u32 generation = model_record(model.then, model.older, object)->generation;

		if (!generation || rec->generation)
			continue;
		rec->generation = generation;
		expected++;
	}
	conversions = 0;
	sweeping = true;
	shim_advance(1);
	sweeping = false;
	HOLDS(conversions == expected);
	model.sweeps = false;
}

static void step(void)
{
	u8 what = take(), arg;

	switch (what % 9) {
	case 0:
	case 1:
	case 2:
		arg = take();
		model_call(arg, take());
		break;
	case 3:
		arg = take();
		model_swap((arg & 0x7f) % POLICIES, arg & 0x80, false);
		break;
	case 4:
		model_rollback();
		break;
	case 5:
		model_commit();
		break;
	case 6:
		model_sweep();
		break;
	case 7:
		model_gone(take() % OBJECTS);
		break;
	default:
		shim_cpu_start(take() % CPUS);
		break;
	}
	check_stores();
	check_figures();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u32 k;

	input = NULL;
	input_end = NULL;
	if (model.on_probation)
		model_commit();
	model_sweep();
	HOLDS(!request(TIFFIN_DEFAULT_NAME, false));
	model.active = POLICIES;
	shim_cpu_start(0);
	memset(model.generation, 0, sizeof(model.generation));
	model_swap(FIRST, false, false);
	for (k = 0; k < KINDS; k++)
		HOLDS(model.how[k] == TIFFIN_HANDOVER_NEW);
	input = data;
	input_end = data + size;
	while (input < input_end)
		step();
	return 0;
}

/* The seeds as files, for the fuzzer to go on from. */
static void write_seeds(const char *dir)
{
	char name[256];
	unsigned int i;
	FILE *file;

	for (i = 0; i < SEEDS; i++) {
		scnprintf(name, sizeof(name), "%s/seed%u", dir, i);
		file = fopen(name, "w");
		if (!file || fwrite(seeds[i].bytes, seeds[i].size, 1, file) != 1 || fclose(file))
			shim_splat(__FILE__, __LINE__, "%s: %s", name, strerror(errno));
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	unsigned int i;
	int rc;

	shim.virtual_time = true;
	nr_cpu_ids = CPUS;
	family = (struct tiffin_family) {
		.name = "fuzz",
		.abi = FUZZ_ABI,
		.owner = THIS_MODULE,
		.hooks = questions,
		.nr_hooks = ARRAY_SIZE(questions),
		.max_objects = OBJECTS,
		.generation = model.generation,
		.ops = &ops,
		.limits = TIFFIN_LIMITS_INIT,
	};
	/* It answers at random, and no time passes. */
	family.limits.bad_answers = 0;
	rc = tiffin_work_init() ?: tiffin_sysfs_init() ?: tiffin_family_register(&family);
	for (i = 0; i < POLICIES && !rc; i++)
		rc = tiffin_policy_register((const void *)&policies[i], THIS_MODULE, "b1");
	if (rc)
		return rc;
	scope = family.scope;
	model.active = POLICIES;
	model.older = POLICIES;
	HOLDS(!request(policies[FIRST].name, false));
	for (i = 0; i < SEEDS; i++)
		store_seed(i, &seeds[i]);
	if (getenv("STORE_FUZZ_SEEDS"))
		write_seeds(getenv("STORE_FUZZ_SEEDS"));
	for (i = 0; i < SEEDS; i++)
		LLVMFuzzerTestOneInput(seeds[i].bytes, seeds[i].size);
	return 0;
}
