# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154 # run sets the variables
#
# doctor against a folder with the files of a kernel that has all there need be, and then one thing
# amiss at a time. Whether it is right about real kernels is tested in vm.sh.

machine=$work/doctor
export TIFFIN_ROOT=$machine TIFFIN_SYSFS=$work/doctor/sys/kernel/tiffin
kernel=6.12.117+deb12-cloud-amd64

put_root()
{
	mkdir -p "$(dirname "$machine/$1")"
	printf '%s\n' "$2" >"$machine/$1"
}

# put_cpu_flags FLAGS: those of the processor
put_cpu_flags()
{
	put_root proc/cpuinfo "processor	: 0
flags		: $1"
}

healthy()
{
	rm -rf "$machine"
	put_root proc/sys/kernel/osrelease $kernel
	put_root proc/modules ""
	put_root proc/sys/kernel/modules_disabled 0
	put_root proc/sys/kernel/ftrace_enabled 1
	put_root proc/sys/kernel/panic_on_oops 0
	put_root proc/sys/kernel/panic_on_warn 0
	put_root proc/cpuinfo "processor	: 0
flags		: fpu vme fredx xibt lm
bugs		: ibt fred"
	put_root sys/kernel/kexec_crash_loaded 0
	put_root sys/kernel/debug/kprobes/enabled 1
	put_root proc/self/status "Name: tiffin
CapEff:	000001ffffffffff"
	put_root proc/self/uid_map "         0          0 4294967295"
	put_root sys/module/module/parameters/sig_enforce N
	put_root sys/kernel/security/lockdown "[none] integrity confidentiality"
	put_root sys/kernel/tracing/available_filter_functions "get_rps_cpus
get_rps_cpu
numa_migrate_check
netif_rx [e1000]"
	put_root sys/kernel/tracing/enabled_functions "netif_rx (1) R I     tramp: 0xffffffffc0400000"
	put_root sys/devices/system/cpu/online 0-3
	put_root sys/devices/system/node/online 0-1,3
	put_root sys/devices/system/node/has_memory 0-1,3
	put_root sys/devices/system/node/has_cpu 0
	put_root sys/devices/system/node/node1/distance "30 10 40"
	put_root sys/devices/system/node/node3/distance "20 40 10"
	put_root proc/sys/kernel/numa_balancing 0
	put_root sys/kernel/mm/numa/demotion_enabled false
	put_root sys/kernel/mm/transparent_hugepage/enabled "always [madvise] never"
	put_root sys/devices/system/cpu/isolated ""
	put_root sys/devices/system/cpu/nohz_full "(null)"
	put_root boot/config-$kernel "# Linux
CONFIG_SMP=y
CONFIG_MODVERSIONS=y
CONFIG_RPS=y
CONFIG_X86_KERNEL_IBT=y
CONFIG_NETWORK_SECMARK=y
CONFIG_KPROBES=y
CONFIG_FUNCTION_TRACER=y
CONFIG_DYNAMIC_FTRACE=y
CONFIG_DYNAMIC_FTRACE_WITH_REGS=y
CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS=y
CONFIG_NUMA_BALANCING=y
CONFIG_DEVICE_MIGRATION=y
CONFIG_MMU_NOTIFIER=y"
	put_root lib/modules/$kernel/build/Makefile ""
}

# misses NAME CHECK ERE REMEDY: one miss, and what to do.
misses()
{
	try "doctor: $1" 8 out="^  miss  $2 +.*$3" out="^ {20}.*$4" out='^1 miss: see above' -- doctor
}

notes()
{
	try "doctor: $1" 0 out="^  note  $2 +.*$3" out="^ {20}.*$4" -- doctor
}

healthy
try "doctor: all well" 0 out='^this kernel offers all that is needed$' not='  miss  ' out='^packet_steering$' -- doctor
try "doctor: all well, in JSON" 0 json='d["misses"] == 0 and d["release"].startswith("6.12")' \
	json='{c["family"] for c in d["checks"]} == {None, "packet_steering", "page_placement"}' -- doctor --json
