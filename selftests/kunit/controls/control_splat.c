// SPDX-License-Identifier: GPL-2.0-only
/* Must be judged a failure: the test passes, the kernel warns. */
#include <linux/module.h>
#include <kunit/test.h>

static void control_splat_case(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, WARN_ON(test));
}

static struct kunit_case control_splat_cases[] = {
	KUNIT_CASE(control_splat_case),
	{}
};

static struct kunit_suite control_splat_suite = {
	.name = "control_splat",
	.test_cases = control_splat_cases,
};
kunit_test_suite(control_splat_suite);

MODULE_DESCRIPTION("tiffin KUnit control: splat");
MODULE_LICENSE("GPL");
