# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2016,SC2154 # bash -c expands itself; run sets the variables
#
# Commands that read and write the host's files, against a folder with files of the same names and
# texts. What the host itself answers is tested in vm.sh.

# put FILE TEXT: one file of the tree, with its newline.
put()
{
	mkdir -p "$(dirname "$tree/$1")"
	printf '%s\n' "$2" >"$tree/$1"
}

put_policy()
{
	local id=$1 family=$2 state=$3 instances=$4 name=${1%%-*} rest=${1#*-}

	put "policies/$id/name" "$name"
	put "policies/$id/version" "${rest%+*}"
	put "policies/$id/build" "${rest#*+}"
	put "policies/$id/family" "$family"
	put "policies/$id/abi" 1.0
	put "policies/$id/module" "tiffin_${name}_${rest#*+}"
	put "policies/$id/doc" "what $name does"
	put "policies/$id/state" "$state"
	put "policies/$id/instances" "$instances"
	put "policies/$id/tunables_info" "depth 1 8 4 stages to spread
offset -5 5 0 from the hash"
	put "policies/$id/tunables/depth" 4
	put "policies/$id/tunables/offset" -1
	put "policies/$id/counters_info" "moved flows moved to another CPU"
	put "policies/$id/counters/moved" 12345678901
	put "policies/$id/stores" "per_cpu cpu 2 cpu 8
object flow 1 atomic 16"
	put "policies/$id/stores_info" "per_cpu snapshot no 4 160
object live yes 32768 786560"
	put "policies/$id/handover" ""
}

put_family()
{
	local family=$1

	put "$family/abi" 1.0
	put "$family/available" "default
falcon-1.0+3fa9c1d2"
	put "$family/limits/hold_ns" 5000
	put "$family/limits/close_us" 50
	put "$family/limits/timeout_ms" 5000
	put "$family/limits/probation_ms" 0
	put "$family/limits/stores_kib" 16384
	put "$family/stores_bytes" 786720
	put "$family/figures/packets" 1000
	put "$family/attached" 1
	put "$family/cpus" ""
	put "$family/counters_per_cpu" "0 0 7
1 0 9"
	put "$family/scopes/default/active" falcon-1.0+3fa9c1d2
	put "$family/scopes/default/previous" default
	put "$family/scopes/default/state" stable
	put "$family/scopes/default/stores" "per_cpu cpu 2 cpu 8 4 160 4 0
object flow 1 atomic 16 32768 786560 120 4096"
	put "$family/scopes/default/error" ""
	put "$family/scopes/default/swap" ""
	put "$family/scopes/default/rollback" ""
	put "$family/scopes/default/commit" ""
	# What is not there leaves its blank behind, as the host writes it.
	printf '%s\n' "id 7" "from default" "to falcon-1.0+3fa9c1d2" "result committed" "reason " \
		"attempts 2" "prepare_ns 120000" "close_ns 640" "total_ns 1250000" "held_up_by " \
		"back_attempts 0" "back_close_ns 0" \
		>"$tree/$family/scopes/default/last_swap"
	put "$family/scopes/default/stats" "epoch 7
swaps 7
calls 1000
answered 900
stock 60
continuity 40
continuity_fault 3
hook_p50_ns 120
hook_p99_ns 4100"
}

# What was written to a file last.
wrote()
{
	local text

	text=$(<"$tree/$1")
	[ "$text" = "$2" ] && return
	echo "$1 holds '$text', not '$2'"
	return 1
}

tree=$work/sysfs
put version 0.1.0
put abi 1.0
put last_error ""
mkdir -p "$tree/policies"
put_family packet_steering
put_policy falcon-1.0+3fa9c1d2 packet_steering active 1
put_policy hash-2.1+00c0ffee packet_steering loaded 0
export TIFFIN_SYSFS=$tree

try "list" 0 out='^FAMILY +POLICY +VERSION +BUILD' out='^packet_steering +default +- +- +built in' \
	out='^packet_steering +falcon +1\.0 +3fa9c1d2 +active +1 +what falcon does$' -- list
try "list in JSON" 0 json='sorted(p["name"] for p in d["policies"]) == ["falcon", "hash"]' \
	json='d["policies"][0]["instances"] == 1' json='d["host"]["version"] == "0.1.0"' \
	json='d["families"][0]["scopes"][0]["active"] == "falcon-1.0+3fa9c1d2"' -- list --json
try "show" 0 out='^tiffin 0\.1\.0, core ABI 1\.0' out='packet_steering +1\.0 +default +falcon-1' -- show
try "show in JSON" 0 json='d["families"][0]["scopes"][0]["state"] == "stable"' -- show --json
try "show a family" 0 out='^family +packet_steering' out='^  total_ns +1\.2 ms' out='^  close_ns +640 ns' \
	out='^  attached +1' out='^  hold_ns +5\.0 us' not='counters_per_cpu' -- show packet_steering
try "show a family in JSON" 0 json='d["limits"]["hold_ns"] == 5000' \
	json='d["available"] == ["default", "falcon-1.0+3fa9c1d2"]' json='d["settings"]["cpus"] == ""' \
	json='d["scopes"][0]["last_swap"]["attempts"] == 2' json='d["scopes"][0]["last_swap"]["reason"] == ""' \
	json='"counters_per_cpu" not in d["settings"]' json='d["stores_bytes"] == 786720' \
	json='"stores_bytes" not in d["settings"]' json='d["limits"]["stores_kib"] == 16384' -- \
	show packet_steering --json
try "show a policy" 0 out='^id +falcon-1\.0\+3fa9c1d2' out='^depth +4 +1 +8 +4 +stages to spread$' \
	out='^moved +12345678901 +flows moved to another CPU$' \
	out='^object +flow +1 +atomic +16 +- +live +yes$' -- show falcon
try "show a policy in JSON" 0 json='d["tunables"][1] == {"name": "offset", "min": -5, "max": 5,
	"default": 0, "doc": "from the hash", "value": -1}' \
	json='d["counters"][0]["value"] == 12345678901' json='d["stores"][1] == {"kind": "object",
	"schema": "flow", "version": 1, "sharing": "atomic", "record_size": 16, "lists": None,
	"undo": "live", "converts": True, "records": 32768, "bytes": 786560}' -- show falcon-1.0+3fa9c1d2 --json

