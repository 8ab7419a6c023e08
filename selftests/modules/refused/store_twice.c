// SPDX-License-Identifier: GPL-2.0-only
/* EINVAL: declares two stores of one kind. */
#include <tiffin/test_refused.h>

static const struct tiffin_store spoilt_stores[] = {
	{ "spoilt", 1, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_ATOMIC, 8 },
	{ "again", 1, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_ATOMIC, 8 },
};

REFUSED_POLICY(TIFFIN_STORES(spoilt_stores));
