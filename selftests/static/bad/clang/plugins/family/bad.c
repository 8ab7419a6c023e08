// SPDX-License-Identifier: GPL-2.0-only
#include <tiffin/plugin.h>

__u32 bad(__u32 n)
{
	__u32 unset;

	if (n)
		unset = 1;
	return unset;
}
