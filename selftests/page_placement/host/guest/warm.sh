#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2016 # A && B || give_up; what until_true evaluates
#
# The heat of pages goes over at a swap: a hot page is promoted at the first hint that the next policy
# sees of it.

# shellcheck source=selftests/page_placement/host/guest/lib.sh
. "$(dirname "$0")/lib.sh"

# after FIRST SECOND NAME: FIRST sees NAME's pages used, and may promote none; SECOND may.
after()
{
	local before

	echo 0 >$family/promote_mib && activate "$1" && start "$3" 1 2048 512 &&
		before=$(seen_again) && echo "pid ${pid[$3]}" >$family/attach || return
	# Each page was seen several times.
	if [ "$1" = default ]; then
		sleep 5
	else
		until_true 180 eval "[ \$((\$(seen_again) - $before)) -ge 2048 ]" || return
	fi
	# Which of a page's hint and its accessed bit comes first is chance, and a hint after an accessed bit
	# is no first access any more: no bits are looked at from here on.
	echo 0 >$family/scan_pages && until_true 60 settled young && activate "$2" &&
		echo 65536 >$family/promote_mib && until_true 180 hot_on "$3" 0 95 || return
	warm=$(counter warm)
	echo "$2 after $1: $warm pages at the first access that it saw"
	echo 262144 >$family/scan_pages && echo "pid ${pid[$3]}" >$family/detach && stop "$3"
}

seen_again()
{
	case $(<$scope/active) in
	tpp-*) counter second ;;
	nomad-*) counter proved ;;
	*) echo 0 ;;
	esac
}

# Of the 512 pages that it uses
warm() { after "$@" && [ "$warm" -ge 256 ]; }
cold() { after "$@" && [ "$warm" = 0 ]; }

tap_begin
plain_memory
load
for policy in tpp nomad; do
	insmod ./$policy.ko || give_up "$policy does not load"
done
tap_check "nomad after tpp starts warm" warm tpp nomad b
tap_check "nomad after the default starts cold" cold default nomad c
tap_check "tpp after nomad starts warm" warm nomad tpp d
tap_check "tpp after the default starts cold" cold default tpp e
tap_check "all of it unloads" unload
tap_end
