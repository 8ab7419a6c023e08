// SPDX-License-Identifier: GPL-2.0-only
/*
 * Services that are asked for in the name of another call. Whose call it is the guard knows: this
 * suite is not for kernels that have none.
 */
#include <tiffin/state.h>

#include "core/service.h"
#include "lab_kunit.h"

enum service_who {
	SERVICE_EACH,	/* each service for itself */
	SERVICE_LENT,	/* the lists are lent to one call at a time */
	SERVICE_POLICIES,
};

/* Of those of lists: put, mark, remove, find, first, next, take, length. */
#define SERVICES	8

#define SERVICE_LISTS	2

/**
 * struct service_seen - what a call and one that interrupts it saw
 * @lab: where they are asked
 * @outer: context of the first
 * @inner: how the second was answered
 * @refused: services refused to them
 * @own: what the first got in its own name, after that
 */
struct service_seen {
	struct lab *lab;
	const struct tiffin_ctx *outer;
	enum tiffin_verdict inner;
	u32 refused;
	struct tiffin_entry own;
};

static struct service_seen service_seen;

/* Each service, in the name of @ctx: those that were refused. */
static u32 service_refused(const struct tiffin_ctx *ctx)
{
	const u64 handle = tiffin_handle(1, 1);

	return (tiffin_list_put(ctx, handle, 1, TIFFIN_LIST_HEAD, 7) == TIFFIN_LIST_BUSY) +
	       (tiffin_list_mark(ctx, handle, 7) == TIFFIN_LIST_BUSY) +
	       (tiffin_list_remove(ctx, handle) == TIFFIN_LIST_BUSY) +
	       (tiffin_list_find(ctx, handle).result == TIFFIN_LIST_BUSY) +
	       (tiffin_list_first(ctx, 0, TIFFIN_LIST_HEAD).result == TIFFIN_LIST_BUSY) +
	       (tiffin_list_next(ctx, 0, TIFFIN_LIST_HEAD, handle).result == TIFFIN_LIST_BUSY) +
	       (tiffin_list_take(ctx, 0, TIFFIN_LIST_HEAD).result == TIFFIN_LIST_BUSY) +
	       (tiffin_list_length(ctx, 0) == 0);
}

/* A question that puts its object on list 0. */
static void service_ask(const struct tiffin_ctx *ctx, const struct lab_in *in, struct lab_out *out)
{
	out->number = in->number;
	tiffin_list_put(ctx, ctx->handle, 0, TIFFIN_LIST_TAIL, 0);
}

/* One that asks in the name of a copy of its context; another that interrupts it, in its name. */
static void service_tell(const struct tiffin_ctx *ctx, const struct lab_in *in, struct lab_out *out)
{
	struct service_seen *seen = &service_seen;
	const struct tiffin_ctx copy = *ctx;
	struct lab_out inner;

	out->number = in->number;
	if (seen->outer) {
		seen->refused += service_refused(seen->outer);
		return;
	}
	seen->refused = service_refused(&copy);
	seen->outer = ctx;
	seen->inner = lab_ask(seen->lab, LAB_TELL, TIFFIN_NO_OBJECT, &inner);
	seen->own = tiffin_list_first(ctx, 0, TIFFIN_LIST_HEAD);
}

static const struct lab_hooks service_hooks = { .ask = service_ask, .tell = service_tell };

static const struct tiffin_store service_stores[SERVICE_POLICIES] = {
	[SERVICE_EACH] = { "each", 1, TIFFIN_STORE_LISTS, TIFFIN_SHARE_ATOMIC,
			   .lists = SERVICE_LISTS },
	[SERVICE_LENT] = { "lent", 1, TIFFIN_STORE_LISTS, TIFFIN_SHARE_LOCKED,
			   .lists = SERVICE_LISTS },
};

#define SERVICE_POLICY(_who, _name)							\
	[_who] = {									\
		LAB_HEAD(_name),							\
		TIFFIN_HOOKS(service_hooks),						\
		.stores = &service_stores[_who],					\
		.nr_stores = 1,								\
		.store_stride = sizeof(struct tiffin_store),				\
	}

