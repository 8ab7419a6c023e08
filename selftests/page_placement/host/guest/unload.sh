#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2016 # A && B || give_up; what until_true evaluates
#
# The host goes, with programs attached and under load, and leaves no trace.

# shellcheck source=selftests/page_placement/host/guest/lib.sh
. "$(dirname "$0")/lib.sh"

# faulted NAME: faults that it takes to read all of it
faulted()
{
	local before

	before=$(ask "$1" faults)
	good "$1" >&2 || return
	echo $(($(ask "$1" faults) - before))
}

# marks_show NAME: its unused pages are marked, and reading them shows it. no_mark_left can fail then for
# one that was started alike, and is not read before.
marks_show()
{
	local n

	until_true 60 eval '[ $(figure marked) -ge 1500 ]' && until_true 60 settled marked &&
		n=$(faulted "$1") || return
	[ "$n" -ge 500 ] || { echo "$n faults"; return 1; }
}

# reload NUMBER: programs are moved, and have marks, as the host goes
reload()
{
	start "shown$1" 1 1024 64
	start "kept$1" 1 1024 64
	load && insmod ./greedy.ko && echo greedy >$scope/active || return
	for name in a "shown$1" "kept$1"; do
		echo "pid ${pid[$name]}" >$family/attach || return
	done
	until_true 60 eval '[ $(figure promoted) -gt 0 ]' && marks_show "shown$1" && good a && unload &&
		no_mark_left "kept$1" && stop "shown$1" && stop "kept$1"
}

reload_under_load()
{
	local round

	for round in 1 2 3 4 5; do
		reload $round || { echo "round $round"; return 1; }
	done
}

follows_all()
{
	load && insmod ./tpp.ko && echo tpp >$scope/active && echo all >$family/attach || return
	until_true 30 grep -q '^1 ' $family/processes &&
		until_true 30 eval '[ 0$(of_process b hints) -gt 0 ]' && marks_show c
}

settings()
{
	cat /proc/sys/kernel/numa_balancing /sys/kernel/mm/numa/demotion_enabled 2>/dev/null
}

tap_begin
start a 1 4096 512
before=$(settings)
tap_check "it loads and unloads under load" reload_under_load
start b 1 1024 64
start c 1 1024 64
tap_check "all programs are attached, and have marks" follows_all
tap_check "it unloads with all programs attached" unload
tap_check "it leaves no marks" no_mark_left b
tap_check "the kernel's settings are as they were" test "$(settings)" = "$before"
for name in a b c; do
	tap_check "worker $name has found no wrong page" stop $name
done
tap_end
