// SPDX-License-Identifier: GPL-2.0-only
/* EINVAL: declares a set of no lists. */
#include <tiffin/test_refused.h>

static const struct tiffin_store spoilt_stores[] = {
	{ "spoilt", 1, TIFFIN_STORE_LISTS, TIFFIN_SHARE_LOCKED },
};

REFUSED_POLICY(TIFFIN_STORES(spoilt_stores));
