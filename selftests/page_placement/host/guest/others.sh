#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2016 # A && B || give_up; what until_true evaluates
#
# Programs are followed that have memory which is not: its hint faults are the kernel's.

# shellcheck source=selftests/page_placement/host/guest/lib.sh
. "$(dirname "$0")/lib.sh"

pages=2048

attach() { echo "pid ${pid[$1]}" >$family/attach; }
detach() { echo "pid ${pid[$1]}" >$family/detach; }

# marked NAME: all its pages are, none of which it uses
marked()
{
	local before

	before=$(figure marked)
	attach "$1" && activate greedy &&
		until_true 60 eval "[ \$((\$(figure marked) - $before)) -ge $((pages - 64)) ]"
}

# NUMA balancing marks what the program has changed of a file, too, and finds out where it is used.
files_are_the_kernels()
{
	local faults foreign

	mkdir /mnt/files && mount -t ramfs files /mnt/files || return
	start f 1 $pages 64
	attach f && activate greedy || return
	faults=$(vmstat numa_hint_faults) foreign=$(figure refused_foreign)
	[ "$(ask f file /mnt/files/f)" = mapped ] && echo 1 >/proc/sys/kernel/numa_balancing || return
	until_true 120 eval "[ \$((\$(vmstat numa_hint_faults) - $faults)) -ge 1000 ]" || return
	echo 0 >/proc/sys/kernel/numa_balancing
	echo "kernel's faults $(($(vmstat numa_hint_faults) - faults)), refused $(($(figure refused_foreign) - foreign))"
	[ "$(figure refused_foreign)" = "$foreign" ] && detach f && stop f
}

# Pages are marked, and then a child has them, too.
shared_are_the_kernels()
{
	local faults hints

	start s 1 $pages 0
	marked s && ask s fork >/dev/null || return
	faults=$(vmstat numa_hint_faults) hints=$(figure hints)
	[ "$(ask s use 0 $pages 0)" = used ] || return
	until_true 60 eval "[ \$((\$(vmstat numa_hint_faults) - $faults)) -ge 1000 ]" || return
	echo "kernel's faults $(($(vmstat numa_hint_faults) - faults)), host's $(($(figure hints) - hints))"
	[ $(($(figure hints) - hints)) -lt 100 ] && detach s && stop s
}

# Pages are marked, and then a program that is told of page faults is to hear of none of the host's.
watched_has_no_mark()
{
	start w 1 $pages 0
	marked w && [ "$(ask w watch)" = watched ] && detach w && no_mark_left w && stop w
}

# What was swapped in while no policy was asked is not what the first tick tells of.
first_tick()
{
	local before

	modprobe zram && echo 64M >/sys/block/zram0/disksize && mkswap /dev/zram0 >/dev/null &&
		swapon /dev/zram0 || return
	activate default && start z 1 $pages 64 && before=$(vmstat pswpin) || return
	[ "$(ask z pageout)" = out ] && good z || return
	echo "swapped in: $(($(vmstat pswpin) - before))"
	[ $(($(vmstat pswpin) - before)) -ge $((pages / 2)) ] || return
	activate sums && until_true 30 eval '[ $(counter ticks) -ge 3 ]' || return
	echo "told: $(counter swap_ins) in $(counter ticks) ticks"
	[ "$(counter swap_ins)" -lt $((pages / 8)) ] && good z && [ "$(counter ticks)" -ge 3 ] && stop z
}

tap_begin
load
insmod ./greedy.ko && insmod ./sums.ko || give_up "the policies do not load"
tap_check "what a program has changed of a file is not followed" files_are_the_kernels
tap_check "nor are pages that were marked and then shared" shared_are_the_kernels
tap_check "marks are undone where userfaultfd watches by then" watched_has_no_mark
tap_check "the first tick after the default tells of one tick" first_tick
tap_check "all of it unloads" unload
tap_end
