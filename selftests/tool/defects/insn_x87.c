// SPDX-License-Identifier: GPL-2.0-only
/* expect: code defect\(\) has the instruction 'fldz': .*floating-point */
__attribute__((section(".kprobes.text"), used)) void defect(void)
{
	__asm__ volatile("fldz" ::: "memory");
}
