#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2119 # optional arguments, A && B || give_up
# Bridges copy packets. The host counts too many then, and keeps the order all the same.

# shellcheck source=selftests/packet_steering/guest/lib.sh
. "$(dirname "$0")/lib.sh"

# Packets that A2 has received; most are copies for others.
copied() { overlay_in A2 cat /sys/class/net/eth0/statistics/rx_packets; }

# Packets to a group, each a flow of its own, so that some share a bucket with others' flows.
shout()
{
	# Not overlay_in: who kills this kills the shell in the container.
	# shellcheck disable=SC2016 # for that shell
	exec ip netns exec "$(overlay_ns A1)" bash -c 'while :; do
		for i in {1..20}; do echo >/dev/udp/239.77.0.1/9; done
		sleep 0.01
	done'
}

# Time and again host A's bridge has forgotten where B1 is, until it hears from it.
forget()
{
	while :; do
		overlay_ip A link set br0 type bridge fdb_flush
		sleep 0.2
	done
}

# meanwhile COMMAND SECONDS FLOWS: traffic while the command runs, until killed
meanwhile()
{
	local command=$1 rc=0
	shift

	$command &
	send udp "$(overlay_addr B1 4)" "$1" -f "$2" -r 0 || rc=1
	kill $!
	wait $!
	return $rc
}

# kept COMMAND...: every packet arrives, once and unchanged, and of 10,000 at most one is overtaken. As
# many may be as copies were just counted for packets (flow.h): that has been seen to happen to one in
# 90,000. It is 50 in 10,000 where copies go unnoticed.
kept()
{
	local report name
	local -A is=()

	report=$("$@")
	echo "$report"
	for name in sent received lost duplicated reordered corrupted; do
		is[$name]=$(sed -En "s/.*\"$name\":([0-9]+).*/\1/p" <<<"$report")
		[ -n "${is[$name]}" ] || return
	done
	[ "${is[received]}" = "${is[sent]}" ] && [ "${is[sent]}" -gt 0 ] &&
		[ "${is[lost]} ${is[duplicated]} ${is[corrupted]}" = "0 0 0" ] &&
		[ $((is[reordered] * 10000)) -le "${is[sent]}" ]
}

tap_begin
load
patient
policy fickle
overlay_up veth 4 && overlay_container A 2 || give_up "no overlay network"
overlay_ip A1 route add 239.77.0.0/16 dev eth0 || give_up "no route to a group"
receive
activate fickle
tunable fickle every 3

before=$(copied)
tap_check "packets to groups: the order is kept" since kept meanwhile shout 30 32
tap_check "packets to groups: there were copies" more $(($(copied) - before)) 50
tap_check "packets to groups: flows were moved" more "$(grown moved)" 100

before=$(copied)
tap_check "a bridge that forgets: the order is kept" since kept meanwhile forget 15 4
tap_check "a bridge that forgets: there were copies" more $(($(copied) - before)) 20
tap_check "a bridge that forgets: flows were moved" more "$(grown moved)" 100

kill %1
overlay_down
tap_check "everything unloads" unload
tap_end