# In quarantine, as root sees it: the last of its faults that are kept, not those of others.
put_policy falcon-1.1+0badf001 packet_steering quarantined 0
put faults "16 1700000000.000001 packet_steering hash-2.1+00c0ffee CPU 0: page fault at hash_decide+0x9/0x30 [tiffin_hash_00c0ffee]
17 1700000001.250000 packet_steering falcon-1.1+0badf001 CPU 3: page fault at falcon_decide+0x1c/0x90 [tiffin_falcon_0badf001]
18 1700000002.000000 packet_steering falcon-1.1+0badf001 CPU 12: too slow"
why=falcon-1.1+0badf001
try "list: quarantined" 0 out='falcon +1\.1 +0badf001 +quarantined' \
	out='^falcon-1\.1\+0badf001 is in quarantine; .*: tiffin show falcon-1\.1\+0badf001$' not='hash.* is in quarantine' -- list
try "show: quarantined" 0 out='^falcon-1\.1\+0badf001 is in quarantine; ' -- show
try "show a policy in quarantine" 0 out='^in quarantine: .* never called again$' \
	out='^  2023-11-14 22:13:21\.250  CPU 3  page fault at falcon_decide\+0x1c/0x90 \[tiffin_falcon_0badf001\]$' \
	out='^  2023-11-14 22:13:22\.000  CPU 12  too slow$' out='^  active in scope default: falcon-1\.0\+3fa9c1d2$' \
	out='^  unload it: tiffin unload falcon-1\.1\+0badf001$' out='^  load its next build, .*tiffin load FILE\.ko$' \
	not='hash_decide' -- show $why
