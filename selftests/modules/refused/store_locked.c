// SPDX-License-Identifier: GPL-2.0-only
/* EINVAL: declares a per-CPU store to be locked, which only objects' records can be. */
#include <tiffin/test_refused.h>

static const struct tiffin_store spoilt_stores[] = {
	{ "spoilt", 1, TIFFIN_STORE_PER_CPU, TIFFIN_SHARE_LOCKED, 8 },
};

REFUSED_POLICY(TIFFIN_STORES(spoilt_stores));
