// SPDX-License-Identifier: GPL-2.0-only
/* Must be judged a failure: an expectation that does not hold. */
#include <linux/module.h>
#include <kunit/test.h>

static void control_fail_case(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, 1 + 1, 3);
}

static struct kunit_case control_fail_cases[] = {
	KUNIT_CASE(control_fail_case),
	{}
};

static struct kunit_suite control_fail_suite = {
	.name = "control_fail",
	.test_cases = control_fail_cases,
};
kunit_test_suite(control_fail_suite);

MODULE_DESCRIPTION("tiffin KUnit control: fail");
MODULE_LICENSE("GPL");
