// SPDX-License-Identifier: GPL-2.0-only
/* The lab: a family that only asks, and policies that write down what they were asked. */

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <tiffin/state.h>

#include "core/guard.h"
#include "core/quarantine.h"
#include "core/registry.h"
#include "lab.h"
#include "rescue.h"

/* Policies hang all state off their stores; what a test sees of them hangs here. */
static struct lab *lab_now;

struct lab_record {
	u64 calls;
	u64 spare;
};

/* The second layout: all that is known of the first one lies elsewhere. */
struct lab_record2 {
	u64 mark;
	u64 spare;
	u64 calls;
};

#define LAB_MARK	0xde17au

/*
 * The call under way has to be ended, and this is the last thing that it does. Where the kernel has
 * a guard this is a fault like any other; where it has none, the lab's guard below learns of it.
 */
static noinline void lab_fault(const struct tiffin_ctx *ctx)
{
	WRITE_ONCE(lab_now->faulted, true);
#ifdef TIFFIN_HAVE_GUARD
	__builtin_trap();
#else
	WRITE_ONCE(lab_now->ended[smp_processor_id()], ctx);
#endif
}

#ifndef TIFFIN_HAVE_GUARD

enum tiffin_entered
tiffin_guard_call(const struct tiffin_ctx *ctx, const void *in, void *out,
		  void (*fn)(const struct tiffin_ctx *ctx, const void *in, void *out),
		  struct tiffin_loaded *policy, u64 task)
{
	const struct tiffin_ctx **ended, *was;
	bool mine;

	if (!lab_now) {
		fn(ctx, in, out);
		return TIFFIN_ENTERED;
	}
	/* A call that this one interrupts may have ended itself, and not returned yet. */
	ended = &lab_now->ended[smp_processor_id()];
	was = READ_ONCE(*ended);
	fn(ctx, in, out);
	mine = READ_ONCE(*ended) == ctx;
	WRITE_ONCE(*ended, was);
	if (!mine)
		return TIFFIN_ENTERED;
	lab_quarantine(lab_now, policy, "the lab's fault");
	return TIFFIN_ENTER_FAULTED;
}

#endif /* TIFFIN_HAVE_GUARD */

void lab_quarantine(struct lab *lab, struct tiffin_loaded *loaded, const char *what)
{
	const struct tiffin_quarantine_note note = { .what = what, .where = "lab_ask+0x10" };

	WRITE_ONCE(lab->faulted, true);
	tiffin_quarantine(loaded, &note);
}

/* Another policy's call in its hook at this moment? One of two such calls sees the other. */
static void lab_enter_hook(struct lab *lab, enum lab_who me)
{
	int who;

	tiffin_add(&lab->inside[me], 1);
	for (who = 0; who < LAB_POLICIES; who++)
		if (who != me && tiffin_load(&lab->inside[who]))
			tiffin_add(&lab->mixed, 1);
}

u64 *lab_calls(void *record, enum lab_who who)
{
	if (!record)
		return NULL;
	return who == LAB_DELTA || who == LAB_LAMBDA ? &((struct lab_record2 *)record)->calls :
						       &((struct lab_record *)record)->calls;
}

/* Objects' records of these are shared. The others' are locked: a second call would spoil them. */
static bool lab_shares(enum lab_who me)
{
	return me == LAB_GAMMA || me == LAB_KAPPA || me == LAB_LAMBDA;
}

/*
 * Who has lists keeps each object on the one that the count of its calls says, with that count for
 * a mark; at the head is the last one that was asked about.
 */
static u32 lab_put(const struct tiffin_ctx *ctx, u64 calls, enum lab_who me)
{
	if ((me != LAB_KAPPA && me != LAB_LAMBDA) || !calls)
		return 0;
	return tiffin_list_put(ctx, ctx->handle, calls % LAB_LISTS, TIFFIN_LIST_HEAD, calls);
}

static void lab_answer(const struct tiffin_ctx *ctx, const struct lab_in *in, struct lab_out *out,
		       enum lab_who me)
{
	u64 *object = lab_calls(tiffin_object(ctx), me);
	u64 *instance = lab_calls(tiffin_instance(ctx), me);
	u64 *cpu = lab_calls(tiffin_percpu(ctx), me);
	struct lab *lab = lab_now;
	void (*in_hook)(struct lab *lab, const struct tiffin_ctx *ctx) = READ_ONCE(lab->in_hook);

