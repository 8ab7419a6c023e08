// SPDX-License-Identifier: GPL-2.0-only
/* EPROTO: built against a newer minor version of plugin.h than any host speaks. */
#include <tiffin/test_refused.h>

#undef TIFFIN_CORE_ABI
#undef TIFFIN_CORE_ABI_TEXT
#define TIFFIN_CORE_ABI		TIFFIN_ABI(1, 99)
#define TIFFIN_CORE_ABI_TEXT	1.99

REFUSED_POLICY();
