// SPDX-License-Identifier: GPL-2.0-only
/* EINVAL: declares a store whose records have no bytes. */
#include <tiffin/test_refused.h>

static const struct tiffin_store spoilt_stores[] = {
	{ "spoilt", 1, TIFFIN_STORE_INSTANCE, TIFFIN_SHARE_ATOMIC, 0 },
};

REFUSED_POLICY(TIFFIN_STORES(spoilt_stores));
