// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a policy finds after a rollback in each kind of store that it had handed over by reference:
 * what the newer policy has made of it, what stood there at the flip, or zeros, as it has declared.
 * Each kind with each of these, beside each of the others, seen through the policy's own calls.
 */
#include <tiffin/state.h>

#include "core/scope.h"
#include "test.h"

#define OBJECTS	6
#define CPUS	4
#define LISTS	2
/* Sizes that are no multiple of a word, so that a copy that is cut short or too long shows. */
#define OBJECT_BYTES	21
#define CPU_BYTES	13
#define ALL_BYTES	39
#define UNDOS	(TIFFIN_UNDO_REBUILD + 1)

/**
 * struct view - what calls have found
 * @fresh: objects that were told to be new, a bit each
 * @object: their records
 * @cpu: those of CPUs
 * @all: the instance's
 * @list: objects from the head to the tail, and the marks that they have there
 */
struct view {
	u32 fresh;
	u8 object[OBJECTS][OBJECT_BYTES];
	u8 cpu[CPUS][CPU_BYTES];
	u8 all[ALL_BYTES];
	struct {
		u32 n;
		u64 handle[OBJECTS];
		u32 mark[OBJECTS];
	} list[LISTS];
};

/* What the calls of this file are to do. */
static struct view *look_into;
static u8 write_what;

static void look_at_lists(const struct tiffin_ctx *ctx, struct view *view)
{
	struct tiffin_entry entry;
	u32 list, n;

	for (list = 0; list < LISTS; list++) {
		entry = tiffin_list_first(ctx, list, TIFFIN_LIST_HEAD);
		for (n = 0; entry.result == TIFFIN_LIST_OK && n < OBJECTS; n++) {
			view->list[list].handle[n] = entry.handle;
			view->list[list].mark[n] = entry.mark;
			entry = tiffin_list_next(ctx, list, TIFFIN_LIST_HEAD, entry.handle);
		}
		EXPECT(entry.result, ==, TIFFIN_LIST_END);
		view->list[list].n = n;
	}
}

/* Look at what the call is lent, then write to it. */
static void ask(const struct tiffin_ctx *ctx, const struct lab_in *in, struct lab_out *out)
{
	u32 object = in->number;

	if (look_into) {
		look_into->fresh |= tiffin_object_fresh(ctx) ? BIT(object) : 0;
		memcpy(look_into->object[object], tiffin_object(ctx), OBJECT_BYTES);
		memcpy(look_into->cpu[ctx->env->cpu], tiffin_percpu(ctx), CPU_BYTES);
		memcpy(look_into->all, tiffin_instance(ctx), ALL_BYTES);
		look_at_lists(ctx, look_into);
	}
	if (!write_what)
		return;
	/* No two records, and no two writes, are alike. */
	memset(tiffin_object(ctx), write_what + object, OBJECT_BYTES);
	memset(tiffin_percpu(ctx), write_what + 16 + ctx->env->cpu, CPU_BYTES);
	memset(tiffin_instance(ctx), write_what + 32 + object, ALL_BYTES);
	EXPECT(tiffin_list_put(ctx, ctx->handle, object % LISTS, TIFFIN_LIST_TAIL, write_what),
	       ==, TIFFIN_LIST_OK);
}

static const struct lab_hooks hooks = { .ask = ask };

/* The older policy, whose declarations are the test's, and the newer one. */
static struct tiffin_store stores[2][TIFFIN_STORE_KINDS];
static const char * const names[2] = { "older", "newer" };
static struct tiffin_policy policies[2];

static void declare(unsigned int nr, u32 sharing, const u32 *undo)
{
	struct tiffin_store *s = stores[nr];
	unsigned int i;

	s[0] = (struct tiffin_store) {
		"undo_object", 1, TIFFIN_STORE_OBJECT, sharing, OBJECT_BYTES,
	};
	s[1] = (struct tiffin_store) {
		"undo_cpu", 1, TIFFIN_STORE_PER_CPU, TIFFIN_SHARE_CPU, CPU_BYTES,
	};
	s[2] = (struct tiffin_store) {
		"undo_all", 1, TIFFIN_STORE_INSTANCE, TIFFIN_SHARE_ATOMIC, ALL_BYTES,
	};
	s[3] = (struct tiffin_store) {
		"undo_queue", 1, TIFFIN_STORE_LISTS, sharing, .lists = LISTS,
	};
	for (i = 0; i < TIFFIN_STORE_KINDS; i++)
		s[i].undo = undo ? undo[s[i].kind] : TIFFIN_UNDO_LIVE;
	policies[nr] = (struct tiffin_policy) {
		LAB_HEAD(""), TIFFIN_HOOKS(hooks), TIFFIN_STORES(stores[nr]),
	};
	strscpy(policies[nr].name, names[nr], sizeof(policies[nr].name));
	EXPECT(tiffin_policy_register((const void *)&policies[nr], THIS_MODULE, LAB_BUILD), ==, 0);
}

