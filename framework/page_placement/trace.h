/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints of the page_placement host. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM tiffin

#if !defined(TIFFIN_PP_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define TIFFIN_PP_TRACE_H

#include <linux/tracepoint.h>

#include <tiffin/page_placement.h>

/**
 * tiffin_pp_moved - a move has ended
 * @pid: of the program's first process
 * @va: the page's address
 * @direction: enum tiffin_pp_direction
 * @result: enum tiffin_pp_result
 * @from: node that it lay on
 * @to: node that it lies on
 * @in_wake: the program did it itself
 * @ns: what it took
 */
TRACE_EVENT(tiffin_pp_moved,
	TP_PROTO(pid_t pid, unsigned long va, u32 direction, u32 result, u32 from, u32 to,
		 bool in_wake, u64 ns),
	TP_ARGS(pid, va, direction, result, from, to, in_wake, ns),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(unsigned long, va)
		__field(u32, direction)
		__field(u32, result)
		__field(u32, from)
		__field(u32, to)
		__field(bool, in_wake)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->pid = pid;
		__entry->va = va;
		__entry->direction = direction;
		__entry->result = result;
		__entry->from = from;
		__entry->to = to;
		__entry->in_wake = in_wake;
		__entry->ns = ns;
	),
	TP_printk("pid=%d va=%lx %s result=%u from=%u to=%u%s ns=%llu", __entry->pid, __entry->va,
		  __entry->direction == TIFFIN_PP_PROMOTE ? "promote" : "demote", __entry->result,
		  __entry->from, __entry->to, __entry->in_wake ? " in_wake" : "", __entry->ns)
);

#endif /* TIFFIN_PP_TRACE_H */

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH page_placement
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
