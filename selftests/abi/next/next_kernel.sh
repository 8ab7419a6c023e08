#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Policies whose sources were carried over to the rehearsed 2.0, on a host of 2.0; and those of the
# versions before, which it must not load.
# shellcheck source=selftests/lib/policy.sh
. "$(dirname "$0")/policy.sh"

policy_begin packet_steering
expect "the host speaks 2.0" "$(cat "$TIFFIN/packet_steering/abi")" = 2.0
for ko in "$POLICY_DIR"/more/older/*/tiffin_*.ko; do
	version=$(basename "$(dirname "$ko")")
	name=$(modinfo -F tiffin_policy "$ko")
	said=$(insmod "$ko" 2>&1) && said="it was loaded"
	tap_note "$said"
	expect "$name of $version does not load" "${said##*: }" = "Protocol error"
	expect "and the kernel says why" "$(dmesg | tail -n 5 |
		grep -c "built against core ABI $version, this host speaks 2.0")" -ge 1
done
for policy in falcon hash uses; do
	expect "$policy is of 2.0" "$(cat "$(policy_folder $policy)/abi")" = 2.0
done

traffic_begin udp
policy_swap hash
traffic_wait 2000
expect "hash sends packets to other CPUs" "$(policy_counter hash away)" -gt 0
policy_swap falcon
traffic_wait 2000
expect "falcon answers" "$(($(policy_counter falcon first) + $(policy_counter falcon second)))" -gt 0
policy_set uses force 4
policy_swap uses
traffic_wait 2000
expect "init was called" "$(policy_counter uses started)" -ge 1
expect "flows are found where they are" "$(policy_counter uses kept)" -gt 0
expect "CPU 0 has a load" "$(policy_counter uses loads)" -gt 0
failed=0
for ((i = 0; i < 50; i++)); do
	for to in default falcon hash uses; do
		echo $to >"$POLICY_SCOPE/active" || failed=$((failed + 1))
		traffic_wait 10
	done
done
expect "200 swaps" "$failed" -eq 0
traffic_lost_nothing
expect "no bad answer" "$(policy_stat bad_answers)" -eq 0
policy_end
