#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015 # A && B || give_up
#
# A policy that faults in its hooks, of which some are called by the program itself: in its page fault,
# and on its way back. The policy is ended, the one before it or the default is back, and the program and
# its memory have noticed nothing. Argument: "all" for every kind of fault in a page fault; else some.
# Then SysRq, with programs that are followed.

# shellcheck source=selftests/page_placement/host/guest/lib.sh
. "$(dirname "$0")/lib.sh"

policies=/sys/kernel/tiffin/policies
few='null non_canonical bug overflow memcpy preempt keeps_irqs_off loop loop_irqs_off'
# As the policy numbers them.
hooks=(hint plan_wake done_wake young age plan 'done' pressure tick)

# A fork takes the guest long: what is done often is done by the shell itself.
exec {never}<> <(:)
pause() { read -rt 0.05 -u "$never"; }
value() { value=; read -r value <"$1"; } 2>/dev/null
soon()
{
	local limit=$((SECONDS + 60))

	until "$@"; do
		[ $SECONDS -lt $limit ] || { echo "not within a minute: $*"; return 1; }
		pause
	done
	return 0
}

# tell: what the kernel has said since the last time is in new.log, and with all before in all.log
tell() { dmesg --read-clear >new.log; cat new.log >>all.log; }
wrong_re='BUG|Oops|unable to handle|general protection|Call Trace|scheduling while|WARNING|RCU|rcu:|stall|lockup'
wrong_re+='|atomic|panic|refcount_t|Bad (page|rss)|hung|blocked for more'
quiet() { tell; ! grep -v 'tiffin: ' all.log | grep -E "$wrong_re"; }

# insert: the policy that faults; $id, $module
insert()
{
	insmod ./faulty_pp.ko || return
	id=$(cd $policies && echo faulty_pp-*)
	value "$policies/$id/module" && module=$value
}
in_stats() { sed -n "s/^$1 //p" $scope/stats; }
tunable() { echo "$2" >"$policies/$id/tunables/$1"; }
remove() { soon rmmod "$module" 2>/dev/null; }

ended()
{
	value "$policies/$id/state" && [ "$value" = quarantined ] && value "$scope/active" &&
		[ "$value" = "$previous" ]
}

# all_at NODE: the kernel moves the program's pages there. A page that somebody holds would stay.
all_at() { soon all_moved "$1"; }
all_moved() { [ "$(ask a move "$1")" = 0 ]; }

# slow_again: they are on the slow node, and a policy has a reason to move them; the one before is active.
slow_again() { activate default && all_at 1 && activate "${previous%%-*}"; }

# pressed: node 0 is short of memory, but above the kernel's own watermarks by far
pressed() { echo 200 >$family/headroom && sleep 0.5 && ballast $(($(node 0 wm_low) / 2)); }

