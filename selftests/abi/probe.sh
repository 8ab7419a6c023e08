# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What an ABI header promises, as libabigail sees it: the layout of every
# structure and enumeration it defines, the type of every function it
# declares, and the value of every number it names. Taken from a shared object
# that includes the header and nothing else of the project.
#
# A unit is `core` or a family. To be sourced; ABI_DIR is the folder that
# holds tiffin/.

: "${ABI_DIR:=$top/abi}"

# abi_units: core, then each family that has a header
abi_units()
{
	local header

	echo core
	for header in "$ABI_DIR"/tiffin/*.h; do
		header=${header##*/}
		case $header in
		plugin.h | state.h | glue.h) ;;
		*) echo "${header%.h}" ;;
		esac
	done
}

# abi_headers UNIT
abi_headers()
{
	case $1 in
	core) printf '%s\n' plugin.h state.h glue.h ;;
	*) echo "$1.h" ;;
	esac
}

# abi_version_macro UNIT
abi_version_macro()
{
	case $1 in
	core) echo TIFFIN_CORE_ABI ;;
	*) echo "TIFFIN_$1_ABI" ;;
	esac
}

abi_includes()
{
	abi_headers "$1" | sed 's,.*,#include <tiffin/&>,'
}

# abi_version UNIT: MAJOR.MINOR as the header says, in numbers and in text
abi_version()
{
	local macro work status=0

	macro=$(abi_version_macro "$1")
	work=$(mktemp -d)
	{
		abi_includes "$1"
		cat <<-END
			#include <stdio.h>
			#include <string.h>
			int main(void)
			{
				const char *text = TIFFIN_STRING(${macro}_TEXT);
				char number[16];

				snprintf(number, sizeof(number), "%u.%u",
					 TIFFIN_ABI_MAJOR($macro), TIFFIN_ABI_MINOR($macro));
				puts(number);
				if (!strcmp(number, text))
					return 0;
				fprintf(stderr, "${macro} is %s but ${macro}_TEXT says %s\n", number, text);
				return 1;
			}
		END
	} >"$work/version.c"
	{ gcc -I"$ABI_DIR" -o "$work/version" "$work/version.c" && "$work/version"; } || status=$?
	rm -rf "$work"
	return $status
}

# abi_constants UNIT: names of the macros that are integer constants
abi_constants()
{
	local name headers

	mapfile -t headers < <(abi_headers "$1" | sed "s,^,$ABI_DIR/tiffin/,")
	sed -n 's/^#define[ \t]\+\(TIFFIN_[A-Za-z0-9_]*\)[ \t]\+[^ \t].*/\1/p' "${headers[@]}" |
		while read -r name; do
			{
				abi_includes "$1"
				echo "enum { constant = ($name) };"
			} | gcc -I"$ABI_DIR" -fsyntax-only -xc - 2>/dev/null || continue
			echo "$name"
		done
}

# abi_probe_source UNIT: one global of each type
abi_probe_source()
{
	local headers

	mapfile -t headers < <(abi_headers "$1" | sed "s,^,$ABI_DIR/tiffin/,")
	abi_includes "$1"
	sed -n 's/^\(struct\|union\|enum\) \(tiffin_[a-z0-9_]*\) {.*/\1 \2 probe_\2;/p' "${headers[@]}"
	sed -n -e '/^static/d' \
		-e 's/^[a-z][a-z0-9_ ]*[ *]\(tiffin_[a-z0-9_]*\)(.*/__typeof__(\&\1) probe_\1;/p' \
		"${headers[@]}"
	echo "enum probe_constants {"
	abi_constants "$1" | sed 's/.*/	probe_& = (&),/'
	echo "} probe_constants;"
}

# abi_dump UNIT FILE: write what libabigail reads
abi_dump()
{
	local work status=0

	work=$(mktemp -d)
	{
		abi_probe_source "$1" >"$work/probe.c" &&
			(cd "$work" && gcc -g -O0 -fPIC -shared -I"$ABI_DIR" \
				-fdebug-prefix-map="$ABI_DIR=abi" -o "probe-$1.so" probe.c) &&
			abidw --no-corpus-path --no-comp-dir-path --no-show-locs \
				--type-id-style hash --out-file "$2" "$work/probe-$1.so"
	} || status=$?
	rm -rf "$work"
	return $status
}

# abi_calls UNIT FILE: write what calls.awk reads
abi_calls()
{
	local work status=0 headers

	mapfile -t headers < <(abi_headers "$1")
	work=$(mktemp -d)
	{
		abi_includes "$1" >"$work/calls.c" &&
			gcc -I"$ABI_DIR" -fsyntax-only -aux-info "$work/aux" "$work/calls.c"
	} || status=$?
	{
		echo "# SPDX-License-Identifier: GPL-2.0-only"
		(
			cd "$ABI_DIR/tiffin" || exit
			sed -n 's/^#define[ \t]\+\([A-Za-z_0-9]\+([^)]*)\).*/#define \1/p' "${headers[@]}"
			for header in "${headers[@]}"; do
				sed -n "s,^/\* .*/tiffin/$header:[0-9]*:NF \*/ \(static .*)\); /\*.*,\1,p" "$work/aux"
			done
		) | LC_ALL=C sort
	} >"$2"
	rm -rf "$work"
	return $status
}

# abi_same_calls OLD NEW: whether they are the same to a policy
abi_same_calls()
{
	[ -z "$(awk -v from=- -f "$top/selftests/abi/calls.awk" "$1" "$2")" ]
}

# abi_recorded UNIT FOLDER: the versions that have a baseline there, oldest first
abi_recorded()
{
	find "$2" -maxdepth 1 -name "$1-*.abi" -printf '%f\n' 2>/dev/null |
		sed -n "s/^$1-\([0-9]\+[.][0-9]\+\)[.]abi\$/\1/p" | sort -V
}

# abi_not_after A B: whether version A is B or an older one
abi_not_after()
{
	[ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

# abi_differ OLD NEW OUTPUT: what abidiff has to say; status 0 where they differ
abi_differ()
{
	! abidiff --harmless --redundant --no-show-locs "$1" "$2" >"$3" 2>&1
}
