#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest: every command, against the real modules. The family is the test-only one, whose
# calls and figures the test can make at will; packet_steering where the command knows it by name.

cd "$(dirname "$0")" || exit
# shellcheck source=/dev/null
. ./ktap_helpers.sh
PATH=$PWD:$PATH
family=/sys/kernel/tiffin/test
scope=$family/scopes/default
tests=0

pass()
{
	tests=$((tests + 1))
	ktap_test_pass "$1"
}

fail()
{
	tests=$((tests + 1))
	ktap_test_fail "$1"
	shift
	printf '%s\n' "$@" | while IFS= read -r line; do ktap_print_msg "$line"; done
}

# is WHAT GOT WANTED
is()
{
	if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "got '$2', wanted '$3'"; fi
}

# try WHAT EXIT ERE ARGUMENTS...: run the command; what it says, on either stream, matches ERE.
# With --json the whole output must be one document, and ERE is a jq filter that yields true.
try()
{
	local what=$1 exit=$2 wanted=$3 rc=0 ok=1
	shift 3

	tiffin "$@" >out 2>err || rc=$?
	[ $rc = "$exit" ] || ok=0
	if [[ " $* " == *" --json "* ]]; then
		# jq 1.6 takes no document for a good one.
		[ -s out ] && jq -e "$wanted" out >/dev/null 2>>err || ok=0
	else
		grep -Eq -- "$wanted" out err || ok=0
	fi
	if [ $ok = 1 ]; then
		pass "$what"
	else
		fail "$what" "tiffin $*: exit status $rc, wanted $exit and: $wanted" "$(cat out err)"
	fi
}

policy_of() { sed 's/-.*//' $scope/active; }

# under_load COMMAND...: while the family asks.
under_load()
{
	local runner rc=0

	echo "2 86400000 1" >$family/run &
	runner=$!
	"$@" || rc=$?
	kill $runner
	wait $runner 2>/dev/null
	return $rc
}

ktap_print_header
release=$(uname -r)
# The guest's modules can't be written to: what the test installs lies on top of them.
mkdir /tmp/upper /tmp/work
modprobe overlay
mount -t overlay -o lowerdir=/lib/modules,upperdir=/tmp/upper,workdir=/tmp/work overlay /lib/modules
mkdir -p "/lib/modules/$release/updates" || ktap_exit_fail_msg "no place to install modules"

# Nothing is loaded, nothing is installed.
try "version without a host" 0 '^host not loaded' version
try "list without a host" 7 'tiffin is not loaded' list
try "load without the family's module" 7 'module tiffin_test is not installed' load tiffin_test_ledger_a_*.ko
try "doctor on a stock kernel" 0 'this kernel offers all' doctor
try "doctor in JSON" 0 '.misses == 0 and ([.checks[] | select(.result == "ok") | .check] |
	(index("ftrace") and index("function") and index("owner") and index("realtime")))' doctor --json
sysctl -q kernel.ftrace_enabled=0
try "doctor: ftrace off" 8 'miss  ftrace .*ftrace_enabled=0' doctor packet_steering
is "and the host agrees" "$(insmod tiffin.ko && insmod tiffin_packet_steering.ko 2>&1 | grep -c 'No such device')" 1
sysctl -q kernel.ftrace_enabled=1
rmmod tiffin
# Another owner of the function: a kprobe that changes where execution goes on is not at hand, so
# the tracer counts as one that is none.
echo get_rps_cpu >/sys/kernel/tracing/set_ftrace_filter
echo function >/sys/kernel/tracing/current_tracer
try "doctor: a tracer is no owner" 0 'ok    owner' doctor packet_steering
echo nop >/sys/kernel/tracing/current_tracer
echo >/sys/kernel/tracing/set_ftrace_filter

