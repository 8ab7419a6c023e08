/* SPDX-License-Identifier: GPL-2.0-only */
/* The lab in a KUnit suite: .init = lab_test_init, .exit = lab_test_exit, test->priv is the lab. */
#ifndef TIFFIN_TEST_LAB_KUNIT_H
#define TIFFIN_TEST_LAB_KUNIT_H

#include <kunit/test.h>
#include <linux/delay.h>

#include "lab.h"

static inline int lab_test_init(struct kunit *test)
{
	struct lab *lab = kunit_kzalloc(test, sizeof(*lab), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, lab);
	test->priv = lab;
	return lab_start(lab);
}

static inline void lab_test_exit(struct kunit *test)
{
	lab_stop(test->priv);
}

/* Wait for the end of a probation that ends by itself; false where it doesn't in ten seconds. */
static inline bool lab_wait_stable(struct lab *lab)
{
	int i;

	for (i = 0; i < 500; i++) {
		if (READ_ONCE(lab->family.scope->swap.state) == TIFFIN_STABLE)
			return true;
		msleep(20);
	}
	return false;
}

/* Longer than any test takes: only what the test does ends such a probation. */
#define LONG	" probation_ms=86400000"

#define EXPECT_SWAP(test, text)								\
	KUNIT_ASSERT_EQ_MSG(test, lab_swap((test)->priv, text), 0, "%s", lab_error((test)->priv))

/* The sentence @text contains @part, and shows what it was if not. */
#define LAB_EXPECT_SAYS(test, text, part)						\
	KUNIT_EXPECT_TRUE_MSG(test, strstr(text, part), "'%s' does not say '%s'", text, part)

/* D1 and D3 hold. */
#define LAB_EXPECT_ACCOUNTS(test, lab)							\
	KUNIT_EXPECT_TRUE_MSG(test, lab_accounts_hold(lab),				\
			      "calls are not answered once each, or came into a flip")

#endif /* TIFFIN_TEST_LAB_KUNIT_H */
