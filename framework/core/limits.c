// SPDX-License-Identifier: GPL-2.0-only
/* The ranges of struct tiffin_limits. */

#include <linux/kernel.h>
#include <linux/mm.h>
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
	[TIFFIN_LIMIT_STORES_KIB] = {
		"stores_kib", offsetof(struct tiffin_limits, stores_kib), 1, U32_MAX },
	[TIFFIN_LIMIT_BUDGET_US] = {
		"budget_us", offsetof(struct tiffin_limits, budget_us), 4000, 600000000 },
	[TIFFIN_LIMIT_CPU_PERCENT] = {
		"cpu_percent", offsetof(struct tiffin_limits, cpu_percent), 1, 100 },
	[TIFFIN_LIMIT_BAD_ANSWERS] = {
		"bad_answers", offsetof(struct tiffin_limits, bad_answers), 0, U32_MAX },
};

/*
 * Stores get this part of memory: 16 MiB of 1 GiB. A policy with 24 bytes for each of
 * packet_steering's 32768 objects takes 1 MiB, and twice that while they are converted (for the
 * flip past two policies in quarantine a third time, which does not count: store.h, S6); and a
 * mistake in a declaration (4096 bytes an object: 128 MiB) costs no small machine its memory.
 */
#define TIFFIN_STORES_PART	64

void tiffin_limits_complete(struct tiffin_limits *limits)
{
	u64 kib = (u64)totalram_pages() * (PAGE_SIZE / 1024) / TIFFIN_STORES_PART;

	if (!limits->stores_kib)
		limits->stores_kib = clamp_t(u64, kib, 1, U32_MAX);
}

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
