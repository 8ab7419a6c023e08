#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest: two nodes, swap, and nobody else who moves pages; then the program. guest.sh SECONDS PART...

set -euo pipefail

cd "$(dirname "$0")"
echo 0 >/proc/sys/kernel/numa_balancing
# Nor the kernel's compaction by itself, which moves all of a pageblock that it thinks should be free.
echo 0 >/proc/sys/vm/compaction_proactiveness
echo never >/sys/kernel/mm/transparent_hugepage/enabled
if [ -e /sys/kernel/mm/numa/demotion_enabled ]; then
	echo 0 >/sys/kernel/mm/numa/demotion_enabled
fi
modprobe zram
echo 64M >/sys/block/zram0/disksize
mkswap /dev/zram0 >/dev/null
swapon /dev/zram0
insmod ./tiffin_test_move.ko
rc=0
./move_test "$@" || rc=$?
rmmod tiffin_test_move
exit $rc
