#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# falcon at work: the stages of one flow on different CPUs, and each packet in its place.
# shellcheck source=selftests/lib/policy.sh
. "$(dirname "$0")/policy.sh"

# How many CPUs are the busiest one of some stage, over the next packets? One flow has most of them.
busiest_of_stages()
{
	local before after

	before=$(cat "$TIFFIN/packet_steering/counters_per_cpu")
	traffic_wait 4000
	after=$(cat "$TIFFIN/packet_steering/counters_per_cpu")
	awk 'NR == FNR { old[$1, $2] = $3; next }
		$3 - old[$1, $2] > most[$2] { most[$2] = $3 - old[$1, $2]; cpu[$2] = $1 }
		END { for (stage in cpu) busiest[cpu[stage]]; print length(busiest) }' \
		<(echo "$before") <(echo "$after")
}

policy_begin packet_steering
# One flow there; on the way back only the receiver's word of how far it has come.
traffic_begin udp A1 B1 2000 1
policy_swap hash
traffic_wait 500
expect "hash: a flow's stages on one CPU" "$(busiest_of_stages)" -eq 1
policy_swap falcon
traffic_wait 500
expect "falcon: its 4 stages on 4 CPUs" "$(busiest_of_stages)" -eq 4
expect "all by first choice, as there is no CPU to spare" "$(policy_counter falcon first)" -gt 0
policy_swap hash
policy_swap falcon
traffic_lost_nothing

# falcon -> hash -> falcon: the host has kept how hot each flow is, and where it is. Those of the
# traffic are 8 at 4 stages, and less hot ones on the way back; a flow that begins is cold.
before=$(policy_counter falcon warm)
traffic_begin udp A1 B1 2000 8
traffic_wait 4000
cold=$(($(policy_counter falcon warm) - before))
policy_swap hash
traffic_wait 4000
policy_swap falcon
traffic_wait 4000
expect "flows that begin are cold" "$cold" -lt 8
expect "flows that hash had are warm" "$(policy_counter falcon warm)" -ge 24
traffic_lost_nothing

# 1.0 -> 1.1 -> back -> 1.1: what 1.1 keeps of a flow is made of what 1.0 kept, each time.
policy_load "$(realpath "$POLICY_DIR"/more/tiffin_falcon_1_0_*.ko)"
traffic_begin udp A1 B1 2000 8
policy_swap falcon_1_0
traffic_wait 4000
policy_swap falcon probation_ms=60000
traffic_wait 4000
tap_check "back to version 1.0" tiffin rollback packet_steering
policy_becomes rolled_back
traffic_wait 4000
policy_swap falcon
traffic_wait 4000
expect "1.1 goes on with the flows of 1.0" "$(policy_counter falcon carried)" -gt 0
traffic_lost_nothing
expect "no bad answer" "$(policy_stat bad_answers)" -eq 0
policy_end
