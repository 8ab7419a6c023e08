// SPDX-License-Identifier: GPL-2.0-only
/* expect: sections section __ksymtab_gpl: a policy exports nothing */
static const long defect __attribute__((section("__ksymtab_gpl"), used)) = 1;
