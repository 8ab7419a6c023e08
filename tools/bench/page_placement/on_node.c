// SPDX-License-Identifier: GPL-2.0-only
/* on_node NODE COMMAND...: run COMMAND with all its memory on that node. */
#include <err.h>
#include <linux/mempolicy.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	unsigned long nodes;

	if (argc < 3)
		errx(2, "want a node and a command");
	nodes = 1ul << atoi(argv[1]);
	if (syscall(SYS_set_mempolicy, MPOL_BIND, &nodes, 8 * sizeof(nodes)))
		err(2, "set_mempolicy");
	execvp(argv[2], argv + 2);
	err(2, "%s", argv[2]);
}
