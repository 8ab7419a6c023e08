// SPDX-License-Identifier: GPL-2.0-only
/* SysRq a: all families return to their defaults. */

#include <linux/printk.h>
#include <linux/sysrq.h>

#include "compat/sysrq.h"
#include "core/sysrq.h"
#include "rescue.h"

#define TIFFIN_SYSRQ_KEY	'a'

static bool tiffin_sysrq_ours;

static void tiffin_sysrq_press(tiffin_sysrq_key key)
{
	tiffin_rescue_all();
}

static const struct sysrq_key_op tiffin_sysrq_op = {
	.handler = tiffin_sysrq_press,
	.help_msg = "all-tiffin-policies-to-default(a)",
	.action_msg = "All families of tiffin to their defaults",
	/* As the keys that change how the machine works but end nothing. */
	.enable_mask = SYSRQ_ENABLE_RTNICE,
};

void tiffin_sysrq_init(void)
{
	tiffin_sysrq_ours = !register_sysrq_key(TIFFIN_SYSRQ_KEY, &tiffin_sysrq_op);
	if (!tiffin_sysrq_ours)
		pr_info("tiffin: SysRq %c is not to be had in this kernel; use tiffin default --all\n",
			TIFFIN_SYSRQ_KEY);
}

void tiffin_sysrq_exit(void)
{
	if (tiffin_sysrq_ours)
		unregister_sysrq_key(TIFFIN_SYSRQ_KEY, &tiffin_sysrq_op);
}
