# SPDX-License-Identifier: GPL-2.0-only
#
# Every target installs what it needs (Debian packages, by tools/deps) and takes a bare machine all
# the way. Products land in .build; what takes long to make again is cached in ~/.cache/tiffin
# (TIFFIN_CACHE). Both are safe to delete.

KERNELS ?= 6.12 6.1
K ?= $(KERNELS)

.PHONY: all modules policies tiffin check check-full check-mutants abi-diff demo bench bench-state \
	bench-page-placement clean help


all: modules policies tiffin

help:
	@echo "make                  the host modules, the policies and the tiffin command"
	@echo "make demo             swap policies under live overlay traffic in a VM, and show it"
	@echo "make check            every test that a change must pass"
	@echo "make check-full       the same and the long ones"
	@echo "make check-mutants    break the product on purpose; each break must be noticed"
	@echo "make abi-diff         what changed in the ABI since it was recorded (FROM=1.0), and why"
	@echo "make bench            measure"
	@echo "make bench-state      what swaps cost by the size of stores; a part of bench"
	@echo "make bench-page-placement  memory tiers: policies against the kernel's own; long"
	@echo "make modules K=6.12   host modules for one kernel (6.12, 6.1, running, a release)"
	@echo "make policies K=6.12  policies for one kernel"
	@echo "make tiffin           the command"

modules:
	tools/deps build
	tools/host/build $(K)

policies: modules
	for k in $(K); do \
		tools/policy/build --kernel $$k plugins/*/*.c || exit; \
	done

tiffin:
	@tools/deps build
	@$(MAKE) --no-print-directory -C tools/tiffin

check:
	tools/deps build vm test static source kunit abi fuzz model demo
	selftests/run

check-full:
	tools/deps build vm test static source kunit abi fuzz model demo
	selftests/run --full

check-mutants:
	tools/deps build vm test source kunit
	selftests/mutants/run

abi-diff:
	@tools/deps build abi
	@selftests/abi/diff $(if $(FROM),--from $(FROM))

demo:
	tools/deps build vm test demo
	tools/demo/run $(if $(BREAK),--break $(BREAK))

bench:
	tools/deps build vm test demo
	tools/bench/run

bench-state:
	tools/deps build vm test demo
	tools/bench/run state

bench-page-placement:
	tools/deps build vm demo
	tools/bench/page_placement/run

clean:
	rm -rf .build
