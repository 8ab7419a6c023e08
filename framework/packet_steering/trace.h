/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints of the packet_steering host. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM tiffin

#if !defined(TIFFIN_PS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define TIFFIN_PS_TRACE_H

#include <linux/tracepoint.h>

#include "packet_steering/flow.h"

/**
 * tiffin_ps_decision - a packet has been placed
 * @hash: of its flow
 * @stage: how many stages it has passed
 * @from_cpu: the CPU that had it
 * @wanted: lane (PS_LANE_*) that the policy, or in its place the stock kernel or the flow, asked
 *	for
 * @given: lane that the packet got
 */
TRACE_EVENT(tiffin_ps_decision,
	TP_PROTO(u32 hash, u32 stage, u32 from_cpu, u32 wanted, u32 given),
	TP_ARGS(hash, stage, from_cpu, wanted, given),
	TP_STRUCT__entry(
		__field(u32, hash)
		__field(u32, stage)
		__field(u32, from_cpu)
		__field(u32, wanted)
		__field(u32, given)
	),
	TP_fast_assign(
		__entry->hash = hash;
		__entry->stage = stage;
		__entry->from_cpu = from_cpu;
		__entry->wanted = wanted;
		__entry->given = given;
	),
	TP_printk("hash=%08x stage=%u from_cpu=%u wanted=%u%s%s given=%u%s", __entry->hash,
		  __entry->stage, __entry->from_cpu, __entry->wanted & PS_LANE_CPU,
		  __entry->wanted & PS_LANE_STAY ? "(stay)" : "",
		  __entry->wanted & PS_LANE_STOCK ? "(stock)" : "", __entry->given & PS_LANE_CPU,
		  __entry->given & PS_LANE_STAY ? "(stay)" : "")
);

#endif /* TIFFIN_PS_TRACE_H */

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH packet_steering
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
