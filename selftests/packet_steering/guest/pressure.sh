#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2034,SC2119 # optional arguments, loop counters, A && B || give_up
# As convert, while the machine is short of memory: hog takes what there is until the OOM killer ends it,
# and comes again, so that reclaim always has work. A swap that finds no memory is refused with the error
# that says so, and the older policy stays in charge; it is asked for once more. No packet is lost
# either, as those who send wait for memory, and the kernel keeps some back for those who can't.

# shellcheck source=selftests/packet_steering/guest/lib_convert.sh
. "$(dirname "$0")/lib_convert.sh"

# At least so many swaps in rounds of six while pages are reclaimed, until the OOM killer has come so often;
# so many pages have been reclaimed then, and so many callers had to do it themselves.
swaps_min=12 swaps_max=600 kills_min=3 steals_min=500 stalls_min=20
# How long it may all take, in seconds.
limit=400

# read_vmstat: sums of counters of /proc/vmstat, all of one reading. Each that is missing is a failure:
# what isn't counted isn't seen.
read_vmstat()
{
	local line lines found=0

	mapfile -t lines </proc/vmstat
	steals=0 stalls=0 kills=0
	for line in "${lines[@]}"; do
		case $line in
		pgsteal_kswapd\ * | pgsteal_direct\ *) steals=$((steals + ${line#* })) ;;
		allocstall_normal\ * | allocstall_movable\ *) stalls=$((stalls + ${line#* })) ;;
		oom_kill\ *) kills=${line#* } ;;
		*) continue ;;
		esac
		found=$((found + 1))
	done
	[ $found = 5 ] || {
		failed=$((failed + 1))
		tap_note "of five counters /proc/vmstat has $found"
	}
}

# again TEXT ACTIVE: refused for want of memory, by the host or on the way to it; ACTIVE has stayed in
# charge, and answers calls.
short=0 short_host=0
again()
{
	local number why active own

	read -r number </tmp/refusal && read -r active <$scope/active || return
	read -r why <$scope/error || why=
	case $number in
	*"Cannot allocate memory") ;;
	*) return 1 ;;
	esac
	case $why in
	"no memory for "*"; nothing has changed") short_host=$((short_host + 1)) ;;
	"") ;;
	*) return 1 ;;
	esac
	short=$((short + 1))
	[ "$active" = "$2" ] && [ $short -le 1000 ] || return
	read -r own <"${folder[${active%%-*}]}/counters/own" || return
	answers "${active%%-*}" $((own + 1))
}

# The OOM killer has come once since the pressure began. Starts no process.
gets_short()
{
	local end=$((SECONDS + 180))

	while read_vmstat; [ "$kills" = "$kills_begin" ]; do
		[ $SECONDS -lt $end ] || return
		read -rt 0.2 -u $never || :
	done
}

# converting: rounds of swaps; swaps_short are those of rounds in which pages were reclaimed. A pause after
# each: a round would else be over before anything is reclaimed.
converting()
{
	local end=$((SECONDS + limit)) before

	while ((!failed && swaps < swaps_max && SECONDS < end)); do
		before=$steals
		convert_round
		swaps=$((swaps + 6))
		read -rt 0.5 -u $never
		read_vmstat
		swaps_short=$((swaps_short + (steals > before ? 6 : 0)))
		((swaps_short < swaps_min || kills - kills_swaps < kills_min)) || break
	done
}

# What the kernel dropped by itself, by device and CPU: for whoever has to find out where packets are.
note_drops()
{
	local where

	for where in A B A1 B1; do
		tap_note "$where: $(overlay_in $where ip -s -j link |
			jq -rc '[.[] | [.ifname, .stats64.rx.dropped, .stats64.tx.dropped]]')"
	done
	tap_note "failed allocations: $(dmesg | grep -c 'page allocation failure')"
}

# Whom the OOM killer has ended, besides hog; the log has to have all of them.
killed() { sed -n 's/.*Killed process [0-9]* (\([^)]*\)).*/\1/p' /tmp/kernel.log; }
only_hog()
{
	killed | sort | uniq -c
	[ "$(killed | grep -cx hog)" -ge "$1" ] && [ "$(killed | grep -cvx hog)" = 0 ]
}

