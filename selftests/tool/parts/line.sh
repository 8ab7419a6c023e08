# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2154 # bash -c expands itself; run sets the variables
# Command lines: what is wrong usage, and what is said then.

export TIFFIN_SYSFS=$work/nowhere

try "no command" 2 err='which command' err='tiffin help' --
try "unknown command" 2 err="no command 'frobnicate'" -- frobnicate
try "unknown command, in JSON" 2 json='d["error"]["code"] == "usage" and d["error"]["exit"] == 2' -- \
	frobnicate --json
try "--json before the command" 2 json='"frobnicate" in d["error"]["message"]' -- --json frobnicate
try "unknown option" 2 err="swap: no option '--fast'" err='tiffin help swap' -- swap --fast falcon
try "unknown option, in JSON, --json behind it" 2 json='d["error"]["exit"] == 2' -- swap --fast --json
try "option without its argument" 2 err='--gate wants an argument' -- swap falcon --gate
try "flag with an argument" 2 err='swap: no option' -- swap --wait=yes falcon
try "option given twice" 2 err='--timeout is given twice' -- swap x --timeout 1s --timeout 2s
try "short option" 2 err="no option '-x'" -- list -x
try "too few operands" 2 err='too few arguments; it takes FILE.ko' -- load
try "too many operands" 2 err="'b' is one argument too many" -- show a b
try "operand for a command without any" 2 err="'x' is one argument too many" -- list x
try "help" 0 out='^  swap  +' out='man 8 tiffin' out='man -l tools/tiffin/tiffin\.8' \
	-- help
try "--help" 0 out='usage: tiffin COMMAND' -- --help
try "-h" 0 out='usage: tiffin COMMAND' -- -h
try "help of a command" 0 out='usage: tiffin swap .*POLICY' out='--gate EXPR' -- help swap
try "--help of a command" 0 out='usage: tiffin swap' -- swap --help
try "--help needs no operands" 0 out='usage: tiffin load' -- load --help
try "help of an unknown command" 2 err="no command 'x'" -- help x
try "help in JSON" 0 json='len(d["commands"]) == 15' -- help --json
try "help of a command in JSON" 0 json='[c["command"] for c in d["commands"]] == ["swap"]' -- \
	help swap --json
try "version" 0 out='^tiffin [0-9.]+, core ABI 1\.1' out='host not loaded' -- version
try "--version" 0 out='^tiffin [0-9.]+' -- --version
try "version in JSON" 0 json='d["host"] is None and d["family_abi"]["packet_steering"] == "1.1"' -- \
	version --json

for command in list show "show x" "unload x" "swap x" "rollback x" "commit x" default "default --all" \
	"set x y=1" stats "stats --interval 1s"; do
	# shellcheck disable=SC2086 # words on purpose
	try "$command without a host" 7 err='tiffin is not loaded' err='modprobe' err='tiffin doctor' -- $command
	# shellcheck disable=SC2086
	try "$command without a host, in JSON" 7 json='d["error"]["code"] == "not_loaded"' -- $command --json
done

try "times: no number" 2 err="'soon' is no time" -- stats --interval soon
try "times: no such unit" 2 err="'5d' is no time" -- stats --interval 5d
try "times: fraction" 2 err="'1.5s' is no time" -- stats --interval 1.5s
try "times: negative" 2 err="'-1s' is no time" -- stats --interval=-1s
try "times: too long" 2 err="'25h' is no time" -- stats --interval 25h
try "times: overflow" 2 err='is no time' -- stats --interval 18446744073709551616s
try "times: 0 as an interval" 2 err='longer than 0' -- stats --interval 0s
try "count: no number" 2 err="'x' is no count" -- stats --interval 1s --count x
try "count: 0" 2 err="'0' is no count" -- watch --count 0
try "count without interval" 2 err='goes with --interval' -- stats --count 3


check "output that can't be written" bash -c "
	\"$tiffin\" help >/dev/full 2>\"$work/err\"
	[ \$? = 10 ] && grep -q 'standard output' \"$work/err\""
