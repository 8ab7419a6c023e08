// SPDX-License-Identifier: GPL-2.0-only
/* Under a fuzzer: a policy that breaks a rule ends the program, so that its input is kept. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy_host.h"

void policy_fault(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}
