// SPDX-License-Identifier: GPL-2.0-only
/* The rescue; what it does and its invariants are in rescue.h. */

#include <linux/jiffies.h>

#include "core/quarantine.h"
#include "core/scope.h"
#include "rescue.h"
#include "swap.h"
#include "work.h"

/* How long a scope that could not be helped waits for the next attempt. */
#define TIFFIN_RESCUE_AGAIN	msecs_to_jiffies(10)

/*
 * SysRq has asked for it; @rc: of a rescue, which comes first and has failed, or 0. Return: whether
 * it has to be tried again.
 */
static bool tiffin_rescue_default(struct tiffin_scope *scope, int rc)
{
	struct tiffin_rescue *rescue = &scope->rescue;
	unsigned long until = READ_ONCE(rescue->until);

	if (!rc)
		rc = tiffin_swap_default(scope, "SysRq");
	if (!rc || rc == -EALREADY)
		return false;
	if (time_before(jiffies, until)) {
		WRITE_ONCE(rescue->to_default, true);
		return true;
	}
	pr_err("tiffin: %s/%s: the default could not be made active within %u s of SysRq (%d): state and last_swap say what is in the way; then ask again\n",
	       scope->family->name, scope->name, TIFFIN_RESCUE_ALL_MS / 1000, rc);
	return false;
}

static void tiffin_rescue_work(struct work_struct *work)
{
	struct tiffin_scope *scope = container_of(to_delayed_work(work), struct tiffin_scope,
						  rescue.work);
	struct tiffin_rescue *rescue = &scope->rescue;
	bool again = false;
	int rc = 0;

	if (tiffin_scope_quarantined(scope)) {
		rc = tiffin_swap_rescue(scope);
		again = rc && tiffin_scope_quarantined(scope);
	}
	if (xchg(&rescue->to_default, false) && tiffin_rescue_default(scope, again ? rc : 0))
		again = true;
	if (again)
		mod_delayed_work(tiffin_rescue_wq, &rescue->work, TIFFIN_RESCUE_AGAIN);
}

static void tiffin_rescue_irq(struct irq_work *irq)
{
	struct tiffin_rescue *rescue = container_of(irq, struct tiffin_rescue, irq);

	mod_delayed_work(tiffin_rescue_wq, &rescue->work, 0);
}

void tiffin_rescue_wake(struct tiffin_scope *scope)
{
	irq_work_queue(&scope->rescue.irq);
}

static void tiffin_rescue_all_work(struct work_struct *work)
{
	struct tiffin_family *family = NULL;
	struct tiffin_rescue *rescue;

	while ((family = tiffin_family_next(family))) {
		rescue = &family->scope->rescue;
		WRITE_ONCE(rescue->until, jiffies + msecs_to_jiffies(TIFFIN_RESCUE_ALL_MS));
		/* Who finds that it is asked for finds until when. */
		smp_store_release(&rescue->to_default, true);
		mod_delayed_work(tiffin_rescue_wq, &rescue->work, 0);
	}
}

static DECLARE_DELAYED_WORK(tiffin_rescue_all_scopes, tiffin_rescue_all_work);

void tiffin_rescue_all(void)
{
	mod_delayed_work(tiffin_rescue_wq, &tiffin_rescue_all_scopes, 0);
}

void tiffin_rescue_scope_init(struct tiffin_scope *scope)
{
	init_irq_work(&scope->rescue.irq, tiffin_rescue_irq);
	INIT_DELAYED_WORK(&scope->rescue.work, tiffin_rescue_work);
}

void tiffin_rescue_scope_exit(struct tiffin_scope *scope)
{
	irq_work_sync(&scope->rescue.irq);
	cancel_delayed_work_sync(&scope->rescue.work);
}

void tiffin_rescue_exit(void)
{
	cancel_delayed_work_sync(&tiffin_rescue_all_scopes);
}
