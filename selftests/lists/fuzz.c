// SPDX-License-Identifier: GPL-2.0-only
/*
 * A policy asks for any services, with any numbers, while objects go: each answer and, after each
 * call, what stands on the lists must be the model's, and the nodes must be in order (libFuzzer).
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <tiffin/test_cache.h>

#include "list_model.h"
#include "policy_host.h"

extern const struct tiffin_policy tiffin_policy;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

static unsigned int byte(struct input *in)
{
	if (!in->size)
		return 0;
	in->size--;
	return *in->data++;
}

/* Mostly a value below @below; sometimes the one next to those, or any. */
static __u32 number(struct input *in, __u32 below)
{
	unsigned int b = byte(in);

	if (b < 240)
		return b % below;
	if (b < 250)
		return below;
	return b << 24 | byte(in) << 16 | byte(in) << 8 | byte(in);
}

static void fill(struct input *in, struct tiffin_test_serve *serve)
{
	unsigned int nr = 1 + byte(in) % TIFFIN_TEST_CACHE_CALLS;

	for (; serve->nr < nr && in->size; serve->nr++) {
		struct tiffin_test_service *c = &serve->call[serve->nr];

		c->op = byte(in) % 8;
		c->list = number(in, 3);
		c->end = number(in, 2);
		c->mark = byte(in);
		c->handle = tiffin_handle(number(in, MODEL_OBJECTS), number(in, 3));
	}
}

static void differ(const char *what, unsigned int i)
{
	if (what)
		policy_fault("service %u: %s", i, what);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static __u32 generation[MODEL_OBJECTS];
	static struct model m;
	struct policy_host *host = policy_host_new(&tiffin_policy, 1, MODEL_OBJECTS, NULL);
	const size_t hook = offsetof(struct tiffin_test_cache_hooks, serve);
	struct input in = { data, size };
	unsigned int i;

	memset(generation, 0, sizeof(generation));
	m = (struct model) {
		.generation = generation, .nr_objects = MODEL_OBJECTS, .nr_lists = 3,
	};
	while (in.size) {
		struct policy_call call = { .object = byte(&in) % MODEL_OBJECTS };
		struct tiffin_test_serve serve = { .size = sizeof(serve) };
		struct tiffin_test_served served = { .size = sizeof(served) };

		/* About another generation of an object; or one goes. */
		call.generation = 1 + byte(&in) % 2;
		generation[call.object] = call.generation;
		if (byte(&in) % 8 == 0) {
			const struct model_call gone = {
				.op = MODEL_GONE, .handle = byte(&in) % MODEL_OBJECTS,
			};

			generation[gone.handle] = 0;
			policy_host_gone(host, gone.handle);
			model_do(&m, &gone);
			generation[call.object] = call.generation;
		}
		fill(&in, &serve);
		policy_host_call(host, hook, &call, &serve, sizeof(serve), &served,
				 sizeof(served));
		if (served.nr != serve.nr)
			policy_fault("%u of %u services", served.nr, serve.nr);
		for (i = 0; i < serve.nr; i++) {
			const struct tiffin_test_service *c = &serve.call[i];
			const struct model_call step = {
				.op = c->op, .list = c->list, .end = c->end, .mark = c->mark,
				.handle = c->handle,
			};
			struct tiffin_entry entry;

			if (c->op < 7)
				entry = model_do(&m, &step);
			else
				entry = (struct tiffin_entry) {
					.mark = c->list < 3 ? m.list[c->list].n : 0,
				};
			if (memcmp(&entry, &served.entry[i], sizeof(entry)))
				differ("an answer differs from the model's", i);
		}
		differ(model_differs(&m, policy_host_lists(host)), serve.nr);
	}
	policy_host_free(host);
	return 0;
}
