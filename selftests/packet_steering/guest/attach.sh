#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2034,SC2119 # optional arguments, loop counters, A && B || give_up
# Attach and detach, load and unload under traffic, by both ways of interception.

# shellcheck source=selftests/packet_steering/guest/lib.sh
. "$(dirname "$0")/lib.sh"

reload()
{
	local round

	for round in 1 2; do
		unload || return
		load "mechanism=$1"
		policy fickle && activate fickle && steered 200 || return
	done
}

reattach()
{
	local round

	for round in 1 2 3; do
		echo 0 >$family/attached || return
		same "$(<$family/attached)" 0 || return
		not hooked || return
		through 200 || return
		echo 1 >$family/attached || return
		same "$(<$family/attached)" 1 || return
		steered 200 || return
	done
}

# Other users of ftrace on the same function come and go.
trace()
{
	local round

	for round in 1 2; do
		echo get_rps_cpu >$tracing/set_ftrace_filter
		echo function >$tracing/current_tracer
		steered 100 || return
		echo nop >$tracing/current_tracer
		echo >$tracing/set_ftrace_filter
		echo "p:probe get_rps_cpu" >$tracing/kprobe_events
		echo 1 >$tracing/events/kprobes/probe/enable
		steered 100 || return
		echo 0 >$tracing/events/kprobes/probe/enable
		echo >$tracing/kprobe_events
	done
}

# How often the kernel calls its function while packets pass: not at all where nobody uses RPS.
calls()
{
	echo "p:probe get_rps_cpu" >$tracing/kprobe_events
	echo 1 >$tracing/events/kprobes/probe/enable
	send udp "$(overlay_addr B1 4)" 0 -c 500 >/dev/null || return
	echo 0 >$tracing/events/kprobes/probe/enable
	awk '$1 == "probe" { print $2 }' $tracing/kprobe_profile
	echo >$tracing/kprobe_events
}

tap_begin
overlay_up || give_up "no overlay network"
receive
for mechanism in direct ipmodify; do
	load mechanism=$mechanism
	policy fickle && activate fickle
	tap_check "$mechanism: it is what was asked for" same "$(<$family/mechanism)" $mechanism
	tap_check "$mechanism: packets come" since busy steered 200
	tap_check "$mechanism: and are steered" more "$(grown steered)" 100
	tap_check "$mechanism: detach and attach under traffic" since busy reattach
	tap_check "$mechanism: packets were steered in between" more "$(grown steered)" 100
	tap_check "$mechanism: unload and load under traffic" busy reload $mechanism
	tap_check "$mechanism: tracers of the same function come and go" since busy trace
	tap_check "$mechanism: packets were steered meanwhile" more "$(grown steered)" 100
	tap_check "$mechanism: a policy in use keeps the host loaded" not rmmod tiffin_packet_steering
	tap_check "$mechanism: unload" unload
	tap_check "$mechanism: the hook is free again" not hooked
	tap_check "$mechanism: packets pass as before, and are asked about by nobody" same "$(calls)" 0
done

load
tap_check "attached twice is attached" tee $family/attached <<<1
echo 0 >$family/attached
tap_check "detached twice is detached" tee $family/attached <<<0
tap_check "attached takes 0 and 1 only" not tee $family/attached <<<x
tap_check "root of another user namespace may not write" \
	not unshare -Ur bash -c "echo 1 >$family/attached"
for value in 0 10001 x -1; do
	tap_check "expiry_ms $value is refused" not tee $family/expiry_ms <<<$value
done
for value in 999 x 1-; do
	tap_check "cpus $value is refused" not tee $family/cpus <<<$value
done
tap_check "unload when detached" unload
tap_end
