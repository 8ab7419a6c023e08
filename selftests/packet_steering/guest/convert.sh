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

# shellcheck source=selftests/packet_steering/guest/lib_books.sh
. "$(dirname "$0")/lib_books.sh"

swaps=${1:-48}
[[ $swaps =~ ^[1-9][0-9]*$ ]] || give_up "'$swaps' is no number of swaps"

# A sleep that starts no process.
exec {never}<> <(:)
nap() { read -rt 0.002 -u $never || :; }

# awaits FILE WORD, answers LEDGER N: wait, but not for ever, nor once something has failed.
awaits()
{
	local end=$((SECONDS + 180)) word

	while read -r word <"$1" && [ "$word" != "$2" ]; do
		[ $SECONDS -lt $end ] && [ $failed = 0 ] || return
		nap
	done
}
answers()
{
	local end=$((SECONDS + 180))

	while read -r own <"${folder[$1]}/counters/own" && [ "$own" -lt "$2" ]; do
		[ $SECONDS -lt $end ] && [ $failed = 0 ] || return
		nap
	done
}

# swept LEDGER: no record is left to convert; has it seen each as it must be that the host counts?
swept()
{
	local kind converted left seen rest

	awaits $scope/state stable || failed=$((failed + 1))
	read -r seen <"${folder[$1]}/counters/records"
	while read -r kind _ _ _ _ _ _ converted left rest; do
		[ "$kind" = instance ] || seen=$((seen - converted))
		unread=$((unread + left))
	done <$scope/stores
	unread=$((unread + (seen < 0 ? -seen : seen)))
}

# go FILE TEXT: a request that has to work. The older layout may still be in use.
go()
{
	local active

	read -r active <$scope/active
	swept "${active%%-*}"
	if ! echo "$2" 2>/dev/null >$scope/"$1"; then
		failed=$((failed + 1))
		tap_note "$2: $(<$scope/error)"
	fi
}

# there_and_back LEDGER: it has answered calls when the older layout comes back; now and then the sweep
# is still at work then, now and then it is over. What it missed goes with its books.
there_and_back()
{
	local before own missed

	read_stats
	before=${stat[answered]}
	go swap "$1 probation_ms=600000"
	answers "$1" $((1 + RANDOM % 100)) || failed=$((failed + 1))
	read -r missed <"${folder[$1]}/counters/misses"
	undone_misses=$((undone_misses + missed))
	echo 1 >$scope/rollback || failed=$((failed + 1))
	read_stats
	undone_min=$((undone_min + own))
	undone_max=$((undone_max + stat[answered] - before))
}

# there LEDGER: and it stays.
there()
{
	go active "$1"
	answers "$1" $((RANDOM % 20)) || failed=$((failed + 1))
}

# converting N: swaps, of which the last is to a ledger whose counters are new.
converting()
{
	local done=0

	while ((done < $1 && !failed)); do
		there_and_back ledger_c
		there ledger_d
		there_and_back ledger_e
		there ledger_e
		there ledger_c
		there ledger_a
		done=$((done + 6))
		((done % 996)) || echo "# $done swaps"
	done
}

# at_rest: once more through all layouts, without traffic. Each sweep finds as many records as the one
# before, but for those that a packet of the kernel's own has made new.
at_rest()
{
	local before=0 ledger records own

	for ledger in ledger_d ledger_e ledger_c ledger_a; do
		go active $ledger
		swept $ledger
		read -r records <"${folder[$ledger]}/counters/records"
		read -r own <"${folder[$ledger]}/counters/own"
		tap_note "$ledger: $records records, $own calls"
		lost=$((lost + (records + own < before ? before - records - own : 0)))
		before=$records
	done
}

tap_begin
load
begin_books ledger_a ledger_c ledger_d ledger_e
declare -A folder
for ledger in ledger_a ledger_c ledger_d ledger_e; do
	folder[$ledger]=$(echo /sys/kernel/tiffin/policies/$ledger-*)
done
swaps=$(((swaps + 5) / 6 * 6)) failed=0 unread=0 undone_misses=0 lost=0
since activate ledger_a || failed=1
begin=${EPOCHREALTIME/./}
converting $swaps
us=$((${EPOCHREALTIME/./} - begin))
# A record that isn't what it must be has ended its ledger by now: there are no books to look into.
[ $failed = 0 ] || {
	tap_note "$(tr '\n' ' ' <$scope/stats)"
	give_up "a swap failed, or records were missed"
}
end_traffic
at_rest
end_books

tap_note "$swaps swaps with conversions and $((swaps / 3)) rollbacks in $((us / 1000)) ms; $undone answers taken back"
note_books
tap_check "no swap failed" same $failed 0
tap_check "as many swaps as asked for" same "${stat[swaps]}" $((swaps + 5))
tap_check "as many rollbacks" same "${stat[rollbacks]}" $((swaps / 3))
tap_check "a rollback took answers back" more "$undone" 0
tap_check "the ledgers' own copy went over, nothing else" same "$(book adopted)" 1
tap_check "records were converted" more "$(awk '$1 == "object" { print $8 }' $scope/stores)" 0
tap_check "each record that the host says it has converted was seen to be right" same $unread 0
tap_check "so was what a rollback took back" same $undone_misses 0
tap_check "no record got lost at rest" same $lost 0
check_books
overlay_down
tap_check "everything unloads" unload
tap_end
