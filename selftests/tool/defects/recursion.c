// SPDX-License-Identifier: GPL-2.0-only
/* expect: code recursion \(defect\) */
__attribute__((section(".kprobes.text"), used, noipa)) int defect(int n)
{
	return n ? defect(n - 1) + n : 0;
}
