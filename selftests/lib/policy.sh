# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of a policy at work in a kernel: to be sourced by a script that selftests/lib/policy_vm runs
# in a guest. Every function below whose name says what is expected is one test, in TAP. A script
# for a policy of packet_steering:
#
#	. "$(dirname "$0")/policy.sh"
#	policy_begin packet_steering		# load host and policies, build the overlay network
#	traffic_begin udp
#	policy_swap mine
#	policy_swap default
#	policy_swap mine probation_ms=1000 'gate=hook_p99<1ms'
#	policy_becomes committed
#	traffic_lost_nothing			# ends the traffic: all came, once and in order
#	expect "it counts" "$(policy_counter mine hits)" -gt 0
#	policy_end
#
#	policy_load FILE.ko		load a further policy; $POLICY_DIR/more holds those of selftests/modules
#	policy_set POLICY TUNABLE N	set a tunable
#	policy_counter POLICY COUNTER	print a counter; policy_stat KEY one of the scope's stats,
#					policy_figure NAME one of the family's figures,
#					policy_last KEY what last_swap says
#	policy_swap POLICY [WORD...]	swap, with words as in scopes/default/swap
#	policy_refuses WORDS POLICY [WORD...]	a swap must fail and the error must say WORDS
#	policy_becomes RESULT		wait until the last swap is committed, rolled_back or failed; not
#					longer than $POLICY_WAIT_S (60) s, and not where it ended otherwise
#	expect NAME A OP B		as test(1): -eq -ne -lt -le -gt -ge = !=
#	traffic_begin udp|tcp [SENDER [RECEIVER [PACKETS-OR-BYTES-PER-SECOND [FLOWS]]]]
#	traffic_wait N			let N more packets be steered, counted at each stage
#	traffic_stop			end it; $TRAFFIC_STATUS is then 0 if all came, once and in order
#	tiffin COMMAND...		the command is there, as on any machine (tools/tiffin)

POLICY_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=selftests/lib/tap.sh
. "$POLICY_DIR/tap.sh"
# shellcheck source=selftests/lib/overlay.sh
. "$POLICY_DIR/overlay.sh"

PATH=$POLICY_DIR/bin:$PATH

TIFFIN=/sys/kernel/tiffin
# Longer than any probation that a test asks for.
POLICY_WAIT_S=${POLICY_WAIT_S:-60}
POLICY_FAMILY=
POLICY_SCOPE=
TRAFFIC_PID=
TRAFFIC_RECEIVER_PID=

# Without this no test can go on, nor those of the scripts that follow.
policy_bail()
{
	echo "Bail out! $*"
	exit 99
}

