// SPDX-License-Identifier: GPL-2.0-only
/* The host module: start-up order and its exact reverse. */

#include <linux/module.h>

#include "core/sysfs.h"
#include "core/version.h"

#define CREATE_TRACE_POINTS
#include "core/trace.h"

static int __init tiffin_init(void)
{
	return tiffin_sysfs_init();
}

static void __exit tiffin_exit(void)
{
	tiffin_sysfs_exit();
}

module_init(tiffin_init);
module_exit(tiffin_exit);

MODULE_DESCRIPTION("tiffin: kernel policies that are swapped live");
MODULE_AUTHOR("The tiffin authors");
MODULE_VERSION(TIFFIN_VERSION);
MODULE_LICENSE("GPL");
