// SPDX-License-Identifier: GPL-2.0-only
/* After a call that was ended: the CPU as it was before, and the policy in quarantine. */

#include <linux/build_bug.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/kasan.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/path.h>
#include <linux/rcupdate.h>
#include <linux/sched/task.h>

#include <asm/ptrace.h>

#include "compat/percpu.h"
#include "core/fault.h"
#include "core/guard.h"
#include "core/guard_frame.h"
#include "core/quarantine.h"
#include "core/registry.h"
#include "core/watchdog.h"

DEFINE_PER_CPU(struct tiffin_guard_frame *, tiffin_guard_cursor);

/* What guard_entry.S knows. */
static_assert(offsetof(struct tiffin_guard_frame, flags) == TIFFIN_FRAME_FLAGS);
static_assert(offsetof(struct tiffin_guard_frame, ticks) == TIFFIN_FRAME_FLAGS + 4);
static_assert(offsetof(struct tiffin_guard_frame, preempt) == TIFFIN_FRAME_PREEMPT);
static_assert(sizeof(struct tiffin_guard_frame) == TIFFIN_FRAME_SIZE);
static_assert(TIFFIN_ENTERED == 0);
TIFFIN_PREEMPT_COUNT_ASSERT;

/* What lies at @offset of the task, as it was before the call; at most 4 bytes. */
static __always_inline const void *tiffin_guard_saved(const struct tiffin_guard_frame *frame,
						      size_t offset)
{
	BUILD_BUG_ON(offset < TIFFIN_GUARD_TASK);
	BUILD_BUG_ON(offset + 4 > TIFFIN_GUARD_TASK + sizeof(frame->task));
	return (const void *)&frame->task + offset - TIFFIN_GUARD_TASK;
}

static int tiffin_guard_preempt(const struct tiffin_guard_frame *frame)
{
	return frame->preempt & ~PREEMPT_NEED_RESCHED;
}

/* What a policy has to leave in the CPU's flags as it was; the rest is any function's to change. */
#define TIFFIN_GUARD_FLAGS	(X86_EFLAGS_IF | X86_EFLAGS_DF | X86_EFLAGS_AC)

/* Has the policy left preemption alone, and of the flags what matters? */
static bool tiffin_guard_kept(const struct tiffin_guard_frame *frame, unsigned long flags)
{
	return !((flags ^ frame->flags) & TIFFIN_GUARD_FLAGS) &&
	       preempt_count() == tiffin_guard_preempt(frame);
}

/*
 * The policy may have left each of these other than it found it. RCU's read sides and migration are
 * left by the kernel's own functions, as both count elsewhere, too; preemption first, which those
 * look at.
 */
static void tiffin_guard_repair(const struct tiffin_guard_frame *frame)
{
#ifdef CONFIG_PREEMPT_RCU
	const int *rcu = tiffin_guard_saved(frame, offsetof(struct task_struct,
							    rcu_read_lock_nesting));
#endif
#ifdef CONFIG_SMP
	const unsigned short *migration =
		tiffin_guard_saved(frame, offsetof(struct task_struct, migration_disabled));
#endif

	preempt_count_set(tiffin_guard_preempt(frame));
#ifdef CONFIG_PREEMPT_RCU
	/* As the policy entered them: neither lockdep nor sparse has seen that. */
	while (current->rcu_read_lock_nesting > *rcu)
		__rcu_read_unlock();
#endif
#ifdef CONFIG_SMP
	while (current->migration_disabled > *migration)
		migrate_enable();
#endif
}

/* On a kernel with KASAN: the variables of functions that were cut short are nobody's any more. */
static void tiffin_guard_unpoison(const struct tiffin_guard_frame *frame)
{
#ifdef CONFIG_KASAN_STACK
	unsigned long end = (unsigned long)frame, start = ALIGN_DOWN(end, THREAD_SIZE);

	__memset(kasan_mem_to_shadow((void *)start), 0, (end - start) >> KASAN_SHADOW_SCALE_SHIFT);
#endif
}

