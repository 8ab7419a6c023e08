#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest: swaps of the test-only family's policies. The family hammers its hooks from threads,
# softirqs and hardirqs on every CPU and keeps its own count; the ledger policies keep theirs in
# stores that go over at each swap. In the end three counts have to agree.

cd "$(dirname "$0")" || exit
# shellcheck source=/dev/null
. ./ktap_helpers.sh
swaps=$1
family=/sys/kernel/tiffin/test
scope=$family/scopes/default

stat() { awk -v key="$1" '$1 == key { print $2 }' $scope/stats; }
last() { sed -n "s/^$1 //p" $scope/last_swap; }
result() { awk -v key="$1" '$1 == key { print $2 }' $family/result; }

# is WHAT GOT WANTED: one test
is()
{
	if [ "$2" = "$3" ]; then
		ktap_test_pass "$1"
	else
		ktap_test_fail "$1"
		ktap_print_msg "$1: got '$2', wanted '$3'"
	fi
}

# holds WHAT EXPRESSION: one test of an arithmetic condition
holds()
{
	if (($2)); then
		ktap_test_pass "$1"
	else
		ktap_test_fail "$1"
		ktap_print_msg "$1: $2 does not hold"
	fi
}

# refused WHAT FILE TEXT ERRNO-TEXT ERROR-PATTERN: a write fails, and says why; two tests
refused()
{
	local message

	message=$( { printf '%s\n' "$3" >"$2"; } 2>&1) && message='it was accepted'
	is "$1: refused" "${message##*: }" "$4"
	if grep -Eq "$5" $scope/error; then
		ktap_test_pass "$1: the error says why"
	else
		ktap_test_fail "$1: the error says why"
		ktap_print_msg "error: $(cat $scope/error)"
	fi
}

wait_state()
{
	local i

	for ((i = 0; i < 200; i++)); do
		[ "$(cat $scope/state)" != "$1" ] || return 0
		sleep 0.1
	done
	return 1
}

# wait_calls N: until so many calls have come; threads start when the guest's CPUs get to it
wait_calls()
{
	local i

	for ((i = 0; i < 1000 && $(stat calls) < $1; i++)); do sleep 0.1; done
}

# ask RUN: threads ask from here on, until $runner is killed; a call of theirs has come
ask()
{
	local calls

	calls=$(stat calls)
	echo "$1" > $family/run &
	runner=$!
	wait_calls $((calls + 1))
}

policy_of() { sed 's/-.*//' $scope/active; }
id_of() { basename /sys/kernel/tiffin/policies/"$1"-*; }
tunable() { echo "$2" > /sys/kernel/tiffin/policies/"$(id_of "$1")"/tunables/work; }
counter() { cat /sys/kernel/tiffin/policies/"$(id_of "$1")"/counters/"$2"; }

ledgers() { lsmod | awk -v name="tiffin_test_${1-ledger}" 'index($1, name) == 1 { print $1 }'; }

# stays WHERE POLICY...: neither the family nor these policies can be unloaded now, and the attempt
# changes nothing; one test
stays()
{
	local where=$1 before name busy=0

	shift
	before="$(cat $scope/state) $(cat $scope/active)"
	for name; do
		./tiffin unload "$name" >/dev/null 2>&1
		[ $? != 4 ] || busy=$((busy + 1))
	done
	for name; do ledgers "$name"; done | xargs rmmod 2>/dev/null
	rmmod tiffin_test_family 2>/dev/null
	is "$where: what is in use can't be unloaded" \
		"$(for name; do ledgers "$name"; done | wc -l) $busy $(cat $scope/state) $(cat $scope/active)" \
		"$# $# $before"
}

for module in tiffin tiffin_test_family test_ledger_a test_ledger_b test_ledger_c; do
	insmod $module.ko || ktap_exit_fail_msg "$module doesn't load"
done
ktap_print_header
ktap_set_plan 94

is "default is active from the start" "$(policy_of)" default
is "state is stable" "$(cat $scope/state)" stable

