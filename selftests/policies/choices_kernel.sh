#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# falcon's flows on their second choices, which four stages have on eight CPUs: they are there again
# after a swap to hash and back, and after one from version 1.0.
# CPUs: 8
# shellcheck source=selftests/lib/policy.sh
. "$(dirname "$0")/policy.sh"

tracing=/sys/kernel/tracing
event=$tracing/events/tiffin/tiffin_ps_decision
keys=hist:keys=hash,stage,wanted:size=16384

# placement: where the active policy wants each flow at a stage that has many packets: lines "HASH STAGE
# CPU". Where it could not be asked the flow's CPU stands in its place, so it is what it wants mostly.
placement()
{
	echo $keys:clear >>$event/trigger
	traffic_wait 1600
	sed -n 's/.*hash: *\([0-9]*\), stage: *\([0-9]*\), wanted: *\([0-9]*\) .*hitcount: *\([0-9]*\)$/\1 \2 \3 \4/p' \
		$event/hist |
		awk '{ key = $1 " " $2; sum[key] += $4 }
			$4 > most[key] { most[key] = $4; cpu[key] = $3 % 65536 }
			END { for (key in sum) if (sum[key] >= 10) print key, cpu[key] }'
}

# second PLACEMENT: how many are on their second choice of eight CPUs
second()
{
	awk '{ base = int($1 * 8 / 2 ^ 32); n += $3 == (base + 7 - $2) % 8 } END { print n + 0 }' <<<"$1"
}

# both PLACEMENT PLACEMENT: how many are in both
both()
{
	awk 'NR == FNR { seen[$1, $2]; next }
		($1, $2) in seen { n++ }
		END { print n + 0 }' <(echo "$1") <(echo "$2")
}

# moved PLACEMENT PLACEMENT: how many are in both and not on the same CPU
moved()
{
	awk 'NR == FNR { cpu[$1, $2] = $3; next }
		($1, $2) in cpu { n += cpu[$1, $2] != $3 }
		END { print n + 0 }' <(echo "$1") <(echo "$2")
}

# way FROM [OVER] TO: from one policy to the other; sets before, between, after: where flows are, and
# changed: how many times the load has changed one meanwhile. Where that are more than a few it says
# nothing, and the way is gone again.
way()
{
	local from=$1 to=${*: -1} tries

	for ((tries = 0; tries < 10; tries++)); do
		if [[ $(cat "$POLICY_SCOPE/active") != "$from"-* ]]; then
			# To 1.0 nothing goes over: so all begin on their first choice, and those whose
			# CPU is never idle leave it, for good.
			echo hash >"$POLICY_SCOPE/active"
			traffic_wait 1000
			echo "$from" >"$POLICY_SCOPE/active"
		fi
		traffic_wait 2000
		changed=$(policy_counter "$from" changed)
		before=$(placement)
		changed=$(($(policy_counter "$from" changed) - changed))
		if [ $# = 3 ]; then
			echo "$2" >"$POLICY_SCOPE/active"
			between=$(placement)
		fi
		echo "$to" >"$POLICY_SCOPE/active"
		after=$(placement)
		changed=$((changed + $(policy_counter "$to" changed)))
		tap_note "$*: $(second "$before") of $(wc -l <<<"$before") on their second choice;" \
			"$changed changed, $(moved "$before" "$after") of $(both "$before" "$after") moved"
		[ $((2 * changed)) -ge "$(second "$before")" ] || break
	done
}

# burn CPU: from here on it is never idle
burn()
{
	taskset -c "$1" sh -c 'while :; do :; done' &
	burners+=($!)
}

mount -t tracefs tracefs $tracing 2>/dev/null
policy_begin packet_steering
policy_load "$(realpath "$POLICY_DIR"/more/tiffin_falcon_1_0_*.ko)"
# Before the traffic and until it is over: to switch it patches code, which emulated CPUs may trip over.
echo $keys >$event/trigger
traffic_begin udp A1 B1 1000 8
policy_swap falcon
burners=()
burn 1
burn 2
for ((tries = 0; tries < 50 && $(policy_counter falcon changed) < 4; tries++)); do
	traffic_wait 1000
done
# From here on they change seldom, and only for a CPU that is never idle.
for policy in falcon falcon_1_0; do
	policy_set $policy first_limit 1000
	policy_set $policy settle_us 10000000
done

way falcon hash falcon
expect "falcon -> hash -> falcon, with most flows at rest" $((2 * changed)) -lt "$(second "$before")"
expect "flows of 8 at 4 stages are seen" "$(both "$before" "$after")" -ge 32
expect "hash has them elsewhere" "$(moved "$before" "$between")" -gt 0
expect "and falcon where it had them, but for those changed" "$(moved "$before" "$after")" -le "$changed"

way falcon_1_0 falcon
expect "falcon 1.0 -> 1.1, with most flows at rest" $((2 * changed)) -lt "$(second "$before")"
expect "flows of 8 at 4 stages are seen" "$(both "$before" "$after")" -ge 32
expect "1.1 has made its records of those of 1.0" "$(policy_counter falcon carried)" -ge 32
expect "and has them where 1.0 had them, but for those changed" "$(moved "$before" "$after")" -le "$changed"

kill "${burners[@]}"
wait "${burners[@]}" 2>/dev/null
traffic_lost_nothing
echo "!$keys" >$event/trigger
expect "no bad answer" "$(policy_stat bad_answers)" -eq 0
policy_end
