# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154,SC2086 # guest.sh has these variables; they hold no blanks
#
# Calls that do not end, calls that last long, and policies that take too much of a CPU.

few="loop loop_irqs_off loop_service loop_service_irqs_off loop_call"
faults thread 1 0 1 "$few"
faults thread_irqs_off 1 4 1 "$few"
faults softirq 0 2 2 "$few"
faults hardirq 0 3 2 "$few"

# Each call lasts for some 50 times the shortest budget, or more on a slow machine.
limit budget_us 10000000
limit cpu_percent 100
load 1 0
slow 20000000
tap_check "a call that is long, but within the budget, is answered" soon answers 3
tap_check "its policy stays active" equal "$(state_of "$id")" active
limit budget_us 4000
tap_check "with a smaller budget the same call is ended" soon quarantined
tell
tap_check "the log says that it was the budget" matches "$told" 'no end within the budget.*'
remove "$id"

# Each call is far from the budget, but there is always one.
limit budget_us 10000000
slow 2000
tap_check "short calls without a pause are answered" soon answers 20000
tap_check "a policy that is let take the whole CPU stays" equal "$(state_of "$id")" active
limit cpu_percent 5
tap_check "one that takes more than it is let is in quarantine" soon quarantined
tell
tap_check "the log says that it was the share" matches "$told" 'takes too large a share of a CPU'
unload
remove "$id"
limits_back
tap_check "the kernel is quiet" quiet
