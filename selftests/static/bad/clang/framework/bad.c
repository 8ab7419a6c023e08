// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>

int bad(int *p, int n);

/* Checks the pointer, then follows it where it is NULL. */
int bad(int *p, int n)
{
	if (!p)
		*p = n;
	return n;
}
EXPORT_SYMBOL_GPL(bad);

MODULE_DESCRIPTION("must be found by the clang analyzer");
MODULE_LICENSE("GPL");
