#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2016 # A && B || give_up; what until_true evaluates
#
# The host goes, with programs attached and under load, and leaves no trace.

# shellcheck source=selftests/page_placement/host/guest/lib.sh
. "$(dirname "$0")/lib.sh"

reload_under_load()
{
	local round

	for round in 1 2 3 4 5; do
		load && insmod ./greedy.ko && echo greedy >$scope/active &&
			echo "pid ${pid[a]}" >$family/attach && sleep 2 && good a && unload &&
			no_mark_left a || { echo "round $round"; return 1; }
	done
}

settings()
{
	cat /proc/sys/kernel/numa_balancing /sys/kernel/mm/numa/demotion_enabled 2>/dev/null
}

tap_begin
start a 1 4096 512
before=$(settings)
tap_check "it loads and unloads under load" reload_under_load
load
insmod ./tpp.ko && echo tpp >$scope/active && echo all >$family/attach && sleep 5
tap_check "it unloads with all programs attached" unload
tap_check "it leaves no marks" no_mark_left a
tap_check "the kernel's settings are as they were" test "$(settings)" = "$before"
tap_check "worker a has found no wrong page" stop a
tap_end
