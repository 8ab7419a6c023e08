// SPDX-License-Identifier: GPL-2.0-only
/* The queues that the work of swaps is done on; why there are three is in work.h. */

#include <linux/errno.h>

#include "work.h"

#define TIFFIN_WQ_FLAGS	(WQ_MEM_RECLAIM | WQ_UNBOUND)

struct workqueue_struct *tiffin_probation_wq;
struct workqueue_struct *tiffin_sweep_wq;
struct workqueue_struct *tiffin_rescue_wq;

int tiffin_work_init(void)
{
	tiffin_probation_wq = alloc_workqueue("tiffin_probation", TIFFIN_WQ_FLAGS, 0);
	if (!tiffin_probation_wq)
		return -ENOMEM;
	tiffin_sweep_wq = alloc_workqueue("tiffin_sweep", TIFFIN_WQ_FLAGS, 0);
	if (!tiffin_sweep_wq)
		goto err_probation;
	tiffin_rescue_wq = alloc_workqueue("tiffin_rescue", TIFFIN_WQ_FLAGS | WQ_HIGHPRI, 0);
	if (!tiffin_rescue_wq)
		goto err_sweep;
	return 0;

err_sweep:
	destroy_workqueue(tiffin_sweep_wq);
err_probation:
	destroy_workqueue(tiffin_probation_wq);
	return -ENOMEM;
}

void tiffin_work_exit(void)
{
	destroy_workqueue(tiffin_rescue_wq);
	destroy_workqueue(tiffin_sweep_wq);
	destroy_workqueue(tiffin_probation_wq);
}
