#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2034,SC2119 # optional arguments, loop counters, A && B || give_up
# Nothing is reordered, whatever policies and swaps do; and the check can fail.

# shellcheck source=selftests/packet_steering/guest/lib.sh
. "$(dirname "$0")/lib.sh"

# swapping POLICY...: one after the other, until killed
swapping()
{
	while :; do
		for name in "$@"; do
			activate "$name"
			sleep 0.1
		done
	done
}

# swaps POLICY...: traffic meanwhile
swaps()
{
	local rc=0

	swapping "$@" 2>/dev/null &
	send udp "$(overlay_addr B1 4)" 6 -f 4 -r 2000 || rc=1
	kill $!
	return $rc
}

tap_begin
load
patient
for name in fickle stay falcon hash; do
	policy $name
done
overlay_up veth 4 || give_up "no overlay network"
receive

activate fickle
tunable fickle every 3
tap_check "IPv4: nothing is reordered by a policy that changes its mind every 3 packets" \
	since send udp "$(overlay_addr B1 4)" 8 -f 4 -r 2000
tap_check "IPv4: flows were moved" more "$(grown moved)" 100
tap_check "IPv4: moves had to wait" more "$(grown deferred)" 100
tap_check "IPv4: the packets passed four stages" same "$(figure stage_depth_max)" 4
tap_check "IPv6: nothing is reordered" since send udp "$(overlay_addr B1 6)" 6 -f 4 -r 2000
tap_check "IPv6: flows were moved" more "$(grown moved)" 100
tap_check "as fast as it goes: nothing is reordered" \
	since send udp "$(overlay_addr B1 4)" 6 -f 4 -r 0
tap_check "as fast as it goes: flows were moved" more "$(grown moved)" 100
tap_check "streams arrive unchanged" send tcp "$(overlay_addr B1 4)" 5 -f 4 -r 4000000

tap_check "swaps between policies reorder nothing" since swaps falcon hash fickle
tap_check "swaps to the default and back reorder nothing" since swaps fickle default stay default
tap_check "swaps moved flows" more "$(grown moved)" 20

activate fickle
tunable fickle every 1
tunable fickle force 1
tap_check "a policy that forces its moves does reorder" \
	not send udp "$(overlay_addr B1 4)" 5 -f 4 -r 0
tunable fickle force 0
tunable fickle every 3
kill %1
overlay_down

overlay_up veth 6 || give_up "no overlay network over IPv6"
receive
tap_check "VXLAN over IPv6: nothing is reordered" \
	since send udp "$(overlay_addr B1 6)" 6 -f 4 -r 2000
tap_check "VXLAN over IPv6: flows were moved" more "$(grown moved)" 100
kill %%
overlay_down
tap_check "no answer was bad" same "$(awk '$1 == "bad_answers" { print $2 }' $scope/stats)" 0
tap_check "everything unloads" unload
tap_end
