// SPDX-License-Identifier: GPL-2.0-only
/* EPROTO: built against another major version of the family's ABI. */
#include <tiffin/test_refused.h>

#undef TIFFIN_test_ABI
#undef TIFFIN_test_ABI_TEXT
#define TIFFIN_test_ABI		TIFFIN_ABI(99, 0)
#define TIFFIN_test_ABI_TEXT	99.0

REFUSED_POLICY();
