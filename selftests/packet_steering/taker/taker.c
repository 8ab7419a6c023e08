// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds the hook that the packet_steering host wants, in either of the two ways, and changes
 * nothing.
 */

#include <linux/module.h>

#include "ftrace.h"

static bool direct;
module_param(direct, bool, 0444);
MODULE_PARM_DESC(direct, "hold it by a direct call, not by FTRACE_OPS_FL_IPMODIFY");

/* entry.S: returns at once. */
void taker_entry(void);

static void notrace taker_handler(unsigned long ip, unsigned long parent_ip,
				  struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
}

static struct ftrace_ops taker_direct_ops;
static struct ftrace_ops taker_ipmodify_ops = {
	.func = taker_handler,
	.flags = FTRACE_OPS_FL_IPMODIFY,
};

static int __init taker_init(void)
{
	struct ftrace_ops *ops = direct ? &taker_direct_ops : &taker_ipmodify_ops;
	int err = ftrace_set_filter(ops, "get_rps_cpu", strlen("get_rps_cpu"), 1);

	if (!err)
		err = direct ? tiffin_ftrace_direct(ops, (unsigned long)taker_entry) :
			       register_ftrace_function(ops);
	if (err)
		ftrace_free_filter(ops);
	return err;
}

static void __exit taker_exit(void)
{
	struct ftrace_ops *ops = direct ? &taker_direct_ops : &taker_ipmodify_ops;

	if (direct)
		tiffin_ftrace_direct_end(ops, (unsigned long)taker_entry);
	else
		unregister_ftrace_function(ops);
	ftrace_free_filter(ops);
	synchronize_rcu();
}

module_init(taker_init);
module_exit(taker_exit);

MODULE_DESCRIPTION("tiffin test: holds get_rps_cpu()");
MODULE_LICENSE("GPL");
