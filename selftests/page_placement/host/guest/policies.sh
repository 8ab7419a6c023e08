#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2015,SC2016 # A && B || give_up; what until_true evaluates
#
# tpp, nomad and hermit at work: a program uses one part of its memory after the other, and the fast
# node has room for some. What each of them promises, what the host counts, what the program sees.

# shellcheck source=selftests/page_placement/host/guest/lib.sh
. "$(dirname "$0")/lib.sh"

# Pages of a part of a's memory, and how many parts that has
part=1024
parts=4
now=0

# next NAME: the program goes on to its next part, of which it writes every 16th page
next()
{
	now=$(((now + 1) % parts))
	[ "$(ask "$1" use $((now * part)) $part 16)" = used ]
}

# works POLICY FREE: it brings up what the program goes on to, and takes down what was used before
works()
{
	local round promoted demoted

	# What a policy keeps of each page lies on node 0, too.
	activate "$1" && leave_free "$2" || return
	promoted=$(figure promoted) demoted=$(figure demoted)
	for ((round = 0; round < 2 * parts; round++)); do
		next a && until_true 180 hot_on a 0 90 || { state a; return 1; }
	done
	echo "$1: up $(($(figure promoted) - promoted)), down $(($(figure demoted) - demoted))"
	[ $(($(figure promoted) - promoted)) -ge $part ] && [ $(($(figure demoted) - demoted)) -ge $part ]
}

# Plain moves in the wake of faults, and nothing stays behind.
tpp_as_promised()
{
	echo "in wake $(figure in_wake), transacted $(figure transacted), shadows $(figure shadows_kept)"
	[ "$(figure in_wake)" -ge $((part / 2)) ] && [ "$(figure transacted)" = 0 ] &&
		[ "$(figure shadows_kept)" = 0 ] && [ "$(figure remapped)" = 0 ]
}

# The program moves nothing itself; transactions; what was not written goes down without a copy. Each
# page that does takes its shadow: figures are compared when nothing moves any more.
nomad_as_promised()
{
	local more

	rests || return
	more=$(($(figure in_wake) - wake))
	echo "in wake $more, transacted $(figure transacted), shadows kept $(figure shadows_kept)," \
		"used $(figure shadows_used), remapped $(figure remapped), of the program $(sum remapped)," \
		"given up as written $(figure written)"
	[ $more = 0 ] && [ "$(figure transacted)" -ge $part ] && [ "$(figure shadows_kept)" -ge $part ] &&
		[ "$(figure remapped)" -ge $((part / 4)) ] && [ "$(figure remapped)" = "$(figure shadows_used)" ]
}

# With the default nothing moves.
rests() { activate default && until_true 60 settled promoted && until_true 60 settled demoted; }

# As many pages have left the slow node as the host says; and it says the same of the machine, of what
# is attached, and of the process.
figures_agree()
{
	local left rest hot0 hot1 cold0 cold1 slow

	rests || return
	slow=$(on_slow a)
	left=$((slow_at_first - slow)) rest=$(($(anonymous a) - parts * part))
	read -r hot0 hot1 cold0 cold1 <<<"$(ask a where)"
	echo "left $left, promoted $(figure promoted), demoted $(figure demoted);" \
		"on node 1: kernel $slow, program $((hot1 + cold1)), host $(of_process a node1); other pages $rest"
	[ $left = $(($(figure promoted) - $(figure demoted))) ] && adds_up &&
		[ "$(of_process a promoted)" = "$(figure promoted)" ] &&
		[ "$(of_process a demoted)" = "$(figure demoted)" ] &&
		[ $((hot0 + hot1 + cold0 + cold1)) = $((parts * part)) ] &&
		[ $((hot1 + cold1)) -le "$slow" ] && [ "$slow" -le $((hot1 + cold1 + rest)) ] &&
		[ "$(of_process a node1)" -le "$slow" ] &&
		[ $(($(of_process a node0) + $(of_process a node1))) = "$(figure pages)" ]
}

