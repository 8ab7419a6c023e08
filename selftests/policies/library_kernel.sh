#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The library sees what it is for: packets that overtake each other, as a policy asks for it.
# shellcheck source=selftests/lib/policy.sh
. "$(dirname "$0")/policy.sh"

policy_begin packet_steering
policy_load "$(realpath "$POLICY_DIR"/more/tiffin_fickle_*.ko)"
policy_load "$(realpath "$POLICY_DIR"/more/tiffin_wild_*.ko)"
policy_set fickle every 3

traffic_begin udp A1 B1 0
policy_swap fickle
traffic_wait 20000
expect "it changes its mind" "$(policy_counter fickle changes)" -gt 100
traffic_lost_nothing
expect "the host made it wait" "$(policy_figure deferred)" -gt 0

policy_set fickle force 1
traffic_begin udp A1 B1 0
traffic_wait 20000
traffic_stop
expect "without the host's rule there is reordering, and it is seen" "$TRAFFIC_STATUS" -eq 1

echo 0 > /sys/kernel/tiffin/packet_steering/limits/bad_answers
policy_swap wild
traffic_begin udp
traffic_wait 2000
traffic_lost_nothing
tap_check "the tiffin command is there" tiffin swap packet_steering default
expect "it swaps" "$(cat "$POLICY_SCOPE/active")" = default
expect "every bad answer is counted" "$(policy_stat bad_answers)" -gt 1000
policy_end
