/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints of the core: the steps of a swap. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM tiffin

#if !defined(TIFFIN_CORE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define TIFFIN_CORE_TRACE_H

#include <linux/tracepoint.h>

#include "compat/compat.h"

/**
 * tiffin_swap_step - a swap has taken a step
 * @family: where
 * @scope: where
 * @swap: number of the swap in its scope
 * @step: a state's name, "flipped" or "reopened"
 * @value: for the last two: ns that the gate was closed
 */
TRACE_EVENT(tiffin_swap_step,
	TP_PROTO(const char *family, const char *scope, u64 swap, const char *step, u64 value),
	TP_ARGS(family, scope, swap, step, value),
	TP_STRUCT__entry(
		__string(family, family)
		__string(scope, scope)
		__string(step, step)
		__field(u64, swap)
		__field(u64, value)
	),
	TP_fast_assign(
		tiffin_assign_str(family, family);
		tiffin_assign_str(scope, scope);
		tiffin_assign_str(step, step);
		__entry->swap = swap;
		__entry->value = value;
	),
	TP_printk("%s/%s swap=%llu %s value=%llu", __get_str(family), __get_str(scope),
		  __entry->swap, __get_str(step), __entry->value)
);

#endif /* TIFFIN_CORE_TRACE_H */

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH core
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
