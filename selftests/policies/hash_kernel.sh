#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# hash at work: swapped in and out under traffic, with a probation, and back after a bad one.
# shellcheck source=selftests/lib/policy.sh
. "$(dirname "$0")/policy.sh"

policy_begin packet_steering
traffic_begin udp
policy_swap hash
traffic_wait 2000
expect "packets went to other CPUs" "$(policy_counter hash away)" -gt 0
policy_swap default
policy_swap hash probation_ms=1000 'gate=hook_p99<1s'
policy_becomes committed
policy_swap default
policy_swap hash probation_ms=60000 'gate=steered<100'
policy_becomes rolled_back
policy_refuses "no policy 'hush'" hush
traffic_lost_nothing
expect "no bad answer" "$(policy_stat bad_answers)" -eq 0
policy_end
