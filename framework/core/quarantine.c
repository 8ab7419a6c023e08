// SPDX-License-Identifier: GPL-2.0-only
/* Quarantine; what it is and its invariants are in quarantine.h. */

#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/panic.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "core/event.h"
#include "core/quarantine.h"
#include "core/scope.h"
#include "rescue.h"

/**
 * struct tiffin_quarantine_entry - an ended call
 * @nr: from 1; 0: this place is free
 * @when_ns: time of day
 * @cpu: where
 * @told: it is in the log
 * @policy: full id
 * @family: name
 * @why: and where in the policy, in words
 * @detail: registers, or ""
 */
struct tiffin_quarantine_entry {
	u64 nr;
	u64 when_ns;
	int cpu;
	bool told;
	char policy[TIFFIN_ID_LEN];
	char family[TIFFIN_NAME_LEN];
	char why[TIFFIN_WHY_LEN];
	char detail[sizeof_field(struct tiffin_quarantine_note, detail)];
};

/* Taken with interrupts disabled, from any context but NMI. */
static DEFINE_RAW_SPINLOCK(tiffin_quarantine_lock);
static struct tiffin_quarantine_entry tiffin_quarantine_ring[TIFFIN_FAULTS];
static u64 tiffin_quarantine_nr;

/* Where the ring begins: the number of its oldest entry, less one. */
static u64 tiffin_quarantine_first(void)
{
	return tiffin_quarantine_nr > TIFFIN_FAULTS ? tiffin_quarantine_nr - TIFFIN_FAULTS : 0;
}

void tiffin_quarantine(struct tiffin_loaded *policy, const struct tiffin_quarantine_note *note)
{
	struct tiffin_quarantine_entry *entry;
	unsigned long flags;

	/* Q1 */
	WRITE_ONCE(policy->quarantined, true);
	raw_spin_lock_irqsave(&tiffin_quarantine_lock, flags);
	entry = &tiffin_quarantine_ring[tiffin_quarantine_nr++ % TIFFIN_FAULTS];
	entry->nr = tiffin_quarantine_nr;
	entry->when_ns = ktime_get_real_fast_ns();
	entry->cpu = smp_processor_id();
	entry->told = false;
	strscpy(entry->policy, policy->id, sizeof(entry->policy));
	strscpy(entry->family, policy->family->name, sizeof(entry->family));
	scnprintf(entry->why, sizeof(entry->why), "%s%s%s", note->what,
		  note->where[0] ? " at " : "", note->where);
	strscpy(entry->detail, note->detail, sizeof(entry->detail));
	if (!policy->why[0])
		strscpy(policy->why, entry->why, sizeof(policy->why));
	raw_spin_unlock_irqrestore(&tiffin_quarantine_lock, flags);
	tiffin_rescue_wake(policy->family->scope);
}

void tiffin_quarantine_answer(struct tiffin_loaded *policy)
{
	static const struct tiffin_quarantine_note note = {
		.what = "too many answers out of range",
	};
	u32 limit = READ_ONCE(policy->family->limits.bad_answers);

	if (!limit)
		return;
	if (time_after(jiffies, READ_ONCE(policy->bad_since) + HZ)) {
		WRITE_ONCE(policy->bad_since, jiffies);
		atomic_set(&policy->bad_answers, 0);
	}
	if ((u32)atomic_inc_return(&policy->bad_answers) > limit && !tiffin_quarantined(policy))
		tiffin_quarantine(policy, &note);
}

/* The oldest entry of a family that is not in the log yet; it counts as told from here on. */
static bool tiffin_quarantine_next(const char *family, struct tiffin_quarantine_entry *found)
{
	struct tiffin_quarantine_entry *entry;
	bool any = false;
	u64 nr;

	raw_spin_lock_irq(&tiffin_quarantine_lock);
	for (nr = tiffin_quarantine_first(); nr < tiffin_quarantine_nr && !any; nr++) {
		entry = &tiffin_quarantine_ring[nr % TIFFIN_FAULTS];
		any = !entry->told && !strcmp(entry->family, family);
		if (any) {
			entry->told = true;
			*found = *entry;
		}
	}
	raw_spin_unlock_irq(&tiffin_quarantine_lock);
	return any;
}

void tiffin_quarantine_tell(struct tiffin_loaded *loaded)
{
	/* For lack of memory nothing is kept back. */
	static struct tiffin_quarantine_entry entry;
	static DEFINE_MUTEX(telling);
	bool first;

	mutex_lock(&telling);
	while (tiffin_quarantine_next(loaded->family->name, &entry)) {
		add_taint(TAINT_DIE, LOCKDEP_STILL_OK);
		pr_err("tiffin: policy %s of family %s is in quarantine: %s on CPU %d; %s\n",
		       entry.policy, entry.family, entry.why, entry.cpu, entry.detail);
	}
	first = !loaded->told;
	loaded->told = true;
	mutex_unlock(&telling);
	/* The rescue may have to come more than once. */
	if (first)
		tiffin_event_policy(loaded, "quarantine");
}

void tiffin_quarantine_why(const struct tiffin_loaded *policy, char *buf, size_t len)
{
	raw_spin_lock_irq(&tiffin_quarantine_lock);
	strscpy(buf, policy->why, len);
	raw_spin_unlock_irq(&tiffin_quarantine_lock);
}

/* Entry number @nr of the ring as a line; or, with no room at all, how long it would be. */
static int tiffin_quarantine_line(u64 nr, char *buf, size_t room)
{
	const struct tiffin_quarantine_entry *entry = &tiffin_quarantine_ring[nr % TIFFIN_FAULTS];

	return snprintf(buf, room, "%llu %llu.%06llu %s %s CPU %d: %s\n", entry->nr,
			entry->when_ns / NSEC_PER_SEC,
			entry->when_ns % NSEC_PER_SEC / NSEC_PER_USEC, entry->family,
			entry->policy, entry->cpu, entry->why);
}

ssize_t tiffin_quarantine_show(char *buf)
{
	size_t len = 0;
	u64 nr, first;

	raw_spin_lock_irq(&tiffin_quarantine_lock);
	/* sysfs gives a page: where names are long, what does not fit is of the oldest. */
	for (first = tiffin_quarantine_nr; first > tiffin_quarantine_first(); first--) {
		len += tiffin_quarantine_line(first - 1, NULL, 0);
		if (len >= PAGE_SIZE)
			break;
	}
	for (nr = first, len = 0; nr < tiffin_quarantine_nr; nr++)
		len += tiffin_quarantine_line(nr, buf + len, PAGE_SIZE - len);
	raw_spin_unlock_irq(&tiffin_quarantine_lock);
	return len;
}
