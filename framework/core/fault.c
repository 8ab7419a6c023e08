// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exceptions in a policy's text end the call instead of the machine.
 *
 * Page faults come by a kprobe on the kernel's report of them, so that nothing is printed. Where
 * that probe does not fire, as function tracing is switched off, they come by the die notifier,
 * after the kernel has printed its report. The others come by the die notifier alone, which the
 * kernel calls before it reports them. That all of this leaves every lock and count of the kernel
 * as before was found by trying it on 6.1 and 6.12; what has to hold for it stands at
 * tiffin_fault_is().
 */

#include <linux/hardirq.h>
#include <linux/kdebug.h>
#include <linux/kprobes.h>
#include <linux/magic.h>
#include <linux/sched/task_stack.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <asm/page.h>
#include <asm/text-patching.h>
#include <asm/traps.h>
#include <asm/unwind.h>

#include "compat/symbol.h"
#include "core/fault.h"
#include "core/registry.h"

static bool tiffin_fault_allowed;

void tiffin_fault_allow(bool allow)
{
	WRITE_ONCE(tiffin_fault_allowed, allow);
}

/* What was noted last on this CPU. One that lands later may find that another took its place. */
static DEFINE_PER_CPU(struct tiffin_fault, tiffin_fault_last);

bool tiffin_in_policy(const struct tiffin_loaded *policy, unsigned long ip)
{
	return ip - policy->text < policy->text_size;
}

/* The stack of the task, or the page below, which is nobody's: there it is when it overflows. */
static bool tiffin_on_task_stack(unsigned long sp)
{
	return sp - ((unsigned long)task_stack_page(current) - PAGE_SIZE) < THREAD_SIZE + PAGE_SIZE;
}

/*
 * A call runs on the stack of its task or on that of the CPU's interrupts (C1). What else there is
 * in use on a CPU are the stacks of exceptions and of entries, which lie in an area of their own,
 * far from these two. So two addresses are of one stack if they are both of the task's, or both not
 * and no farther from each other than an interrupt's stack is large, which is as large as a task's,
 * with the page below it.
 */
static_assert(IRQ_STACK_SIZE == THREAD_SIZE);

struct tiffin_guard_frame *tiffin_fault_frame(const struct pt_regs *regs)
{
	struct tiffin_guard_frame *frame = this_cpu_read(tiffin_guard_cursor);

	/* Where no call is under way, that is 0. */
	if (user_mode((struct pt_regs *)regs) || regs->sp >= (unsigned long)frame)
		return NULL;
	if (tiffin_on_task_stack((unsigned long)frame))
		return tiffin_on_task_stack(regs->sp) ? frame : NULL;
	return !tiffin_on_task_stack(regs->sp) &&
	       (unsigned long)frame - regs->sp <= THREAD_SIZE + PAGE_SIZE ? frame : NULL;
}

/* Is this word, which is of the call's stack, what a call of the policy, or of the guard, left? */
static bool tiffin_fault_way_back(const struct tiffin_guard_frame *frame, const unsigned long *word)
{
	const unsigned long *back = (const unsigned long *)frame - 1;
	/* Not checked by KASAN: it may stand where a function's variables were. */
	unsigned long ip = READ_ONCE_NOCHECK(*word);

	if (word == back)
		return ip == (unsigned long)tiffin_guard_returned;
	/* Or where the watchdog has had it go instead. */
	return tiffin_in_policy(frame->policy, ip) || ip == (unsigned long)tiffin_guard_return;
}

/* Has a return, at which the processor is, nowhere to go to? */
static bool tiffin_fault_at_return(const struct pt_regs *regs)
{
	unsigned long target = READ_ONCE_NOCHECK(*(const unsigned long *)regs->sp);
	u8 code;

	return !__is_canonical_address(target, __VIRTUAL_MASK_SHIFT + 1) &&
	       !copy_from_kernel_nofault(&code, (const void *)regs->ip, sizeof(code)) &&
	       code == RET_INSN_OPCODE;
}

/*
 * On its own stack only what the policy called is looked at. That is a function of the kernel that
 * has not touched the stack yet, and holds nothing that others wait for; or nowhere. A tracer that
 * has put itself into the way back of such a function would wait for its return: what faults there
 * is left to the kernel.
 */
