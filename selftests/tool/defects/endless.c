// SPDX-License-Identifier: GPL-2.0-only
/* expect: loops defect\(\) has a loop that nothing leaves */
__attribute__((section(".kprobes.text"), used, noipa)) unsigned int defect(unsigned int n)
{
	for (unsigned int i = 0; n; i += n)
		__asm__ volatile("" : "+r"(i));
	return n;
}