static void tiffin_guard_report(struct tiffin_loaded *policy, const struct tiffin_fault *fault)
{
	const struct pt_regs *r = &fault->regs;
	struct tiffin_quarantine_note note = { .what = fault->what };

	scnprintf(note.where, sizeof(note.where), "%pS", (void *)r->ip);
	scnprintf(note.detail, sizeof(note.detail),
		  "error %lx addr %lx ip %lx sp %lx flags %lx ax %lx bx %lx cx %lx dx %lx si %lx di %lx bp %lx r8 %lx r9 %lx r10 %lx r11 %lx r12 %lx r13 %lx r14 %lx r15 %lx",
		  fault->error, fault->addr, r->ip, r->sp, r->flags, r->ax, r->bx, r->cx, r->dx,
		  r->si, r->di, r->bp, r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14,
		  r->r15);
	tiffin_quarantine(policy, &note);
}

asmlinkage enum tiffin_entered tiffin_guard_end(struct tiffin_guard_frame *frame, bool landed,
						unsigned long left)
{
	static const struct tiffin_quarantine_note unnoted = { .what = "ended by the watchdog" };
	struct tiffin_quarantine_note note = { .what = "changed interrupts, preemption or flags" };
	struct tiffin_loaded *policy = frame->policy;
	unsigned long flags = frame->flags;
	struct tiffin_fault *fault;

	if (!landed) {
		if (tiffin_guard_kept(frame, left))
			return TIFFIN_ENTERED;
		scnprintf(note.detail, sizeof(note.detail), "flags %lx preempt_count %x, were %lx %x",
			  left, preempt_count(), flags, tiffin_guard_preempt(frame));
		/* It may have enabled them. */
		local_irq_disable();
		tiffin_guard_repair(frame);
		local_irq_restore(flags);
		tiffin_quarantine(policy, &note);
		return TIFFIN_ENTER_FAULTED;
	}
	tiffin_guard_unpoison(frame);
	tiffin_guard_repair(frame);
	/* With interrupts still off: a call that comes in one may overwrite what was noted. */
	fault = tiffin_fault_noted(frame);
	if (fault)
		tiffin_guard_report(policy, fault);
	else
		tiffin_quarantine(policy, &unnoted);
	local_irq_restore(flags);
	return TIFFIN_ENTER_FAULTED;
}

static bool tiffin_guard_always;

bool tiffin_guard_contain(void)
{
	return READ_ONCE(tiffin_guard_always);
}

int tiffin_guard_set_contain(bool always)
{
	WRITE_ONCE(tiffin_guard_always, always);
	tiffin_guard_refresh();
	return 0;
}

/*
 * kernel.panic_on_oops, which is in no other way to be had: of the machine's own files, whoever
 * asks for the swap. What it was before, where it can't be read.
 */
static bool tiffin_guard_panics(bool before)
{
	struct file *file;
	char text[8] = "";
	struct path root;
	loff_t pos = 0;
	ssize_t len;

	task_lock(&init_task);
	get_fs_root(init_task.fs, &root);
	task_unlock(&init_task);
	file = file_open_root(&root, "proc/sys/kernel/panic_on_oops", O_RDONLY, 0);
	path_put(&root);
	if (IS_ERR(file))
		return before;
	len = kernel_read(file, text, sizeof(text) - 1, &pos);
	fput(file);
	return len > 0 ? text[0] != '0' : before;
}

bool tiffin_guard_refresh(void)
{
	static DEFINE_MUTEX(lock);
	static bool panics;
	bool allow;

	mutex_lock(&lock);
	panics = tiffin_guard_panics(panics);
	if (panics && !tiffin_guard_contain())
		pr_notice_once("tiffin: kernel.panic_on_oops is set: a policy's fault will panic the machine; write 1 to /sys/kernel/tiffin/contain to have it contained all the same\n");
	allow = !panics || tiffin_guard_contain();
	tiffin_fault_allow(allow);
	mutex_unlock(&lock);
	return allow;
}

int tiffin_guard_init(void)
{
	int rc = tiffin_watchdog_init();

	if (rc)
		return rc;
	rc = tiffin_fault_init();
	if (rc)
		tiffin_watchdog_exit();
	else
		tiffin_guard_refresh();
	return rc;
}

void tiffin_guard_exit(void)
{
	tiffin_fault_exit();
	tiffin_watchdog_exit();
}
