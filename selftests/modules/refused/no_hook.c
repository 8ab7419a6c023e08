// SPDX-License-Identifier: GPL-2.0-only
/* EINVAL: lacks the hook that its family requires. */
#include <tiffin/test_refused.h>

static const struct tiffin_test_hooks spoilt_hooks = {
	.tell = refused_ask,
};

REFUSED_POLICY(TIFFIN_HOOKS(spoilt_hooks));
