#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2016 # A && B || give_up; what until_true evaluates
#
# In the guest, two memory nodes, the second without CPUs: the host moves pages of programs that know
# nothing of it, and leaves no trace.

set -u
cd "$(dirname "$0")" || exit
# shellcheck source=selftests/lib/tap.sh
. ./tap.sh

family=/sys/kernel/tiffin/page_placement
scope=$family/scopes/default

# give_up WHY: the rest makes no sense.
give_up()
{
	echo "Bail out! $*"
	dmesg | tail -n 5
	exit 1
}

# load: calls last long where CPUs are emulated, and none is to be ended for that.
load()
{
	insmod ./tiffin.ko && insmod ./tiffin_page_placement.ko &&
		echo 1000000 >$family/limits/budget_us && echo 100 >$family/limits/cpu_percent ||
		give_up "the host does not load"
}

unload()
{
	local module

	echo default >$scope/active || return
	for module in $(lsmod | sed -n 's/^\(tiffin_[a-z_]*_[0-9a-f]\{8\}\) .*/\1/p'); do
		rmmod "$module" || return
	done
	rmmod tiffin_page_placement && rmmod tiffin
}

figure() { cat "$family/figures/$1"; }
vmstat() { sed -n "s/^$1 //p" /proc/vmstat; }

# node NUMBER FIELD: of the file nodes
node() { sed -n "s/^$1: .*\\b$2 \([0-9]*\).*/\1/p" $family/nodes; }

# fails COMMAND...: it does, and says with what
fails()
{
	local errno=$1 output

	shift
	output=$({ "$@"; } 2>&1) && return 1
	[[ $output == *"$errno"* ]] || { echo "$output"; return 1; }
}

write() { echo "$2" >"$1"; }

# start NAME ARGUMENT...: a worker; what NAME does has its pid in pid_NAME
declare -A pid to from
start()
{
	local name=$1 in out

	shift
	mkfifo "$name.in" "$name.out"
	./worker "$@" <"$name.in" >"$name.out" &
	exec {in}>"$name.in" {out}<"$name.out"
	rm "$name.in" "$name.out"
	to[$name]=$in from[$name]=$out
	read -r -t 300 "pid[$name]" <&"$out" || give_up "worker $name does not start"
}

# ask NAME COMMAND...: its answer
ask()
{
	local name=$1 answer

	shift
	echo "$*" >&"${to[$name]}"
	read -r -t 300 answer <&"${from[$name]}" || give_up "worker $name: $* is not answered"
	echo "$answer"
}

stop() { [ "$(ask "$1" end)" = good ]; }
good() { local answer; answer=$(ask "$1" check); [ "$answer" = good ] || { echo "$answer"; return 1; }; }

# until_true SECONDS COMMAND...
until_true()
{
	local limit=$1 end=$((SECONDS + $1))

	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || { echo "not within $limit s: $*"; return 1; }
		sleep 1
	done
}

# hot_on NAME NODE SHARE: at least SHARE of 100 of its used pages are there
hot_on()
{
	local hot0 hot1 rest

	read -r hot0 hot1 rest <<<"$(ask "$1" where)"
	[ "$2" = 0 ] || { rest=$hot0 hot0=$hot1 hot1=$rest; }
	[ $((hot0 * 100)) -ge $(((hot0 + hot1) * $3)) ] && [ "$hot0" -gt 0 ]
}

# cold_on NAME NODE COUNT: so many of its unused pages are there. Marked ones some kernels do not show.
cold_on()
{
	local hot0 hot1 cold0 cold1

	# shellcheck disable=SC2034 # the order of the answer
	read -r hot0 hot1 cold0 cold1 <<<"$(ask "$1" where)"
	[ "$2" = 0 ] || cold0=$cold1
	echo "$cold0"
	[ "$cold0" -eq "$3" ]
}

# sum FIELD: of all lines of the file attached
sum() { grep -o " $1 [0-9]*" $family/attached | awk '{ n += $2 } END { print n + 0 }'; }

settled() { local n; n=$(figure "$1"); sleep 2; [ "$n" = "$(figure "$1")" ]; }

# What was counted of programs and targets is what the family counted, since it was loaded.
adds_up()
{
	local what

	for what in hints promoted demoted remapped written; do
		[ "$(sum $what)" = "$(figure $what)" ] ||
			{ echo "$what: attached $(sum $what), figure $(figure $what)"; return 1; }
	done
}

