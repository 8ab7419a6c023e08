/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the preempt count is, for assembly: PER_CPU_VAR(TIFFIN_PREEMPT_COUNT). */
#ifndef TIFFIN_COMPAT_PERCPU_H
#define TIFFIN_COMPAT_PERCPU_H

#include <asm/asm-offsets.h>

/* From 6.2 on it lies behind the current task. */
#ifdef X86_current_task
#define TIFFIN_PREEMPT_COUNT	(pcpu_hot + X86_current_task + 8)
#define TIFFIN_PREEMPT_COUNT_ASSERT \
	static_assert(offsetof(struct pcpu_hot, preempt_count) == X86_current_task + 8)
#else
#define TIFFIN_PREEMPT_COUNT	__preempt_count
#define TIFFIN_PREEMPT_COUNT_ASSERT	static_assert(sizeof(__preempt_count) == 4)
#endif

#endif /* TIFFIN_COMPAT_PERCPU_H */
