/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of the swap's logic in user space. Each runs in a process of its own: one that dies, or
 * leaks, is a test that failed.
 */
#ifndef TIFFIN_UPGRADE_TEST_H
#define TIFFIN_UPGRADE_TEST_H

#include "core/scope.h"
#include "expect.h"
#include "shim.h"
#include "lab.h"

/* Of virtual time, for shim_advance(). */
#define US	NSEC_PER_USEC
#define MS	NSEC_PER_MSEC
#define TICK	(MSEC_PER_JIFFY * MS)

/* In a request: a probation that no test sees the end of. */
#define LONG	" probation_ms=86400000"

/* Why a policy is in quarantine that ask_faulty() brought there. */
#define FAULT	"the lab's fault at lab_ask+0x10"

struct test {
	const char *name;
	void (*run)(struct lab *lab);
	struct test *next;
};

void test_add(struct test *test);

/* A test gets a lab that has been started, and virtual time. */
#define TEST(_name)									\
	static void _name(struct lab *lab);						\
	static struct test _name##_test = { .name = #_name, .run = _name };		\
	static void __attribute__((constructor)) _name##_add(void)			\
	{										\
		test_add(&_name##_test);						\
	}										\
	static void _name(struct lab *lab)

#define EXPECT_STR(a, b)								\
do {											\
	const char *a_ = (a) ?: "(none)", *b_ = (b);					\
	if (strcmp(a_, b_))								\
		test_fail(__FILE__, __LINE__, "%s: '%s', not '%s'", #a, a_, b_);	\
} while (0)

#define EXPECT_SAYS(a, b)								\
do {											\
	const char *a_ = (a) ?: "(none)", *b_ = (b);					\
	if (!strstr(a_, b_))								\
		test_fail(__FILE__, __LINE__, "'%s' does not say '%s'", a_, b_);	\
} while (0)

#define EXPECT_SWAP(lab, text)								\
do {											\
	int rc_ = lab_swap(lab, text);							\
	if (rc_)									\
		test_fail(__FILE__, __LINE__, "swap %s: %d, %s", text, rc_, lab_error(lab));	\
} while (0)

/* A policy of the lab comes to quarantine, as if a call of it had been ended. */
void quarantine_of(struct lab *lab, enum lab_who who);

/* Ask the active policy @who, whose call has to be ended: it comes to quarantine. */
void ask_faulty(struct lab *lab, enum lab_who who, u32 object);

/* The rescue's work has been woken: let it run, but not come again. */
void let_rescue_run(void);

/* @who is active, and answers. */
void expect_answers(struct lab *lab, enum lab_who who);

/* How many events @what there were, from number @from on. */
unsigned int events_of(unsigned int from, const char *what);

static inline struct tiffin_swap *swap_of(struct lab *lab)
{
	return &lab->family.scope->swap;
}

/*
 * Ask about three objects: the active policy is @who, and it is each object's call number @want, by
 * its record; the first finds it fresh.
 */
void ask_each(struct lab *lab, enum lab_who who, u64 want);

#endif /* TIFFIN_UPGRADE_TEST_H */
