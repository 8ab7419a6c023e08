#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2034,SC2119 # optional arguments, loop counters, A && B || give_up
# Each reason not to load has its own error, and leaves the kernel as it was.

# shellcheck source=selftests/packet_steering/guest/lib.sh
. "$(dirname "$0")/lib.sh"

# refused TEXT [PARAMETER...]: loading fails, the log says TEXT in one line of ours, nothing is left.
refused()
{
	local text=$1 before said
	shift

	before=$(cat $tracing/enabled_functions)
	dmesg -C
	! insmod ./tiffin_packet_steering.ko "$@" 2>/dev/null || { echo "it was loaded"; return 1; }
	said=$(dmesg | grep tiffin_packet_steering)
	same "$(wc -l <<<"$said")" 1 || return
	grep -q "$text" <<<"$said" || { echo "$said"; return 1; }
	same "$(cat $tracing/enabled_functions)" "$before" || return
	[ ! -e $family ] || { echo "$family is still there"; return 1; }
}

# attach_refused TEXT: the same where the module is loaded and shall attach again.
attach_refused()
{
	dmesg -C
	! echo 1 2>/dev/null >$family/attached || { echo "it was attached"; return 1; }
	dmesg | grep -q "tiffin_packet_steering: .*$1" || { dmesg; return 1; }
	same "$(<$family/attached)" 0
}

# all_came COMMAND...: as busy, but packets may have overtaken others: nobody could lead flows back.
all_came()
{
	local report

	report=$(busy "$@")
	echo "$report"
	grep -q '"lost":0 "duplicated":0 .*"corrupted":0' <<<"$report"
}

tap_begin
insmod ./tiffin.ko
tap_check "unknown mechanism" refused 'mechanism=magic is none of' mechanism=magic

echo 0 >/proc/sys/kernel/ftrace_enabled
for mechanism in auto direct ipmodify; do
	tap_check "ftrace is off, $mechanism" refused 'sysctl kernel.ftrace_enabled=1' mechanism=$mechanism
done
echo 1 >/proc/sys/kernel/ftrace_enabled

for direct in 0 1; do
	insmod ./tiffin_hook_taker.ko direct=$direct || give_up "the hook can't be taken"
	for mechanism in auto direct ipmodify; do
		tap_check "hook taken (direct=$direct), $mechanism" \
			refused 'another tool .* has hooked get_rps_cpu' mechanism=$mechanism
	done
	rmmod tiffin_hook_taker
done

tap_check "loads when nothing is in the way" insmod ./tiffin_packet_steering.ko
tap_check "the other tool is refused then" not insmod ./tiffin_hook_taker.ko
echo 0 >$family/attached
insmod ./tiffin_hook_taker.ko
tap_check "attaching is refused while the hook is taken" attach_refused 'another tool'
rmmod tiffin_hook_taker
tap_check "and works again" tee $family/attached <<<1
tap_check "attached" same "$(<$family/attached)" 1

# ftrace is switched off later: with direct calls that can't be prevented, and packets go their stock way.
overlay_up || give_up "no overlay network"
receive
policy hash && activate hash
same "$(<$family/mechanism)" direct || give_up "this kernel has no direct calls"
tap_check "ftrace goes off under traffic" all_came tee /proc/sys/kernel/ftrace_enabled <<<0
tap_check "attached says so" same "$(<$family/attached)" 0
tap_check "packets pass" send udp "$(overlay_addr B1 4)" 2
echo 1 >/proc/sys/kernel/ftrace_enabled
tap_check "ftrace is back on" same "$(<$family/attached)" 1
tap_check "packets are steered again" since send udp "$(overlay_addr B1 4)" 2
tap_check "by the policy" more "$(grown steered)" 10
unload
load mechanism=ipmodify
tap_check "with ipmodify ftrace can't be switched off" \
	not tee /proc/sys/kernel/ftrace_enabled <<<0
tap_check "attached" same "$(<$family/attached)" 1
tap_check "everything unloads" unload
tap_end
