/* SPDX-License-Identifier: GPL-2.0-only */
/* Functions of the kernel that modules have no name for. */
#ifndef TIFFIN_COMPAT_SYMBOL_H
#define TIFFIN_COMPAT_SYMBOL_H

#include <linux/cpufeature.h>
#include <linux/kprobes.h>

/**
 * tiffin_symbol - the address of a function that the kernel does not export
 * @name: of the function
 *
 * A probe that is asked for there says it, whether or not it may be placed.
 *
 * Context: process, may sleep.
 * Return: the address; NULL where there is no such function, or where the processor lets only those
 * be called by their address that the kernel calls so itself (IBT).
 */
static inline void *tiffin_symbol(const char *name)
{
	struct kprobe probe = { .symbol_name = name, .flags = KPROBE_FLAG_DISABLED };

	if (cpu_feature_enabled(X86_FEATURE_IBT))
		return NULL;
	if (!register_kprobe(&probe))
		unregister_kprobe(&probe);
	return probe.addr;
}

/* Does the processor, or the hypervisor, deliver exceptions in another way than by the IDT? */
static inline bool tiffin_exceptions_differ(void)
{
	if (cpu_feature_enabled(X86_FEATURE_XENPV))
		return true;
#ifdef X86_FEATURE_FRED
	if (cpu_feature_enabled(X86_FEATURE_FRED))
		return true;
#endif
	return false;
}

#endif /* TIFFIN_COMPAT_SYMBOL_H */
