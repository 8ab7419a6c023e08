# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154,SC2086 # guest.sh has these variables; they hold no blanks
#
# Tracers that put their own return addresses on the stack: around calls, in what policies call, and in
# what the kernel does about a fault.

tracing=/sys/kernel/tracing
few="null bug exec_null strlen overflow preempt loop loop_service"
traced() { holds "$(wc -l <$tracing/trace) > 20"; }

echo 0 >$tracing/tracing_on
for module in tiffin tiffin_test_family; do
	echo ":mod:$module" >>$tracing/set_ftrace_filter
done
for functions in '*hrtimer*' '*notifier_call_chain' page_fault_oops; do
	echo "$functions" >>$tracing/set_ftrace_filter
done
echo function_graph >$tracing/current_tracer
echo 1 >$tracing/tracing_on
faults thread 1 0 1 "$few"
faults hardirq 0 3 2 "$few"
tap_check "function_graph was at work" traced
echo nop >$tracing/current_tracer
echo >$tracing/set_ftrace_filter

n=0
for function in tiffin_test_family:test_ask tiffin:tiffin_dispatch tiffin:tiffin_service_put \
	hrtimer_start_range_ns ktime_get_ts64 page_fault_oops; do
	echo "r:guard/r$((n++)) $function" >>$tracing/kprobe_events || tap_note "no probe on $function"
done
tap_check "kretprobes are placed" holds "$(wc -l <$tracing/kprobe_events) >= n - 1"
# Where no kretprobe may be; not in every kernel.
for function in atomic_notifier_call_chain tiffin_fault_die; do
	echo "f:guard/f$((n++)) $function%return" >>$tracing/dynamic_events || tap_note "no fprobe on $function"
done
echo 1 >$tracing/events/guard/enable
faults thread 1 0 1 "$few"
faults hardirq 0 3 2 "$few"
tap_check "kretprobes were hit" traced
echo 0 >$tracing/events/guard/enable
echo >$tracing/dynamic_events
