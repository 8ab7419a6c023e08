# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154,SC2086 # guest.sh has these variables; they hold no blanks
#
# SysRq a: every family is back at its default, though policies are being called, and one is on probation.

steering=$root/packet_steering/scopes/default
insmod tiffin_packet_steering.ko
insert faulty_ps.ko
echo "$id" >$steering/active
[[ $(active) == ledger_a* ]] || echo ledger_a >$scope/active
load 2 1
echo "ledger_b probation_ms=3600000" >$scope/swap
tap_check "a policy of each family is active" \
	matches "$(active) $(value $steering/active)" 'ledger_b.* faulty_ps.*'
echo a >/proc/sysrq-trigger
# shellcheck disable=SC2317 # called by soon
all_default()
{
	active >/dev/null && [ "$value" = default ] && value $steering/active >/dev/null &&
		[ "$value" = default ]
}
tap_check "SysRq has brought every default back" soon all_default
# shellcheck disable=SC2317 # the same
let_go() { [ "$(state_of "$id") $(state_of "$ledger")" = "loaded loaded" ]; }
ledger=$(cd $root/policies && echo ledger_b-*)
tap_check "no policy is in quarantine for that" soon let_go
unload
tap_check "each call has one answer, and none is wrong" answers_add_up
remove "$id"
tap_check "the other family unloads" soon rmmod tiffin_packet_steering
tap_check "the kernel is quiet" quiet
