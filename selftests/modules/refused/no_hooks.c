// SPDX-License-Identifier: GPL-2.0-only
/* EINVAL: has no hook table. */
#include <tiffin/test_refused.h>

REFUSED_POLICY(.hooks = 0);