try "show a policy in quarantine, in JSON" 0 json='[f["cpu"] for f in d["quarantine"]["faults"]] == [3, 12]' \
	json='d["quarantine"]["faults"][0]["what"].startswith("page fault at falcon_decide+0x1c")' \
	json='d["quarantine"]["faults"][0]["time_ms"] == 1700000001250 and d["quarantine"]["faults"][0]["number"] == 17' \
	json='d["quarantine"]["active"] == [{"scope": "default", "policy": "falcon-1.0+3fa9c1d2"}]' \
	json='"tiffin unload" in d["quarantine"]["next"]' -- show $why --json
try "show a policy that is not in quarantine" 0 not='quarantine' -- show hash
try "the same in JSON" 0 json='d["quarantine"] is None' -- show hash --json
put faults "18 1700000002.000000 packet_steering hash-2.1+00c0ffee CPU 1: too slow
a line of another make
19 x y"
try "show a policy in quarantine whose faults are gone" 0 out='the last faults that are kept are of others' -- show $why
try "the same in JSON" 0 json='d["quarantine"]["faults"] == []' -- show $why --json
rm "$tree/faults"
try "show a policy in quarantine, not as root" 0 out='why and when: ask as root' -- show $why
try "the same in JSON" 0 json='d["quarantine"]["faults"] is None' -- show $why --json
rm -r "$tree/policies/$why"
try "show by name and version" 0 out='^id +hash-2\.1' -- show hash-2.1
try "show what is not there" 3 err="no policy 'tpp' is loaded" err='loaded: falcon-1' err='tiffin load' -- show tpp
try "show what is no name" 3 err="no policy '../x'" -- show ../x
try "version of the host" 0 json='d["host"]["core_abi"] == "1.0"' \
	json='d["host"]["family_abi"] == {"packet_steering": "1.0"}' -- version --json

try "show --stores" 0 out='^packet_steering: stores take 768\.3 KiB of 16\.0 MiB$' \
	out='^packet_steering +default +falcon-1\.0\+3fa9c1d2 +object +flow +1 +atomic +16 +- +32768 +768\.1 KiB +120 +4096$' \
	out='^hash-2\.1\+00c0ffee +loaded +per_cpu +cpu +2 +cpu +8 +- +4 +160 B +snapshot +no$' -- show --stores
try "show --stores in JSON" 0 json='d["families"][0]["scopes"][0]["stores"][1] == {"kind": "object",
	"schema": "flow", "version": 1, "sharing": "atomic", "record_size": 16, "lists": None,
	"records": 32768, "bytes": 786560, "converted": 120, "pending": 4096}' \
	json='[p["id"] for p in d["policies"]] == ["falcon-1.0+3fa9c1d2", "hash-2.1+00c0ffee"]' \
	json='d["families"][0]["stores_bytes"] == 786720 and d["families"][0]["stores_kib"] == 16384' -- \
	show --stores --json
try "show --stores of a family" 0 json='len(d["families"]) == 1 and len(d["policies"]) == 2' -- \
	show --stores packet_steering --json
try "show --stores of the active policy" 0 json='[p["id"] for p in d["policies"]] == ["falcon-1.0+3fa9c1d2"]' \
	json='len(d["families"][0]["scopes"]) == 1' -- show falcon --stores --json
try "show --stores of a policy that is not active" 0 not='of what is active' \
	out='^hash-2\.1\+00c0ffee +loaded +object' -- show --stores hash
try "show --stores of what is not there" 3 err="no policy 'tpp'" -- show --stores tpp
put policies/hash-2.1+00c0ffee/stores "lists clock 1 atomic 4"
put policies/hash-2.1+00c0ffee/stores_info "lists zeros no 32768 262144"
try "show --stores: lists have no records of a size" 0 \
	out='^hash-2\.1\+00c0ffee +loaded +lists +clock +1 +atomic +- +4 +32768 +256\.0 KiB +zeros +no$' -- show --stores
try "the same in JSON" 0 json='[(s["record_size"], s["lists"]) for s in d["policies"][0]["stores"]] == [(None, 4)]' -- \
	show --stores hash --json
put_policy hash-2.1+00c0ffee packet_steering loaded 0
mv "$tree/policies/hash-2.1+00c0ffee/stores_info" "$work/stores_info"
try "show --stores of an older host" 0 json='d["policies"][0]["stores"][1]["undo"] is None' \
	json='d["policies"][0]["stores"][1]["bytes"] is None' \
	json='d["policies"][0]["stores"][1]["record_size"] == 16' -- \
	show --stores hash --json
