// SPDX-License-Identifier: GPL-2.0-only
/* The ranges of struct tiffin_limits. */

#include <linux/kernel.h>
#include <linux/stddef.h>

#include "core/family.h"
#include "core/limits.h"

const struct tiffin_limit_range tiffin_limit_range[TIFFIN_LIMITS] = {
	[TIFFIN_LIMIT_HOLD_NS] = {
		"hold_ns", offsetof(struct tiffin_limits, hold_ns), 0, 1000000 },
	[TIFFIN_LIMIT_CLOSE_US] = {
		"close_us", offsetof(struct tiffin_limits, close_us), 1, 10000 },
	[TIFFIN_LIMIT_TIMEOUT_MS] = {
		"timeout_ms", offsetof(struct tiffin_limits, timeout_ms), 1, 600000 },
	[TIFFIN_LIMIT_PROBATION_MS] = {
		"probation_ms", offsetof(struct tiffin_limits, probation_ms), 0, 86400000 },
};

int tiffin_limit_parse(enum tiffin_limit limit, const char *text, u32 *value)
{
	const struct tiffin_limit_range *range = &tiffin_limit_range[limit];
	u32 n;
	int rc = kstrtou32(text, 10, &n);

	if (rc)
		return rc;
	if (n < range->min || n > range->max)
		return -ERANGE;
	*value = n;
	return 0;
}
