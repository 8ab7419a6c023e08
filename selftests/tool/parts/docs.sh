# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2154 # bash -c expands itself; run sets the variables
# Man page, completion and scripts say what the command says.

page=$root/tools/tiffin/tiffin.8
completion=$root/tools/tiffin/completion.bash

# mandoc also looks for pages of other packages, which need not be there.
check "man page: lint" bash -c '
	said=$(mandoc -Tlint -W warning "$1" 2>&1 | grep -v "outdated mandoc.db\|referenced manual not found")
	echo "$said"
	[ -z "$said" ]' - "$page"
echo '.Dq unclosed' >"$work/bad.8"
check "man page: lint finds a bad one" bash -c '! mandoc -Tlint -W warning "$1" >/dev/null 2>&1' - "$work/bad.8"
check "man page: has a page for the reader" bash -c 'mandoc -Tascii "$1" | col -b | grep -q "^EXIT STATUS"' - "$page"

"$tiffin" help --json >"$work/help.json"
check "man page: names every command and option" python3 - "$work/help.json" "$page" <<'EOF'
import json, re, sys
page = open(sys.argv[2]).read()
missing = []
for c in json.load(open(sys.argv[1]))["commands"]:
    if not re.search(r"^\.(It )?(Cm|Xo\n\.Cm) .*\b%s\b|^\.Cm %s$" % (c["command"], c["command"]), page, re.M):
        missing.append(c["command"])
    for o in c["options"]:
        if "Fl -" + o["option"] not in page:
            missing.append("--" + o["option"])
print(missing)
sys.exit(bool(missing))
EOF
check "man page: names every exit status" python3 - "$root/tools/tiffin/output.c" "$page" <<'EOF'
import re, sys
names = re.findall(r'\[TIFFIN_EXIT_\w+\] = "(\w+)"', open(sys.argv[1]).read())
page = open(sys.argv[2]).read()
missing = [(n, name) for n, name in enumerate(names) if ".It %d Pq %s\n" % (n, name) not in page]
print(missing)
sys.exit(bool(missing) or len(names) < 10)
EOF

# limits FILE: what is not contained of a bad policy has to be said there.
limits()
{
	local text word missing=()

	text=$(tr -s '\n ' ' ' <"$1")
	for word in 'wild write' 'privileged instruction' kdump panic_on_oops panic_on_warn ftrace_enabled \
		lockdown 'secure boot' 'module signing' preempt_rt fred ibt kretprobe 'stack overflow' \
		'stack protector' 'one CPU' 'idle task' endbr nohz_full neighbour xen budget_us 'interrupts off' \
		'30 to 40 ms' cpu_percent; do
		grep -qiF -- "$word" <<<"$text" || missing+=("$word")
	done
	printf 'not said: %s\n' "${missing[@]}"
	[ ${#missing[@]} = 0 ]
}
check "man page: says what is not contained" limits "$page"
check "README: says what is not contained" limits "$root/README.md"
sed 's/nohz_full//g' "$page" >"$work/silent.8"
check "a page that leaves one out is noticed" bash -c '[[ $1 == "not said: nohz_full" ]]' - "$(limits "$work/silent.8")"
reference=$(tr -s '\t\n ' ' ' <"$root/abi/sysfs-kernel-tiffin")
check "sysfs reference: says what the budgets do with interrupts disabled" bash -c '
	[[ $1 == *"30 to 40 ms for 10000"* && $1 == *"calls with interrupts disabled"*"never seen"* ]]' - "$reference"

# complete WORD...: what the completion offers for the last word.
complete_words()
{
	bash -c '
		compopt() { :; }
		tiffin() { "$TIFFIN_COMMAND" "$@"; }
		. "$1"
		shift
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		_tiffin
		echo "${COMPREPLY[*]}"' - "$completion" tiffin "$@"
}

# offers NAME WANTED WORD...
offers()
{
	local name=$1 wanted=$2 got
	shift 2

	got=" $(complete_words "$@") "
	for word in $wanted; do
		[[ $got == *" $word "* ]] || {
			fail "completion: $name" "offered:$got" "not: $word"
			return
		}
	done
	pass "completion: $name"
}

export TIFFIN_COMMAND=$tiffin TIFFIN_SYSFS=$work/completion
mkdir -p "$TIFFIN_SYSFS"/packet_steering/{scopes/default,figures} \
	"$TIFFIN_SYSFS"/policies/falcon-1.0+3fa9c1d2/{tunables,counters}
echo falcon >"$TIFFIN_SYSFS/policies/falcon-1.0+3fa9c1d2/name"
touch "$TIFFIN_SYSFS"/packet_steering/figures/flows \
	"$TIFFIN_SYSFS"/policies/falcon-1.0+3fa9c1d2/{tunables/depth,counters/moved}

check "completion: loads" bash -c '. "$1"; complete -p tiffin | grep -q "_tiffin tiffin"' - "$completion"
offers "commands" "$(python3 -c 'import json, sys
print(*[c["command"] for c in json.load(open(sys.argv[1]))["commands"]])' "$work/help.json")" ""
offers "a command begun" "swap" sw
offers "options of swap" "--gate --probation --timeout --wait --dry-run --scope --json --help" swap -
offers "options of show" "--stores" show --
offers "policies behind a flag" "falcon default" swap --dry-run packet_steering ""
offers "options of verify" "--kernel --host-abi" verify --
offers "policies and families to swap" "falcon falcon-1.0+3fa9c1d2 packet_steering default" swap ""
offers "policies behind a family" "falcon default" swap packet_steering ""
offers "behind an option with an argument" "falcon" swap --probation 1s fal
offers "families" "packet_steering" rollback ""
offers "metrics" "hook_p99 flows moved" swap falcon --gate ""
offers "scopes" "default" swap --scope ""
offers "tunables" "depth=" set falcon ""
touch "$work/a.ko" "$work/b.txt"
offers "module files" "$work/a.ko" load "$work/"
check "completion: only module files" bash -c '! grep -q b.txt <<<"$1"' - "$(complete_words load "$work/")"

mapfile -t scripts < <(grep -lE '^#!/bin/bash|^# shellcheck shell' "$here"/* "$here"/parts/* "$completion" 2>/dev/null)
check "shellcheck" shellcheck -x -P "$root" "${scripts[@]}"
echo 'if [ $a = "b" ]; then ls *; fi' >"$work/bad.sh"
check "shellcheck finds a bad script" bash -c '! shellcheck -s bash "$1" >/dev/null' - "$work/bad.sh"
