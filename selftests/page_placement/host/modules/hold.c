// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds a process's mmap_lock for writing while it is being loaded, which fails then: what a
 * program does that is throttled with its lock, or in a page fault on a file system of its own.
 */

#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>

static int pid;
module_param(pid, int, 0);
MODULE_PARM_DESC(pid, "of whom");

static unsigned int seconds;
module_param(seconds, uint, 0);
MODULE_PARM_DESC(seconds, "for how long");

static int __init hold_init(void)
{
	struct task_struct *task;
	struct mm_struct *mm;
	struct pid *of = find_get_pid(pid);

	task = get_pid_task(of, PIDTYPE_PID);
	put_pid(of);
	if (!task)
		return -ESRCH;
	mm = get_task_mm(task);
	put_task_struct(task);
	if (!mm)
		return -ESRCH;
	mmap_write_lock(mm);
	pr_info("hold: has the lock of %d\n", pid);
	ssleep(seconds);
	mmap_write_unlock(mm);
	pr_info("hold: has let it go\n");
	mmput(mm);
	return -EAGAIN;
}
module_init(hold_init);

MODULE_DESCRIPTION("test: holds a process's mmap_lock");
MODULE_LICENSE("GPL");
