// SPDX-License-Identifier: GPL-2.0-only
/* A host for one policy, in user space; see policy_host.h. */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include <tiffin/state.h>

#include "policy_host.h"

/*
 * Each record is an allocation of its own, so that a sanitizer knows where it ends; made when it is
 * first asked for.
 */
struct store {
	unsigned int refs;
	struct tiffin_store decl;
	unsigned int nr;
	void **record;
	__u32 *generation;
	struct tiffin_lists lists;
};

/* Which generation of each object lives: the family's, and so the same for all its policies. */
struct objects {
	unsigned int refs;
	unsigned int nr;
	__u32 generation[];
};

struct policy_host {
	const struct tiffin_policy *policy;
	unsigned int nr_cpus;
	__s64 *tunables;
	__u64 **counters;
	struct store *store[TIFFIN_STORE_KINDS];
	struct objects *objects;
	__u64 epoch;
	unsigned int busy_every;
	unsigned int calls;
	unsigned int services;
};

static void *zeros(size_t n, size_t size)
{
	void *p = calloc(n ?: 1, size ?: 1);

	if (!p)
		err(1, "policy_host");
	return p;
}

static void *copy_of(const void *from, size_t size)
{
	return memcpy(zeros(1, size), from, size);
}

static const struct tiffin_store *store_decl(const struct tiffin_policy *p, unsigned int i)
{
	return (const void *)((const char *)p->stores + (size_t)i * p->store_stride);
}

static const struct tiffin_tunable *tunable_decl(const struct tiffin_policy *p, unsigned int i)
{
	return (const void *)((const char *)p->tunables + (size_t)i * p->tunable_stride);
}

static const struct tiffin_counter *counter_decl(const struct tiffin_policy *p, unsigned int i)
{
	return (const void *)((const char *)p->counters + (size_t)i * p->counter_stride);
}

static struct store *store_new(const struct tiffin_store *decl, unsigned int nr)
{
	struct store *s = zeros(1, sizeof(*s));

	s->refs = 1;
	s->decl = *decl;
	s->nr = nr;
	s->record = zeros(nr, sizeof(*s->record));
	s->generation = zeros(nr, sizeof(*s->generation));
	return s;
}

static size_t lists_size(const struct store *s)
{
	return tiffin_lists_bytes(s->lists.nr_objects);
}

static struct store *lists_new(const struct tiffin_store *decl, const struct objects *objects)
{
	struct store *s = store_new(decl, 1);

	s->lists.nr_objects = objects->nr;
	s->lists.nr_lists = decl->lists;
	s->lists.generation = objects->generation;
	s->lists.set = zeros(1, lists_size(s));
	return s;
}

static void store_put(struct store *s)
{
	unsigned int i;

	if (!s || --s->refs)
		return;
	for (i = 0; i < s->nr; i++)
		free(s->record[i]);
	free(s->record);
	free(s->generation);
	free(s->lists.set);
	free(s);
}

static struct objects *objects_get(struct policy_host *older, unsigned int nr)
{
	struct objects *objects = older ? older->objects : NULL;

	if (!objects) {
		objects = zeros(1, sizeof(*objects) + nr * sizeof(objects->generation[0]));
		objects->nr = nr;
	}
	objects->refs++;
	return objects;
}

static void objects_put(struct objects *objects)
{
	if (!--objects->refs)
		free(objects);
}

/* The declaration of store @i, with zeros for what an older version did not have. */
static struct tiffin_store store_decl_now(const struct tiffin_policy *policy, unsigned int i)
{
	struct tiffin_store decl = { 0 };

	memcpy(&decl, store_decl(policy, i),
	       policy->store_stride < sizeof(decl) ? policy->store_stride : sizeof(decl));
	return decl;
}

static int store_fits(const struct store *s, const struct tiffin_store *decl, unsigned int nr)
{
	return s && s->nr == nr && !strcmp(s->decl.schema, decl->schema) &&
	       s->decl.version == decl->version && s->decl.sharing == decl->sharing &&
	       s->decl.record_size == decl->record_size && s->decl.lists == decl->lists;
}

