# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# TAP for test scripts, to be sourced: the plan comes last.
#
#	tap_begin
#	tap_check "two and two" test $((2 + 2)) = 4
#	tap_end

TAP_NR=0
TAP_FAILED=0

tap_begin()
{
	TAP_NR=0
	TAP_FAILED=0
	echo "TAP version 13"
}

tap_note()
{
	local line

	while IFS= read -r line; do
		echo "# $line"
	done <<<"$*"
}

tap_pass()
{
	echo "ok $((++TAP_NR)) $*"
}

tap_fail()
{
	TAP_FAILED=$((TAP_FAILED + 1))
	echo "not ok $((++TAP_NR)) $*"
}

# tap_skip NAME REASON...
tap_skip()
{
	local name=$1

	shift
	echo "ok $((++TAP_NR)) $name # SKIP $*"
}

# tap_check NAME COMMAND...: passes if COMMAND returns 0; else its output is shown.
tap_check()
{
	local name=$1 output
	shift

	if output=$("$@" 2>&1); then
		tap_pass "$name"
	else
		tap_note "$*: status $?"
		[ -z "$output" ] || tap_note "$output"
		tap_fail "$name"
	fi
}

# tap_end: the plan; the status says whether all passed.
tap_end()
{
	echo "1..$TAP_NR"
	[ $TAP_FAILED = 0 ] && [ $TAP_NR -gt 0 ]
}
