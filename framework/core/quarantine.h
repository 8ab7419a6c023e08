/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Quarantine: where a policy that had to be ended stays. It is never entered again; what else was
 * asked of it is answered by continuity until another policy is active (upgrade/rescue.h).
 *
 * Invariants:
 *  Q1. One store puts a policy there, from any context that calls policies, and nothing takes it
 *	out but the unloading of its module.
 *  Q2. A call that begins after it is not put to the policy; calls that are in it meanwhile, on
 *	other CPUs or nested, end as they do.
 *  Q3. Each ended call is kept in a ring of the last TIFFIN_FAULTS; what tells of it (log, event)
 *	happens in process context.
 */
#ifndef TIFFIN_CORE_QUARANTINE_H
#define TIFFIN_CORE_QUARANTINE_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "core/registry.h"

#define TIFFIN_FAULTS	16

/**
 * struct tiffin_quarantine_note - why
 * @what: in words; a literal
 * @where: function and offset in the policy, or ""
 * @detail: registers, or ""
 */
struct tiffin_quarantine_note {
	const char *what;
	char where[128];
	char detail[448];
};

static __always_inline bool tiffin_quarantined(const struct tiffin_loaded *policy)
{
	return READ_ONCE(policy->quarantined);
}

/**
 * tiffin_quarantine - a call of the policy had to be ended, or it is too slow, or answers badly
 * @policy: not the built-in default
 * @note: why
 *
 * Context: any but NMI, whatever locks of others are held: it takes a lock of its own alone, and
 * wakes nobody.
 */
void tiffin_quarantine(struct tiffin_loaded *policy, const struct tiffin_quarantine_note *note);

/**
 * tiffin_quarantine_answer - a policy has given an answer out of range
 * @policy: which
 *
 * Counts them; where they are more within a second than limits/bad_answers, that is a fault. CPUs
 * that come at the end of a second together may count some too few.
 *
 * Context: any but NMI.
 */
void tiffin_quarantine_answer(struct tiffin_loaded *policy);

/**
 * tiffin_quarantine_tell - log what has come into the ring since the last time, and send events
 * @loaded: policies of this one's family only
 *
 * Context: process, may sleep; @loaded is held.
 */
void tiffin_quarantine_tell(struct tiffin_loaded *loaded);

/* Why the policy came there first, for a report; "" where it is not there. */
void tiffin_quarantine_why(const struct tiffin_loaded *policy, char *buf, size_t len);

/* The ring, oldest first, or what of it fits into a page, for sysfs. Context: process. */
ssize_t tiffin_quarantine_show(char *buf);

#endif /* TIFFIN_CORE_QUARANTINE_H */
