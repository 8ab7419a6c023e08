// SPDX-License-Identifier: GPL-2.0-only
/* The family's own files in /sys/kernel/tiffin/packet_steering. */

#include <linux/capability.h>
#include <linux/sysfs.h>

#include "core/text.h"
#include "packet_steering/host.h"

#define PS_EXPIRY_MS_MAX	10000

static ssize_t attached_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", ps_interpose_works());
}

static ssize_t attached_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			      size_t len)
{
	bool on;
	int err = kstrtobool(buf, &on);

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (err)
		return err;
	if (on)
		err = ps_steer_attach();
	else
		ps_steer_detach();
	return err ?: len;
}

static struct kobj_attribute ps_attached_attr = __ATTR_RW(attached);

static ssize_t mechanism_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", ps_interpose_mechanism());
}

static struct kobj_attribute ps_mechanism_attr = __ATTR_RO(mechanism);

static ssize_t cpus_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return ps_cpus_show_allowed(buf);
}

static ssize_t cpus_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			  size_t len)
{
	cpumask_var_t allowed;
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (!zalloc_cpumask_var(&allowed, GFP_KERNEL))
		return -ENOMEM;
	err = cpulist_parse(buf, allowed);
	if (!err && !cpumask_subset(allowed, cpu_possible_mask))
		err = -ERANGE;
	if (!err)
		err = ps_cpus_allow(allowed);
	free_cpumask_var(allowed);
	return err ?: len;
}

static struct kobj_attribute ps_cpus_attr = __ATTR_RW(cpus);

static ssize_t expiry_ms_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", jiffies_to_msecs(READ_ONCE(ps_steer.expiry)));
}

static ssize_t expiry_ms_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			       size_t len)
{
	u32 ms;
	int err = kstrtou32(buf, 10, &ms);

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (err)
		return err;
	if (!ms || ms > PS_EXPIRY_MS_MAX)
		return -ERANGE;
	WRITE_ONCE(ps_steer.expiry, msecs_to_jiffies(ms));
	return len;
}

static struct kobj_attribute ps_expiry_ms_attr = __ATTR_RW(expiry_ms);

/* Larger than a page on a large machine. */
static void counters_per_cpu_make(struct kobject *kobj, struct tiffin_text *text)
{
	u32 stage;
	int cpu;

	for_each_possible_cpu(cpu)
		for (stage = 0; stage < TIFFIN_PS_MAX_STAGES; stage++) {
			u64 placed = ps_figures_placed(stage, cpu);

			if (placed)
				tiffin_text_add(text, "%d %u %llu\n", cpu, stage, placed);
		}
}

static struct tiffin_text_file ps_counters_per_cpu =
	TIFFIN_TEXT_FILE("counters_per_cpu", 0444, counters_per_cpu_make);

static struct attribute *ps_attr_list[] = {
	&ps_attached_attr.attr,
	&ps_mechanism_attr.attr,
	&ps_cpus_attr.attr,
	&ps_expiry_ms_attr.attr,
	NULL
};

static struct bin_attribute *ps_bin_attr_list[] = {
	&ps_counters_per_cpu.attr,
	NULL
};

const struct attribute_group ps_attrs = {
	.attrs = ps_attr_list,
	.bin_attrs = ps_bin_attr_list,
};
