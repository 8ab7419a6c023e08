/* SPDX-License-Identifier: GPL-2.0-only */
/* The ranges of struct tiffin_limits, one place for sysfs and for swap requests. */
#ifndef TIFFIN_CORE_LIMITS_H
#define TIFFIN_CORE_LIMITS_H

#include <linux/types.h>

struct tiffin_limits;

enum tiffin_limit {
	TIFFIN_LIMIT_HOLD_NS,
	TIFFIN_LIMIT_CLOSE_US,
	TIFFIN_LIMIT_TIMEOUT_MS,
	TIFFIN_LIMIT_PROBATION_MS,
	TIFFIN_LIMIT_STORES_KIB,
	TIFFIN_LIMIT_BUDGET_US,
	TIFFIN_LIMIT_CPU_PERCENT,
	TIFFIN_LIMIT_BAD_ANSWERS,
	TIFFIN_LIMITS,
};

/**
 * struct tiffin_limit_range - what a limit may be
 * @name: its file under limits/
 * @offset: in struct tiffin_limits
 * @min: smallest value
 * @max: largest value
 */
struct tiffin_limit_range {
	const char *name;
	u32 offset;
	u32 min;
	u32 max;
};

extern const struct tiffin_limit_range tiffin_limit_range[TIFFIN_LIMITS];

/**
 * tiffin_limit_parse - read a limit from text
 * @limit: which
 * @text: a decimal number
 * @value: receives it
 *
 * Return: 0; -EINVAL where it is no number, -ERANGE where it is out of range.
 */
int tiffin_limit_parse(enum tiffin_limit limit, const char *text, u32 *value);

/* Fill in the limits that depend on the machine, where the family has left them 0. */
void tiffin_limits_complete(struct tiffin_limits *limits);

#endif /* TIFFIN_CORE_LIMITS_H */
