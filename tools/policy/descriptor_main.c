// SPDX-License-Identifier: GPL-2.0-only
/* Linked with a policy's object by tools/policy/build: prints what is wrong with its descriptor. */
#include <stdio.h>

#include "descriptor.h"

extern const struct tiffin_policy tiffin_policy;

int main(void)
{
	const char *wrong = policy_check(&tiffin_policy);

	if (wrong)
		puts(wrong);
	return !!wrong;
}
