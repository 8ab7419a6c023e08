/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the supported kernels in NMIs, and what they have in common behind their
 * backs.
 */
#ifndef TIFFIN_COMPAT_NMI_H
#define TIFFIN_COMPAT_NMI_H

#include <linux/cpumask.h>
#include <linux/version.h>
#include <asm/apic.h>
#include <asm/ptrace.h>

/* Send an NMI to one CPU. Context: any. */
static inline void tiffin_send_nmi(int cpu)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	__apic_send_IPI_mask(cpumask_of(cpu), NMI_VECTOR);
#else
	apic->send_IPI_mask(cpumask_of(cpu), NMI_VECTOR);
#endif
}

/*
 * An NMI of the kernel's own text returns by a copy of the exception's frame that stands right
 * above the registers (arch/x86/entry/entry_64.S: "iret" frame), as another NMI may come meanwhile.
 */
struct tiffin_nmi_iret {
	unsigned long ip;
	unsigned long cs;
	unsigned long flags;
	unsigned long sp;
	unsigned long ss;
};

static inline struct tiffin_nmi_iret *tiffin_nmi_iret(struct pt_regs *regs)
{
	return (struct tiffin_nmi_iret *)(regs + 1);
}

/* Is the copy where it is expected? */
static inline bool tiffin_nmi_iret_ok(struct pt_regs *regs)
{
	const struct tiffin_nmi_iret *iret = tiffin_nmi_iret(regs);

	return iret->ip == regs->ip && iret->cs == regs->cs && iret->flags == regs->flags &&
	       iret->sp == regs->sp;
}

/* Let the NMI return to what @regs say now. */
static inline void tiffin_nmi_iret_set(struct pt_regs *regs)
{
	struct tiffin_nmi_iret *iret = tiffin_nmi_iret(regs);

	iret->ip = regs->ip;
	iret->flags = regs->flags;
	iret->sp = regs->sp;
}

#endif /* TIFFIN_COMPAT_NMI_H */
