// SPDX-License-Identifier: GPL-2.0-only
/* expect: probes kprobes can be put into its code in .text.unlikely: defect */
__attribute__((section(".text.unlikely"), used)) void defect(void)
{
}
