#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2034,SC2119 # optional arguments, loop counters, A && B || give_up
# As books, but the records of flows and of CPUs are converted at each swap, between three layouts:
#
#	v1 -> v2 on probation, where calls change records -> rollback to v1 -> v3 -> v1 -> ...
#
# Argument: how many swaps; each third is rolled back on top. At each call that is about a flow its
# record is compared with the ledgers' own copy, which goes another way: by reference, and back by a
# snapshot. After a rollback both have to be as they were at the flip: the host's count of answers
# says how many the books may lack.

# shellcheck source=selftests/packet_steering/guest/lib_books.sh
. "$(dirname "$0")/lib_books.sh"

swaps=${1:-45}
[[ $swaps =~ ^[1-9][0-9]*$ ]] || give_up "'$swaps' is no number of swaps"

# A sleep that starts no process.
exec {never}<> <(:)
nap() { read -rt 0.002 -u $never || :; }

# awaits FILE WORD, answers LEDGER N: wait, but not for ever.
awaits()
{
	local end=$((SECONDS + 180)) word

	while read -r word <"$1" && [ "$word" != "$2" ]; do
		[ $SECONDS -lt $end ] || return
		nap
	done
}
answers()
{
	local end=$((SECONDS + 180))

	while read -r own <"${folder[$1]}/counters/own" && [ "$own" -lt "$2" ]; do
		[ $SECONDS -lt $end ] || return
		nap
	done
}

# go FILE TEXT: a request that has to work. The older layout may still be in use.
go()
{
	awaits $scope/state stable || failed=$((failed + 1))
	if ! echo "$2" 2>/dev/null >$scope/"$1"; then
		failed=$((failed + 1))
		tap_note "$2: $(<$scope/error)"
	fi
}

# The newer layout has answered calls when the older comes back; now and then the sweep is still at
# work then, now and then it is over.
there_and_back()
{
	local before own

	read_stats
	before=${stat[answered]}
	go swap "ledger_c probation_ms=600000"
	answers ledger_c $((1 + RANDOM % 100)) || failed=$((failed + 1))
	echo 1 >$scope/rollback || failed=$((failed + 1))
	read_stats
	undone_min=$((undone_min + own))
	undone_max=$((undone_max + stat[answered] - before))
}

# converting N: swaps, of which the last is to a ledger whose counters are new.
converting()
{
	local done=0

	while ((done < $1)); do
		there_and_back
		go active ledger_d
		answers ledger_d $((1 + RANDOM % 20)) || failed=$((failed + 1))
		go active ledger_a
		answers ledger_a $((RANDOM % 20)) || failed=$((failed + 1))
		done=$((done + 3))
		((done % 999)) || echo "# $done swaps"
	done
}

tap_begin
load
begin_books ledger_a ledger_c ledger_d
declare -A folder
for ledger in ledger_a ledger_c ledger_d; do
	folder[$ledger]=$(echo /sys/kernel/tiffin/policies/$ledger-*)
done
swaps=$(((swaps + 2) / 3 * 3)) failed=0
since activate ledger_a || failed=1
begin=${EPOCHREALTIME/./}
converting $swaps
us=$((${EPOCHREALTIME/./} - begin))
awaits $scope/state stable || failed=$((failed + 1))
end_books

tap_note "$swaps swaps with conversions and $((swaps / 3)) rollbacks in $((us / 1000)) ms; $undone answers taken back"
note_books
tap_check "no swap failed" same $failed 0
tap_check "as many swaps as asked for" same "${stat[swaps]}" $((swaps + 1))
tap_check "as many rollbacks" same "${stat[rollbacks]}" $((swaps / 3))
tap_check "a rollback took answers back" more "$undone" 0
tap_check "the ledgers' own copy went over, nothing else" same "$(book adopted)" 1
tap_check "records were converted" more "$(awk '$1 == "object" { print $8 }' $scope/stores)" 0
check_books
overlay_down
tap_check "everything unloads" unload
tap_end
