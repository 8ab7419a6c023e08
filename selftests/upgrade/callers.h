/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads that play CPUs and ask without end, and signals that play their interrupts. */
#ifndef TIFFIN_UPGRADE_CALLERS_H
#define TIFFIN_UPGRADE_CALLERS_H

#include "shim.h"

/* CPU 0 is the swapper's. */
#define MAX_CALLERS	(SHIM_MAX_CPUS - 1)

/**
 * callers_start - let them ask, until callers_stop()
 * @nr: how many, 1 to MAX_CALLERS; number 0 is CPU 1, and so on
 * @signals: interrupt each of them all the time
 * @ask: one question of caller number @caller; @nested where it comes in an interrupt
 */
bool callers_start(unsigned int nr, bool signals, void (*ask)(unsigned int caller, bool nested));
void callers_stop(void);

/* Each of them has asked once more. */
void callers_let_run(void);

/* No question is under way, and none comes before callers_go_on(). */
void callers_park(void);
void callers_go_on(void);

#endif /* TIFFIN_UPGRADE_CALLERS_H */
