// SPDX-License-Identifier: GPL-2.0-only
/* EINVAL: declares a tunable whose range is empty. */
#include <tiffin/test_refused.h>

static const struct tiffin_tunable spoilt_tunables[] = {
	{ "spoilt", "test", 1, 0, 1 },
};

REFUSED_POLICY(TIFFIN_TUNABLES(spoilt_tunables));
