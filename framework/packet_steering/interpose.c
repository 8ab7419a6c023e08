// SPDX-License-Identifier: GPL-2.0-only
/* Stand in for the kernel's get_rps_cpu(). */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ftrace.h>
#include <linux/jump_label.h>
#include <linux/kprobes.h>
#include <linux/uaccess.h>

#include "compat/ftrace.h"
#include "compat/net.h"
#include "packet_steering/host.h"

#define PS_FUNCTION	"get_rps_cpu"

/* First byte of an ftrace site: unused, in use. */
#define PS_OPCODE_NOP	0x0f
#define PS_OPCODE_CALL	0xe8

/* The ftrace site at the start of the function, and what stands behind it. */
static u8 *ps_site;
unsigned long ps_stock_body;

/* Which ways may be tried, the better one first; which one is or was in use; and whether it is. */
static bool ps_try_direct, ps_try_ipmodify;
static bool ps_direct, ps_hooked;

static void notrace ps_ftrace_handler(unsigned long ip, unsigned long parent_ip,
				      struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	int bit = ftrace_test_recursion_trylock(ip, parent_ip);

	if (bit < 0)
		return;
	ftrace_regs_set_instruction_pointer(fregs, (unsigned long)ps_get_rps_cpu);
	ftrace_test_recursion_unlock(bit);
}

/* Both ways have their own ops: ftrace writes other things into them. */
static struct ftrace_ops ps_direct_ops;
static struct ftrace_ops ps_ipmodify_ops = {
	.func = ps_ftrace_handler,
	.flags = FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT,
};

static void notrace ps_probe_handler(unsigned long ip, unsigned long parent_ip,
				     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
}

/*
 * The kernel leaves freed filters in the ops, where the next ftrace_set_filter() would find them:
 * an ops that is to be used again starts from its own description.
 */
static void ps_free_filter(struct ftrace_ops *ops)
{
	const struct ftrace_ops fresh = {
		.func = ops == &ps_direct_ops ? NULL : ops->func,
		.flags = ops->flags & (FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT),
	};

	ftrace_free_filter(ops);
	*ops = fresh;
}

/*
 * A permanent ops is refused where ftrace is switched off, and never for what another tool has
 * hooked: that tells the two reasons for -EBUSY apart.
 */
static bool ps_ftrace_off(void)
{
	static struct ftrace_ops ops = {
		.func = ps_probe_handler,
		.flags = FTRACE_OPS_FL_PERMANENT,
	};
	int err = ftrace_set_filter(&ops, PS_FUNCTION, strlen(PS_FUNCTION), 1);

	if (!err)
		err = register_ftrace_function(&ops);
	if (!err)
		unregister_ftrace_function(&ops);
	ps_free_filter(&ops);
	return err == -EBUSY;
}

int ps_interpose_init(const char *mechanism)
{
	struct kprobe probe = {
		.symbol_name = PS_FUNCTION,
		.flags = KPROBE_FLAG_DISABLED,
	};
	u8 opcode;
	int err;

	ps_try_direct = strcmp(mechanism, "ipmodify");
	ps_try_ipmodify = strcmp(mechanism, "direct");
	ps_direct = ps_try_direct;
	if (ps_try_direct && ps_try_ipmodify && strcmp(mechanism, "auto")) {
		pr_err("mechanism=%s is none of auto, direct, ipmodify\n", mechanism);
		return -EINVAL;
	}

	/* Kprobes know where static functions are. This one is never armed. */
	err = register_kprobe(&probe);
	if (err) {
		pr_err("cannot find get_rps_cpu() in this kernel (error %d): it needs CONFIG_RPS and CONFIG_KPROBES; load this module on a kernel that has them\n",
		       err);
		return -EOPNOTSUPP;
	}
	ps_site = (u8 *)probe.addr;
	unregister_kprobe(&probe);
	if (copy_from_kernel_nofault(&opcode, ps_site, sizeof(opcode)) ||
	    (opcode != PS_OPCODE_NOP && opcode != PS_OPCODE_CALL)) {
		pr_err("get_rps_cpu() does not begin with a place for ftrace: load this module on a kernel with CONFIG_DYNAMIC_FTRACE\n");
		return -EOPNOTSUPP;
	}
	ps_stock_body = (unsigned long)ps_site + MCOUNT_INSN_SIZE;
	return 0;
}

static int ps_hook_direct(void)
{
	int err = ftrace_set_filter(&ps_direct_ops, PS_FUNCTION, strlen(PS_FUNCTION), 1);

	if (!err)
		err = tiffin_ftrace_direct(&ps_direct_ops, (unsigned long)ps_direct_entry);
	if (err)
		ps_free_filter(&ps_direct_ops);
	return err;
}

static int ps_hook_ipmodify(void)
{
	int err = ftrace_set_filter(&ps_ipmodify_ops, PS_FUNCTION, strlen(PS_FUNCTION), 1);

	if (!err)
		err = register_ftrace_function(&ps_ipmodify_ops);
	if (err)
		ps_free_filter(&ps_ipmodify_ops);
	return err;
}

static void ps_unhook(void)
{
	if (ps_direct) {
		tiffin_ftrace_direct_end(&ps_direct_ops, (unsigned long)ps_direct_entry);
		ps_free_filter(&ps_direct_ops);
	} else {
		unregister_ftrace_function(&ps_ipmodify_ops);
		ps_free_filter(&ps_ipmodify_ops);
	}
	/* All callers of get_rps_cpu(), and what they do with its answer, are RCU read sides. */
	synchronize_rcu();
}

int ps_interpose_attach(void)
{
	int err = -EBUSY;

	if (ps_ftrace_off()) {
		pr_err("ftrace is switched off: sysctl kernel.ftrace_enabled=1, then try again\n");
		return -ENODEV;
	}
	ps_direct = ps_try_direct;
	if (ps_try_direct)
		err = ps_hook_direct();
	if (err && ps_try_ipmodify) {
		ps_direct = false;
		err = ps_hook_ipmodify();
	}
	if (err == -EBUSY)
		pr_err("another tool (a live patch, a BPF program) has hooked get_rps_cpu(): see /sys/kernel/tracing/enabled_functions, detach it, then try again\n");
	else if (err)
		pr_err("ftrace cannot hook get_rps_cpu() (error %d)\n", err);
	if (err)
		return err;
	/* Has the kernel call get_rps_cpu() at all, even with no RPS configured. */
	static_branch_inc(&rps_needed);
	ps_hooked = true;
	return 0;
}

void ps_interpose_detach(void)
{
	static_branch_dec(&rps_needed);
	ps_unhook();
	ps_hooked = false;
}

bool ps_interpose_works(void)
{
	u8 opcode;

	return READ_ONCE(ps_hooked) &&
	       !copy_from_kernel_nofault(&opcode, ps_site, sizeof(opcode)) &&
	       opcode == PS_OPCODE_CALL;
}

const char *ps_interpose_mechanism(void)
{
	return ps_direct ? "direct" : "ipmodify";
}
