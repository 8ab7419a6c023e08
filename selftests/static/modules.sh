# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For checks that go through the build of the modules: to be sourced after
# lib.sh, which sets these variables.
# shellcheck disable=SC2154

# kbuild_check NAME COMMAND...: run a build that calls make, with the checker
# MODULE_CHECK on each file; what it says goes to the findings
kbuild_check()
{
	local name=$1 log=$work/$1.log

	shift
	# -k: all findings, not the first file's
	MAKEFLAGS="k -- C=2 CHECK=$MODULE_CHECK CF=${MODULE_CHECK_FLAGS-}" \
		"$@" >"$log" 2>&1 && return
	{
		grep -E '^[^ :]+:[0-9]+(:[0-9]+)?: (error|warning): ' "$log" ||
			{
				echo "$name: the build failed:"
				tail -n 20 "$log"
			}
	} | sed "s,^$out/[^:]*/src/,,; s,^$out/[^/]*/,," >>"$work/findings"
}

# build_folder SERIES DIR SYMVERS [MAKE-ARGUMENT...]: build a folder with a
# Kbuild of its own; of it only the target $only, where that is set
only=
build_folder()
{
	local headers dir=$2 symvers=$3

	headers=$(kernel_headers "$(kernel_resolve "$1")")
	shift 3
	nice make -s -C "$headers" M="$dir" KBUILD_EXTRA_SYMBOLS="$symvers" "$@" "${only:-modules}"
}

# Folders with modules of their own, built against tiffin.ko in the copy that
# it was built in
check_folder()
{
	local folder=$1 release=$2 src=$out/$2/src

	mkdir -p "$out/folders/${folder%/*}"
	rsync -a --delete --exclude='*.o' --exclude='.*.cmd' "$root/$folder" "$out/folders/${folder%/*}/"
	case $folder in
	selftests/modules)
		# Its Kbuild stands at the root of a copy of the tree.
		rsync -a "$root/abi" "$root/framework" "$out/folders/"
		cp "$root/$folder/Kbuild" "$out/folders/Kbuild"
		kbuild_check "${folder//\//-}" build_folder "$release" "$out/folders" \
			"$out/$release/Module.symvers"
		;;
	tools/bench/core)
		# As tools/bench/run has it: core, which was looked at above, with a file more.
		rsync -a "$root/abi" "$root/framework" "$root/upgrade" "$root/tools/bench/modules/tiffin" \
			"$out/folders/$folder/"
		cp "$root/Kbuild" "$out/folders/$folder/Kbuild.product"
		only=guarded.o kbuild_check "${folder//\//-}" build_folder "$release" "$out/folders/$folder" \
			"$out/$release/Module.symvers"
		;;
	selftests/page_placement/modules)
		# As selftests/page_placement/run has it: with the movers.
		mkdir -p "$out/folders/movers"
		rsync -a "$root/framework" "$root/$folder" "$out/folders/movers/"
		cp "$root/$folder/Kbuild" "$out/folders/movers/Kbuild"
		kbuild_check "${folder//\//-}" build_folder "$release" "$out/folders/movers" \
			"$out/$release/Module.symvers"
		;;
	selftests/packet_steering/taker)
		cp "$root/framework/compat/ftrace.h" "$out/folders/$folder/"
		kbuild_check "${folder//\//-}" build_folder "$release" "$out/folders/$folder" \
			"$out/$release/Module.symvers"
		;;
	*)
		kbuild_check "${folder//\//-}" build_folder "$release" "$out/folders/$folder" \
			"$out/$release/Module.symvers" "TIFFIN_SRC=$src"
		;;
	esac
}

# check_modules SERIES...: the host modules for each; suites and test modules,
# which hold no differences of kernels, for one
check_modules()
{
	local release kernel folder

	for kernel; do
		kbuild_check "modules-$kernel" "$top/tools/host/build" --src "$root" --out "$out" "$kernel"
	done
	# What follows needs tiffin.ko.
	[ "$root" = "$top" ] && [ ! -s "$work/findings" ] || return 0
	release=$(kernel_resolve "$series")
	kbuild_check suites "$top/selftests/kunit/build" "$release" --out "$out/suites"
	for folder in selftests/modules selftests/page_placement/modules selftests/page_placement/host/modules \
		selftests/packet_steering/taker tools/bench/modules tools/bench/core tools/bench/page_placement/modules; do
		check_folder "$folder" "$release"
	done
}

# Builds are kept, so that the compiler sees only what has changed; a fixture's
# are not.
if [ "$root" = "$top" ]; then
	out=$top/.build/static/${0##*/check-}
else
	out=$work/build
fi
mkdir -p "$out"
