# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154,SC2086 # guest.sh has these variables; they hold no blanks
#
# The watchdog's timers run only where policies are called.

# shellcheck disable=SC2317 # called by soon
timers() { grep -q 'tiffin_watchdog_beat' /proc/timer_list; }
# shellcheck disable=SC2317 # the same; neither a CPU's own nor what looks after another
no_timers() { ! grep 'tiffin_watchdog' /proc/timer_list; }
[[ $(active) == default* ]] || echo default >$scope/active
load 1 0
tap_check "no timer where only the default is active" soon no_timers
echo ledger_a >$scope/active
tap_check "a timer watches where a policy is called" soon timers
unload
tap_check "none where nobody asks" soon no_timers
tap_check "the kernel is quiet" quiet
