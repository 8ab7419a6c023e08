# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154 # run sets the variables
#
# What the parts of selftests/tool share. A test is one call of `try` or `check`.

passed=0 failed=0 skipped=0

pass()
{
	passed=$((passed + 1))
	[ "${VERBOSE:-0}" = 0 ] || echo "ok      $1"
}

fail()
{
	failed=$((failed + 1))
	echo "FAILED  $1"
	[ $# -lt 2 ] || printf '%s\n' "${@:2}" | sed 's/^/        /'
}

skip()
{
	skipped=$((skipped + 1))
	echo "skipped $1: $2"
}

# check NAME COMMAND...: the command must succeed.
check()
{
	local name=$1 said
	shift

	if said=$("$@" 2>&1); then
		pass "$name"
	else
		fail "$name" "command: $*" "$said"
	fi
}

# Every document that a command prints with --json must be one; each line of a stream is one.
json_ok()
{
	local stream=$1 file=$2

	if [ "$stream" = 1 ]; then
		while IFS= read -r line; do
			python3 -m json.tool <<<"$line" >/dev/null || return
		done <"$file"
	else
		python3 -m json.tool <"$file" >/dev/null
	fi
}

# try NAME EXIT [out=ERE]... [err=ERE]... [json=EXPRESSION]... [not=ERE]... -- ARGUMENTS...
# Run the command. Its exit status must be EXIT, and each ERE must match a line of what it wrote to
# standard output (out) or error (err), or none of either (not); a Python expression over the
# document d must be true. Nothing may stand on standard error where no err= is given.
try()
{
	local name=$1 exit=$2 rc=0 stream=0 is_json=0 wants_err=0 word
	local wanted=() problems=()
	shift 2

	while [ "$1" != -- ]; do
		wanted+=("$1")
		shift
	done
	shift
	"$tiffin" "$@" >"$work/out" 2>"$work/err" </dev/null || rc=$?
	[ $rc = "$exit" ] || problems+=("exit status $rc, not $exit")
	for word; do
		[ "$word" != --json ] || is_json=1
		[ "$word" != --interval ] || stream=1
	done
	if [ $is_json = 1 ] && ! json_ok $stream "$work/out" 2>"$work/json-error"; then
		problems+=("not JSON: $(<"$work/json-error")")
	fi
	for word in "${wanted[@]}"; do
		case $word in
		out=*) grep -Eq -- "${word#out=}" "$work/out" || problems+=("output lacks: ${word#out=}") ;;
		err=*)
			wants_err=1
			grep -Eq -- "${word#err=}" "$work/err" || problems+=("error lacks: ${word#err=}")
			;;
		not=*)
			! grep -Eq -- "${word#not=}" "$work/out" "$work/err" ||
				problems+=("should not be said: ${word#not=}")
			;;
		json=*)
			python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
sys.exit(not eval(sys.argv[2]))' "$work/out" "${word#json=}" 2>"$work/json-error" ||
				problems+=("not true: ${word#json=} $(<"$work/json-error")")
			;;
		*) problems+=("the test is wrong: $word") ;;
		esac
	done
	[ $wants_err = 1 ] || [ ! -s "$work/err" ] || problems+=("it wrote to standard error")
	if [ ${#problems[@]} -eq 0 ]; then
		pass "$name"
	else
		fail "$name" "command: tiffin $*" "${problems[@]}" "--- output" "$(head -n 40 "$work/out")" \
			"--- error" "$(head -n 40 "$work/err")"
	fi
}

# program NAME [OPTION...]: build test_NAME.c with what the command is made of, and run it; its last
# line says what passed.
program()
{
	local name=$1 libraries rc=0
	shift

	read -ra libraries < <(pkg-config --cflags --libs json-c libkmod libelf capstone)
	if ! make -s -C "$root/tools/tiffin" OUT="$build/asan" SANITIZE=address,undefined "$build/asan/libtiffin.a" ||
			! gcc -std=gnu11 -D_GNU_SOURCE -g -Wall -Wextra -Werror -fsanitize=address,undefined \
				-fno-sanitize-recover=all -I "$root/tools/tiffin" "$here/test_$name.c" \
				"$build/asan/libtiffin.a" "${libraries[@]}" "$@" -o "$build/test_$name"; then
		fail "build the program that tests $name"
		return
	fi
	unshare -n "$build/test_$name" >"$work/$name" || rc=$?
	if ! [[ $(tail -n 1 "$work/$name") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed, ]] ||
			{ [ $rc != 0 ] && [ "${BASH_REMATCH[2]}" = 0 ]; }; then
		fail "the program that tests $name ended with $rc" "$(<"$work/$name")"
		return
	fi
	grep FAILED "$work/$name"
	passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
}
