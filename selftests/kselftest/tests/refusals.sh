#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the host refuses leaves everything as it was, and the errno says why.

# shellcheck source=/dev/null
. ./ktap_helpers.sh
scope=/sys/kernel/tiffin/packet_steering/scopes/default

# refused WHAT VALUE FILE ERROR: a write that has to fail
refused()
{
	local before after said

	before=$(cat $scope/active)
	said=$( { printf '%s\n' "$2" >"$3"; } 2>&1) && said='no error'
	after=$(cat $scope/active)
	if [ "${said##*: }" = "$4" ] && [ "$before" = "$after" ]; then
		ktap_test_pass "$1"
	else
		ktap_print_msg "wanted '$4', got '${said##*: }'; active was $before, is $after"
		ktap_test_fail "$1"
	fi
}

ktap_print_header
ktap_set_plan 4
refused "a policy that is not loaded" no_such_policy $scope/active "No such file or directory"
refused "an empty name" "" $scope/active "Invalid argument"
refused "a gate that is none" "hash gate=nonsense" $scope/swap "Invalid argument"
refused "a rollback that is not asked for with 1" maybe $scope/rollback "Invalid argument"
ktap_finished
