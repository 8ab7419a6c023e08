// SPDX-License-Identifier: GPL-2.0-only
/* expect: probes 2 ftrace sites */
static const long defect[2] __attribute__((section("__mcount_loc"), used)) = { 1, 2 };
