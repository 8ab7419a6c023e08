#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2034,SC2119 # optional arguments, loop counters, A && B || give_up
# Policies that fault all the time, in every way, under the traffic of the demonstration, with swaps
# going on. Argument: how many faults. Nothing may be lost and no request fail, as in the control run
# without a fault; the machine lives, and nothing is left behind. Some faults have all their
# consequences: quarantine, the policy before comes back, the module goes and comes again. The others end
# the call alone (selftests/modules/test_forgive.c).

# shellcheck source=selftests/packet_steering/guest/lib.sh
. "$(dirname "$0")/lib.sh"

wanted=${1:-1000}
[[ $wanted =~ ^[1-9][0-9]*$ ]] || give_up "'$wanted' is no number of faults"
# The traffic: packets or bytes a second, connections; how often a policy is to be loaded anew; and how
# many seconds the control run takes.
udp4=800 udp6=400 tcp=400000 bulk=4M http=2 loads=50 control=5
# The debug kernel takes many times as long for a packet, and seconds until a module is gone. What is
# looked at is the same.
case $(uname -r) in
*-tiffin-debug-*) udp4=80 udp6=40 tcp=40000 bulk=400K http=1 loads=20 control=30 ;;
esac
# One fault in so many has its consequences; one call in so many faults.
keep=$((wanted / loads < 20 ? 20 : wanted / loads > 500 ? 500 : wanted / loads))
one_in=2
policies=/sys/kernel/tiffin/policies
forgive=/sys/module/tiffin_test_forgive/parameters

# A fork takes the guest long: what is done often is done by the shell itself.
exec {never}<> <(:)
nap() { read -rt "$1" -u "$never"; }
value() { value=; read -r value <"$1"; } 2>/dev/null
stat() { awk -v key="$1" '$1 == key { print $2 }' $scope/stats; }
tell() { value $forgive/"$1"; echo "$value"; }

# in_charge POLICY: a swap; it may come while the rescue is at work.
in_charge() { echo "$1" >$scope/active && swaps=$((swaps + 1)); } 2>/dev/null

# Two builds of the policy that faults take turns: while one works, the other, which was in quarantine,
# is loaded anew.
files=(faulty_ps.ko faulty_ps_again.ko) ids=() modules=()
# insert NUMBER
insert()
{
	insmod "${files[$1]}" || return
	# The second is the one that was not there before.
	[ -n "${ids[$1]-}" ] || {
		ids[$1]=$(cd $policies && printf '%s\n' faulty_ps-* | grep -vxF "${ids[0]:-none}")
		modules[$1]=$(<"$policies/${ids[$1]}/module")
	}
	echo "$mixed" >"$policies/${ids[$1]}/tunables/kind" &&
		echo "$one_in" >"$policies/${ids[$1]}/tunables/one_in"
}

# reload NUMBER: once it is in quarantine; it can go as soon as the rescue has let go of it.
reload()
{
	local tries

	for ((tries = 0; tries < 1000; tries++)); do
		! rmmod "${modules[$1]}" 2>/dev/null || break
		nap 0.05
	done
	insert "$1"
}

# One turn: falcon, hash, and then the policy that faults; if it is in quarantine by then, the other's turn.
turn=0 quarantined=0 swaps=0 failed=0 loader=
turn()
{
	in_charge falcon
	nap 0.02
	in_charge hash
	nap 0.02
	in_charge "${ids[turn]}"
	nap 0.15
	value "$policies/${ids[turn]}/state"
	[ "$value" = quarantined ] || return
	quarantined=$((quarantined + 1))
	loaded
	reload $turn &
	loader=$!
	turn=$((1 - turn))
}

# Both builds are loaded.
loaded()
{
	[ -z "$loader" ] || wait $loader || failed=$((failed + 1))
	loader=
}

# What runs in the background has to be the program itself, to be told when to end. A sender keeps its
# CPU: the stock kernel's veth reorders a flow whose sender moves.
in_a=(ip netns exec "$(overlay_ns A1)")
in_b=(ip netns exec "$(overlay_ns B1)")
start_servers()
{
	local port

	mkdir -p /run/demo-www
	head -c 2000 /dev/urandom | base64 -w 72 >/run/demo-www/page
	for port in 7410 7411 7412; do
		"${in_b[@]}" ./ident recv -p $port -g 5000 >/dev/null &
		servers+=($!)
	done
	"${in_b[@]}" iperf3 -s -p 5201 >/dev/null &
	servers+=($!)
	# A file that grows would look like memory that is lost.
	sed 's/access_log .*/access_log off;/' nginx.conf >/run/nginx.conf
	"${in_b[@]}" nginx -c /run/nginx.conf &
	servers+=($!)
	for port in 7410 7411 7412 5201 80; do
		eventually listens $port || give_up "nothing listens on port $port"
	done
}
listens() { "${in_b[@]}" ss -Hltn "sport = :$1" | grep -q .; }

