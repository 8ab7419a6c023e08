#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2034,SC2119 # optional arguments, loop counters, A && B || give_up
# Many swaps under traffic, with every packet and every call accounted for. Argument: how many swaps.
# Three counts, made apart from each other, have to agree: the sender's and receiver's of the packets,
# the host's of the calls, and the ledgers' books of the calls, which are stores that go over from
# one to the other with each swap: one record for all, one for each CPU, one for each flow.

# shellcheck source=selftests/packet_steering/guest/lib_books.sh
. "$(dirname "$0")/lib_books.sh"

swaps=${1:-500}
[[ $swaps =~ ^[1-9][0-9]*$ ]] || give_up "'$swaps' is no number of swaps"

# swapping DONE: swap from one ledger to the other until so many are $swaps, without a single fork: how
# fast it goes is the machine's affair.
swapping()
{
	local i=$1 last next

	for (( ; i < swaps; i++)); do
		if ((i % 2)); then next=ledger_b; else next=ledger_a; fi
		if ! echo $next >$scope/active; then
			failed=$((failed + 1))
			tap_note "$(<$scope/error)"
		fi
		mapfile -t last <$scope/last_swap
		attempts=$((attempts + ${last[5]#attempts }))
		((${last[7]#close_ns } <= closed_max)) || closed_max=${last[7]#close_ns }
	done 2>/dev/null
}

# Has a call come upon a closed gate, be it that it waited or that it got the continuity answer?
met()
{
	read_stats
	((stat[held] + stat[continuity_gate]))
}

tap_begin
load
begin_books ledger_a ledger_b
failed=0 attempts=0 closed_max=0
begin=${EPOCHREALTIME/./}
since activate ledger_a || failed=1
swapping 1
# The gate is closed for microseconds: where the CPUs take turns it may be a while until a call comes then.
give=$((SECONDS + 300))
until met || [ $SECONDS -ge $give ]; do
	swaps=$((swaps + 100))
	swapping $((swaps - 100))
done
us=$((${EPOCHREALTIME/./} - begin))
end_books

tap_note "$swaps swaps in $((us / 1000)) ms, $attempts attempts, closed for at most $closed_max ns"
note_books
tap_check "no swap failed" same $failed 0
tap_check "as many swaps as asked for" same "${stat[swaps]}" "$swaps"
tap_check "callers met a closed gate" more $((stat[held] + stat[continuity_gate])) 0
tap_check "more calls than swaps" more "${stat[calls]}" "$swaps"
tap_check "all three stores went over" same "$(book adopted)" 3
check_books
overlay_down
tap_check "everything unloads" unload
tap_end
