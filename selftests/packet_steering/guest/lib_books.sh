# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2034,SC2119 # used by the cases, optional arguments
#
# What the cases with ledgers share: how the books are read, and traffic that they are held against.

# shellcheck source=selftests/packet_steering/guest/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# What the books say, by the ledger that has them.
book() { cat /sys/kernel/tiffin/policies/"$(<$scope/active)"/counters/"$1"; }

# The scope's stats, all of one reading, in the array stat: a `read` for each line would have the kernel
# make the text anew each time, in which a line may by then begin elsewhere.
declare -A stat
read_stats()
{
	local line lines

	mapfile -t lines <$scope/stats
	for line in "${lines[@]}"; do
		stat[${line%% *}]=${line#* }
	done
}

# Each CPU carries its own book to the counter when it gets a call: one packet from each.
each_cpu()
{
	local cpu

	for ((cpu = 0; cpu < $(nproc); cpu++)); do
		overlay_in A1 taskset -c $cpu ping -q -c 1 -W 5 "$(overlay_addr B1 4)" >/dev/null
	done
}

# A packet of the kernel's own may come between two readings: until they agree, or never do. What a
# rollback takes back is not in the books: from undone_min to undone_max answers.
undone_min=0 undone_max=0
agree()
{
	local tries

	for ((tries = 0; tries < 50; tries++)); do
		read_stats
		calls=$(book calls) cpu_calls=$(book cpu_calls)
		undone=$((stat[answered] - calls))
		if ((undone_min <= undone && undone <= undone_max)) && [ "$cpu_calls" = "$calls" ] &&
		   [ "${stat[calls]}" = $((stat[answered] + stat[stock] + stat[continuity])) ]; then
			break
		fi
		each_cpu
	done
}

# begin_books LEDGER...: they are loaded, their calls take a while, so that swaps find some inside.
begin_books()
{
	local ledger

	for ledger; do
		policy "$ledger"
		tunable "$ledger" work 2000
	done
	# Time for a guest that gets little.
	echo 120000 >$family/limits/timeout_ms
	overlay_up || give_up "no overlay network"
	receive
	overlay_in A1 taskset -c 0 ./ident udp -f 8 -r 4000 "$(overlay_addr B1 4)" >/tmp/report &
	sender=$!
	through 100 || give_up "no packet comes through"
}

# end_traffic: whether all came stays in sent_well.
end_traffic()
{
	sent_well=0
	pkill -INT -f '^./ident udp'
	wait "$sender" || sent_well=$?
}

# end_books: the traffic ends, if it hasn't, and every call is in a book that has told its counter.
end_books()
{
	[ -n "${sent_well-}" ] || end_traffic
	each_cpu
	agree
}

# Notes of all counts.
note_books()
{
	tap_note "$(grep -Eo '"sent".*"flows"' /tmp/report)"
	tap_note "$(tr '\n' ' ' <$scope/stats)"
	tap_note "books: $(cd /sys/kernel/tiffin/policies/"$(<$scope/active)"/counters && grep . ./* | tr '\n' ' ')"
	tap_note "host: $(cd $family/figures && grep . ./* | tr '\n' ' ')"
}

# What holds of every run with ledgers.
check_books()
{
	tap_check "packets: all came, once and in order" same "$sent_well" 0
	tap_check "packets: as many received as sent" \
		grep -Eq '"sent":([1-9][0-9]*),"received":\1,"lost":0,"duplicated":0,"reordered":0,' /tmp/report
	tap_check "swaps moved flows" more "$(grown moved)" 0
	tap_check "each call got one answer" \
		same $((stat[answered] + stat[stock] + stat[continuity])) "${stat[calls]}"
	tap_check "no call ran over a flip, says dispatch" same "${stat[overlapped]}" 0
	tap_check "no call ran over a flip, say the ledgers" same "$(book overlaps)" 0
	tap_check "the books hold each answer but those taken back, at least" more "$undone" $((undone_min - 1))
	tap_check "the books hold each answer but those taken back, at most" more $((undone_max + 1)) "$undone"
	tap_check "the CPUs' books hold as many" same "$cpu_calls" "$calls"
	tap_check "the flows' records were verified, 99 of 100 calls" \
		more $((100 * $(book verified))) $((99 * calls))
	tap_check "the flows' books were compared with the copy, 99 of 100 calls" \
		more $((100 * $(book compared))) $((99 * calls))
	tap_check "what the copy could not know was one call or conversion in 1000" \
		more $(($(book compared) / 1000)) "$(book doubts)"
	tap_check "the books of flows and CPUs lost nothing" same "$(book misses)" 0
	tap_check "no answer was bad" same "${stat[bad_answers]}" 0
}
