// SPDX-License-Identifier: GPL-2.0-only
/* expect: imports uses '__kmalloc' of the kernel */
#define TEXT __attribute__((section(".kprobes.text"), used))

void *__kmalloc(unsigned long size, unsigned int flags);

TEXT void *defect(void)
{
	return __kmalloc(64, 0);
}