try "doctor: one family" 0 out='^packet_steering$' -- doctor packet_steering
try "doctor: another" 0 out='^page_placement$' not='^packet_steering$' -- doctor page_placement
try "doctor: no such family" 3 err="family 'x' are not known" err='families: packet_steering, page_placement' -- doctor x

put_root proc/sys/kernel/osrelease 5.10.0-9-amd64
notes "another release" release '5\.10.* is of a series that tiffin is not tested on' 'apt-get install linux-image'
healthy
put_root proc/sys/kernel/modules_disabled 1
misses "modules disabled" modules 'modules_disabled=1' 'reboot'
rm "$machine/proc/modules"
put_root proc/sys/kernel/modules_disabled 0
misses "no modules" modules "can't load modules" 'CONFIG_MODULES=y'
try "doctor: no modules, so none to build or to sign" 8 not='insmod|modprobe|make modules|linux-headers|signed' -- doctor
healthy
put_root sys/module/module/parameters/sig_enforce Y
misses "signatures enforced" signing 'module.sig_enforce' 'kmodsign'
mkdir -p "$machine/sys/module/tiffin"
try "doctor: signatures enforced, and tiffin has one" 0 out="  ok    signing +tiffin's modules were accepted" -- doctor
healthy
put_root sys/kernel/security/lockdown "none [integrity] confidentiality"
misses "lockdown" lockdown 'lockdown is on' 'mokutil'
healthy
put_root sys/kernel/realtime 1
misses "realtime, running" realtime 'PREEMPT_RT' 'ordinary kernel'
healthy
echo CONFIG_PREEMPT_RT=y >>"$machine/boot/config-$kernel"
misses "realtime, configured" realtime 'PREEMPT_RT' 'ordinary kernel'
for option in RPS NETWORK_SECMARK KPROBES FUNCTION_TRACER DYNAMIC_FTRACE DYNAMIC_FTRACE_WITH_REGS \
	NUMA_BALANCING DEVICE_MIGRATION MMU_NOTIFIER; do
	healthy
	sed -i "s/^CONFIG_$option=y$/# CONFIG_$option is not set/" "$machine/boot/config-$kernel"
	misses "no $option" config "CONFIG_$option is not set" 'Debian'
done
healthy
sed -i /MODVERSIONS/d "$machine/boot/config-$kernel"
try "doctor: no MODVERSIONS" 0 out='  note  versions +no MODVERSIONS' -- doctor
sed -i /DIRECT_CALLS/d "$machine/boot/config-$kernel"
notes "no direct calls" config "mechanism 'ipmodify'" 'a little more'
rm "$machine/boot/config-$kernel"
notes "no configuration" config 'configuration is not found' '/boot/config'
healthy
mkdir -p "$machine/usr/src/linux-headers-$kernel"
mv "$machine/boot/config-$kernel" "$machine/usr/src/linux-headers-$kernel/.config"
try "doctor: configuration beside the headers" 0 out='  ok    config +RPS' out='  ok    config +kprobes and dynamic ftrace' out='  ok    config +hint faults' -- doctor
healthy
put_root proc/sys/kernel/ftrace_enabled 0
misses "ftrace off" ftrace 'ftrace_enabled=0' 'sysctl kernel.ftrace_enabled=1'
rm "$machine/proc/sys/kernel/ftrace_enabled"
misses "no ftrace" ftrace 'has no ftrace' 'Debian'
healthy
put_root sys/kernel/tracing/available_filter_functions "get_rps_cpus
numa_migrate_check"
misses "function not there" function "get_rps_cpu can't be interposed" 'Debian'
rm "$machine/sys/kernel/tracing/available_filter_functions"
notes "no tracefs" function "tracefs can't be read" 'mount -t tracefs'
mkdir -p "$machine/sys/kernel/debug/tracing"
printf '%s\n' get_rps_cpu numa_migrate_prep >"$machine/sys/kernel/debug/tracing/available_filter_functions"
try "doctor: tracefs below debugfs" 0 out='  ok    function +get_rps_cpu can be' -- doctor
try "doctor: the function of older kernels" 0 out='  ok    function +numa_migrate_prep can be' -- doctor
for flags in 'R I    ' 'R   D  ' '   I D '; do
	healthy
	put_root sys/kernel/tracing/enabled_functions "get_rps_cpu (1) $flags	tramp: 0xffffffffc0 (x+0x0/0x0) ->x+0x0/0x10"
	misses "function owned: $flags" owner 'is taken by another: get_rps_cpu \(1\)' 'bpftool'
