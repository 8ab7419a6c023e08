// SPDX-License-Identifier: GPL-2.0-only
/* expect: sections section .ctors: a constructor would run */
static void *const defect __attribute__((section(".ctors"), used)) = (void *)1;
