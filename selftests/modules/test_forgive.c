// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lets a policy go on after a fault, but for one fault in so many: so many faults can be had of a
 * policy without it being loaded anew after each. It keeps the host from putting the policy in
 * quarantine, by a probe on the function that does; all that comes before, from the fault to the
 * caller's answer, is as ever. It also counts how often the host has called faults what.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "core/quarantine.h"

static unsigned int keep = 100;
module_param(keep, uint, 0444);
MODULE_PARM_DESC(keep, "one fault in so many has its consequences");

/**
 * struct forgive_name - what the host has called faults
 * @text: what, and where: up to the offset in a function, or the first digits of an address
 * @count: how many
 */
struct forgive_name {
	char text[64];
	unsigned long count;
};

/* In order of their first; the last place is for all those that find none. */
static struct forgive_name forgive_names[56];
static unsigned long forgive_faults, forgive_kept;
static DEFINE_RAW_SPINLOCK(forgive_lock);

static void forgive_count(const struct tiffin_quarantine_note *note)
{
	struct forgive_name *name = forgive_names, *last = name + ARRAY_SIZE(forgive_names) - 1;
	size_t len = strcspn(note->where, "+") + 1;
	char text[sizeof(name->text)];

	if (strstarts(note->where, "0x"))
		len = 4;
	snprintf(text, sizeof(text), "%s%s%.*s", note->what, note->where[0] ? " at " : "",
		 (int)len, note->where);
	while (name < last && name->text[0] && strcmp(name->text, text))
		name++;
	if (!name->text[0])
		strscpy(name->text, name < last ? text : "others", sizeof(name->text));
	name->count++;
}

static int forgive_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%lu\n", READ_ONCE(*(unsigned long *)kp->arg));
}

static const struct kernel_param_ops forgive_ops = { .get = forgive_get };
module_param_cb(faults, &forgive_ops, &forgive_faults, 0444);
MODULE_PARM_DESC(faults, "how many there were");
module_param_cb(kept, &forgive_ops, &forgive_kept, 0444);
MODULE_PARM_DESC(kept, "how many of them had their consequences");

static int forgive_names_get(char *buf, const struct kernel_param *kp)
{
	unsigned int i;
	int len = 0;

	raw_spin_lock_irq(&forgive_lock);
	for (i = 0; i < ARRAY_SIZE(forgive_names) && forgive_names[i].count; i++)
		len += sysfs_emit_at(buf, len, "%lu %s\n", forgive_names[i].count,
				     forgive_names[i].text);
	raw_spin_unlock_irq(&forgive_lock);
	return len;
}

static const struct kernel_param_ops forgive_names_ops = { .get = forgive_names_get };
module_param_cb(names, &forgive_names_ops, NULL, 0444);
MODULE_PARM_DESC(names, "how many the host has called what");

static noinline notrace void forgive_nothing(void)
{
	barrier();
}

/* tiffin_quarantine(policy, note) */
static int forgive_entry(struct kprobe *probe, struct pt_regs *regs)
{
	unsigned long flags;
	bool kept;

	raw_spin_lock_irqsave(&forgive_lock, flags);
	forgive_count((const struct tiffin_quarantine_note *)regs->si);
	kept = !(++forgive_faults % keep);
	forgive_kept += kept;
	raw_spin_unlock_irqrestore(&forgive_lock, flags);
	if (kept)
		return 0;
	regs->ip = (unsigned long)forgive_nothing;
	return 1;
}

NOKPROBE_SYMBOL(forgive_entry);

static struct kprobe forgive_probe = {
	.symbol_name = "tiffin_quarantine",
	.pre_handler = forgive_entry,
};

static int __init forgive_init(void)
{
	return keep ? register_kprobe(&forgive_probe) : -EINVAL;
}
module_init(forgive_init);

static void __exit forgive_exit(void)
{
	unregister_kprobe(&forgive_probe);
}
module_exit(forgive_exit);

MODULE_DESCRIPTION("tiffin: faults without consequences, for tests");
MODULE_LICENSE("GPL");
