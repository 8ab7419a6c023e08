// SPDX-License-Identifier: GPL-2.0-only
/* expect: imports uses '__fentry__' of the kernel */
#define TEXT __attribute__((section(".kprobes.text"), used))

void __fentry__(void);

TEXT void defect(void)
{
	__fentry__();
}