mv "$work/stores_info" "$tree/policies/hash-2.1+00c0ffee/stores_info"

put policies/hash-2.1+00c0ffee/doc $'evil \033[31mred'
try "control characters do not reach a terminal" 0 out='evil \?\[31mred' -- list
put policies/hash-2.1+00c0ffee/doc "what hash does"

try "set" 0 out='^falcon-1.0\+3fa9c1d2: depth 4 -> 8$' out='offset -1 -> -5' -- set falcon depth=8 offset=-5
check "set wrote" wrote policies/falcon-1.0+3fa9c1d2/tunables/depth 8
check "set wrote a negative number" wrote policies/falcon-1.0+3fa9c1d2/tunables/offset -5
try "set in JSON" 0 json='d["set"] == [{"name": "depth", "from": 8, "to": 2}]' -- set falcon depth=2 --json
try "set: out of range" 2 err='depth: 9 is outside 1 to 8' -- set falcon offset=1 depth=9
check "set: nothing changed" wrote policies/falcon-1.0+3fa9c1d2/tunables/offset -5
try "set: no number" 2 err="depth: '0x4' is no number" -- set falcon depth=0x4
try "set: too large a number" 2 err='is no number' -- set falcon depth=99999999999999999999
try "set: empty" 2 err="'' is no number" -- set falcon depth=
try "set: no assignment" 2 err="'depth' is no assignment" -- set falcon depth
try "set: no name" 2 err="'=4' is no assignment" -- set falcon =4
try "set: no such tunable" 3 err="no tunable 'width'" err='its tunables: depth, offset' -- set falcon width=1
try "set: twice" 2 err='depth is given twice' -- set falcon depth=1 depth=2
try "set: no such policy" 3 err="no policy 'tpp'" -- set tpp depth=1
mv "$tree/policies/falcon-1.0+3fa9c1d2/tunables/offset" "$work/offset"
ln -s /dev/full "$tree/policies/falcon-1.0+3fa9c1d2/tunables/offset"
try "set: refused halfway" 1 err='the host refused offset=1' err='nothing has changed' -- set falcon depth=7 offset=1
check "set: what was written is put back" wrote policies/falcon-1.0+3fa9c1d2/tunables/depth 2
mv "$work/offset" "$tree/policies/falcon-1.0+3fa9c1d2/tunables/offset"

try "swap" 0 out='^packet_steering/default: default -> falcon-1.0\+3fa9c1d2, flipped in 1\.2 ms, gate closed for 640 ns, 2 attempts$' -- \
	swap packet_steering falcon
check "swap wrote" wrote packet_steering/scopes/default/swap falcon
try "swap finds the family" 0 json='d["family"] == "packet_steering" and d["result"] == "committed"' -- swap hash --json
check "swap wrote the other" wrote packet_steering/scopes/default/swap hash
try "swap with all options" 0 -- swap --gate 'hook_p99 < 5us' falcon-1.0 --gate 'counter.moved>3' \
	--probation 2m --timeout 300ms --scope default --json
check "swap wrote all options" wrote packet_steering/scopes/default/swap \
	'falcon-1.0 probation_ms=120000 timeout_ms=300 gate=hook_p99<5us gate=counter.moved>3'
try "swap with a gate and no time" 0 -- swap falcon --gate 'busiest_share<60%' --json
check "swap gives it 30 s" wrote packet_steering/scopes/default/swap \
	'falcon probation_ms=30000 gate=busiest_share<60%'
put packet_steering/limits/probation_ms 7000
try "swap with a gate and the family's time" 0 -- swap falcon --gate 'busiest_share<60%' --json
check "swap leaves it to the family" wrote packet_steering/scopes/default/swap 'falcon gate=busiest_share<60%'
put packet_steering/limits/probation_ms 0
try "swap --wait" 0 out='committed' -- swap falcon --wait
try "swap with a gate and no probation" 2 err='gates are watched during the probation' -- \
	swap falcon --gate 'a<1' --probation 0
