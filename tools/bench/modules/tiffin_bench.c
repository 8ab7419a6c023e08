// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a call costs: an empty loop, a direct call, an indirect one, and tiffin_dispatch() with
 * whatever policy is active, about no object and about one, in ticks of the time stamp counter.
 * Reading the family's file `ticks` measures. Where QEMU counts instructions (-icount shift=0) one
 * tick is one instruction.
 */
#include <linux/module.h>

#include <tiffin/bench.h>
#include <tiffin/bench_ticks.h>

#include "core/dispatch.h"
#include "core/family.h"

#define BENCH_OBJECTS	16

typedef void (*bench_fn)(const struct tiffin_ctx *ctx, const struct tiffin_bench_in *in,
			 struct tiffin_bench_out *out);

static struct tiffin_family bench_family;

static noinline void bench_echo(const struct tiffin_ctx *ctx, const struct tiffin_bench_in *in,
				struct tiffin_bench_out *out)
{
	tiffin_bench_echo(in, out);
}

static bench_fn bench_indirect = bench_echo;

enum bench_way {
	BENCH_EMPTY,
	BENCH_DIRECT,
	BENCH_INDIRECT,
	BENCH_DISPATCH,
	BENCH_OBJECT,
	BENCH_WAYS,
};

static const char * const bench_names[] = { "empty", "direct", "indirect", "dispatch", "object" };

static noinline void bench_calls(unsigned int way)
{
	struct tiffin_bench_in in = { .size = sizeof(in) };
	struct tiffin_bench_out out = { .size = sizeof(out) };
	struct tiffin_call call = { .object = TIFFIN_NO_OBJECT };
	struct tiffin_ctx ctx = { .size = sizeof(ctx) };
	unsigned int i;

	switch (way) {
	case BENCH_DIRECT:
		BENCH_LOOP(bench_echo(&ctx, &in, &out));
		break;
	case BENCH_INDIRECT:
		BENCH_LOOP(READ_ONCE(bench_indirect)(&ctx, &in, &out));
		break;
	case BENCH_OBJECT:
		call.object = BENCH_OBJECTS - 1;
		call.generation = 1;
		fallthrough;
	case BENCH_DISPATCH:
		BENCH_LOOP(tiffin_dispatch(bench_family.scope, &call, &in, &out));
		break;
	default:
		BENCH_LOOP();
		break;
	}
}

static ssize_t ticks_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	ssize_t len = sysfs_emit(buf, "calls %u\n", BENCH_CALLS);
	unsigned int way;

	for (way = 0; way < BENCH_WAYS; way++)
		len += sysfs_emit_at(buf, len, "%s %llu\n", bench_names[way],
				     bench_ticks(bench_calls, way));
	return len;
}

static struct kobj_attribute bench_attr_ticks = __ATTR_RO(ticks);
static struct attribute *bench_attrs[] = { &bench_attr_ticks.attr, NULL };
static const struct attribute_group bench_group = { .attrs = bench_attrs };

static const struct tiffin_hook bench_hooks[] = {
	{ "echo", offsetof(struct tiffin_bench_hooks, echo), true },
};

static const struct tiffin_family_ops bench_ops;

static struct tiffin_family bench_family = {
	.name = "bench",
	.abi = TIFFIN_bench_ABI,
	.owner = THIS_MODULE,
	.hooks = bench_hooks,
	.nr_hooks = ARRAY_SIZE(bench_hooks),
	.max_objects = BENCH_OBJECTS,
	.ops = &bench_ops,
	.attrs = &bench_group,
	.limits = TIFFIN_LIMITS_INIT,
};

static int __init bench_init(void)
{
	return tiffin_family_register(&bench_family);
}
module_init(bench_init);

static void __exit bench_exit(void)
{
	tiffin_family_unregister(&bench_family);
}
module_exit(bench_exit);

MODULE_DESCRIPTION("tiffin: a family that measures what a call costs");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(TIFFIN);
