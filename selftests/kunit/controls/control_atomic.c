// SPDX-License-Identifier: GPL-2.0-only
/* Must be judged a failure: a function that may sleep, called where it may not. */
#include <linux/module.h>
#include <linux/spinlock.h>
#include <kunit/test.h>

static DEFINE_SPINLOCK(lock);

static void control_atomic_case(struct kunit *test)
{
	spin_lock(&lock);
	might_sleep();
	spin_unlock(&lock);
}

static struct kunit_case control_atomic_cases[] = {
	KUNIT_CASE(control_atomic_case),
	{}
};

static struct kunit_suite control_atomic_suite = {
	.name = "control_atomic",
	.test_cases = control_atomic_cases,
};
kunit_test_suite(control_atomic_suite);

MODULE_DESCRIPTION("tiffin KUnit control: atomic");
MODULE_LICENSE("GPL");
