/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unit tests of a policy, in user space. A test file looks like this; selftests/lib/policy_test
 * builds it together with the policy and runs it:
 *
 *	#include "policy_test.h"
 *	#include "policy_packet_steering.h"
 *
 *	TEST(a_flow_keeps_its_cpu)
 *	{
 *		struct ps *ps = ps_new(POLICY, 4);
 *		__u32 cpu = ps_ask(ps, .hash = 7);
 *
 *		EXPECT_EQ(ps_ask(ps, .hash = 7), cpu);
 *		ps_free(ps);
 *	}
 *
 * Each test runs in a process of its own: one that dies is a test that failed.
 */
#ifndef POLICY_TEST_H
#define POLICY_TEST_H

#include <tiffin/plugin.h>

/* The policies given on the command line; the first is the one under test. */
extern const struct tiffin_policy **policies;
extern unsigned int nr_policies;
#define POLICY	(policies[0])

/* Another of them by name. Ends the test where there is none. */
const struct tiffin_policy *policy_named(const char *name);

struct test {
	const char *name;
	void (*run)(void);
	struct test *next;
};

void test_add(struct test *test);

#define TEST(test_name)								\
	static void test_name(void);						\
	static struct test test_name##_test = { .name = #test_name, .run = test_name };	\
	static void __attribute__((constructor)) test_name##_add(void)		\
	{									\
		test_add(&test_name##_test);					\
	}									\
	static void test_name(void)

/* Say something in the log. */
void test_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Fail this test and go on with it. Only the first few of a test are printed. */
void test_fail(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define EXPECT_OP(a, op, b) do {						\
	long long a_ = (long long)(a), b_ = (long long)(b);			\
	if (!(a_ op b_))							\
		test_fail(__FILE__, __LINE__, "expected %s %s %s: %lld and %lld",	\
			  #a, #op, #b, a_, b_);					\
} while (0)

#define EXPECT_EQ(a, b)		EXPECT_OP(a, ==, b)
#define EXPECT_NE(a, b)		EXPECT_OP(a, !=, b)
#define EXPECT_LT(a, b)		EXPECT_OP(a, <, b)
#define EXPECT_LE(a, b)		EXPECT_OP(a, <=, b)
#define EXPECT_GT(a, b)		EXPECT_OP(a, >, b)
#define EXPECT_GE(a, b)		EXPECT_OP(a, >=, b)
#define EXPECT_TRUE(a)		EXPECT_OP(!!(a), ==, 1)

/* A random number that is the same in every run. */
unsigned int test_random(void);

#endif /* POLICY_TEST_H */
