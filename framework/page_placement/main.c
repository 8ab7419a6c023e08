// SPDX-License-Identifier: GPL-2.0-only
/* The page_placement host: start-up order and its exact reverse. */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>

#include <tiffin/state.h>

#include "core/version.h"
#include "page_placement/host.h"

/* Unless told, one page of so many can be followed. */
#define PP_PAGES_SHARE	2
#define PP_PAGES_MIN	1024
#define PP_PAGES_MAX	BIT(24)

static unsigned int pages;
module_param(pages, uint, 0444);
MODULE_PARM_DESC(pages, "pages that can be followed at a time; about 100 bytes each, and what policies add (default: half of all)");

bool pp_access_ok(const void *in, const void *answer)
{
	const struct tiffin_pp_access_out *out = answer;

	return out->verdict <= TIFFIN_PP_NOW;
}

bool pp_age_ok(const void *in, const void *answer)
{
	const struct tiffin_pp_age_out *out = answer;

	return out->verdict <= TIFFIN_PP_QUEUE;
}

bool pp_pressure_ok(const void *in, const void *answer)
{
	const struct tiffin_pp_pressure_out *out = answer;

	return out->nr <= TIFFIN_PP_BATCH;
}

bool pp_plan_ok(const void *in, const void *answer)
{
	const struct tiffin_pp_plan_out *out = answer;

	return out->method <= TIFFIN_PP_TRANSACTIONAL &&
	       !(out->flags & ~(TIFFIN_PP_KEEP_SHADOW | TIFFIN_PP_USE_SHADOW | TIFFIN_PP_CANCEL)) &&
	       out->retries <= TIFFIN_PP_MAX_RETRIES;
}

#define PP_HOOK(name_, required_, answer_ok_)						\
	{ .name = #name_, .offset = offsetof(struct tiffin_pp_hooks, name_),		\
	  .required = required_, .answer_ok = answer_ok_ }

static const struct tiffin_hook pp_hooks[] = {
	[PP_HOOK_ACCESS] = PP_HOOK(access, true, pp_access_ok),
	[PP_HOOK_AGE] = PP_HOOK(age, false, pp_age_ok),
	[PP_HOOK_PRESSURE] = PP_HOOK(pressure, false, pp_pressure_ok),
	[PP_HOOK_PLAN] = PP_HOOK(plan, false, pp_plan_ok),
	[PP_HOOK_DONE] = PP_HOOK(done, false, NULL),
	[PP_HOOK_RECLAIM] = PP_HOOK(reclaim, false, NULL),
	[PP_HOOK_TICK] = PP_HOOK(tick, true, NULL),
};

static_assert(ARRAY_SIZE(pp_hooks) == PP_HOOKS);

static enum tiffin_verdict pp_put(enum pp_hook hook, u32 object, u32 generation, const void *in,
				  void *out)
{
	const struct tiffin_call call = {
		.hook = hook,
		.object = object,
		.generation = generation,
		.now_ns = ktime_get_ns(),
	};

	return tiffin_dispatch(pp_family.scope, &call, in, out);
}

enum tiffin_verdict pp_ask(enum pp_hook hook, const void *in, void *out)
{
	return pp_put(hook, TIFFIN_NO_OBJECT, 0, in, out);
}

enum tiffin_verdict pp_ask_of(enum pp_hook hook, u64 handle, const void *in, void *out)
{
	return pp_put(hook, tiffin_handle_object(handle), tiffin_handle_generation(handle), in,
		      out);
}

static void pp_flipped(struct tiffin_family *family, bool stock)
{
	pp_tick_flipped(stock);
}

static const struct tiffin_family_ops pp_ops = {
	.figure = pp_figure,
	.flipped = pp_flipped,
};

struct tiffin_family pp_family = {
	.name = "page_placement",
	.abi = TIFFIN_page_placement_ABI,
	.owner = THIS_MODULE,
	.hooks = pp_hooks,
	.nr_hooks = ARRAY_SIZE(pp_hooks),
	.figures = pp_figures,
	.ops = &pp_ops,
	.attrs = &pp_attrs,
	.limits = TIFFIN_LIMITS_INIT,
};

/* Half of the machine's pages, unless the operator says otherwise. */
static u32 pp_pages(void)
{
	return clamp_t(unsigned long, pages ?: totalram_pages() / PP_PAGES_SHARE, PP_PAGES_MIN,
		       PP_PAGES_MAX);
}

static int __init pp_init(void)
{
	int err;

	if (IS_ENABLED(CONFIG_PREEMPT_RT)) {
		pr_err("on a PREEMPT_RT kernel page-table locks sleep, which this host does not support: load it on another kernel\n");
		return -EOPNOTSUPP;
	}
	err = pp_hint_init();
	if (err)
		return err;
	err = pp_tiers_init();
	if (err)
		return err;
	err = pp_objects_init(pp_pages());
	if (err)
		goto exit_tiers;
	err = pp_movers_init();
	if (err)
		goto exit_objects;
	err = pp_targets_init();
	if (err)
		goto exit_movers;
	pp_family.max_objects = pp_objects_max();
	pp_family.generation = pp_objects_generation();
	pp_family.nr_figures = pp_nr_figures;
	pp_tiers_sample();
	err = tiffin_family_register(&pp_family);
	if (err)
		goto exit_targets;
	err = pp_move_init();
	if (err)
		goto unregister;
	err = pp_hint_attach();
	if (err)
		goto exit_move;
	err = pp_tick_start();
	if (err)
		goto detach;
	return 0;

detach:
	pp_hint_detach();
exit_move:
	pp_move_exit();
unregister:
	pp_targets_end();
	tiffin_family_unregister(&pp_family);
exit_targets:
	pp_targets_exit();
exit_movers:
	pp_movers_exit();
exit_objects:
	pp_objects_exit();
exit_tiers:
	pp_tiers_exit();
	return err;
}

static void __exit pp_exit(void)
{
	pp_tick_stop();
	/* While its faults still come here: marks go. */
	pp_targets_end();
	pp_hint_detach();
	pp_move_exit();
	tiffin_family_unregister(&pp_family);
	pp_targets_exit();
	pp_movers_exit();
	pp_objects_exit();
	pp_tiers_exit();
}

module_init(pp_init);
module_exit(pp_exit);

MODULE_DESCRIPTION("tiffin: the page_placement family");
MODULE_AUTHOR("The tiffin authors");
MODULE_VERSION(TIFFIN_VERSION);
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(TIFFIN);
