#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Policies built against ABI 1.0, with its headers and its host's checksums, on today's host: they load,
# steer, are swapped with today's and hand state over; none of their answers is repeated.
# shellcheck source=selftests/lib/policy.sh
. "$(dirname "$0")/policy.sh"

older=$POLICY_DIR/more/older/1.0

# repeats: how many answers are repeated while 2000 packets pass; none of the policy before counts
repeats()
{
	local before

	traffic_wait 200
	before=$(policy_figure repeated)
	traffic_wait 2000
	repeated=$(($(policy_figure repeated) - before))
}

policy_begin packet_steering
expect "the host speaks a later version" "$(cat "$TIFFIN/packet_steering/abi")" != 1.0
odd=$(realpath "$older"/odd/tiffin_hash_1_0_*.ko)
if [[ $(modinfo -F vermagic "$odd") == *modversions* ]]; then
	said=$(insmod "$odd" 2>&1) && said="it was loaded"
	tap_note "$said"
	expect "one that asks for another checksum does not load" "${said##*: }" = "Invalid parameters"
	expect "and the kernel says why" \
		"$(dmesg | grep -c 'disagrees about version of symbol tiffin_policy_register')" -eq 1
else
	tap_skip "one that asks for another checksum does not load" "this kernel compares none"
fi
policy_load "$(realpath "$older"/tiffin_hash_1_0_*.ko)"
policy_load "$(realpath "$older"/tiffin_ledger_1_0_*.ko)"
policy_load "$(realpath "$POLICY_DIR"/more/tiffin_ledger_a_*.ko)"
expect "hash_1_0 is of 1.0" "$(cat "$(policy_folder hash_1_0)/abi")" = 1.0
expect "ledger_1_0 is of 1.0" "$(cat "$(policy_folder ledger_1_0)/abi")" = 1.0
expect "ledger_a is of today" "$(cat "$(policy_folder ledger_a)/abi")" = \
	"$(cat "$TIFFIN/packet_steering/abi")"

traffic_begin udp
policy_swap hash
repeats
expect "today's answers are repeated" "$repeated" -gt 0
policy_swap hash_1_0
repeats
expect "those of 1.0 are not" "$repeated" -eq 0
expect "packets went to other CPUs" "$(policy_counter hash_1_0 away)" -gt 0
failed=0
for ((i = 0; i < 50; i++)); do
	for to in default hash_1_0 hash hash_1_0; do
		echo $to >"$POLICY_SCOPE/active" || failed=$((failed + 1))
		traffic_wait 10
	done
done
expect "200 swaps, to and from a policy of 1.0" "$failed" -eq 0
repeats
expect "its answers are not repeated after them, either" "$repeated" -eq 0

policy_swap ledger_a
for ((i = 0; i < 20; i++)); do
	for to in ledger_1_0 ledger_a; do
		echo $to >"$POLICY_SCOPE/active" || failed=$((failed + 1))
		traffic_wait 10
	done
done
expect "40 swaps between ledgers of two versions" "$failed" -eq 0
for to in ledger_1_0 ledger_a; do
	policy_swap $to
	traffic_wait 200
	expect "$to took over all three stores" "$(policy_counter $to adopted)" -eq 3
	expect "$to compared flows' books with its own" "$(policy_counter $to compared)" -gt 0
	expect "and they agree" "$(policy_counter $to misses)" -eq 0
	expect "no call found a later epoch" "$(policy_counter $to overlaps)" -eq 0
done
traffic_lost_nothing
expect "no bad answer" "$(policy_stat bad_answers)" -eq 0
policy_end