	lab_enter_hook(lab, me);
	out->number = in->number;
	out->answers++;
	out->who = READ_ONCE(lab->nonsense) ? LAB_POLICIES : me;
	out->flags = ctx->flags;
	out->epoch = ctx->epoch;
	out->cpu = ctx->env->cpu;
	out->now_ns = ctx->now_ns;
	if (object && lab_shares(me))
		out->object_calls = tiffin_add(object, 1) + 1;
	else if (object)
		out->object_calls = ++*object;
	out->put = lab_put(ctx, out->object_calls, me);
	if (instance)
		out->instance_calls = tiffin_add(instance, 1) + 1;
	if (cpu) {
		tiffin_local_add(cpu, 1);
		out->cpu_calls = tiffin_load(cpu);
	}
	if (me != LAB_BARE) {
		out->knob = tiffin_tunable(ctx, LAB_KNOB);
		tiffin_count(ctx, LAB_ASKED, 1);
		if (tiffin_object_fresh(ctx))
			tiffin_count(ctx, LAB_FRESH, 1);
	}
	if (in_hook)
		in_hook(lab, ctx);
	tiffin_add(&lab->inside[me], -1);
	if (READ_ONCE(lab->faulty) & BIT(me))
		lab_fault(ctx);
}

#define LAB_HOOK(_name, _who)									\
static void _name(const struct tiffin_ctx *ctx, const struct lab_in *in, struct lab_out *out)	\
{												\
	lab_answer(ctx, in, out, _who);								\
}

LAB_HOOK(lab_alpha, LAB_ALPHA)
LAB_HOOK(lab_beta, LAB_BETA)
LAB_HOOK(lab_gamma, LAB_GAMMA)
LAB_HOOK(lab_bare, LAB_BARE)
LAB_HOOK(lab_delta, LAB_DELTA)
LAB_HOOK(lab_sigma, LAB_SIGMA)
LAB_HOOK(lab_kappa, LAB_KAPPA)
LAB_HOOK(lab_lambda, LAB_LAMBDA)

const struct lab_hooks lab_hooks[LAB_POLICIES] = {
	[LAB_ALPHA] = { .ask = lab_alpha, .tell = lab_alpha },
	[LAB_BETA] = { .ask = lab_beta, .tell = lab_beta },
	[LAB_GAMMA] = { .ask = lab_gamma, .tell = lab_gamma },
	[LAB_BARE] = { .ask = lab_bare },
	[LAB_DELTA] = { .ask = lab_delta, .tell = lab_delta },
	[LAB_SIGMA] = { .ask = lab_sigma, .tell = lab_sigma },
	[LAB_KAPPA] = { .ask = lab_kappa, .tell = lab_kappa },
	[LAB_LAMBDA] = { .ask = lab_lambda, .tell = lab_lambda },
};

static void lab_init(const struct tiffin_ctx *ctx, const struct tiffin_init_in *in, enum lab_who me)
{
	lab_now->inits[me]++;
	lab_now->reached[me] = (tiffin_instance(ctx) ? BIT(TIFFIN_STORE_INSTANCE) : 0) |
			       (tiffin_percpu(ctx) ? BIT(TIFFIN_STORE_PER_CPU) : 0);
	lab_now->adopted[me] = in->adopted;
	if (lab_now->faulty_init & BIT(me))
		lab_fault(ctx);
}

static void lab_alpha_init(const struct tiffin_ctx *ctx, const struct tiffin_init_in *in)
{
	lab_init(ctx, in, LAB_ALPHA);
}

static void lab_beta_init(const struct tiffin_ctx *ctx, const struct tiffin_init_in *in)
{
	lab_init(ctx, in, LAB_BETA);
}

static void lab_gamma_init(const struct tiffin_ctx *ctx, const struct tiffin_init_in *in)
{
	lab_init(ctx, in, LAB_GAMMA);
}

static const struct tiffin_store lab_stores[] = {
	{ "lab_flow", 1, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_LOCKED, sizeof(struct lab_record) },
	{ "lab_cpu", 1, TIFFIN_STORE_PER_CPU, TIFFIN_SHARE_CPU, sizeof(struct lab_record) },
	{ "lab_all", 1, TIFFIN_STORE_INSTANCE, TIFFIN_SHARE_ATOMIC, sizeof(struct lab_record) },
};

static const struct tiffin_store lab_other_stores[] = {
	{ "lab_flow", 1, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_ATOMIC, sizeof(struct lab_record) },
	{ "lab_cpu", 2, TIFFIN_STORE_PER_CPU, TIFFIN_SHARE_CPU, sizeof(struct lab_record) },
	{ "lab_all", 1, TIFFIN_STORE_INSTANCE, TIFFIN_SHARE_ATOMIC, sizeof(u64) },
};

