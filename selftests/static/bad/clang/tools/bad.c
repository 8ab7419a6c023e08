// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

int main(int argc, char **argv)
{
	char *p = malloc(argc);

	free(p);
	return *p;
}
