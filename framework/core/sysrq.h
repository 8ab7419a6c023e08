/* SPDX-License-Identifier: GPL-2.0-only */
/* SysRq a: all families return to their defaults. */
#ifndef TIFFIN_CORE_SYSRQ_H
#define TIFFIN_CORE_SYSRQ_H

/* Take the key and give it back. A kernel without SysRq, or with the key taken, is only told of. */
void tiffin_sysrq_init(void);
void tiffin_sysrq_exit(void);

#endif /* TIFFIN_CORE_SYSRQ_H */
