# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154,SC2086 # guest.sh has these variables; they hold no blanks
#
# A fault in a thread of the kernel's, while policies are called all around it, is the kernel's. So is a
# warning of a policy's, which is reported and ends nothing.

insmod tiffin_test_oops.ko
load 2 1
insert faulty.ko
echo "$id" >$scope/active
tell
for _ in 1 2 3 4 5; do echo thread >/sys/module/tiffin_test_oops/parameters/fault; done
oopses()
{
	tell
	all_oopses+=$log
	[ "$(grep -c 'RIP: .*oops_fault' <<<"$all_oopses")" -ge 5 ]
}
all_oopses=
tap_check "the kernel's own faults are reported" soon oopses
tap_check "no policy is blamed for them" equal "$(state_of "$id") $told" "active "
unload
tap_check "each call has one answer, and none is wrong" answers_add_up
echo ledger_a >$scope/active
remove "$id"

load 1 1
insert faulty.ko
tunable "$id" kind "${kind[warn]}"
tunable "$id" one_in 1
echo "$id" >$scope/active
all_oopses=
warned()
{
	tell
	all_oopses+=$log
	grep -q 'WARNING: .*faulty_warn' <<<"$all_oopses"
}
# shellcheck disable=SC2317 # called by soon
survived() { counter "$id" survived >/dev/null; ((value >= 100)); }
tap_check "a policy's warning is reported" soon warned
tap_check "calls that warn go on" soon survived
tap_check "their policy stays active" equal "$(state_of "$id") $told" "active "
unload
tap_check "each call has one answer, and none is wrong: warnings" answers_add_up
echo ledger_a >$scope/active
remove "$id"
