// SPDX-License-Identifier: GPL-2.0-only
/* EINVAL: declares a store of version 0. */
#include <tiffin/test_refused.h>

static const struct tiffin_store spoilt_stores[] = {
	{ "spoilt", 0, TIFFIN_STORE_INSTANCE, TIFFIN_SHARE_ATOMIC, 8 },
};

REFUSED_POLICY(TIFFIN_STORES(spoilt_stores));
