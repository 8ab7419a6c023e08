# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a guest boots from, made once and kept in the cache: the root file system, an image of a
# kernel's modules, the initramfs. To be sourced after lib/common.sh.

vm_dir=$TIFFIN_TOOLS/vm
# Sparse; a guest's own writes go to a throwaway layer above it.
root_size=16G

# make_ext4 DIR FILE SIZE [OPTION...]: a file system for throwaway use, so without a journal.
make_ext4()
{
	local dir=$1 file=$2 size=$3
	shift 3

	truncate -s "$size" "$file" &&
		mke2fs -q -t ext4 -O ^has_journal -m 0 -E lazy_itable_init=1,root_owner=0:0 "$@" \
			-d "$dir" "$file"
}

# The Debian archives that this machine's apt uses (a mirror, say), as lines of a sources.list.
debian_sources()
{
	# shellcheck disable=SC2016 # apt expands these
	apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' 'Origin: Debian' | sort -u
}

guest_root_fill()
{
	local packages=$1 dir=$2 sources

	note "building the guest's root file system (half a minute)"
	sources=$(debian_sources)
	[ -n "$sources" ] || { apt-get -qq update && sources=$(debian_sources); }
	[ -n "$sources" ] || die "apt knows no Debian archive: see /etc/apt/sources.list*"
	apt-config dump | grep -E '^Acquire::(http|https|Check-|Retries)' >"$dir/apt.conf" || :
	mmdebstrap --quiet --mode=root --variant=essential --include="$packages" \
		--aptopt="$dir/apt.conf" \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		bookworm "$dir/root" - <<<"$sources" || return
	mkdir -p "$dir/root/in" "$dir/root/out" "$dir/root/usr/lib/modules" || return
	echo vm >"$dir/root/etc/hostname"
	printf '127.0.0.1\tlocalhost vm\n::1\tlocalhost\n' >"$dir/root/etc/hosts"
	cp "$dir/root/bin/busybox" "$dir/" || return
	make_ext4 "$dir/root" "$dir/root.ext4" $root_size || return
	rm -rf "$dir/root" "$dir/apt.conf"
}

# guest_root: print the directory that holds root.ext4 and a static busybox.
guest_root()
{
	local packages

	packages=$("$TIFFIN_TOOLS/deps" --list guest | paste -sd,) || return
	cache_entry "guest/root-$(hash_of "$packages" "$(declare -f guest_root_fill make_ext4)")" \
		guest_root_fill "$packages"
}

# Modules that a guest needs before it can reach its disks and ports; built in on some kernels.
early_modules()
{
	local base=$1 release=$2 m

	for m in virtio_pci virtio_blk virtio_console crc32c_generic ext4; do
		modprobe -d "$base" -S "$release" --show-depends "$m" 2>/dev/null || :
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

kernel_media_fill()
{
	local modules=$1 root=$2 dir=$3 base release path n=0

	mkdir -p "$dir/initrd/bin" "$dir/base/lib/modules" || return
	release=${modules##*/}
	base=$dir/base
	if [ -n "$modules" ]; then
		cp -a "$modules" "$base/lib/modules/" || return
		rm -f "$base/lib/modules/$release/build" "$base/lib/modules/$release/source"
		depmod -b "$base" "$release" || return
		early_modules "$base" "$release" >"$dir/early" || return
		while read -r path; do
			n=$((n + 1))
			case $path in
			*.xz) xz -dc "$path" ;;
			*.zst) zstd -qdc "$path" ;;
			*.gz) gzip -dc "$path" ;;
			*) cat "$path" ;;
			esac >"$(printf '%s/initrd/%02d.ko' "$dir" $n)" || return
		done <"$dir/early"
	fi
	make_ext4 "$base/lib/modules" "$dir/modules.ext4" 2G || return
	cp "$root/busybox" "$dir/initrd/bin/" || return
	install -m 755 "$vm_dir/guest-boot" "$dir/initrd/init" || return
	install -m 755 "$vm_dir/guest-init" "$dir/initrd/guest-init" || return
	(cd "$dir/initrd" && find . | LC_ALL=C sort | cpio -o -H newc --quiet) >"$dir/initrd.cpio" ||
		return
	rm -rf "$dir/initrd" "$base" "$dir/early"
}

# kernel_media MODULES ROOT: print the directory that holds modules.ext4 and initrd.cpio for the
# kernel whose modules are in MODULES (.../RELEASE; '' for a kernel without); ROOT as of guest_root.
kernel_media()
{
	local state=none

	[ -z "$1" ] || state=$(cd "$1" && find . -type f -printf '%p %s %T@\n' | sort | sha256sum)
	cache_entry "guest/kernel-$(hash_of "$1" "$state" "$2" "$(declare -f kernel_media_fill early_modules)" \
		"$(<"$vm_dir/guest-boot")" "$(<"$vm_dir/guest-init")")" kernel_media_fill "$1" "$2"
}