# All programs of the traffic are at work. Before that they have the shell's child's way with SIGINT:
# it is ignored.
start_traffic()
{
	local addr4 addr6 pid

	addr4=$(overlay_addr B1 4) addr6=$(overlay_addr B1 6)
	traffic=()
	"${in_a[@]}" taskset -c 0 ./ident udp -p 7410 -f 4 -r $udp4 -s 512 "$addr4" >/tmp/udp4 &
	traffic+=($!)
	"${in_a[@]}" taskset -c 1 ./ident udp -p 7411 -f 2 -r $udp6 -s 512 "$addr6" >/tmp/udp6 &
	traffic+=($!)
	"${in_a[@]}" taskset -c 2 ./ident tcp -p 7412 -f 2 -r $tcp "$addr4" >/tmp/tcp &
	traffic+=($!)
	"${in_a[@]}" taskset -c 3 iperf3 -c "$addr4" -p 5201 -t 36000 -w 128K -b $bulk -J >/tmp/iperf3 &
	traffic+=($!)
	"${in_a[@]}" taskset -c 2 wrk -t 1 -c $http -d 36000 --timeout 60s -s wrk.lua \
		"http://$addr4/page" >/tmp/http &
	traffic+=($!)
	for pid in "${traffic[@]}"; do
		eventually ends_when_told "$pid" || give_up "no traffic: $(tr '\0' ' ' <"/proc/$pid/cmdline")"
	done
}
# SIGINT, the second signal, is among those that the program handles.
ends_when_told() { ((0x$(awk '$1 == "SigCgt:" { print $2 }' "/proc/$1/status") & 2)); }

stop_traffic()
{
	local pid

	for pid in "${traffic[@]}"; do kill -INT "$pid"; done
	for pid in "${traffic[@]}"; do wait "$pid"; done
}

# came udp4|udp6|tcp|iperf3|http: what the program says is that all did
came_all()
{
	case $1 in
	# It says so when it is told to end, and does not ask its server then.
	iperf3)
		jq -e '.end.sum_sent.bytes > 0 and (.error // "" | test("^(interrupt.*)?$"))' /tmp/iperf3
		;;
	http)
		tail -n 1 /tmp/http | jq -e \
			'.requests > 0 and .connect + .read + .write + .status + .timeout == 0'
		;;
	*) jq -e '.clean and .received > 0' "/tmp/$1" ;;
	esac
}

# check_traffic WHEN
check_traffic()
{
	tap_note "$1, $SECONDS s after the start:"
	tap_note "$1: http $(tail -n 1 /tmp/http)"
	tap_note "$1: iperf3 $(jq -c '[.end.sum_sent.bytes, .end.sum_received.bytes, .error]' /tmp/iperf3)"
	tap_note "$1: $(jq -c '[.sent, .received, .lost, .duplicated, .reordered, .furthest, .corrupted]' \
		/tmp/udp4 /tmp/udp6 /tmp/tcp | tr '\n' ' ')"
	tap_check "$1: IPv4 packets: all came, once and in order" came_all udp4
	tap_check "$1: IPv6 packets: all came, once and in order" came_all udp6
	tap_check "$1: streams: each byte came" came_all tcp
	tap_check "$1: a bulk stream came through" came_all iperf3
	tap_check "$1: no request failed" came_all http
}

# Where kmemleak is built in KASAN is, too, which keeps memory for later.
no_leak()
{
	local leaks=/sys/kernel/debug/kmemleak

	mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
	if [ ! -e $leaks ]; then
		more 2048 $((after - before))
		return
	fi
	# What was freed just now may still be in a register, or wait for RCU.
	sleep 6
	echo scan >$leaks
	echo scan >$leaks
	! grep -A 30 'unreferenced object' $leaks
}

