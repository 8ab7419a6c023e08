// SPDX-License-Identifier: GPL-2.0-only
/* What every record and every list of the lab has to say; see ledger.h. */

#include "core/quarantine.h"
#include "ledger.h"
#include "test.h"

static const struct tiffin_store *decl_of(enum lab_who who, unsigned int kind)
{
	const struct tiffin_policy *desc = who == STOCK ? NULL : &lab_policy[who];
	unsigned int i;

	for (i = 0; desc && i < desc->nr_stores; i++)
		if (desc->stores[i].kind == kind)
			return &desc->stores[i];
	return NULL;
}

/* As the ABI has it (struct tiffin_store). */
static enum came comes(enum lab_who from, enum lab_who to, unsigned int kind)
{
	const struct tiffin_store *a = decl_of(from, kind), *b = decl_of(to, kind);

	if (!a || !b || strcmp(a->schema, b->schema))
		return ANEW;
	if (a->version == b->version && a->sharing == b->sharing &&
	    a->record_size == b->record_size && a->lists == b->lists)
		return BY_REFERENCE;
	return b->convert ? CONVERTED : ANEW;
}

static void *part_of(struct page *page, unsigned int kind, size_t *size)
{
	switch (kind) {
	case TIFFIN_STORE_OBJECT:
		*size = sizeof(page->object);
		return page->object;
	case TIFFIN_STORE_PER_CPU:
		*size = sizeof(page->cpu);
		return page->cpu;
	case TIFFIN_STORE_INSTANCE:
		*size = sizeof(page->instance);
		return &page->instance;
	default:
		*size = sizeof(page->lists.list);
		return page->lists.list;
	}
}

static void take_part(struct page *page, struct page *from, unsigned int kind)
{
	size_t size;
	void *part = part_of(page, kind, &size);

	if (from)
		memcpy(part, part_of(from, kind, &size), size);
	else
		memset(part, 0, size);
}

static enum lab_who who_is(const struct tiffin_instance *inst)
{
	enum lab_who who;

	for (who = 0; who < STOCK; who++)
		if (!strcmp(inst->policy->policy.name, lab_policy[who].name))
			break;
	return who;
}

/* To the older instance: what it finds is what it has declared. */
static void flip_back(struct ledger *l)
{
	unsigned int kind;

	for (kind = 0; kind < TIFFIN_STORE_KINDS; kind++) {
		const struct tiffin_store *decl = decl_of(l->who_then, kind);

		if (l->came[kind] != BY_REFERENCE || decl->undo == TIFFIN_UNDO_SNAPSHOT)
			take_part(&l->now, &l->then, kind);
		else if (decl->undo == TIFFIN_UNDO_REBUILD)
			take_part(&l->now, NULL, kind);
		l->came[kind] = ANEW;
	}
	l->who = l->who_then;
	l->older = NULL;
	l->backs++;
}

/*
 * The older records are still there, as at the flip: the sweep was not over when the policy came to
 * quarantine, or there was somebody to go back to up to now.
 */
static bool older_is_there(const struct ledger *l)
{
	return l->came[TIFFIN_STORE_OBJECT] == CONVERTED && (l->forced || !l->swept);
}

/* Has the older layout gone? That it goes too early would be seen by what records say. */
static bool is_swept(const struct tiffin_instance *active)
{
	const struct tiffin_store_mem *mem = active->store[TIFFIN_STORE_OBJECT];

	return mem && !mem->from && !active->kept;
}

static void flip_on(struct ledger *l, enum lab_who to)
{
	bool restores = older_is_there(l) &&
			comes(l->who_then, to, TIFFIN_STORE_OBJECT) == BY_REFERENCE;
	struct page then = l->now;
	unsigned int kind;

	for (kind = 0; kind < TIFFIN_STORE_KINDS; kind++) {
		if (kind == TIFFIN_STORE_OBJECT && restores) {
			take_part(&l->now, &l->then, kind);
			l->came[kind] = BY_REFERENCE;
			l->restored++;
			continue;
		}
		l->came[kind] = comes(l->who, to, kind);
		if (l->came[kind] == ANEW)
			take_part(&l->now, NULL, kind);
	}
	l->then = then;
	l->who_then = l->who;
	l->who = to;
	l->older = l->active;
	l->forced = false;
	l->swept = false;
}

/* Between two looks there is one flip at most: no swap goes without a step. */
static void catch_up(struct ledger *l)
{
	const struct tiffin_scope *scope = l->lab->family.scope;
	const struct tiffin_instance *active = scope->gate.active;

	if (active != l->active) {
		l->flips++;
		if (active == l->older)
			flip_back(l);
		else
			flip_on(l, who_is(active));
		l->active = active;
	}
	/* A sweep does not end for a policy in quarantine. */
	if (!tiffin_quarantined(active->policy))
		l->swept = is_swept(active);
	if (scope->swap.previous) {
		l->older_faulty = tiffin_quarantined(scope->swap.previous->policy);
	} else if (l->older) {
		l->forced = l->older_faulty;
		l->older = NULL;
	}
	EXPECT(who_is(active), ==, l->who);
}

static u64 calls_of(const struct ledger *l, void *record)
{
	return *lab_calls(record, l->who);
}

