// SPDX-License-Identifier: GPL-2.0-only
/* expect: nothing */
#define TEXT __attribute__((section(".kprobes.text"), used, noipa))

struct names {
	const char *name;
	int (*leaf)(int n);
};

static TEXT int leaf(int n)
{
	int sum = 0;

	while (n--)
		sum += n ^ sum;
	return sum;
}

/* Called from two places, with a loop around one of them, and jumped to in the end. */
static TEXT int middle(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += leaf(i);
	return leaf(sum);
}

TEXT int fine(int n)
{
	if (n > 100)
		__builtin_trap();
	return middle(n) + leaf(n);
}

/* What stops speculation behind a return. */
TEXT void stop(void)
{
	__asm__ volatile("ret; int3");
}

const struct names fine_names[] __attribute__((section(".rodata.fine"), used)) = {
	{ "leaf", leaf },
};