# Loading, with what it depends on.
cp tiffin.ko tiffin_packet_steering.ko tiffin_test_family.ko "/lib/modules/$release/updates/"
depmod
try "doctor: installed" 0 'note  host .*tiffin is installed' doctor
try "verify" 0 'would be loaded: policy ledger_a' verify tiffin_test_ledger_a_*.ko
try "verify for another kernel" 8 'miss  kernel .*built for kernel' verify foreign.ko
try "load brings the family" 0 'loaded ledger_a-1.0\+.*tiffin swap test ledger_a' load tiffin_test_ledger_a_*.ko
is "the family is there" "$(cat $family/abi)" 1.1
try "load twice" 1 'loaded already' load tiffin_test_ledger_a_*.ko
try "load several" 0 '.loaded | length == 2' load --json tiffin_test_ledger_b_*.ko tiffin_test_old_*.ko
try "load of several, one loaded already" 1 'loaded already' load tiffin_test_wrong_*.ko tiffin_test_old_*.ko
is "then none is" "$(tiffin list --json | jq -r '.policies[].name' | paste -sd ' ')" "ledger_a ledger_b old"
try "verify knows the host" 8 'miss  abi .*newer than 1\.1 \(the host here\)' verify refused/tiffin_family_minor_*.ko
for file in refused/tiffin_*.ko; do
	case $file in
	*_family_unknown_*) try "load $file" 7 'family nowhere is not loaded' load "$file" ;;
	*_no_hook_*) try "load $file" 1 "hook 'ask' is required by family test" load "$file" ;;
	*) try "load $file" 8 '  miss  ' load "$file" ;;
	esac
	# The same by insmod: what verify refuses the host refuses as well.
	insmod "$file" 2>/dev/null
	is "insmod $file" "$(grep -c "^$(basename "$file" .ko) " /proc/modules)" 0
done
try "doctor: loaded" 0 'ok    host .*tiffin is loaded' doctor
# The kernel does not say that it is told otherwise: who asks has the host look.
sysctl -q kernel.panic_on_oops=1
try "doctor: panic_on_oops" 0 'note  faults +panic_on_oops is set: .*panics the machine' doctor
echo 1 >/sys/kernel/tiffin/contain
try "doctor: contained all the same" 0 'ok    faults .*all the same' doctor
is "the host contains them" "$(cat /sys/kernel/tiffin/contained)" 1
echo 0 >/sys/kernel/tiffin/contain
is "the host panics again" "$(cat /sys/kernel/tiffin/contained)" 0
sysctl -q kernel.panic_on_oops=0
try "doctor: panic_on_oops no more" 0 'ok    faults +a policy that faults is ended' doctor
try "version of the host" 0 '.host.family_abi.test == "1.1"' version --json

# Looking.
try "list" 0 '^test +ledger_a +1\.0 .*loaded +0' list
try "list in JSON" 0 '(.policies | length) == 3 and .families[0].scopes[0].active == "default"' list --json
try "show" 0 '^test +1\.1 +default +default' show
try "show a family" 0 '^  hold_ns' show test
try "show a family in JSON" 0 '.limits.timeout_ms == 5000 and (.available | length) == 4 and
	.scopes[0].last_swap.result == ""' show test --json
try "show the limit on stores" 0 '^  stores_kib ' show test
try "show a policy in JSON" 0 '(.tunables[] | select(.name == "work")) and (.stores | length) == 3 and
	.state == "loaded"' show ledger_a --json

# Swapping.
try "swap" 0 'test/default: default -> ledger_a-1\.0\+.*gate closed for .* 1 attempt' swap ledger_a
is "the policy is active" "$(policy_of)" ledger_a
try "swap to what is active" 0 'ledger_a is active already' swap test ledger_a
try "swap under load, in JSON" 0 '.result == "committed" and .last_swap.attempts >= 1' swap ledger_b --json
try "list shows it" 0 '^test +ledger_b +1\.0 .*active +1' list
try "unload what is active" 4 'is active' unload ledger_b
try "rollback" 0 'rolled back; ledger_a-' rollback test
try "swap on probation" 0 'on probation for 60.0 s' swap ledger_b --probation 60s
try "show on probation" 0 '.scopes[0].state == "probation"' show test --json
try "swap during a probation" 4 'on probation for another.*|tiffin commit' swap old
try "unload what may come back" 4 'part of a probation' unload ledger_a
try "commit" 0 'committed; ledger_b-' commit test
try "commit without a probation" 3 'no probation' commit test
try "swap on probation again" 0 'on probation' swap ledger_a --probation 60s
try "rollback ends it" 0 '.result == "rolled_back" and (.active | startswith("ledger_b"))' rollback test --json
try "default during a probation, first" 0 'on probation' swap ledger_a --probation 60s
try "default during a probation" 0 'test/default: default' default test
is "default is active" "$(policy_of) $(cat $scope/state)" "default stable"
try "default again" 0 '.scopes[0].result == "unchanged"' default --all --json
try "swap --wait, committed" 0 '.result == "committed"' swap ledger_a --probation 300ms --wait --json
try "a gate on an unknown metric" 1 "gate 'luck': no such metric" swap ledger_b --gate 'luck<5'
try "more gates than there may be" 1 'more than 8 gates' swap ledger_b --gate a\<1 --gate a\<1 --gate a\<1 \
	--gate a\<1 --gate a\<1 --gate a\<1 --gate a\<1 --gate a\<1 --gate a\<1
