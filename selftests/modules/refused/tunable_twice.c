// SPDX-License-Identifier: GPL-2.0-only
/* EINVAL: declares two tunables of one name. */
#include <tiffin/test_refused.h>

static const struct tiffin_tunable spoilt_tunables[] = {
	{ "spoilt", "test", 0, 1, 0 },
	{ "spoilt", "test", 0, 1, 0 },
};

REFUSED_POLICY(TIFFIN_TUNABLES(spoilt_tunables));
