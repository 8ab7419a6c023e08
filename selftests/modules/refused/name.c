// SPDX-License-Identifier: GPL-2.0-only
/* EINVAL: its name in the descriptor is not one (the one in .modinfo is). */
#include <tiffin/test_refused.h>

REFUSED_POLICY(.name = "../refused");
