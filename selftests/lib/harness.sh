# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Sourced by what builds a program around a policy. The policies differ, and there are some hundred
# of them with the broken ones; what is built around them is the same each time.

# harness_objects DIR SOURCE... -- CC FLAG...: each source compiled into DIR, by ccache where that is
# installed; the array objects has their names.
harness_objects()
{
	local dir=$1 source sources=()

	shift
	while [ "$1" != -- ]; do
		sources+=("$1")
		shift
	done
	shift
	! command -v ccache >/dev/null || set -- ccache "$@"
	objects=()
	for source in "${sources[@]}"; do
		objects+=("$dir/harness-${#objects[@]}.o")
		"$@" -c "$source" -o "${objects[-1]}" || return
	done
}
