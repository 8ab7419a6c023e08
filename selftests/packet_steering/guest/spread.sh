#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2034,SC2119 # optional arguments, loop counters, A && B || give_up
# falcon has several CPUs work on one flow; the default and hash don't.

# shellcheck source=selftests/packet_steering/guest/lib.sh
. "$(dirname "$0")/lib.sh"

# cpus_of COMMAND...: the CPUs that get at least every 20th packet of the largest flow that it sends
cpus_of()
{
	local event=$tracing/events/tiffin/tiffin_ps_decision

	echo 'hist:keys=hash,given' >$event/trigger
	"$@" >/dev/null || return
	sed -n 's/.*hash: *\([0-9]*\), given: *\([0-9]*\) .*hitcount: *\([0-9]*\)$/\1 \2 \3/p' $event/hist |
		awk '{ sum[$1] += $3; n[$1, $2 % 65536] += $3; if (sum[$1] > sum[most]) most = $1 }
			END { for (k in n) { split(k, f, SUBSEP); if (f[1] == most && 20 * n[k] >= sum[most]) cpus++ }
			print cpus + 0 }'
	echo '!hist:keys=hash,given' >$event/trigger
}

tap_begin
load
policy falcon
policy hash
overlay_up || give_up "no overlay network"
receive
udp=(send udp "$(overlay_addr B1 4)" 4 -f 1 -r 3000)
udp6=(send udp "$(overlay_addr B1 6)" 4 -f 1 -r 3000)
activate falcon
tap_check "falcon: one flow on 3 CPUs or more" more "$(cpus_of "${udp[@]}")" 2
tap_check "falcon: over IPv6, too" more "$(cpus_of "${udp6[@]}")" 2
tap_check "falcon: nothing is reordered" "${udp[@]}"
activate hash
tap_check "hash: one flow on one CPU" same "$(cpus_of "${udp[@]}")" 1
echo default >$scope/active
# The first packets after a policy may be led back.
sleep 2
tap_check "default: one flow on the sender's CPU" same "$(cpus_of "${udp[@]}")" 1
overlay_down
tap_check "everything unloads" unload
tap_end
