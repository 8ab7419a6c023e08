// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lets a policy go on after a fault, but for one fault in so many: so many faults can be had of a
 * policy without it being loaded anew after each. It keeps the host from putting the policy in
 * quarantine, by a probe on the function that does; all that comes before, from the fault to the
 * caller's answer, is as ever.
 */
#include <linux/kprobes.h>
#include <linux/module.h>

static unsigned int keep = 100;
module_param(keep, uint, 0644);
MODULE_PARM_DESC(keep, "one fault in so many has its consequences");

static atomic_long_t forgive_faults;

static int forgive_faults_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%ld\n", atomic_long_read(&forgive_faults));
}

static const struct kernel_param_ops forgive_faults_ops = { .get = forgive_faults_get };
module_param_cb(faults, &forgive_faults_ops, NULL, 0444);
MODULE_PARM_DESC(faults, "how many there were");

static noinline notrace void forgive_nothing(void)
{
	barrier();
}

static int forgive_entry(struct kprobe *probe, struct pt_regs *regs)
{
	if (!(atomic_long_inc_return(&forgive_faults) % READ_ONCE(keep)))
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
	return register_kprobe(&forgive_probe);
}
module_init(forgive_init);

static void __exit forgive_exit(void)
{
	unregister_kprobe(&forgive_probe);
}
module_exit(forgive_exit);

MODULE_DESCRIPTION("tiffin: faults without consequences, for tests");
MODULE_LICENSE("GPL");
