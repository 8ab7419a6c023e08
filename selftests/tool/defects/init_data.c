// SPDX-License-Identifier: GPL-2.0-only
/* expect: sections writable data in .init.data: .*defect */
static long defect __attribute__((section(".init.data"), used)) = 1;