echo 3 >$family/gauge
try "gates that hold" 0 'committed' swap ledger_b --gate 'gauge < 10' --probation 500ms --wait
(sleep 1; echo 30 >$family/gauge) &
try "a gate that breaks" 9 'rolled back: gate gauge<10 broken: it was 30' swap ledger_a --gate 'gauge<10' --wait
is "the older policy is back" "$(policy_of)" ledger_b
(sleep 1; echo 40 >$family/gauge) &
echo 3 >$family/gauge
try "a gate that breaks, in JSON" 9 '.result == "rolled_back" and (.last_swap.reason | contains("gauge<10"))' \
	swap ledger_a --gate 'gauge<10' --wait --json

# A call that does not end by itself.
try "set" 0 'work .* -> 1000000000000$' set ledger_b work=1000000000000
calls=$(awk '$1 == "calls" { print $2 }' $scope/stats)
echo "1 86400000 0" >$family/run &
runner=$!
for ((i = 0; i < 1000; i++)); do
	(($(awk '$1 == "calls" { print $2 }' $scope/stats) < calls + 1)) || break
	sleep 0.1
done
try "a swap that can't finish" 5 'held up by hook (ask|tell) of ledger_b' swap ledger_a --timeout 50ms
try "stats say so" 0 '.families[0].scopes[0].stats.failures >= 1' stats test --json
try "set in JSON" 0 '.set[0].from == 1000000000000 and .set[0].to == 200' set ledger_b work=200 --json
kill $runner
wait $runner 2>/dev/null
try "set out of range" 2 'work: -1 is outside' set ledger_b work=-1
is "the host would refuse it too" "$( { echo -1 >/sys/kernel/tiffin/policies/"$(cat $scope/active)"/tunables/work; } 2>&1 |
	grep -c 'out of range')" 1

# Stores: what a dry run says is what the swap then does, and it changes nothing.
stable()
{
	local i

	for ((i = 0; i < 300; i++)); do
		[ "$(cat $scope/state)" != stable ] || return 0
		sleep 0.1
	done
}

# The sweep has seen all objects.
swept()
{
	local i

	for ((i = 0; i < 300; i++)); do
		! awk '$9 > 0 { exit 1 }' $scope/stores || return 0
		sleep 0.1
	done
}

# All that can be read.
image() { grep -rs . /sys/kernel/tiffin; }

# What the swap to $1 that is on probation has done, beside $2 bytes that were held: memory, stores by
# reference, whether each of them was converted.
done_by()
{
	local id kinds

	id=$(cat $scope/active)
	kinds=$(awk '{ printf "%s%s ", $1, ($8 > 0 ? "+" : "-") }' $scope/stores)
	echo "$(($(cat $family/stores_bytes) - $2))" \
		"$(cat "/sys/kernel/tiffin/policies/$id/counters/adopted" 2>/dev/null || echo 0) $kinds"
}

# The same as the dry run told it.
told()
{
	jq -r '"\(.bytes) \([.stores[] | select(.handover == "reference")] | length) \([.stores[] |
		select(.handover != "dropped") | .kind + if .handover == "convert" then "+" else "-" end + " "] |
		join(""))"' dry
}

# One swap, told and done. Each ledger finds books in its predecessor's layout; nobody's start anew.
told_and_done()
{
	local from=$1 to=$2 before held

	tiffin swap test "$from" >/dev/null
	stable
	# So that there is something to convert.
	[ "$from" = default ] || echo "1 50 0" >$family/run
	before=$(image)
	tiffin swap test "$to" --dry-run --json >dry
	is "dry run $from to $to changes nothing" "$(image)" "$before"
	held=$(cat $family/stores_bytes)
	tiffin swap test "$to" --probation 60s >/dev/null
	swept
	is "dry run $from to $to tells what is done" "$(done_by "$to" "$held")" "$(told)"
	tiffin rollback test >/dev/null
	is "and back" "$(cat $family/stores_bytes) $(policy_of)" "$held $from"
}

limit=$(cat $family/limits/stores_kib)
try "load one with another layout" 0 'loaded ledger_c' load tiffin_test_ledger_c_*.ko
for from in default ledger_a ledger_b ledger_c; do
	for to in default ledger_a ledger_b ledger_c; do
		[ $from = $to ] || told_and_done $from $to
	done
