// SPDX-License-Identifier: GPL-2.0-only
/* EINVAL: declares more tunables than a policy may. */
#include <tiffin/test_refused.h>

static const struct tiffin_tunable spoilt_tunables[] = {
	[0 ... TIFFIN_MAX_TUNABLES] = { "spoilt", "test", 0, 1, 0 },
};

REFUSED_POLICY(TIFFIN_TUNABLES(spoilt_tunables));