static const struct tiffin_policy service_policy[SERVICE_POLICIES] = {
	SERVICE_POLICY(SERVICE_EACH, "each"),
	SERVICE_POLICY(SERVICE_LENT, "lent"),
};

/* Refused and counted, and nothing was done: of so many calls. */
static void service_expect_foreign(struct kunit *test, u32 calls)
{
	struct lab *lab = test->priv;
	const struct tiffin_instance *inst = lab->family.scope->gate.active;
	const struct tiffin_store_mem *mem = inst->store[TIFFIN_STORE_LISTS];
	struct lab_out out;
	u32 object;

	for (object = 1; object <= 3; object++)
		lab_ask(lab, LAB_ASK, object, &out);
	service_seen = (struct service_seen) { .lab = lab };
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_TELL, 1, &out), TIFFIN_ANSWERED);
	KUNIT_EXPECT_EQ(test, service_seen.refused, calls * SERVICES);
	KUNIT_EXPECT_EQ(test, atomic_read(&mem->lists_foreign), calls * SERVICES);
	KUNIT_EXPECT_EQ_MSG(test, atomic_read(&mem->lists_busy), 0, "for that, and nothing else");
	KUNIT_EXPECT_EQ_MSG(test, service_seen.own.handle, tiffin_handle(1, 1),
			    "in its own name it is served");
	KUNIT_EXPECT_EQ(test, tiffin_lists_length(&mem->lists, 0), 3);
	KUNIT_EXPECT_EQ(test, tiffin_lists_length(&mem->lists, 1), 0);
	LAB_EXPECT_ACCOUNTS(test, lab);
}

/* In the name of a copy of the call's context, and of the call that this one has interrupted. */
static void service_of_another_call(struct kunit *test)
{
	EXPECT_SWAP(test, "each");
	service_expect_foreign(test, 2);
	KUNIT_EXPECT_EQ(test, service_seen.inner, TIFFIN_ANSWERED);
}

/* Lists that are lent to a call: no other comes in meanwhile, and a copy is as foreign. */
static void service_of_a_copy(struct kunit *test)
{
	EXPECT_SWAP(test, "lent");
	service_expect_foreign(test, 1);
	KUNIT_EXPECT_EQ(test, service_seen.inner, TIFFIN_CONTINUITY);
}

/* The operator sees it. */
static void service_seen_by_operator(struct kunit *test)
{
	struct lab *lab = test->priv;
	char *page = (char *)get_zeroed_page(GFP_KERNEL);
	struct lab_out out;

	KUNIT_ASSERT_NOT_NULL(test, page);
	EXPECT_SWAP(test, "each");
	service_seen = (struct service_seen) { .lab = lab };
	lab_ask(lab, LAB_TELL, 1, &out);
	tiffin_scope_lists(lab->family.scope, page);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(page, "\nforeign 16\n"), "%s", page);
	free_page((unsigned long)page);
}

static int service_test_init(struct kunit *test)
{
	int i, rc = lab_test_init(test);

	for (i = 0; !rc && i < SERVICE_POLICIES; i++)
		rc = tiffin_policy_register((const void *)&service_policy[i], THIS_MODULE,
					    LAB_BUILD);
	return rc;
}

static void service_test_exit(struct kunit *test)
{
	struct lab *lab = test->priv;
	int i;

	lab_swap(lab, TIFFIN_DEFAULT_NAME " probation_ms=0");
	for (i = 0; i < SERVICE_POLICIES; i++)
		tiffin_policy_unregister((const void *)&service_policy[i]);
	lab_test_exit(test);
}

static struct kunit_case service_cases[] = {
	KUNIT_CASE(service_of_another_call),
	KUNIT_CASE(service_of_a_copy),
	KUNIT_CASE(service_seen_by_operator),
	{}
};

static struct kunit_suite service_suite = {
	.name = "service",
	.init = service_test_init,
	.exit = service_test_exit,
	.test_cases = service_cases,
};
kunit_test_suite(service_suite);
