// SPDX-License-Identifier: GPL-2.0-only
/* EINVAL: its descriptor is too short to hold even what version 1.0 had. */
#include <tiffin/test_refused.h>

REFUSED_POLICY(.size = 16);
