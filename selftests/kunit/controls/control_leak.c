// SPDX-License-Identifier: GPL-2.0-only
/* Must be judged a failure: memory that outlives its last pointer. */
#include <linux/module.h>
#include <linux/slab.h>
#include <kunit/test.h>

static void control_leak_case(struct kunit *test)
{
	int i;

	/* Stale copies of a pointer may hide one object, not all. */
	for (i = 0; i < 16; i++)
		KUNIT_EXPECT_NOT_NULL(test, kmalloc(100, GFP_KERNEL));
}

static struct kunit_case control_leak_cases[] = {
	KUNIT_CASE(control_leak_case),
	{}
};

static struct kunit_suite control_leak_suite = {
	.name = "control_leak",
	.test_cases = control_leak_cases,
};
kunit_test_suite(control_leak_suite);

MODULE_DESCRIPTION("tiffin KUnit control: leak");
MODULE_LICENSE("GPL");
