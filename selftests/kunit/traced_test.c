// SPDX-License-Identifier: GPL-2.0-only
/* A policy whose text ftrace could attach to is refused. Built where the kernel has ftrace. */

#include <linux/module.h>

#include "lab_kunit.h"

static void traced_module_is_refused(struct kunit *test)
{
	/* Only its count of sites and its name are looked at before the refusal. */
	struct module *traced = kunit_kzalloc(test, sizeof(*traced), GFP_KERNEL);
	struct tiffin_policy *desc = kunit_kzalloc(test, sizeof(*desc), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, traced);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, desc);
	*desc = lab_policy[LAB_ALPHA];
	strscpy(traced->name, "traced", sizeof(traced->name));
	traced->num_ftrace_callsites = 1;
	KUNIT_EXPECT_EQ(test, tiffin_policy_register((const void *)desc, traced, "b2"), -EINVAL);
	/* This module has none: its build removes them. */
	KUNIT_EXPECT_EQ(test, tiffin_policy_register((const void *)desc, THIS_MODULE, "b2"), 0);
	tiffin_policy_unregister((const void *)desc);
}

static struct kunit_case traced_cases[] = {
	KUNIT_CASE(traced_module_is_refused),
	{}
};

static struct kunit_suite traced_suite = {
	.name = "traced",
	.init = lab_test_init,
	.exit = lab_test_exit,
	.test_cases = traced_cases,
};
kunit_test_suite(traced_suite);
