#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2016 # A && B || give_up; what until_true evaluates
#
# Programs are followed, and others are not; what is attached and detached.

# shellcheck source=selftests/page_placement/host/guest/lib.sh
. "$(dirname "$0")/lib.sh"

promotes_hot()
{
	until_true 60 hot_on a 0 95 && cold_on a 0 0 && good a
}

refuses_to_attach()
{
	fails Invalid write $family/attach nonsense && fails Invalid write $family/attach "pid x" &&
		fails process write $family/attach "pid 99999999" &&
		fails exists write $family/attach "pid ${pid[a]}" &&
		fails directory write $family/attach "cgroup /none" &&
		fails directory write $family/detach "cgroup /" && fails directory write $family/detach all &&
		fails directory write $family/detach "pid 99999999"
}

# NUMA balancing goes on for programs that are not attached: its faults are counted by the kernel, not
# by the host, and the kernel moves their pages as it likes. The one that is attached stands still, so
# each hint that the host counts meanwhile is another's.
others_untouched()
{
	local hints faults rc=0

	kill -STOP "${pid[a]}" && until_true 60 settled hints || rc=1
	hints=$(figure hints)
	faults=$(vmstat numa_hint_faults)
	echo 1 >/proc/sys/kernel/numa_balancing || rc=1
	start b 1 2048 2048
	until_true 120 eval "[ \$((\$(vmstat numa_hint_faults) - $faults)) -gt 500 ]" || rc=1
	echo 0 >/proc/sys/kernel/numa_balancing
	echo "host $(($(figure hints) - hints)), kernel $(($(vmstat numa_hint_faults) - faults))"
	[ "$(figure hints)" = "$hints" ] && ! grep -q "^${pid[b]} " $family/processes || rc=1
	kill -CONT "${pid[a]}"
	stop b && return $rc
}

follows_fork()
{
	local child

	child=$(ask a fork)
	until_true 20 grep -q "^$child " $family/processes && good a
}

follows_exec()
{
	local same

	same=$(ask a exec)
	until_true 60 hot_on a 0 95 && grep -q "^$same " $family/processes && good a
}

detaches()
{
	echo everything >$family/detach && empty $family/attached && empty $family/processes &&
		[ "$(figure pages)" = 0 ] && [ "$(figure programs)" = 0 ] && no_mark_left a
}

cgroup_members()
{
	local group=/sys/fs/cgroup/tiffin_test

	mkdir -p $group && echo "${pid[c]}" >$group/cgroup.procs || return
	echo "cgroup /tiffin_test" >$family/attach || return
	until_true 60 hot_on c 0 95 || return
	# One that leaves is let go, one that comes is taken up.
	echo "${pid[c]}" >/sys/fs/cgroup/cgroup.procs
	until_true 10 eval "! grep -q '^${pid[c]} ' $family/processes" && no_mark_left c || return
	echo "${pid[c]}" >$group/cgroup.procs
	until_true 10 grep -q "^${pid[c]} " $family/processes || return
	echo "${pid[c]}" >/sys/fs/cgroup/cgroup.procs
	rmdir $group || return
	until_true 10 eval "! grep -q cgroup $family/attached"
}

all_programs()
{
	echo all >$family/attach || return
	until_true 10 grep -q "^${pid[c]} " $family/processes && grep -q '^1 ' $family/processes &&
		good c && echo all >$family/detach
}

tap_begin
load
insmod ./tpp.ko || give_up "the policy does not load"
tap_check "node 1 is slower than node 0" test "$(<$family/tiers)" = "0:0 1:1"
start a 1 4096 512
echo "pid ${pid[a]}" >$family/attach || give_up "a does not attach"
tap_check "what is no target is refused" refuses_to_attach
sleep 3
tap_check "with the default active nothing is marked" test "$(figure marked)" = 0
echo tpp >$scope/active || give_up "tpp is not active"
tap_check "pages in use come to the fast node, others stay" promotes_hot
tap_check "hint faults of other programs are the kernel's" others_untouched
until_true 10 settled promoted
tap_check "figures of programs add up to the family's" adds_up
tap_check "a child is followed" follows_fork
tap_check "so is a program that begins anew in a process" follows_exec
tap_check "what is detached is not followed, and has no marks" detaches
start c 1 2048 256
tap_check "processes of a cgroup are followed while they are in it" cgroup_members
tap_check "all programs can be followed" all_programs
for name in a c; do
	tap_check "worker $name has found no wrong page" stop $name
done
tap_end
