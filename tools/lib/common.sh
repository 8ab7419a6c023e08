# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the project's scripts share: messages, the cache, Debian's stock kernels. To be sourced by
# bash scripts that run under `set -euo pipefail`.
#
# The cache holds only what can be made again; to delete it, whole or in part, is always safe. An
# entry is a directory named by what went into it. It is filled beside its place and renamed into
# it, under a lock: it is there complete or not at all, also when two runs want it at once.

TIFFIN_TOOLS=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TIFFIN_CACHE=${TIFFIN_CACHE:-$HOME/.cache/tiffin}
TIFFIN_DEBUG_KERNEL=$TIFFIN_TOOLS/../selftests/debug/build

note()
{
	echo "${0##*/}: $*" >&2
}

die()
{
	note "$*"
	exit 1
}

# hash_of WORD...: a short name for these words; file contents go in as $(<file).
hash_of()
{
	printf '%s\n' "$@" | sha256sum | cut -c1-16
}

# cache_entry NAME COMMAND...: print the path of cache entry NAME. If it is not there, COMMAND is
# run with the path of an empty directory appended, and fills it. NAME may hold slashes. A fill
# also drops its neighbours that nobody has asked for in a month.
cache_entry()
{
	local path=$TIFFIN_CACHE/$1 tmp
	shift

	if [ ! -d "$path" ]; then
		mkdir -p "${path%/*}"
		(
			flock -w 1800 9 || die "$path.lock: held for half an hour; is its owner stuck?"
			[ ! -d "$path" ] || exit 0
			tmp=$(mktemp -d -p "${path%/*}") || exit
			trap 'rm -rf -- "$tmp"' EXIT
			"$@" "$tmp" 9>&- >&2 || exit
			chmod 755 "$tmp"
			mv -T -- "$tmp" "$path"
			find "${path%/*}" -mindepth 1 -maxdepth 1 -mtime +30 -exec rm -rf -- {} +
		) 9>>"$path.lock" || return
	fi
	touch -c "$path" || :
	echo "$path"
}

# make_in DIR OUT [ARGUMENT...]: make in DIR, with its products in OUT (their Makefiles' variable
# of that name). One at a time: what runs side by side wants the same products, and must not copy a
# program that another is writing.
make_in()
{
	mkdir -p "$2"
	flock -w 1800 "$2/.lock" make -s --no-print-directory -C "$1" OUT="$2" "${@:3}"
}

# apt_fetch PACKAGE DIR: unpack PACKAGE below DIR; it is not installed on this machine.
apt_fetch()
{
	(
		cd "$2" || exit
		apt-get -qq -o APT::Sandbox::User=root -o Acquire::Retries=3 download "$1" ||
			{
				apt-get -qq -o DPkg::Lock::Timeout=600 update &&
					apt-get -qq -o APT::Sandbox::User=root download "$1"
			} || die "cannot download package '$1': check the network, /etc/apt/sources.list* \
and whether the archive still has it (apt-cache policy $1)"
		dpkg-deb -x ./*.deb . && rm -f ./*.deb
	)
}

# kernel_resolve VERSION [FLAVOUR]: print the release of a stock Debian 12 kernel, such as
# 6.1.0-56-cloud-amd64: the newest one if VERSION is 6.12 or 6.1. A full release is printed as it is.
# FLAVOUR is cloud (unless told) or full. If apt's lists are of no help, the newest in the cache.
# VERSION debug is the kernel of selftests/debug, which is built where it is not there.
kernel_resolve()
{
	local version=$1 flavour=${2:-cloud} meta release='' try

	case $flavour in
	cloud) flavour=cloud-amd64 ;;
	full) flavour=amd64 ;;
	*) die "kernel flavour '$flavour' is neither cloud nor full" ;;
	esac
	case $version in
	6.12) meta=linux-image-6.12-$flavour ;;
	6.1) meta=linux-image-$flavour ;;
	debug)
		release=$("$TIFFIN_DEBUG_KERNEL") || return
		(cd "$release/lib/modules" && echo *)
		return
		;;
	6.1.*-amd64 | 6.12.*-amd64 | *-tiffin-debug-*)
		echo "$version"
		return
		;;
	*)
		die "kernel '$version': want 6.12, 6.1, debug or a full release such as \
6.1.0-56-cloud-amd64"
		;;
	esac

	for try in lists updated cached; do
		case $try in
		updated) apt-get -qq -o DPkg::Lock::Timeout=600 update >&2 || continue ;;
		cached)
			release=$(cd "$TIFFIN_CACHE/kernel" 2>/dev/null && find . -maxdepth 1 -type d \
				-regex "\./${version//./\\.}\.[^-]*\(-[0-9]+\)?-$flavour" -printf '%f\n' |
				sort -V | tail -n 1) || :
			;;
		esac
		[ $try = cached ] ||
			release=$(apt-cache depends "$meta" 2>/dev/null |
				sed -n 's/^ *Depends: linux-image-\([0-9]\)/\1/p' | head -n 1)
		[ -z "$release" ] || break
	done
	[ -n "$release" ] || die "apt knows no package $meta: is Debian 12 (with -security) in \
/etc/apt/sources.list*, and can it be reached?"
	echo "$release"
}

kernel_unpack()
{
	local release=$1 dir=$2

	note "fetching stock kernel $release"
	apt_fetch "linux-image-$release" "$dir" || return
	[ -e "$dir/boot/vmlinuz-$release" ] || die "linux-image-$release holds no kernel"
	depmod -b "$dir" "$release"
}

# kernel_dir RELEASE: print the directory that holds boot/ and lib/modules/ of that kernel.
kernel_dir()
{
	local dir

	case $1 in
	*-tiffin-debug-*)
		dir=$("$TIFFIN_DEBUG_KERNEL") || return
		[ -e "$dir/boot/vmlinuz-$1" ] || die "$1 is not the debug kernel that this tree builds"
		echo "$dir"
		;;
	*) cache_entry "kernel/$1" kernel_unpack "$1" ;;
	esac
}

# kernel_image RELEASE: print the path of its vmlinuz.
kernel_image()
{
	local dir

	dir=$(kernel_dir "$1") && echo "$dir/boot/vmlinuz-$1"
}

# kernel_modules RELEASE: print the path of its modules, .../lib/modules/RELEASE.
kernel_modules()
{
	local dir

	dir=$(kernel_dir "$1") && echo "$dir/lib/modules/$1"
}

# kernel_headers RELEASE: print the path to build modules against (make -C); it is installed
# first where it is missing.
kernel_headers()
{
	local dir

	case $1 in
	*-tiffin-debug-*)
		dir=$(kernel_dir "$1") || return
		echo "$dir/build"
		return
		;;
	esac
	[ -e "/usr/src/linux-headers-$1/Makefile" ] || "$TIFFIN_TOOLS/deps" "pkg:linux-headers-$1" >&2 ||
		return
	echo "/usr/src/linux-headers-$1"
}
