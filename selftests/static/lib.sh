# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the static checks share. Each check is a script check-NAME that looks
# at the tree STATIC_ROOT (this one unless told; `selftest` gives it trees of
# bad files), prints findings as FILE:LINE: TEXT, and ends with status 1 if
# there are any.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
# shellcheck source=tools/lib/common.sh
. "$top/tools/lib/common.sh"
# shellcheck source=tools/lib/linux-source.sh
. "$top/tools/lib/linux-source.sh"

root=${STATIC_ROOT:-$top}
# The kernel whose headers and tools the checks use
series=6.12
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: >"$work/findings"

# files GLOB...: the project's files whose names match, relative to the root.
# Bad on purpose, and no findings: fixtures of these checks.
files()
{
	local glob names=()

	for glob; do
		names+=(-o -name "$glob")
	done
	(
		cd "$root"
		find . \( -path ./.git -o -path ./.build -o -path ./selftests/static/bad \) -prune \
			-o -type f \( -false "${names[@]}" \) -printf '%P\n' | LC_ALL=C sort
	)
}

# scripts INTERPRETER-PATTERN: executable text files with such a first line
scripts()
{
	(
		cd "$root"
		find . \( -path ./.git -o -path ./.build -o -path ./selftests/static/bad \) -prune \
			-o -type f -size -200k -perm /111 -printf '%P\0' |
			xargs -0 -r grep -m 1 -HnE '' | sed -nE "s,^([^:]*):1:#!.*($1)\>.*,\1,p" |
			LC_ALL=C sort
	)
}

# policies: C files of plugins/, and others with a descriptor; not those that
# are there to be refused, or to fault
policies()
{
	files '*.c' | grep -v '/refused/\|/broken/\|/faulty/' | while read -r file; do
		case $file in
		plugins/*) echo "$file" ;;
		*) ! grep -q '^TIFFIN_POLICY(' "$root/$file" || echo "$file" ;;
		esac
	done
}

# verdict: print what was found in the file findings; the check's last word
verdict()
{
	LC_ALL=C sort -u "$work/findings"
	[ ! -s "$work/findings" ]
}

# need LIST...: a check that has nothing to look at has checked nothing
need()
{
	[ -n "${1-}" ] || die "found no file to check in $root"
}
