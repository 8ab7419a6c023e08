# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two hosts joined by a VXLAN overlay network, with containers, all of them network namespaces of
# one machine. To be sourced by bash scripts that run as root (in a VM).
#
#	container A1 -- veth -- bridge - vxlan - host A == wire == host B - vxlan - bridge -- veth -- B1
#
# A packet from A1 to B1 passes four receive stages: host A's end of its container's veth pair, host
# B's end of the wire, host B's VXLAN device, container B1.
#
#	overlay_up [veth|nic] [4|6]   build it; the wire is a veth pair (default) or the machine's first
#	                              two network cards, which something outside has to connect; the
#	                              hosts talk IPv4 (default) or IPv6 to each other
#	overlay_container A 2         another container, A2
#	overlay_remove A 2            and away with it, whatever runs in it
#	overlay_in A1 COMMAND...      run in container A1, or on host A: overlay_in A COMMAND...
#	overlay_addr A1 [4|6]         print the container's address in the overlay
#	overlay_down                  remove everything
#
# Containers have IPv4 and IPv6 addresses. A function that fails says why and returns non-zero.

OVERLAY_PREFIX=ov

overlay_ns()
{
	echo "$OVERLAY_PREFIX$1"
}

overlay_in()
{
	local where=$1
	shift

	ip netns exec "$(overlay_ns "$where")" "$@"
}

# overlay_ip WHERE ARGS...: ip(8) there.
overlay_ip()
{
	local where=$1
	shift

	ip -n "$(overlay_ns "$where")" "$@"
}

# The number of a host, and of a container among all (A1 1, B1 2, A2 3, ...).
overlay_number()
{
	case $1 in
	A) echo 1 ;;
	B) echo 2 ;;
	A*) echo $((2 * ${1#A} - 1)) ;;
	B*) echo $((2 * ${1#B})) ;;
	*)
		echo "overlay: '$1' is no host (A, B) and no container (A1, B1, ...)" >&2
		return 1
		;;
	esac
}

overlay_addr()
{
	local nr

	nr=$(overlay_number "$1") || return
	case ${2:-4} in
	4) echo "10.77.$((nr / 250)).$((nr % 250 + 1))" ;;
	6) printf 'fd77::%x\n' "$nr" ;;
	esac
}

# overlay_wire_addr HOST FAMILY: a host's address on the wire.
overlay_wire_addr()
{
	case $2 in
	4) echo "10.78.0.$(overlay_number "$1")" ;;
	6) echo "fd78::$(overlay_number "$1")" ;;
	esac
}

overlay_netns()
{
	ip netns add "$(overlay_ns "$1")" || return
	# Addresses are there at once, and only those given.
	overlay_in "$1" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.default.addr_gen_mode=1 || return
	overlay_ip "$1" link set lo up
}

# overlay_remembers WHERE DEVICE: a neighbour, once found, is known for days. One that does not answer for
# half a minute, as no flow of UDP does, is looked for anew; packets wait for that, and the stock kernel
# lets later ones overtake them where the answer comes to another CPU than theirs.
overlay_remembers()
{
	overlay_in "$1" sysctl -qw "net.ipv4.neigh.$2.base_reachable_time_ms=1000000000" \
		"net.ipv6.neigh.$2.base_reachable_time_ms=1000000000"
}

# overlay_container HOST NUMBER
overlay_container()
{
	local host=$1 name=$1$2

	overlay_netns "$name" &&
		overlay_ip "$host" link add "veth$2" type veth peer name eth0 \
			netns "$(overlay_ns "$name")" &&
		overlay_ip "$host" link set "veth$2" master br0 up &&
		overlay_ip "$name" addr add "$(overlay_addr "$name" 4)/16" dev eth0 &&
		overlay_ip "$name" addr add "$(overlay_addr "$name" 6)/64" dev eth0 &&
		overlay_remembers "$name" eth0 &&
		overlay_ip "$name" link set eth0 mtu "$OVERLAY_MTU" up
}

# overlay_remove HOST NUMBER
overlay_remove()
{
	local ns pids

	ns=$(overlay_ns "$1$2")
	pids=$(ip netns pids "$ns")
	# shellcheck disable=SC2086 # one word a process
	[ -z "$pids" ] || kill -KILL $pids 2>/dev/null
	ip netns delete "$ns"
}

overlay_host()
{
	local host=$1 peer=$2 family=$3 len=24

	[ "$family" = 4 ] || len=64
	overlay_ip "$host" addr add "$(overlay_wire_addr "$host" "$family")/$len" dev wire &&
		overlay_remembers "$host" wire &&
		overlay_ip "$host" link set wire mtu $((OVERLAY_MTU + 100)) up &&
		overlay_ip "$host" link add vxlan0 type vxlan id 77 dstport 4789 dev wire \
			local "$(overlay_wire_addr "$host" "$family")" \
			remote "$(overlay_wire_addr "$peer" "$family")" &&
		overlay_ip "$host" link add br0 type bridge &&
		overlay_ip "$host" link set vxlan0 mtu "$OVERLAY_MTU" master br0 up &&
		overlay_ip "$host" link set br0 mtu "$OVERLAY_MTU" up &&
		overlay_container "$host" 1
}

# The first two network cards become the hosts' ends of the wire.
overlay_cards()
{
	local host card cards=()

	for card in /sys/class/net/*/device; do
		[ -e "$card" ] || continue
		card=${card%/device}
		cards+=("${card##*/}")
	done
	if [ ${#cards[@]} -lt 2 ]; then
		echo "overlay: two network cards are needed for the wire, there are ${#cards[@]}" >&2
		return 1
	fi
	for host in A B; do
		ip link set "${cards[0]}" down netns "$(overlay_ns $host)" &&
			overlay_ip $host link set "${cards[0]}" name wire || return
		cards=("${cards[@]:1}")
	done
}

overlay_up()
{
	local wire=${1:-veth} family=${2:-4} tries

	OVERLAY_MTU=${OVERLAY_MTU:-1400}
	overlay_netns A && overlay_netns B || return
	case $wire in
	veth)
		ip link add wire netns "$(overlay_ns A)" type veth peer name wire \
			netns "$(overlay_ns B)" || return
		;;
	nic) overlay_cards || return ;;
	*)
		echo "overlay: a wire is veth or nic, not '$wire'" >&2
		return 1
		;;
	esac
	overlay_host A B "$family" && overlay_host B A "$family" || return
	for tries in {1..50}; do
		overlay_in A1 ping -q -c 1 -W 1 "$(overlay_addr B1 4)" >/dev/null 2>&1 &&
			overlay_in A1 ping -q -c 1 -W 1 "$(overlay_addr B1 6)" >/dev/null 2>&1 && return
	done
	echo "overlay: no packet came from A1 to B1 in $tries tries" >&2
	return 1
}

overlay_down()
{
	local ns

	for ns in $(ip netns list | sed -n "s/^\(${OVERLAY_PREFIX}[AB][0-9]\+\)\( .*\)\?$/\1/p"); do
		ns=${ns#"$OVERLAY_PREFIX"}
		overlay_remove "${ns:0:1}" "${ns:1}"
	done
	for ns in A B; do
		ip netns delete "$(overlay_ns $ns)"
	done
}
