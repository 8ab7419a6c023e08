// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does wrong on its way out when its second allocation fails, in the way that @wrong says; with
 * nothing it does right. The proof that a run of faults.sh can fail.
 */
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static char *wrong = "";
module_param(wrong, charp, 0444);

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(spin);

static char *one, *two;

static void control_in_order(struct mutex *outer, struct mutex *inner)
{
	mutex_lock(outer);
	mutex_lock(inner);
	mutex_unlock(inner);
	mutex_unlock(outer);
}

static void control_undo(void)
{
	if (!strcmp(wrong, "leak"))
		return;
	kfree(one);
	if (!strcmp(wrong, "use")) {
		OPTIMIZER_HIDE_VAR(one);
		(void)READ_ONCE(one[7]);
	} else if (!strcmp(wrong, "order")) {
		control_in_order(&second, &first);
	} else if (!strcmp(wrong, "sleep")) {
		spin_lock(&spin);
		might_sleep();
		spin_unlock(&spin);
	} else if (!strcmp(wrong, "state")) {
		kobject_create_and_add("tiffin", kernel_kobj);
	}
}

static int __init control_init(void)
{
	control_in_order(&first, &second);
	one = kzalloc(64, GFP_KERNEL);
	if (!one)
		return -ENOMEM;
	two = kzalloc(64, GFP_KERNEL);
	if (two)
		return 0;
	control_undo();
	return -ENOMEM;
}

static void __exit control_exit(void)
{
	kfree(two);
	kfree(one);
}

module_init(control_init);
module_exit(control_exit);

MODULE_DESCRIPTION("tiffin control for fault injection");
MODULE_LICENSE("GPL");
