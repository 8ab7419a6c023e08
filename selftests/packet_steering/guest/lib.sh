# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2034,SC2119 # optional arguments, loop counters, A && B || give_up
#
# What the cases share, in the guest.

cd "$(dirname "${BASH_SOURCE[0]}")" || exit
# shellcheck source=selftests/lib/tap.sh
. ./tap.sh
# shellcheck source=selftests/lib/overlay.sh
. ./overlay.sh

family=/sys/kernel/tiffin/packet_steering
# shellcheck disable=SC2034 # used by the cases
scope=$family/scopes/default
tracing=/sys/kernel/tracing

modprobe -a veth vxlan bridge || exit
mount -t tracefs tracefs $tracing 2>/dev/null

# give_up WHY: the case can't go on.
give_up()
{
	echo "Bail out! $*"
	exit 1
}

# load [PARAMETER...]: the host; a virtual CPU may stand still for long where CPUs are emulated, and a
# packet that it has is late, not lost; nor does a call that it is in never end.
load()
{
	insmod ./tiffin.ko && insmod ./tiffin_packet_steering.ko "$@" && echo 2000 >$family/expiry_ms &&
		echo 1000000 >$family/limits/budget_us ||
		give_up "the host does not load: $(dmesg | tail -n 1)"
}

# patient [MS]: from here on a packet may be so late; a virtual CPU may stand still for seconds, and what it
# has is late, not lost. Not from the beginning: who attaches waits for as long.
patient() { echo "${1:-5000}" >$family/expiry_ms; }

unload()
{
	local module

	echo default >$scope/active 2>/dev/null
	for module in $(lsmod | sed -n 's/^\(tiffin_[a-z_]*_[0-9a-f]\{8\}\) .*/\1/p'); do
		rmmod "$module"
	done
	rmmod tiffin_packet_steering && rmmod tiffin
}

policy() { insmod "./$1.ko"; }
activate() { echo "$1" >$scope/active; }
figure() { cat "$family/figures/$1"; }
tunable() { echo "$3" >/sys/kernel/tiffin/policies/"$1"-*/tunables/"$2"; }

# since COMMAND...: run it; then `grown FIGURE` says by how much each figure has grown. Where it fails
# that is shown of those that tell why packets may have been overtaken. In files: a check has a shell
# of its own.
since()
{
	local name rc=0

	mkdir -p /tmp/figures && cp "$family"/figures/* /tmp/figures/ || return
	"$@" || rc=$?
	[ $rc = 0 ] || for name in expired deferred moved; do
		printf '"%s":%s ' $name "$(grown $name)"
	done
	return $rc
}
grown() { echo $(($(figure "$1") - $(</tmp/figures/"$1"))); }

# Packets placed so far at a stage: lines "CPU PACKETS".
placed() { awk -v stage="$1" '$2 == stage { print $1, $3 }' $family/counters_per_cpu; }

# hooked: is the kernel's function hooked by anybody?
hooked() { grep -q '^get_rps_cpu ' $tracing/enabled_functions; }

# eventually COMMAND...: wait until it succeeds; three minutes are forever, on a busy machine, too
eventually()
{
	local end=$((SECONDS + 180))

	while [ $SECONDS -lt $end ]; do
		! "$@" || return 0
		sleep 0.2
	done
	echo "this never came true: $*"
	return 1
}

# through PACKETS [CONTAINER]: wait until so many more have come to B1, or to that container.
through()
{
	local where=${2:-B1} file=/sys/class/net/eth0/statistics/rx_packets begin

	begin=$(overlay_in "$where" cat $file) || return
	eventually came "$where" $((begin + $1))
}
came() { [ "$(overlay_in "$1" cat /sys/class/net/eth0/statistics/rx_packets)" -ge "$2" ]; }

# steered PACKETS: wait until the policy has placed so many more.
steered() { eventually has steered $(($(figure steered) + $1)); }
has() { [ "$(figure "$1")" -ge "$2" ]; }

receive()
{
	local where=${1:-B1}

	overlay_in "$where" ./ident recv -g 5000 >"/tmp/receiver-$where" &
	eventually grep -q listening "/tmp/receiver-$where"
}

# send MODE ADDRESS SECONDS [OPTION...]: traffic from A1; shows what did not arrive as it was sent.
# From one CPU: the stock kernel reorders what a sender that changes its CPU sends.
send()
{
	local mode=$1 address=$2 seconds=$3 report rc=0
	shift 3

	report=$(overlay_in A1 taskset -c 0 ./ident "$mode" -t "$seconds" "$@" "$address") || rc=$?
	grep -Eo '"(clean|sent|received|lost|duplicated|reordered|corrupted)":[a-z0-9]+' <<<"$report" |
		head -n 7 | tr '\n' ' '
	return $rc
}

# busy COMMAND...: traffic while the command runs; both have to end well.
busy()
{
	local rc=0 sender

	overlay_in A1 taskset -c 0 ./ident udp -f 4 -r 2000 "$(overlay_addr B1 4)" >/tmp/report &
	sender=$!
	through 200 || rc=1
	"$@" || rc=1
	through 200 || rc=1
	pkill -INT -f '^./ident udp'
	wait $sender || rc=1
	grep -Eo '"(clean|sent|received|lost|duplicated|reordered|corrupted)":[a-z0-9]+' /tmp/report |
		head -n 7 | tr '\n' ' '
	return $rc
}

# Memory of the kernel's own that is not just kept for later, in KiB.
kernel_memory()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^(SUnreclaim|VmallocUsed|Percpu|KernelStack):/ { sum += $2 } END { print sum }' /proc/meminfo
}

# more A B: A is greater than B
more() { [ "$1" -gt "$2" ] || { echo "$1, more than $2 was expected"; return 1; }; }
same() { [ "$1" = "$2" ] || { echo "'$1', '$2' was expected"; return 1; }; }
not() { ! "$@"; }
