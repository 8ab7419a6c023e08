#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2016 # A && B || give_up; what until_true evaluates
#
# The slowest node is short of memory: shadows go first, and so pages can still be demoted to it.

# shellcheck source=selftests/page_placement/host/guest/lib.sh
. "$(dirname "$0")/lib.sh"

part=1024

# What a reads comes up, and leaves shadows.
leaves_shadows()
{
	[ "$(ask a use 0 $part 0)" = used ] && activate nomad &&
		until_true 180 eval '[ "$(node 1 shadows)" -ge $((part * 9 / 10)) ]' ||
		{ state a; return 1; }
	echo "$(node 1 shadows) shadows"
}

# fill_slow FREE: node 1 is left with so many free pages
fill_slow()
{
	local tries more

	mkdir -p /mnt/slow && mount -t tmpfs -o mpol=bind:1,size=95% slow /mnt/slow || return
	for ((tries = 0; tries < 20; tries++)); do
		more=$(($(node 1 free) - $1))
		[ $more -gt 0 ] || return 0
		head -c $((more * 4096)) /dev/zero >>/mnt/slow/all
		sleep 0.5
	done
	return 1
}

# With the default nothing is given up. A policy is asked, and gives up what it likes, half or more.
gives_up()
{
	activate default && fill_slow $(($(node 1 wm_low) - 100)) || return
	echo "node 1 free $(node 1 free), wm_low $(node 1 wm_low), shadows $(node 1 shadows)"
	[ "$(node 1 shadows)" -ge $((part / 2)) ] && [ "$(figure shadows_reclaimed)" = 0 ] || return
	activate nomad && until_true 30 eval '[ "$(node 1 free)" -gt "$(node 1 wm_low)" ]' ||
		{ cat $family/nodes; return 1; }
	echo "node 1 free $(node 1 free), shadows $(node 1 shadows), reclaimed $(figure shadows_reclaimed)"
	[ "$(figure shadows_reclaimed)" -gt 0 ]
}

# Pages without a shadow can go down: there is room for some.
demotes()
{
	local demoted remapped

	demoted=$(figure demoted) remapped=$(figure remapped)
	echo "pid ${pid[b]}" >$family/attach && ballast $(($(node 0 wm_low) - 300)) || return
	until_true 180 eval "[ \$((\$(figure demoted) - \$(figure remapped) - $demoted + $remapped)) -ge 200 ]" ||
		{ state b; return 1; }
}

tap_begin
plain_memory
load
insmod ./nomad.ko || give_up "nomad does not load"
start a 1 $((2 * part)) $part
echo "pid ${pid[a]}" >$family/attach || give_up "a does not attach"
tap_check "promotions leave shadows" leaves_shadows
tap_check "the slowest node gives up shadows when it is short of memory" gives_up
start b 0 2048 64
tap_check "pages without a shadow are demoted to it then" demotes
for name in a b; do
	tap_check "worker $name has found no wrong page" stop $name
done
tap_check "all of it unloads" unload
tap_end
