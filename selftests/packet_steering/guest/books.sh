#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2034,SC2119 # optional arguments, loop counters, A && B || give_up
# Many swaps under traffic, with every packet and every call accounted for. Argument: how many swaps.
# Three counts, made apart from each other, have to agree: the sender's and receiver's of the packets,
# the host's of the calls, and the ledgers' books of the calls, which are stores that go over from
# one to the other with each swap: one record for all, one for each CPU, one for each flow.

# shellcheck source=selftests/packet_steering/guest/lib.sh
. "$(dirname "$0")/lib.sh"

swaps=${1:-500}
[[ $swaps =~ ^[1-9][0-9]*$ ]] || give_up "'$swaps' is no number of swaps"

# What the books say, by the ledger that has them.
book() { cat /sys/kernel/tiffin/policies/"$(<$scope/active)"/counters/"$1"; }

# The scope's stats, all of one reading, in the array stat.
declare -A stat
read_stats()
{
	local key value

	while read -r key value; do
		stat[$key]=$value
	done <$scope/stats
}

# Swap from one ledger to the other, without a single fork: how fast it goes is the machine's affair.
swapping()
{
	local last next

	for ((i = 1; i < swaps; i++)); do
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

# Each CPU carries its own book to the counter when it gets a call: one packet from each.
each_cpu()
{
	local cpu

	for ((cpu = 0; cpu < $(nproc); cpu++)); do
		overlay_in A1 taskset -c $cpu ping -q -c 1 -W 5 "$(overlay_addr B1 4)" >/dev/null
	done
}

# A packet of the kernel's own may come between two readings: until they agree, or never do.
agree()
{
	local tries

	for ((tries = 0; tries < 50; tries++)); do
		read_stats
		calls=$(book calls) cpu_calls=$(book cpu_calls)
		if [ "$calls" = "${stat[answered]}" ] && [ "$cpu_calls" = "$calls" ] &&
		   [ "${stat[calls]}" = $((stat[answered] + stat[stock] + stat[continuity])) ]; then
			break
		fi
		each_cpu
	done
}

tap_begin
load
policy ledger_a
policy ledger_b
# Calls that take a while, so that swaps find some inside; and time for a guest that gets little.
tunable ledger_a work 2000
tunable ledger_b work 2000
echo 120000 >$family/limits/timeout_ms
overlay_up || give_up "no overlay network"
receive

overlay_in A1 taskset -c 0 ./ident udp -f 8 -r 4000 "$(overlay_addr B1 4)" >/tmp/report &
sender=$!
through 100 || give_up "no packet comes through"
failed=0 attempts=0 closed_max=0
begin=${EPOCHREALTIME/./}
since activate ledger_a || failed=1
swapping
us=$((${EPOCHREALTIME/./} - begin))
pkill -INT -f '^./ident udp'
sent_well=0
wait $sender || sent_well=$?
each_cpu
agree

tap_note "$swaps swaps in $((us / 1000)) ms, $attempts attempts, closed for at most $closed_max ns"
tap_note "$(grep -Eo '"sent".*"flows"' /tmp/report)"
tap_note "$(tr '\n' ' ' <$scope/stats)"
tap_note "books: $(cd /sys/kernel/tiffin/policies/"$(<$scope/active)"/counters && grep . ./* | tr '\n' ' ')"
tap_note "host: $(cd $family/figures && grep . ./* | tr '\n' ' ')"
tap_check "no swap failed" same $failed 0
tap_check "as many swaps as asked for" same "${stat[swaps]}" "$swaps"
tap_check "packets: all came, once and in order" same $sent_well 0
tap_check "packets: as many received as sent" \
	grep -Eq '"sent":([1-9][0-9]*),"received":\1,"lost":0,"duplicated":0,"reordered":0,' /tmp/report
tap_check "swaps moved flows" more "$(grown moved)" 0
tap_check "callers met a closed gate" more $((stat[held] + stat[continuity_gate])) 0
tap_check "each call got one answer" \
	same $((stat[answered] + stat[stock] + stat[continuity])) "${stat[calls]}"
tap_check "more calls than swaps" more "${stat[calls]}" "$swaps"
tap_check "no call ran over a flip, says dispatch" same "${stat[overlapped]}" 0
tap_check "no call ran over a flip, say the ledgers" same "$(book overlaps)" 0
tap_check "the books hold each answer" same "$calls" "${stat[answered]}"
tap_check "the CPUs' books hold each answer" same "$cpu_calls" "${stat[answered]}"
tap_check "the flows' books were compared" more "$(book compared)" "$swaps"
tap_check "the flows' books lost nothing" same "$(book misses)" 0
tap_check "all three stores went over" same "$(book adopted)" 3
tap_check "no answer was bad" same "${stat[bad_answers]}" 0
overlay_down
tap_check "everything unloads" unload
tap_end