bool tiffin_fault_is(const struct tiffin_guard_frame *frame, const struct pt_regs *regs, int trap)
{
	const unsigned long *top = (const unsigned long *)regs->sp;

	if (tiffin_in_policy(frame->policy, regs->ip))
		return true;
	/* There may be no more stack to look at. */
	if (trap == X86_TRAP_DF || regs->sp & 7)
		return false;
	if (tiffin_fault_way_back(frame, top))
		return true;
	return trap == X86_TRAP_GP && top + 1 < (const unsigned long *)frame &&
	       tiffin_fault_way_back(frame, top + 1) && tiffin_fault_at_return(regs);
}

void tiffin_fault_note(const struct tiffin_guard_frame *frame, const char *what,
		       unsigned long error, unsigned long addr, const struct pt_regs *regs)
{
	struct tiffin_fault *fault = this_cpu_ptr(&tiffin_fault_last);

	fault->frame = frame;
	fault->what = what;
	fault->error = error;
	fault->addr = addr;
	fault->regs = *regs;
}

struct tiffin_fault *tiffin_fault_noted(const struct tiffin_guard_frame *frame)
{
	struct tiffin_fault *fault = this_cpu_ptr(&tiffin_fault_last);

	if (fault->frame != frame)
		return NULL;
	fault->frame = NULL;
	return fault;
}

void tiffin_fault_divert(struct pt_regs *regs, struct tiffin_guard_frame *frame, const char *what,
			 unsigned long error, unsigned long addr)
{
	tiffin_fault_note(frame, what, error, addr, regs);
	/*
	 * The way back from an exception disables interrupts only where the registers say that they
	 * were enabled, and from here on these don't.
	 */
	if (!irqs_disabled())
		local_irq_disable();
	regs->ip = (unsigned long)tiffin_guard_landing;
	regs->sp = (unsigned long)frame;
	/* Also the direction of string instructions, and the right to touch user memory. */
	regs->flags = X86_EFLAGS_FIXED;
}

static const char *tiffin_fault_name(int trap)
{
	switch (trap) {
	case X86_TRAP_DE: return "division error";
	case X86_TRAP_BP: return "breakpoint";
	case X86_TRAP_UD: return "invalid instruction (BUG)";
	case X86_TRAP_DF: return "stack overflow";
	case X86_TRAP_SS: return "stack segment fault";
	case X86_TRAP_GP: return "general protection fault";
	case X86_TRAP_PF: return "page fault";
	default: return "exception";
	}
}

/* End the call that faulted, if it is a policy's. */
static bool tiffin_fault_take(struct pt_regs *regs, int trap, unsigned long error,
			      unsigned long addr)
{
	struct tiffin_guard_frame *frame = tiffin_fault_frame(regs);

	if (!frame || !READ_ONCE(tiffin_fault_allowed) || !tiffin_fault_is(frame, regs, trap))
		return false;
	tiffin_fault_divert(regs, frame, tiffin_fault_name(trap), error, addr);
	return true;
}

/*
 * irqentry_nmi_exit(), which the kernel does not export; its second argument is a bool in a struct.
 */
static void (*tiffin_nmi_exit)(struct pt_regs *regs, irqentry_state_t state);

/*
 * The policy ran off the end of the stack. The kernel's handler for that has a stack of its own,
 * and does not come back from it, whatever its notifiers say. So it is left for good, but only once
 * all that it has called has returned, as tracers may wait for that: where it called the notifiers.
 * The handler itself has no tracer. Return: where its call of them finds its way back; NULL where
 * that can't be told.
 */
static unsigned long *tiffin_fault_handler(const struct pt_regs *regs)
{
	unsigned long *place, *called = NULL;
	struct unwind_state state;

	for (unwind_start(&state, current, NULL, NULL); !unwind_done(&state);
	     unwind_next_frame(&state)) {
		place = (unsigned long *)state.sp - 1;
		/* The handler's own way back lies right below the registers. */
		if (place == (const unsigned long *)regs - 1)
			return called;
		called = *place == unwind_get_return_address(&state) ? place : NULL;
	}
	return NULL;
}

