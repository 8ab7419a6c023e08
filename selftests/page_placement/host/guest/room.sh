#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2016 # A && B || give_up; what until_true evaluates
#
# A node with little room: promotion stops at the watermark, demotion brings it back.

# shellcheck source=selftests/page_placement/host/guest/lib.sh
. "$(dirname "$0")/lib.sh"

# greedy wants more than node 0 can give: what is left is what the watermark says.
keeps_watermark()
{
	local low free least=-1

	low=$(node 0 wm_low)
	ballast $((low + 1500)) && start d 1 8192 8192 && echo "pid ${pid[d]}" >$family/attach || return
	echo greedy >$scope/active && until_true 60 eval '[ $(figure no_room) -gt 1000 ]' || return
	for _ in 1 2 3 4 5; do
		sleep 1
		free=$(node 0 free)
		[ "$least" -ge 0 ] && [ "$free" -ge "$least" ] || least=$free
	done
	# What the case's own programs take counts, too.
	echo "free $least or more, wm_low $low, promoted $(figure promoted)"
	[ "$least" -ge $((low - 512)) ] && [ "$(figure promoted)" -ge 512 ] &&
		stop d && until_true 10 eval "! grep -q '^${pid[d]} ' $family/processes"
}

# Handles of another generation name nothing: no page moves for them.
late_handles()
{
	local demoted stale

	rm -f /mnt/ballast/*
	echo "pid ${pid[e]}" >$family/attach || return
	demoted=$(figure demoted) stale=$(figure stale)
	echo late >$scope/active && ballast $(($(node 0 wm_low) - 700)) || return
	until_true 180 eval "[ \$((\$(figure stale) - $stale)) -ge 200 ]" ||
		{ cat $family/nodes; echo "stale $(figure stale)"; return 1; }
	[ "$(figure demoted)" = "$demoted" ] && cold_on e 0 4032
}

# Node 0 is short of memory: what e does not use leaves it, until there is headroom again.
demotes_cold()
{
	local demoted

	demoted=$(figure demoted)
	echo tpp >$scope/active
	# At the high watermark promotion begins again, and takes some of it.
	until_true 90 eval '[ $(node 0 free) -gt $(node 0 wm_low) ] && [ $(figure demoted) -ge $((demoted + 1000)) ]' ||
		{ cat $family/nodes; echo "demoted $(($(figure demoted) - demoted))"; return 1; }
	echo "demoted $(($(figure demoted) - demoted)): $(ask e where)"
	# What was taken for cold comes back where it is not.
	until_true 60 hot_on e 0 90 && good e ||
		{ cat $family/nodes; (cd /sys/kernel/tiffin/policies/tpp-* && grep . counters/*); return 1; }
}

tap_begin
load
plain_memory
insmod ./tpp.ko && insmod ./greedy.ko && insmod ./late.ko || give_up "the policies do not load"
tap_check "promotion leaves the watermark free" keeps_watermark
start e 0 4096 64
tap_check "handles of another generation move nothing" late_handles
tap_check "a node that is short of memory is relieved of unused pages" demotes_cold
tap_check "worker e has found no wrong page" stop e
tap_end
