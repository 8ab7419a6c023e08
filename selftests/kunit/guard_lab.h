/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites of the guard share: alpha of the lab is active, and is called through the guard.
 * All of this module counts as its text.
 */
#ifndef TIFFIN_TEST_GUARD_LAB_H
#define TIFFIN_TEST_GUARD_LAB_H

#include "core/guard.h"
#include "lab_kunit.h"

typedef void (*guard_fn)(const struct tiffin_ctx *ctx, const void *in, void *out);

static const struct tiffin_ctx guard_ctx = { .size = sizeof(guard_ctx) };

/* Alpha, which is active until it comes to quarantine. */
static struct tiffin_loaded *guard_policy;

static inline enum tiffin_entered guard_call(guard_fn fn, const void *in, void *out)
{
	return tiffin_guard_call(&guard_ctx, in, out, fn, guard_policy, tiffin_guard_task());
}

/* A division by zero: with "ud2" objtool would know that nothing comes after it. */
#define GUARD_TRAP	"xorl %%ecx, %%ecx\n\tdivl %%ecx\n\t"

static inline void guard_trap(void)
{
	asm volatile(GUARD_TRAP : : : "eax", "ecx", "edx");
}

/* This kernel has been told to panic on an oops. */
static inline int guard_test_init(struct kunit *test)
{
	int rc = tiffin_guard_set_contain(true) ?: lab_test_init(test) ?:
		 lab_swap(test->priv, "alpha");
	struct lab *lab = test->priv;

	if (rc)
		return rc;
	guard_policy = lab->family.scope->gate.active->policy;
	/* Its end waits for the rescue, as these tests have real faults. */
	lab->faulted = true;
	return 0;
}

static inline void guard_test_exit(struct kunit *test)
{
	lab_test_exit(test);
	tiffin_guard_set_contain(false);
}

#endif /* TIFFIN_TEST_GUARD_LAB_H */
