# SPDX-License-Identifier: GPL-2.0-only
#
# What suites need on a kernel built without CONFIG_KUNIT (see build-kunit);
# KUNIT_SHIM is empty where the kernel has it.
ifneq ($(KUNIT_SHIM),)
NOSTDINC_FLAGS += -I$(KUNIT_SHIM)/include
ccflags-y += -include $(KUNIT_SHIM)/include/kunit_shim.h
endif
