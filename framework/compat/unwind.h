/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between the supported kernels in assembly. */
#ifndef TIFFIN_COMPAT_UNWIND_H
#define TIFFIN_COMPAT_UNWIND_H

#include <linux/linkage.h>
#include <asm/unwind_hints.h>

/* Renamed in 6.4. */
#ifdef UNWIND_HINT_TYPE_UNDEFINED
#define TIFFIN_UNWIND_HINT_NONE	UNWIND_HINT_UNDEFINED
#else
#define TIFFIN_UNWIND_HINT_NONE	UNWIND_HINT_EMPTY
#endif

/* How functions are aligned, with room before them for who patches their calls, since 6.2. */
#ifndef SYM_F_ALIGN
#define SYM_F_ALIGN	SYM_A_ALIGN
#endif

#endif /* TIFFIN_COMPAT_UNWIND_H */
