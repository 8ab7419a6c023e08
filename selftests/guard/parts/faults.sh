# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154,SC2086 # guest.sh has these variables; they hold no blanks
#
# Each kind of fault in each context: the policy is in quarantine, the one before is back, the log says
# why in one line a fault, and the kernel has noticed nothing.

# Here the default comes back; in the other contexts, a policy.
faults thread 1 0 1
tap_check "a policy's fault taints the kernel as any would" taint_is 128
echo ledger_a >$scope/active
few="null wild non_canonical exec_null divide bug int3 overflow smash memcpy std rcu preempt keeps_preempt"
faults thread_irqs_off 1 4 1 "$few"
faults softirq 0 2 2
faults hardirq 0 3 2
