// SPDX-License-Identifier: GPL-2.0-only
/* The packet_steering host: start-up order and its exact reverse. */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include "core/version.h"
#include "packet_steering/host.h"

#if !defined(CONFIG_RPS) || !defined(CONFIG_NET_SCHED)
#error "packet_steering needs a kernel with CONFIG_RPS and CONFIG_NET_SCHED"
#endif

static char *mechanism = "auto";
module_param(mechanism, charp, 0444);
MODULE_PARM_DESC(mechanism, "how packets are intercepted: auto (default), direct, ipmodify");

static const struct tiffin_hook ps_hooks[] = {
	{ .name = "decide", .offset = offsetof(struct tiffin_ps_hooks, decide), .required = true,
	  .answer_ok = ps_answer_ok },
};

static void ps_flipped(struct tiffin_family *family, bool stock)
{
	ps_steer_ask(!stock);
}

static const struct tiffin_family_ops ps_ops = {
	.figure = ps_figure,
	.window = ps_figures_window,
	.flipped = ps_flipped,
};

struct tiffin_family ps_family = {
	.name = "packet_steering",
	.abi = TIFFIN_packet_steering_ABI,
	.owner = THIS_MODULE,
	.hooks = ps_hooks,
	.nr_hooks = ARRAY_SIZE(ps_hooks),
	.max_objects = PS_BUCKETS,
	.figures = ps_figures,
	.ops = &ps_ops,
	.attrs = &ps_attrs,
	.limits = TIFFIN_LIMITS_INIT,
};

static int __init ps_init(void)
{
	int err;

	if (IS_ENABLED(CONFIG_PREEMPT_RT)) {
		pr_err("a PREEMPT_RT kernel runs packets preemptibly, which this host does not support: load it on another kernel\n");
		return -EOPNOTSUPP;
	}
	err = ps_interpose_init(mechanism);
	if (err)
		return err;
	err = ps_table_init(&ps_steer.table);
	if (err)
		return err;
	err = ps_figures_init();
	if (err)
		goto free_table;
	err = ps_cpus_init();
	if (err)
		goto free_figures;
	ps_family.nr_figures = ps_nr_figures;
	err = tiffin_family_register(&ps_family);
	if (err)
		goto free_cpus;
	err = ps_steer_attach();
	if (err)
		goto unregister;
	return 0;

unregister:
	ps_steer_end();
	tiffin_family_unregister(&ps_family);
free_cpus:
	ps_cpus_exit();
free_figures:
	ps_figures_exit();
free_table:
	ps_table_exit(&ps_steer.table);
	return err;
}

static void __exit ps_exit(void)
{
	ps_steer_end();
	tiffin_family_unregister(&ps_family);
	ps_cpus_exit();
	ps_figures_exit();
	ps_table_exit(&ps_steer.table);
}

module_init(ps_init);
module_exit(ps_exit);

MODULE_DESCRIPTION("tiffin: the packet_steering family");
MODULE_AUTHOR("The tiffin authors");
MODULE_VERSION(TIFFIN_VERSION);
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(TIFFIN);