# fault HOOK KIND WHAT: nothing where all is as it should be; WHAT is what the log has to say.
fault()
{
	local number lines=0 line

	for number in "${!hooks[@]}"; do [ "${hooks[number]}" != "$1" ] || break; done
	insert && tunable hook "$number" && tunable kind 0 || return
	[ "$1" = pressure ] || tunable kind "${kind[$2]}" || return
	# A tick comes seldom, and others about one page in so many.
	case $1 in tick | pressure) tunable one_in 1 ;; *) tunable one_in 3 ;; esac
	slow_again && echo "$id" >$scope/active
	[ "$1" != pressure ] || { pressed && tunable kind "${kind[$2]}"; } || return
	soon ended || { grep -H . $policies/*/state "$policies/$id"/counters/* $scope/active; return 1; }
	[ "$1" != pressure ] || { rm -f /mnt/ballast/*; echo 10 >$family/headroom; }
	tell
	while IFS= read -r line; do
		[[ $line =~ faulty_pp-[^\ ]*\ of\ family\ page_placement\ is\ in\ quarantine:\ (.*)\ on\ CPU ]] || continue
		lines=$((lines + 1))
		[[ ${BASH_REMATCH[1]} =~ ^($3)$ ]] || { echo "the log: $line"; return 1; }
	done <new.log
	# Calls of other CPUs may get as far as to their own faults, before the first one's has ended.
	[ "$lines" -ge 1 ] && [ "$lines" -le 2 ] || { echo "$lines lines in the log"; return 1; }
	remove && good a
}

# An answer is filled when its call is ended; nobody takes it.
answer_not_taken()
{
	local promoted

	slow_again && insert && tunable hook 0 && tunable kind "${kind[null]}" && tunable one_in 1 ||
		return
	promoted=$(figure promoted)
	echo "$id" >$scope/active
	soon ended && settled promoted && remove || return
	echo "promoted $promoted, then $(figure promoted)"
	[ "$(figure promoted)" = "$promoted" ]
}

# tpp goes on where the policy that was ended stopped.
previous_at_work() { slow_again && until_true 60 hot_on a 0 90; }

default_after_sysrq()
{
	local hints

	insert && slow_again || return
	hints=$(figure hints)
	echo "$id" >$scope/active || return
	# shellcheck disable=SC2317 # called by soon
	follows() { [ "$(figure hints)" -gt "$hints" ]; }
	soon follows || return
	echo a >/proc/sysrq-trigger
	# shellcheck disable=SC2317 # the same
	let_go()
	{
		value "$scope/active" && [ "$value" = default ] && value "$policies/$id/state" &&
			[ "$value" = loaded ]
	}
	soon let_go && remove
}

no_mark_soon() { until_true 20 no_mark_left a; }

lets_go()
{
	echo everything >$family/detach && [ "$(figure pages)" = 0 ] && [ "$(figure programs)" = 0 ] &&
		[ "$(figure unsettled)" = 0 ] && [ "$(figure shadows)" = 0 ] && empty $family/processes
}

nobody_holds_a_page() { all_at 0 && all_at 1; }

taint_alone()
{
	echo "tainted $(cat /proc/sys/kernel/tainted)"
	[ $(($(cat /proc/sys/kernel/tainted) & ~(1 << 12 | 1 << 13))) = "$1" ]
}

# On node 1 lies only what the program and its moves left there.
node1_as_before()
{
	# shellcheck disable=SC2317 # called by until_true
	same() { [ $((node1_before - $(node 1 free))) -le 64 ]; }
	until_true 20 same || { echo "free on node 1 before $node1_before, now $(node 1 free)"; return 1; }
}

declare -A kind
while read -r name number; do kind[$name]=$number; done <kinds.numbers

tap_begin
dmesg --clear
load
echo 200000 >$family/limits/budget_us
plain_memory
insmod ./tpp.ko || give_up "tpp does not load"
sleep 0.5
node1_before=$(node 1 free)
tap_check "before any fault the kernel is not tainted by one" taint_alone 0
start a 1 1024 512
echo "pid ${pid[a]}" >$family/attach || give_up "a does not attach"
begin=$SECONDS

previous=default
tap_check "the answer of a call that was ended moves nothing" answer_not_taken
tap_check "a fault taints the kernel" taint_alone 128
while read -r name contexts what; do
	[[ $contexts == all || $contexts == *thread* ]] && [ "$name" != tail ] || continue
	[ "${1-}" = all ] || [[ " $few " == *" $name "* ]] || continue
	tap_check "in a page fault: $name" fault hint "$name" "$what"
done < <(grep -v '^#' kinds)
activate tpp || give_up "tpp is not active"
previous=$(<$scope/active)
for hook in "${hooks[@]}"; do
	tap_check "$hook: null" fault "$hook" null 'page fault at faulty_null\+.*'
done
for hook in plan_wake done_wake plan tick; do
	tap_check "$hook: loop" fault "$hook" loop 'no end within the budget at faulty_loop\+.*'
done
tap_check "the policy of before is at work" previous_at_work
tap_check "SysRq brings the default back" default_after_sysrq
tap_check "with it the program has no marks" no_mark_soon
tap_check "nobody holds a page of the program" nobody_holds_a_page
tap_check "the program is let go, with nothing left behind" lets_go
tap_check "each call got one answer" \
	test $(($(in_stats answered) + $(in_stats stock) + $(in_stats continuity))) = "$(in_stats calls)"
tap_check "worker a has found no wrong page" stop a
tap_check "faults have tainted the kernel, and nothing else has" taint_alone 128
rmmod "$(cat $policies/tpp-*/module)"
tap_check "no page of the slow node is lost" node1_as_before
tap_note "free on node 1: $node1_before, then $(node 1 free)"
tap_note "$((SECONDS - begin)) s"
tap_check "all of it unloads" unload
tap_check "the kernel has nothing else to say" quiet
tap_end