void *policy_host_record(struct policy_host *host, enum tiffin_store_kind kind, unsigned int index)
{
	struct store *s = host->store[kind];

	if (!s || index >= s->nr || kind == TIFFIN_STORE_LISTS)
		return NULL;
	if (!s->record[index])
		s->record[index] = zeros(1, s->decl.record_size);
	return s->record[index];
}

int policy_host_set(struct policy_host *host, const char *tunable, long long value)
{
	unsigned int i;

	for (i = 0; i < host->policy->nr_tunables; i++) {
		const struct tiffin_tunable *t = tunable_decl(host->policy, i);

		if (strcmp(t->name, tunable))
			continue;
		if (value < t->min || value > t->max)
			return -1;
		host->tunables[i] = value;
		return 0;
	}
	return -1;
}

long long policy_host_counter(const struct policy_host *host, const char *counter)
{
	unsigned int i, cpu;
	long long sum = 0;

	for (i = 0; i < host->policy->nr_counters; i++) {
		if (strcmp(counter_decl(host->policy, i)->name, counter))
			continue;
		for (cpu = 0; cpu < host->nr_cpus; cpu++)
			sum += host->counters[cpu][i];
		return sum;
	}
	return -1;
}

struct tiffin_lists *policy_host_lists(struct policy_host *host)
{
	struct store *s = host->store[TIFFIN_STORE_LISTS];

	return s ? &s->lists : NULL;
}

void policy_host_gone(struct policy_host *host, unsigned int object)
{
	host->objects->generation[object] = 0;
	if (host->store[TIFFIN_STORE_LISTS])
		tiffin_lists_gone(policy_host_lists(host), object);
}

void policy_host_busy(struct policy_host *host, unsigned int every)
{
	host->busy_every = every;
}

/* The lists that a service may use now, or NULL. */
static struct tiffin_lists *service(const struct tiffin_ctx *ctx)
{
	struct policy_host *host = ctx->env->lists;

	if (!host)
		return NULL;
	host->services++;
	if (host->busy_every && !((host->calls + host->services) % host->busy_every))
		return NULL;
	return policy_host_lists(host);
}

static __u32 service_put(const struct tiffin_ctx *ctx, __u64 handle, __u32 list, __u32 end,
			 __u32 mark)
{
	struct tiffin_lists *lists = service(ctx);

	return lists ? tiffin_lists_put(lists, handle, list, end, mark) : TIFFIN_LIST_BUSY;
}

static __u32 service_mark(const struct tiffin_ctx *ctx, __u64 handle, __u32 mark)
{
	struct tiffin_lists *lists = service(ctx);

	return lists ? tiffin_lists_mark(lists, handle, mark) : TIFFIN_LIST_BUSY;
}

static __u32 service_remove(const struct tiffin_ctx *ctx, __u64 handle)
{
	struct tiffin_lists *lists = service(ctx);

	return lists ? tiffin_lists_remove(lists, handle) : TIFFIN_LIST_BUSY;
}

static const struct tiffin_entry service_busy = { .result = TIFFIN_LIST_BUSY };

static struct tiffin_entry service_find(const struct tiffin_ctx *ctx, __u64 handle)
{
	struct tiffin_lists *lists = service(ctx);

	return lists ? tiffin_lists_find(lists, handle) : service_busy;
}

static struct tiffin_entry service_first(const struct tiffin_ctx *ctx, __u32 list, __u32 end)
{
	struct tiffin_lists *lists = service(ctx);

	return lists ? tiffin_lists_first(lists, list, end) : service_busy;
}

static struct tiffin_entry service_next(const struct tiffin_ctx *ctx, __u32 list, __u32 end,
					__u64 handle)
{
	struct tiffin_lists *lists = service(ctx);

	return lists ? tiffin_lists_next(lists, list, end, handle) : service_busy;
}

static struct tiffin_entry service_take(const struct tiffin_ctx *ctx, __u32 list, __u32 end)
{
	struct tiffin_lists *lists = service(ctx);

