// SPDX-License-Identifier: GPL-2.0-only
/* Drives the movers of the page_placement host for tests: a device that takes batches. */

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "page_placement/move.h"
#include "page_placement/recycle.h"
#include "page_placement/shadow.h"
#include "page_placement/watch.h"

#include "test_move.h"

static_assert(TEST_MOVE_PAGES == PP_BATCH);
static_assert(TEST_MOVE_ENDS == PP_SHADOW_ENDS);
static_assert(TEST_MOVE_KEEP == PP_KEEP_SHADOW);
static_assert(TEST_MOVE_OR_PLAIN == PP_OR_PLAIN);
static_assert(TEST_MOVE_BY_WINDOW == PP_BY_WINDOW);
static_assert((int)TEST_REFUSED == (int)PP_REFUSED);
static_assert((int)TEST_REASONS == (int)PP_REASONS);
static_assert((int)TEST_END_DETACHED == (int)PP_SHADOW_DETACHED);

/**
 * struct test_file - an open file
 * @lock: of the rest
 * @watch: of the process, or NULL
 * @notifier: the played secondary MMU
 * @played: it is registered
 * @hold_up: it holds up who unmaps memory
 * @held: so many are held up
 * @wait: they wait here, and who waits for them
 */
struct test_file {
	struct mutex lock; /* of the rest */
	struct pp_watch *watch;
	struct mmu_notifier notifier;
	bool played;
	bool hold_up;
	atomic_t held;
	wait_queue_head_t wait;
};

static int test_invalidate(struct mmu_notifier *notifier, const struct mmu_notifier_range *range)
{
	struct test_file *file = container_of(notifier, struct test_file, notifier);

	if (range->event != MMU_NOTIFY_UNMAP || !mmu_notifier_range_blockable(range) ||
	    !READ_ONCE(file->hold_up))
		return 0;
	atomic_inc(&file->held);
	wake_up_all(&file->wait);
	wait_event(file->wait, !READ_ONCE(file->hold_up));
	atomic_dec(&file->held);
	return 0;
}

static const struct mmu_notifier_ops test_notifier_ops = {
	.invalidate_range_start = test_invalidate,
};

static int test_hold_up(struct test_file *file, bool hold_up)
{
	WRITE_ONCE(file->hold_up, hold_up);
	wake_up_all(&file->wait);
	return 0;
}

static int test_held(struct test_file *file)
{
	long left = wait_event_interruptible_timeout(file->wait, atomic_read(&file->held), 60 * HZ);

	return left > 0 ? 0 : left ?: -ETIME;
}

static int test_notifier(struct test_file *file, bool play)
{
	struct mm_struct *mm;
	int err = 0;

	test_hold_up(file, false);
	if (file->played == play || !file->watch)
		return -EINVAL;
	mm = pp_watch_mm(file->watch);
	if (!play) {
		mmu_notifier_unregister(&file->notifier, mm);
	} else {
		if (!mmget_not_zero(mm))
			return -ESRCH;
		file->notifier.ops = &test_notifier_ops;
		err = mmu_notifier_register(&file->notifier, mm);
		mmput(mm);
	}
	if (!err)
		file->played = play;
	return err;
}

static int test_watch(struct test_file *file, int nr)
{
	struct task_struct *task;
	struct pp_watch *watch;
	unsigned long missed = 0;
	struct mm_struct *mm;
	struct pid *pid;

	if (file->played)
		test_notifier(file, false);
	if (file->watch)
		pp_watch_put(file->watch);
	file->watch = NULL;
	if (!nr)
		return 0;
	pid = find_get_pid(nr);
	task = get_pid_task(pid, PIDTYPE_PID);
	put_pid(pid);
	if (!task)
		return -ESRCH;
	mm = get_task_mm(task);
	put_task_struct(task);
	if (!mm)
		return -ESRCH;
	do {
		watch = pp_watch_get(mm, &missed);
		missed = 0;
	} while (PTR_ERR(watch) == -EAGAIN && !signal_pending(current));
	mmput(mm);
	if (IS_ERR(watch))
		return PTR_ERR(watch);
	file->watch = watch;
	return 0;
}

