#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the host must not load, it does not, with the right error and a sentence in the log.
# shellcheck source=selftests/lib/policy.sh
. "$(dirname "$0")/policy.sh"

# As insmod puts it.
declare -A words=(
	[EINVAL]="Invalid parameters" [EPROTO]="Protocol error" [ENOENT]="Unknown symbol in module"
)
# Each file's first word in selftests/modules/refused says the error.
declare -A wanted=(
	[core_major]=EPROTO [core_minor]=EPROTO [family_major]=EPROTO [family_minor]=EPROTO
	[family_unknown]=ENOENT
)

policy_begin test
for ko in "$POLICY_DIR"/more/refused/tiffin_*.ko; do
	name=${ko##*/tiffin_}
	name=${name%_*}
	errno=${wanted[$name]:-EINVAL}
	lines=$(dmesg | grep -c 'tiffin: .* refused: ')
	said=$(insmod "$ko" 2>&1) && said="it was loaded"
	if [ "${said##*: }" != "${words[$errno]}" ]; then
		tap_note "expected $errno: $said"
		tap_fail "refuses $name"
	elif [ "$(dmesg | grep -c 'tiffin: .* refused: ')" != $((lines + 1)) ]; then
		tap_note "no line in the kernel's log"
		tap_fail "refuses $name"
	else
		tap_pass "refuses $name"
	fi
done
expect "all of them were tried" "$(find "$POLICY_DIR/more/refused" -name 'tiffin_*.ko' | wc -l)" \
	-ge 30
expect "none is there" "$(cat "$TIFFIN/test/available")" = default

policy_load "$(realpath "$POLICY_DIR"/more/tiffin_test_ledger_a_*.ko)"
policy_load "$(realpath "$POLICY_DIR"/more/tiffin_test_old_*.ko)"
result() { awk -v key="$1" '$1 == key { print $2 }' "$TIFFIN/test/result"; }

policy_swap ledger_a
echo "2 500" >"$TIFFIN/test/run"
expect "the books hold every call" "$(($(result cpu_miss) + $(result object_miss)))" -eq 0
expect "each call got an answer" "$(result calls)" -eq \
	$(($(result answered) + $(result stock) + $(result continuity)))
expect "no wrong answer" "$(result wrong)" -eq 0

policy_swap old
echo "2 500" >"$TIFFIN/test/run"
expect "a policy of an older minor version answers what it knows" "$(result answered)" -gt 0
expect "and leaves what it does not" "$(result stock)" -gt 0
expect "no wrong answer" "$(result wrong)" -eq 0
policy_end
