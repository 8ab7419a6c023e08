// SPDX-License-Identifier: GPL-2.0-only
/* What the scope has in hand, for who is refused because of it. */

#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/string.h>

#include "core/scope.h"
#include "busy.h"

/* On probation, or no longer: what a request could do then is of no use where it ends anyway. */
static int tiffin_swap_busy_probation(struct tiffin_scope *scope, const char *who, const char *to)
{
	char undo[sizeof(scope->swap.undo)], held_up_by[sizeof(scope->swap.report.held_up_by)];
	unsigned long until = READ_ONCE(scope->swap.until);
	const char *family = scope->family->name;
	struct tiffin_swap *swap = &scope->swap;
	u64 ms;

	mutex_lock(&swap->text_lock);
	strscpy(undo, swap->undo, sizeof(undo));
	strscpy(held_up_by, swap->report.held_up_by, sizeof(held_up_by));
	ms = div_u64(ktime_get_ns() - swap->undo_ns, NSEC_PER_MSEC);
	mutex_unlock(&swap->text_lock);
	if (undo[0])
		return tiffin_refuse(scope, -EBUSY,
			"%s/%s is busy: %s is being rolled back: %s; for %llu ms%s%s; try again when state is stable",
			family, scope->name, who, undo, ms, held_up_by[0] ? ", held up by " : "",
			held_up_by);
	if (tiffin_scope_quarantined(scope))
		return tiffin_refuse(scope, -EBUSY,
			"%s/%s is busy: %s is in quarantine, and is being replaced; try again when state is stable",
			family, scope->name, to);
	return tiffin_refuse(scope, -EBUSY,
		"%s/%s is busy: %s is on probation for another %u ms; wait, commit it, or roll it back",
		family, scope->name, who,
		time_before(jiffies, until) ? jiffies_to_msecs(until - jiffies) : 0);
}

int tiffin_swap_busy(struct tiffin_scope *scope, enum tiffin_swap_state state)
{
	struct tiffin_swap *swap = &scope->swap;
	char who[2 * TIFFIN_ID_LEN + 32], to[TIFFIN_ID_LEN];
	const char *family = scope->family->name;
	u32 limit_ms;
	u64 ms;

	mutex_lock(&swap->text_lock);
	ms = div_u64(ktime_get_ns() - swap->report.began_ns, NSEC_PER_MSEC);
	limit_ms = swap->report.timeout_ms;
	/* Where the last swap failed, a sweep is of who was active then and is still. */
	strscpy(to, state == TIFFIN_SWEEPING && !strcmp(swap->report.result, "failed") ?
		swap->report.from : swap->report.to, sizeof(to));
	scnprintf(who, sizeof(who), "swap %llu (%s -> %s)", swap->report.id, swap->report.from, to);
	if (state == TIFFIN_PREPARING && (swap->report.result[0] || !to[0])) {
		/* It has the scope, and has not said yet what it wants. */
		strscpy(who, "another request", sizeof(who));
		ms = 0;
		limit_ms = READ_ONCE(scope->family->limits.timeout_ms);
	}
	mutex_unlock(&swap->text_lock);
	switch (state) {
	case TIFFIN_PROBATION:
		return tiffin_swap_busy_probation(scope, who, to);
	case TIFFIN_SWEEPING:
		return tiffin_refuse(scope, -EBUSY,
			"%s/%s is busy: records are being converted for %s, object %u of %u, %llu ms after the last swap was asked for; try again when state is stable",
			family, scope->name, to, READ_ONCE(swap->sweep.next),
			scope->family->max_objects, ms);
	default:
		return tiffin_refuse(scope, -EBUSY,
			"%s/%s is busy: %s is %s, %llu ms after it was asked for, of %u; try again when state is stable",
			family, scope->name, who, tiffin_swap_state_name(state), ms, limit_ms);
	}
}
