# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154 # run sets the variables
#
# verify against really built modules: good ones, and the same with one defect each, linked to them or
# edited into them. A defect that is not found, or another that is, fails.

unset TIFFIN_SYSFS
export TIFFIN_ROOT=$work/no-machine
mkdir -p "$TIFFIN_ROOT"

release=$(kernel_resolve 6.12)
if ! { "$root/tools/host/build" "$release" && modules=$("$root/selftests/modules/build" --kernel "$release"); } \
		>"$work/build.log" 2>&1; then
	fail "build the modules to look at" "$(tail -n 20 "$work/build.log")"
	return
fi
host=(--kernel "$release" --host-abi test=1.1)
good=$(realpath "$modules/stay.ko")

for file in "$modules"/tiffin_*_????????.ko; do
	[ "$file" != "$modules/tiffin_test_family.ko" ] || continue
	try "good: ${file##*/}" 0 out='would be loaded' not='  miss ' -- verify "${host[@]}" "$file"
done
"$root/tools/policy/build" --kernel "$release" --out "$work" --abi "$root/selftests/lists" \
	"$root/selftests/lists/s3fifo.c" >/dev/null
try "good: a policy with lists" 0 out='would be loaded' not='  miss ' -- \
	verify --kernel "$release" --host-abi test_cache=1.0 "$work/s3fifo.ko"
try "good, in JSON" 0 json='d["refused"] == 0 and d["files"][0]["misses"] == 0' \
	json='d["files"][0]["policy"] == "stay"' \
	json='{c["check"] for c in d["files"][0]["checks"]} == {"modinfo", "name", "descriptor", "abi",
	"imports", "sections", "init", "probes", "code", "loops", "kernel", "signature"}' -- verify --json "${host[@]}" "$good"

# What the host refuses at registration is found here too, but for what only the host can know.
for file in "$modules"/refused/tiffin_*.ko; do
	case ${file##*/} in
	tiffin_family_unknown_* | tiffin_no_hook_*) ;;
	*) try "refused by the host: ${file##*/}" 8 out='  miss  (descriptor|abi|modinfo) ' out='refused: 1 miss$' -- \
		verify "${host[@]}" "$file" ;;
	esac
done

for pair in 'store_sharing:TIFFIN_SHARE_CPU goes only with TIFFIN_STORE_PER_CPU' \
		'store_locked:TIFFIN_SHARE_LOCKED goes only with TIFFIN_STORE_OBJECT' \
		"tunable_name:tunable 0 can't be named '../spoilt'"; do
	try "says what is wrong: ${pair%%:*}" 8 out="^  miss  descriptor +.*${pair#*:}" -- \
		verify "${host[@]}" "$modules"/refused/tiffin_"${pair%%:*}"_????????.ko
done
cat >"$work/lacks.c" <<'EOF'
#include <tiffin/packet_steering.h>
static const struct tiffin_ps_hooks hooks = { 0 };
TIFFIN_POLICY(packet_steering, "lacks", "1.0", "test", TIFFIN_HOOKS(hooks));
EOF
check "build a policy that lacks a hook" \
	"$root/tools/policy/build" --unchecked --kernel "$release" --out "$work" "$work/lacks.c"
try "says which hook is missing" 8 out="^  miss  descriptor +hook 'decide' is required by family packet_steering" \
	out='refused: 1 miss$' -- verify "${host[@]}" "$work/lacks.ko"

# edit NAME SED: a copy of the good module, its .modinfo (one entry a line) edited.
edit()
{
	objcopy --dump-section .modinfo="$work/modinfo" "$good" "$work/discard.ko"
	tr '\0' '\n' <"$work/modinfo" | sed -E "$2" | tr '\n' '\0' >"$work/modinfo.new"
	objcopy --update-section .modinfo="$work/modinfo.new" "$good" "$work/$1.ko"
}

# finds NAME CHECK ERE FILE: exactly one miss, of that check, that says so.
finds()
{
	try "defect: $1" 8 out="^  miss  $2 +.*$3" out='refused: 1 miss$' -- verify "${host[@]}" "$4"
}

edit same 's/x/x/'
try "control: edited without a change" 0 -- verify "${host[@]}" "$work/same.ko"

for key in tiffin_policy tiffin_version tiffin_family tiffin_build tiffin_core_abi license name vermagic; do
	edit "no-$key" "/^$key=/d"
