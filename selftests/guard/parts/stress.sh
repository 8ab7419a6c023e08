# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154,SC2086 # guest.sh has these variables; they hold no blanks
#
# stress:N: N policies in turn fault in some way, called from all contexts at once, with swaps between
# healthy policies, and each followed by the next build while the one before is still in quarantine.

mapfile -t names < <(awk '$1 != "#" && $1 != "tail" { print $1 }' kinds)
builds=(faulty.ko again.ko)
probation=(" probation_ms=60000" "")
# The same each time.
RANDOM=4711
load 2 1
start=$SECONDS
failed=0 ended=0 swaps=0 before=
[[ $(active) == ledger_a* ]] || echo ledger_a >$scope/active
for ((round = 0; round < argument; round++)); do
	healthy=ledger_$([ $((round % 2)) = 0 ] && echo b || echo a)
	echo "$healthy" >$scope/active && swaps=$((swaps + 1))
	previous=$(active)
	insert "${builds[round % 2]}" || { failed=$((failed + 1)); continue; }
	name=${names[RANDOM % ${#names[@]}]}
	tunable "$id" kind "${kind[$name]}"
	one_in=$((1 + RANDOM % 40))
	# See fault.
	[[ $name != loop* ]] || one_in=2000
	tunable "$id" one_in $one_in
	echo "$id${probation[RANDOM % 2]}" >$scope/swap
	# shellcheck disable=SC2317 # called by soon
	rescued()
	{
		state_of "$id" >/dev/null
		[ "$value" = quarantined ] && active >/dev/null && [ "$value" = "$previous" ] &&
			value $scope/state >/dev/null && [ "$value" = stable ]
	}
	soon rescued || {
		tap_note "round $round, $name: state $(state_of "$id"), active $(active), $(cat $scope/error)"
		failed=$((failed + 1))
	}
	tell
	[ -z "$told" ] || ended=$((ended + $(wc -l <<<"$told")))
	[ -z "$before" ] || remove "$before" || failed=$((failed + 1))
	before=$id
done
remove "$before" || failed=$((failed + 1))
unload
tap_note "$argument policies, $ended calls ended, $swaps swaps between, in $((SECONDS - start)) s"
tap_note "$(tr '\n' ' ' <$family/result)"
tap_check "each of $argument faults ended in quarantine, with the policy before it back" equal $failed 0
tap_check "as many calls were ended at least" holds "ended >= argument"
tap_check "the swaps between them worked" equal "$swaps" "$argument"
tap_check "each call has one answer, and none is wrong" answers_add_up
tap_check "no call ran over a flip" equal "$(stat overlapped)" 0
tap_check "the kernel is quiet" quiet