for gate in 'a' 'a<' '<1' 'a<b' 'a=1' 'a<1x' 'a<-1' 'a<1.5' 'a b<1 c' 'a<<1' 'a<1<2' ''; do
	try "gate '$gate' is none" 2 err='is no condition' err="for example: --gate 'hook_p99<5us'" -- \
		swap falcon --gate "$gate"
done
try "swap: no such policy" 3 err="no policy 'tpp' is loaded" -- swap tpp
try "swap: no such policy in the family" 3 err="no policy 'tpp' is loaded in family packet_steering" -- \
	swap packet_steering tpp
try "swap: no such family" 3 err="no family 'x' is loaded" err='packet_steering' -- swap x falcon
try "swap: no such scope" 3 err="no scope 'x'" err='its scopes: default' -- swap --scope x falcon
try "swap: a path as a family" 3 err='no family' -- swap ../packet_steering falcon
try "swap: a path as a scope" 3 err='no scope' -- swap --scope ../scopes/default falcon
try "swap: a request as a policy" 2 err="can't be a policy's name" -- swap 'falcon timeout_ms=1'
try "swap to the default" 0 json='d["policy"] == "default"' -- swap default --json
check "swap to the default wrote" wrote packet_steering/scopes/default/swap default

# What a swap would do; hash is not active, and is the one that the host would take.
put packet_steering/available "default
hash-2.1+00c0ffee
falcon-1.0+3fa9c1d2"
put policies/hash-2.1+00c0ffee/handover "default object reference live 0
default instance zeros none 1160
other per_cpu convert kept 99999999"
put policies/hash-2.1+00c0ffee/stores "instance all 1 atomic 1024
object flow 1 atomic 16"
put packet_steering/scopes/default/swap "as it was"
try "swap --dry-run" 0 out='^packet_steering/default: falcon-1\.0\+3fa9c1d2 -> hash-2\.1\+00c0ffee, a dry run: nothing has changed$' \
	out='^object +flow +handed over by reference +what the newer policy made of it +0 B$' \
	out='^instance +all +starts from zeros +- +1160 B$' \
	out='^per_cpu +cpu +dropped +each record as at the swap +0 B$' \
	out='^memory: 1160 B more, beside 768\.3 KiB held, of 16\.0 MiB$' -- swap hash --dry-run
try "swap --dry-run in JSON" 0 json='d["result"] == "possible" and d["bytes"] == 1160' \
	json='d["from"] == "falcon-1.0+3fa9c1d2" and d["to"] == "hash-2.1+00c0ffee"' \
	json='[(s["kind"], s["schema"], s["handover"], s["rollback"], s["bytes"]) for s in d["stores"]] == [
	("object", "flow", "reference", "live", 0), ("instance", "all", "zeros", "none", 1160),
	("per_cpu", "cpu", "dropped", "kept", 0)]' \
	json='d["stores_bytes"] == 786720 and d["stores_kib"] == 16384' -- \
	swap --dry-run packet_steering hash-2.1 --json
try "swap --dry-run to the default" 0 json='[(s["kind"], s["handover"]) for s in d["stores"]] == [
	("per_cpu", "dropped"), ("object", "dropped")]' json='d["bytes"] == 0 and d["to"] == "default"' -- \
	swap --dry-run default --json
put policies/hash-2.1+00c0ffee/handover "default instance convert snapshot 1160
default object zeros kept 3"
try "swap --dry-run: conversion, and what is dropped" 0 out='^instance +all +converted +its bytes at the swap +1160 B$' \
	out='^object +flow +dropped, rebuilt from what the family knows +each record as at the swap +3 B$' -- \
	swap hash --dry-run
put policies/hash-2.1+00c0ffee/handover "default instance zeros kept 1160
default object zeros none 3"
try "swap --dry-run: what is rebuilt" 0 out='^instance +all +dropped, starts from zeros +each record' \
	out='^object +flow +rebuilt from what the family knows +- +3 B$' -- swap hash --dry-run
