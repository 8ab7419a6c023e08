// SPDX-License-Identifier: GPL-2.0-only
/* expect: sections section __param: a policy has no module parameters */
static const long defect __attribute__((section("__param"), used)) = 1;
