// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each allocation of an operation fails once: it is refused and nothing has changed, or it is done
 * all the same. Then all of them fail, where none may be needed. load.c sets up what fails: of a
 * task its next but N (fail_nth), or all (make_it_fail). Allocations of interrupts don't, nor does
 * per-CPU memory, which the kernel takes from what it has: for that selftests/upgrade.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/sysfs.h>

#include "core/sysfs.h"
#include "memory_lab.h"

static int op_swap(struct memory_test *t)
{
	return tiffin_swap_request(memory_scope(t), &t->request);
}

static void memory_request(struct kunit *test, const char *text)
{
	struct memory_test *t = test->priv;
	char copy[64];

	strscpy(copy, text, sizeof(copy));
	KUNIT_ASSERT_EQ(test, tiffin_swap_parse(memory_scope(t), copy, &t->request), 0);
}

#define MEMORY_PAIR(_name, _from, _to, _refused)					\
static void _name##_begin(struct kunit *test)						\
{											\
	memory_begin(test, _from);							\
	memory_request(test, lab_policy[_to].name);					\
}											\
											\
static void _name##_end(struct kunit *test)						\
{											\
	memory_expect_active(test, _to);						\
}											\
											\
static void _name(struct kunit *test)							\
{											\
	memory_each(test, &(const struct memory_case) {					\
		.op = op_swap, .begin = _name##_begin, .end = _name##_end,		\
		.refused = _refused, .done = 2,						\
	});										\
}

MEMORY_PAIR(memory_swap_by_reference, LAB_ALPHA, LAB_BETA, 1)
MEMORY_PAIR(memory_swap_that_converts, LAB_ALPHA, LAB_DELTA, 6)
MEMORY_PAIR(memory_swap_with_undo, LAB_SIGMA, LAB_ALPHA, 4)
MEMORY_PAIR(memory_swap_with_lists, LAB_KAPPA, LAB_LAMBDA, 7)

/* The rollback of a probation. */

static int op_rollback(struct memory_test *t)
{
	return tiffin_swap_rollback(memory_scope(t));
}

/* @to is on probation, and has been asked; what @from knew is kept beside it. */
static void memory_probation(struct kunit *test, enum lab_who from, enum lab_who to)
{
	struct memory_test *t = test->priv;
	char text[64];
	u32 object;

	memory_begin(test, from);
	memory_look(test, &t->older);
	snprintf(text, sizeof(text), "%s" LONG, lab_policy[to].name);
	EXPECT_SWAP(test, text);
	flush_delayed_work(&memory_scope(t)->swap.sweep.work);
	t->who = to;
	for (object = 0; object < ASKED; object += 2)
		memory_ask(test, object);
	KUNIT_ASSERT_EQ(test, memory_scope(t)->swap.state, TIFFIN_PROBATION);
}

/* What it was at the flip, and its memory. */
static void memory_expect_back(struct kunit *test, enum lab_who who)
{
	struct memory_test *t = test->priv;

	KUNIT_ASSERT_STREQ(test, lab_active(&t->lab), lab_policy[who].name);
	KUNIT_EXPECT_EQ(test, memory_scope(t)->swap.state, TIFFIN_STABLE);
	memory_look(test, &t->after);
	KUNIT_EXPECT_PTR_EQ(test, t->after.active, t->older.active);
	KUNIT_EXPECT_EQ(test, t->after.bytes, t->older.bytes);
	KUNIT_EXPECT_EQ(test, t->after.modules, t->older.modules);
	KUNIT_EXPECT_NULL(test, t->after.health);
	memory_expect_records(test, &t->older, 0);
}

static void lists_on_probation(struct kunit *test)
{
	memory_probation(test, LAB_KAPPA, LAB_LAMBDA);
}

static void lists_are_back(struct kunit *test)
{
	memory_expect_back(test, LAB_KAPPA);
}

/* Then with no memory at all: it needs none. */
static void memory_each_and_all(struct kunit *test, const struct memory_case *c)
{
	memory_each(test, c);
	c->begin(test);
	KUNIT_EXPECT_EQ(test, memory_do(test->priv, c->op, 0, true), 0);
	c->end(test);
}

static void memory_rollback(struct kunit *test)
{
	memory_each_and_all(test, &(const struct memory_case) {
		.op = op_rollback, .begin = lists_on_probation, .end = lists_are_back,
		.done = 1,
	});
}

