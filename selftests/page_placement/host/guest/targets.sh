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

# of_target TARGET FIELD: of its line in the file attached
of_target() { sed -n "s|^$1: .* $2 \([0-9]*\).*|\1|p" $family/attached; }

# of_programs FIELD SHARES: the sum over the file processes, without the process SHARES: it has the memory
# of another one there
of_programs() { grep -v "^$2 " $family/processes | grep -o " $1 [0-9]*" | awk '{ n += $2 } END { print n + 0 }'; }

# counted_once SHARES: each program stands once in the sums of all targets. Nothing is counted meanwhile.
counted_once()
{
	local what

	activate default && until_true 60 settled hints && until_true 60 settled promoted || return
	for what in hints promoted; do
		[ "$(sum $what)" = "$(of_programs $what "$1")" ] && [ "$(sum $what)" -ge 32 ] ||
			{ echo "$what"; cat $family/attached $family/processes; return 1; }
	done
}

# promotes FIRST: another part of the memory of g is used, and comes to the fast node
promotes() { activate tpp && [ "$(ask g use "$1" 64 1)" = used ] && until_true 60 hot_on g 0 95; }

# Two processes of a target share their memory, and a third one lies between them in the list.
shared_within_target()
{
	local group=/sys/fs/cgroup/tiffin_test shares

	echo everything >$family/detach && mkdir -p $group && echo "${pid[g]}" >$group/cgroup.procs &&
		echo "cgroup /tiffin_test" >$family/attach &&
		until_true 10 grep -q "^${pid[g]} " $family/processes &&
		echo "$between" >$group/cgroup.procs &&
		until_true 10 grep -q "^$between " $family/processes || return
	shares=$(ask g share)
	until_true 10 grep -q "^$shares " $family/processes && promotes 0 && counted_once "$shares" &&
		grep -q '^cgroup /tiffin_test: processes 3 ' $family/attached && kill -KILL "$shares"
}

# Two processes of two targets share their memory. What is counted goes on where one of them is let go,
# and where it comes back; what was counted stays with the target that has counted it.
shared_by_targets()
{
	local group=/sys/fs/cgroup/tiffin_test shares first second

	shares=$(ask g share)
	echo everything >$family/detach && echo "$shares" >/sys/fs/cgroup/cgroup.procs &&
		echo "cgroup /tiffin_test" >$family/attach &&
		until_true 10 grep -q "^${pid[g]} " $family/processes &&
		echo "pid $shares" >$family/attach && promotes 128 && counted_once "$shares" || return
	first=$(of_target "cgroup /tiffin_test" promoted)
	[ "$first" -ge 32 ] && [ "$(of_target "pid $shares" promoted)" = 0 ] || return
	echo "${pid[g]}" >/sys/fs/cgroup/cgroup.procs &&
		until_true 10 eval "! grep -q '^${pid[g]} ' $family/processes" || return
	[ "$(of_target "cgroup /tiffin_test" promoted)" = "$first" ] && promotes 256 || return
	# Its line in the file processes tells of the memory, since before.
	counted_once 0 || return
	second=$(of_target "pid $shares" promoted)
	echo "$first, then $second"
	[ "$(of_target "cgroup /tiffin_test" promoted)" = "$first" ] && [ "$second" -ge 32 ] || return
	echo "${pid[g]}" >$group/cgroup.procs &&
		until_true 10 grep -q "^${pid[g]} " $family/processes &&
		kill -KILL "$shares" && until_true 10 eval "! grep -q '^$shares ' $family/processes" &&
		[ "$(of_target "pid $shares" promoted)" = "$second" ] && counted_once 0 || return
	promotes 384 && counted_once 0 && [ "$(of_target "pid $shares" promoted)" = "$second" ] &&
		[ "$(of_target "cgroup /tiffin_test" promoted)" -ge $((first + 32)) ] || return
	echo "${pid[g]}" >/sys/fs/cgroup/cgroup.procs && echo "$between" >/sys/fs/cgroup/cgroup.procs &&
		echo everything >$family/detach && rmdir $group
}

# Who reads piece by piece gets one text of one moment, also of more than a page: nothing is attached any
# more when it goes on.
one_text()
{
	local attached processes pids=() nr=100 rc=0

	echo everything >$family/detach || return
	while [ ${#pids[@]} -lt $nr ]; do
		sleep 100000 &
		pids+=($!)
		echo "pid $!" >$family/attach || rc=1
	done
	exec {attached}<$family/attached {processes}<$family/processes
	dd bs=1000 count=1 <&"$attached" >attached.text && dd bs=1000 count=1 <&"$processes" >processes.text &&
		echo everything >$family/detach || rc=1
	cat <&"$attached" >>attached.text || rc=1
	cat <&"$processes" >>processes.text || rc=1
	exec {attached}<&- {processes}<&-
	kill "${pids[@]}"
	wc attached.text processes.text
	diff <(printf 'pid %s: processes 1 hints 0\n' "${pids[@]}") \
		<(grep -o '^pid [0-9]*: .* hints [0-9]*' attached.text) || rc=1
	diff <(printf '%s\n' "${pids[@]}") <(sed -n 's/^\([0-9]*\) .*: .* unmapped_us\( 0\)\{20\}$/\1/p' processes.text) ||
		rc=1
	[ "$(wc -l <attached.text)" = $nr ] && [ "$(stat -c %s attached.text)" -gt 4096 ] &&
		[ "$(wc -l <processes.text)" = $nr ] && empty $family/attached && return $rc
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
start g 1 512 64
sleep 100000 &
between=$!
tap_check "processes of a target that share their memory are counted once" shared_within_target
tap_check "memory that processes of two targets share is counted once, and never backwards" shared_by_targets
kill $between
tap_check "a list longer than a page is of one moment" one_text
tap_check "it unloads" unload
for name in d e f g; do
	tap_check "worker $name has found no wrong page" stop $name
done
tap_end
