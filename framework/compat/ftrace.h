/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between the supported kernels in ftrace. */
#ifndef TIFFIN_COMPAT_FTRACE_H
#define TIFFIN_COMPAT_FTRACE_H

#include <linux/ftrace.h>
#include <linux/version.h>

/* Renamed after 6.1. */
#ifndef ftrace_regs_set_instruction_pointer
#define ftrace_regs_set_instruction_pointer	ftrace_instruction_pointer_set
#endif

/* Came after 6.1; there the handler of an ops that wants no more registers has them, too. */
#ifndef ftrace_regs_get_argument
#define ftrace_regs_get_argument(fregs, n)	regs_get_kernel_argument(&(fregs)->regs, n)
#endif

/**
 * tiffin_ftrace_direct - have a direct call placed at the functions of an ops' filter
 * @ops: filter set, func not set
 * @addr: what is called
 *
 * Return: as register_ftrace_direct() since 6.4; -EOPNOTSUPP where the kernel has no direct calls.
 */
static inline int tiffin_ftrace_direct(struct ftrace_ops *ops, unsigned long addr)
{
#if !defined(CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS)
	return -EOPNOTSUPP;
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	return register_ftrace_direct(ops, addr);
#else
	return register_ftrace_direct_multi(ops, addr);
#endif
}

/* Undo tiffin_ftrace_direct(), but for the filter. */
static inline int tiffin_ftrace_direct_end(struct ftrace_ops *ops, unsigned long addr)
{
#if !defined(CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS)
	return -EOPNOTSUPP;
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	return unregister_ftrace_direct(ops, addr, false);
#else
	return unregister_ftrace_direct_multi(ops, addr);
#endif
}

#endif /* TIFFIN_COMPAT_FTRACE_H */
