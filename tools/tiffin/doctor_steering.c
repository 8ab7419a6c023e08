// SPDX-License-Identifier: GPL-2.0-only
/* What packet_steering needs of a kernel: a function to put itself in front of, and CPUs. */
#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "root.h"
#include "sysfs.h"

#define FUNCTION	"get_rps_cpu"

static void config_check(struct doctor *d)
{
	static const struct doctor_option needed[] = {
		{ "RPS", "the kernel has no decision to put a policy in front of" },
		{ "NETWORK_SECMARK", "packets have no room for what the host notes on them" },
	};

	doctor_options(d, needed, ARRAY_SIZE(needed), "RPS and secmarks are built in");
	if (doctor_config(d, "DYNAMIC_FTRACE_WITH_DIRECT_CALLS") == CONFIG_OFF)
		doctor_note(d, "config", "nothing has to be done; each packet costs a little more",
			    "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS is not set: mechanism 'ipmodify' is used");
}

static bool is_ours(void)
{
	char *attached __free_on_exit = sysfs_read("packet_steering/attached");

	return attached && *attached == '1';
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
	doctor_function(d, FUNCTION);
	doctor_owner(d, FUNCTION, is_ours());
	doctor_module(d, "tiffin_packet_steering");
	cpus_check(d);
	security_check(d);
}

const struct doctor_family doctor_packet_steering = {
	.name = "packet_steering",
	.examine = steering_examine,
};
