#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest: guest.sh PART[:ARGUMENT]... runs the parts, one after the other, with the host loaded
# once. What they share stands here. The load is that of the test-only family (selftests/modules).

cd "$(dirname "$0")" || exit
# shellcheck source=selftests/lib/tap.sh
. ./tap.sh
root=/sys/kernel/tiffin
family=$root/test
scope=$family/scopes/default

# A fork takes the guest long: what is done often is done by the shell itself.
exec {never}<> <(:)
pause() { read -rt 0.02 -u "$never"; }

# value FILE: its first line; in $value, too
value()
{
	value=
	read -r value <"$1" 2>/dev/null
	echo "$value"
}

# key NAME FILE: what stands behind the name; in $value, too
key()
{
	local name rest

	value=
	while read -r name rest; do
		[ "$name" != "$1" ] || value=$rest
	done <"$2"
	echo "$value"
}

stat() { key "$1" $scope/stats; }
result() { key "$1" $family/result; }
active() { value $scope/active; }
state_of() { value "$root/policies/$1/state"; }
counter() { value "$root/policies/$1/counters/$2"; }
tunable() { echo "$3" >"$root/policies/$1/tunables/$2"; }

# limit NAME VALUE: of the family, until limits_back
declare -A limits_were=()
limit()
{
	[ -n "${limits_were[$1]-}" ] || limits_were[$1]=$(value "$family/limits/$1")
	echo "$2" >"$family/limits/$1"
}

limits_back()
{
	local name

	for name in "${!limits_were[@]}"; do
		echo "${limits_were[$name]}" >"$family/limits/$name"
	done
	limits_were=()
}

# equal GOT WANTED, matches GOT PATTERN: for tap_check
equal() { [ "$1" = "$2" ] || { echo "got '$1', wanted '$2'"; return 1; }; }
matches() { [[ $1 =~ ^($2)$ ]] || { echo "got '$1', wanted a match of '$2'"; return 1; }; }
holds() { (($1)) || { echo "$1 does not hold"; return 1; }; }

# soon COMMAND...: it succeeds within a minute; the machine may be slow, so no test is of time
soon()
{
	local limit=$((SECONDS + 60))

	while ! "$@"; do
		if ((SECONDS >= limit)); then
			echo "not within a minute: $*"
			return 1
		fi
		pause
	done
	return 0
}

# load THREADS TICKS: the family asks, until unload; see modules/README.md
load()
{
	local before

	stat calls >/dev/null
	before=$value
	echo "$1 86400000 $2" >$family/run &
	runner=$!
	# shellcheck disable=SC2317 # called by soon
	asks() { stat calls >/dev/null; ((value > before)); }
	soon asks
}

unload()
{
	kill "$runner" || tap_fail "the load went on until here"
	wait "$runner" 2>/dev/null
}

# What the family says of its run: nothing wrong, and each call was answered by somebody.
answers_add_up()
{
	holds "$(result calls) > 0" && equal "$(result wrong) $(result stale)" "0 0" &&
		equal $(($(result answered) + $(result stock) + $(result continuity))) "$(result calls)"
}

# Taint: nothing but a module from out of tree, unsigned, and what died (128).
taint_is()
{
	equal $(($(value /proc/sys/kernel/tainted) & ~(4096 | 8192))) "$1"
}

# tell: what has come to the log since the last time, in $log, and what it says of faults of policies
# of this family, one a line, in $told. Policies' ids are without spaces.
quarantine_re='tiffin: policy [^ ]+ of family test is in quarantine: (.*) on CPU'
tell()
{
	local line

	log=$(dmesg --read-clear)
	told=
	while IFS= read -r line; do
		[[ $line =~ $quarantine_re ]] || continue
		told+=${told:+$'\n'}${BASH_REMATCH[1]}
	done <<<"$log"
	all_log+=$log$'\n'
}

# What the kernel says when it has found something wrong. A part may expect the first ones.
grave_re='scheduling while|WARNING|RCU|rcu:|stall|lockup|atomic|panic|refcount_t'
wrong_re="BUG|Oops|unable to handle|general protection|Call Trace|$grave_re"

# quiet: it has not; the host's own lines tell of policies' faults
quiet()
{
	tell
	! grep -Ev 'tiffin: (policy |test/)' <<<"$all_log" | grep -E "$wrong_re"
}

# insert MODULE: a policy; its id is then in $id
insert()
{
	local dir
	local -A before=()

	for dir in "$root"/policies/*; do before[$dir]=1; done
	insmod "$1" || return
	for dir in "$root"/policies/*; do
		[ -n "${before[$dir]-}" ] || id=${dir##*/}
	done
}