done
tiffin swap test ledger_a >/dev/null
stable
try "dry run for people" 0 '^object +ledger +converted +each record as at the swap ' swap ledger_c --dry-run
tiffin swap ledger_c --dry-run --json >dry
kib=$((($(jq '.bytes + .stores_bytes' dry) + 1023) / 1024))
is "a dry run knows what is held" "$(jq .stores_bytes dry)" "$(cat $family/stores_bytes)"
echo $((kib - 1)) >$family/limits/stores_kib
before=$(image)
try "a dry run beyond the limit" 1 "limits/stores_kib is $((kib - 1))\$|raise it: echo $kib >" swap ledger_c --dry-run
is "it changes nothing" "$(image)" "$before"
try "a swap beyond the limit" 1 "limits/stores_kib is $((kib - 1)): raise it to $kib; nothing has changed" \
	swap ledger_c
is "the older policy goes on" "$(policy_of) $(cat $scope/state)" "ledger_a stable"
is "its errno" "$( { echo ledger_c >$scope/active; } 2>&1 | grep -c 'quota exceeded')" 1
echo $kib >$family/limits/stores_kib
try "a dry run within the limit" 0 'a dry run: nothing has changed' swap ledger_c --dry-run
echo "1 50 0" >$family/run
try "a swap within the limit" 0 'ledger_a-.* -> ledger_c-' swap ledger_c --probation 60s
swept
try "show --stores" 0 '^test +default +ledger_c-[^ ]+ +object +ledger +2 +locked +64 +- +16 ' show --stores
try "show --stores: converted" 0 '.families[] | select(.family == "test") | .scopes[0].stores |
	([.[] | select(.kind == "instance") | .converted] == [1]) and
	([.[] | select(.kind == "object") | .converted] == [16])' show --stores --json

# same WHAT ARGUMENTS...: a dry run ends as the swap does.
same()
{
	local what=$1 dry=0 real=0
	shift

	tiffin swap "$@" --dry-run >/dev/null 2>&1 || dry=$?
	tiffin swap "$@" >/dev/null 2>&1 || real=$?
	is "a dry run ends as the swap: $what" $dry $real
}

same "on probation" test ledger_b
same "on probation, to what is active" test ledger_c
tiffin commit test >/dev/null
stable
same "what is active" test ledger_c
same "no such policy" test nowhere
same "a gate on an unknown metric" test ledger_b --gate 'luck<5'
same "a gate on a counter that it lacks" test default --gate 'calls<5'
same "more gates than there may be" test ledger_b --gate a\<1 --gate a\<1 --gate a\<1 --gate a\<1 \
	--gate a\<1 --gate a\<1 --gate a\<1 --gate a\<1 --gate a\<1
echo 1 >$family/limits/stores_kib
same "no memory for a conversion" test ledger_a
tiffin default test >/dev/null
same "no memory for the first stores" test ledger_a
is "nothing is held without stores" "$(cat $family/stores_bytes)" 0
echo "$limit" >$family/limits/stores_kib
tiffin unload ledger_c >/dev/null
tiffin swap test ledger_b >/dev/null

# Counting.
under_load tiffin stats test --interval 300ms --count 3 --json >lines
is "stats --interval prints a line each" "$(wc -l <lines)" 3
is "calls grow" "$(jq -s '[.[].families[0].scopes[0].stats.calls] | . == sort and .[0] < .[2]' lines)" true
is "each call has one answer" "$(tiffin stats test --json | jq '.families[0].scopes[0].stats |
	.calls == .answered + .stock + .continuity')" true
under_load tiffin stats --interval 300ms --count 2 >lines
is "stats --interval for people" "$(grep -c 'test/default' lines)" 2

