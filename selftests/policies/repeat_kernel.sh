#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An answer that is to be repeated is: each packet is placed by one question or one repetition, a term
# ends the repetitions, and so does another policy.
# shellcheck source=selftests/lib/policy.sh
. "$(dirname "$0")/policy.sh"

# since: how far questions, repetitions and packets have come since the last time, at one moment
declare -A was
since()
{
	local now=()

	until
		now=("$(policy_stat answered)" "$(policy_figure repeated)" "$(policy_figure packets)")
		[ "${now[0]}" = "$(policy_stat answered)" ] && [ "${now[2]}" = "$(policy_figure packets)" ]
	do
		:
	done
	questions=$((now[0] - ${was[questions]:-0}))
	repeated=$((now[1] - ${was[repeated]:-0}))
	packets=$((now[2] - ${was[packets]:-0}))
	was=([questions]=${now[0]} [repeated]=${now[1]} [packets]=${now[2]})
}

# slowly: packets of one flow, more than 10 ms apart, from one CPU: another one would be news
slowly()
{
	traffic_begin udp A1 B1 50 1
	taskset -pc 0 "$TRAFFIC_PID" >/dev/null
	traffic_wait 20
	questions=$(policy_stat answered)
	sampled=$(policy_figure samples)
	traffic_wait 600
	sampled=$(($(policy_figure samples) - sampled))
	questions=$(($(policy_stat answered) - questions))
	traffic_lost_nothing
	tap_note "$questions questions, $sampled samples"
}

# window: traffic, with nothing on its way before and after
window()
{
	since
	traffic_begin udp A1 B1 0
	traffic_wait 20000
	traffic_lost_nothing
	since
	tap_note "$packets packets: $questions questions, $repeated repetitions"
}

policy_begin packet_steering
policy_load "$(realpath "$POLICY_DIR"/more/tiffin_stay_*.ko)"
policy_swap stay
window
expect "each packet is asked about" "$questions" -eq "$packets"
expect "none is repeated" "$repeated" -eq 0

policy_set stay repeat 255
window
expect "each packet is asked about or repeated" $((questions + repeated)) -eq "$packets"
expect "most are repeated" "$repeated" -gt $((packets / 2))
# A sample of the CPUs ends the repetitions about every 10 ms, at each of four stages.
expect "but not for long" "$questions" -gt $((packets / 256 + 8))

asked=$((10000 * questions / packets))
policy_set stay steady 1
# A sender that is moved to another CPU is news, too: on a busy machine the guest moves it often.
for ((try = 0; try < 4; try++)); do
	window
	((2 * 10000 * questions / packets >= asked)) || break
done
expect "a steady answer goes beyond the samples" $((2 * 10000 * questions / packets)) -lt $asked
expect "and not beyond what it says" "$questions" -ge $((packets / 300))

policy_set stay steady 0
slowly
expect "where somebody is asked the CPUs are sampled" "$sampled" -ge 50
policy_set stay steady 1
since
traffic_begin udp
traffic_wait 2000
policy_set falcon repeat 0
policy_swap falcon
before=$(policy_figure repeated)
traffic_wait 2000
expect "and not beyond its policy" "$(policy_figure repeated)" -eq "$before"
traffic_lost_nothing
policy_set falcon repeat 31
policy_set stay steady 0
policy_swap stay

event=/sys/kernel/tracing/events/tiffin/tiffin_ps_decision
[ -e $event ] || mount -t tracefs tracefs /sys/kernel/tracing
echo 'hist:keys=stage' >$event/trigger
window
expect "the decision about each packet is traced" \
	"$(awk '/hitcount:/ { n += $NF } END { print n + 0 }' $event/hist)" -ge "$packets"
expect "and most are still repeated" "$repeated" -gt $((packets / 2))
echo '!hist:keys=stage' >$event/trigger

policy_swap default
window
expect "the default repeats nothing" "$repeated" -eq 0

traffic_begin udp
policy_swap falcon
traffic_wait 2000
before=$(policy_figure repeated)
traffic_wait 2000
expect "falcon's answers are repeated" "$(policy_figure repeated)" -gt "$before"
policy_set falcon repeat 0
# Longer than a term.
traffic_wait 2000
before=$(policy_figure repeated)
traffic_wait 2000
expect "and are not when it is told so" "$(policy_figure repeated)" -eq "$before"
traffic_lost_nothing
policy_end