# How often each kind came, by what the host has called it; kinds is that of selftests/guard. Some that
# it calls the same count for each of them: keeps_*, and loops that were ended in a service.
declare -A came
unknown=
count_kinds()
{
	local name what text pattern
	local -a names
	local -A known

	mapfile -t names <$forgive/names
	while read -r name _ what; do
		case $name in
		# A policy of its own; and what faulty.h does not mix.
		'#'* | tail | overflow) continue ;;
		# Where the tick found it: also in what the service calls, on the debug kernel in KASAN.
		loop_service*) what="no end within the budget at (faulty_$name|tiffin_.*|__asan_.*)\\+.*" ;;
		esac
		pattern="^($what)\$"
		came[$name]=0
		for text in "${names[@]}"; do
			[[ ${text#* } =~ $pattern ]] || continue
			came[$name]=$((came[$name] + ${text%% *}))
			known[${text#* }]=yes
		done
	done <kinds
	for text in "${names[@]}"; do
		[ -n "${known[${text#* }]-}" ] || unknown+=${unknown:+, }$text
	done
}

# Kinds that did not come.
missing()
{
	local name

	for name in "${!came[@]}"; do
		# One fault in 128 is one of the five loops.
		[[ $name != loop* || $wanted -ge 10000 ]] || continue
		[ "${came[$name]}" -gt 0 ] || echo "$name"
	done
}

# What the kernel says when it has found something wrong, besides what tools/vm/run looks for.
wrong_re='rcu:|RCU|stall|lockup|starved|blocked for more|hung|BUG|Oops|WARNING|INFO:|unable to handle'
wrong_re+='|general protection|Call Trace|scheduling while|refcount_t|possible .* lock'
# How long something took says nothing where CPUs are emulated.
quiet() { ! grep -v 'tiffin: \|NMI handler .* took too long' /tmp/kernel.log | grep -E "$wrong_re"; }
told() { grep -c 'tiffin: policy faulty_ps-[^ ]* of family packet_steering is in quarantine' /tmp/kernel.log; }

tap_begin
dmesg --clear
dmesg --follow >/tmp/kernel.log &
load
policy hash
policy falcon
insmod faulty_ps.ko
mixed=$(awk '$1 == "kind" { print $3 }' $policies/faulty_ps-*/tunables_info)
rmmod "$(cat $policies/faulty_ps-*/module)"
insert 0 && insert 1 || give_up "the policies that fault do not load"
# Calls that do not end are ended soon; what all the others take of a CPU is not the point here.
echo 10000 >$family/limits/budget_us
echo 100 >$family/limits/cpu_percent
echo 120000 >$family/limits/timeout_ms
echo 5000 >$family/expiry_ms
insmod tiffin_test_forgive.ko keep=$keep || give_up "no probe on tiffin_quarantine()"
overlay_up || give_up "no overlay network"
servers=()
start_servers
tap_note "network and servers, $SECONDS s after the start"
activate hash
patient 10000
start_traffic
sleep $control
stop_traffic
check_traffic "control run"

# What is set up once is there before memory is looked at.
start_traffic
while (($(tell kept) < 2)); do turn; done
loaded
in_charge hash
before=$(kernel_memory)
begin=$SECONDS begun=$(tell faults)
while tell faults >/dev/null; ((value < wanted)) && ((SECONDS - begin < 3000)); do turn; done
loaded
in_charge hash
seconds=$((SECONDS - begin))
after=$(kernel_memory)
sleep 0.5
stop_traffic
faults=$(tell faults) kept=$(tell kept)

count_kinds
tap_note "$((faults - begun)) faults in $seconds s; of all $faults $kept had their consequences," \
	"$quarantined times in quarantine, $swaps swaps"
tap_note "$(for name in "${!came[@]}"; do echo "$name ${came[$name]}"; done | sort | paste -sd ' ')"
tap_note "the host: $(paste -sd ';' $forgive/names)"
tap_note "$(tr '\n' ' ' <$scope/stats)"
tap_note "flows: $(cd $family/figures && grep . deferred expired moved | tr '\n' ' ')"
tap_note "memory of the kernel's own: $before KiB, then $after KiB"
check_traffic "with faults"
tap_check "as many faults as asked for" more "$faults" $((wanted - 1))
tap_check "faults of every kind" same "$(missing | paste -sd ' ')" ""
tap_check "no fault was anything else" same "$unknown" ""
tap_check "with all their consequences, too" more "$quarantined" $((wanted / keep / 2))
tap_check "each of those is in the log" same "$(told)" "$kept"
tap_check "the policies came back each time" same $failed 0
tap_check "swaps went on" more "$swaps" "$quarantined"
tap_check "each call got one answer" \
	same $(($(stat answered) + $(stat stock) + $(stat continuity))) "$(stat calls)"
tap_check "those that were ended were answered by continuity" \
	more "$(stat continuity_fault)" $((faults - 1))
tap_check "no call ran over a flip" same "$(stat overlapped)" 0
tap_check "hash is active" same "$(sed 's/-.*//' $scope/active)" hash
tap_check "the kernel is tainted by faults, and by nothing worse" \
	same $(($(cat /proc/sys/kernel/tainted) & ~(1 << 7 | 1 << 12 | 1 << 13))) 0
kill "${servers[@]}"
rmmod tiffin_test_forgive
overlay_down
tap_check "everything unloads" unload
tap_check "no store is left" test ! -e $family
tap_check "no memory is lost" no_leak
tap_check "RCU and all else of the kernel is quiet" quiet
tap_end
