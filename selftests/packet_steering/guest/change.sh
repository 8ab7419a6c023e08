#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2034,SC2119 # optional arguments, loop counters, A && B || give_up
# What the host stands on changes under traffic: CPUs, containers, packets that get lost, answers that
# can't be carried out.

# shellcheck source=selftests/packet_steering/guest/lib.sh
. "$(dirname "$0")/lib.sh"

cpu() { echo "$2" >/sys/devices/system/cpu/cpu"$1"/online; }

hotplug()
{
	local round n

	for round in 1 2; do
		for n in 1 2 3; do
			cpu $n 0 && through 200 || return
			cpu $n 1 && through 200 || return
		done
	done
}

churn()
{
	local n

	for n in 2 3 4; do
		overlay_container A $n && overlay_container B $n || return
		overlay_in A$n ping -q -c 3 -i 0.1 "$(overlay_addr B$n 4)" >/dev/null || return
		overlay_in B$n ping -q -c 3 -i 0.1 "$(overlay_addr A$n 6)" >/dev/null || return
		# Away with it while packets are on their way to it.
		overlay_in A$n ping -q -f -c 2000 "$(overlay_addr B$n 4)" >/dev/null 2>&1 &
		through 20 B$n || return
		overlay_remove B $n && overlay_remove A $n || return
		wait $!
	done
	return 0
}

event=$tracing/events/tiffin/tiffin_ps_decision

# The flow's packets go to three CPUs or more at the stage before host B's VXLAN device.
spread()
{
	sed -n 's/.*hash: *\([0-9]*\), given: *\([0-9]*\) .*hitcount: *\([0-9]*\)$/\1 \2 \3/p' $event/hist |
		awk '{ sum[$1] += $3; n[$1, $2 % 65536] += $3; if (sum[$1] > sum[most]) most = $1 }
			END { for (k in n) { split(k, f, SUBSEP); if (f[1] == most && n[k] >= 40) cpus++ }
			exit cpus < 3 }'
}

dropped() { overlay_in B nft list table inet lossy | grep -q 'counter packets [1-9]'; }

# Lose a few packets between host B's wire and its VXLAN device, then look where that stage's go.
lose()
{
	local rc=0

	overlay_in B nft -f - <<-RULES || return
	table inet lossy {
		chain input {
			type filter hook input priority 0;
			udp dport 4789 udp length > 250 numgen inc mod 10 0 \
				limit rate 1/hour burst 8 packets counter drop
		}
	}
	RULES
	eventually dropped || return
	echo 'hist:keys=hash,given if stage == 1' >$event/trigger
	eventually spread || { rc=1; grep hitcount $event/hist; }
	echo '!hist:keys=hash,given if stage == 1' >$event/trigger
	overlay_in B nft delete table inet lossy || return
	return $rc
}

# A sender that holds its window still sends when it has lost fewer than that: the flow does not pause,
# so that only the rule for lost packets can set it free. It sends so little that a starved machine keeps
# up, too: a flow that always has packets on a CPU does not leave it.
lossy()
{
	local rc=0 sender

	overlay_in A1 taskset -c 0 ./ident udp -f 1 -r 500 -w 64 "$(overlay_addr B1 4)" >/tmp/report &
	sender=$!
	through 500 && lose || rc=1
	pkill -INT -f '^./ident udp'
	wait $sender
	grep -Eo '"sent".*"socket_drops"' /tmp/report
	return $rc
}

tap_begin
load
for name in fickle hash falcon wild onecpu; do
	policy $name
done
overlay_up || give_up "no overlay network"
receive

for name in fickle falcon; do
	activate $name
	tap_check "$name: CPUs go offline and come back under traffic" busy hotplug
	tap_check "$name: containers come and go under traffic" busy churn
done

activate fickle
echo 1-2 >$family/cpus
tap_check "the operator's CPUs" same "$(<$family/cpus)" 1-2
send udp "$(overlay_addr B1 4)" 0 -c 1000 >/dev/null
before0=$(placed 1 | awk '$1 == 0 { print $2 }') before3=$(placed 1 | awk '$1 == 3 { print $2 }')
tap_check "packets pass with two CPUs allowed" \
	since send udp "$(overlay_addr B1 4)" 0 -c 6000 -f 4 -r 2000
tap_check "none goes to CPU 0" same "$(placed 1 | awk '$1 == 0 { print $2 }')" "$before0"
tap_check "none goes to CPU 3" same "$(placed 1 | awk '$1 == 3 { print $2 }')" "$before3"
cpu 1 0
cpu 2 0
tap_check "packets pass with none of the allowed CPUs online" \
	send udp "$(overlay_addr B1 4)" 0 -c 3000
cpu 1 1
cpu 2 1

# All of them are to be counted, however many.
echo 0 > /sys/kernel/tiffin/packet_steering/limits/bad_answers
activate wild
tunable wild one_in 2
tap_check "packets pass a policy whose answers are out of range" \
	since send udp "$(overlay_addr B1 4)" 0 -c 6000 -f 4 -r 2000
tap_check "its answers were counted" more "$(awk '$1 == "bad_answers" { print $2 }' $scope/stats)" 100
tap_check "and those that named a forbidden CPU" more "$(grown cpu_refused)" 100
echo >$family/cpus
tap_check "all CPUs are allowed again" same "$(<$family/cpus)" ""

activate fickle
sysctl -qw net.core.netdev_max_backlog=0
since send udp "$(overlay_addr B1 4)" 0 -c 200 -r 200 >/dev/null
tap_check "a CPU whose backlog is full is refused" more "$(grown backlog_refused)" 10
sysctl -qw net.core.netdev_max_backlog=1000

tunable fickle every 40
# Longer than a sender that does not pause may stand still, so that no pause frees the flow.
echo 500 >$family/expiry_ms
tap_check "a flow that lost packets moves again, though it never pauses" lossy

activate onecpu
send udp "$(overlay_addr B1 4)" 0 -c 500 >/dev/null
tap_check "a policy may put everything on one CPU" send udp "$(overlay_addr B1 4)" 0 -c 2000
overlay_down
tap_check "everything unloads" unload
tap_end
