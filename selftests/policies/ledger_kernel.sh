#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The ledgers under traffic: swapped many times, their books hold every call, and none beside a flip.
# shellcheck source=selftests/lib/policy.sh
. "$(dirname "$0")/policy.sh"

policy_begin packet_steering
policy_load "$(realpath "$POLICY_DIR"/more/tiffin_ledger_a_*.ko)"
policy_load "$(realpath "$POLICY_DIR"/more/tiffin_ledger_b_*.ko)"
# Long calls, so that a swap finds one inside.
policy_set ledger_a work 2000
policy_set ledger_b work 2000
# Answers so far, which are not the ledgers'.
before=$(policy_stat answered)
traffic_begin udp
policy_swap ledger_a
expect "the first ledger starts new books" "$(policy_counter ledger_a adopted)" -eq 0
failed=0
for ((i = 0; i < 100; i++)); do
	next=ledger_$([ $((i % 2)) = 0 ] && echo b || echo a)
	echo "$next" >"$POLICY_SCOPE/active" || failed=$((failed + 1))
	traffic_wait 20
done
expect "100 swaps" "$failed" -eq 0
expect "all three stores were handed over" "$(policy_counter ledger_a adopted)" -eq 3
traffic_lost_nothing

# Some packet of the kernel's own may still come between the two readings.
for ((i = 0; i < 100; i++)); do
	answered=$(($(policy_stat answered) - before))
	calls=$(policy_counter ledger_a calls)
	[ "$calls" != $answered ] || break
	sleep 0.1
done
expect "the books hold each call" "$calls" -eq "$answered"
expect "no call found a later epoch" "$(policy_counter ledger_a overlaps)" -eq 0
policy_end
