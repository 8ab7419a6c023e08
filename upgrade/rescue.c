// SPDX-License-Identifier: GPL-2.0-only
/* The rescue; what it does and its invariants are in rescue.h. */

#include <linux/workqueue.h>

#include "core/quarantine.h"
#include "core/scope.h"
#include "rescue.h"
#include "swap.h"

/* How long a scope that could not be helped waits for the next attempt. */
#define TIFFIN_RESCUE_AGAIN	msecs_to_jiffies(10)

/* Its worker is there from the start: it needs no memory to begin. */
static struct workqueue_struct *tiffin_rescue_wq;
static bool tiffin_rescue_defaults;

/* Return: whether the scope has to be looked at again. */
static bool tiffin_rescue_scope(struct tiffin_scope *scope, bool all)
{
	bool again = false;
	int rc;

	if (tiffin_scope_quarantined(scope)) {
		rc = tiffin_swap_rescue(scope);
		again = rc && tiffin_scope_quarantined(scope);
	}
	if (all && !again) {
		rc = tiffin_swap_default(scope, "SysRq");
		again = rc && rc != -EALREADY;
	}
	return again;
}

static void tiffin_rescue_work(struct work_struct *work)
{
	bool all = xchg(&tiffin_rescue_defaults, false), again = false;
	struct tiffin_family *family = NULL;

	while ((family = tiffin_family_next(family)))
		again |= tiffin_rescue_scope(family->scope, all);
	if (!again)
		return;
	if (all)
		WRITE_ONCE(tiffin_rescue_defaults, true);
	mod_delayed_work(tiffin_rescue_wq, to_delayed_work(work), TIFFIN_RESCUE_AGAIN);
}

static DECLARE_DELAYED_WORK(tiffin_rescue, tiffin_rescue_work);

void tiffin_rescue_wake(void)
{
	mod_delayed_work(tiffin_rescue_wq, &tiffin_rescue, 0);
}

void tiffin_rescue_all(void)
{
	WRITE_ONCE(tiffin_rescue_defaults, true);
	tiffin_rescue_wake();
}

int tiffin_rescue_init(void)
{
	tiffin_rescue_wq = alloc_workqueue("tiffin_rescue", WQ_MEM_RECLAIM | WQ_HIGHPRI |
					   WQ_UNBOUND, 1);
	return tiffin_rescue_wq ? 0 : -ENOMEM;
}

void tiffin_rescue_exit(void)
{
	cancel_delayed_work_sync(&tiffin_rescue);
	destroy_workqueue(tiffin_rescue_wq);
}
