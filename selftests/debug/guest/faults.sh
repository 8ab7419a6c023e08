#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest, on the debug kernel: load, swap, rollback, unload with each allocation failing in
# turn. After every try the state is as before or complete; in the end nothing is left behind.
#
# usage: faults.sh [MODULE.ko [PARAMETER]]: that module alone, loaded and unloaded

cd "$(dirname "$0")" || exit
# shellcheck source=selftests/lib/tap.sh
. ./tap.sh

host=/sys/kernel/tiffin
family=$host/packet_steering
scope=$family/scopes/default
debug=/sys/kernel/debug
leaks=$debug/kmemleak
# More allocations than any operation makes: one that goes on counting has gone wrong.
readonly most=2000

# Files that tell what has happened, not how things are.
readonly history='stats|error|last_error|last_swap|previous|counters_per_cpu|figures/.*|counters/.*|hook_hist|hold_hist'

# What user space sees of the host, and which modules there are.
state()
{
	awk '{ print "module", $1, $3, $5 }' /proc/modules | sort
	[ -d $host ] || return 0
	find $host | sort
	find $host -type f -perm -400 | grep -vE "/($history)\$" | sort | xargs -d '\n' grep -s '' || :
}

# What an attempt came to, of `nth N OPERATION...`.
try()
{
	local answer

	answer=$(./nth "$@") || { why="nth $* says nothing"; return 1; }
	read -r injected error <<<"$answer"
}

# same WHAT WANTED: the state
same()
{
	local now

	now=$(state)
	[ "$now" != "$2" ] || return 0
	why="$1, and the state is another: $(diff <(echo "$2") <(echo "$now") | sed '1d; 6q' | tr '\n' ';')"
	return 1
}

# in_turn UNDO OPERATION...: how it went is left in refused and coped, what went wrong in why
in_turn()
{
	local undo=$1 before complete n
	shift

	refused=0 coped=0 why=''
	# What a first time leaves behind is not compared.
	try 0 "$@" || return
	[ "$error" = 0 ] || { why="it fails by itself: error $error"; return 1; }
	$undo || { why="cannot be undone"; return 1; }
	before=$(state)
	try 0 "$@" || return
	complete=$(state)
	[ "$complete" != "$before" ] || { why="it changes nothing"; return 1; }
	$undo || { why="cannot be undone"; return 1; }
	same "undone" "$before" || return
	for ((n = 1; n < most; n++)); do
		try $n "$@" || return
		if [ "$error" != 0 ]; then
			same "allocation $n failed: error $error" "$before" || return
			[ "$injected" = 1 ] || { why="error $error, and no allocation failed"; return 1; }
			refused=$((refused + 1))
			continue
		fi
		same "allocation $n: done" "$complete" || return
		$undo || { why="allocation $n: cannot be undone"; return 1; }
		same "allocation $n: undone" "$before" || return
		[ "$injected" = 1 ] || return 0
		coped=$((coped + 1))
	done
	why="no end after $n allocations"
	return 1
}

# case_of NAME UNDO OPERATION...
case_of()
{
	local name=$1
	shift

	if in_turn "$@" && [ $((refused + coped)) -gt 0 ]; then
		tap_note "$name: $refused allocations failed and it was refused, $coped and it was done"
		tap_pass "$name"
	else
		tap_note "${why:-no allocation was made to fail}"
		tap_fail "$name"
	fi
}

# span NAME: where that function begins and where it ends
span()
{
	awk '$2 ~ /^[tT]$/ { print $1, $3 }' /proc/kallsyms | LC_ALL=C sort | awk -v name="$1" '
		start { print "0x" start, "0x" $1; exit }
		$2 == name { start = $1 }'
}

