// SPDX-License-Identifier: GPL-2.0-only
/* expect: sections writable data in .bss: defect */
static int defect __attribute__((used));
