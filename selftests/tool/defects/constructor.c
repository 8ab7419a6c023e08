// SPDX-License-Identifier: GPL-2.0-only
/* expect: sections section .init_array.*: a constructor would run */
static void *const defect __attribute__((section(".init_array"), used)) = (void *)1;