policy_begin()
{
	local ko

	tap_begin
	POLICY_FAMILY=$1
	POLICY_SCOPE=$TIFFIN/$1/scopes/default
	modprobe -a vxlan bridge veth 2>/dev/null || :
	insmod "$POLICY_DIR/tiffin.ko" || policy_bail "tiffin.ko does not load"
	ko=$POLICY_DIR/tiffin_$1.ko
	[ -e "$ko" ] || ko=$POLICY_DIR/tiffin_$1_family.ko
	insmod "$ko" || policy_bail "the host of $1 does not load: $(dmesg | grep -i tiffin | tail -n 1)"
	# Emulated CPUs stand still for long, and a call on them does not end for that.
	echo 1000000 >"$TIFFIN/$1/limits/budget_us"
	for ko in "$POLICY_DIR"/policies/*.ko; do
		[ "$(modinfo -F tiffin_family "$ko")" != "$1" ] || policy_load "$ko"
	done
	[ "$1" != packet_steering ] || overlay_up veth || policy_bail "no overlay network"
}

policy_load()
{
	tap_check "$(basename "$1") loads" insmod "$1"
}

policy_end()
{
	local module

	traffic_stop
	[ "$(cat "$POLICY_SCOPE/state")" != probation ] || echo 1 >"$POLICY_SCOPE/commit"
	[ "$(cat "$POLICY_SCOPE/active")" = default ] || echo default >"$POLICY_SCOPE/active"
	expect "the default is back" "$(cat "$POLICY_SCOPE/active")" = default
	expect "no call was lost" "$(policy_stat calls)" -eq \
		$(($(policy_stat answered) + $(policy_stat stock) + $(policy_stat continuity)))
	expect "no call ran beside a flip" "$(policy_stat overlapped)" -eq 0
	[ "$POLICY_FAMILY" != packet_steering ] || overlay_down
	# Policies hold the family, that holds the core: in the order of lsmod.
	while module=$(lsmod | awk '/^tiffin/ && $3 == 0 { print $1; exit }') && [ -n "$module" ]; do
		tap_check "$module unloads" rmmod "$module" || break
	done
	expect "nothing is left" "$(lsmod | grep -c '^tiffin')" -eq 0
	tap_end
}

# policy_folder POLICY: its folder in sysfs; with several builds of it the newest.
policy_folder()
{
	local id

	id=$(grep "^$1[-+]" "$TIFFIN/$POLICY_FAMILY/available" | tail -n 1)
	echo "$TIFFIN/policies/${id:?no policy $1 of $POLICY_FAMILY is loaded}"
}

policy_set()
{
	echo "$3" >"$(policy_folder "$1")/tunables/$2"
}

policy_counter()
{
	cat "$(policy_folder "$1")/counters/$2"
}

policy_figure()
{
	cat "$TIFFIN/$POLICY_FAMILY/figures/$1"
}

policy_stat()
{
	awk -v key="$1" '$1 == key { print $2 }' "$POLICY_SCOPE/stats"
}

policy_last()
{
	sed -n "s/^$1 //p" "$POLICY_SCOPE/last_swap"
}

# expect NAME A OP B
expect()
{
	if test "$2" "$3" "$4"; then
		tap_pass "$1"
	else
		tap_note "expected: $2 $3 $4"
		tap_fail "$1"
	fi
}

policy_swap()
{
	local to

	if ! echo "$*" >"$POLICY_SCOPE/swap" 2>/dev/null; then
		tap_note "$(cat "$POLICY_SCOPE/error")"
		tap_fail "swap to $*"
		return
	fi
	# What is active may be another one again, if a gate did not hold.
	to=$(policy_last to)
	case $to in
	"$1" | "$1"[-+]*) tap_pass "swap to $*" ;;
	*)
		tap_note "the last swap went to $to"
		tap_fail "swap to $*"
		;;
	esac
}

# policy_refuses WORDS POLICY [WORD...]
policy_refuses()
{
	local words=$1 before
	shift

	before=$(cat "$POLICY_SCOPE/active")
	if echo "$*" >"$POLICY_SCOPE/swap" 2>/dev/null; then
		tap_note "it was done"
		tap_fail "refuses $*"
	elif ! grep -qF -- "$words" "$POLICY_SCOPE/error"; then
		tap_note "expected: $words"
		tap_note "error: $(cat "$POLICY_SCOPE/error")"
		tap_fail "refuses $*"
	elif [ "$(cat "$POLICY_SCOPE/active")" != "$before" ]; then
		tap_note "active was $before, is $(cat "$POLICY_SCOPE/active")"
		tap_fail "refuses $*"
	else
		tap_pass "refuses $*"
	fi
}

# policy_becomes committed|rolled_back|failed: what the last swap ends in. One that has ended otherwise,
# or was followed by another, is not waited for.
policy_becomes()
{
	local wanted=$1 id key value swap end=$((SECONDS + POLICY_WAIT_S))
	local -A last

	id=$(policy_last id)
	while :; do
		# All of it at once: it may be another swap's a moment later.
		last=()
		while read -r key value; do
			last[$key]=$value
		done <"$POLICY_SCOPE/last_swap"
		swap="swap ${last[id]} (${last[from]} -> ${last[to]}) is ${last[result]:-nowhere yet}"
		if [ "${last[id]}" != "$id" ]; then
			tap_note "$swap; it came after swap $id, which was waited for to become $wanted"
		elif [ "${last[result]}" = "$wanted" ]; then
			tap_pass "the swap is $wanted"
			return
		elif [[ ${last[result]} == @(committed|rolled_back|failed) ]]; then
			tap_note "$swap; expected $wanted"
		elif [ $SECONDS -ge $end ]; then
			tap_note "$swap; waited $POLICY_WAIT_S s for $wanted"
		else
			sleep 0.1
			continue
		fi
		[ -z "${last[reason]}" ] || tap_note "reason: ${last[reason]}"
		tap_fail "the swap is $wanted"
		return
	done
}

# traffic_begin udp|tcp [SENDER [RECEIVER [RATE [FLOWS]]]]
traffic_begin()
{
	local kind=$1 from=${2:-A1} to=${3:-B1} rate=${4:-} flows=${5:-8} tries

	[ -n "$rate" ] || case $kind in
	udp) rate=2000 ;;
	tcp) rate=2000000 ;;
	*) policy_bail "traffic is udp or tcp, not '$kind'" ;;
	esac
	# Not by overlay_in: a function in the background is a shell, and the signal goes to that.
	ip netns exec "$(overlay_ns "$to")" "$POLICY_DIR/ident" recv -n 1 >"$POLICY_DIR/receiver.log" &
	TRAFFIC_RECEIVER_PID=$!
	for ((tries = 0; tries < 300; tries++)); do
		[ -z "$(overlay_in "$to" ss -Hltn sport = :7400)" ] || break
		sleep 0.1
	done
	# On one CPU: where a sender moves, the stock kernel's veth reorders what it sent.
	taskset -c 0 ip netns exec "$(overlay_ns "$from")" "$POLICY_DIR/ident" "$kind" -f "$flows" \
		-r "$rate" "$(overlay_addr "$to")" >"$POLICY_DIR/traffic.json" &
	TRAFFIC_PID=$!
	traffic_wait 100
}

# traffic_wait N: let N more packets be steered; gives up when none comes for a while.
traffic_wait()
{
	local start now last=0 idle=0

	start=$(policy_figure packets)
	while now=$(policy_figure packets) && [ $((now - start)) -lt "$1" ]; do
		[ "$now" = "$last" ] && idle=$((idle + 1)) || idle=0
		[ $idle -lt 100 ] || policy_bail "no packets come"
		last=$now
		sleep 0.1
	done
}

traffic_stop()
{
	[ -n "$TRAFFIC_PID" ] || return 0
	kill -INT "$TRAFFIC_PID" 2>/dev/null
	wait "$TRAFFIC_PID"
	TRAFFIC_STATUS=$?
	TRAFFIC_PID=
	# It ends after one session; if that never began, it has to be told.
	[ $TRAFFIC_STATUS -lt 2 ] || kill "$TRAFFIC_RECEIVER_PID" 2>/dev/null
	wait "$TRAFFIC_RECEIVER_PID"
}

# End the traffic: every packet came, once, in order and unchanged.
traffic_lost_nothing()
{
	traffic_stop
	tap_note "$(cat "$POLICY_DIR/traffic.json")"
	expect "nothing was lost, doubled, changed or reordered" "$TRAFFIC_STATUS" -eq 0
}