# Refusals that leave everything as it was.
refused "no such policy" $scope/active nothing "No such file or directory" "no policy 'nothing'"
refused "no name" $scope/swap "" "Invalid argument" "name the policy"
refused "options in active" $scope/active "ledger_a probation_ms=1" "Invalid argument" "options to swap"
refused "unknown option" $scope/swap "ledger_a speed=1" "Invalid argument" "expected probation_ms"
refused "gate without a probation" $scope/swap "ledger_a gate=hook_p99<5us" "Invalid argument" "needs a probation"
refused "gate on an unknown metric" $scope/swap "ledger_a probation_ms=9 gate=luck<5" "Invalid argument" "no such metric"
refused "gate that is no condition" $scope/swap "ledger_a probation_ms=9 gate=hook_p99=5" "Invalid argument" "write METRIC"
refused "time limit out of range" $scope/swap "ledger_a timeout_ms=0" "Numerical result out of range" "from 1 to"
refused "active already" $scope/active default "Operation already in progress" "active already"
refused "commit without a probation" $scope/commit 1 "No such file or directory" "no probation"
refused "rollback without a previous policy" $scope/rollback 1 "No such file or directory" "no previous"
refused "rollback wants 1" $scope/rollback 2 "Invalid argument" "write 1"
is "default is still active" "$(policy_of)" default

# Not root of the initial user namespace: no write, whatever the mode of the file.
message=$(unshare --user --map-root-user bash -c "echo ledger_a > $scope/active" 2>&1) && message=accepted
is "a container's root may not swap" "$(policy_of) $(grep -c -i 'permi' <<<"$message")" "default 1"

# Many swaps under load, each call accounted for. How long one takes is the machine's affair: four
# CPUs of a guest may share less than one real one.
echo 120000 > $family/limits/timeout_ms
tunable ledger_a 200
tunable ledger_b 200
calls=$(stat calls) answered=$(stat answered) stock=$(stat stock) continuity=$(stat continuity)
before=$(stat swaps)
echo "4 86400000 1" > $family/run &
runner=$!
wait_calls $((calls + 1))
echo ledger_a > $scope/active
failed=0
for ((i = 1; i < swaps; i++)); do
	if ((i % 2)); then next=ledger_b; else next=ledger_a; fi
	echo $next > $scope/active || { ((failed++)); ktap_print_msg "$(cat $scope/error)"; }
done
# The books carry their totals over with the first call that a policy answers.
for ((i = 0; i < 1000 && $(counter "$(policy_of)" own) == 0; i++)); do sleep 0.1; done
kill $runner; wait $runner 2>/dev/null
ktap_print_msg "$swaps swaps: $(tr '\n' ' ' < $scope/stats)"
is "no swap failed" $failed 0
is "as many swaps as asked for" $(($(stat swaps) - before)) "$swaps"
holds "calls were made" "$(result calls) > swaps"
is "core and family count the same calls" $(($(stat calls) - calls)) "$(result calls)"
is "the same answers" $(($(stat answered) - answered)) "$(result answered)"
is "the same defaults" $(($(stat stock) - stock)) "$(result stock)"
is "the same continuity answers" $(($(stat continuity) - continuity)) "$(result continuity)"
is "each call got one answer" $(($(result answered) + $(result stock) + $(result continuity))) "$(result calls)"
holds "callers met a closed gate" "$(stat held) + $(stat continuity_gate) > 0"
is "no call ran over a flip, says dispatch" "$(stat overlapped)" 0
is "no call ran over a flip, say the ledgers" "$(result overlaps)" 0
is "no answer was mixed up" "$(result wrong)" 0
is "no fresh record held old bytes" "$(result stale)" 0
is "per-CPU books lost nothing over all swaps" "$(result cpu_miss)" 0
is "object books lost nothing over all swaps" "$(result object_miss)" 0
is "the books' total is the number of answers" "$(counter "$(policy_of)" calls)" "$(result answered)"
is "all three stores went over" "$(counter "$(policy_of)" adopted)" 3