static int test_move(struct test_file *file, struct test_move *move)
{
	struct pp_batch batch = {
		.watch = file->watch,
		.node = move->node,
		.method = move->method,
		.flags = move->flags,
		.retries = move->retries,
		.nr = min(move->nr, 255u),
	};
	unsigned int i;
	int err;

	if (!file->watch)
		return -EINVAL;
	for (i = 0; i < PP_BATCH; i++)
		batch.page[i].addr = move->addr[i];
	err = pp_move(&batch);
	for (i = 0; i < PP_BATCH; i++) {
		move->result[i] = batch.page[i].result;
		move->reason[i] = batch.page[i].reason;
		move->kept[i] = batch.page[i].shadow_kept;
		move->unmapped_ns[i] = batch.page[i].unmapped_ns;
	}
	move->windows = batch.windows;
	move->copied = batch.copied;
	move->by_table = batch.noted_by_table;
	move->by_window = batch.noted_by_window;
	return err;
}

static int test_figures(struct test_move_figures *out)
{
	struct pp_shadow_figures figures;
	unsigned int i;

	if (out->node < 0 || out->node >= nr_node_ids)
		return -EINVAL;
	pp_shadow_figures(out->node, &figures);
	out->recycled = pp_recycled(out->node);
	out->kept = figures.kept;
	out->now = figures.now;
	for (i = 0; i < PP_SHADOW_ENDS; i++)
		out->ended[i] = figures.ended[i];
	return 0;
}

static int test_sweep(struct test_file *file, struct test_move_sweep *sweep)
{
	unsigned long addr = sweep->addr;

	if (!file->watch)
		return -EINVAL;
	sweep->dropped = pp_shadow_sweep(file->watch, &addr, sweep->nr);
	sweep->addr = addr;
	return 0;
}

static int test_reclaim(struct test_move_reclaim *reclaim)
{
	if (reclaim->node < 0 || reclaim->node >= nr_node_ids)
		return -EINVAL;
	reclaim->done = pp_shadow_reclaim(reclaim->node, reclaim->nr);
	return 0;
}

static long test_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct test_file *file = filp->private_data;
	union {
		struct test_move move;
		struct test_move_figures figures;
		struct test_move_sweep sweep;
		struct test_move_reclaim reclaim;
		s32 number;
	} *in;
	long err;

	if (_IOC_SIZE(cmd) > sizeof(*in))
		return -ENOTTY;
	in = memdup_user((void __user *)arg, _IOC_SIZE(cmd));
	if (IS_ERR(in))
		return PTR_ERR(in);
	mutex_lock(&file->lock);
	switch (cmd) {
	case TEST_MOVE_WATCH:
		err = test_watch(file, in->number);
		break;
	case TEST_MOVE_MOVE:
		err = test_move(file, &in->move);
		break;
	case TEST_MOVE_FIGURES:
		err = test_figures(&in->figures);
		break;
	case TEST_MOVE_SWEEP:
		err = test_sweep(file, &in->sweep);
		break;
	case TEST_MOVE_RECLAIM:
		err = test_reclaim(&in->reclaim);
		break;
	case TEST_MOVE_NOTIFIER:
		err = test_notifier(file, in->number);
		break;
	case TEST_MOVE_HOLD_UP:
		err = test_hold_up(file, in->number);
		break;
	case TEST_MOVE_HELD:
		err = test_held(file);
		break;
	default:
		err = -ENOTTY;
	}
	mutex_unlock(&file->lock);
	if (!err && (_IOC_DIR(cmd) & _IOC_READ) &&
	    copy_to_user((void __user *)arg, in, _IOC_SIZE(cmd)))
		err = -EFAULT;
	kfree(in);
	return err;
}

static int test_open(struct inode *inode, struct file *filp)
{
	struct test_file *file = kzalloc(sizeof(*file), GFP_KERNEL);

	if (!file)
		return -ENOMEM;
	mutex_init(&file->lock);
	init_waitqueue_head(&file->wait);
	filp->private_data = file;
	return 0;
}

static int test_release(struct inode *inode, struct file *filp)
{
	struct test_file *file = filp->private_data;

	test_watch(file, 0);
	kfree(file);
	return 0;
}

static const struct file_operations test_fops = {
	.owner = THIS_MODULE,
	.open = test_open,
	.release = test_release,
	.unlocked_ioctl = test_ioctl,
};

static struct miscdevice test_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = TEST_MOVE_DEVICE,
	.fops = &test_fops,
};

static int __init test_move_init(void)
{
	int err = pp_movers_init();

	if (err)
		return err;
	err = misc_register(&test_device);
	if (err)
		pp_movers_exit();
	return err;
}
module_init(test_move_init);

static void __exit test_move_exit(void)
{
	misc_deregister(&test_device);
	pp_movers_exit();
}
module_exit(test_move_exit);

MODULE_DESCRIPTION("tiffin: drives the movers of page_placement, for tests");
MODULE_AUTHOR("The tiffin authors");
MODULE_LICENSE("GPL");
