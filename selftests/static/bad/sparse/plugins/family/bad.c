// SPDX-License-Identifier: GPL-2.0-only
#include <tiffin/plugin.h>

void *bad(void)
{
	return 0;
}
