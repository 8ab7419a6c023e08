// SPDX-License-Identifier: GPL-2.0-only
/* ENOENT: names a family that no module provides. */
#include <tiffin/test_refused.h>

#define TIFFIN_nowhere_ABI	TIFFIN_ABI(1, 0)
#define TIFFIN_nowhere_ABI_TEXT	1.0

TIFFIN_POLICY(nowhere, "refused", "1.0", "test: must not load", TIFFIN_HOOKS(refused_hooks));
