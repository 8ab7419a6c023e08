# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A VM with two tiers, and what runs in it. To be sourced by run and selftest after lib/common.sh; $root
# is the tree, $here this folder, $work where products go.

: "${root:?}" "${here:?}" "${work:?}"
readonly kernel=6.12

# setting KEY: what sweep.conf says of it
setting()
{
	awk -v key="$1" '$1 == key { sub(/^[^ ]+ /, ""); print; exit }' "$here/sweep.conf"
}

build_programs()
{
	local name

	mkdir -p "$work/modules"
	for name in pages ycsb hold on_node begin; do
		gcc -std=gnu11 -O2 -Wall -Wextra -Werror -D_GNU_SOURCE -static -o "$work/$name" \
			"$here/$name.c" -lm
	done
	gcc -std=gnu11 -O2 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden \
		-o "$work/tiers.so" "$here/tiers.c"
	# Built beside the sources by kbuild: in a copy, so that the tree stays clean.
	rsync -a --checksum "$here/modules/" "$work/modules/"
	make -s -C "$(kernel_headers "$(kernel_resolve $kernel)")" M="$work/modules" modules \
		>"$work/modules.log" 2>&1 || {
		cat "$work/modules.log" >&2
		die "the module of the bench does not build"
	}
}

# build_family: host and policies as far as this tree has them; what it has not is left out, and said.
build_family()
{
	local host name

	rm -rf "$work/family"
	mkdir -p "$work/family/policies"
	host=$("$root/tools/host/build" $kernel)
	if [ ! -e "$host/tiffin_page_placement.ko" ]; then
		note "no family page_placement in this tree: the kernel's own tiering only"
		return
	fi
	cp "$host/tiffin.ko" "$host/tiffin_page_placement.ko" "$work/family/"
	for name in $(setting configuration); do
		[ -e "$root/plugins/page_placement/$name.c" ] || continue
		"$root/tools/policy/build" --kernel $kernel "$root/plugins/page_placement/$name.c" >/dev/null
		cp -L "$host/policies/$name.ko" "$work/family/policies/"
	done
}

# lay_out NAME FILE...: $work/in/NAME becomes /in/NAME
lay_out()
{
	local dir=$work/in/$1
	shift

	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$here/sweep.conf" "$here/guest.sh" "$work"/{pages,ycsb,hold,on_node,begin} \
		"$work/modules/bench_stalls.ko" "$@" "$dir/"
	[ ! -d "$work/family" ] || cp -r "$work/family/." "$dir/"
}

# run_vm NAME OUT COMMAND...: two CPUs at node 0, the fast tier; node 1, the slow one, has none
run_vm()
{
	local name=$1 out=$2 mib gbps pair node args=()
	shift 2

	read -ra mib <<<"$(setting node_mib)"
	read -ra gbps <<<"$(setting bandwidth_gbps)"
	read -ra pair <<<"$(awk '$1 == "latency" && $2 == "main" { print $4, $5 }' "$here/sweep.conf")"
	args=(-machine "pc,hmat=on")
	for node in 0 1; do
		args+=(-object "memory-backend-ram,id=tier$node,size=${mib[node]}M")
	done
	args+=(-numa "node,nodeid=0,cpus=0-1,memdev=tier0" -numa "node,nodeid=1,initiator=0,memdev=tier1"
		-numa "dist,src=0,dst=1,val=20")
	for node in 0 1; do
		args+=(-numa "hmat-lb,initiator=0,target=$node,hierarchy=memory,$(
			)data-type=access-latency,latency=${pair[node]}"
			-numa "hmat-lb,initiator=0,target=$node,hierarchy=memory,$(
			)data-type=access-bandwidth,bandwidth=${gbps[node]}G")
	done
	mapfile -t args < <(printf -- '--qemu-arg\n%s\n' "${args[@]}")
	# Zone DMA is taken out: what is free in it makes the whole node look well to kswapd. Where the
	# guest waits for its disk its clock runs ahead: that is no task that hangs.
	"$root/tools/vm/run" --kernel $kernel --cpus 2 --mem $((mib[0] + mib[1])) --icount \
		--time-limit 7200 "${args[@]}" --append "memmap=15M\$1M sysctl.kernel.hung_task_timeout_secs=0" \
		--plugin "$work/tiers.so,out=$out/marks,split=${mib[0]},cache=$(setting cache_kib)" \
		--in "$work/in/$name" --out "$out" --log "$out/console" -- "$@"
}
