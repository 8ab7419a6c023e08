# SPDX-License-Identifier: GPL-2.0-only
#
# The KUnit suites of core and upgrade, one file a line. A suite that needs a
# facility that User Mode Linux lacks (SMP, function tracing, kprobes) goes
# under that facility's symbol: kunit-suites-$(CONFIG_SMP) += dispatch_smp_test.o

kunit-suites-y += lab.o
kunit-suites-y += histogram_test.o
kunit-suites-y += check_test.o
kunit-suites-y += store_test.o
kunit-suites-y += list_test.o
kunit-suites-y += dispatch_test.o
kunit-suites-y += request_test.o
kunit-suites-y += health_test.o
kunit-suites-y += swap_test.o
kunit-suites-y += convert_test.o
kunit-suites-y += quarantine_test.o
kunit-suites-y += account_test.o
kunit-suites-y += sysfs_test.o
kunit-suites-y += registry_test.o
kunit-suites-y += event_test.o
kunit-suites-y += ps_flow_test.o
kunit-suites-y += pp_object_test.o
kunit-suites-$(CONFIG_FTRACE_MCOUNT_RECORD) += traced_test.o
kunit-suites-$(CONFIG_SMP) += smp_test.o
kunit-suites-$(CONFIG_FAILSLAB) += memory_lab.o memory_test.o
# As the guard itself: not where the kernel is a process.
ifeq ($(CONFIG_X86_64)$(CONFIG_UML),y)
kunit-suites-y += guard_test.o fault_test.o watchdog_test.o service_test.o
endif