# The same, with books that are converted at each swap. The next swap waits for the last record.
echo default > $scope/active
ask "4 86400000 1"
tunable ledger_c 200
echo ledger_a > $scope/active
failed=0
for ((i = 0; i < swaps / 10; i++)); do
	for next in ledger_c ledger_b; do
		wait_state stable
		echo $next > $scope/active || { ((failed++)); ktap_print_msg "$(cat $scope/error)"; }
	done
done
for ((i = 0; i < 1000 && $(counter ledger_b own) == 0; i++)); do sleep 0.1; done
wait_state stable
kill $runner; wait $runner 2>/dev/null
is "no swap with conversions failed" $failed 0
is "none of its calls ran over a flip" "$(stat overlapped) $(result overlaps)" "0 0"
is "no answer was mixed up by a conversion" "$(result wrong) $(result stale)" "0 0"
is "per-CPU books lost nothing by conversions" "$(result cpu_miss)" 0
is "object books lost nothing by conversions" "$(result object_miss)" 0
is "their total is the number of answers" "$(counter ledger_b calls)" "$(result answered)"

# While records are converted in the background neither family nor policy goes, nor does another come.
tunable ledger_c 1000000000000
echo ledger_c > $scope/active
is "records are being converted" "$(policy_of) $(cat $scope/state)" "ledger_c sweeping"
stays "sweeping" ledger_c
refused "a swap during a sweep" $scope/active default "Device or resource busy" "records are being converted for ledger_c"
tunable ledger_c 200
wait_state stable
echo ledger_b > $scope/active
wait_state stable
is "then the sweep ends, and the next one" "$(policy_of) $(cat $scope/state)" "ledger_b stable"

# A call that does not end by itself: time limit, self-reversal, a name.
holder=$(policy_of)
other=ledger_a; [ "$holder" = ledger_a ] && other=ledger_b
tunable "$holder" 1000000000000
ask "1 86400000 0"
refused "a call that does not end" $scope/swap "$other timeout_ms=3000" "Connection timed out" "held up by hook (ask|tell) of $holder-.* on CPU [0-9]+; $holder-.* stays active"
is "the older policy stays in charge" "$(policy_of)" "$holder"
holds "it was tried more than once" "$(last attempts) > 1"
is "the report says failed" "$(last result)" failed
tunable "$holder" 200
kill $runner; wait $runner 2>/dev/null

# Probation: commit, rollback on request, rollback by a gate.
echo "2 86400000 1" > $family/run &
runner=$!
echo "$other probation_ms=60000" > $scope/swap
is "on probation" "$(cat $scope/state)" probation
stays "on probation" "$holder" "$other"
refused "a swap during a probation" $scope/active default "Device or resource busy" "on probation for another"
echo 1 > $scope/rollback
is "rollback brings the older policy back" "$(policy_of) $(last result)" "$holder rolled_back"
echo "$other probation_ms=60000" > $scope/swap
echo 1 > $scope/commit
is "commit keeps the newer policy" "$(policy_of) $(last result)" "$other committed"
echo 0 > $family/gauge
echo "$holder probation_ms=60000 gate=gauge<5 gate=hook_max<1000s" > $scope/swap
sleep 0.5
is "gates that hold leave it alone" "$(cat $scope/state)" probation
echo 5 > $family/gauge
wait_state stable
is "a broken gate rolls back by itself" "$(policy_of) $(last result)" "$other rolled_back"
is "and says which" "$(last reason)" "gate gauge<5 broken: it was 5"
kill $runner; wait $runner 2>/dev/null

# Two requests at once: one wins, the other is told.
tunable "$other" 1000000000000
ask "1 86400000 0"
echo "$holder timeout_ms=60000" > $scope/swap 2>/dev/null &
first=$!
for ((i = 0; i < 50; i++)); do [ "$(cat $scope/state)" = closing ] && break; sleep 0.05; done
message=$( { echo default > $scope/active; } 2>&1) && message=accepted
is "the second of two requests is busy" "${message##*: }" "Device or resource busy"
stays "closing" "$holder" "$other"
tunable "$other" 200
wait $first 2>/dev/null
kill $runner; wait $runner 2>/dev/null

