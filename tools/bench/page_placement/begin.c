// SPDX-License-Identifier: GPL-2.0-only
/* Executes a mark: the plugin begins to count. */
#include "../mark.h"

int main(void)
{
	mark();
	return 0;
}
