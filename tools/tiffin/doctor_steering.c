// SPDX-License-Identifier: GPL-2.0-only
/* What packet_steering needs of a kernel: a function to put itself in front of, and CPUs. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "modules.h"
#include "root.h"
#include "sysfs.h"

#define FUNCTION	"get_rps_cpu"
#define MODULE		"tiffin_packet_steering"

static void config_check(struct doctor *d)
{
	static const struct {
		const char *option;
		const char *why;
	} needed[] = {
		{ "RPS", "the kernel has no decision to put a policy in front of" },
		{ "NETWORK_SECMARK", "packets have no room for what the host notes on them" },
		{ "KPROBES", "the function to put a policy in front of can't be found" },
		{ "FUNCTION_TRACER", "a running function can't be interposed" },
		{ "DYNAMIC_FTRACE", "a running function can't be interposed" },
		{ "DYNAMIC_FTRACE_WITH_REGS", "a running function can't be interposed" },
	};
	bool all = true;

	if (!d->config)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		if (doctor_config(d, needed[i].option) == CONFIG_ON)
			continue;
		all = false;
		doctor_miss(d, "config", "use a kernel that has it, such as Debian's",
			    "CONFIG_%s is not set: %s", needed[i].option, needed[i].why);
	}
	if (all)
		doctor_ok(d, "config", "RPS, secmarks, kprobes and dynamic ftrace are built in");
	if (doctor_config(d, "DYNAMIC_FTRACE_WITH_DIRECT_CALLS") == CONFIG_OFF)
		doctor_note(d, "config", "nothing has to be done; each packet costs a little more",
			    "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS is not set: mechanism 'ipmodify' is used");
}

static void ftrace_check(struct doctor *d)
{
	char *enabled __free_on_exit = root_read("/proc/sys/kernel/ftrace_enabled");

	if (!enabled)
		doctor_miss(d, "ftrace", "use a kernel that has it, such as Debian's",
			    "this kernel has no ftrace");
	else if (*enabled != '1')
		doctor_miss(d, "ftrace", "sysctl kernel.ftrace_enabled=1",
			    "kernel.ftrace_enabled=%s: functions can't be interposed", enabled);
	else
		doctor_ok(d, "ftrace", "kernel.ftrace_enabled=1");
}

/* A file of tracefs, wherever it is mounted. */
static char *tracefs_read(const char *name)
{
	char *text = root_read("/sys/kernel/tracing/%s", name);

	return text ? text : root_read("/sys/kernel/debug/tracing/%s", name);
}

/* The line that begins with the function's name and ends there, or goes on with a blank; a copy. */
static char *line_of(const char *text, const char *function)
{
	size_t len = strlen(function);

	while (text) {
		const char *end = strchrnul(text, '\n');

		if (!strncmp(text, function, len) && (text[len] == ' ' || text + len == end))
			return xstrndup(text, end - text);
		text = *end ? end + 1 : NULL;
	}
	return NULL;
}

static void function_check(struct doctor *d)
{
	char *functions __free_on_exit = tracefs_read("available_filter_functions");
	char *line __free_on_exit = NULL;

	if (!functions) {
		doctor_note(d, "function", "as root: mount -t tracefs nodev /sys/kernel/tracing",
			    "tracefs can't be read, so whether %s can be interposed shows at load",
			    FUNCTION);
		return;
	}
	line = line_of(functions, FUNCTION);
	if (line)
		doctor_ok(d, "function", "%s can be interposed", FUNCTION);
	else
		doctor_miss(d, "function", "use a kernel that has it, such as Debian's",
			    "%s can't be interposed: it is not among available_filter_functions",
			    FUNCTION);
}

