// SPDX-License-Identifier: GPL-2.0-only
/* EINVAL: declares a store of a kind that does not exist. */
#include <tiffin/test_refused.h>

static const struct tiffin_store spoilt_stores[] = {
	{ "spoilt", 1, TIFFIN_STORE_KINDS, TIFFIN_SHARE_ATOMIC, 8 },
};

REFUSED_POLICY(TIFFIN_STORES(spoilt_stores));
