// SPDX-License-Identifier: GPL-2.0-only
/* expect: nothing */
__asm__(".section .kprobes.text, \"ax\"\n"
	".type parts, @function\n"
	"parts:	dec %edi\n"
	"1:	test %edi, %edi\n"
	"	jne parts_cold\n"
	"	ret\n"
	".size parts, . - parts\n"
	"	nop\n"
	".type parts_cold, @function\n"
	"parts_cold:	dec %edi\n"
	"	jmp 1b\n"
	".size parts_cold, . - parts_cold\n");