	return lists ? tiffin_lists_take(lists, list, end) : service_busy;
}

static __u32 service_length(const struct tiffin_ctx *ctx, __u32 list)
{
	struct policy_host *host = ctx->env->lists;

	return host ? tiffin_lists_length(policy_host_lists(host), list) : 0;
}

static const struct tiffin_list_ops list_ops = {
	.size = sizeof(list_ops),
	.put = service_put,
	.mark = service_mark,
	.remove = service_remove,
	.find = service_find,
	.first = service_first,
	.next = service_next,
	.take = service_take,
	.length = service_length,
};

#define STATE_SLOTS	6

/* All that a call may write. */
struct state {
	void *at[STATE_SLOTS];
	size_t size[STATE_SLOTS];
	void *saved[STATE_SLOTS];
};

static void state_add(struct state *state, unsigned int slot, void *at, size_t size)
{
	state->at[slot] = at;
	state->size[slot] = at ? size : 0;
	state->saved[slot] = at ? copy_of(at, size) : NULL;
}

/* Swap what is there with what was saved. */
static void state_exchange(struct state *state)
{
	unsigned int i;

	for (i = 0; i < STATE_SLOTS; i++) {
		void *now;

		if (!state->at[i])
			continue;
		now = copy_of(state->at[i], state->size[i]);
		memcpy(state->at[i], state->saved[i], state->size[i]);
		memcpy(state->saved[i], now, state->size[i]);
		free(now);
	}
}

static int state_same(const struct state *state)
{
	unsigned int i;

	for (i = 0; i < STATE_SLOTS; i++)
		if (state->at[i] && memcmp(state->at[i], state->saved[i], state->size[i]))
			return 0;
	return 1;
}

static void state_end(struct state *state)
{
	unsigned int i;

	for (i = 0; i < STATE_SLOTS; i++)
		free(state->saved[i]);
}

/* One entry into the policy, all that it gets in memory of its own. */
static void enter(struct policy_host *host, policy_hook fn, const struct tiffin_ctx *ctx,
		  const struct tiffin_env *env, const void *in, size_t in_size, void *out,
		  size_t out_size)
{
	size_t tunables_size = host->policy->nr_tunables * sizeof(__s64);
	struct tiffin_env *env_copy = copy_of(env, sizeof(*env));
	struct tiffin_ctx *ctx_copy = copy_of(ctx, sizeof(*ctx));
	void *tunables = copy_of(host->tunables, tunables_size);
	void *in_copy = copy_of(in, in_size), *out_copy = copy_of(out, out_size);

	/* Which of them are busy is the same both times. */
	host->services = 0;
	env_copy->tunables = tunables;
	ctx_copy->env = env_copy;
	fn(ctx_copy, in_copy, out_copy);

	if (memcmp(in_copy, in, in_size))
		policy_fault("%s wrote to its question", host->policy->name);
	if (memcmp(tunables, host->tunables, tunables_size))
		policy_fault("%s wrote to its tunables", host->policy->name);
	if (memcmp(out_copy, out, out_size < 4 ? out_size : 4))
		policy_fault("%s changed the answer's size", host->policy->name);
	env_copy->tunables = env->tunables;
	ctx_copy->env = ctx->env;
	if (memcmp(env_copy, env, sizeof(*env)) || memcmp(ctx_copy, ctx, sizeof(*ctx)))
		policy_fault("%s wrote to its context", host->policy->name);
	memcpy(out, out_copy, out_size);
	free(out_copy);
	free(in_copy);
	free(tunables);
	free(ctx_copy);
	free(env_copy);
}

