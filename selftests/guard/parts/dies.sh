# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154,SC2086 # guest.sh has these variables; they hold no blanks
#
# What has to end the machine, as it is told to panic on an oops. What comes after the last line here is
# seen by `run`.

echo 1 >/proc/sys/kernel/panic_on_oops
case $argument in
panic) ;;
*) echo 1 >$root/contain ;;
esac
load 1 0
insert faulty.ko
case $argument in
panic)
	# A policy's fault where the operator does not want it contained.
	tunable "$id" kind "${kind[null]}"
	;;
kfree)
	# One of a function of the kernel that the policy calls, which has begun its work.
	tunable "$id" kind "${kind[kfree]}"
	;;
traced)
	# One of such a function for the return of which a kretprobe waits.
	tunable "$id" kind "${kind[mutex]}"
	echo "r:guard/waits mutex_is_locked" >/sys/kernel/tracing/kprobe_events &&
		echo 1 >/sys/kernel/tracing/events/guard/enable || exit
	;;
irq)
	# One of an interrupt that finds the policy at work.
	insmod tiffin_test_oops.ko
	limit budget_us 10000000
	tunable "$id" kind "${kind[slow]}"
	tunable "$id" spin 1000000
	;;
esac
echo "$id" >$scope/active
[ "$argument" != irq ] || echo "irq $(value "/sys/module/$(value "$root/policies/$id/module")/sections/.kprobes.text")" \
	>/sys/module/tiffin_test_oops/parameters/fault
sleep 60
tap_fail "$argument: the machine is still there"
