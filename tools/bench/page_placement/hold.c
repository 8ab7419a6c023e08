// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds memory of a node, locked, so that so much of it is left free; says "ready", and keeps it
 * until it is killed.
 *
 *	hold NODE FREE_KIB
 */
#include <err.h>
#include <linux/mempolicy.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STEP_KIB = 256, HOW = MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE };

static long free_kib(int node)
{
	char path[64], line[128];
	long kib = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/meminfo", node);
	file = fopen(path, "r");
	if (!file)
		err(2, "%s", path);
	while (kib < 0 && fgets(line, sizeof(line), file))
		sscanf(line, "Node %*d MemFree: %ld", &kib);
	fclose(file);
	if (kib < 0)
		errx(2, "%s: no MemFree", path);
	return kib;
}

int main(int argc, char **argv)
{
	unsigned long nodes;
	long want, is;
	int node;

	if (argc != 3)
		errx(2, "want a node and KiB");
	node = atoi(argv[1]);
	want = atol(argv[2]);
	nodes = 1ul << node;
	if (syscall(SYS_set_mempolicy, MPOL_BIND, &nodes, 8 * sizeof(nodes)))
		err(2, "set_mempolicy");
	while ((is = free_kib(node)) > want) {
		long kib = is - want > 4 * STEP_KIB ? (is - want) / 2 : STEP_KIB;

		if (mmap(NULL, (size_t)kib << 10, PROT_READ | PROT_WRITE, HOW, -1, 0) ==
		    MAP_FAILED)
			err(2, "%ld KiB", kib);
	}
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