/* What the next call about the object would find: the record may be in the older store yet. */
static u64 object_calls(const struct ledger *l, const struct tiffin_store_mem *mem, u32 object)
{
	struct tiffin_record *rec = tiffin_record_of(mem, object);

	EXPECT(rec->locked, ==, 0);
	if (rec->generation)
		return calls_of(l, rec->data);
	if (!mem->from)
		return 0;
	rec = tiffin_record_of(mem->from, object);
	return rec->generation ? *lab_calls(rec->data, l->who_then) : 0;
}

static void look_at(struct ledger *l, unsigned int kind, const struct tiffin_store_mem *mem)
{
	const char *wrong;
	u32 i;

	switch (kind) {
	case TIFFIN_STORE_OBJECT:
		for (i = 0; i < LAB_OBJECTS; i++)
			EXPECT(object_calls(l, mem, i), ==, l->now.object[i]);
		break;
	case TIFFIN_STORE_PER_CPU:
		for (i = 0; i < nr_cpu_ids; i++)
			EXPECT(calls_of(l, per_cpu_ptr(mem->percpu, i)), ==, l->now.cpu[i]);
		break;
	case TIFFIN_STORE_INSTANCE:
		EXPECT(calls_of(l, mem->record), ==, l->now.instance);
		break;
	default:
		wrong = model_differs(&l->now.lists, &mem->lists);
		if (wrong)
			test_fail(__FILE__, __LINE__, "%s: %s", lab_policy[l->who].name, wrong);
	}
}

void ledger_look(struct ledger *l)
{
	unsigned int kind;

	catch_up(l);
	if (tiffin_quarantined(l->active->policy))
		return;
	for (kind = 0; kind < TIFFIN_STORE_KINDS; kind++)
		if (l->active->store[kind])
			look_at(l, kind, l->active->store[kind]);
}

/* A policy has had the call. */
static void enter(struct ledger *l, u32 object)
{
	struct page *now = &l->now;

	if (decl_of(l->who, TIFFIN_STORE_INSTANCE))
		now->instance++;
	if (decl_of(l->who, TIFFIN_STORE_PER_CPU))
		now->cpu[shim_cpu]++;
	if (object == TIFFIN_NO_OBJECT || !decl_of(l->who, TIFFIN_STORE_OBJECT))
		return;
	now->object[object]++;
	if (decl_of(l->who, TIFFIN_STORE_LISTS)) {
		const struct model_call put = {
			.op = MODEL_PUT,
			.list = now->object[object] % LAB_LISTS,
			.end = TIFFIN_LIST_HEAD,
			.mark = now->object[object],
			.handle = tiffin_handle(object, 1),
		};

		EXPECT(model_do(&now->lists, &put).result, ==, TIFFIN_LIST_OK);
	}
}

enum tiffin_verdict ledger_ask(struct ledger *l, u32 object)
{
	enum tiffin_verdict verdict;
	struct lab_out out;

	ledger_look(l);
	verdict = lab_ask(l->lab, LAB_ASK, object, &out);
	if (l->who == STOCK) {
		EXPECT(verdict, ==, TIFFIN_DEFAULT);
		EXPECT(out.answers, ==, 0);
	} else if (tiffin_quarantined(l->active->policy)) {
		EXPECT(verdict, ==, TIFFIN_CONTINUITY);
		EXPECT(out.answers, ==, 0);
	} else if (l->lab->faulty_convert && verdict == TIFFIN_CONTINUITY) {
		EXPECT(tiffin_quarantined(l->active->policy), ==, true);
		EXPECT(out.answers, ==, 0);
	} else {
		enter(l, object);
		EXPECT(verdict, ==, TIFFIN_ANSWERED);
		EXPECT(out.answers, ==, 1);
		EXPECT(out.who, ==, l->who);
		EXPECT(out.put, ==, TIFFIN_LIST_OK);
		ledger_look(l);
	}
	return verdict;
}

void ledger_fault(struct ledger *l, u32 object)
{
	struct lab_out out;

	ledger_look(l);
	l->lab->faulty |= BIT(l->who);
	EXPECT(lab_ask(l->lab, LAB_ASK, object, &out), ==, TIFFIN_CONTINUITY);
	l->lab->faulty &= ~BIT(l->who);
	EXPECT(out.who, ==, l->who);
	enter(l, object);
	/* D5: this record begins anew, and no other. */
	l->now.object[object] = 0;
}

void ledger_settled(struct ledger *l)
{
	const struct tiffin_scope *scope = l->lab->family.scope;

	ledger_look(l);
	EXPECT(scope->swap.state, ==, TIFFIN_STABLE);
	EXPECT(!scope->swap.previous, ==, true);
	EXPECT(tiffin_sweep_runs(scope), ==, false);
	EXPECT(scope->gate.word, ==, TIFFIN_GATE_OPEN);
	EXPECT(tiffin_quarantined(l->active->policy), ==, false);
	EXPECT(atomic64_read(&l->lab->family.stores_bytes), ==,
	       tiffin_instance_bytes(l->active->policy, NULL));
	EXPECT(lab_accounts_hold(l->lab), ==, true);
	EXPECT(l->lab->mixed, ==, 0);
}

void ledger_begin(struct ledger *l, struct lab *lab)
{
	*l = (struct ledger) {
		.lab = lab,
		.who = STOCK,
		.who_then = STOCK,
		.active = lab->family.scope->gate.active,
	};
	l->now.lists.generation = lab->generation;
	l->now.lists.nr_objects = LAB_OBJECTS;
	l->now.lists.nr_lists = LAB_LISTS;
	ledger_look(l);
}