done
try "no tiffin_policy" 8 out='it is no policy: there is no tiffin_policy=' out='1 miss$' -- \
	verify "${host[@]}" "$work/no-tiffin_policy.ko"
for key in tiffin_version tiffin_family tiffin_build license name; do
	finds "no $key" modinfo "there is no $key=" "$work/no-$key.ko"
done
finds "no vermagic" kernel "there is no vermagic=" "$work/no-vermagic.ko"
finds "no core ABI" modinfo "there is no tiffin_core_abi=" "$work/no-tiffin_core_abi.ko"
edit no-ns '/^import_ns=/d'
finds "namespace not imported" modinfo "does not import symbol namespace TIFFIN" "$work/no-ns.ko"
edit other-ns 's/^(import_ns=).*/\1TIFFIN\n\1CRYPTO/'
finds "another namespace" modinfo "symbol namespace CRYPTO" "$work/other-ns.ko"
edit twice 's/^(tiffin_build=.*)/\1\n\1/'
finds "build id twice" modinfo "more than one tiffin_build=" "$work/twice.ko"
edit bad-build 's/^(tiffin_build=).*/\1nonsense/'
try "defect: build id that is none" 8 out="build id 'nonsense'" out="not tiffin_NAME_nonsense" -- \
	verify "${host[@]}" "$work/bad-build.ko"
edit bad-license 's/^(license=).*/\1Proprietary/'
finds "license" modinfo "license is 'Proprietary'" "$work/bad-license.ko"
edit no-id 's/^(name=tiffin_stay)_.*/\1/'
finds "module name without the build id" name "named 'tiffin_stay'" "$work/no-id.ko"
edit bad-abi 's/^(tiffin_core_abi=).*/\1one/'
try "defect: ABI that is none" 8 out='tiffin_core_abi=one is no version' -- verify "${host[@]}" "$work/bad-abi.ko"
edit other-release "s/^(vermagic=)[^ ]+/\\16.12.0-other/"
finds "another release" kernel "built for kernel 6\.12\.0-other, not for ${release//+/.}" "$work/other-release.ko"

try "older host" 8 out='  miss  abi .*built for core ABI 1\.1, which 0\.9' -- \
	verify "${host[@]}" --host-abi core=0.9 "$good"
try "newer minor of the host" 0 out='  ok    abi .*core ABI 1\.1 fits 1\.7 \(--host-abi\)' -- \
	verify "${host[@]}" --host-abi core=1.7 "$good"
try "newer major of the host" 8 out='carry its source over' -- \
	verify "${host[@]}" --host-abi packet_steering=2.0 "$good"
try "older minor of the host" 8 out='newer than 1\.0 \(--host-abi\)' -- \
	verify "${host[@]}" --host-abi test=1.0 "$(realpath "$modules/test_wrong.ko")"
try "ABI of a family that is not known" 0 out='  note  abi .*family test is not loaded' -- \
	verify --kernel "$release" "$(realpath "$modules/test_old.ko")"
for abi in 1.0 core core= core=1 core=x.y =1.0; do
	try "--host-abi $abi" 2 err='is not NAME=MAJOR.MINOR' -- verify --host-abi "$abi" "$good"
done
try "--kernel that is a path" 2 err='is no release' -- verify --kernel ../x "$good"
mkdir -p "$work/series/lib/modules"/{6.1.0-9-cloud-amd64,6.1.0-56-cloud-amd64,6.12.1-amd64}
export TIFFIN_ROOT=$work/series
try "--kernel that is a series: the newest of it" 8 json='d["files"][0]["release"] == "6.1.0-56-cloud-amd64"' -- \
	verify --json --kernel 6.1 "$good"
try "--kernel that is a series without a kernel" 3 err='no kernel 6\.6 is below /lib/modules' \
	err='whole release' -- verify --kernel 6.6 "$good"
export TIFFIN_ROOT=$work/no-machine
mkdir -p "$work/sysfs-abi/packet_steering"
echo 3.0 >"$work/sysfs-abi/abi"
echo 1.2 >"$work/sysfs-abi/packet_steering/abi"
export TIFFIN_SYSFS=$work/sysfs-abi
try "ABI of the host that is loaded" 8 out='  miss  abi .*core ABI 1\.1, which 3\.0 \(the host here\)' \
	out='  ok    abi .*packet_steering ABI 1\.1 fits 1\.2' -- verify --kernel "$release" "$good"
unset TIFFIN_SYSFS

