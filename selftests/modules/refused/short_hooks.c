// SPDX-License-Identifier: GPL-2.0-only
/* EINVAL: its hook table ends before the hook that its family requires. */
#include <tiffin/test_refused.h>

REFUSED_POLICY(.hooks_size = sizeof(void *) - 1);
