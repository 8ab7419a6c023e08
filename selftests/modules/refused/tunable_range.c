// SPDX-License-Identifier: GPL-2.0-only
/* EINVAL: declares a tunable whose default lies outside its range. */
#include <tiffin/test_refused.h>

static const struct tiffin_tunable spoilt_tunables[] = {
	{ "spoilt", "test", 0, 1, 2 },
};

REFUSED_POLICY(TIFFIN_TUNABLES(spoilt_tunables));