# only_in [FUNCTION]: only allocations below that function count
only_in()
{
	local start=0 end=0xffffffffffffffff attr

	[ $# = 0 ] || read -r start end <<<"$(span "$1")"
	[ -n "$end" ] || { echo "Bail out! this kernel has no function $1"; exit 1; }
	for attr in failslab fail_page_alloc; do
		echo "$end" >$debug/$attr/require-end
		echo "$start" >$debug/$attr/require-start
	done
}

set_up()
{
	local attr start end

	# kmemleak gives up for good when it gets no memory: its own allocations don't fail.
	read -r start end <<<"$(span __alloc_object)"
	((end > start)) || return
	for attr in failslab fail_page_alloc; do
		echo "$start" >$debug/$attr/reject-start
		echo "$end" >$debug/$attr/reject-end
		echo N >$debug/$attr/ignore-gfp-wait
		echo 0 >$debug/$attr/verbose
		echo 32 >$debug/$attr/stacktrace-depth
	done
	echo N >$debug/fail_page_alloc/ignore-gfp-highmem
	echo 0 >$debug/fail_page_alloc/min-order
	only_in
}

# name_of FILE.ko: the module's name
name_of()
{
	modinfo -F name "./$1"
}

# gone: the modules named, one after the other
gone()
{
	local file

	for file; do
		rmmod "$(name_of "$file")" || return
	done
}

# Nothing that was allocated is lost. The first scan after a change only takes checksums, and nothing
# younger than 5 s is reported.
no_leak()
{
	grep -q 'unreferenced object' $leaks && cat $leaks
	sleep 6
	echo scan >$leaks
	echo scan >$leaks
	! grep -A 30 'unreferenced object' $leaks
}

no_module() { ! grep '^\(tiffin\|control\)' /proc/modules; }

undo_host() { gone tiffin.ko; }
undo_family() { gone tiffin_packet_steering.ko; }
undo_policy() { gone falcon.ko; }
undo_active() { echo default >$scope/active; }
undo_hash() { echo falcon >$scope/active; }
undo_rollback() { echo hash >$scope/active; }
undo_probation() { echo 1 >$scope/rollback; }
begin_probation() { echo "hash probation_ms=9000000" >$scope/swap; }
undo_commit() { echo falcon >$scope/active && begin_probation; }
undo_attach() { echo 0 >$family/attached; }
undo_detach() { echo 1 >$family/attached; }
undo_cpus() { echo 0-1 >$family/cpus; }
undo_unload_policy() { insmod ./hash.ko; }
undo_unload_family() { insmod ./tiffin_packet_steering.ko; }
undo_unload_host() { insmod ./tiffin.ko; }

faults()
{
	only_in do_init_module
	case_of "load the host" undo_host load ./tiffin.ko
	insmod ./tiffin.ko || return
	case_of "load the family" undo_family load ./tiffin_packet_steering.ko
	insmod ./tiffin_packet_steering.ko || return
	case_of "load a policy" undo_policy load ./falcon.ko
	insmod ./falcon.ko && insmod ./hash.ko || return

	only_in
	case_of "swap from default" undo_active write $scope/active falcon
	echo falcon >$scope/active || return
	case_of "swap that hands state over" undo_hash write $scope/active hash
	echo hash >$scope/active || return
	case_of "rollback" undo_rollback write $scope/rollback 1
	echo falcon >$scope/active || return
	case_of "swap on probation" undo_probation write $scope/swap \
		"hash probation_ms=9000000 gate=hook_p99<9000000us"
	begin_probation || return
	case_of "rollback of a probation" begin_probation write $scope/rollback 1
	case_of "commit" undo_commit write $scope/commit 1
	echo 1 >$scope/rollback || return
	echo default >$scope/active || return
	case_of "detach" undo_detach write $family/attached 0
	echo 0 >$family/attached || return
	case_of "attach" undo_attach write $family/attached 1
	case_of "choose CPUs" undo_cpus write $family/cpus 1

	case_of "unload a policy" undo_unload_policy unload "$(name_of hash.ko)"
	gone hash.ko falcon.ko || return
	case_of "unload the family" undo_unload_family unload tiffin_packet_steering
	gone tiffin_packet_steering.ko || return
	case_of "unload the host" undo_unload_host unload tiffin
	gone tiffin.ko
}

undo_control() { gone "$control"; }

tap_begin
set_up || { echo "Bail out! fault injection cannot be set up"; exit 1; }
echo clear >$leaks
if [ $# -gt 0 ]; then
	control=$1
	only_in do_init_module
	case_of "$*" undo_control load "./$1" "${2-}"
else
	faults || { tap_fail "the way from one case to the next"; cat $scope/error; }
fi
tap_check "all modules are unloaded" no_module
tap_check "nothing is left in sysfs" test ! -e $host
tap_check "no memory is lost" no_leak
tap_end
