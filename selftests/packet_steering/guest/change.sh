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
			cpu $n 0 || return
			sleep 0.4
			cpu $n 1 || return
			sleep 0.2
		done
	done
}

churn()
{
	local n

	for n in 2 3 4 5 6; do
		overlay_container A $n && overlay_container B $n || return
		overlay_in A$n ping -q -c 3 -i 0.1 "$(overlay_addr B$n 4)" >/dev/null || return
		overlay_in B$n ping -q -c 3 -i 0.1 "$(overlay_addr A$n 6)" >/dev/null || return
		# Away with it while packets are on their way to it.
		overlay_in A$n ping -q -f -c 2000 "$(overlay_addr B$n 4)" >/dev/null 2>&1 &
		sleep 0.2
		overlay_remove B $n && overlay_remove A $n || return
		wait $!
	done
	return 0
}

# stage_cpus STAGE SECONDS: CPUs that get at least every 20th packet of a stage
stage_cpus()
{
	local before

	before=$(placed "$1")
	sleep "$2"
	awk 'NR == FNR { before[$1] = $2; next } { n[$1] = $2 - before[$1]; sum += n[$1] }
		END { for (cpu in n) if (sum && 20 * n[cpu] >= sum) cpus++; print cpus + 0 }' \
		<(echo "$before") <(placed "$1")
}

# Lose some packets between host B's wire and its VXLAN device, then look where that stage's go.
lose()
{
	local cpus tries

	overlay_in B nft -f - <<-RULES || return
	table inet lossy {
		chain input {
			type filter hook input priority 0;
			udp dport 4789 numgen inc mod 10 0 counter drop
		}
	}
	RULES
	sleep 1
	overlay_in B nft list table inet lossy | grep -q 'packets [1-9]' || return
	overlay_in B nft delete table inet lossy || return
	for tries in 1 2 3 4 5 6; do
		cpus=$(stage_cpus 1 1)
		[ "$cpus" -lt 3 ] || return 0
	done
	echo "after the losses the flow stays on $cpus of 4 CPUs"
	return 1
}

lossy()
{
	local rc=0 sender

	# Without a pause, so that only the rule for lost packets can set the flow free.
	overlay_in A1 taskset -c 0 ./ident udp -f 1 -r 4000 -w 16 "$(overlay_addr B1 4)" >/tmp/report &
	sender=$!
	sleep 1
	lose || rc=1
	pkill -INT -f '^./ident udp'
	wait $sender
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
send udp "$(overlay_addr B1 4)" 1 >/dev/null
before0=$(placed 1 | awk '$1 == 0 { print $2 }') before3=$(placed 1 | awk '$1 == 3 { print $2 }')
tap_check "packets pass with two CPUs allowed" since send udp "$(overlay_addr B1 4)" 4 -f 4 -r 2000
tap_check "none goes to CPU 0" same "$(placed 1 | awk '$1 == 0 { print $2 }')" "$before0"
tap_check "none goes to CPU 3" same "$(placed 1 | awk '$1 == 3 { print $2 }')" "$before3"
cpu 1 0
cpu 2 0
tap_check "packets pass with none of the allowed CPUs online" send udp "$(overlay_addr B1 4)" 3
cpu 1 1
cpu 2 1

activate wild
tunable wild one_in 2
tap_check "packets pass a policy whose answers are out of range" \
	since send udp "$(overlay_addr B1 4)" 4 -f 4 -r 2000
tap_check "its answers were counted" more "$(awk '$1 == "bad_answers" { print $2 }' $scope/stats)" 100
tap_check "and those that named a forbidden CPU" more "$(grown cpu_refused)" 100
echo >$family/cpus
tap_check "all CPUs are allowed again" same "$(<$family/cpus)" ""

activate fickle
sysctl -qw net.core.netdev_max_backlog=0
since send udp "$(overlay_addr B1 4)" 2 -r 100 >/dev/null
tap_check "a CPU whose backlog is full is refused" more "$(grown backlog_refused)" 10
sysctl -qw net.core.netdev_max_backlog=1000

tunable fickle every 40
echo 50 >$family/expiry_ms
tap_check "a flow that lost packets moves again, though it never pauses" lossy

activate onecpu
send udp "$(overlay_addr B1 4)" 1 >/dev/null
tap_check "a policy may put everything on one CPU" send udp "$(overlay_addr B1 4)" 2
overlay_down
tap_check "everything unloads" unload
tap_end
