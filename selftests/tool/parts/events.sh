# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154 # run sets the variables
# Events, in a C program: no command line can make the kernel send one. The real ones are in vm.sh.

read -ra libraries < <(pkg-config --cflags --libs json-c libkmod libelf capstone)
if make -s -C "$root/tools/tiffin" OUT="$build/asan" SANITIZE=address,undefined "$build/asan/libtiffin.a" &&
		gcc -std=gnu11 -D_GNU_SOURCE -g -Wall -Wextra -Werror -fsanitize=address,undefined \
			-fno-sanitize-recover=all -I "$root/tools/tiffin" "$here/test_events.c" "$build/asan/libtiffin.a" \
			"${libraries[@]}" -o "$build/test_events"; then
	unshare -n "$build/test_events" >"$work/events"
	rc=$?
	grep FAILED "$work/events"
	read -r p _ f _ < <(tail -n 1 "$work/events")
	passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1}))
	[ $rc = 0 ] || [ "${f:-0}" != 0 ] || fail "the program that tests events ended with $rc" "$(<"$work/events")"
else
	fail "build the program that tests events"
fi
