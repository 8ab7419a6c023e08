// SPDX-License-Identifier: GPL-2.0-only
/* expect: code recursion \(odd, even\)|recursion \(even, odd\) */
int odd(int n);

__attribute__((section(".kprobes.text"), used, noipa)) int even(int n)
{
	return n ? odd(n - 1) + 1 : 0;
}

__attribute__((section(".kprobes.text"), used, noipa)) int odd(int n)
{
	return n ? even(n - 1) + 1 : 0;
}
