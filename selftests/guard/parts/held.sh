# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154,SC2086 # guest.sh has these variables; they hold no blanks
#
# Calls of threads are held up by interrupts that call the policy as well: by the clock they last for
# many times the budget, of which they have had but a part.

limit budget_us 200000
limit cpu_percent 100
load 1 1
slow 1000000
tap_check "calls that interrupts hold up are answered" soon answers 400
tap_check "their policy stays active" equal "$(state_of "$id")" active
unload
limits_back
echo ledger_a >$scope/active
remove "$id"
tap_check "the kernel is quiet" quiet