# remove ID: its module goes, as soon as nobody uses it any more
remove()
{
	local module

	module=$(value "$root/policies/$1/module")
	# shellcheck disable=SC2317 # called by soon
	unused() { value "/sys/module/$module/refcnt" >/dev/null; [ "$value" = 0 ]; }
	soon unused && rmmod "$module"
}

# fault KIND CONTEXT WHAT CALLERS: a policy does it; WHAT is what the log has to say; one of so many
# callers may come first. Kind "tail" is a policy of its own.
fault()
{
	local name=$1 context=$2 what=$3 lines=0 line why='' module=faulty.ko one_in=3

	[ "$name" != tail ] || module=tail.ko
	# Where all CPUs have interrupts disabled and do not come to an end, nobody is left to end that: one
	# of them has to be enough.
	[[ $name != loop* ]] || one_in=2000
	insert $module || { tap_fail "$context: $name: no module"; return; }
	[ "$name" = tail ] || tunable "$id" kind "${kind[$name]}"
	[ "$name" = tail ] || tunable "$id" one_in "$one_in"
	echo "$id" >$scope/active
	# shellcheck disable=SC2317 # called by soon
	rescued()
	{
		state_of "$id" >/dev/null
		[ "$value" = quarantined ] && active >/dev/null && [ "$value" = "$previous" ]
	}
	soon rescued || why="state $(state_of "$id"), active $(active)"
	tell
	while IFS= read -r line; do
		lines=$((lines + 1))
		[[ $line =~ ^($what)$ ]] || why+="; the log: $line"
	done <<<"$told"
	# A second CPU's call may get as far as to its own fault, before the first one's has ended.
	((lines <= $4)) || why+="; $lines lines in the log"
	remove "$id" || why+="; it does not unload"
	tap_check "$context: $name" equal "$why" ""
}

# faults CONTEXT THREADS TICKS CALLERS [KINDS]: all kinds but those that take long, or these, in a
# context; afterwards the policy that was active before has to be active again, each time
faults()
{
	local name contexts what ended

	previous=$(active)
	load "$2" "$3"
	ended=$(stat continuity_fault)
	while read -r name contexts what; do
		[[ $contexts == all || $contexts == *$1* ]] || continue
		if [ $# = 5 ]; then
			[[ " $5 " == *" $name "* ]] || continue
		elif [[ $name == loop* ]]; then
			continue
		fi
		fault "$name" "$1" "$what" "$4"
	done < <(grep -v '^#' kinds)
	unload
	tap_check "$1: each call has one answer, and none is wrong" answers_add_up
	tap_check "$1: the calls that were ended have continuity's" \
		holds "$(stat continuity_fault) > $ended"
	tap_check "$1: the kernel is quiet" quiet
}

# slow: a policy each call of which goes round a loop so often
slow()
{
	insert faulty.ko
	tunable "$id" kind "${kind[slow]}"
	tunable "$id" one_in 1
	tunable "$id" spin "$1"
	stat answered >/dev/null
	answered=$value
	echo "$id" >$scope/active
}

# shellcheck disable=SC2317 # called by soon
answers() { stat answered >/dev/null; ((value >= answered + $1)); }
# shellcheck disable=SC2317 # the same
quarantined() { state_of "$id" >/dev/null; [ "$value" = quarantined ]; }

# A CPU that does not come back is a failure whatever comes then, and most would only wait.
echo 1 >/proc/sys/kernel/panic_on_rcu_stall
for module in tiffin tiffin_test_family test_ledger_a test_ledger_b; do
	insmod $module.ko || exit
done
# The tests' family leaves its policies more time than this, which is what other families begin with.
echo 10000 >$family/limits/budget_us
# The numbers of the kinds of faults, by name: kind[null].
declare -A kind
while read -r name number; do kind[$name]=$number; done <kinds.numbers

tap_begin
tap_check "before any fault the kernel is not tainted by one" taint_is 0
for part in "$@"; do
	dmesg --clear
	all_log=
	tap_note "part $part"
	# shellcheck disable=SC2034 # used by the parts
	argument=${part#*:}
	# shellcheck source=/dev/null
	. "./parts/${part%%:*}.sh"
done
tap_check "default again" eval "echo default >$scope/active || equal \$(active) default"
tap_check "no stores are left" soon eval "[ \$(value $family/stores_bytes) = 0 ]"
for module in $(lsmod | awk '/^tiffin_(test_ledger|faulty|tail)/ { print $1 }'); do
	tap_check "$module unloads" rmmod "$module"
done
tap_check "the family unloads" rmmod tiffin_test_family
tap_check "the host unloads" rmmod tiffin
tap_end
