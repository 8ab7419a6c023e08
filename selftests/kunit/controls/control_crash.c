// SPDX-License-Identifier: GPL-2.0-only
/* Must be judged a failure: the test thread dies, results are cut off. */
#include <linux/module.h>
#include <kunit/test.h>

static void control_crash_case(struct kunit *test)
{
	__builtin_trap();
}

static struct kunit_case control_crash_cases[] = {
	KUNIT_CASE(control_crash_case),
	{}
};

static struct kunit_suite control_crash_suite = {
	.name = "control_crash",
	.test_cases = control_crash_cases,
};
kunit_test_suite(control_crash_suite);

MODULE_DESCRIPTION("tiffin KUnit control: crash");
MODULE_LICENSE("GPL");
