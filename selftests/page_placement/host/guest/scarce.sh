#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2016 # A && B || give_up; what until_true evaluates
#
# Programs that may not have as much memory as they want, while their pages move: limits of a cgroup,
# swapping out, and the end by the OOM killer. Each program checks all that it reads.

# shellcheck source=selftests/page_placement/host/guest/lib.sh
. "$(dirname "$0")/lib.sh"

group=/sys/fs/cgroup/tiffin_scarce
part=1024
parts=4
now=0

# A program of the group: start_in_group NAME ARGUMENT...
start_in_group()
{
	local name=$1

	shift
	start "$name" -- bash -c "echo \$\$ >$group/cgroup.procs && exec ./worker $*"
}

# next NAME: it goes on to its next part, of which it writes every fourth page
next()
{
	now=$(((now + 1) % parts))
	[ "$(ask "$1" use $((now * part)) $part 4)" = used ]
}

event() { sed -n "s/^$1 //p" $group/memory.events; }
stat_of() { sed -n "s/^$1 //p" $group/memory.stat; }

# Node 0 has room for some of what the programs use: pages go both ways.
little_room() { leave_free $(($(node 0 wm_low) + part / 2)); }

# grown NAME...: each of these by a part of the memory or more, since note
declare -A noted
value_of()
{
	case $1 in
	pswp*) vmstat "$1" ;;
	*) figure "$1" ;;
	esac
}

note() { local name; for name in "$@"; do noted[$name]=$(value_of "$name"); done; }

grown()
{
	local name

	for name in "$@"; do
		[ $(($(value_of "$name") - noted[$name])) -ge $part ] || return
	done
}

# What zram takes for swapped pages lies on node 0, too: where nothing is left there to be demoted, and it
# is still short of memory, it gets its room back.
goes_on()
{
	next a && sleep 1 || return
	[ "$(node 0 free)" -gt "$(node 0 wm_low)" ] || little_room || return
	grown "$@"
}

# squeezed POLICY LIMIT: a has more memory than the LIMIT, high or max, lets it; the rest goes to swap and
# comes back, while pages move both ways.
squeezed()
{
	local what=(promoted demoted pswpin pswpout) name before killed

	before=$(event "$2") killed=$(event oom_kill)
	activate "$1" && little_room && note "${what[@]}" && echo $((3 * part * 4096)) >"$group/memory.$2" || return
	until_true 400 goes_on "${what[@]}" || { state a; cat $group/memory.events; return 1; }
	for name in "${what[@]}"; do
		echo "$name $(($(value_of "$name") - noted[$name]))"
	done
	echo "$2 $(($(event "$2") - before))"
	[ "$(event "$2")" -gt "$before" ] && [ "$(event oom_kill)" = "$killed" ] && good a
}

# What nomad left of a's pages goes when they are swapped out: on both nodes, if enough of them are.
shadows_gone()
{
	local before

	before=$(figure shadows_changed)
	squeezed nomad "$1" && until_true 300 eval "goes_on && swap_out && [ \$((\$(figure shadows_changed) - $before)) -ge $((part / 4)) ]" ||
		{ state a; return 1; }
	good a
}

# Where there is not as much to be swapped out, that is no failure.
swap_out() { echo $((part * 4096)) >$group/memory.reclaim || true; } 2>/dev/null

# Shadows are charged to nobody: what the group is charged is what the kernel finds there. Charges that
# CPUs keep at hand come on top, 64 pages each.
charged_right()
{
	local current known

	activate default && until_true 60 settled promoted && until_true 60 settled demoted || return
	current=$(($(<$group/memory.current) / 4096))
	known=$((($(stat_of anon) + $(stat_of file) + $(stat_of kernel)) / 4096))
	echo "charged $current, known $known, of it $(($(stat_of anon) / 4096)) of programs; shadows $(figure shadows)"
	[ "$(figure shadows)" -ge $((part / 4)) ] && [ $current -le $((known + 192)) ]
}

# Room for all again: shadows of many pages, and then the check of what is charged.
charged()
{
	echo max >$group/memory.high && echo max >$group/memory.max && activate nomad || return
	until_true 300 eval 'next a && sleep 1 && [ $(figure shadows) -ge $((part / 2)) ]' || { state a; return 1; }
	charged_right
}

# Nobody else has what the program had.
ends() { stop a && until_true 60 eval '[ $(<$group/memory.current) -lt $((part * 1024)) ]'; }

# killed POLICY SHADOWS: a program is ended by the OOM killer while its pages move, and so many of them have
# shadows. It leaves nothing behind: b uses 64 pages. The other one, which wants more than there is, waits
# until it is gone.
killed()
{
	local before

	echo max >$group/memory.high && echo $((6 * part * 4096)) >$group/memory.max &&
		echo 0 >$group/memory.swap.max && activate "$1" && start_in_group v 1 $((parts * part)) $part &&
		echo 1000 >"/proc/${pid[v]}/oom_score_adj" && echo "pid ${pid[v]}" >$family/attach &&
		little_room && note promoted demoted || return
	until_true 300 eval "next v && sleep 1 && grown promoted demoted && [ \$(figure shadows) -ge $2 ]" ||
		{ state v; return 1; }
	before=$(event oom_kill)
	start h -- choom -n -1000 -- bash -c "echo \$\$ >$group/cgroup.procs && exec ./worker 0 $((3 * part)) 64"
	echo "killed $(($(event oom_kill) - before)), shadows $(figure shadows)"
	[ "$(event oom_kill)" = $((before + 1)) ] &&
		until_true 60 eval "! grep -q '^${pid[v]} ' $family/processes" &&
		until_true 60 eval '[ $(figure programs) = 1 ] && [ $(figure unsettled) = 0 ]' && stop h &&
		until_true 60 eval '[ $(<$group/memory.current) -lt $((part * 1024)) ]' ||
		{ cat $family/processes $group/memory.current $group/memory.stat; return 1; }
	[ "$(figure shadows)" -le 64 ] && good b
}

tap_begin
load
plain_memory
modprobe zram && echo 128M >/sys/block/zram0/disksize && mkswap /dev/zram0 >/dev/null &&
	swapon /dev/zram0 || give_up "there is no swap"
echo +memory >/sys/fs/cgroup/cgroup.subtree_control && mkdir $group || give_up "there is no cgroup"
insmod ./tpp.ko && insmod ./nomad.ko || give_up "the policies do not load"
start_in_group a 1 $((parts * part)) $part
start b 1 512 64
echo "pid ${pid[a]}" >$family/attach && echo "pid ${pid[b]}" >$family/attach || give_up "a and b do not attach"
tap_check "tpp: pages move while a program is throttled at memory.high, and swapped" squeezed tpp high
tap_check "nomad: the same; shadows go with what is swapped out" shadows_gone high
echo max >$group/memory.high
tap_check "tpp: pages move while a program is kept at memory.max, and swapped" squeezed tpp max
tap_check "nomad: the same; shadows go with what is swapped out" shadows_gone max
tap_check "the group is charged what it has, and no shadows" charged
tap_check "worker a has found no wrong page, and leaves none" ends
tap_check "swap is empty then" swapoff /dev/zram0
tap_check "tpp: nothing is left of a program that the OOM killer ends" killed tpp 0
tap_check "nomad: nothing is left of a program that the OOM killer ends" killed nomad $((part / 4))
tap_check "worker b, which was followed all the time, has found no wrong page" stop b
tap_check "all of it unloads" unload
tap_end
