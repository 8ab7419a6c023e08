/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The queues that the work of swaps is done on.
 *
 * All of it may be what memory waits for: a bad policy is rolled back because the machine reclaims
 * without end, and a sweep's end gives the older layout's memory back. No worker can be forked
 * then. So each queue has one thread from the start that does its work where there is no other
 * (WQ_MEM_RECLAIM), and none is one of the kernel's, whose work waits for a fork, and with it
 * whoever ends a sweep.
 *
 * They are three because that thread does one work after the other: a sweep takes as long as there
 * are records, and no other scope's probation or rescue is to come after that. Works on the same
 * queue do wait for each other where there is no memory, and there alone.
 */
#ifndef TIFFIN_UPGRADE_WORK_H
#define TIFFIN_UPGRADE_WORK_H

#include <linux/workqueue.h>

/* Of probations (swap.h), sweeps (sweep.h) and rescues (rescue.h). */
extern struct workqueue_struct *tiffin_probation_wq;
extern struct workqueue_struct *tiffin_sweep_wq;
extern struct workqueue_struct *tiffin_rescue_wq;

/* Make the queues; end them, when nothing is queued any more. May sleep. */
int tiffin_work_init(void);
void tiffin_work_exit(void);

#endif /* TIFFIN_UPGRADE_WORK_H */