# Everything that runs here lives on; children have it from this shell.
echo -1000 >/proc/self/oom_score_adj || give_up "the OOM killer can't be told whom to spare"
# Packets are allocated where nobody can wait, so some memory is kept for them. The program's own pages
# that are in use are to be had from swap, which zram has in memory.
echo 8192 >/proc/sys/vm/min_free_kbytes
echo 150 >/proc/sys/vm/swappiness
# A CPU that is emulated may stand still for long.
echo 60 >/proc/sys/kernel/watchdog_thresh
# What each process has would be in the log each time.
echo 0 >/proc/sys/vm/oom_dump_tasks
modprobe zram && echo 32M >/sys/block/zram0/disksize && mkswap /dev/zram0 >/dev/null &&
	swapon /dev/zram0 || give_up "there is no swap"

tap_begin
dmesg --clear
dmesg --follow >/tmp/kernel.log &
load
# The default is a part of the guest's memory, and this guest has little.
echo 16384 >$family/limits/stores_kib
bytes_unused=$(<$family/stores_bytes)
begin_converting
# So late a packet may be: reclaim stands in everybody's way.
patient 10000 || give_up "packets can't be that late"
convert_round
swept ledger_a
swaps=6
memory_before=$(kernel_memory)
bytes_before=$(<$family/stores_bytes)

read_vmstat
kills_begin=$kills
mapfile -t files < <(awk '$6 ~ "^/" { print $6 }' /proc/$$/maps | sort -u)
[ ${#files[@]} -gt 1 ] || give_up "this shell's files aren't known"
./hog $((2 * limit)) ./ident "${files[@]}" >/tmp/hog &
hog=$!
gets_short || give_up "memory does not get short"
short_after=$SECONDS begin=${EPOCHREALTIME/./}
kills_swaps=$kills steals_swaps=$steals stalls_swaps=$stalls swaps_short=0
converting
us=$((${EPOCHREALTIME/./} - begin))
kill -TERM $hog
wait $hog || failed=$((failed + 1))
short_swaps=$short
went_well
memory_after=$(kernel_memory)
swept ledger_a
bytes_after=$(<$family/stores_bytes)
end_traffic
at_rest
end_books

tap_note "short of memory $short_after s after the start, at rest after $SECONDS s"
tap_note "$((swaps - 6)) swaps with conversions in $((us / 1000)) ms, $short_swaps refused for want of memory"
tap_note "meanwhile $((steals - steals_swaps)) pages reclaimed, in $((swaps_short / 6)) rounds of six swaps;" \
	"$((stalls - stalls_swaps)) callers reclaimed themselves; $((kills - kills_swaps)) times the OOM killer"
tap_note "hog: $(</tmp/hog)"
tap_note "stores $bytes_unused, then $bytes_before, then $bytes_after bytes;" \
	"the kernel's own memory $memory_before, then $memory_after KiB"
note_drops
note_books
tap_check "pressure: pages were reclaimed" more $((steals - steals_swaps)) $((steals_min - 1))
tap_check "pressure: callers had to reclaim themselves" more $((stalls - stalls_swaps)) $((stalls_min - 1))
tap_check "pressure: the OOM killer came" more $((kills - kills_swaps)) $((kills_min - 1))
tap_check "pressure: it came for hog alone" only_hog $kills_min
tap_check "swaps were done meanwhile" more $swaps_short $((swaps_min - 1))
tap_check "the host counts each refusal" same "${stat[failures]}" $short_host
tap_check "each call found a policy in charge" same "${stat[stock]}" 0
tap_check "without the pressure no swap is refused" same $short $short_swaps
check_converting $swaps
overlay_down
tap_check "the ledgers' stores took memory" more "$bytes_before" "$bytes_unused"
tap_check "stores take no more memory than before" same "$bytes_after" "$bytes_before"
tap_check "the kernel tells what it takes" more "$((memory_before < memory_after ? memory_before : memory_after))" 0
tap_check "it takes no more than before" more 2048 $((memory_after - memory_before))
echo default >$scope/active
tap_check "without ledgers stores take none" same "$(<$family/stores_bytes)" "$bytes_unused"
tap_check "everything unloads" unload
tap_check "no store is left" test ! -e $family
tap_end
