#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In a guest with one memory node: the host does not load, and says what to do.

set -u
cd "$(dirname "$0")" || exit
# shellcheck source=selftests/lib/tap.sh
. ./tap.sh

refused()
{
	local output

	output=$(insmod ./tiffin_page_placement.ko 2>&1) && return 1
	[[ $output == *"No such device"* ]] || { echo "$output"; return 1; }
	dmesg | grep -q 'tiffin_page_placement: .*one memory node only.*load this module where'
}

tap_begin
insmod ./tiffin.ko || { echo "Bail out! tiffin.ko does not load"; exit 1; }
tap_check "a machine with one memory node is refused" refused
tap_check "nothing of the family is left" test ! -e /sys/kernel/tiffin/page_placement
tap_check "tiffin unloads" rmmod tiffin
tap_end
