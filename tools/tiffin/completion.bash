# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# bash completion for tiffin(8). Commands and options are those that the command itself names.

_tiffin_sysfs()
{
	echo "${TIFFIN_SYSFS:-/sys/kernel/tiffin}"
}

_tiffin_names()
{
	local path

	for path in "$@"; do
		[ -e "$path" ] && echo "${path##*/}"
	done
}

_tiffin_families()
{
	local path

	for path in "$(_tiffin_sysfs)"/*/scopes; do
		[ -e "$path" ] || continue
		path=${path%/scopes}
		echo "${path##*/}"
	done
}

# Full ids, and the bare names.
_tiffin_policies()
{
	local path

	for path in "$(_tiffin_sysfs)"/policies/*; do
		[ -e "$path" ] || continue
		echo "${path##*/}"
		cat "$path/name" 2>/dev/null
	done
}

# What --gate can name: figures of the families and counters of the policies.
_tiffin_metrics()
{
	local root

	root=$(_tiffin_sysfs)
	printf '%s\n' hook_p50 hook_p99 hook_max bad_answers continuity
	_tiffin_names "$root"/*/figures/* "$root"/policies/*/counters/*
}

_tiffin_tunables()
{
	local root

	root=$(_tiffin_sysfs)
	_tiffin_names "$root"/policies/"$1"*/tunables/* | sed 's/$/=/'
}

_tiffin_commands()
{
	tiffin help 2>/dev/null | sed -n 's/^  \([a-z]\{1,\}\)  .*/\1/p'
}

_tiffin_options()
{
	tiffin help "$1" 2>/dev/null | sed -n 's/^  \(--[a-z-]\{1,\}\).*/\1/p'
	echo --help
}

# _tiffin_reply WORDS: those of them that the word under the cursor can become.
_tiffin_reply()
{
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "${COMP_WORDS[COMP_CWORD]}")
}

_tiffin_files()
{
	local word=${COMP_WORDS[COMP_CWORD]}

	mapfile -t COMPREPLY < <(compgen -f -X '!*.ko' -- "$word"; compgen -d -S / -- "$word")
	[ ${#COMPREPLY[@]} -ne 1 ] || [[ ${COMPREPLY[0]} != */ ]] || compopt -o nospace
}

_tiffin()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command='' i
	local operands=()

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--gate | --probation | --timeout | --scope | --interval | --count | --family | --kernel | --host-abi)
			i=$((i + 1))
			;;
		-*) ;;
		*)
			if [ -z "$command" ]; then
				command=${COMP_WORDS[i]}
			else
				operands+=("${COMP_WORDS[i]}")
			fi
			;;
		esac
	done

	if [ -z "$command" ]; then
		_tiffin_reply "$(_tiffin_commands) --json --help --version"
		return
	fi
	case $before in
	--family)
		_tiffin_reply "$(_tiffin_families)"
		return
		;;
	--scope)
		_tiffin_reply "$(_tiffin_names "$(_tiffin_sysfs)"/*/scopes/*)"
		return
		;;
	--gate)
		_tiffin_reply "$(_tiffin_metrics)"
		compopt -o nospace
		return
		;;
	--kernel)
		_tiffin_reply "$(_tiffin_names /lib/modules/*)"
		return
		;;
	--probation | --timeout | --interval)
		_tiffin_reply "1s 10s 30s 1m 5m"
		return
		;;
	--count | --host-abi) return ;;
	esac
	if [[ $word == -* ]]; then
		_tiffin_reply "$(_tiffin_options "$command")"
		return
	fi
	case $command in
	load | verify) _tiffin_files ;;
	show) _tiffin_reply "$(_tiffin_families; _tiffin_policies)" ;;
	unload) _tiffin_reply "$(_tiffin_policies)" ;;
	swap)
		if [ ${#operands[@]} -eq 0 ]; then
			_tiffin_reply "$(_tiffin_families; _tiffin_policies) default"
		else
			_tiffin_reply "$(_tiffin_policies) default"
		fi
		;;
	rollback | commit | default | stats | doctor) _tiffin_reply "$(_tiffin_families)" ;;
	set)
		if [ ${#operands[@]} -eq 0 ]; then
			_tiffin_reply "$(_tiffin_policies)"
		else
			_tiffin_reply "$(_tiffin_tunables "${operands[0]}")"
			compopt -o nospace
		fi
		;;
	help) _tiffin_reply "$(_tiffin_commands)" ;;
	esac
}

complete -F _tiffin tiffin
