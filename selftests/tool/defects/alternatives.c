// SPDX-License-Identifier: GPL-2.0-only
/* expect: sections section .altinstructions: alternatives */
static const long defect __attribute__((section(".altinstructions"), used)) = 1;
