// SPDX-License-Identifier: GPL-2.0-only
/* expect: sections section __jump_table: static keys */
static const long defect __attribute__((section("__jump_table"), used)) = 1;