/* Objects and CPUs anew, the instance's record as it was, all in memory that was taken before. */
static void memory_rollback_that_undoes(struct kunit *test)
{
	struct memory_test *t = test->priv;
	struct lab_out out;
	u64 all;

	memory_begin(test, LAB_SIGMA);
	memory_look(test, &t->older);
	all = t->all;
	EXPECT_SWAP(test, "alpha" LONG);
	t->who = LAB_ALPHA;
	memory_ask(test, 1);
	KUNIT_EXPECT_EQ(test, memory_do(t, op_rollback, 0, true), 0);
	memory_look(test, &t->after);
	KUNIT_EXPECT_PTR_EQ(test, t->after.active, t->older.active);
	KUNIT_EXPECT_EQ(test, t->after.bytes, t->older.bytes);
	KUNIT_EXPECT_EQ(test, lab_ask(&t->lab, LAB_ASK, 1, &out), TIFFIN_ANSWERED);
	KUNIT_EXPECT_EQ(test, out.who, LAB_SIGMA);
	KUNIT_EXPECT_EQ(test, out.object_calls, 1);
	KUNIT_EXPECT_EQ(test, out.instance_calls, all + 1);
	KUNIT_EXPECT_EQ(test, out.flags, TIFFIN_CTX_OBJECT_FRESH);
}

static void committed_beta(struct kunit *test)
{
	memory_begin(test, LAB_ALPHA);
	EXPECT_SWAP(test, "beta");
	((struct memory_test *)test->priv)->who = LAB_BETA;
}

static void alpha_is_active(struct kunit *test)
{
	memory_expect_active(test, LAB_ALPHA);
}

/* After the commit it is a swap. */
static void memory_rollback_after_commit(struct kunit *test)
{
	memory_each(test, &(const struct memory_case) {
		.op = op_rollback, .begin = committed_beta, .end = alpha_is_active,
		.refused = 2, .done = 2,
	});
}

/* Loading and unloading. */

static int op_load(struct memory_test *t)
{
	return lab_load(&t->lab, LAB_DELTA);
}

static int op_unload(struct memory_test *t)
{
	lab_unload(&t->lab, LAB_DELTA);
	return 0;
}

static void delta_is_not_loaded(struct kunit *test)
{
	struct memory_test *t = test->priv;

	if (t->lab.loaded[LAB_DELTA])
		lab_unload(&t->lab, LAB_DELTA);
	KUNIT_EXPECT_NULL(test, lab_loaded(&t->lab, LAB_DELTA));
}

static void delta_is_loaded(struct kunit *test)
{
	struct memory_test *t = test->priv;

	if (!t->lab.loaded[LAB_DELTA])
		KUNIT_ASSERT_EQ(test, op_load(t), 0);
	KUNIT_EXPECT_NOT_NULL(test, lab_loaded(&t->lab, LAB_DELTA));
}

/* It can be used. */
static void delta_was_loaded(struct kunit *test)
{
	struct memory_test *t = test->priv;

	memory_look(test, &t->after);
	KUNIT_EXPECT_TRUE(test, t->after.loaded[LAB_DELTA]);
	KUNIT_EXPECT_EQ(test, t->after.modules, t->before.modules + 1);
	memory_begin(test, LAB_DELTA);
	EXPECT_SWAP(test, TIFFIN_DEFAULT_NAME);
}

static void delta_was_unloaded(struct kunit *test)
{
	struct memory_test *t = test->priv;

	memory_look(test, &t->after);
	KUNIT_EXPECT_FALSE(test, t->after.loaded[LAB_DELTA]);
	KUNIT_EXPECT_EQ(test, t->after.modules, t->before.modules - 1);
}

static void memory_load(struct kunit *test)
{
	memory_each(test, &(const struct memory_case) {
		.op = op_load, .begin = delta_is_not_loaded, .end = delta_was_loaded,
		.refused = 20, .done = 1, .mute = MANY,
	});
}

static void memory_unload(struct kunit *test)
{
	memory_each(test, &(const struct memory_case) {
		.op = op_unload, .begin = delta_is_loaded, .end = delta_was_unloaded,
		.done = 1,
	});
}

static bool second_is_there(void)
{
	struct kernfs_node *folder = sysfs_get_dirent(tiffin_kset->kobj.sd, "second");

	sysfs_put(folder);
	return folder;
}

static int op_register(struct memory_test *t)
{
	return tiffin_family_register(&t->second);
}

