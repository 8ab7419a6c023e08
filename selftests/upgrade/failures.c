// SPDX-License-Identifier: GPL-2.0-only
/* Failed expectations of a program with threads; see failures.h. */
#include <stdarg.h>
#include <stdio.h>

#include "failures.h"

unsigned int failures;

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	/* The first ones tell; what comes after follows from them. */
	if (__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED) > 8)
		return;
	printf("# %s:%d: ", file, line);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}
