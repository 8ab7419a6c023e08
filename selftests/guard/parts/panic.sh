# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154,SC2086 # guest.sh has these variables; they hold no blanks
#
# The kernel is told to panic on an oops, and the operator wants policies' faults contained all the same.

echo 1 >/proc/sys/kernel/panic_on_oops
echo 1 >$root/contain
# All of them in one context, some in the others.
few="null wild bug divide exec_non_canonical overflow strlen keeps_preempt"
faults thread 1 0 1
faults softirq 0 2 2 "$few"
faults hardirq 0 3 2 "$few"
echo 0 >$root/contain
echo 0 >/proc/sys/kernel/panic_on_oops
