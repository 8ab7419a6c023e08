#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2016 # A && B || give_up; what until_true evaluates
#
# Redis answers a client that knows each right answer, while its pages move and tpp, nomad and hermit
# take turns.
#
# usage: serve.sh [SWAPS]

# shellcheck source=selftests/page_placement/host/guest/lib.sh
. "$(dirname "$0")/lib.sh"

swaps=${1:-100}
records=6000
window=1500

order=(tpp nomad hermit)
what=(promoted demoted remapped transacted in_wake)
declare -A before moved turns idle
failed=0

# Without another process for each: they are read again and again.
value() { read -r "$1" <"$family/figures/$2"; }

# note POLICY: what has come to the figures since the last time is of this one
note()
{
	local name now

	for name in "${what[@]}"; do
		value now "$name"
		moved[$1.$name]=$((${moved[$1.$name]:-0} + now - ${before[$name]:-now}))
		before[$name]=$now
	done
}

# moving PAGES: so many were moved since the last note, or two seconds have passed
moving()
{
	local up down i

	for ((i = 0; i < 20; i++)); do
		value up promoted
		value down demoted
		[ $((up + down - before[promoted] - before[demoted])) -lt "$1" ] || return 0
		sleep 0.1
	done
	return 1
}

swap_all()
{
	local n name

	note none
	for ((n = 0; n < swaps; n++)); do
		name=${order[n % 3]}
		echo "$name" >$scope/active || failed=$((failed + 1))
		[[ $(<$scope/active) == "$name"-* ]] || failed=$((failed + 1))
		moving 32 || idle[$name]=$((${idle[$name]:-0} + 1))
		note "$name"
		turns[$name]=$((${turns[$name]:-0} + 1))
		[ $(((n + 1) % 100)) != 0 ] || tap_note "$((n + 1)) swaps: $(ask r count) answers"
	done
}

# Each policy moved pages up and down, in most of its turns; and in its own way.
each_moved()
{
	local name

	for name in "${order[@]}"; do
		[ "${moved[$name.promoted]}" -ge "${turns[$name]}" ] && [ "${moved[$name.demoted]}" -gt 0 ] &&
			[ $((${idle[$name]:-0} * 2)) -le "${turns[$name]}" ] || { echo "$name"; return 1; }
	done
	[ "${moved[tpp.in_wake]}" -gt 0 ] && [ "${moved[nomad.transacted]}" -gt 0 ] &&
		[ "${moved[nomad.remapped]}" -gt 0 ]
}

say_what_moved()
{
	local name kind line

	for name in "${order[@]}"; do
		line="$name: turns ${turns[$name]}, of these with few moves ${idle[$name]:-0}"
		for kind in "${what[@]}"; do
			line+=", $kind ${moved[$name.$kind]}"
		done
		tap_note "$line"
	done
	tap_note "shadows kept $(figure shadows_kept), used $(figure shadows_used), written $(figure shadows_written);" \
		"moves given up as written $(figure written), refused $(figure refused), bytes copied $(figure bytes_copied)"
}

stat_of() { sed -n "s/^$1 //p" $scope/stats; }

no_swap_failed()
{
	echo "$failed failed here; host: swaps $(stat_of swaps), failures $(stat_of failures)," \
		"rollbacks $(stat_of rollbacks), bad answers $(stat_of bad_answers)"
	[ $failed = 0 ] && [ "$(stat_of swaps)" = $((swaps + 1)) ] && [ "$(stat_of failures)" = 0 ] &&
		[ "$(stat_of rollbacks)" = 0 ] && [ "$(stat_of bad_answers)" = 0 ]
}

answers_right()
{
	local more

	more=$(ask r count)
	good r || return
	until_true 60 eval "[ \$(ask r count) -gt $((more + records)) ]"
}