# Defects in code and data: each an object that is linked to the good module.
ld -r -o "$work/linked.ko" "$good"
try "control: linked with nothing" 0 -- verify "${host[@]}" "$work/linked.ko"
for source in "$here"/defects/*.c; do
	name=$(basename "$source" .c)
	expect=$(sed -n 's,^/\* expect: \(.*\) \*/$,\1,p' "$source")
	if ! gcc -O1 -fno-pic -mcmodel=kernel -fcommon -fcf-protection=none -fno-asynchronous-unwind-tables \
			-c "$source" -o "$work/defect.o" 2>"$work/gcc.log" ||
			! ld -r -o "$work/$name.ko" "$good" "$work/defect.o" 2>>"$work/gcc.log"; then
		fail "defect: $name" "$(<"$work/gcc.log")"
		continue
	fi
	if [ "$expect" = nothing ]; then
		try "control: $name" 0 -- verify "${host[@]}" "$work/$name.ko"
	else
		finds "$name" "${expect%% *}" "${expect#* }" "$work/$name.ko"
	fi
done

# Loops that end can't be told from others; that there are some can.
try "code without a loop" 0 out='^  ok    loops +none$' -- verify "${host[@]}" "$good"
try "functions with a loop are named" 0 out='^  note  loops +leaf\(\) has a loop; nothing proves that it ends' \
	out='^  note  loops +middle\(\) has' not='  loops +fine\(\)' -- verify "${host[@]}" "$work/fine_code.ko"
try "so is one that a jump to another part of a function closes" 0 \
	out='^  note  loops +parts(_cold)?\(\) has a loop' not='  miss ' -- verify "${host[@]}" "$work/fine_parts.ko"

objcopy --set-section-flags .rodata=alloc,load,data "$good" "$work/rodata.ko"
finds "constants that can be written" sections "writable data in .rodata" "$work/rodata.ko"
objcopy -N init_module "$good" "$work/no-init.ko" 2>/dev/null ||
	objcopy --redefine-sym init_module=start_module "$good" "$work/no-init.ko"
finds "no module init" init "would load and never register" "$work/no-init.ko"
objcopy --redefine-sym cleanup_module=stop_module "$good" "$work/no-exit.ko"
finds "no module exit" init "could never be unloaded" "$work/no-exit.ko"
objcopy --redefine-sym tiffin_policy_register=tiffin_policy_greet "$good" "$work/no-register.ko"
try "defect: never registers" 8 out="nothing calls tiffin_policy_register" out="uses 'tiffin_policy_greet'" -- \
	verify "${host[@]}" "$work/no-register.ko"
objcopy --redefine-sym tiffin_policy=my_policy "$good" "$work/no-descriptor.ko"
finds "no descriptor" descriptor "no symbol tiffin_policy" "$work/no-descriptor.ko"

# Symbol versions against the kernel's, as its headers list them.
machine=$work/machine
mkdir -p "$machine/usr/src/linux-headers-$release" "$machine/lib/modules"
cp "$(kernel_headers "$release")/Module.symvers" "$machine/usr/src/linux-headers-$release/"
export TIFFIN_ROOT=$machine
try "symbol versions that agree" 0 out='  ok    kernel .*[1-9] symbol versions agree' -- verify "${host[@]}" "$good"
sed -i 's/^0x[0-9a-f]*\tmodule_layout\t/0x00000001\tmodule_layout\t/' \
	"$machine/usr/src/linux-headers-$release/Module.symvers"
finds "symbol versions that differ" kernel "other versions of: module_layout" "$good"
finds "another release that differs" kernel "not for ${release//+/.}, which has other versions of: module_layout" \
	"$work/other-release.ko"
cp "$(kernel_headers "$release")/Module.symvers" "$machine/usr/src/linux-headers-$release/"
try "another release with all symbol versions the same" 0 out='but all [0-9]+ symbol versions are those of' -- \
	verify "${host[@]}" "$work/other-release.ko"

# Flags of the version magic against those of the kernel's own modules.
export TIFFIN_ROOT
TIFFIN_ROOT=$(kernel_dir "$release")
try "version magic of the kernel's own modules" 0 -- verify "${host[@]}" "$good"
edit flags 's/^(vermagic=[^ ]+ SMP) preempt /\1 preempt_rt /'
finds "a kernel of another kind" kernel "another kind: SMP preempt_rt .* is SMP preempt " "$work/flags.ko"

