// SPDX-License-Identifier: GPL-2.0-only
/* expect: sections section __bug_table: BUG and WARN */
static const long defect __attribute__((section("__bug_table"), used)) = 1;
