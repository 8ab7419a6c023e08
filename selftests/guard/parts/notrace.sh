# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154,SC2086 # guest.sh has these variables; they hold no blanks
#
# Function tracing switched off, and with it the probe on page faults: the kernel reports them, but
# the call ends as before. Its report is also what shows that the probe did not come.

echo 0 >/proc/sys/kernel/ftrace_enabled
all_re=$wrong_re wrong_re=$grave_re
few="null wild exec_null text memcpy std rcu divide smash"
faults thread 1 0 1 "$few"
faults softirq 0 2 2 "$few"
faults hardirq 0 3 2 "$few"
# The report ends nothing where it is told to panic, either.
echo 1 >/proc/sys/kernel/panic_on_oops
echo 1 >$root/contain
few="null exec_null memcpy bug"
faults thread 1 0 1 "$few"
faults softirq 0 2 2 "$few"
echo 0 >$root/contain
echo 0 >/proc/sys/kernel/panic_on_oops
tap_check "the kernel has reported page faults itself" grep -q 'BUG: unable to handle' <<<"$all_log"
echo 1 >/proc/sys/kernel/ftrace_enabled
wrong_re=$all_re
