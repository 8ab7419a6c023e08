#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2034,SC2119 # optional arguments, loop counters, A && B || give_up
# A policy that faults all the time, in every way, under live traffic, with swaps going on. Argument:
# how many faults. Nothing may be lost, as in the control run without a fault; the machine lives. One
# fault in fifty has all its consequences: quarantine, the policy before comes back, the module goes and
# comes again. The others end the call alone (selftests/modules/test_forgive.c).

# shellcheck source=selftests/packet_steering/guest/lib.sh
. "$(dirname "$0")/lib.sh"

wanted=${1:-1000}
[[ $wanted =~ ^[1-9][0-9]*$ ]] || give_up "'$wanted' is no number of faults"
faults() { cat /sys/module/tiffin_test_forgive/parameters/faults; }
stat() { awk -v key="$1" '$1 == key { print $2 }' $scope/stats; }
state_of() { cat /sys/kernel/tiffin/policies/"$1"-*/state 2>/dev/null; }

# The faulty one is loaded and active, whatever it was; hash comes in between.
again()
{
	if [ "$(state_of faulty_ps)" = quarantined ]; then
		# Another policy is active by then: without that it could not go.
		rmmod "$(cat /sys/kernel/tiffin/policies/faulty_ps-*/module)" 2>/dev/null || return
		insmod faulty_ps.ko || failed=$((failed + 1))
		quarantined=$((quarantined + 1))
		tunable faulty_ps kind "$mixed"
		tunable faulty_ps one_in 40
	fi
	echo hash >$scope/active && swaps=$((swaps + 1))
	sleep 0.05
	echo faulty_ps >$scope/active && swaps=$((swaps + 1))
	sleep 0.3
}

tap_begin
load
policy hash
policy faulty_ps
mixed=$(awk '$1 == "kind" { print $3 }' /sys/kernel/tiffin/policies/faulty_ps-*/tunables_info)
echo 10000 >$family/limits/budget_us
insmod tiffin_test_forgive.ko keep=50 || give_up "no probe on tiffin_quarantine()"
echo 120000 >$family/limits/timeout_ms
overlay_up || give_up "no overlay network"
receive
overlay_in B1 ./ident recv -p 7401 -g 5000 >/tmp/receiver-tcp &
eventually grep -q listening /tmp/receiver-tcp
activate hash
tap_check "control run: all packets come" send udp "$(overlay_addr B1 4)" 4 -f 4 -r 2000

tunable faulty_ps kind "$mixed"
tunable faulty_ps one_in 40
quarantined=0 swaps=0 failed=0
overlay_in A1 taskset -c 0 ./ident udp -f 4 -r 2000 "$(overlay_addr B1 4)" >/tmp/report &
udp=$!
overlay_in A1 taskset -c 0 ./ident tcp -p 7401 -f 4 -r 400000 "$(overlay_addr B1 4)" >/tmp/report.tcp &
tcp=$!
begin=$SECONDS
while (($(faults) < wanted)) && ((SECONDS - begin < 3000)); do again 2>/dev/null; done
seconds=$((SECONDS - begin))
echo hash >$scope/active 2>/dev/null
pkill -INT -f '^./ident (udp|tcp)'
udp_well=0 tcp_well=0
wait $udp || udp_well=$?
wait $tcp || tcp_well=$?
sleep 0.5

tap_note "$(faults) faults in $seconds s, $quarantined times in quarantine, $swaps swaps"
tap_note "$(grep -Eo '"sent".*"flows"' /tmp/report)"
tap_note "$(tr '\n' ' ' <$scope/stats)"
tap_note "$(tail -n 3 /sys/kernel/tiffin/faults)"
tap_check "as many faults as asked for" more "$(faults)" $((wanted - 1))
tap_check "with all their consequences, too" more "$quarantined" $((wanted / 200))
tap_check "packets: all came, once and in order" same $udp_well 0
tap_check "streams: each byte came" same $tcp_well 0
tap_check "each call got one answer" \
	same $(($(stat answered) + $(stat stock) + $(stat continuity))) "$(stat calls)"
tap_check "those that were ended were answered by continuity" \
	more "$(stat continuity_fault)" $((wanted - 1))
tap_check "no call ran over a flip" same "$(stat overlapped)" 0
tap_check "hash is active" same "$(sed 's/-.*//' $scope/active)" hash
tap_check "the kernel is tainted by faults, and by nothing worse" \
	same $(($(cat /proc/sys/kernel/tainted) & ~(1 << 7 | 1 << 12 | 1 << 13))) 0
tap_check "packets still pass" send udp "$(overlay_addr B1 4)" 2 -f 4 -r 2000
rmmod tiffin_test_forgive
overlay_down
tap_check "everything unloads" unload
tap_check "no store is left" test ! -e $family
tap_end
