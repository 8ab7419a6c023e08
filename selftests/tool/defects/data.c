// SPDX-License-Identifier: GPL-2.0-only
/* expect: sections writable data in .data: defect_[ab], defect_[ab] */
int defect_a = 1;
int defect_b = 2;
