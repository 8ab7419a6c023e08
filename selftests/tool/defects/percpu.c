// SPDX-License-Identifier: GPL-2.0-only
/* expect: sections section .data..percpu: .*per-CPU variables */
static int defect __attribute__((section(".data..percpu"), used)) = 1;
