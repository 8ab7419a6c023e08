#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2016 # A && B || give_up; what until_true evaluates
#
# A program holds its own mmap_lock: others don't notice, and it is let go when it has let that go.

# shellcheck source=selftests/page_placement/host/guest/lib.sh
. "$(dirname "$0")/lib.sh"

said() { dmesg | grep -c "hold: $1"; }
held() { [ "$(said "has the lock")" -gt "$(said "has let it go")" ]; }
let_go() { until_true 200 eval '! held'; }

# hold NAME SECONDS: worker NAME's lock, in the background
hold()
{
	insmod ./hold.ko pid="${pid[$1]}" seconds="$2" >/dev/null 2>&1 &
	until_true 10 held
}

others_go_on()
{
	hold a 100 && echo "pid ${pid[b]}" >$family/attach || return
	until_true 90 hot_on b 0 95 && held && [ "$(figure locked)" -gt 0 ]
}

attaches()
{
	hold c 20 && echo "pid ${pid[c]}" >$family/attach && grep -q "^${pid[c]} " $family/processes &&
		[ "$(figure unsettled)" = 1 ] && held || return
	let_go
	until_true 60 hot_on c 0 95 && [ "$(figure unsettled)" = 0 ]
}

detaches()
{
	hold a 30 && echo "pid ${pid[a]}" >$family/detach && held && [ "$(figure unsettled)" = 1 ] &&
		fails busy write $family/attach "pid ${pid[a]}" && good b && held || return
	let_go
	until_true 10 eval '[ "$(figure unsettled)" = 0 ]' && no_mark_left a && good a
}

unloads()
{
	hold b 60 && unload && held || return
	let_go
	good b
}

tap_begin
load
insmod ./tpp.ko || give_up "the policy does not load"
start a 1 2048 256
start b 1 2048 256
start c 1 2048 256
echo tpp >$scope/active || give_up "tpp is not active"
echo "pid ${pid[a]}" >$family/attach || give_up "a does not attach"
until_true 60 hot_on a 0 95 || give_up "a is not followed"
tap_check "others are followed while a program holds its lock" others_go_on
let_go
tap_check "a program that holds its lock is followed later" attaches
tap_check "one that holds it is detached, and let go later" detaches
tap_check "the host unloads while one holds it" unloads
for name in a b c; do
	tap_check "worker $name has found no wrong page" stop $name
done
tap_end
