// SPDX-License-Identifier: GPL-2.0-only
/* Must pass: one plain test, one with parameters, module state as a host's. */
#include <linux/module.h>
#include <linux/slab.h>
#include <kunit/test.h>

static int *state;

static void control_pass_case(struct kunit *test)
{
	/* Suites run after the module's own initialisation. */
	KUNIT_ASSERT_NOT_NULL(test, state);
	KUNIT_EXPECT_EQ(test, *state, 42);
}

static const int numbers[] = { 1, 2, 3 };

KUNIT_ARRAY_PARAM(numbers, numbers, NULL);

static void control_pass_params(struct kunit *test)
{
	const int *n = test->param_value;

	KUNIT_EXPECT_GT(test, *n, 0);
}

static void control_pass_kmalloc(struct kunit *test)
{
	char *p = kunit_kzalloc(test, 16, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, p[15], 0);
}

static struct kunit_case control_pass_cases[] = {
	KUNIT_CASE(control_pass_case),
	KUNIT_CASE_PARAM(control_pass_params, numbers_gen_params),
	KUNIT_CASE(control_pass_kmalloc),
	{}
};

static struct kunit_suite control_pass_suite = {
	.name = "control_pass",
	.test_cases = control_pass_cases,
};

static struct kunit_case control_second_cases[] = {
	KUNIT_CASE(control_pass_case),
	{}
};

static struct kunit_suite control_second_suite = {
	.name = "control_second",
	.test_cases = control_second_cases,
};

/* Two lists in one module, as two files of suites make them */
kunit_test_suite(control_pass_suite);
kunit_test_suite(control_second_suite);

static int __init control_pass_init(void)
{
	state = kmalloc(sizeof(*state), GFP_KERNEL);
	if (!state)
		return -ENOMEM;
	*state = 42;
	return 0;
}
module_init(control_pass_init);

static void __exit control_pass_exit(void)
{
	kfree(state);
}
module_exit(control_pass_exit);

MODULE_DESCRIPTION("tiffin KUnit control: pass");
MODULE_LICENSE("GPL");
