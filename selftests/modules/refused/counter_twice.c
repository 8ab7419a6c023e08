// SPDX-License-Identifier: GPL-2.0-only
/* EINVAL: declares two counters of one name. */
#include <tiffin/test_refused.h>

static const struct tiffin_counter spoilt_counters[] = {
	{ "spoilt", "test" },
	{ "spoilt", "test" },
};

REFUSED_POLICY(TIFFIN_COUNTERS(spoilt_counters));
