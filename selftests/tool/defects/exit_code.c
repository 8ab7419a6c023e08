// SPDX-License-Identifier: GPL-2.0-only
/* expect: init .exit.text refers to .kprobes.text */
static __attribute__((section(".kprobes.text"), used, noipa)) void helper(void)
{
}

__attribute__((section(".exit.text"), used)) void defect(void)
{
	helper();
}