put policies/hash-2.1+00c0ffee/handover "default instance reference zeros 0
default object reference zeros 0"
try "swap --dry-run: what a rollback rebuilds" 0 out='^instance +all +handed over by reference +zeros +0 B$' \
	out='^object +flow +handed over by reference +nothing: rebuilt from what the family knows +0 B$' -- \
	swap hash --dry-run
put policies/hash-2.1+00c0ffee/stores "lists clock 1 atomic 4"
put policies/hash-2.1+00c0ffee/handover "default lists zeros none 262144"
try "swap --dry-run: lists" 0 out='^lists +clock +starts with empty lists +- +256\.0 KiB$' -- swap hash --dry-run
put policies/hash-2.1+00c0ffee/handover "default lists reference zeros 0"
try "swap --dry-run: lists that are handed over" 0 \
	out='^lists +clock +handed over by reference +empty lists +0 B$' -- swap hash --dry-run
put policies/hash-2.1+00c0ffee/stores "instance all 1 atomic 1024
object flow 1 atomic 16"
put policies/hash-2.1+00c0ffee/handover "default instance convert snapshot 1160
default object zeros kept 3"
# 786720 bytes held and 1163 more are 769.4 KiB.
put packet_steering/limits/stores_kib 770
try "swap --dry-run: memory enough" 0 -- swap hash --dry-run --json
put packet_steering/limits/stores_kib 769
try "swap --dry-run: too little memory" 1 out='^memory: 1163 B more' \
	err='stores of hash-2\.1\+00c0ffee take 2 KiB beside the 769 KiB held, packet_steering/limits/stores_kib is 769$' \
	err='raise it: echo 770 > .*/packet_steering/limits/stores_kib' -- swap hash --dry-run
try "swap --dry-run: too little memory, in JSON" 1 json='d["error"]["code"] == "refused"' -- \
	swap hash --dry-run --json
put policies/hash-2.1+00c0ffee/handover "default object reference live 0"
put packet_steering/limits/stores_kib 1
try "swap --dry-run: what takes nothing goes through" 0 -- swap hash --dry-run --json
put packet_steering/limits/stores_kib 16384
try "swap --dry-run to what is active" 0 out='falcon is active already' -- swap falcon --dry-run
try "swap --dry-run to what is active, in JSON" 0 json='d["result"] == "unchanged"' -- swap falcon --dry-run --json
put packet_steering/scopes/default/state sweeping
try "swap --dry-run: busy" 4 err='is busy: its state is sweeping' -- swap hash --dry-run
try "swap --dry-run: how long a sweep takes" 4 err='show --stores says how many records are left' -- swap hash --dry-run
put packet_steering/scopes/default/state probation
try "swap --dry-run: how a probation ends" 4 err='tiffin commit FAMILY, or tiffin rollback FAMILY' -- \
	swap hash --dry-run
put packet_steering/scopes/default/state stable
for gate in hook_p99 packets moved counter.moved continuity; do
	try "swap --dry-run: gate on $gate" 0 -- swap hash --dry-run --gate "$gate<5" --json
done
for gate in luck .. counter. counter.packets hook_p100; do
	try "swap --dry-run: gate on $gate" 1 err="gate '${gate//./\\.}': no such metric" -- \
		swap hash --dry-run --gate "$gate<5"
done
gates=(--gate 'moved<1' --gate 'moved<1' --gate 'moved<1' --gate 'moved<1')
try "swap --dry-run: 8 gates" 0 -- swap hash --dry-run "${gates[@]}" "${gates[@]}" --json
try "swap --dry-run: 9 gates" 1 err='more than 8 gates' -- \
	swap hash --dry-run "${gates[@]}" "${gates[@]}" --gate 'moved<1'
try "swap --dry-run: no such policy" 3 err="no policy 'tpp'" -- swap tpp --dry-run
try "swap --dry-run --wait" 2 err='--dry-run makes none' -- swap hash --dry-run --wait
check "swap --dry-run wrote nothing" wrote packet_steering/scopes/default/swap "as it was"
put packet_steering/available "default
falcon-1.1+22222222
hash-2.1+00c0ffee
falcon-1.0+3fa9c1d2"
put policies/falcon-1.1+22222222/name falcon
put policies/falcon-1.1+22222222/version 1.1
put policies/falcon-1.1+22222222/family packet_steering
try "swap --dry-run takes the newest" 0 json='d["to"] == "falcon-1.1+22222222"' \
	json='[s["handover"] for s in d["stores"]] == ["dropped", "dropped"]' -- swap falcon --dry-run --json
