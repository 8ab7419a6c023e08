// SPDX-License-Identifier: GPL-2.0-only
/* expect: sections writable data in .wx */
__asm__(".section .wx, \"awx\", @progbits; ret; .previous");