# The program's pages are accessible: all can be read without a fault.
no_mark_left()
{
	local before after

	before=$(ask "$1" faults)
	good "$1" || return
	after=$(ask "$1" faults)
	[ $((after - before)) -lt 64 ] || { echo "$((after - before)) faults"; return 1; }
}

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
		fails directory write $family/detach "cgroup /" && fails directory write $family/detach all
}

# NUMA balancing goes on for programs that are not attached: its faults are counted by the kernel, not
# by the host, and the kernel moves their pages as it likes.
others_untouched()
{
	local hints faults

	hints=$(figure hints)
	faults=$(vmstat numa_hint_faults)
	echo 1 >/proc/sys/kernel/numa_balancing || return
	start b 1 2048 2048
	until_true 120 eval "[ \$((\$(vmstat numa_hint_faults) - $faults)) -gt 500 ]" || return
	echo "host $(($(figure hints) - hints)), kernel $(($(vmstat numa_hint_faults) - faults))"
	[ "$(sum hints)" = "$(figure hints)" ] && stop b
	echo 0 >/proc/sys/kernel/numa_balancing
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
	echo everything >$family/detach && [ ! -s $family/attached ] && [ ! -s $family/processes ] &&
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

# ballast FREE: node 0 is left with so many free pages
ballast()
{
	local pages=$(($(node 0 free) - $1))

	mkdir -p /mnt/ballast
	mountpoint -q /mnt/ballast || mount -t tmpfs -o mpol=bind:0,size=90% ballast /mnt/ballast || return
	[ $pages -gt 0 ] && head -c $((pages * 4096)) /dev/zero >/mnt/ballast/$SECONDS.$RANDOM && sleep 1
}

# greedy wants more than node 0 can give: what is left is what the watermark says.
keeps_watermark()
{
	local low

	low=$(node 0 wm_low)
	ballast $((low + 1500)) && start d 1 8192 8192 && echo "pid ${pid[d]}" >$family/attach || return
	echo greedy >$scope/active && until_true 60 eval '[ $(figure no_room) -gt 1000 ]' || return
	sleep 5
	echo "free $(node 0 free), wm_low $(node 0 wm_low), promoted $(figure promoted)"
	[ "$(node 0 free)" -ge $((low - 300)) ] && [ "$(node 0 free)" -le $((low + 1400)) ] &&
		stop d && until_true 10 eval "! grep -q '^${pid[d]} ' $family/processes"
}

# Handles of another generation name nothing: no page moves for them.
late_handles()
{
	local demoted stale

	rm -f /mnt/ballast/*
	echo "pid ${pid[e]}" >$family/attach || return
	demoted=$(figure demoted) stale=$(figure stale)
	echo late >$scope/active && ballast $(($(node 0 wm_low) - 500)) || return
	until_true 60 eval "[ \$((\$(figure stale) - $stale)) -ge 1000 ]" || return
	[ "$(figure demoted)" = "$demoted" ] && cold_on e 0 4032
}

# Node 0 is short of memory: what e does not use leaves it, until there is headroom again.
demotes_cold()
{
	local demoted

	demoted=$(figure demoted)
	echo tpp >$scope/active
	until_true 90 eval '[ $(node 0 free) -ge $(($(node 0 wm_high) - 64)) ]' || return
	echo "demoted $(($(figure demoted) - demoted)): $(ask e where)"
	[ $(($(figure demoted) - demoted)) -ge 1000 ] && hot_on e 0 90 && good e
}

reload_under_load()
{
	local round

	for round in 1 2 3 4 5; do
		load && insmod ./greedy.ko && echo greedy >$scope/active &&
			echo "pid ${pid[a]}" >$family/attach && sleep 2 && good a && unload &&
			no_mark_left a || { echo "round $round"; return 1; }
	done
}

tap_begin
mount -t tmpfs work /mnt && cp ./* /mnt && cd /mnt || give_up "no place to work"
mountpoint -q /sys/fs/cgroup || mount -t cgroup2 none /sys/fs/cgroup
echo 0 >/proc/sys/kernel/numa_balancing
load
insmod ./tpp.ko && insmod ./greedy.ko && insmod ./late.ko || give_up "the policies do not load"
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
tap_check "promotion leaves the watermark free" keeps_watermark
start e 0 4096 64
tap_check "handles of another generation move nothing" late_handles
tap_check "a node that is short of memory is relieved of unused pages" demotes_cold
tap_check "the host unloads" unload
tap_check "it leaves no marks" no_mark_left e
tap_check "it loads and unloads under load" reload_under_load
for name in a c e; do
	tap_check "worker $name has found no wrong page" stop $name
done
tap_end
