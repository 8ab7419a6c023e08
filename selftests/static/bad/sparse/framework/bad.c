// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>
#include <linux/uaccess.h>

int bad(const int __user *p);

/* Reads user memory as if it were its own. */
int bad(const int __user *p)
{
	return *p;
}
EXPORT_SYMBOL_GPL(bad);

MODULE_DESCRIPTION("must be found by sparse");
MODULE_LICENSE("GPL");
