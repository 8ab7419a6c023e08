# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Running one semantic patch; to be sourced, or exported to a subshell.

# spatch_one OUTPUT-FOLDER TREE-OR-FILE OPTIONS PATCH: what it reports goes to a
# file cocci.* of the folder. A patch that can't be run is an error.
spatch_one()
{
	local out=$1 what=$2 patch=$4 options own

	read -ra options <<<"$3"
	read -ra own <<<"$(sed -n 's,^// *Options: *,,p' "$patch" | head -n 1)"
	[ ! -d "$what" ] || options+=(--dir)
	spatch -D report --no-show-diff --very-quiet "${own[@]}" --cocci-file "$patch" \
		"${options[@]}" "$what" >"$out/cocci.${patch##*/}.$$" 2>"$out/errors.${patch##*/}.$$" || {
		echo "$patch:" >&2
		cat "$out/errors.${patch##*/}.$$" >&2
		return 255
	}
}
