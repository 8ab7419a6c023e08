// SPDX-License-Identifier: GPL-2.0-only
/* EINVAL: declares an instance store as if it were one CPU's. */
#include <tiffin/test_refused.h>

static const struct tiffin_store spoilt_stores[] = {
	{ "spoilt", 1, TIFFIN_STORE_INSTANCE, TIFFIN_SHARE_CPU, 8 },
};

REFUSED_POLICY(TIFFIN_STORES(spoilt_stores));