/* Which live patches replace the function. */
static char *livepatch_of(const char *function)
{
	char *root __free_on_exit = root_path("/sys/kernel/livepatch");
	DIR *dir = opendir(root);
	struct dirent *entry;
	char *found = NULL;

	while (dir && !found && (entry = readdir(dir))) {
		if (*entry->d_name != '.' &&
		    root_exists("/sys/kernel/livepatch/%s/vmlinux/%s,1", entry->d_name, function))
			found = xstrdup(entry->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

/*
 * A line of enabled_functions: the name, the number of users, then flags of which I (changes the
 * return address's target) and D (direct call) exclude a second owner.
 */
static bool line_is_owned(const char *line)
{
	const char *flags = strchr(line, ')');

	for (; flags && *flags && strncmp(flags, "tramp:", 6) && *flags != '>'; flags++)
		if ((flags[0] == 'I' || flags[0] == 'D') && flags[-1] == ' ' &&
		    (flags[1] == ' ' || flags[1] == '\t' || !flags[1]))
			return true;
	return false;
}

static bool is_ours(void)
{
	char *attached __free_on_exit = sysfs_read("packet_steering/attached");

	return attached && *attached == '1';
}

static void owner_check(struct doctor *d)
{
	char *functions __free_on_exit = tracefs_read("enabled_functions");
	char *patch __free_on_exit = livepatch_of(FUNCTION);
	char *line __free_on_exit = NULL;
	char *next __free_on_exit = NULL;

	if (patch) {
		next = xasprintf("echo 0 > /sys/kernel/livepatch/%s/enabled, if that patch may go",
				 patch);
		doctor_miss(d, "owner", next, "live patch %s replaces %s", patch, FUNCTION);
		return;
	}
	if (!functions)
		return;
	line = line_of(functions, FUNCTION);
	if (is_ours())
		doctor_ok(d, "owner", "%s is interposed by tiffin", FUNCTION);
	else if (line && line_is_owned(line))
		doctor_miss(d, "owner",
			    "end the tool that does it (a live patch, a BPF fentry or fmod_ret program: bpftool link)",
			    "%s is taken by another: %s", FUNCTION, line);
	else
		doctor_ok(d, "owner", "nobody else interposes %s", FUNCTION);
}

static void module_check(struct doctor *d)
{
	if (module_loaded(MODULE))
		doctor_ok(d, "host", "module %s is loaded", MODULE);
	else if (module_installed(MODULE, d->release))
		doctor_note(d, "host", "modprobe " MODULE,
			    "module %s is installed for this kernel, not loaded", MODULE);
	else
		doctor_note(d, "host", "where it was built: insmod tiffin.ko; insmod " MODULE ".ko",
			    "module %s is not installed for this kernel", MODULE);
}

static void cpus_check(struct doctor *d)
{
	char *online __free_on_exit = root_read("/sys/devices/system/cpu/online");
	char *isolated __free_on_exit = root_read("/sys/devices/system/cpu/isolated");
	char *nohz __free_on_exit = root_read("/sys/devices/system/cpu/nohz_full");

	if (online && !strpbrk(online, ",-"))
		doctor_note(d, "cpus", "give the machine more CPUs",
			    "only one CPU is online: there is nowhere to send a packet");
	if (isolated && *isolated)
		doctor_note(d, "cpus", "leave them out: write the others to packet_steering/cpus",
			    "CPUs %s are isolated; policies may send packets there", isolated);
	/* "(null)" where the kernel can, but was not told to. */
	if (nohz && *nohz && *nohz != '(' && *nohz != ' ')
		doctor_note(d, "cpus", "leave them out: write the others to packet_steering/cpus",
			    "CPUs %s are nohz_full; policies may send packets there", nohz);
}

/* An active security module that labels packets has a mount point of this name. */
static void security_check(struct doctor *d)
{
	static const struct {
		const char *name;
		const char *path;
		const char *next;
	} labels[] = {
		{ "SELinux", "/sys/fs/selinux", "boot with selinux=0" },
		{ "Smack", "/sys/fs/smackfs", "boot without security=smack" },
	};
	bool none = true;

	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		if (!root_exists("%s", labels[i].path))
			continue;
		none = false;
		doctor_miss(d, "security", labels[i].next,
			    "%s is active and labels packets in skb->secmark, which the host uses itself",
			    labels[i].name);
	}
	if (none)
		doctor_ok(d, "security", "neither SELinux nor Smack labels packets");
}

static void steering_examine(struct doctor *d)
{
	config_check(d);
	ftrace_check(d);
	function_check(d);
	owner_check(d);
	if (doctor_loads_modules())
		module_check(d);
	cpus_check(d);
	security_check(d);
}

const struct doctor_family doctor_packet_steering = {
	.name = "packet_steering",
	.examine = steering_examine,
};