/* End a call that overflowed the stack, if it is a policy's. */
static bool tiffin_fault_overflow(struct pt_regs *regs, unsigned long error)
{
	unsigned long *place = tiffin_nmi_exit ? tiffin_fault_handler(regs) : NULL;

	if (!place || !tiffin_fault_take(regs, X86_TRAP_DF, error, 0))
		return false;
	/*
	 * What marks the end of the task's stack is overwritten where that was the one, though the
	 * stack pointer may be below it by now; where it was another one this changes nothing.
	 */
	*end_of_stack(current) = STACK_END_MAGIC;
	/* What lies above it is the handler's, which does not go on. */
	place[0] = (unsigned long)tiffin_guard_handled;
	place[1] = (unsigned long)regs;
	return true;
}

NOKPROBE_SYMBOL(tiffin_fault_overflow);

/* The handler of the double fault is over: what the kernel did on its way there is undone. */
void tiffin_fault_handled(struct pt_regs *regs)
{
	irqentry_state_t state = { .lockdep = false };

	tiffin_nmi_exit(regs, state);
}

NOKPROBE_SYMBOL(tiffin_fault_handled);

static int tiffin_fault_die(struct notifier_block *block, unsigned long why, void *data)
{
	struct die_args *args = data;
	int trap = args->trapnr;
	bool ours = true;

	switch (why) {
	case DIE_TRAP:
		if (trap == X86_TRAP_DF)
			return tiffin_fault_overflow(args->regs, args->err) ? NOTIFY_STOP :
									      NOTIFY_DONE;
		break;
	case DIE_GPF:
		trap = X86_TRAP_GP;
		break;
	case DIE_INT3:
		trap = X86_TRAP_BP;
		break;
	case DIE_OOPS:
		/* Of a page fault alone: the others were asked about before. */
		ours = !strcmp(args->str, "Oops");
		/* What stands there is of an earlier exception. */
		trap = X86_TRAP_PF;
		break;
	default:
		return NOTIFY_DONE;
	}
	if (!ours || !tiffin_fault_take(args->regs, trap, args->err, 0)) {
		/* C1: who oopses is ended by the kernel, and the calls that it was in with it. */
		if (why == DIE_OOPS)
			this_cpu_write(tiffin_guard_cursor, NULL);
		return NOTIFY_DONE;
	}
	return NOTIFY_STOP;
}

NOKPROBE_SYMBOL(tiffin_fault_die);

/* After kprobes, which have breakpoints of their own; before who only reports. */
static struct notifier_block tiffin_fault_block = {
	.notifier_call = tiffin_fault_die,
	.priority = INT_MAX - 1,
};

/* page_fault_oops(regs, error_code, address): in its place, nothing. */
static int tiffin_fault_page(struct kprobe *probe, struct pt_regs *args)
{
	struct pt_regs *regs = (struct pt_regs *)args->di;

	if (!tiffin_fault_take(regs, X86_TRAP_PF, args->si, args->dx))
		return 0;
	args->ip = (unsigned long)tiffin_guard_nothing;
	return 1;
}

NOKPROBE_SYMBOL(tiffin_fault_page);

static struct kprobe tiffin_fault_probe = {
	.symbol_name = "page_fault_oops",
	.pre_handler = tiffin_fault_page,
};

int tiffin_fault_init(void)
{
	int rc;

	if (tiffin_exceptions_differ()) {
		pr_err("tiffin: exceptions arrive in another way here (Xen PV, or FRED): a policy's faults could not be contained; boot with fred=off, or on another hypervisor\n");
		return -EOPNOTSUPP;
	}
	tiffin_nmi_exit = tiffin_symbol("irqentry_nmi_exit");
	if (!tiffin_nmi_exit)
		pr_warn("tiffin: no irqentry_nmi_exit in this kernel: a policy that overflows the stack is not contained\n");
	rc = register_kprobe(&tiffin_fault_probe);
	if (rc)
		pr_warn("tiffin: no probe on page_fault_oops (%d): a policy's page fault is contained, but the kernel reports it as an oops\n",
			rc);
	rc = register_die_notifier(&tiffin_fault_block);
	if (rc)
		unregister_kprobe(&tiffin_fault_probe);
	return rc;
}

void tiffin_fault_exit(void)
{
	unregister_die_notifier(&tiffin_fault_block);
	unregister_kprobe(&tiffin_fault_probe);
}