# Events.
tiffin watch --json --family test --count 6 >events 2>watching &
watcher=$!
for ((i = 0; i < 100; i++)); do grep -q watching watching && break; sleep 0.1; done
tiffin default test >/dev/null
tiffin unload old >/dev/null
tiffin swap ledger_a --probation 60s >/dev/null
tiffin rollback test >/dev/null
timeout 20 tail --pid=$watcher -f /dev/null
is "watch saw each event" "$(jq -r '"\(.event) \(.to // .policy)"' events | sed 's/-.*//' | paste -sd ,)" \
	"swap default,commit default,unload old,swap ledger_a,rollback ledger_a"
kill $watcher 2>/dev/null
wait $watcher 2>/dev/null

# A policy that faults; the builds of it are such that load would not take them.
tiffin swap ledger_b >/dev/null
insmod faulty.ko
faulty=$(basename /sys/kernel/tiffin/policies/faulty-*)
tiffin set faulty kind=1 one_in=1 >/dev/null
tiffin watch --json --family test >events 2>watching &
watcher=$!
for ((i = 0; i < 100; i++)); do grep -q watching watching && break; sleep 0.1; done
tiffin swap faulty >/dev/null
echo "1 50 0" >$family/run
for ((i = 0; i < 300; i++)); do
	[ "$(policy_of)" = ledger_b ] && grep -q '"to": *"ledger_b' events && break
	sleep 0.1
done
kill $watcher
wait $watcher 2>/dev/null
is "the policy before it is back" "$(policy_of)" ledger_b
is "watch saw it go" "$(jq -r --arg id "$faulty" 'select(.event == "quarantine") | .policy == $id' events)" true
try "show says why" 0 "page fault at faulty_null\+" show faulty
try "show says why, in JSON" 0 '.state == "quarantined" and (.quarantine.faults | length) == 1 and
	(.quarantine.faults[0].what | startswith("page fault at faulty_null+")) and
	(.quarantine.active[0].policy | startswith("ledger_b-"))' show faulty --json
is "sysfs keeps it" "$(grep -c " test $faulty CPU [0-9]*: page fault at faulty_null+" /sys/kernel/tiffin/faults)" 1
is "the kernel is tainted" "$(($(cat /proc/sys/kernel/tainted) >> 7 & 1))" 1
is "and is not asked again" "$(tiffin swap "$faulty" >out 2>&1; echo $? "$(grep -c quarantine out)")" "1 1"
insmod faulty_again.ko
is "its next build loads beside it" "$(find /sys/kernel/tiffin/policies -maxdepth 1 -name "faulty-*" | wc -l)" 2
try "unload what is in quarantine" 0 'unloaded faulty' unload "$faulty"
try "swap to the next build" 0 'ledger_b-.* -> faulty-' swap faulty
try "back" 0 'faulty-.* -> ledger_b-' swap ledger_b
try "unload the next build" 0 'unloaded faulty' unload faulty

# Rights.
try "a user may look" 0 '^test' list
chmod 755 . tiffin
is "a user may not swap" "$(setpriv --reuid=65534 --clear-groups ./tiffin swap test ledger_a >/dev/null 2>&1; echo $?)" 6
is "a user may not load" "$(setpriv --reuid=65534 --clear-groups ./tiffin load tiffin_test_old_*.ko >/dev/null 2>&1; echo $?)" 6
is "a user may not unload" "$(setpriv --reuid=65534 --clear-groups ./tiffin unload ledger_a >/dev/null 2>&1; echo $?)" 6
is "a container's root may not swap" "$(unshare --user --map-root-user tiffin swap test ledger_a >/dev/null 2>&1; echo $?)" 6
is "nor set" "$(unshare --user --map-root-user tiffin set ledger_a work=1 >/dev/null 2>&1; echo $?)" 6
is "and is told by doctor" "$(unshare --user --map-root-user tiffin doctor | grep -c 'not the initial user namespace')" 1

# packet_steering, which the command knows by name.
modprobe tiffin_packet_steering
try "doctor: attached" 0 'ok    owner .*interposed by tiffin' doctor
try "load a policy of it" 0 'loaded stay' load tiffin_stay_*.ko
try "swap finds its family" 0 '.family == "packet_steering"' swap stay --json
try "default: which family" 2 'packet_steering, test' default
try "its settings" 0 '.settings.attached == "1" and .settings.mechanism == "direct"' show packet_steering --json
try "default --all" 0 '[.scopes[].family] == ["packet_steering", "test"]' default --all --json

# Each file is described, and each file described is there.
wanted() { sed -n 's/^What:[[:space:]]*//p' sysfs-kernel-tiffin; }
pattern()
{
	sed -E 's/[.+]/\\&/g; s/<(figure|tunable|counter|id|scope|family)>/[^\/]+/g; s/^/^/; s/$/$/'
}
wanted | pattern >patterns
(cd / && find /sys/kernel/tiffin -type f) >files
# Of the test-only family: what makes it ask.
undescribed=$(grep -Ev '/test/(run|result|gauge)$' files | grep -Evf patterns)
is "each file in sysfs is described" "$undescribed" ""
find /sys/kernel/tiffin >all
absent=$(while read -r what; do pattern <<<"$what" >one; grep -qEf one all || echo "$what"; done < <(wanted))
is "each file described is in sysfs" "$absent" ""

# Out.
try "unload" 0 'unloaded stay' unload stay
try "unload in JSON" 0 '.unloaded.name == "ledger_a"' unload ledger_a --json
try "unload what is gone" 3 "no policy 'ledger_a'" unload ledger_a
try "unload the last" 0 'unloaded ledger_b' unload ledger_b
is "the modules go" "$(rmmod tiffin_packet_steering tiffin_test_family tiffin 2>&1)" ""
try "list in the end" 7 'not loaded' list
echo "1..$tests"
ktap_finished 2>/dev/null
