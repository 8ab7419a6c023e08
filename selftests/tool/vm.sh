#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Every command against the real modules on a stock kernel: runs guest.sh in a VM, judges its KTAP.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=tools/lib/common.sh
. "$root/tools/lib/common.sh"
# shellcheck source=tools/lib/linux-source.sh
. "$root/tools/lib/linux-source.sh"

usage()
{
	echo "usage: selftests/tool/vm.sh KERNEL	KERNEL: 6.12, 6.1 or a release"
}

if [ $# != 1 ] || [[ $1 == -* ]]; then
	usage
	exit 2
fi

"$root/tools/host/build" "$1" >/dev/null
release=$(kernel_resolve "$1")
modules=$("$root/selftests/modules/build" --kernel "$1" 2>"$root/.build/$release/selftests.log") || {
	cat "$root/.build/$release/selftests.log" >&2
	exit 1
}
"$root/tools/deps" build
make_in "$root/tools/tiffin" "$root/.build/tiffin"
work=$root/.build/tool/vm/$release
rm -rf "$work"
mkdir -p "$work/tool/refused"
cp "$here/guest.sh" "$root"/.build/"$release"/*.ko "$modules/tiffin_test_family.ko" \
	"$root/.build/tiffin/tiffin" "$root/abi/sysfs-kernel-tiffin" \
	"$(linux_source 6.12)/tools/testing/selftests/kselftest/ktap_helpers.sh" "$work/tool/"
for file in "$modules"/tiffin_*_????????.ko; do
	[ "$file" = "$modules/tiffin_test_family.ko" ] || cp "$file" "$work/tool/"
done
cp "$modules"/refused/tiffin_*.ko "$work/tool/refused/"
cp -L "$modules/faulty/faulty.ko" "$work/tool/faulty.ko"
cp -L "$modules/faulty/again/faulty.ko" "$work/tool/faulty_again.ko"
# A policy for another kernel.
stay=$(realpath "$modules/stay.ko")
objcopy --dump-section .modinfo="$work/modinfo" "$stay" "$work/discard.ko"
sed -i "s/vermagic=$release /vermagic=6.12.0-other /" "$work/modinfo"
objcopy --update-section .modinfo="$work/modinfo" "$stay" "$work/tool/foreign.ko"

rc=0
"$root/tools/vm/run" --kernel "$release" --cpus 2 --time-limit 900 \
	--allow-log 'tiffin: policy faulty-.* is in quarantine' --in "$work/tool" -- \
	bash /in/tool/guest.sh | tee "$work/log" || rc=$?
# The runner's own codes: the guest did not get through, whatever it printed before.
[ $rc -lt 120 ] || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
"$root/selftests/ktap/judge" "$work/log"