done
put_root sys/kernel/tiffin/packet_steering/attached 1
try "doctor: function owned by tiffin" 0 out='  ok    owner +get_rps_cpu is interposed by tiffin' -- doctor
healthy
put_root sys/kernel/tracing/enabled_functions "get_rps_cpu (1) R     	tramp: 0xffffffffc0 (IDLE+0x0/0x0) ->D I"
try "doctor: function only traced" 0 out='  ok    owner +nobody else' -- doctor
mkdir -p "$machine/sys/kernel/livepatch/fix_net/vmlinux/get_rps_cpu,1"
misses "live patch" owner 'live patch fix_net replaces' 'livepatch/fix_net/enabled'
healthy
mkdir -p "$machine/sys/kernel/livepatch/fix_net/vmlinux/netif_rx,1"
try "doctor: live patch of something else" 0 out='  ok    owner' -- doctor
healthy
try "doctor: tiers by distance" 0 out='  ok    tiers +.*: 0:0 1:2 3:1$' -- doctor page_placement
put_root sys/devices/system/node/has_cpu 0-1
try "doctor: two nodes with CPUs and one without" 0 out='  ok    tiers +.*: 0:0 1:0 3:1$' -- doctor page_placement
put_root sys/devices/system/node/has_cpu 0-1,3
notes "nodes of one speed" tiers '3 memory nodes, all with CPUs' 'NODE:1 > page_placement/tiers'
put_root sys/kernel/tiffin/page_placement/tiers "0:0 1:1 3:2"
try "doctor: tiers that the host was told" 0 out='  ok    tiers +.*: 0:0 1:1 3:2$' -- doctor page_placement
try "doctor: the hint function owned by tiffin" 0 out='  ok    owner +numa_migrate_check is interposed by tiffin' \
	-- doctor
healthy
put_root sys/devices/system/node/has_memory 0
notes "one memory node" tiers 'nowhere to move a page' 'CXL'
healthy
put_root proc/sys/kernel/numa_balancing 2
notes "the kernel's tiering" balancing 'numa_balancing=2' 'sysctl kernel.numa_balancing=0'
put_root sys/kernel/mm/numa/demotion_enabled true
notes "the kernel's demotion" demotion 'demotes pages as well' 'echo false >'
put_root sys/kernel/mm/transparent_hugepage/enabled "[always] madvise never"
notes "huge pages" hugepages 'left to the kernel' 'echo madvise >'
healthy
put_root proc/self/uid_map "         0     100000      65536"
notes "user namespace" rights 'not the initial user namespace' 'outside'
healthy
put_root proc/self/status "Name: tiffin
CapEff:	0000000000000000"
notes "no rights" rights 'may look, but not load' 'as root'
healthy
put_root sys/devices/system/cpu/online 0
notes "one CPU" cpus 'only one CPU' 'more CPUs'
put_root sys/devices/system/cpu/online 0-7
put_root sys/devices/system/cpu/isolated 2-3
notes "isolated CPUs" cpus 'CPUs 2-3 are isolated' 'packet_steering/cpus'
healthy
put_root sys/devices/system/cpu/nohz_full 1-2
notes "nohz_full CPUs" cpus 'CPUs 1-2 are nohz_full' 'packet_steering/cpus'
healthy
mkdir -p "$machine/sys/fs/selinux"
misses "SELinux" security 'SELinux is active' 'selinux=0'
healthy
mkdir -p "$machine/sys/fs/smackfs"
misses "Smack" security 'Smack is active' 'security=smack'
healthy
for flags in "fpu fred lm" "fpu lm fred"; do
	put_cpu_flags "$flags"
	misses "FRED, of $flags" exceptions 'the processor uses FRED: the host does not load' 'boot with fred=off'
done
healthy
put_root sys/hypervisor/guest_type PV
misses "Xen PV" exceptions 'a Xen PV guest: the host does not load' 'HVM or PVH'
put_root sys/hypervisor/guest_type HVM
try "doctor: Xen HVM" 0 out='  ok    exceptions ' -- doctor

