#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2034,SC2119 # optional arguments, loop counters, A && B || give_up
# A newer build of the host takes the place of the one at work, under traffic, with policies that were
# built against the older: what survives, and for how long the stock kernel steers.

# shellcheck source=selftests/packet_steering/guest/lib.sh
. "$(dirname "$0")/lib.sh"

# The streams' receiver listens beside the one of busy().
port=7700

# streaming COMMAND...: streams while the command runs; they have to arrive unchanged.
streaming()
{
	local rc=0 sender

	overlay_in A1 ./ident tcp -p $port -f 2 -r 400000 "$(overlay_addr B1 4)" >/tmp/streams &
	sender=$!
	through 50 && "$@" && through 50 || rc=1
	# It may not have come as far as to end well.
	until ! kill -0 $sender 2>/dev/null; do
		pkill -INT -f '^./ident tcp'
		sleep 0.2
	done
	wait $sender || rc=1
	grep -q '"received":[1-9]' /tmp/streams || rc=1
	[ $rc = 0 ] || cat /tmp/streams
	return $rc
}

milliseconds() { echo $(($(date +%s%N) / 1000000)); }

# replace FOLDER MODULE...: as framework/packet_steering/README.md says it; the builds in FOLDER take the
# place of these modules, which are named in the order in which they go.
replace()
{
	local folder=$1 module back='' begin
	shift

	rm -f /tmp/took
	begin=$(milliseconds)
	activate default || return
	for module in $(lsmod | sed -n 's/^\(tiffin_[a-z_]*_[0-9a-f]\{8\}\) .*/\1/p') "$@"; do
		rmmod "$module" || return
	done
	not hooked || return
	for module; do
		back="$module $back"
	done
	for module in $back; do
		insmod "$folder/$module.ko" || return
	done
	# As the one before, see load().
	patient && echo 1000000 >$family/limits/budget_us && policy hash && policy falcon &&
		activate falcon || return
	echo $(($(milliseconds) - begin)) >/tmp/took
	steered 200
}

# replaced WHAT FOLDER MODULE...
replaced()
{
	local what=$1
	shift

	tap_check "$what: replaced under traffic, no packet lost or overtaken" busy streaming replace "$@"
	tap_note "$what: the stock kernel steered for $(cat /tmp/took) ms"
	tap_check "$what: falcon is active" grep -q '^falcon-' $scope/active
	tap_check "$what: packets are steered" busy steered 200
}

tap_begin
load
patient
policy hash && policy falcon && activate falcon
overlay_up || give_up "no overlay network"
receive
overlay_in B1 ./ident recv -p $port -g 5000 >/tmp/receiver-streams &
eventually grep -q listening /tmp/receiver-streams || give_up "nobody receives streams"
older=$(</sys/kernel/tiffin/version)
tap_check "packets are steered" busy steered 200

replaced "a newer tiffin_packet_steering" newer tiffin_packet_steering
tap_check "it is the newer one" same "$(</sys/module/tiffin_packet_steering/version)" "$older-newer"
tap_check "the rest of the host is as it was" same "$(</sys/kernel/tiffin/version)" "$older"
replaced "a newer host" newer tiffin_packet_steering tiffin
tap_check "all of it is newer" same "$(</sys/kernel/tiffin/version)" "$older-newer"
replaced "the older host again" . tiffin_packet_steering tiffin
tap_check "all of it is the older" same "$(</sys/kernel/tiffin/version)" "$older"
tap_check "everything unloads" unload
tap_end
