/* SPDX-License-Identifier: GPL-2.0-only */
/* What there is to tell of a policy in quarantine: why, when, what is active instead, what next. */
#ifndef QUARANTINE_H
#define QUARANTINE_H

#include "output.h"

/**
 * quarantine_read - the story of a policy in quarantine
 * @policy: as of policy_read()
 *
 * Return: an object of faults (array of number, time_ms, cpu, what; null where this user may not
 * read them), active (array of scope, policy) and next; NULL where the policy is not in quarantine.
 */
struct json_object *quarantine_read(struct json_object *policy);

/* Print it below the policy. */
void quarantine_print(struct json_object *quarantine);

/* One line for each policy of the array that is in quarantine. */
void quarantine_hint(struct json_object *policies);

#endif /* QUARANTINE_H */
