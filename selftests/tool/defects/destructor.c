// SPDX-License-Identifier: GPL-2.0-only
/* expect: sections section .fini_array: a destructor would run */
static void *const defect __attribute__((section(".fini_array"), used)) = (void *)1;
