/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between the supported kernels in SysRq. */
#ifndef TIFFIN_COMPAT_SYSRQ_H
#define TIFFIN_COMPAT_SYSRQ_H

#include <linux/types.h>
#include <linux/version.h>

/* What a key's handler is given, since 6.7 a u8. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
#define tiffin_sysrq_key	u8
#else
#define tiffin_sysrq_key	int
#endif

#endif /* TIFFIN_COMPAT_SYSRQ_H */
