// SPDX-License-Identifier: GPL-2.0-only
/* expect: sections writable variable: defect */
int defect;