static int op_unregister(struct memory_test *t)
{
	tiffin_family_unregister(&t->second);
	return 0;
}

static void second_is_unknown(struct kunit *test)
{
	struct memory_test *t = test->priv;

	KUNIT_ASSERT_FALSE(test, second_is_there());
	t->second = (struct tiffin_family) {
		.name = "second",
		.abi = LAB_FAMILY_ABI,
		.owner = THIS_MODULE,
		.hooks = t->lab.family.hooks,
		.nr_hooks = t->lab.family.nr_hooks,
		.figures = t->lab.family.figures,
		.nr_figures = t->lab.family.nr_figures,
		.ops = t->lab.family.ops,
		.limits = TIFFIN_LIMITS_INIT,
	};
}

static void second_is_registered(struct kunit *test)
{
	second_is_unknown(test);
	KUNIT_ASSERT_EQ(test, op_register(test->priv), 0);
}

static void second_was_registered(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, second_is_there());
	op_unregister(test->priv);
}

static void second_is_gone(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, second_is_there());
}

static void memory_register(struct kunit *test)
{
	memory_each(test, &(const struct memory_case) {
		.op = op_register, .begin = second_is_unknown, .end = second_was_registered,
		.refused = 30, .mute = MANY,
	});
}

static void memory_unregister(struct kunit *test)
{
	struct memory_test *t = test->priv;

	second_is_registered(test);
	KUNIT_EXPECT_EQ(test, memory_do(t, op_unregister, 0, true), 0);
	second_is_gone(test);
	second_is_unknown(test);
}

/* Requests as text, through the files. */

static int op_write(struct memory_test *t)
{
	loff_t pos = 0;
	ssize_t len = kernel_write(t->file, t->text, strlen(t->text), &pos);

	return len < 0 ? len : 0;
}

static void memory_open(struct kunit *test, const char *name, const char *text)
{
	struct memory_test *t = test->priv;
	struct path root = { .mnt = t->mnt, .dentry = t->mnt->mnt_root };
	char path[64];

	snprintf(path, sizeof(path), "kernel/tiffin/lab/scopes/default/%s", name);
	t->file = file_open_root(&root, path, O_WRONLY, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(t->file));
	t->text = text;
}

static void alpha_again(struct kunit *test)
{
	memory_begin(test, LAB_ALPHA);
}

static void beta_is_active(struct kunit *test)
{
	memory_expect_active(test, LAB_BETA);
}

static void beta_on_probation(struct kunit *test)
{
	struct memory_test *t = test->priv;

	KUNIT_EXPECT_EQ(test, memory_scope(t)->swap.state, TIFFIN_PROBATION);
	KUNIT_EXPECT_EQ(test, memory_scope(t)->swap.health.nr, 1);
	KUNIT_ASSERT_EQ(test, tiffin_swap_commit(memory_scope(t)), 0);
	memory_expect_active(test, LAB_BETA);
}

/* For its copy of what is written sysfs needs memory before it asks the host. */
static void memory_write_active(struct kunit *test)
{
	memory_open(test, "active", "beta\n");
	memory_each(test, &(const struct memory_case) {
		.op = op_write, .begin = alpha_again, .end = beta_is_active,
		.refused = 3, .done = 2, .mute = 1,
	});
}

static void memory_write_swap(struct kunit *test)
{
	memory_open(test, "swap", "beta gate=level<80%" LONG);
	memory_each(test, &(const struct memory_case) {
		.op = op_write, .begin = alpha_again, .end = beta_on_probation,
		.refused = 3, .done = 2, .mute = 1,
	});
}

/* The rescue. */

static int op_rescue(struct memory_test *t)
{
	return tiffin_swap_rescue(memory_scope(t));
}

static void memory_quarantine(struct kunit *test, enum lab_who who)
{
	struct memory_test *t = test->priv;

	lab_quarantine(&t->lab, lab_loaded(&t->lab, who), "the lab's fault");
}

static void memory_load_again(struct kunit *test, enum lab_who who)
{
	struct memory_test *t = test->priv;

	lab_unload(&t->lab, who);
	KUNIT_ASSERT_EQ(test, lab_load(&t->lab, who), 0);
}

static void lists_in_quarantine(struct kunit *test)
{
	lists_on_probation(test);
	memory_quarantine(test, LAB_LAMBDA);
}

