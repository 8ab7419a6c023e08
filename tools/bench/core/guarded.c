// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guarded call costs: an empty loop, a direct call of a function that does nothing, and
 * tiffin_enter() of the same one, as dispatch does it, in ticks of the time stamp counter. Reading
 * the parameter `guarded` measures.
 */
#include <linux/irqflags.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include <tiffin/bench_ticks.h>

#include "core/enter.h"
#include "core/family.h"
#include "core/registry.h"

static noinline __noclone notrace void
guarded_empty(const struct tiffin_ctx *ctx, const void *in, void *out)
{
	barrier();
}

static tiffin_hook_fn guarded_fn = guarded_empty;

/* A tick of the watchdog may come between two loops, and looks at the limits. */
static struct tiffin_family guarded_family = { .name = "guarded", .limits = TIFFIN_LIMITS_INIT };
static struct tiffin_loaded guarded_policy = { .family = &guarded_family };
static struct tiffin_loaded *guarded_by = &guarded_policy;

enum guarded_way {
	GUARDED_EMPTY,
	GUARDED_DIRECT,
	GUARDED_CALL,
	GUARDED_WAYS,
};

static const char * const guarded_names[] = { "empty", "direct", "guarded" };

/*
 * The compiler takes the read of the current task out of the loop: in its place, one read for each
 * call.
 */
static __always_inline void guarded_enter(const struct tiffin_ctx *ctx, const void *in, void *out,
					  unsigned int *failed)
{
	(void)this_cpu_read(tiffin_guard_cursor);
	if (unlikely(tiffin_enter(READ_ONCE(guarded_by), READ_ONCE(guarded_fn), ctx, in, out) !=
		     TIFFIN_ENTERED))
		++*failed;
}

static noinline void guarded_calls(unsigned int way)
{
	struct tiffin_ctx ctx = { .size = sizeof(ctx) };
	unsigned int i, failed = 0;
	u64 in = 0, out = 0;

	switch (way) {
	case GUARDED_DIRECT:
		BENCH_LOOP(guarded_empty(&ctx, &in, &out));
		break;
	case GUARDED_CALL:
		BENCH_LOOP(guarded_enter(&ctx, &in, &out, &failed));
		break;
	default:
		BENCH_LOOP();
		break;
	}
	WARN_ON(failed);
}

static int guarded_get(char *buf, const struct kernel_param *param)
{
	int len = sysfs_emit(buf, "calls %u\n", BENCH_CALLS);
	unsigned int way;

	for (way = 0; way < GUARDED_WAYS; way++)
		len += sysfs_emit_at(buf, len, "%s %llu\n", guarded_names[way],
				     bench_ticks(guarded_calls, way));
	return len;
}

static const struct kernel_param_ops guarded_ops = { .get = guarded_get };
module_param_cb(guarded, &guarded_ops, NULL, 0444);