# What is contained of a bad policy.
healthy
try "doctor: all is contained" 0 out='  ok    faults +a policy that faults is ended' out='  ok    pagefault ' \
	out='  ok    stack ' out='  ok    loops ' not='note  (faults|warnings|pagefault|kdump|stack|loops|ticks)' -- doctor
put_root proc/sys/kernel/panic_on_oops 1
notes "panic_on_oops" faults 'panic_on_oops is set: .* panics the machine' 'echo 1 > /sys/kernel/tiffin/contain'
put_root sys/kernel/tiffin/contained 0
notes "panic_on_oops, and not told otherwise" faults 'panics the machine' 'sysctl kernel.panic_on_oops=0'
put_root sys/kernel/tiffin/contain 1
notes "panic_on_oops, as an active policy's host sees it" faults 'panics the machine' 'contain$'
rm "$machine/sys/kernel/tiffin/contained"
try "doctor: panic_on_oops, contained by a host that does not say so" 0 out='  ok    faults ' -- doctor
rm "$machine/sys/kernel/tiffin/contain"
put_root sys/kernel/tiffin/contained 1
try "doctor: panic_on_oops, contained" 0 out='  ok    faults .*contained all the same' not='panics the machine' -- doctor
healthy
put_root proc/sys/kernel/panic_on_warn 1
notes "panic_on_warn" warnings 'panic_on_warn is set' 'sysctl kernel.panic_on_warn=0'
healthy
put_root proc/sys/kernel/ftrace_enabled 0
try "doctor: ftrace off, and page faults" 8 out='  note  pagefault +ftrace_enabled=0: .* prints its oops' \
	out='^ {20}sysctl kernel.ftrace_enabled=1' not='kdump' -- doctor
put_root sys/kernel/kexec_crash_loaded 1
try "doctor: ftrace off, and a crash kernel" 8 \
	out='  note  kdump +a crash kernel is loaded, and ftrace_enabled=0: .*in an interrupt, the idle task or init boots it' \
	out='^ {20}or unload the crash kernel: kdump-config unload' -- doctor
put_root proc/sys/kernel/panic_on_oops 1
put_root sys/kernel/tiffin/contain 1
try "doctor: the same, and panic_on_oops, contained" 8 \
	out="  note  kdump +a crash kernel is loaded, and ftrace_enabled=0: a policy's page fault boots it" -- doctor
put_root proc/sys/kernel/panic_on_oops 0
put_root sys/kernel/tiffin/contain 0
put_root proc/sys/kernel/ftrace_enabled 1
try "doctor: a crash kernel alone" 0 out='  ok    pagefault ' not='kdump' -- doctor
healthy
put_root sys/kernel/debug/kprobes/enabled 0
notes "kprobes off" pagefault 'kprobes are switched off' 'echo 1 > /sys/kernel/debug/kprobes/enabled'
healthy
sed -i 's/^CONFIG_KPROBES=y$/# CONFIG_KPROBES is not set/' "$machine/boot/config-$kernel"
try "doctor: no kprobes, and page faults" 8 out='  note  pagefault +this kernel has no kprobes' -- doctor
healthy
for flags in "fpu ibt lm" "fpu lm ibt"; do
	put_cpu_flags "$flags"
	notes "IBT, of $flags" stack 'the processor uses IBT: .*overflows the stack is not contained.*jumps' 'boot with ibt=off'
done
echo "# CONFIG_X86_KERNEL_IBT is not set" >>"$machine/boot/config-$kernel"
sed -i '/^CONFIG_X86_KERNEL_IBT/d' "$machine/boot/config-$kernel"
try "doctor: IBT, and a kernel without" 0 out='  ok    stack ' -- doctor
healthy
put_root sys/devices/system/cpu/online 0
notes "one CPU, and loops" loops 'loops with interrupts off is not ended' 'a second CPU'
healthy
put_root sys/devices/system/cpu/nohz_full 1-2
notes "nohz_full CPUs, and ticks" ticks 'CPUs 1-2 are nohz_full' 'keep policies off them'
