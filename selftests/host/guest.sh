#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest: the README's way in and out, on a machine that has never seen tiffin.

cd "$(dirname "$0")" || exit
# shellcheck source=selftests/lib/tap.sh
. ./tap.sh
release=$(uname -r)
updates=/lib/modules/$release/updates/tiffin
scope=/sys/kernel/tiffin/packet_steering/scopes/default
hooked=/sys/kernel/tracing/enabled_functions

# All files that an installation could touch, with what is in them.
machine()
{
	find /usr/local /etc "/lib/modules/$release/" -xdev -type f -exec md5sum {} + | sort
}

# says PATTERN COMMAND...: fails, and says why
says()
{
	local pattern=$1 output

	shift
	! output=$("$@" 2>&1) || { echo "it did not fail: $output"; return 1; }
	grep -Eq -- "$pattern" <<<"$output" || { echo "$output"; return 1; }
}

equal()
{
	[ "$1" = "$2" ] || { diff <(echo "$1") <(echo "$2"); return 1; }
}

# as_before: it is the machine that it was
as_before()
{
	machine | diff before -
}

# Traffic through a veth pair, so that the hook has something to do.
traffic()
{
	ip netns exec peer ping -q -i 0.01 -c "$1" 192.0.2.1
}

# The runner's modules can't be written to.
modprobe overlay && mkdir -p /run/modules && mount -t tmpfs tmpfs /run/modules &&
	mkdir /run/modules/{upper,work} && mount -t overlay overlay "/lib/modules/$release" -o \
	"lowerdir=/lib/modules/$release,upperdir=/run/modules/upper,workdir=/run/modules/work" || exit

tap_begin
# Indices of modules are made anew by depmod: what counts is that they say the same.
depmod "$release"
machine >before
tap_check "usage" says 'usage: .*install\|uninstall' tools/host/install
tap_check "install" tools/host/install install
tap_check "nothing is loaded by it" test ! -d /sys/kernel/tiffin
tap_check "install again" tools/host/install install
hash -r
tap_check "the command is in the path" tiffin version
tap_check "doctor finds nothing that stops it" tiffin doctor
tap_check "the family's module brings the core" modprobe tiffin_packet_steering
tap_check "the stock kernel decides" equal "$(sed 's/-.*//' $scope/active)" default
for policy in "$updates"/tiffin_falcon_*.ko "$updates"/tiffin_hash_*.ko; do
	tap_check "load $(basename "$policy" .ko | cut -d_ -f2)" tiffin load "$policy"
done

ip netns add peer
ip link add veth0 type veth peer name veth1 netns peer
ip address add 192.0.2.1/24 dev veth0
ip link set veth0 up
ip -n peer address add 192.0.2.2/24 dev veth1
ip -n peer link set veth1 up
traffic 2000 >ping &
runner=$!
tap_check "swap" tiffin swap falcon
tap_check "swap on probation" tiffin swap hash --probation 1s --gate 'bad_answers<1' --wait
tap_check "hash is active" equal "$(sed 's/-.*//' $scope/active)" hash
wait $runner
tap_check "no packet was lost" grep -q ' 0% packet loss' ping
figures=/sys/kernel/tiffin/packet_steering/figures
# By an answer, or by one that is repeated.
tap_check "packets were steered" test $(($(<$figures/steered) + $(<$figures/repeated))) -gt 1000
tap_check "the kernel's function is hooked" grep -q get_rps_cpu $hooked
tap_check "no uninstallation while it is loaded" says 'tiffin is loaded: .*default --all' \
	tools/host/install uninstall

tap_check "all to the default" tiffin default --all
tap_check "the default is active" equal "$(sed 's/-.*//' $scope/active)" default
tap_check "detach" sh -c 'echo 0 >/sys/kernel/tiffin/packet_steering/attached'
tap_check "the function is the kernel's own" sh -c "! grep -q get_rps_cpu $hooked"
tap_check "packets pass" traffic 100
tap_check "unload falcon" tiffin unload falcon
tap_check "unload hash" tiffin unload hash
tap_check "the host goes" modprobe -r tiffin_packet_steering
tap_check "so does the core" sh -c 'modprobe -r tiffin; ! grep tiffin /proc/modules'
tap_check "uninstall" tools/host/install uninstall
tap_check "every file is what it was" as_before
tap_check "uninstall where nothing is installed" tools/host/install uninstall
mv ".build/$release/tiffin.ko" aside
tap_check "what to do where nothing is built" says 'make' tools/host/install install
tap_check "and nothing was installed" as_before
tap_end
