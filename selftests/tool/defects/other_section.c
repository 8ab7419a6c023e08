// SPDX-License-Identifier: GPL-2.0-only
/* expect: sections section 'firmware', which no policy needs */
static const long defect __attribute__((section("firmware"), used)) = 1;
