// SPDX-License-Identifier: GPL-2.0-only
/*
 * What of a bad policy is contained on this kernel. Nothing here keeps the host from working: each
 * finding is for the operator to weigh.
 */
#include <string.h>

#include "doctor.h"
#include "root.h"
#include "sysfs.h"

static bool is_set(char *text)
{
	bool set = text && *text && *text != '0';

	free(text);
	return set;
}

static bool panics_on_oops(void)
{
	return is_set(root_read("/proc/sys/kernel/panic_on_oops"));
}

/* The host looks at panic_on_oops as a policy becomes active, and when it is asked: not before. */
static bool contained(bool panics)
{
	char *host = sysfs_read("contained");

	return host ? is_set(host) : !panics || is_set(sysfs_read("contain"));
}

static void panic_check(struct doctor *d)
{
	bool panics = panics_on_oops();

	if (contained(panics))
		doctor_ok(d, "faults", !panics ? "a policy that faults is ended, not the machine" :
			  "panic_on_oops is set, and faults of policies are contained all the same");
	else
		doctor_note(d, "faults",
			    "have them contained all the same: echo 1 > /sys/kernel/tiffin/contain\n"
			    "or for the whole kernel: sysctl kernel.panic_on_oops=0",
			    "panic_on_oops is set: a policy that faults panics the machine");
	if (is_set(root_read("/proc/sys/kernel/panic_on_warn")))
		doctor_note(d, "warnings", "sysctl kernel.panic_on_warn=0",
			    "panic_on_warn is set: a warning that a policy causes panics the machine");
}

/* Whether the probe on the kernel's report of page faults does not fire, and why. */
static const char *probe_silent(struct doctor *d, const char **next)
{
	if (doctor_config(d, "KPROBES") == CONFIG_OFF) {
		*next = "use Debian's kernel";
		return "this kernel has no kprobes";
	}
	if (!is_set(root_read("/proc/sys/kernel/ftrace_enabled"))) {
		*next = "sysctl kernel.ftrace_enabled=1";
		return "ftrace_enabled=0";
	}
	if (root_exists("/sys/kernel/debug/kprobes/enabled") &&
	    !is_set(root_read("/sys/kernel/debug/kprobes/enabled"))) {
		*next = "echo 1 > /sys/kernel/debug/kprobes/enabled";
		return "kprobes are switched off";
	}
	return NULL;
}

static void page_fault_check(struct doctor *d)
{
	const char *next = NULL, *why = probe_silent(d, &next);
	bool kdump = is_set(root_read("/sys/kernel/kexec_crash_loaded"));
	char *both __free_on_exit = NULL;

	if (!why) {
		doctor_ok(d, "pagefault", "are contained before the kernel reports them");
		return;
	}
	doctor_note(d, "pagefault", next,
		    "%s: they are contained, but the kernel prints its oops first", why);
	if (!kdump)
		return;
	both = xasprintf("%s\nor unload the crash kernel: kdump-config unload", next);
	doctor_note(d, "kdump", both,
		    "a crash kernel is loaded, and %s: a policy's page fault %sboots it", why,
		    panics_on_oops() ? "" : "in an interrupt, the idle task or init ");
}

static void stack_check(struct doctor *d)
{
	if (doctor_cpu_flag("ibt") && doctor_config(d, "X86_KERNEL_IBT") != CONFIG_OFF)
		doctor_note(d, "stack", "boot with ibt=off",
			    "the processor uses IBT: a policy that overflows the stack is not contained, nor one that jumps elsewhere than to a function");
	else
		doctor_ok(d, "stack", "a policy that overflows the stack is ended");
}

static void loops_check(struct doctor *d)
{
	char *online __free_on_exit = root_read("/sys/devices/system/cpu/online");
	char *nohz __free_on_exit = root_read("/sys/devices/system/cpu/nohz_full");

	if (online && !strpbrk(online, ",-"))
		doctor_note(d, "loops", "give the machine a second CPU",
			    "only one CPU is online: a policy that loops with interrupts off is not ended");
	else
		doctor_ok(d, "loops", "a policy that does not return is ended");
	/* "(null)" where the kernel can, but was not told to. */
	if (nohz && *nohz && *nohz != '(' && *nohz != ' ')
		doctor_note(d, "ticks", "keep policies off them, or bear a timer of 2 ms while they call one",
			    "CPUs %s are nohz_full: calls into policies there bring a timer's interrupts",
			    nohz);
}

void doctor_contain(struct doctor *d)
{
	panic_check(d);
	page_fault_check(d);
	stack_check(d);
	loops_check(d);
}
