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
 */
#include <linux/interrupt.h>
#include <linux/io.h>
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

static int __init turns_init(void)
{
	if (!boot_cpu_has(X86_FEATURE_HYPERVISOR)) {
		pr_err("bench_turns: only for a guest of QEMU -icount; load it there\n");
		return -ENODEV;
	}
	disable_irq(PIT_IRQ);
	pit_set(PIT_PERIODIC, PIT_COUNT);
	return 0;
}
module_init(turns_init);

static void __exit turns_exit(void)
{
	pit_set(PIT_ONCE, 0);
	enable_irq(PIT_IRQ);
}
module_exit(turns_exit);

MODULE_DESCRIPTION("short turns for the CPUs of a guest of QEMU -icount");
MODULE_LICENSE("GPL");
