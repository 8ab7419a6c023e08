#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2034,SC2119 # optional arguments, loop counters, A && B || give_up
# As books, but the records of flows and of CPUs are converted at each swap, between four layouts:
#
#	v1 -> v2 on probation, where calls change records -> rollback to v1 -> v3
#	   -> v4 on probation, likewise -> rollback to v3 -> v4 -> v2 -> v1 -> ...
#
# Calls have a flow's record alone in v1 and v2, and share it in v3 and v4. Argument: how many swaps;
# each third is rolled back on top. The records of flow and CPU say by themselves whether they are
# whole, and are compared with the ledgers' own copy, which goes another way: by reference, and back by
# a snapshot. So it is at each call, of the flow's record and the CPU's, and in each conversion: a sweep
# reads all records that there are, and the host says how many these were. After a rollback both have to
# be as they were at the flip: the host's count of answers says how many the books may lack.

# shellcheck source=selftests/packet_steering/guest/lib_convert.sh
. "$(dirname "$0")/lib_convert.sh"

swaps=${1:-48}
[[ $swaps =~ ^[1-9][0-9]*$ ]] || give_up "'$swaps' is no number of swaps"

# converting N: swaps.
converting()
{
	local done=0

	while ((done < $1 && !failed)); do
		convert_round
		done=$((done + 6))
		((done % 996)) || echo "# $done swaps"
	done
}

tap_begin
load
begin_converting
swaps=$(((swaps + 5) / 6 * 6))
begin=${EPOCHREALTIME/./}
converting $swaps
us=$((${EPOCHREALTIME/./} - begin))
went_well
end_traffic
at_rest
end_books

tap_note "$swaps swaps with conversions and $((swaps / 3)) rollbacks in $((us / 1000)) ms; $undone answers taken back"
note_books
check_converting $swaps
overlay_down
tap_check "everything unloads" unload
tap_end