# The command tells the same as the files: of the family, of the process, of the nodes.
stats_tell()
{
	echo default >$scope/active && until_true 60 settled promoted && until_true 60 settled demoted || return
	./tiffin stats page_placement --json >told || return
	./tiffin stats page_placement >table || return
	jq -e --argjson promoted "$(figure promoted)" --argjson demoted "$(figure demoted)" \
		--argjson swaps $((swaps + 2)) --argjson pid "${pid[r]}" --argjson slow "$(of_process r node1)" \
		'.families[0] | .figures.promoted == $promoted and .figures.demoted == $demoted and
		.scopes[0].stats.swaps == $swaps and
		(.attached | length == 1 and .[0].name == "pid \($pid)" and .[0].promoted == $promoted) and
		(.processes[] | select(.name == "\($pid) redis-server") | .promoted == $promoted and
			.demoted == $demoted and .node1 == $slow and (.unmapped_us | length == 20 and add > 0)) and
		(.nodes | length == 2 and .[1].tier == 1 and .[1].total > 0)' told >/dev/null &&
		grep -q "^${pid[r]} redis-server .* $(figure promoted) " table && return
	cat told table
	return 1
}

# Each swap is an event of the family, in their order.
watch_tells()
{
	local seen

	kill $watcher
	wait $watcher
	! grep -q '"lost"' events || { echo "events were lost"; return 1; }
	seen=$(jq -r 'select(.event == "swap") | .to' events | sed 's/-.*//' | head -n $((swaps + 1)) | sort | uniq -c)
	echo "$seen"
	[ "$(jq -r 'select(.event == "swap") | .swap' events | head -n $((swaps + 1)))" = "$(seq $((swaps + 1)))" ] &&
		[ "$(jq -r .family events | sort -u)" = page_placement ]
}

lets_go()
{
	echo "pid ${pid[r]}" >$family/detach && [ "$(figure pages)" = 0 ] && [ "$(figure programs)" = 0 ] &&
		[ "$(figure shadows)" = 0 ] && empty $family/processes
}

log_clean()
{
	! dmesg | grep -E 'quarantine|bad answer|WARN|BUG|Oops|stall|Bad (page|rss)'
}

# All free memory, once what can be dropped is
free_pages()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
	sleep 1
	awk '/MemFree/ { n += $4 } END { print int(n / 4) }' /sys/devices/system/node/node*/meminfo
}

# Far fewer than were moved; what is kept for other reasons differs, too.
no_memory_lost()
{
	local now

	rm -f /mnt/ballast/* events told table
	now=$(free_pages)
	echo "free pages before $free_before, now $now"
	[ $((free_before - now)) -lt 4096 ]
}

tap_begin
free_before=$(free_pages)
plain_memory
# It has minutes to come up: no event comes before Redis serves.
./tiffin watch --family page_placement --json >events &
watcher=$!
load
for policy in "${order[@]}"; do
	insmod "./$policy.ko" || give_up "$policy does not load"
done
start r -- ./client 1 "$records" "$window" /tmp/redis.sock
# What nomad keeps of each page is the most, and lies on node 0: with each swap that changes.
echo nomad >$scope/active && leave_free $(($(node 0 wm_high) + window / 2)) || give_up "node 0 has more or less free"
echo "pid ${pid[r]}" >$family/attach || give_up "Redis does not attach"
# Of an emulated CPU everything costs much.
echo 1000000 >"$(echo /sys/kernel/tiffin/policies/hermit-*/tunables/cost_free)"
swap_all
say_what_moved
tap_check "no swap failed" no_swap_failed
tap_check "each policy moved pages" each_moved
tap_check "each answer was right, and there are more" answers_right
tap_check "the client would have noticed" test "$(ask r spoil)" = noticed
tap_check "tiffin stats tells the family's figures, of the process, too" stats_tell
tap_check "figures of the process add up to the family's" adds_up
tap_check "tiffin watch tells each swap" watch_tells
tap_check "Redis is let go, with nothing left behind" lets_go
tap_check "no mark and no page of it is wrong after that" good r
tap_check "all of it unloads" unload
# QEMU clears a page that held code by some bytes a second, where it emulates: that is no lockup. None of
# the host's code is there any more.
echo 0 >/proc/sys/kernel/soft_watchdog
tap_note "$(ask r count) answers"
tap_check "Redis holds what it should" stop r
tap_check "no memory is lost" no_memory_lost
tap_check "the kernel has nothing to say" log_clean
tap_end
