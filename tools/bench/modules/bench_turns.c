// SPDX-License-Identifier: GPL-2.0-only
/*
 * Short turns for the CPUs of a QEMU guest that counts instructions.
 *
 * With -icount QEMU runs one CPU after the other, and each keeps its turn until it waits (PAUSE,
 * HLT) or the next timer of any device is due: milliseconds. Whoever waits for another CPU then
 * waits for turns and not for what that CPU does. So this module has the PIT, which the kernel does
 * not use beside a local APIC timer, tick every 1.7 us, with its interrupt masked: turns end there.
 *
 * The timer is run in the turn of the next CPU, which has none then. Have every second CPU offline.
 *
 * Turns slow the machine down that runs QEMU. With at_flip=1 they begin where a swap has prepared
 * all and is about to flip; "0" to the parameter "on" ends them, until the next flip.
 */
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <asm/cpufeature.h>

#define PIT_IRQ		0
#define PIT_MODE	0x43
#define PIT_CH0		0x40
#define PIT_PERIODIC	0x34	/* channel 0, both bytes, mode 2 */
#define PIT_ONCE	0x30	/* channel 0, both bytes, mode 0: where the kernel leaves it */
#define PIT_COUNT	2	/* of 1.19 MHz, the least that mode 2 takes */

static void pit_set(u8 mode, u16 count)
{
	outb(mode, PIT_MODE);
	outb(count & 0xff, PIT_CH0);
	outb(count >> 8, PIT_CH0);
}

static bool at_flip;
module_param(at_flip, bool, 0444);
MODULE_PARM_DESC(at_flip, "from the next flip of a swap on; else at once");

/* Written by the one flip that there is at a time, and between flips. */
static bool turns_on;

static void turns_set(bool on)
{
	turns_on = on;
	if (on)
		pit_set(PIT_PERIODIC, PIT_COUNT);
	else
		pit_set(PIT_ONCE, 0);
}

static int turns_flip(struct kprobe *probe, struct pt_regs *regs)
{
	if (!turns_on)
		turns_set(true);
	return 0;
}

static struct kprobe turns_probe = {
	.symbol_name = "tiffin_gate_flip",
	.pre_handler = turns_flip,
};

static int turns_param_set(const char *text, const struct kernel_param *param)
{
	bool on;
	int rc = kstrtobool(text, &on);

	if (!rc)
		turns_set(on);
	return rc;
}

static const struct kernel_param_ops turns_param_ops = {
	.set = turns_param_set,
	.get = param_get_bool,
};
module_param_cb(on, &turns_param_ops, &turns_on, 0600);

static int __init turns_init(void)
{
	int rc;

	if (!boot_cpu_has(X86_FEATURE_HYPERVISOR)) {
		pr_err("bench_turns: only for a guest of QEMU -icount; load it there\n");
		return -ENODEV;
	}
	disable_irq(PIT_IRQ);
	if (!at_flip) {
		turns_set(true);
		return 0;
	}
	rc = register_kprobe(&turns_probe);
	if (rc)
		enable_irq(PIT_IRQ);
	return rc;
}
module_init(turns_init);

static void __exit turns_exit(void)
{
	if (at_flip)
		unregister_kprobe(&turns_probe);
	turns_set(false);
	enable_irq(PIT_IRQ);
}
module_exit(turns_exit);

MODULE_DESCRIPTION("short turns for the CPUs of a guest of QEMU -icount");
MODULE_LICENSE("GPL");
