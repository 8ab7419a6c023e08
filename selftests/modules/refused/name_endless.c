// SPDX-License-Identifier: GPL-2.0-only
/* EINVAL: its name has no end. */
#include <tiffin/test_refused.h>

REFUSED_POLICY(.name = { [0 ... TIFFIN_NAME_LEN - 1] = 'x' });