# Signatures, where the running kernel enforces them.
mkdir -p "$machine/sys/module/module/parameters" "$machine/sys/kernel/security"
export TIFFIN_ROOT=$machine
edit here "s/^(vermagic=)[^ ]+/\\1$(uname -r)/"
here_too=(--kernel "$(uname -r)")
try "not signed" 0 out='  note  signature .*taint' -- verify "${here_too[@]}" "$work/here.ko"
echo Y >"$machine/sys/module/module/parameters/sig_enforce"
try "not signed, enforced" 8 out='  miss  signature .*module.sig_enforce' -- verify "${here_too[@]}" "$work/here.ko"
echo N >"$machine/sys/module/module/parameters/sig_enforce"
echo 'none [integrity] confidentiality' >"$machine/sys/kernel/security/lockdown"
try "not signed, locked down" 8 out='  miss  signature .*lockdown' -- verify "${here_too[@]}" "$work/here.ko"
{ cat "$work/here.ko"; printf 'signature~Module signature appended~\n'; } >"$work/signed.ko"
try "signed, locked down" 0 out='  ok    signature' -- verify "${here_too[@]}" "$work/signed.ko"
echo '[none] integrity confidentiality' >"$machine/sys/kernel/security/lockdown"
export TIFFIN_ROOT=$work/no-machine

# What is no policy, or no module.
stock=$(find "$(kernel_modules "$release")" -name 'dummy.ko*' | head -n 1)
case $stock in
*.xz) xz -dc "$stock" >"$work/dummy.ko" ;;
*) cp "$stock" "$work/dummy.ko" ;;
esac
try "a stock module" 8 out='it is no policy' out='refused: 1 miss$' -- verify "${host[@]}" "$work/dummy.ko"
xz -kc "$good" >"$work/a.ko.xz"
gzip -c "$good" >"$work/a.ko.gz"
printf '\x28\xb5\x2f\xfd' >"$work/a.ko.zst"
try "compressed: xz" 8 out='compressed by xz; decompress it first: xz -dk' -- verify "$work/a.ko.xz"
try "compressed: gzip" 8 out='compressed by gzip' -- verify "$work/a.ko.gz"
try "compressed: zstd" 8 out='compressed by zstd' -- verify "$work/a.ko.zst"
try "a host module" 8 out='module tiffin belongs to the host' -- verify "$root/.build/$release/tiffin.ko"
try "a program" 8 out='program or library' -- verify "$tiffin"
: >"$work/empty.ko"
try "an empty file" 8 out='it is no ELF file' -- verify "$work/empty.ko"
echo text >"$work/text.ko"
try "a text" 8 out='it is no ELF file' -- verify "$work/text.ko"
try "a folder" 8 out='no regular file' -- verify "$work"
try "no such file" 3 err='No such file' err='tools/policy/build' -- verify "$work/none.ko"
truncate -s 17M "$work/large.ko"
try "too large a file" 8 out='no policy is that large' -- verify "$work/large.ko"
for size in 16 63 64 1000 5000; do
	head -c $size "$good" >"$work/cut.ko"
	try "cut off after $size bytes" 8 out='refused: ' -- verify "${host[@]}" "$work/cut.ko"
done
for machine_code in '\x03\x00:18:an Intel 80386' '\xb7\x00:18:AArch64' '\x01:4:32 bits' '\x02:5:big endian'; do
	IFS=: read -r bytes offset what <<<"$machine_code"
	cp "$good" "$work/other.ko"
	printf %b "$bytes" | dd of="$work/other.ko" bs=1 seek="$offset" conv=notrunc status=none
	try "for another machine: $what" 8 out='refused: 1 miss' -- verify "$work/other.ko"
done
try "several files, one bad" 8 out='would be loaded' out='would be refused' -- verify "${host[@]}" "$good" "$work/dummy.ko"
try "several files, in JSON" 8 json='d["refused"] == 1 and len(d["files"]) == 2' -- \
	verify --json "${host[@]}" "$good" "$work/dummy.ko"

# load looks at the files first, and loads none where one has a defect.
try "load refuses what verify does" 8 err='would be refused' out='  miss  file ' err='tiffin verify' \
	not='  ok  ' -- load "$work/dummy.ko"
try "load refuses, in JSON" 8 json='d["error"]["code"] == "misses"' -- load "$work/dummy.ko" --json
try "load: no such file" 3 err='No such file' -- load "$work/none.ko"
try "load of several, one bad" 8 err='no policy was loaded' -- load "$work/here.ko" "$work/dummy.ko"
