// SPDX-License-Identifier: GPL-2.0-only
/* Must be judged a failure: two locks taken in both orders. */
#include <linux/module.h>
#include <linux/mutex.h>
#include <kunit/test.h>

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);

static void control_lockdep_case(struct kunit *test)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static struct kunit_case control_lockdep_cases[] = {
	KUNIT_CASE(control_lockdep_case),
	{}
};

static struct kunit_suite control_lockdep_suite = {
	.name = "control_lockdep",
	.test_cases = control_lockdep_cases,
};
kunit_test_suite(control_lockdep_suite);

MODULE_DESCRIPTION("tiffin KUnit control: lockdep");
MODULE_LICENSE("GPL");
