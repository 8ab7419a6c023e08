/* SPDX-License-Identifier: GPL-2.0-only */
/* What a test expects; each program says for itself what comes of a failure. */
#ifndef TIFFIN_UPGRADE_EXPECT_H
#define TIFFIN_UPGRADE_EXPECT_H

#include "shim.h"

__printf(3, 4) void test_fail(const char *file, int line, const char *fmt, ...);

#define EXPECT(a, op, b)								\
do {											\
	long long a_ = (long long)(a), b_ = (long long)(b);				\
	if (!(a_ op b_))								\
		test_fail(__FILE__, __LINE__, "%s %s %s: %lld, %lld", #a, #op, #b, a_, b_);	\
} while (0)

#endif /* TIFFIN_UPGRADE_EXPECT_H */
