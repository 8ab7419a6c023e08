// SPDX-License-Identifier: GPL-2.0-only
/* expect: probes kprobes can be put into its code in .text: defect */
__attribute__((used)) void defect(void)
{
}
