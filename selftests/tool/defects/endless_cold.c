// SPDX-License-Identifier: GPL-2.0-only
/* expect: loops defect_cold\(\) has a loop that nothing leaves */
__asm__(".section .kprobes.text, \"ax\"\n"
	".type defect, @function\n"
	"defect:	test %edi, %edi\n"
	"	jne defect_cold\n"
	"	ret\n"
	".size defect, . - defect\n"
	"	nop\n"
	".type defect_cold, @function\n"
	"defect_cold:	dec %edi\n"
	"1:	js 2f\n"
	"	inc %edi\n"
	"2:	dec %edi\n"
	"	jmp 1b\n"
	".size defect_cold, . - defect_cold\n");
