/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Health gates: limits that a policy on probation has to keep. A gate says what must hold, as in
 * hook_p99<5us or bad_answers<1. An upper limit is read all through the probation, a lower one at
 * its end. A gate may name a figure of dispatch, a figure of the family or a
 * counter of the policy; counts are taken from the beginning of the probation.
 */
#ifndef TIFFIN_UPGRADE_HEALTH_H
#define TIFFIN_UPGRADE_HEALTH_H

#include <linux/types.h>

#include "core/histogram.h"
#include <tiffin/plugin.h>

#define TIFFIN_MAX_GATES	8

/* A percentile of fewer timed calls than this breaks no gate before the probation is over. */
#define TIFFIN_MIN_SAMPLES	100

struct tiffin_loaded;
struct tiffin_scope;

enum tiffin_metric {
	TIFFIN_METRIC_HOOK_P50,
	TIFFIN_METRIC_HOOK_P99,
	TIFFIN_METRIC_HOOK_MAX,
	TIFFIN_METRIC_BAD_ANSWERS,
	TIFFIN_METRIC_CONTINUITY,
	TIFFIN_METRIC_FIGURE,
	TIFFIN_METRIC_COUNTER,
};

/**
 * struct tiffin_health_gate - one limit
 * @name: of the metric, as asked for
 * @below: true: the value must stay below @limit; false: above it
 * @limit: in the metric's unit; times in ns
 * @metric: what @name means, from tiffin_health_begin() on
 * @index: of the figure or counter
 * @start: the count when the probation began
 */
struct tiffin_health_gate {
	char name[TIFFIN_NAME_LEN + 8];
	bool below;
	u64 limit;
	enum tiffin_metric metric;
	u32 index;
	u64 start;
};

/**
 * struct tiffin_health - the gates of a probation
 * @nr: entries of @gates
 * @gates: the limits
 * @hook: two sums of hook times: at the beginning of the probation, and at the last reading;
 *	allocated before the flip, NULL outside a probation
 */
struct tiffin_health {
	u32 nr;
	struct tiffin_health_gate gates[TIFFIN_MAX_GATES];
	struct tiffin_hist_sum *hook;
};

/**
 * tiffin_health_parse - read a gate from text
 * @text: METRIC<NUMBER or METRIC>NUMBER; NUMBER may end in ns, us, ms, s or %
 * @gate: receives it
 *
 * Return: 0 or -EINVAL.
 */
int tiffin_health_parse(const char *text, struct tiffin_health_gate *gate);

/**
 * tiffin_health_resolve - find out what the gates name
 * @scope: where
 * @policy: whose counters may be named
 * @gates: the limits
 * @nr: entries of @gates
 * @why: receives a sentence that names the unknown metric
 * @len: bytes of @why
 *
 * Return: 0 or -EINVAL.
 */
int tiffin_health_resolve(struct tiffin_scope *scope, struct tiffin_loaded *policy,
			  struct tiffin_health_gate *gates, u32 nr, char *why, size_t len);

/**
 * tiffin_health_begin - the probation begins: note where all counts stand
 * @scope: whose active instance is on probation
 *
 * Context: process, may sleep; the swap's lock held. Memory was allocated before the flip.
 */
void tiffin_health_begin(struct tiffin_scope *scope);

/**
 * tiffin_health_broken - is a gate broken?
 * @scope: whose active instance is on probation
 * @last: the probation is over: lower limits (METRIC>NUMBER) count too, which hold only by then
 * @why: receives a sentence with the metric, its value and its limit, or, with @last, why none is
 * @len: bytes of @why
 *
 * Context: process, may sleep; the swap's lock held.
 * Return: true where one is.
 */
bool tiffin_health_broken(struct tiffin_scope *scope, bool last, char *why, size_t len);

#endif /* TIFFIN_UPGRADE_HEALTH_H */
