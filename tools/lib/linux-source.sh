# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Kernel sources from Debian's linux-source packages, extracted into the cache
# at run time. Nothing of them is ever copied into this tree.
#
#   linux_source_version 6.12   the installed package's version
#   linux_source 6.12           a folder with what the tests use of the sources
#   linux_source_build 6.12 DIR everything an ARCH=um build needs, into DIR
#
# To be sourced after common.sh.

# What the tests use: checkers, the KUnit library and parser, kselftest.
LINUX_SOURCE_PARTS=(
	Makefile
	scripts
	include/kunit
	lib/kunit
	tools/scripts
	tools/testing/kunit
	tools/testing/selftests/Makefile
	tools/testing/selftests/kselftest
	tools/testing/selftests/kselftest.h
	tools/testing/selftests/kselftest_harness.h
	tools/testing/selftests/kselftest_install.sh
	tools/testing/selftests/kselftest_module.h
	tools/testing/selftests/lib.mk
	tools/testing/selftests/run_kselftest.sh
)

# linux_source_version SERIES
linux_source_version()
{
	dpkg-query -W -f '${Version}\n' "linux-source-$1" 2>/dev/null | grep . ||
		die "linux-source-$1 is not installed: tools/deps source"
}

# __linux_source_tar SERIES DIR ARG...: extract with further tar arguments
__linux_source_tar()
{
	local series=$1 dir=$2

	shift 2
	xz -T0 -dc "/usr/src/linux-source-$series.tar.xz" |
		tar -x --strip-components=1 -C "$dir" "$@"
}

__linux_source_fill()
{
	__linux_source_tar "$1" "$2" "${LINUX_SOURCE_PARTS[@]/#/linux-source-$1/}"
}

# linux_source SERIES: print the folder; extracted once per package version
# and set of parts
linux_source()
{
	local version

	version=$(linux_source_version "$1") || return
	cache_entry "linux-source/$1-$(hash_of "$version" "${LINUX_SOURCE_PARTS[@]}")" \
		__linux_source_fill "$1"
}

# linux_source_build SERIES DIR: sources of drivers and architectures that a
# User Mode Linux build never compiles stay out; their Kconfig files come along
linux_source_build()
{
	local series=$1 dir=$2

	linux_source_version "$series" >/dev/null || return
	__linux_source_tar "$series" "$dir" --wildcards \
		--exclude="linux-source-$series/Documentation/*/*" \
		--exclude="linux-source-$series/arch/[!ux]*/*.[chS]" \
		--exclude="linux-source-$series/arch/*/boot/dts" \
		--exclude="linux-source-$series/drivers/gpu/*.[ch]" \
		--exclude="linux-source-$series/drivers/media/*.[ch]" \
		--exclude="linux-source-$series/drivers/net/ethernet/*.[ch]" \
		--exclude="linux-source-$series/drivers/net/wireless/*.[ch]" \
		--exclude="linux-source-$series/sound/*.[ch]" \
		--exclude="linux-source-$series/tools/perf" \
		--exclude="linux-source-$series/tools/testing"
}
