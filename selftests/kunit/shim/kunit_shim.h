/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What KUnit and its suites need on a kernel built without CONFIG_KUNIT;
 * included before everything else when they are compiled for such a kernel.
 */
#ifndef TIFFIN_KUNIT_SHIM_H
#define TIFFIN_KUNIT_SHIM_H

#define CONFIG_KUNIT_MODULE 1
#define CONFIG_KUNIT_DEBUGFS 1

#include <linux/moduleparam.h>

struct kunit;
struct kunit_suite;

/*
 * Such a kernel's task_struct has no kunit_test. One task at a time runs a
 * test, so one pair of task and test stands in for it; other tasks and
 * interrupts see none, as they should.
 */
struct kunit *kunit_shim_current(void);
void kunit_shim_set_current(struct kunit *test);

/*
 * Nor does its module loader know the section .kunit_test_suites. A module's
 * parameters can be walked by another module, though: each list of suites
 * becomes a parameter that is recognised by these operations.
 */
struct kunit_shim_suites {
	struct kunit_suite **suites;
	int count;
};

extern const struct kernel_param_ops kunit_shim_suites_ops;

#define __kunit_shim_test_suites(id, ...)				\
	static struct kunit_suite *id[] = { __VA_ARGS__ };		\
	static struct kunit_shim_suites id##_list = {			\
		.suites = id,						\
		.count = ARRAY_SIZE(id),				\
	};								\
	module_param_cb(id, &kunit_shim_suites_ops, &id##_list, 0)

/* One more level, so that the unique name is expanded before it is pasted. */
#define _kunit_shim_test_suites(id, ...)				\
	__kunit_shim_test_suites(id, ##__VA_ARGS__)

#endif /* TIFFIN_KUNIT_SHIM_H */