/* Adds what it finds, so that a second conversion of one record would show. */
static void lab_convert(const struct tiffin_ctx *ctx, const struct tiffin_convert_in *in,
			struct tiffin_convert_out *out)
{
	const struct lab_record *old = in->from;
	struct lab_record2 *new = out->record;

	tiffin_add(&lab_now->converts[in->kind], 1);
	if (READ_ONCE(lab_now->faulty_convert)) {
		new->spare = LAB_MARK;
		lab_fault(ctx);
		return;
	}
	if (in->version != 1 || in->record_size != sizeof(*old) || ctx->object || !ctx->env ||
	    READ_ONCE(lab_now->unknown)) {
		new->spare = LAB_MARK;
		out->unknown = 1;
		return;
	}
	new->mark = LAB_MARK;
	new->calls += old->calls;
}

static const struct tiffin_store lab_second_stores[] = {
	{ "lab_flow", 2, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_LOCKED, sizeof(struct lab_record2),
	  .convert = lab_convert },
	{ "lab_cpu", 2, TIFFIN_STORE_PER_CPU, TIFFIN_SHARE_CPU, sizeof(struct lab_record2),
	  .convert = lab_convert },
	{ "lab_all", 2, TIFFIN_STORE_INSTANCE, TIFFIN_SHARE_ATOMIC, sizeof(struct lab_record2),
	  .convert = lab_convert },
};

static const struct tiffin_store lab_undo_stores[] = {
	{ "lab_flow", 1, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_LOCKED, sizeof(struct lab_record),
	  .undo = TIFFIN_UNDO_REBUILD },
	{ "lab_cpu", 1, TIFFIN_STORE_PER_CPU, TIFFIN_SHARE_CPU, sizeof(struct lab_record),
	  .undo = TIFFIN_UNDO_REBUILD },
	{ "lab_all", 1, TIFFIN_STORE_INSTANCE, TIFFIN_SHARE_ATOMIC, sizeof(struct lab_record),
	  .undo = TIFFIN_UNDO_SNAPSHOT },
};

static const struct tiffin_store lab_listed_stores[] = {
	{ "lab_page", 1, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_ATOMIC, sizeof(struct lab_record) },
	{ "lab_cpu", 1, TIFFIN_STORE_PER_CPU, TIFFIN_SHARE_CPU, sizeof(struct lab_record) },
	{ "lab_all", 1, TIFFIN_STORE_INSTANCE, TIFFIN_SHARE_ATOMIC, sizeof(struct lab_record) },
	{ "lab_queue", 1, TIFFIN_STORE_LISTS, TIFFIN_SHARE_ATOMIC,
	  .undo = TIFFIN_UNDO_SNAPSHOT, .lists = LAB_LISTS },
};

static const struct tiffin_store lab_listed_second_stores[] = {
	{ "lab_page", 2, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_ATOMIC, sizeof(struct lab_record2),
	  .convert = lab_convert },
	{ "lab_cpu", 2, TIFFIN_STORE_PER_CPU, TIFFIN_SHARE_CPU, sizeof(struct lab_record2),
	  .convert = lab_convert },
	{ "lab_all", 2, TIFFIN_STORE_INSTANCE, TIFFIN_SHARE_ATOMIC, sizeof(struct lab_record2),
	  .convert = lab_convert },
	{ "lab_queue", 1, TIFFIN_STORE_LISTS, TIFFIN_SHARE_ATOMIC,
	  .undo = TIFFIN_UNDO_LIVE, .lists = LAB_LISTS },
};

static const struct tiffin_tunable lab_tunables[] = {
	[LAB_KNOB] = { "knob", "what an answer repeats", -5, 100, 7 },
	[LAB_BOLT] = { "bolt", NULL, S64_MIN, S64_MAX, 0 },
};

static const struct tiffin_counter lab_counters[] = {
	[LAB_ASKED] = { "asked", "questions answered" },
	[LAB_FRESH] = { "fresh", NULL },
};

