// SPDX-License-Identifier: GPL-2.0-only
/* The host module: start-up order and its exact reverse. */

#include <linux/module.h>

#include "core/guard.h"
#include "core/sysfs.h"
#include "core/sysrq.h"
#include "core/version.h"
#include "rescue.h"
#include "work.h"

#define CREATE_TRACE_POINTS
#include "core/trace.h"

static int __init tiffin_init(void)
{
	int rc = tiffin_work_init();

	if (rc)
		return rc;
	rc = tiffin_guard_init();
	if (rc)
		goto err_work;
	rc = tiffin_sysfs_init();
	if (rc)
		goto err_guard;
	tiffin_sysrq_init();
	return 0;

err_guard:
	tiffin_guard_exit();
err_work:
	tiffin_work_exit();
	return rc;
}

static void __exit tiffin_exit(void)
{
	tiffin_sysrq_exit();
	tiffin_sysfs_exit();
	tiffin_guard_exit();
	tiffin_rescue_exit();
	tiffin_work_exit();
}

module_init(tiffin_init);
module_exit(tiffin_exit);

MODULE_DESCRIPTION("tiffin: kernel policies that are swapped live");
MODULE_AUTHOR("The tiffin authors");
MODULE_VERSION(TIFFIN_VERSION);
MODULE_LICENSE("GPL");