static void call(struct lab *lab, u32 object)
{
	struct lab_out out;

	EXPECT(lab_ask_generation(lab, LAB_ASK, object, lab->generation[object], &out), ==,
	       TIFFIN_ANSWERED);
}

/* Calls about objects from @first on, on CPUs from @cpu on. */
static void write_from(struct lab *lab, u8 what, u32 first, int cpu)
{
	u32 object;

	write_what = what;
	for (object = first; object < OBJECTS; object++) {
		shim_cpu_start(cpu);
		call(lab, object);
		cpu = cpu + 1 < CPUS ? cpu + 1 : cpu;
	}
	write_what = 0;
	shim_cpu_start(0);
}

static void look(struct lab *lab, struct view *view)
{
	u32 object;
	int cpu;

	memset(view, 0, sizeof(*view));
	look_into = view;
	for (object = 0; object < OBJECTS; object++)
		call(lab, object);
	for (cpu = 0; cpu < CPUS; cpu++) {
		shim_cpu_start(cpu);
		call(lab, 0);
	}
	look_into = NULL;
	shim_cpu_start(0);
}

/* Object number @object of @then is gone. */
static void without(struct view *then, u32 object)
{
	u32 list = object % LISTS, i, n = 0;

	memset(then->object[object], 0, OBJECT_BYTES);
	for (i = 0; i < then->list[list].n; i++) {
		if (tiffin_handle_object(then->list[list].handle[i]) == object)
			continue;
		then->list[list].handle[n] = then->list[list].handle[i];
		then->list[list].mark[n++] = then->list[list].mark[i];
	}
	for (i = n; i < OBJECTS; i++) {
		then->list[list].handle[i] = 0;
		then->list[list].mark[i] = 0;
	}
	then->list[list].n = n;
}

static const struct view *found_by(u32 undo, const struct view *live, const struct view *then,
				   const struct view *zeros)
{
	return undo == TIFFIN_UNDO_LIVE ? live : undo == TIFFIN_UNDO_SNAPSHOT ? then : zeros;
}

/* Does each kind say what its declaration has it say? */
static void compare(const struct view *have, const u32 *undo, const struct view *live,
		    const struct view *then)
{
	static const struct view zeros = { .fresh = BIT(OBJECTS) - 1 };
	const struct view *want;

	want = found_by(undo[TIFFIN_STORE_OBJECT], live, then, &zeros);
	EXPECT(have->fresh, ==, want->fresh);
	EXPECT(memcmp(have->object, want->object, sizeof(have->object)), ==, 0);
	want = found_by(undo[TIFFIN_STORE_PER_CPU], live, then, &zeros);
	EXPECT(memcmp(have->cpu, want->cpu, sizeof(have->cpu)), ==, 0);
	want = found_by(undo[TIFFIN_STORE_INSTANCE], live, then, &zeros);
	EXPECT(memcmp(have->all, want->all, sizeof(have->all)), ==, 0);
	want = found_by(undo[TIFFIN_STORE_LISTS], live, then, &zeros);
	EXPECT(memcmp(have->list, want->list, sizeof(have->list)), ==, 0);
}

static void there_and_back(struct lab *lab, const u32 *undo)
{
	const struct tiffin_scope *scope = lab->family.scope;
	struct view then, live, have;
	s64 bytes;

	bytes = atomic64_read(&lab->family.stores_bytes);
	/* One object, and the last CPU, are none of the older policy's yet. */
	write_from(lab, 64, 1, 1);
	look(lab, &then);
	EXPECT_SWAP(lab, "newer probation_ms=86400000");
	/* One object goes, and its number is another's; some are touched, some are not. */
	lab->generation[3]++;
	write_from(lab, 128, 2, 0);
	look(lab, &live);
	EXPECT(memcmp(&live, &then, sizeof(then)), !=, 0);
	EXPECT(tiffin_swap_rollback(lab->family.scope), ==, 0);
	EXPECT_STR(lab_active(lab), "older");
	look(lab, &have);
	without(&then, 3);
	/* Looking was a call about it: nothing is new there any more. */
	live.fresh = 0;
	then.fresh = BIT(3);
	compare(&have, undo, &live, &then);
	EXPECT(atomic64_read(&lab->family.stores_bytes), ==, bytes);
	EXPECT(!scope->swap.previous, ==, true);
	/* And goes on from there. */
	look(lab, &then);
	EXPECT(then.fresh, ==, 0);
	have.fresh = 0;
	EXPECT(memcmp(&have, &then, sizeof(then)), ==, 0);
}