const struct tiffin_policy lab_policy[LAB_POLICIES] = {
	[LAB_ALPHA] = {
		LAB_HEAD("alpha"),
		.doc = "the first",
		TIFFIN_HOOKS(lab_hooks[LAB_ALPHA]),
		TIFFIN_STORES(lab_stores),
		TIFFIN_TUNABLES(lab_tunables),
		TIFFIN_COUNTERS(lab_counters),
		.init = lab_alpha_init,
	},
	[LAB_BETA] = {
		LAB_HEAD("beta"),
		TIFFIN_HOOKS(lab_hooks[LAB_BETA]),
		TIFFIN_STORES(lab_stores),
		TIFFIN_TUNABLES(lab_tunables),
		TIFFIN_COUNTERS(lab_counters),
		.init = lab_beta_init,
	},
	[LAB_GAMMA] = {
		LAB_HEAD("gamma"),
		TIFFIN_HOOKS(lab_hooks[LAB_GAMMA]),
		TIFFIN_STORES(lab_other_stores),
		TIFFIN_TUNABLES(lab_tunables),
		TIFFIN_COUNTERS(lab_counters),
		.init = lab_gamma_init,
	},
	[LAB_BARE] = {
		LAB_HEAD("bare"),
		TIFFIN_HOOKS(lab_hooks[LAB_BARE]),
	},
	[LAB_DELTA] = {
		LAB_HEAD("delta"),
		TIFFIN_HOOKS(lab_hooks[LAB_DELTA]),
		TIFFIN_STORES(lab_second_stores),
		TIFFIN_TUNABLES(lab_tunables),
		TIFFIN_COUNTERS(lab_counters),
	},
	[LAB_SIGMA] = {
		LAB_HEAD("sigma"),
		TIFFIN_HOOKS(lab_hooks[LAB_SIGMA]),
		TIFFIN_STORES(lab_undo_stores),
		TIFFIN_TUNABLES(lab_tunables),
		TIFFIN_COUNTERS(lab_counters),
	},
	[LAB_KAPPA] = {
		LAB_HEAD("kappa"),
		TIFFIN_HOOKS(lab_hooks[LAB_KAPPA]),
		TIFFIN_STORES(lab_listed_stores),
		TIFFIN_TUNABLES(lab_tunables),
		TIFFIN_COUNTERS(lab_counters),
	},
	[LAB_LAMBDA] = {
		LAB_HEAD("lambda"),
		TIFFIN_HOOKS(lab_hooks[LAB_LAMBDA]),
		TIFFIN_STORES(lab_listed_second_stores),
		TIFFIN_TUNABLES(lab_tunables),
		TIFFIN_COUNTERS(lab_counters),
	},
};

/* The family. */

static u64 lab_figure(struct tiffin_family *family, unsigned int index)
{
	return READ_ONCE(container_of(family, struct lab, family)->figure[index]);
}

static void lab_window(struct tiffin_family *family)
{
	container_of(family, struct lab, family)->windows++;
}

static void lab_flipped(struct tiffin_family *family, bool stock)
{
	struct lab *lab = container_of(family, struct lab, family);

	lab->flips++;
	lab->stock = stock;
	if (lab->on_flipped)
		lab->on_flipped(lab);
}

static const struct tiffin_family_ops lab_ops = {
	.figure = lab_figure,
	.window = lab_window,
	.flipped = lab_flipped,
};

static bool lab_answer_ok(const void *in, const void *out)
{
	return ((const struct lab_out *)out)->who < LAB_POLICIES;
}

/* To the second, any answer will do. */
static const struct tiffin_hook lab_questions[] = {
	[LAB_ASK] = { "ask", offsetof(struct lab_hooks, ask), true, lab_answer_ok },
	[LAB_TELL] = { "tell", offsetof(struct lab_hooks, tell), false },
};

static const struct tiffin_figure lab_figure_decls[] = {
	[LAB_TICKS] = { "ticks", "a count", TIFFIN_FIGURE_COUNTER },
	[LAB_LEVEL] = { "level", "a gauge", TIFFIN_FIGURE_GAUGE },
};

int lab_start(struct lab *lab)
{
	int who, rc, i;

	lab_now = lab;
	for (i = 0; i < LAB_OBJECTS; i++)
		lab->generation[i] = 1;
	lab->family = (struct tiffin_family) {
		.name = LAB_FAMILY,
		.abi = LAB_FAMILY_ABI,
		.owner = THIS_MODULE,
		.hooks = lab_questions,
		.nr_hooks = ARRAY_SIZE(lab_questions),
		.max_objects = LAB_OBJECTS,
		.generation = lab->generation,
		.figures = lab_figure_decls,
		.nr_figures = ARRAY_SIZE(lab_figure_decls),
		.ops = &lab_ops,
		.limits = TIFFIN_LIMITS_INIT,
	};
	/* Hooks here are tests: they do in a call what takes long, and ask all the time. */
	lab->family.limits.budget_us = 10000000;
	lab->family.limits.cpu_percent = 100;
	rc = tiffin_family_register(&lab->family);
	if (rc) {
		lab->family.scope = NULL;
		return rc;
	}
	for (who = 0; who < LAB_POLICIES && !rc; who++)
		rc = lab_load(lab, who);
	return rc;
}