static void lists_are_rescued(struct kunit *test)
{
	lists_are_back(test);
	memory_load_again(test, LAB_LAMBDA);
}

/* U2: on probation it takes nothing but a flip. */
static void memory_rescue_on_probation(struct kunit *test)
{
	memory_each_and_all(test, &(const struct memory_case) {
		.op = op_rescue, .begin = lists_in_quarantine, .end = lists_are_rescued,
		.done = 2,
	});
}

static void beta_in_quarantine(struct kunit *test)
{
	committed_beta(test);
	memory_quarantine(test, LAB_BETA);
}

static unsigned int memory_to_default;

/* The policy before; without memory for that the default, which takes less. */
static void beta_is_replaced(struct kunit *test)
{
	struct memory_test *t = test->priv;

	KUNIT_EXPECT_EQ(test, memory_scope(t)->swap.state, TIFFIN_STABLE);
	if (strcmp(lab_active(&t->lab), TIFFIN_DEFAULT_NAME)) {
		memory_expect_active(test, LAB_ALPHA);
	} else {
		memory_to_default++;
		KUNIT_EXPECT_TRUE(test, t->failed);
		KUNIT_EXPECT_EQ(test, atomic64_read(&t->lab.family.stores_bytes), 0);
	}
	memory_load_again(test, LAB_BETA);
}

/*
 * After the commit another instance has to be made. With no memory at all nothing changes, and
 * callers go on with the continuity answer; the rescue is tried until there is some.
 */
static void memory_rescue_of_a_stable_policy(struct kunit *test)
{
	struct memory_test *t = test->priv;
	struct lab_out out;
	int i;

	memory_to_default = 0;
	for (i = 0; i < ROUNDS && !memory_to_default; i++)
		memory_each(test, &(const struct memory_case) {
			.op = op_rescue, .begin = beta_in_quarantine, .end = beta_is_replaced,
			.done = 4,
		});
	KUNIT_EXPECT_GE(test, memory_to_default, 1);
	beta_in_quarantine(test);
	memory_look(test, &t->before);
	KUNIT_EXPECT_EQ(test, memory_do(t, op_rescue, 0, true), -ENOMEM);
	memory_expect_same(test, 0);
	KUNIT_EXPECT_EQ(test, lab_ask(&t->lab, LAB_ASK, 1, &out), TIFFIN_CONTINUITY);
	KUNIT_EXPECT_EQ(test, memory_do(t, op_rescue, 0, false), 0);
	beta_is_replaced(test);
}

/* One that was asked for by the file, with no memory at all: nothing changes either. */
static void memory_swap_without_any(struct kunit *test)
{
	static const enum lab_who to[] = { LAB_BETA, LAB_GAMMA, LAB_DELTA, LAB_LAMBDA };
	struct memory_test *t = test->priv;
	int i;

	memory_begin(test, LAB_ALPHA);
	for (i = 0; i < ARRAY_SIZE(to); i++) {
		memory_request(test, lab_policy[to[i]].name);
		memory_look(test, &t->before);
		KUNIT_EXPECT_EQ(test, memory_do(t, op_swap, 0, true), -ENOMEM);
		memory_expect_same(test, 0);
		LAB_EXPECT_SAYS(test, lab_error(&t->lab), "no memory for an instance of ");
	}
	memory_ask(test, 1);
}

static struct kunit_case memory_cases[] = {
	KUNIT_CASE(memory_swap_by_reference),
	KUNIT_CASE(memory_swap_that_converts),
	KUNIT_CASE(memory_swap_with_undo),
	KUNIT_CASE(memory_swap_with_lists),
	KUNIT_CASE(memory_swap_without_any),
	KUNIT_CASE(memory_rollback),
	KUNIT_CASE(memory_rollback_that_undoes),
	KUNIT_CASE(memory_rollback_after_commit),
	KUNIT_CASE(memory_load),
	KUNIT_CASE(memory_unload),
	KUNIT_CASE(memory_register),
	KUNIT_CASE(memory_unregister),
	KUNIT_CASE(memory_write_active),
	KUNIT_CASE(memory_write_swap),
	KUNIT_CASE(memory_rescue_on_probation),
	KUNIT_CASE(memory_rescue_of_a_stable_policy),
	{}
};

static struct kunit_suite memory_suite = {
	.name = "memory",
	.init = memory_lab_init,
	.exit = memory_lab_exit,
	.test_cases = memory_cases,
};
kunit_test_suite(memory_suite);
