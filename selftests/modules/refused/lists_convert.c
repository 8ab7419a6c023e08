// SPDX-License-Identifier: GPL-2.0-only
/* EINVAL: declares lists with a conversion. */
#include <tiffin/test_refused.h>

static void spoilt_convert(const struct tiffin_ctx *ctx, const struct tiffin_convert_in *in,
			   struct tiffin_convert_out *out)
{
	out->unknown = 1;
}

static const struct tiffin_store spoilt_stores[] = {
	{ "spoilt", 1, TIFFIN_STORE_LISTS, TIFFIN_SHARE_LOCKED, .lists = 1,
	  .convert = spoilt_convert },
};

REFUSED_POLICY(TIFFIN_STORES(spoilt_stores));