int lab_load(struct lab *lab, enum lab_who who)
{
	int rc = tiffin_policy_register((const void *)&lab_policy[who], THIS_MODULE, LAB_BUILD);

	if (!rc)
		lab->loaded[who] = true;
	return rc;
}

void lab_unload(struct lab *lab, enum lab_who who)
{
	lab->loaded[who] = false;
	tiffin_policy_unregister((const void *)&lab_policy[who]);
}

struct tiffin_loaded *lab_loaded(struct lab *lab, enum lab_who who)
{
	struct tiffin_loaded *loaded = tiffin_policy_find(&lab->family, lab_policy[who].name);

	if (IS_ERR(loaded))
		return NULL;
	tiffin_policy_release(loaded);
	return loaded;
}

/* Have no policy in quarantine active any more, without waiting for the rescue to come. */
static void lab_stop_rescue(struct lab *lab)
{
	lab->faulty = 0;
	lab->faulty_init = 0;
	lab->faulty_convert = 0;
	if (!lab->faulted)
		return;
	tiffin_rescue_scope_exit(lab->family.scope);
	tiffin_swap_rescue(lab->family.scope);
}

/* No held call and no closed gate that a test has left there. */
static void lab_free_gate(struct tiffin_gate *gate)
{
	int cpu;

	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(gate->cpu, cpu), 0, sizeof(struct tiffin_gate_cpu));
	WRITE_ONCE(gate->word, TIFFIN_GATE_OPEN);
}

void lab_stop(struct lab *lab)
{
	struct tiffin_scope *scope = lab->family.scope;
	int who;

	if (!scope)
		return;
	lab->in_hook = NULL;
	lab->on_flipped = NULL;
	lab_free_gate(&scope->gate);
	lab_stop_rescue(lab);
	if (scope->swap.state == TIFFIN_PROBATION)
		tiffin_swap_commit(scope);
	flush_delayed_work(&scope->swap.sweep.work);
	if (strcmp(lab_active(lab), TIFFIN_DEFAULT_NAME))
		lab_swap(lab, TIFFIN_DEFAULT_NAME " probation_ms=0");
	for (who = LAB_POLICIES - 1; who >= 0; who--)
		if (lab->loaded[who])
			lab_unload(lab, who);
	tiffin_family_unregister(&lab->family);
	lab->family.scope = NULL;
	lab_now = NULL;
}

int lab_swap(struct lab *lab, const char *text)
{
	struct tiffin_swap_request *req = kzalloc(sizeof(*req), GFP_KERNEL);
	char *copy = kstrdup(text, GFP_KERNEL);
	int rc = -ENOMEM;

	if (req && copy)
		rc = tiffin_swap_parse(lab->family.scope, copy, req) ?:
		     tiffin_swap_request(lab->family.scope, req);
	kfree(copy);
	kfree(req);
	return rc;
}

const char *lab_error(struct lab *lab)
{
	return lab->family.scope->swap.error;
}

enum tiffin_verdict lab_ask_generation(struct lab *lab, u32 hook, u32 object, u32 generation,
				       struct lab_out *out)
{
	const struct tiffin_call call = {
		.hook = hook,
		.object = object,
		.generation = generation,
		.now_ns = 12345,
	};
	const struct lab_in in = { .number = object };

	memset(out, 0, sizeof(*out));
	return tiffin_dispatch(lab->family.scope, &call, &in, out);
}

enum tiffin_verdict lab_ask(struct lab *lab, u32 hook, u32 object, struct lab_out *out)
{
	return lab_ask_generation(lab, hook, object, 1, out);
}

struct tiffin_figures lab_figures(struct lab *lab)
{
	struct tiffin_figures figures;

	tiffin_figures_read(lab->family.scope, &figures);
	return figures;
}

bool lab_accounts_hold(struct lab *lab)
{
	struct tiffin_figures f = lab_figures(lab);

	return f.calls == f.answered + f.stock + tiffin_figures_continuity(&f) && !f.overlapped;
}

const char *lab_active(struct lab *lab)
{
	return lab->family.scope->gate.active->policy->policy.name;
}

void lab_call_on_cpu(struct lab *lab, int cpu, u32 hook, int by, bool inside)
{
	struct tiffin_gate_cpu *mine = per_cpu_ptr(lab->family.scope->gate.cpu, cpu);

	mine->entered += by;
	if (inside)
		mine->inside += by;
	mine->hook = hook;
}
