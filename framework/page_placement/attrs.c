// SPDX-License-Identifier: GPL-2.0-only
/* The family's own files in /sys/kernel/tiffin/page_placement. */

#include <linux/capability.h>
#include <linux/sysfs.h>

#include "core/text.h"
#include "page_placement/host.h"

static ssize_t attach_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			    size_t len)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	return pp_attach(buf) ?: len;
}

static struct kobj_attribute pp_attach_attr = __ATTR_WO(attach);

static ssize_t detach_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			    size_t len)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	return pp_detach(buf) ?: len;
}

static struct kobj_attribute pp_detach_attr = __ATTR_WO(detach);

static ssize_t tiers_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return pp_tiers_show(buf);
}

static ssize_t tiers_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			   size_t len)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	return pp_tiers_set(buf) ?: len;
}

static struct kobj_attribute pp_tiers_attr = __ATTR_RW(tiers);

static void nodes_make(struct kobject *kobj, struct tiffin_text *text)
{
	u32 node;

	for (node = 0; node < pp_tiers.machine.nr_nodes; node++) {
		const struct tiffin_pp_node *n = &pp_tiers.node[node];

		if (n->flags & TIFFIN_PP_NODE_USABLE)
			tiffin_text_add(text,
					"%u: tier %u total %llu free %llu wm_low %llu wm_high %llu shadows %llu%s\n",
					node, n->tier, n->total, n->free, n->wm_low, n->wm_high,
					n->shadows,
					n->flags & TIFFIN_PP_NODE_PRESSED ? " pressed" : "");
	}
}

static struct tiffin_text_file pp_nodes = TIFFIN_TEXT_FILE("nodes", 0444, nodes_make);

static ssize_t unmapped_us_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	ssize_t len = 0;
	unsigned int i;

	for (i = 0; i < PP_TIME_BUCKETS; i++)
		len += sysfs_emit_at(buf, len, "%s%lu %lld\n", i == PP_TIME_BUCKETS - 1 ? ">=" : "<",
				     i == PP_TIME_BUCKETS - 1 ? BIT(i - 1) : BIT(i),
				     atomic64_read(&pp_unmapped[i]));
	return len;
}

static struct kobj_attribute pp_unmapped_us_attr = __ATTR_RO(unmapped_us);

static ssize_t headroom_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", pp_tiers_headroom());
}

static ssize_t headroom_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			      size_t len)
{
	u32 permille;
	int err = kstrtou32(buf, 10, &permille);

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	return (err ?: pp_tiers_set_headroom(permille)) ?: len;
}

static struct kobj_attribute pp_headroom_attr = __ATTR_RW(headroom);

/* A bound that is a number, and no more than @max. */
static ssize_t pp_bound_store(u32 *bound, u32 max, const char *buf, size_t len)
{
	u32 value;
	int err = kstrtou32(buf, 10, &value);

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (err)
		return err;
	if (value > max)
		return -ERANGE;
	WRITE_ONCE(*bound, value);
	return len;
}

#define PP_BOUND(name, max)							\
static ssize_t name##_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)	\
{											\
	return sysfs_emit(buf, "%u\n", READ_ONCE(pp_bounds.name));			\
}											\
											\
static ssize_t name##_store(struct kobject *kobj, struct kobj_attribute *attr,		\
			    const char *buf, size_t len)				\
{											\
	return pp_bound_store(&pp_bounds.name, max, buf, len);				\
}											\
											\
static struct kobj_attribute pp_##name##_attr = __ATTR_RW(name)

PP_BOUND(hint_pages, 1 << 24);
PP_BOUND(scan_pages, 1 << 24);
PP_BOUND(promote_mib, 1 << 24);

static void attached_make(struct kobject *kobj, struct tiffin_text *text)
{
	pp_targets_show(text);
}

static struct tiffin_text_file pp_attached = TIFFIN_TEXT_FILE("attached", 0400, attached_make);

static void processes_make(struct kobject *kobj, struct tiffin_text *text)
{
	pp_programs_show(text);
}

static struct tiffin_text_file pp_processes = TIFFIN_TEXT_FILE("processes", 0400, processes_make);

static struct attribute *pp_attr_list[] = {
	&pp_attach_attr.attr,
	&pp_detach_attr.attr,
	&pp_tiers_attr.attr,
	&pp_unmapped_us_attr.attr,
	&pp_headroom_attr.attr,
	&pp_hint_pages_attr.attr,
	&pp_scan_pages_attr.attr,
	&pp_promote_mib_attr.attr,
	NULL
};

static struct bin_attribute *pp_bin_attr_list[] = {
	&pp_attached.attr,
	&pp_processes.attr,
	&pp_nodes.attr,
	NULL
};

const struct attribute_group pp_attrs = {
	.attrs = pp_attr_list,
	.bin_attrs = pp_bin_attr_list,
};
