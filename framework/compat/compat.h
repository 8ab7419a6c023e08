/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that differs between the supported kernels. No other file asks for a kernel's version.
 * Where a signature moved inside a stable series, a compile test decides, not the version.
 */
#ifndef TIFFIN_COMPAT_H
#define TIFFIN_COMPAT_H

#include <linux/module.h>
#include <linux/version.h>

/* __assign_str() takes its source from __string() since 6.10. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define tiffin_assign_str(dst, src)	__assign_str(dst)
#else
#define tiffin_assign_str(dst, src)	__assign_str(dst, src)
#endif

/**
 * tiffin_module_traced - does a module have sites where ftrace may attach?
 * @mod: the module
 *
 * A kernel without ftrace has none to look for.
 */
static inline bool tiffin_module_traced(const struct module *mod)
{
#ifdef CONFIG_FTRACE_MCOUNT_RECORD
	return mod->num_ftrace_callsites;
#else
	return false;
#endif
}

/**
 * tiffin_module_text - where the text of a module lies
 * @mod: the module
 * @start: receives its first address
 * @size: receives its bytes; a policy's has no text for its start alone
 */
static inline void tiffin_module_text(const struct module *mod, unsigned long *start,
				      unsigned long *size)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	*start = (unsigned long)mod->mem[MOD_TEXT].base;
	*size = mod->mem[MOD_TEXT].size;
#else
	*start = (unsigned long)mod->core_layout.base;
	*size = mod->core_layout.text_size;
#endif
}

#endif /* TIFFIN_COMPAT_H */