try "swap --dry-run takes the version" 0 json='d["result"] == "unchanged"' -- swap falcon-1.0 --dry-run --json
rm -r "$tree/policies/falcon-1.1+22222222"
put packet_steering/available "default
falcon-1.0+3fa9c1d2"

put packet_steering/scopes/default/error "falcon: something is amiss; do this"
rm "$tree/packet_steering/scopes/default/swap"
ln -s /dev/full "$tree/packet_steering/scopes/default/swap"
try "swap: refused by the host" 1 err='^tiffin: packet_steering/default: falcon: something is amiss; do this$' -- swap falcon
try "swap: refused by the host, in JSON" 1 json='"amiss" in d["error"]["message"]' -- swap falcon --json
put packet_steering/scopes/default/error ""
try "swap: refused without words" 1 err='the host refused .falcon.: No space left' -- swap falcon
rm "$tree/packet_steering/scopes/default/swap"
put packet_steering/scopes/default/swap ""

try "rollback" 0 out='rolled back; falcon-1' -- rollback packet_steering
check "rollback wrote" wrote packet_steering/scopes/default/rollback 1
try "rollback in JSON" 0 json='d["result"] == "rolled_back" and d["previous"] == "default"' -- \
	rollback packet_steering --json
try "commit" 0 json='d["result"] == "committed"' -- commit packet_steering --json
check "commit wrote" wrote packet_steering/scopes/default/commit 1
try "default" 0 out='^packet_steering/default: default$' -- default
check "default wrote" wrote packet_steering/scopes/default/swap 'default probation_ms=0'
put packet_steering/scopes/default/rollback ""
put packet_steering/scopes/default/state probation
try "default during a probation" 0 json='d["scopes"][0]["result"] == "default"' -- default packet_steering --json
check "default ends the probation" wrote packet_steering/scopes/default/rollback 1
put packet_steering/scopes/default/state stable
try "default --all" 0 out='packet_steering/default' -- default --all
try "default --all and a family" 2 err='not both' -- default --all packet_steering

try "unload what is active" 4 err='falcon-1.0.* is active' err='tiffin default packet_steering' -- unload falcon
put policies/falcon-1.0+3fa9c1d2/state previous
try "unload what may come back" 4 err='part of a probation' err='tiffin commit packet_steering' -- unload falcon
put policies/falcon-1.0+3fa9c1d2/state preparing
try "unload what a swap goes to" 4 err='a swap to falcon-1.0.* is under way' err='tiffin show packet_steering' \
	not='probation|commit' -- unload falcon
put policies/falcon-1.0+3fa9c1d2/state quarantined
try "unload what calls are still in" 4 err='falcon-1.0.* is in quarantine, and is being replaced' \
	err='tiffin show packet_steering' not='probation|commit' -- unload falcon
put policies/falcon-1.0+3fa9c1d2/state active
try "unload the default" 2 err='built in' -- unload default
try "unload what is not there" 3 err="no policy 'tpp'" -- unload tpp

put_policy falcon-1.1+22222222 packet_steering loaded 0
try "a name for two policies" 2 err="'falcon' names 2 loaded policies" err='say which: falcon-1.0' -- show falcon
try "swap takes the newest of two" 0 json='d["family"] == "packet_steering"' -- swap falcon --json
put_family page_placement
put_policy falcon-3.0+33333333 page_placement loaded 0
try "swap: two families have it" 2 err='2 families have a policy .falcon.' err='packet_steering, page_placement' -- swap falcon
try "swap: the family is said" 0 json='d["family"] == "page_placement"' -- swap page_placement falcon --json
try "default: which family" 2 err='every family has' err='packet_steering, page_placement' -- default
try "swap default: which family" 2 err='every family has' -- swap default
try "default --all of two" 0 json='len(d["scopes"]) == 2' -- default --all --json

