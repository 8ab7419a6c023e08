// SPDX-License-Identifier: GPL-2.0-only
/* EINVAL: its version in the descriptor is not one. */
#include <tiffin/test_refused.h>

REFUSED_POLICY(.version = "1/0");
