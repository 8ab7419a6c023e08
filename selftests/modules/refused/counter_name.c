// SPDX-License-Identifier: GPL-2.0-only
/* EINVAL: declares a counter without a name. */
#include <tiffin/test_refused.h>

static const struct tiffin_counter spoilt_counters[] = {
	{ "", "test" },
};

REFUSED_POLICY(TIFFIN_COUNTERS(spoilt_counters));