try "stats" 0 out='^packet_steering/default: falcon' out='^  calls +1000' out='^  continuity_fault +3' out='^  hook_p99_ns +4\.1 us' \
	out='^  moved +12345678901' -- stats
try "stats of a family in JSON" 0 json='len(d["families"]) == 1' \
	json='d["families"][0]["scopes"][0]["stats"]["continuity"] == 40' \
	json='d["families"][0]["figures"]["packets"] == 1000' \
	json='d["families"][0]["scopes"][0]["counters"]["moved"] == 12345678901' -- stats packet_steering --json
check "a file that is no table is none" jq -e '.families[0] | has("attached") or has("processes") | not' "$work/out"
put page_placement/attached "pid 77: processes 1 hints 9 promoted 5 demoted 2 remapped 1 written 0 busy 3
cgroup /a: b: processes 0 hints 0 promoted 0 demoted 0 remapped 0 written 0"
put page_placement/processes "77 red: is 3: node0 12 node1 34 hints 9 promoted 5 demoted 2 remapped 1 written 0 unmapped_us 0 3 4"
put page_placement/nodes "0: tier 0 total 1000 free 50 wm_low 20 wm_high 60 shadows 0
1: tier 1 total 2000 free 9 wm_low 20 wm_high 60 shadows 7 pressed"
put page_placement/unmapped_us "<1 6
>=2 1"
try "stats: tables of the family" 0 out='^NAME +TIER +TOTAL .* PRESSED$' out='^1 +1 +2000 +9 .* yes$' \
	out='^77 red: is 3 +12 +34 +9 +5 +2 +1 +0$' out='^pid 77 +1 +9 +5 +2 +1 +0 +3$' out='^cgroup /a: b .* -$' \
	out='^  >=2 +1$' -- stats page_placement
try "stats: tables of the family in JSON" 0 json='d["families"][0]["processes"][0]["name"] == "77 red: is 3"' \
	json='d["families"][0]["processes"][0]["unmapped_us"] == [0, 3, 4]' \
	json='d["families"][0]["processes"][0]["node1"] == 34 and len(d["families"][0]["attached"]) == 2' \
	json='[n.get("pressed") for n in d["families"][0]["nodes"]] == [None, True]' \
	json='d["families"][0]["unmapped_us"] == {"<1": 6, ">=2": 1}' -- stats page_placement --json
put page_placement/attached ""
try "stats: nothing is attached" 0 json='d["families"][0]["attached"] == []' -- stats page_placement --json
try "stats: no such family" 3 err="no family 'x'" -- stats x
try "stats --interval" 0 out='^TIME +SCOPE' out='packet_steering/default' -- \
	stats packet_steering --interval 20ms --count 2
try "stats --interval in JSON" 0 out='^\{.*\}$' -- stats --interval 20ms --count 3 --json
check "stats --interval prints a line each" test "$(wc -l <"$work/out")" = 3

# Rights, as a user who has none.
chmod 755 "$work" "$tree"
chmod -R go+rX "$tree" "$build/asan"
if setpriv --reuid=65534 --regid=65534 --clear-groups "$tiffin" version >/dev/null 2>&1; then
	as_root=$tiffin
	cat >"$work/as-nobody" <<-EOF
	#!/bin/sh
	exec setpriv --reuid=65534 --regid=65534 --clear-groups "$as_root" "\$@"
	EOF
	chmod 755 "$work/as-nobody"
	tiffin=$work/as-nobody
	chmod 400 "$tree"/*/scopes/default/error
	try "list without rights" 0 json='d["families"][0]["scopes"][0]["error"] is None' -- list --json
	try "swap without rights" 6 err='CAP_SYS_ADMIN' -- swap packet_steering hash
	try "set without rights" 6 err='as root' -- set hash depth=1
	try "default without rights" 6 json='d["error"]["code"] == "no_permission"' -- default --all --json
	tiffin=$as_root
else
	fail "run the command as nobody" "is $build readable for all, from / on?"
fi

check "every key of JSON stands in the man page" python3 "$here/keys.py" "$tiffin" "$root/tools/tiffin/tiffin.8"
