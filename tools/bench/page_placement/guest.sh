# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest: tiers, configurations, and programs that are watched. To be sourced by guest-sweep and
# guest-test; $here is where the programs are, /out where figures go.

: "${here:?}"
readonly settings=/proc/sys/kernel/numa_balancing demotion=/sys/kernel/mm/numa/demotion_enabled
readonly scans=/sys/kernel/debug/sched/numa_balancing
readonly stalls=/sys/module/bench_stalls/parameters
readonly family=/sys/kernel/tiffin/page_placement
holder=''

# setting KEY: what sweep.conf says of it
setting()
{
	awk -v key="$1" '$1 == key { sub(/^[^ ]+ /, ""); print; exit }' "$here/sweep.conf"
}

# hold_fast CPU KIB: hold memory of the fast node until so much is free; sets holder
hold_fast()
{
	exec {ready}< <(exec taskset -c "$1" "$here/hold" 0 "$2")
	holder=$!
	read -r -u $ready _ || {
		echo "the fast node can't be made as small as that" >&2
		exit 3
	}
	exec {ready}<&-
}

release_fast()
{
	[ -n "$holder" ] || return 0
	kill "$holder"
	wait "$holder" 2>/dev/null || :
	holder=''
}

# What is watched has CPU 0 for itself; this script, and what else runs, has the others.
machine_up()
{
	local nodes cpu

	taskset -pc 1 $$ >/dev/null
	nodes=$(cat /sys/devices/virtual/memory_tiering/memory_tier*/nodelist | xargs)
	[ "$nodes" = "0 1" ] || {
		echo "nodes by tier are '$nodes', not '0 1'" >&2
		exit 3
	}
	echo never >/sys/kernel/mm/transparent_hugepage/enabled
	# Each CPU's list of free pages as short as can be: what lies there is not seen as free. It gets
	# shorter when pages are freed there.
	echo 1000000 >/proc/sys/vm/percpu_pagelist_high_fraction
	for cpu in 0 1; do
		hold_fast $cpu $((64 * 1024))
		release_fast
	done
	insmod "$here/bench_stalls.ko"
	"$here/begin"
}

# As much is free on the fast node as sweep.conf says, above what the kernel keeps for itself.
tiers_ready()
{
	local low

	release_fast
	sync
	echo 3 >/proc/sys/vm/drop_caches
	low=$(awk '$1 == "Node" { node = $2 } node == "0," && $1 == "low" { n += $2 }
		END { print 4 * n }' /proc/zoneinfo)
	hold_fast 1 $((low + 1024 * $(setting fast_mib)))
}

kernel_off()
{
	echo 0 >$settings
	echo 0 >$demotion
}

kernel_on()
{
	local periods

	read -ra periods <<<"$(setting kernel_scan_period_ms)"
	echo "${periods[0]}" >$scans/scan_period_min_ms
	echo "${periods[1]}" >$scans/scan_period_max_ms
	echo "${periods[0]}" >$scans/scan_delay_ms
	setting kernel_hot_threshold_ms >$scans/hot_threshold_ms
	echo 1 >$demotion
	echo 2 >$settings
}

# configure NAME: none, kernel, or a policy. Says why not, and fails, if this build does not have it.
configure()
{
	local name value

	kernel_off
	case $1 in
	none) return ;;
	kernel)
		kernel_on
		return
		;;
	esac
	[ -e "$here/tiffin_page_placement.ko" ] || {
		echo "no family page_placement in this build"
		return 1
	}
	[ "$1" = default ] || [ -e "$here/policies/$1.ko" ] || {
		echo "no policy $1 in this build"
		return 1
	}
	# The kernel's own tiering, with the host there: no more than that is the default policy.
	[ "$1" != default ] || kernel_on
	insmod "$here/tiffin.ko"
	insmod "$here/tiffin_page_placement.ko"
	while read -r name value; do
		echo "$value" >"$family/$name"
	done < <(awk '$1 == "host" { print $2, $3 }' "$here/sweep.conf")
	[ "$1" = default ] || {
		insmod "$here/policies/$1.ko"
		while read -r name value; do
			echo "$value" >"$(echo /sys/kernel/tiffin/policies/"$1"-*/tunables/"$name")"
		done < <(awk -v policy="$1" '$1 == "tunable" && $2 == policy { print $3, $4 }' "$here/sweep.conf")
		echo "$1" >$family/scopes/default/active || {
			cat $family/scopes/default/error >&2
			exit 3
		}
	}
}

unconfigure()
{
	local module

	kernel_off
	[ -d $family ] || return 0
	# What is active can't be made so again.
	[ "$(cat $family/scopes/default/active)" = default ] ||
		echo default >$family/scopes/default/active
	while read -r module _; do
		[[ $module != tiffin_* || $module = tiffin_page_placement ]] || rmmod "$module"
	done </proc/modules
	rmmod tiffin_page_placement tiffin
}

# begin_watch PID: of this process
begin_watch()
{
	echo "$1" >$stalls/tgid
	[ ! -d $family ] || echo "pid $1" >$family/attach
}

# values FILE...: the name of each, and what it says
values()
{
	local file

	for file in "$@"; do
		[ ! -e "$file" ] || echo "${file##*/} $(<"$file")"
	done
}

# snapshot DIR NR
snapshot()
{
	cat /proc/vmstat >"$1/vmstat.$2"
	cat $stalls/figures >"$1/stalls.$2"
	cat $stalls/faults >"$1/faults.$2"
	cat /sys/devices/system/node/node[01]/meminfo >"$1/meminfo.$2"
	[ -d $family ] || return 0
	values $family/figures/* >"$1/tiffin.$2"
	cat $family/unmapped_us >"$1/unmapped.$2"
	cat $family/nodes >"$1/nodes.$2"
	cat $family/scopes/default/active >"$1/active.$2"
	values /sys/kernel/tiffin/policies/*/counters/* >"$1/policy.$2"
}

# watch CELL CONFIG PID FROM TO: a program says on descriptor FROM where it is, and is told on TO to
# go on; process PID is watched meanwhile. What it says in the end is its report.
watch()
{
	local dir=/out/$1/$2 word rest

	mkdir -p "$dir"
	while read -r -u "$4" word rest; do
		if [ "$word" != at ]; then
			echo "$word $rest" >"$dir/report"
			continue
		fi
		echo "$1 $2 $rest" >>/out/marks.names
		[ "$rest" != 0 ] || begin_watch "$3"
		snapshot "$dir" "$rest"
		# One that is at its end may not wait for an answer.
		echo go >&"$5"
	done
}

# run_program CELL CONFIG COMMAND...: one that says where it is, on CPU 0
run_program()
{
	local cell=$1 config=$2 pid status=0 from to
	shift 2

	coproc PROGRAM { exec taskset -c 0 "$@"; }
	pid=$PROGRAM_PID
	exec {from}<&"${PROGRAM[0]}" {to}>&"${PROGRAM[1]}"
	watch "$cell" "$config" "$pid" $from $to
	wait "$pid" || status=$?
	exec {from}<&- {to}>&-
	return $status
}
