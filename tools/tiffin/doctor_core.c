// SPDX-License-Identifier: GPL-2.0-only
/* What every family needs of a kernel. */
#include <linux/capability.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "doctor.h"
#include "modules.h"
#include "root.h"

#define SIGNING	"sign tiffin's modules and each policy with a key that the kernel trusts:\n"	\
		"kmodsign sha256 KEY CERT FILE.ko; mokutil --import CERT; reboot"

static void release_check(struct doctor *d)
{
	struct utsname uts;

	uname(&uts);
	if (strcmp(uts.machine, "x86_64"))
		doctor_miss(d, "machine", "use an x86-64 machine", "this is %s", uts.machine);
	if (!strncmp(d->release, "6.12.", 5) || !strncmp(d->release, "6.1.", 4))
		doctor_ok(d, "release", "%s is of a series that tiffin is tested on", d->release);
	else
		doctor_note(d, "release",
			    "the tested ones: apt-get install linux-image-amd64 (6.1), or linux-image-6.12-amd64",
			    "%s is of a series that tiffin is not tested on (6.1 and 6.12 are)",
			    d->release);
}

bool doctor_loads_modules(void)
{
	return root_exists("/proc/modules");
}

static void modules_check(struct doctor *d)
{
	char *disabled __free_on_exit = root_read("/proc/sys/kernel/modules_disabled");

	if (!doctor_loads_modules())
		doctor_miss(d, "modules", "use a kernel with CONFIG_MODULES=y",
			    "this kernel can't load modules");
	else if (disabled && *disabled == '1')
		doctor_miss(d, "modules", "reboot, and load tiffin before this is set",
			    "kernel.modules_disabled=1: no module can be loaded until the next boot");
	else
		doctor_ok(d, "modules", "modules can be loaded");
}

static void signing_check(struct doctor *d)
{
	char *enforce __free_on_exit = root_read("/sys/module/module/parameters/sig_enforce");
	char *lockdown __free_on_exit = root_read("/sys/kernel/security/lockdown");
	bool locked = lockdown && strchr(lockdown, '[') && !strstr(lockdown, "[none]");

	if (module_loaded("tiffin")) {
		doctor_ok(d, "signing", "tiffin's modules were accepted");
		return;
	}
	if (enforce && *enforce == 'Y')
		doctor_miss(d, "signing", SIGNING, "module.sig_enforce: only signed modules are taken");
	if (locked)
		doctor_miss(d, "lockdown", SIGNING,
			    "kernel lockdown is on (%s): only signed modules are taken", lockdown);
	else if (!enforce || *enforce != 'Y')
		doctor_ok(d, "signing", "unsigned modules are taken");
}

static void realtime_check(struct doctor *d)
{
	char *realtime __free_on_exit = root_read("/sys/kernel/realtime");

	if ((realtime && *realtime == '1') || doctor_config(d, "PREEMPT_RT") == CONFIG_ON)
		doctor_miss(d, "realtime", "boot the ordinary kernel: linux-image-amd64",
			    "this is a PREEMPT_RT kernel: a call into a policy must not be preempted");
	else
		doctor_ok(d, "realtime", "not a PREEMPT_RT kernel");
}

bool doctor_cpu_flag(const char *flag)
{
	char *text __free_on_exit = root_read("/proc/cpuinfo");
	const char *line = text ? strstr(text, "\nflags") : NULL;
	char *word __free_on_exit = xasprintf(" %s ", flag);
	char *flags __free_on_exit = NULL;

	if (!line)
		return false;
	line++;
	flags = xasprintf("%.*s ", (int)strcspn(line, "\n"), line);
	return strstr(flags, word);
}

/* The host can't be told to do without. */
static void exceptions_check(struct doctor *d)
{
	char *guest __free_on_exit = root_read("/sys/hypervisor/guest_type");

	if (doctor_cpu_flag("fred"))
		doctor_miss(d, "exceptions", "boot with fred=off",
			    "the processor uses FRED: the host does not load, as it could not contain faults");
	else if (guest && !strcmp(guest, "PV"))
		doctor_miss(d, "exceptions", "run it as an HVM or PVH guest",
			    "this is a Xen PV guest: the host does not load, as it could not contain faults");
	else
		doctor_ok(d, "exceptions", "come to the host as they have to");
}

static void modversions_check(struct doctor *d)
{
	switch (doctor_config(d, "MODVERSIONS")) {
	case CONFIG_ON:
		doctor_ok(d, "versions", "MODVERSIONS: a module built for other interfaces is refused");
		break;
	case CONFIG_OFF:
		doctor_note(d, "versions", NULL,
			    "no MODVERSIONS: modules load on exactly the release they were built for");
		break;
	case CONFIG_UNKNOWN:
		doctor_note(d, "config", "it comes with the kernel's package, as /boot/config-RELEASE",
			    "this kernel's configuration is not found; checks that need it are left out");
	}
}

static bool capable(unsigned int capability)
{
	char *status __free_on_exit = root_read("/proc/self/status");
	const char *line = status ? strstr(status, "\nCapEff:") : NULL;

	return line && strtoull(line + strlen("\nCapEff:"), NULL, 16) >> capability & 1;
}

/* The initial user namespace maps every id to itself. */
static bool in_initial_userns(void)
{
	char *map __free_on_exit = root_read("/proc/self/uid_map");
	unsigned long long inside = 1, outside = 1, count = 0;
	char *end;

	if (!map)
		return true;
	inside = strtoull(map, &end, 10);
	outside = strtoull(end, &end, 10);
	count = strtoull(end, &end, 10);
	return !inside && !outside && count == 4294967295ULL;
}

static void rights_check(struct doctor *d)
{
	if (!in_initial_userns())
		doctor_note(d, "rights", "run it outside of the container",
			    "this is not the initial user namespace: swaps would be refused");
	else if (!capable(CAP_SYS_ADMIN) || !capable(CAP_SYS_MODULE))
		doctor_note(d, "rights", "run it as root: loading takes CAP_SYS_MODULE, swapping CAP_SYS_ADMIN",
			    "this user may look, but not load or swap");
	else
		doctor_ok(d, "rights", "this user may load and swap");
}

static void host_check(struct doctor *d)
{
	char *next __free_on_exit = xasprintf("build it for this kernel: make modules K=%s",
					      d->release);

	if (module_loaded("tiffin"))
		doctor_ok(d, "host", "module tiffin is loaded");
	else if (module_installed("tiffin", d->release))
		doctor_note(d, "host", "it comes with the first family: modprobe tiffin_packet_steering",
			    "module tiffin is installed for this kernel, not loaded");
	else
		doctor_note(d, "host", next, "module tiffin is not installed for this kernel");
	if (!root_exists("/lib/modules/%s/build/Makefile", d->release))
		doctor_note(d, "headers", "only where policies are built: apt-get install linux-headers-$(uname -r)",
			    "the kernel's headers are not installed here");
}

void doctor_core(struct doctor *d)
{
	release_check(d);
	modules_check(d);
	if (doctor_loads_modules())
		signing_check(d);
	realtime_check(d);
	exceptions_check(d);
	modversions_check(d);
	rights_check(d);
	if (doctor_loads_modules())
		host_check(d);
}
