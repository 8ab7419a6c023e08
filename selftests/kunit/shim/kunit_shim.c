// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes the kernel's own KUnit library, compiled as an external module, run
 * the suites of modules as they are loaded.
 */
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <kunit/test.h>

int kunit_init(void);
void kunit_exit(void);

static struct task_struct *running_task;
static struct kunit *running_test;

struct kunit *kunit_shim_current(void)
{
	if (!in_task() || READ_ONCE(running_task) != current)
		return NULL;
	return READ_ONCE(running_test);
}
EXPORT_SYMBOL_GPL(kunit_shim_current);

void kunit_shim_set_current(struct kunit *test)
{
	WRITE_ONCE(running_task, NULL);
	WRITE_ONCE(running_test, test);
	smp_wmb(); /* a task that finds itself finds its test, too */
	WRITE_ONCE(running_task, test ? current : NULL);
}

static int suites_get(char *buffer, const struct kernel_param *kp)
{
	return -EPERM;
}

static int suites_set(const char *val, const struct kernel_param *kp)
{
	return -EPERM;
}

const struct kernel_param_ops kunit_shim_suites_ops = {
	.get = suites_get,
	.set = suites_set,
};
EXPORT_SYMBOL_GPL(kunit_shim_suites_ops);

/*
 * Gather the suites of all lists in @mod in @suites, which may be %NULL to
 * have them counted only. Returns their number.
 */
static int gather(struct module *mod, struct kunit_suite **suites)
{
	int count = 0;
	int i;

	for (i = 0; i < mod->num_kp; i++) {
		struct kunit_shim_suites *list = mod->kp[i].arg;

		if (mod->kp[i].ops != &kunit_shim_suites_ops)
			continue;
		if (suites)
			memcpy(suites + count, list->suites,
			       list->count * sizeof(*suites));
		count += list->count;
	}
	return count;
}

/* Call @what for the suites of @mod, all at once: they are numbered there. */
static void for_suites(struct module *mod,
		       void (*what)(struct kunit_suite **suites, int count))
{
	int count = gather(mod, NULL);
	struct kunit_suite **suites;

	if (!count)
		return;
	suites = kmalloc_array(count, sizeof(*suites), GFP_KERNEL);
	if (!suites) {
		pr_err("Bail out! no memory for a list of %d suites\n", count);
		return;
	}
	gather(mod, suites);
	what(suites, count);
	kfree(suites);
}

/*
 * The head of the document comes from here: the library prints it only for
 * suites that are built in.
 */
static void run_suites(struct kunit_suite **suites, int count)
{
	pr_info("KTAP version 1\n");
	pr_info("1..%d\n", count);
	__kunit_test_suites_init(suites, count);
}

/* Suites run when the module is live, after its own initialisation. */
static int module_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct module *mod = data;

	switch (event) {
	case MODULE_STATE_LIVE:
		for_suites(mod, run_suites);
		break;
	case MODULE_STATE_GOING:
		for_suites(mod, __kunit_test_suites_exit);
		break;
	}
	return NOTIFY_OK;
}

static struct notifier_block module_nb = {
	.notifier_call = module_event,
};

static int __init kunit_shim_init(void)
{
	int ret;

	ret = kunit_init();
	if (ret)
		return ret;
	ret = register_module_notifier(&module_nb);
	if (ret)
		kunit_exit();
	return ret;
}
module_init(kunit_shim_init);

static void __exit kunit_shim_exit(void)
{
	unregister_module_notifier(&module_nb);
	kunit_exit();
}
module_exit(kunit_shim_exit);