# hermit's mode is made to be another by what moves are said to cost and save, while there are some.
# Then it stays, and no other mode has a tick.
hermit_mode()
{
	local mode=$1 tries ticks all

	shift
	for ((tries = 0; tries < 30; tries++)); do
		tune patience 1 "$@" && next a && sleep 2 && tune patience 1000 || return
		ticks=$(counter "ticks_$mode") all=$(ticks)
		sleep 2
		[ $(($(counter "ticks_$mode") - ticks)) -lt 2 ] ||
			[ $(($(ticks) - all)) -gt $(($(counter "ticks_$mode") - ticks)) ] || return 0
	done
	state a
	return 1
}

# on_until EXPRESSION: the program goes on to its next part until that is so. One part, or two, may lie on
# node 0 already.
on_until() { until_true 180 eval "next a && sleep 1 && [ $1 ]" || { state a; return 1; }; }

ticks() { echo $(($(counter ticks_background) + $(counter ticks_wake) + $(counter ticks_none))); }

hermit_in_background()
{
	local wake transacted

	hermit_mode background wake_max 1 cost_free 1000000 rest_ms 600000 || return
	wake=$(figure in_wake) transacted=$(figure transacted)
	on_until "\$((\$(figure transacted) - $transacted)) -ge $((part / 4))" || return
	until_true 180 hot_on a 0 90 || return
	echo "in wake $(($(figure in_wake) - wake)), transacted $(($(figure transacted) - transacted))"
	[ "$(figure in_wake)" = "$wake" ]
}

hermit_in_wake()
{
	local wake

	hermit_mode wake wake_max 1000000 cost_free 1000000 rest_ms 1 || return
	wake=$(figure in_wake)
	on_until "\$((\$(figure in_wake) - $wake)) -ge $((part / 4))" && until_true 180 hot_on a 0 90
}

hermit_not_at_all()
{
	local promoted unanswered

	hermit_mode none cost_free 0 page_gain_us 0 rest_ms 600000 && until_true 60 settled promoted || return
	promoted=$(figure promoted) unanswered=$(counter unanswered)
	on_until "\$((\$(counter unanswered) - $unanswered)) -ge $part" || return
	echo "promoted $(($(figure promoted) - promoted)), unanswered $(($(counter unanswered) - unanswered))"
	[ "$(figure promoted)" = "$promoted" ]
}

tap_begin
plain_memory
load
for policy in tpp nomad hermit; do
	insmod ./$policy.ko || give_up "$policy does not load"
done
start a 1 $((parts * part)) $part
good a && ask a where >/dev/null
slow_at_first=$(on_slow a)
echo "pid ${pid[a]}" >$family/attach || give_up "a does not attach"
tap_check "tpp moves pages up and down" works tpp $(($(node 0 wm_high) + part + part / 2))
tap_check "tpp: in the wake of faults, by plain copies" tpp_as_promised
tap_check "tpp: figures agree with where the pages are" figures_agree
wake=$(figure in_wake)
# Much of the program is on node 0 now.
tap_check "nomad moves pages up and down" works nomad $(($(node 0 wm_low) + part / 2))
tap_check "nomad: by transactions, and without a copy where there is a shadow" nomad_as_promised
tap_check "nomad: figures agree with where the pages are" figures_agree
activate hermit
# Of an emulated CPU everything costs much.
tune cost_free 1000000
tap_check "hermit moves pages up and down" works hermit $(($(node 0 wm_low) + part / 2))
tap_check "hermit in the background" hermit_in_background
tap_check "hermit in the wake of faults" hermit_in_wake
tap_check "hermit promotes nothing where that does not pay" hermit_not_at_all
tap_check "hermit: figures agree with where the pages are" figures_agree
echo everything >$family/detach
tap_check "worker a has found no wrong page" stop a
tap_check "all of it unloads" unload
tap_end
