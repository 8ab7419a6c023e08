// SPDX-License-Identifier: GPL-2.0-only
/* EPROTO: built against another major version of plugin.h. */
#include <tiffin/test_refused.h>

#undef TIFFIN_CORE_ABI
#undef TIFFIN_CORE_ABI_TEXT
#define TIFFIN_CORE_ABI		TIFFIN_ABI(99, 0)
#define TIFFIN_CORE_ABI_TEXT	99.0

REFUSED_POLICY();
