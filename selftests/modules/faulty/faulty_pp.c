// SPDX-License-Identifier: GPL-2.0-only
/*
 * faulty_pp: the same as a policy of page_placement, in the hook that it is told. It wants pages
 * moved, up and down and with shadows, so that calls are ended among moves; and the one that is has
 * filled its answer before.
 */
#define FAULTY_MORE_TUNABLES								\
	[FAULTY_MORE] = { "hook", "where it faults; the source has the list", 0,	\
			  FAULTY_PP_HOOKS - 1, 0 },

/* The hooks, and who calls them: a program in its page fault or on its way back, or the host. */
enum {
	FAULTY_PP_HINT,
	FAULTY_PP_PLAN_WAKE,
	FAULTY_PP_DONE_WAKE,
	FAULTY_PP_YOUNG,
	FAULTY_PP_AGE,
	FAULTY_PP_PLAN,
	FAULTY_PP_DONE,
	FAULTY_PP_PRESSURE,
	FAULTY_PP_TICK,
	FAULTY_PP_HOOKS,
};

#include <tiffin/faulty.h>
#include <tiffin/page_placement.h>

static const struct tiffin_store faulty_stores[] = {
	{ "faulty_object", 1, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_LOCKED,
	  sizeof(struct faulty_record) },
	{ "faulty_percpu", 1, TIFFIN_STORE_PER_CPU, TIFFIN_SHARE_CPU,
	  sizeof(struct faulty_record) },
	{ "faulty_lists", 1, TIFFIN_STORE_LISTS, TIFFIN_SHARE_ATOMIC, .lists = 2 },
};

/* This is @hook, or @other, which can't be told from it here. */
static void faulty_in(const struct tiffin_ctx *ctx, __u32 hook, __u32 other)
{
	struct faulty_record *calls = tiffin_percpu(ctx);
	__u32 told = tiffin_tunable(ctx, FAULTY_MORE);

	if (told == hook || told == other)
		faulty_fault(ctx, ++calls->calls);
}

static void faulty_access(const struct tiffin_ctx *ctx, const struct tiffin_pp_access_in *in,
			  struct tiffin_pp_access_out *out)
{
	__u32 hook = in->kind == TIFFIN_PP_HINT ? FAULTY_PP_HINT : FAULTY_PP_YOUNG;

	/*
	 * Moves that others carry out are queued only where it is they that shall come upon a
	 * fault.
	 */
	if (tiffin_tunable(ctx, FAULTY_MORE) >= FAULTY_PP_YOUNG)
		out->verdict = TIFFIN_PP_QUEUE;
	else if (hook == FAULTY_PP_HINT)
		out->verdict = TIFFIN_PP_NOW;
	faulty_in(ctx, hook, hook);
}

static void faulty_age(const struct tiffin_ctx *ctx, const struct tiffin_pp_age_in *in,
		       struct tiffin_pp_age_out *out)
{
	out->verdict = TIFFIN_PP_QUEUE;
	faulty_in(ctx, FAULTY_PP_AGE, FAULTY_PP_AGE);
}

static void faulty_pressure(const struct tiffin_ctx *ctx, const struct tiffin_pp_pressure_in *in,
			    struct tiffin_pp_pressure_out *out)
{
	faulty_in(ctx, FAULTY_PP_PRESSURE, FAULTY_PP_PRESSURE);
}

static void faulty_plan(const struct tiffin_ctx *ctx, const struct tiffin_pp_plan_in *in,
			struct tiffin_pp_plan_out *out)
{
	out->method = TIFFIN_PP_TRANSACTIONAL;
	out->flags = in->direction == TIFFIN_PP_PROMOTE ? TIFFIN_PP_KEEP_SHADOW :
							  TIFFIN_PP_USE_SHADOW;
	out->retries = 1;
	faulty_in(ctx, FAULTY_PP_PLAN, FAULTY_PP_PLAN_WAKE);
}

static void faulty_done(const struct tiffin_ctx *ctx, const struct tiffin_pp_done_in *in,
			struct tiffin_pp_done_out *out)
{
	__u32 hook = in->flags & TIFFIN_PP_IN_WAKE ? FAULTY_PP_DONE_WAKE : FAULTY_PP_DONE;

	faulty_in(ctx, hook, hook);
}

static void faulty_tick(const struct tiffin_ctx *ctx, const struct tiffin_pp_tick_in *in,
			struct tiffin_pp_tick_out *out)
{
	/* What is asked for first, so that later ones find work under way. */
	out->hint_pages = 4096;
	out->scan_pages = 4096;
	if (in->hints)
		faulty_in(ctx, FAULTY_PP_TICK, FAULTY_PP_TICK);
}

static const struct tiffin_pp_hooks faulty_hooks = {
	.access = faulty_access,
	.age = faulty_age,
	.pressure = faulty_pressure,
	.plan = faulty_plan,
	.done = faulty_done,
	.tick = faulty_tick,
};

TIFFIN_POLICY(page_placement, "faulty_pp", "1.0", "test: does what a policy must not do",
	      .init = faulty_init, TIFFIN_HOOKS(faulty_hooks), TIFFIN_STORES(faulty_stores),
	      TIFFIN_TUNABLES(faulty_tunables), TIFFIN_COUNTERS(faulty_counters));
