# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034 # used by the cases
#
# What the cases share that convert records: swaps between ledgers of different layouts.

# shellcheck source=selftests/packet_steering/guest/lib_books.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib_books.sh"

failed=0 unread=0 undone_misses=0 lost=0

# A sleep that starts no process.
exec {never}<> <(:)
nap() { read -rt 0.002 -u $never || :; }

# awaits FILE WORD, answers LEDGER N: wait, but not for ever, nor once something has failed.
awaits()
{
	local end=$((SECONDS + 180)) word

	until read -r word <"$1" && [ "$word" = "$2" ]; do
		[ $SECONDS -lt $end ] && [ $failed = 0 ] || return
		nap
	done
}
answers()
{
	local end=$((SECONDS + 180))

	until read -r own <"${folder[$1]}/counters/own" && [ "$own" -ge "$2" ]; do
		[ $SECONDS -lt $end ] && [ $failed = 0 ] || return
		nap
	done
}

# swept LEDGER: no record is left to convert; has it seen each as it must be that the host counts?
swept()
{
	local kind converted left seen missed rest

	awaits $scope/state stable || failed=$((failed + 1))
	read -r seen <"${folder[$1]}/counters/records" || failed=$((failed + 1))
	# What is missed in the flip is in no book.
	read -r missed <"${folder[$1]}/counters/misses" || failed=$((failed + 1))
	unread=$((unread + missed))
	while read -r kind _ _ _ _ _ _ converted left rest; do
		[ "$kind" = instance ] || seen=$((seen - converted))
		unread=$((unread + left))
	done <$scope/stores
	unread=$((unread + (seen < 0 ? -seen : seen)))
}

# again TEXT ACTIVE: a request was refused while ACTIVE was in charge; is it to be made once more?
again() { false; }

# go FILE TEXT: a request that has to work. The older layout may still be in use. What the shell says of
# a refusal, the error number's text, is in /tmp/refusal.
go()
{
	local active

	read -r active <$scope/active
	swept "${active%%-*}"
	until echo "$2" 2>/tmp/refusal >$scope/"$1"; do
		again "$2" "$active" || {
			failed=$((failed + 1))
			tap_note "$2: $(<$scope/error)"
			return
		}
	done
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

# convert_round: six swaps and two rollbacks through all layouts, the last to a ledger whose counters
# are new.
convert_round()
{
	there_and_back ledger_c
	there ledger_d
	there_and_back ledger_e
	there ledger_e
	there ledger_c
	there ledger_a
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

# begin_converting: the ledgers are there, traffic is, and the first of them is in charge.
declare -A folder
begin_converting()
{
	local ledger

	begin_books ledger_a ledger_c ledger_d ledger_e
	for ledger in ledger_a ledger_c ledger_d ledger_e; do
		folder[$ledger]=$(echo /sys/kernel/tiffin/policies/$ledger-*)
	done
	since activate ledger_a || failed=1
}

# went_well: a record that isn't what it must be has ended its ledger by now: there are no books to look
# into.
went_well()
{
	[ $failed = 0 ] && return
	tap_note "$(tr '\n' ' ' <$scope/stats)"
	give_up "a swap failed, or records were missed"
}

# check_converting SWAPS: so many were made, of them one in three rolled back, besides those at the begin
# and at rest.
check_converting()
{
	tap_check "no swap failed" same $failed 0
	tap_check "as many swaps as asked for" same "${stat[swaps]}" $(($1 + 5))
	tap_check "as many rollbacks" same "${stat[rollbacks]}" $(($1 / 3))
	tap_check "a rollback took answers back" more "$undone" 0
	tap_check "the ledgers' own copy went over, nothing else" same "$(book adopted)" 1
	tap_check "records were converted" more "$(awk '$1 == "object" { print $8 }' $scope/stores)" 0
	tap_check "each record that the host says it has converted was seen to be right" same $unread 0
	tap_check "so was what a rollback took back" same $undone_misses 0
	tap_check "no record got lost at rest" same $lost 0
	check_books
}
