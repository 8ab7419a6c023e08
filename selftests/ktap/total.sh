# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# One total of several runs, each of which ends with "N passed, N failed, N skipped"; to be sourced:
#
#	total_of selftests/lib/policy_vm ...
#	total_add "$(selftests/ktap/judge "$log" | tail -n 1)"
#	total_end

TOTAL_PASSED=0
TOTAL_FAILED=0
TOTAL_SKIPPED=0

# total_add LINE [STATUS]: count a run by its last line. One that says no numbers is a failure, and
# so is one that passed nothing, or that has the status of a failure, without saying what failed.
total_add()
{
	local numbers=(0 0 0)

	if [[ $1 =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
		numbers=("${BASH_REMATCH[@]:1}")
	fi
	if [ "${numbers[1]}" = 0 ] && { [ "${2:-0}" != 0 ] || [ "${numbers[0]}" = 0 ]; }; then
		numbers[1]=1
	fi
	TOTAL_PASSED=$((TOTAL_PASSED + numbers[0]))
	TOTAL_FAILED=$((TOTAL_FAILED + numbers[1]))
	TOTAL_SKIPPED=$((TOTAL_SKIPPED + numbers[2]))
}

# total_of COMMAND...: run it, show what it says, count it.
total_of()
{
	local log rc

	log=$(mktemp)
	# Whoever sources this may or may not end at a failure, and may or may not see one in a pipe.
	"$@" | tee "$log" && rc=${PIPESTATUS[0]} || rc=${PIPESTATUS[0]}
	total_add "$(tail -n 1 "$log")" "$rc"
	rm -f "$log"
}

# total_end: the last line; the status says whether something passed and nothing failed.
total_end()
{
	echo "$TOTAL_PASSED passed, $TOTAL_FAILED failed, $TOTAL_SKIPPED skipped"
	[ $TOTAL_FAILED = 0 ] && [ $TOTAL_PASSED -gt 0 ]
}