/* @hidden: bit K set: the call gets no record of the store of kind K. */
static void enter_twice(struct policy_host *host, policy_hook fn, const struct policy_call *call,
			unsigned int flags, __u32 hidden, const void *in, size_t in_size, void *out,
			size_t out_size)
{
	void *object = call->object == POLICY_NO_OBJECT ? NULL :
		       policy_host_record(host, TIFFIN_STORE_OBJECT, call->object);
	const int instance = !(hidden & 1u << TIFFIN_STORE_INSTANCE);
	const int percpu = !(hidden & 1u << TIFFIN_STORE_PER_CPU);
	struct store *lists = hidden & 1u << TIFFIN_STORE_LISTS ? NULL :
			      host->store[TIFFIN_STORE_LISTS];
	const struct tiffin_env env = {
		.size = sizeof(env),
		.cpu = call->cpu,
		.nr_cpus = host->nr_cpus,
		.counters = host->counters[call->cpu],
		.instance = instance ? policy_host_record(host, TIFFIN_STORE_INSTANCE, 0) : NULL,
		.percpu = percpu ? policy_host_record(host, TIFFIN_STORE_PER_CPU, call->cpu) : NULL,
		.list_ops = &list_ops,
		.lists = lists ? host : NULL,
	};
	const struct tiffin_ctx ctx = {
		.size = sizeof(ctx),
		.flags = flags,
		.now_ns = call->now_ns,
		.epoch = call->epoch,
		.object = object,
		.handle = call->object == POLICY_NO_OBJECT ? TIFFIN_NO_HANDLE :
			  tiffin_handle(call->object, call->generation),
	};
	void *again = copy_of(out, out_size);
	struct state state;

	state_add(&state, 0, env.counters, host->policy->nr_counters * sizeof(__u64));
	state_add(&state, 1, env.instance, env.instance ? host->store[0]->decl.record_size : 0);
	state_add(&state, 2, env.percpu, env.percpu ? host->store[1]->decl.record_size : 0);
	state_add(&state, 3, object, object ? host->store[2]->decl.record_size : 0);
	state_add(&state, 4, lists ? &lists->lists : NULL, sizeof(lists->lists));
	state_add(&state, 5, lists ? lists->lists.set : NULL, lists ? lists_size(lists) : 0);
	host->calls++;
	enter(host, fn, &ctx, &env, in, in_size, again, out_size);
	state_exchange(&state);
	enter(host, fn, &ctx, &env, in, in_size, out, out_size);
	if (memcmp(out, again, out_size) || !state_same(&state))
		policy_fault("%s does not do the same from the same state: %s", host->policy->name,
			     "it has state or time of its own outside stores and arguments");
	state_end(&state);
	free(again);
}

int policy_host_call(struct policy_host *host, size_t hook, const struct policy_call *call,
		     const void *in, size_t in_size, void *out, size_t out_size)
{
	struct store *objects = host->store[TIFFIN_STORE_OBJECT];
	unsigned int flags = 0;
	policy_hook fn = NULL;

	if (hook + sizeof(fn) <= host->policy->hooks_size)
		memcpy(&fn, (const char *)host->policy->hooks + hook, sizeof(fn));
	if (!fn)
		return 0;
	if (call->object != POLICY_NO_OBJECT)
		host->objects->generation[call->object] = call->generation;
	if (objects && call->object != POLICY_NO_OBJECT &&
	    objects->generation[call->object] != call->generation) {
		memset(policy_host_record(host, TIFFIN_STORE_OBJECT, call->object), 0,
		       objects->decl.record_size);
		objects->generation[call->object] = call->generation;
		flags = TIFFIN_CTX_OBJECT_FRESH;
	}
	enter_twice(host, fn, call, flags, 0, in, in_size, out, out_size);
	return 1;
}

static void init_entry(const struct tiffin_ctx *ctx, const void *in, void *out)
{
	void (*init)(const struct tiffin_ctx *ctx, const struct tiffin_init_in *in);

	memcpy(&init, out, sizeof(init));
	init(ctx, in);
}

