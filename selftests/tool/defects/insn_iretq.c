// SPDX-License-Identifier: GPL-2.0-only
/* expect: code defect\(\) has the instruction 'iretq' */
__attribute__((section(".kprobes.text"), used)) void defect(void)
{
	__asm__ volatile("iretq");
}
