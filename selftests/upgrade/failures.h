/* SPDX-License-Identifier: GPL-2.0-only */
/* Failed expectations of a program with threads: counted, and the first ones told. */
#ifndef TIFFIN_UPGRADE_FAILURES_H
#define TIFFIN_UPGRADE_FAILURES_H

#include "expect.h"

extern unsigned int failures;

#endif /* TIFFIN_UPGRADE_FAILURES_H */