# A rollback that a call holds up: nothing goes before it has worked.
echo "$other probation_ms=600000" > $scope/swap
[ "$(policy_of)" = "$other" ] || echo "$holder probation_ms=600000" > $scope/swap
tunable "$(policy_of)" 1000000000000
ask "1 86400000 0"
timeout_ms=$(cat $family/limits/timeout_ms)
echo 100 > $family/limits/timeout_ms
refused "a rollback that a call holds up" $scope/rollback 1 "Connection timed out" "rollback waits for hook"
stays "rolling back" ledger_a ledger_b
echo "$timeout_ms" > $family/limits/timeout_ms
tunable "$(policy_of)" 200
wait_state stable
is "then it works" "$(last result) $(last reason)" "rolled_back asked for"
kill $runner; wait $runner 2>/dev/null

# CPUs come and go while swaps run.
echo "2 86400000 1" > $family/run &
runner=$!
(for i in 1 2 3 4; do
	echo 0 > /sys/devices/system/cpu/cpu3/online; echo 1 > /sys/devices/system/cpu/cpu3/online
done) &
hotplug=$!
echo default > $scope/active
failed=0
for ((i = 0; i < 100; i++)); do
	if ((i % 2)); then next=ledger_b; else next=ledger_a; fi
	echo $next > $scope/active || ((failed++))
done
wait $hotplug
kill $runner; wait $runner 2>/dev/null
is "swaps while CPUs come and go" "$failed $(stat overlapped) $(result overlaps)" "0 0 0"

# The same while records are converted: a CPU goes while one swap runs, is away in the next, comes
# in the third. The books of all CPUs and objects are whole in the end.
cpu3=/sys/devices/system/cpu/cpu3/online
# go FILE TEXT: a swap, once the records of the one before are converted, or a rollback
go()
{
	[ "$1" = rollback ] || wait_state stable
	echo "$2" > $scope/"$1" || { ((failed++)); ktap_print_msg "$2: $(cat $scope/error)"; }
}
echo default > $scope/active
began=$SECONDS failed=0
ask "2 86400000 1"
go active ledger_a
for _ in 1 2; do
	echo 0 > $cpu3 & hotplug=$!
	go active ledger_c
	wait $hotplug
	go active ledger_b
	go active ledger_c
	echo 1 > $cpu3 & hotplug=$!
	go active ledger_a
	wait $hotplug
done
for ((i = 0; i < 1000 && $(counter ledger_a own) == 0; i++)); do sleep 0.1; done
wait_state stable
kill $runner; wait $runner 2>/dev/null
is "conversions while CPUs come and go" "$failed $(stat overlapped) $(result overlaps)" "0 0 0"
is "no record was missed in them" "$(counter ledger_a misses) $(result wrong) $(result stale)" "0 0 0"
is "the books of each CPU and object are whole" "$(result cpu_miss) $(result object_miss)" "0 0"
is "and hold each answer" "$(counter ledger_a calls)" "$(result answered)"
ktap_print_msg "conversions while CPUs come and go: $((SECONDS - began)) s"

# And while swaps with conversions are undone: what the newer policy had entered is taken back, of
# each CPU, and no more.
began=$SECONDS failed=0 undone_min=0 undone_max=0
there_and_back()
{
	local before

	before=$(stat answered)
	go swap "ledger_c probation_ms=600000"
	for ((i = 0; i < 1000 && $(counter ledger_c own) == 0; i++)); do sleep 0.1; done
	undone_min=$((undone_min + $(counter ledger_c own)))
	failed=$((failed + $(counter ledger_c misses)))
	go rollback 1
	undone_max=$((undone_max + $(stat answered) - before))
}
echo default > $scope/active
ask "2 86400000 1"
go active ledger_a
for _ in 1 2; do
	echo 0 > $cpu3 & hotplug=$!
	there_and_back
	wait $hotplug
	echo 1 > $cpu3 & hotplug=$!
	there_and_back
	wait $hotplug
