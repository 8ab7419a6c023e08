#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2016 # A && B || give_up; what until_true evaluates
#
# Which processes belong to what is attached: children of all kinds, processes of two targets, what
# has ended. Each begins with nothing attached.

# shellcheck source=selftests/page_placement/host/guest/lib.sh
. "$(dirname "$0")/lib.sh"

# What was attached has ended, its child lives: the child is let go by the words of attach.
detaches_ended()
{
	local ended child

	echo everything >$family/detach || return
	ended=$(ask d fork)
	echo "pid $ended" >$family/attach || return
	child=$(ask d fork)
	until_true 20 grep -q "^$child " $family/processes || return
	kill -KILL "$ended"
	until_true 20 test ! -e "/proc/$ended" &&
		until_true 20 grep -q "^pid $ended: processes 1 " $family/attached || return
	echo "pid $ended" >$family/detach && empty $family/attached && empty $family/processes &&
		fails directory write $family/detach "pid $ended" && no_mark_left d
}

# A process of two targets stays followed when one of them lets it go: as that is detached, or left.
overlapping()
{
	local group=/sys/fs/cgroup/tiffin_test how

	for how in detached left; do
		echo everything >$family/detach && mkdir -p $group &&
			echo "${pid[e]}" >$group/cgroup.procs &&
			echo "cgroup /tiffin_test" >$family/attach &&
			until_true 10 grep -q "^${pid[e]} " $family/processes &&
			echo "pid ${pid[e]}" >$family/attach || return
		grep -q '^cgroup /tiffin_test: processes 1 ' $family/attached &&
			grep -q "^pid ${pid[e]}: processes 0 " $family/attached || return
		[ $how = left ] || echo "cgroup /tiffin_test" >$family/detach || return
		echo "${pid[e]}" >/sys/fs/cgroup/cgroup.procs
		until_true 10 grep -q "^pid ${pid[e]}: processes 1 " $family/attached &&
			grep -q "^${pid[e]} " $family/processes || { echo "$how"; cat $family/attached; return 1; }
	done
	rmdir $group
}

# follows_by COMMAND TIMES: each time another process does the worker's work, and is followed
follows_by()
{
	local nr child

	echo everything >$family/detach || return
	child=$(ask f fork)
	echo "pid $child" >$family/attach || return
	for ((nr = 1; nr <= $2; nr++)); do
		child=$(ask f "$1")
		until_true 10 grep -q "^$child " $family/processes ||
			{ echo "$1, time $nr"; cat $family/attached $family/processes; return 1; }
	done
	[ "$(figure forks_missed)" = 0 ] && good f
}

tap_begin
load
insmod ./tpp.ko && echo tpp >$scope/active || give_up "tpp is not active"
start d 1 512 64
tap_check "what has ended is detached, with its children" detaches_ended
start e 1 512 64
tap_check "a process of two targets is followed while one of them has it" overlapping
start f 1 64 16
tap_check "a child that is forked right after an exec is followed" follows_by execfork 4
tap_check "children of children are followed while others are taken up" follows_by "chain 800" 4
tap_check "it unloads" unload
for name in d e f; do
	tap_check "worker $name has found no wrong page" stop $name
done
tap_end
