// SPDX-License-Identifier: GPL-2.0-only
/* EINVAL: takes the name of the built-in default. */
#include <tiffin/test_refused.h>

REFUSED_POLICY(.name = "default");
