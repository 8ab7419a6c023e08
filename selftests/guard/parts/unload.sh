# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154,SC2086 # guest.sh has these variables; they hold no blanks
#
# Policies and their family are unloaded while a call is in a policy that is in quarantine, and in
# each step of a swap in which that may be: refused as long as somebody needs them, and then they go
# whole.

# Who needs a policy, as the command says it.
beginning='its module is in use' swapped_to='is under way' probation='is part of a probation'
replaced='is in quarantine, and is being replaced'

# kernel_keeps MODULE: asked to unload it, the kernel itself says that it is in use
kernel_keeps()
{
	local said

	said=$(busybox rmmod "$1" 2>&1) && { echo "$1 is unloaded"; return 1; }
	matches "$said" ".*Resource temporarily unavailable"
}

# kept ID WORDS: the policy can be unloaded neither by its module nor by the command, which says why
kept()
{
	local said rc=0

	kernel_keeps "$(value "$root/policies/$1/module")" || return
	said=$(./tiffin unload "$1" 2>&1) || rc=$?
	equal $rc 4 && matches "$said" "tiffin: .*${1%+*}.*$2.*"
}

# stay WHEN [ID WORDS]...: nor can the family; and the attempts change nothing
stay()
{
	local when=$1 before
	shift

	before=$(active)
	tap_check "$when: the family stays" kernel_keeps tiffin_test_family
	while [ $# -gt 0 ]; do
		tap_check "$when: ${1%%-*} stays, $2" kept "$1" "$2"
		shift 2
	done
	tap_check "$when: the same policy is active" equal "$(active)" "$before"
}

# shellcheck disable=SC2317 # called by soon
is_idle() { value "$root/policies/$1/instances" >/dev/null; [ "$value" = 0 ]; }

# goes ID: the policy is in quarantine, and nobody needs it; its module's name is not left behind
goes()
{
	local module

	module=$(value "$root/policies/$1/module")
	soon is_idle "$1" && equal "$(state_of "$1")" quarantined &&
		equal "$(./tiffin unload "$1" 2>&1)" "unloaded $1" &&
		[ ! -e "$root/policies/$1" ] && [ ! -e "/sys/module/$module" ]
}

# shellcheck disable=SC2317 # called by soon
is_active() { active >/dev/null; [ "$value" = "$1" ]; }
# shellcheck disable=SC2317 # the same
is_state() { value $scope/state >/dev/null; [ "$value" = "$1" ]; }
# shellcheck disable=SC2317 # the same
tried() { counter "$id" tried >/dev/null; ((value > 0)); }
id_of() { local dir=("$root/policies/$1"-*); echo "${dir##*/}"; }

# Of the calls on CPU 0 those about one object in 16 last: the first of them has its record, so there
# is no second.
hold()
{
	tunable "$id" spin 1
	tunable "$id" one_in 16
	tunable "$id" kind "${kind[held]}"
	soon tried
}

# The next call about another object faults, while that one is in the policy.
break_it()
{
	tunable "$id" kind "${kind[null]}"
	tunable "$id" one_in 1
	soon quarantined
}

let_go() { tunable "$id" spin 0; }

# A call may last as long as this part does, and who waits for it does not give up.
limit budget_us 600000000
limit cpu_percent 100
limit timeout_ms 600000
stall_timeout=/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout
stall_was=$(value $stall_timeout) watchdog_was=$(value /proc/sys/kernel/watchdog_thresh)
echo 300 >$stall_timeout
echo 60 >/proc/sys/kernel/watchdog_thresh
load 2 0
# A call that lasts has CPU 0 for itself; what waited behind it would wait for what it has to do.
for cpu in 0 1; do
	taskset -pc $cpu "$(pgrep -x "tiffin_test/$cpu")" >/dev/null || exit
done
taskset -pc 1 $$ >/dev/null || exit
ledger_a=$(id_of ledger_a) ledger_b=$(id_of ledger_b)
echo ledger_a >$scope/active

# While it is made ready, in its init; then while calls are in it.
insert faulty.ko
tunable "$id" kind "${kind[held_init]}"
taskset -c 0 bash -c "echo $id >$scope/active" &
swapper=$!
tap_check "a policy is made ready" soon is_state preparing
stay "preparing" "$id" "$beginning" "$ledger_a" "is active"
tunable "$id" kind "${kind[none]}"
let_go
wait $swapper
tap_check "then it is active" equal "$(active)" "$id"
tap_check "a call is in it" hold
tap_check "another one faults" break_it
stay "in quarantine" "$id" "$replaced"
let_go
tap_check "the policy before it is back" soon is_active "$ledger_a"
stay "rescued" "$ledger_a" "is active"
tap_check "then it can be unloaded" goes "$id"

# While a swap away from it waits for a call that is in it.
insert again.ko
echo "$id" >$scope/active
tap_check "a call is in the next build" hold
echo "ledger_b timeout_ms=600000" >$scope/swap &
swapper=$!
tap_check "a swap waits for it" soon is_state closing
stay "closing" "$id" "is active" "$ledger_b" "$swapped_to"
tap_check "a call faults meanwhile" break_it
stay "closing, in quarantine" "$id" "$replaced" "$ledger_b" "$swapped_to"
let_go
wait $swapper
tap_check "the swap works" equal "$?, $(active)" "0, $ledger_b"
tap_check "then the next build can be unloaded" goes "$id"

# On probation, with a policy to go back to.
insert faulty.ko
echo "$id probation_ms=86400000" >$scope/swap
tap_check "a call is in a policy on probation" hold
stay "probation" "$id" "$probation" "$ledger_b" "$probation"
tap_check "a call of it faults" break_it
stay "probation, in quarantine" "$id" "$replaced" "$ledger_b" "$probation"
let_go
tap_check "it is rolled back" soon is_active "$ledger_b"
tap_check "the probation is over" soon is_state stable
tap_check "then it can be unloaded, too" goes "$id"

# The last policy of a family.
echo default >$scope/active
remove "$ledger_a"
remove "$ledger_b"
insert faulty.ko
tunable "$id" one_in 1
tunable "$id" kind "${kind[null]}"
echo "$id" >$scope/active
echo "$stall_was" >$stall_timeout
echo "$watchdog_was" >/proc/sys/kernel/watchdog_thresh
tap_check "the last policy faults" soon quarantined
tap_check "the default is back" soon is_active default
unload
tap_check "no call has a wrong answer" answers_add_up
tap_check "its family stays" kernel_keeps tiffin_test_family
# Without it nothing that follows comes to an end.
[ -d /sys/module/tiffin_test_family ] || exit 1
tap_check "the last one can be unloaded" goes "$id"
tap_check "no store is left" equal "$(value $family/stores_bytes)" 0
tap_check "then the family can" rmmod tiffin_test_family
tap_check "it comes again" insmod tiffin_test_family.ko
limits_back
taskset -pc 0,1 $$ >/dev/null
insmod test_ledger_a.ko
insmod test_ledger_b.ko
echo ledger_a >$scope/active
load 2 2
tap_check "and works" equal "$(active)" "$(id_of ledger_a)"
unload
tap_check "each call has one answer" answers_add_up
tap_check "the kernel is quiet" quiet