static void each_declaration(struct lab *lab, u32 sharing)
{
	const u32 none[TIFFIN_STORE_KINDS] = { 0 };
	u32 undo[TIFFIN_STORE_KINDS], nr, i, n;
	struct view kept, live;

	for (nr = 0; nr < UNDOS * UNDOS * UNDOS * UNDOS; nr++) {
		for (i = 0, n = nr; i < TIFFIN_STORE_KINDS; i++, n /= UNDOS)
			undo[i] = n % UNDOS;
		declare(0, sharing, undo);
		declare(1, sharing, NULL);
		EXPECT_SWAP(lab, "older");
		there_and_back(lab, undo);
		there_and_back(lab, undo);
		/* Who stays has what it has written, whatever its predecessor has declared. */
		EXPECT_SWAP(lab, "newer probation_ms=86400000");
		write_from(lab, 192, 0, 0);
		look(lab, &live);
		EXPECT(tiffin_swap_commit(lab->family.scope), ==, 0);
		look(lab, &kept);
		compare(&kept, none, &live, NULL);
		EXPECT_SWAP(lab, TIFFIN_DEFAULT_NAME);
		EXPECT(atomic64_read(&lab->family.stores_bytes), ==, 0);
		tiffin_policy_unregister((const void *)&policies[1]);
		tiffin_policy_unregister((const void *)&policies[0]);
	}
}

TEST(rollback_finds_what_was_declared)
{
	each_declaration(lab, TIFFIN_SHARE_LOCKED);
}

TEST(rollback_finds_what_was_declared_of_shared_records)
{
	each_declaration(lab, TIFFIN_SHARE_ATOMIC);
}

/* How many conversions reached their own alone; and whose is ended, in which lab. */
static u32 converted_alone;
static struct lab *convert_ended;
static struct tiffin_loaded *convert_newer;

static void convert_alone(const struct tiffin_ctx *ctx, const struct tiffin_convert_in *in,
			  struct tiffin_convert_out *out)
{
	u32 put = tiffin_list_put(ctx, tiffin_handle(1, 0), 0, TIFFIN_LIST_HEAD, 1);
	bool all = in->kind == TIFFIN_STORE_INSTANCE;

	memcpy(out->record, in->from, in->record_size);
	if (all && tiffin_percpu(ctx))
		memset(tiffin_percpu(ctx), 1, CPU_BYTES);
	if (!all && tiffin_instance(ctx))
		memset(tiffin_instance(ctx), 1, ALL_BYTES);
	converted_alone += put == TIFFIN_LIST_BUSY && !tiffin_percpu(ctx) == all &&
			   !tiffin_instance(ctx) == !all;
	if (convert_ended)
		lab_quarantine(convert_ended, convert_newer, "ended in its conversion");
}

/* The newer one converts its store number @nr at the flip; all else it has by reference. */
static void converts_alone(struct lab *lab, unsigned int nr, bool ended)
{
	u32 undo[TIFFIN_STORE_KINDS], i;
	struct view then, have;

	for (i = 0; i < TIFFIN_STORE_KINDS; i++)
		undo[i] = TIFFIN_UNDO_SNAPSHOT;
	declare(0, TIFFIN_SHARE_ATOMIC, undo);
	declare(1, TIFFIN_SHARE_ATOMIC, NULL);
	tiffin_policy_unregister((const void *)&policies[1]);
	stores[1][nr].version = 2;
	stores[1][nr].convert = convert_alone;
	EXPECT(tiffin_policy_register((const void *)&policies[1], THIS_MODULE, LAB_BUILD), ==, 0);
	convert_newer = tiffin_policy_find(&lab->family, "newer");
	tiffin_policy_release(convert_newer);
	EXPECT_SWAP(lab, "older");
	write_from(lab, 64, 1, 1);
	look(lab, &then);
	convert_ended = ended ? lab : NULL;
	converted_alone = 0;
	if (ended) {
		EXPECT(lab_swap(lab, "newer probation_ms=86400000"), ==, -EFAULT);
	} else {
		EXPECT_SWAP(lab, "newer probation_ms=86400000");
		EXPECT(tiffin_swap_rollback(lab->family.scope), ==, 0);
	}
	EXPECT(converted_alone, ==, nr == 2 || ended ? 1 : CPUS);
	EXPECT_STR(lab_active(lab), "older");
	look(lab, &have);
	have.fresh = then.fresh;
	EXPECT(memcmp(&have, &then, sizeof(then)), ==, 0);
	EXPECT_SWAP(lab, TIFFIN_DEFAULT_NAME);
	tiffin_policy_unregister((const void *)&policies[1]);
	tiffin_policy_unregister((const void *)&policies[0]);
}

TEST(conversion_at_the_flip_reaches_nothing_handed_over)
{
	converts_alone(lab, 1, false);
	converts_alone(lab, 2, false);
}

TEST(conversion_that_is_ended_has_changed_nothing_handed_over)
{
	converts_alone(lab, 1, true);
	converts_alone(lab, 2, true);
}
