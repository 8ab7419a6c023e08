// SPDX-License-Identifier: GPL-2.0-only
/* expect: sections section __ex_table: a policy handles no exceptions */
static const long defect __attribute__((section("__ex_table"), used)) = 1;
