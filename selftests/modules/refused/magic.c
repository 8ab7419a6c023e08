// SPDX-License-Identifier: GPL-2.0-only
/* EINVAL: its magic is not TIFFIN_POLICY_MAGIC. */
#include <tiffin/test_refused.h>

REFUSED_POLICY(.magic = 0x12345678);
