// SPDX-License-Identifier: GPL-2.0-only
/* expect: imports uses 'tiffin_family_register' of the kernel */
#define TEXT __attribute__((section(".kprobes.text"), used))

int tiffin_family_register(void *family);

TEXT int defect(void)
{
	return tiffin_family_register(0);
}