/* All records at once; what the kernel's host does as calls come. */
static void store_convert(struct policy_host *host, const struct store *old, unsigned int kind)
{
	struct store *s = host->store[kind];
	policy_hook fn;
	unsigned int i;

	if (!s || !old || !s->decl.convert || strcmp(s->decl.schema, old->decl.schema))
		return;
	memcpy(&fn, &s->decl.convert, sizeof(fn));
	for (i = 0; i < old->nr && i < s->nr; i++) {
		const unsigned int cpu = kind == TIFFIN_STORE_PER_CPU ? i : 0;
		const struct tiffin_env env = {
			.size = sizeof(env), .cpu = cpu, .nr_cpus = host->nr_cpus,
			.counters = host->counters[cpu], .list_ops = &list_ops,
		};
		const struct tiffin_ctx ctx = { .size = sizeof(ctx), .epoch = host->epoch };
		const struct tiffin_convert_in in = {
			.size = sizeof(in), .version = old->decl.version, .kind = kind,
			.record_size = old->decl.record_size, .from = old->record[i],
		};
		struct tiffin_convert_out out = { .size = sizeof(out) };

		if (!old->record[i])
			continue;
		out.record = policy_host_record(host, kind, i);
		enter(host, fn, &ctx, &env, &in, sizeof(in), &out, sizeof(out));
		s->generation[i] = old->generation[i];
		if (!out.unknown || kind != TIFFIN_STORE_OBJECT)
			continue;
		memset(out.record, 0, s->decl.record_size);
		s->generation[i] = 0;
	}
}

struct policy_host *policy_host_new(const struct tiffin_policy *policy, unsigned int nr_cpus,
				    unsigned int nr_objects, struct policy_host *older)
{
	const unsigned int records[] = { 1, nr_cpus, nr_objects, 1 };
	const struct policy_call call = { .object = POLICY_NO_OBJECT };
	struct tiffin_init_in in = { .size = sizeof(in) };
	struct policy_host *host = zeros(1, sizeof(*host));
	const char *wrong = policy_check(policy);
	unsigned int i;

	if (wrong)
		errx(1, "%.*s: %s", TIFFIN_NAME_LEN, policy->name, wrong);
	host->policy = policy;
	host->nr_cpus = nr_cpus;
	host->objects = objects_get(older, nr_objects);
	/* As those count that call: from 1, and each swap. */
	host->epoch = older ? older->epoch + 1 : 1;
	host->tunables = zeros(policy->nr_tunables, sizeof(__s64));
	for (i = 0; i < policy->nr_tunables; i++)
		host->tunables[i] = tunable_decl(policy, i)->def;
	host->counters = zeros(nr_cpus, sizeof(*host->counters));
	for (i = 0; i < nr_cpus; i++)
		host->counters[i] = zeros(policy->nr_counters, sizeof(__u64));
	for (i = 0; i < policy->nr_stores; i++) {
		const struct tiffin_store decl = store_decl_now(policy, i);
		struct store *old = older ? older->store[decl.kind] : NULL;

		if (store_fits(old, &decl, records[decl.kind])) {
			old->refs++;
			in.adopted |= 1u << decl.kind;
		} else if (decl.kind == TIFFIN_STORE_LISTS) {
			old = lists_new(&decl, host->objects);
		} else {
			old = store_new(&decl, records[decl.kind]);
		}
		host->store[decl.kind] = old;
	}
	if (policy->init) {
		void (*init)(const struct tiffin_ctx *ctx, const struct tiffin_init_in *in) =
			policy->init;

		/*
		 * The older policy still works on what was handed over; no call told of objects
		 * yet.
		 */
		enter_twice(host, init_entry, &call, 0, in.adopted | 1u << TIFFIN_STORE_LISTS,
			    &in, sizeof(in), &init, sizeof(init));
	}
	for (i = 0; older && i < TIFFIN_STORE_KINDS; i++)
		if (!(in.adopted & 1u << i))
			store_convert(host, older->store[i], i);
	return host;
}

void policy_host_free(struct policy_host *host)
{
	unsigned int i;

	if (!host)
		return;
	for (i = 0; i < TIFFIN_STORE_KINDS; i++)
		store_put(host->store[i]);
	objects_put(host->objects);
	for (i = 0; i < host->nr_cpus; i++)
		free(host->counters[i]);
	free(host->counters);
	free(host->tunables);
	free(host);
}
