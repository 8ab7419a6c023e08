# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2034 # A && B || give_up; names that the cases use
#
# What the cases share, in the guest: two memory nodes, the second without CPUs.

set -u
cd "$(dirname "${BASH_SOURCE[0]}")" || exit
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

	activate default || return
	for module in $(lsmod | sed -n 's/^\(tiffin_[a-z_]*_[0-9a-f]\{8\}\) .*/\1/p'); do
		rmmod "$module" || return
	done
	rmmod tiffin_page_placement && rmmod tiffin
}

# activate POLICY: unless it is active
activate() { [[ "$(<$scope/active)-" == "$1"-* ]] || echo "$1" >$scope/active; }

figure() { cat "$family/figures/$1"; }
vmstat() { sed -n "s/^$1 //p" /proc/vmstat; }

# node NUMBER FIELD: of the file nodes
node() { sed -n "s/^$1: .*\\b$2 \([0-9]*\).*/\1/p" $family/nodes; }

# counter NAME, tune NAME VALUE...: of the active policy
counter() { cat "/sys/kernel/tiffin/policies/$(<$scope/active)/counters/$1"; }
tune()
{
	while [ $# -gt 0 ]; do
		echo "$2" >"/sys/kernel/tiffin/policies/$(<$scope/active)/tunables/$1" || return
		shift 2
	done
}

# fails COMMAND...: it does, and says with what
fails()
{
	local errno=$1 output

	shift
	output=$({ "$@"; } 2>&1) && return 1
	[[ $output == *"$errno"* ]] || { echo "$output"; return 1; }
}

write() { echo "$2" >"$1"; }

# empty FILE: it can be read, and has no line; a file of sysfs has no size that test -s could see
empty()
{
	local text

	text=$(cat "$1") && [ -z "$text" ]
}

# start NAME ARGUMENT..., start NAME -- PROGRAM ARGUMENT...: a worker, or another program that answers as
# one does. Its first line is the pid of the process that the case is about.
declare -A pid to from
start()
{
	local name=$1 in out

	shift
	[ "$1" = -- ] && shift || set -- ./worker "$@"
	mkfifo "$name.in" "$name.out"
	"$@" <"$name.in" >"$name.out" &
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

	read -r hot0 hot1 cold0 cold1 <<<"$(ask "$1" where)"
	[ "$2" = 0 ] || cold0=$cold1
	echo "$cold0"
	[ "$cold0" -eq "$3" ]
}

# pages_of NAME KEY: of its anonymous memory, as the kernel counts; KEY N1: on node 1; anon: all
pages_of()
{
	awk -v key="$2" '/ anon=/ { for (i = 1; i <= NF; i++) if (index($i, key "=") == 1) n += substr($i, length(key) + 2) }
		END { print n + 0 }' "/proc/${pid[$1]}/numa_maps"
}

# Only moves take pages from node 1, or bring some: new memory comes from node 0.
on_slow() { pages_of "$1" N1; }
anonymous() { pages_of "$1" anon; }

# of_process NAME FIELD: of its line in the file processes
of_process() { sed -n "s/^${pid[$1]} .*:.* $2 \([0-9]*\).*/\1/p" $family/processes; }

# sum FIELD: of all lines of the file attached
sum() { grep -o " $1 [0-9]*" $family/attached | awk '{ n += $2 } END { print n + 0 }'; }

# state NAME: for who looks for the reason
state()
{
	cat $family/nodes $family/attached
	ask "$1" where
	grep -H . $family/figures/* /sys/kernel/tiffin/policies/*/counters/* | sed 's/.*\///' | grep -v ':0$'
}

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

# Nearly all memory that is free is the node's to give: with huge pages the kernel keeps much more of it
# back, and the lists of CPUs may have more of it than the cases move to and fro.
plain_memory()
{
	echo never >/sys/kernel/mm/transparent_hugepage/enabled &&
		echo 4096 >/proc/sys/vm/min_free_kbytes &&
		echo 1000000 >/proc/sys/vm/percpu_pagelist_high_fraction || give_up "memory is not as wanted"
}

# ballast FREE: node 0 is left with so many free pages
ballast()
{
	local pages=$(($(node 0 free) - $1))

	mkdir -p /mnt/ballast
	mountpoint -q /mnt/ballast || mount -t tmpfs -o mpol=bind:0,size=90% ballast /mnt/ballast || return
	[ $pages -gt 0 ] && head -c $((pages * 4096)) /dev/zero >/mnt/ballast/$SECONDS.$RANDOM && sleep 1
}

# leave_free PAGES: the same, and seen to: what was used a moment ago comes free late, and other programs
# want some, too
leave_free()
{
	local more tries size

	mkdir -p /mnt/ballast
	mountpoint -q /mnt/ballast || mount -t tmpfs -o mpol=bind:0,size=90% ballast /mnt/ballast || return
	size=$(($(stat -c %s /mnt/ballast/all 2>/dev/null || echo 0) / 4096))
	for ((tries = 0; tries < 50; tries++)); do
		more=$(($(node 0 free) - $1))
		[ $more -gt 128 ] || [ $more -lt -128 ] || return 0
		size=$((size + more))
		if [ $more -gt 0 ]; then
			head -c $((more * 4096)) /dev/zero >>/mnt/ballast/all
		elif [ $size -lt 0 ]; then
			break
		else
			truncate -s $((size * 4096)) /mnt/ballast/all
		fi
		sleep 0.5
	done
	cat $family/nodes
	return 1
}

# Of what the cases leave nothing is to be read by the next one: each has a guest of its own.
mount -t tmpfs work /mnt && cp ./* /mnt && cd /mnt || give_up "no place to work"
mountpoint -q /sys/fs/cgroup || mount -t cgroup2 none /sys/fs/cgroup
echo 0 >/proc/sys/kernel/numa_balancing
