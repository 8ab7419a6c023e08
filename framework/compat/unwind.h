/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between the supported kernels in assembly. */
#ifndef TIFFIN_COMPAT_UNWIND_H
#define TIFFIN_COMPAT_UNWIND_H

#include <asm/unwind_hints.h>

/* Renamed in 6.4. */
#ifdef UNWIND_HINT_TYPE_UNDEFINED
#define TIFFIN_UNWIND_HINT_NONE	UNWIND_HINT_UNDEFINED
#else
#define TIFFIN_UNWIND_HINT_NONE	UNWIND_HINT_EMPTY
#endif

#endif /* TIFFIN_COMPAT_UNWIND_H */
