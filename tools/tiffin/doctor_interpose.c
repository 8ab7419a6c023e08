// SPDX-License-Identifier: GPL-2.0-only
/* What families need that put a function of their own in the place of one of the kernel's. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "modules.h"
#include "root.h"

void doctor_options(struct doctor *d, const struct doctor_option *needed, size_t nr,
		    const char *all_well)
{
	bool all = true;

	if (!d->config)
		return;
	for (size_t i = 0; i < nr; i++) {
		if (doctor_config(d, needed[i].name) == CONFIG_ON)
			continue;
		all = false;
		doctor_miss(d, "config", "use a kernel that has it, such as Debian's",
			    "CONFIG_%s is not set: %s", needed[i].name, needed[i].why);
	}
	if (all)
		doctor_ok(d, "config", "%s", all_well);
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

void doctor_interpose(struct doctor *d)
{
	static const struct doctor_option needed[] = {
		{ "KPROBES", "the function to put a policy in front of can't be found" },
		{ "FUNCTION_TRACER", "a running function can't be interposed" },
		{ "DYNAMIC_FTRACE", "a running function can't be interposed" },
		{ "DYNAMIC_FTRACE_WITH_REGS", "a running function can't be interposed" },
	};

	doctor_options(d, needed, ARRAY_SIZE(needed), "kprobes and dynamic ftrace are built in");
	ftrace_check(d);
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

bool doctor_has_function(const char *function)
{
	char *functions __free_on_exit = tracefs_read("available_filter_functions");
	char *line __free_on_exit = functions ? line_of(functions, function) : NULL;

	return line;
}

void doctor_function(struct doctor *d, const char *function)
{
	char *functions __free_on_exit = tracefs_read("available_filter_functions");
	char *line __free_on_exit = NULL;

	if (!functions) {
		doctor_note(d, "function", "as root: mount -t tracefs nodev /sys/kernel/tracing",
			    "tracefs can't be read, so whether %s can be interposed shows at load",
			    function);
		return;
	}
	line = line_of(functions, function);
	if (line)
		doctor_ok(d, "function", "%s can be interposed", function);
	else
		doctor_miss(d, "function", "use a kernel that has it, such as Debian's",
			    "%s can't be interposed: it is not among available_filter_functions",
			    function);
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

void doctor_owner(struct doctor *d, const char *function, bool ours)
{
	char *functions __free_on_exit = tracefs_read("enabled_functions");
	char *patch __free_on_exit = livepatch_of(function);
	char *line __free_on_exit = NULL;
	char *next __free_on_exit = NULL;

	if (patch) {
		next = xasprintf("echo 0 > /sys/kernel/livepatch/%s/enabled, if that patch may go",
				 patch);
		doctor_miss(d, "owner", next, "live patch %s replaces %s", patch, function);
		return;
	}
	if (!functions)
		return;
	line = line_of(functions, function);
	if (ours)
		doctor_ok(d, "owner", "%s is interposed by tiffin", function);
	else if (line && line_is_owned(line))
		doctor_miss(d, "owner",
			    "end the tool that does it (a live patch, a BPF fentry or fmod_ret program: bpftool link)",
			    "%s is taken by another: %s", function, line);
	else
		doctor_ok(d, "owner", "nobody else interposes %s", function);
}

void doctor_module(struct doctor *d, const char *module)
{
	char *next __free_on_exit = NULL;

	if (!doctor_loads_modules())
		return;
	if (module_loaded(module)) {
		doctor_ok(d, "host", "module %s is loaded", module);
	} else if (module_installed(module, d->release)) {
		next = xasprintf("modprobe %s", module);
		doctor_note(d, "host", next, "module %s is installed for this kernel, not loaded",
			    module);
	} else {
		next = xasprintf("where it was built: insmod tiffin.ko; insmod %s.ko", module);
		doctor_note(d, "host", next, "module %s is not installed for this kernel", module);
	}
}