done
go active ledger_b
kill $runner; wait $runner 2>/dev/null
answered=$(result answered)
is "rollbacks while CPUs come and go" "$failed $(stat overlapped) $(result overlaps)" "0 0 0"
is "no record was missed in them" "$(result wrong) $(result stale)" "0 0"
# Each CPU carries its own book over with a call: it has to get one.
for ((i = 0; i < 100; i++)); do
	echo "2 300 1" > $family/run
	answered=$((answered + $(result answered)))
	[ "$(counter ledger_b cpu_calls)" != "$(counter ledger_b calls)" ] || break
done
undone=$((answered - $(counter ledger_b calls)))
holds "the books lack what was taken back, no more" "$undone_min <= undone && undone <= undone_max"
holds "that was something" "undone > 0"
is "the CPUs' books lack as much" "$(counter ledger_b cpu_calls)" "$(counter ledger_b calls)"
is "and no record was missed" "$(counter ledger_b misses) $(result wrong)" "0 0"
ktap_print_msg "rollbacks while CPUs come and go: $((SECONDS - began)) s, $undone answers taken back"

# Policies and family are unloaded in the middle, again and again, while swaps come and end in
# every way: each time the module goes whole or stays whole.
echo default > $scope/active
is "stores are given back" "$(cat $family/stores_bytes)" 0
notes=$(mktemp -d)
touch "$notes/gone" "$notes/refused"
(
	while [ ! -e "$notes/stop" ]; do
		ledgers | xargs -r rmmod
		if rmmod tiffin_test_family; then
			echo >> "$notes/gone"
			insmod tiffin_test_family.ko
		else
			echo >> "$notes/refused"
		fi
		for module in test_ledger_a test_ledger_b test_ledger_c; do insmod $module.ko; done
	done
) 2>/dev/null &
unloader=$!
flipped=0
for ((i = 0; i < 400; i++)); do
	gone=$(wc -l < "$notes/gone") refused=$(wc -l < "$notes/refused")
	((gone < 6 || refused < 6)) || break
	echo "2 30 1" > $family/run &
	for request in "ledger_a probation_ms=20" ledger_c default "ledger_b probation_ms=60000" \
		"default probation_ms=5"; do
		echo "$request" > $scope/swap && ((flipped++))
		echo 1 > $scope/rollback
		[ $((i % 2)) = 0 ] || echo 1 > $scope/commit
	done
	# Every other time a policy is in use while the calls end; then none is for a moment.
	[ $((i % 2)) = 0 ] || echo ledger_c > $scope/active
	wait $!
	echo default > $scope/active
	sleep 0.1
done 2>/dev/null
: > "$notes/stop"
wait $unloader
ktap_print_msg "family unloaded $gone times, refused $refused times, $flipped swaps"
holds "the family was unloaded between swaps, and refused in them" "$gone >= 6 && $refused >= 6"
for module in tiffin_test_family test_ledger_a test_ledger_b test_ledger_c; do
	[ "$(lsmod | grep -c "^tiffin_${module#tiffin_}")" != 0 ] || insmod $module.ko
done
{ echo 1 > $scope/commit; } 2>/dev/null
wait_state stable
echo ledger_a > $scope/active
is "and works as before" "$(policy_of) $(cat $scope/state)" "ledger_a stable"
is "the log shows no bug" "$(dmesg | grep -cE 'BUG:|WARNING:|Oops|refcount_t|was not sent')" 0

# Out: a policy in use can't go; then all can.
lsmod | awk '/^tiffin_test_ledger/ && $3 > 0 { print $1 }' | xargs rmmod 2>/dev/null
holds "a policy in use can't be unloaded" "$(lsmod | grep -c '^tiffin_test_ledger') == 3"
echo default > $scope/active
is "back to the default" "$(policy_of)" default
lsmod | awk '/^tiffin_test_ledger/ { print $1 }' | xargs rmmod
rmmod tiffin_test_family && rmmod tiffin
is "all modules unload" "$(lsmod | grep -c '^tiffin')" 0
ktap_finished
