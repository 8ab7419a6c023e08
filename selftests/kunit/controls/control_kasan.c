// SPDX-License-Identifier: GPL-2.0-only
/* Must be judged a failure: use after free, which only KASAN sees. */
#include <linux/module.h>
#include <linux/slab.h>
#include <kunit/test.h>

static void control_kasan_case(struct kunit *test)
{
	char *p = kzalloc(64, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	kfree(p);
	OPTIMIZER_HIDE_VAR(p);
	(void)READ_ONCE(p[7]);
}

static struct kunit_case control_kasan_cases[] = {
	KUNIT_CASE(control_kasan_case),
	{}
};

static struct kunit_suite control_kasan_suite = {
	.name = "control_kasan",
	.test_cases = control_kasan_cases,
};
kunit_test_suite(control_kasan_suite);

MODULE_DESCRIPTION("tiffin KUnit control: kasan");
MODULE_LICENSE("GPL");
