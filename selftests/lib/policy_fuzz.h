/* SPDX-License-Identifier: GPL-2.0-only */
/* What the fuzzers of policies share, whatever the family: the input, and tunables set from it. */
#ifndef TIFFIN_POLICY_FUZZ_H
#define TIFFIN_POLICY_FUZZ_H

#include <stdint.h>
#include <string.h>

#include "policy_host.h"

extern const struct tiffin_policy tiffin_policy;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/**
 * struct input - what is left of a fuzzer's input
 * @data: the next byte
 * @left: so many bytes
 */
struct input {
	const uint8_t *data;
	size_t left;
};

/* The next bytes of the input; zeros when it has run out. */
static inline void take(struct input *input, void *to, size_t size)
{
	size_t n = size < input->left ? size : input->left;

	memset(to, 0, size);
	memcpy(to, input->data, n);
	input->data += n;
	input->left -= n;
}

/* A number below @below. */
static inline uint32_t number(struct input *input, uint32_t below)
{
	uint32_t n;

	take(input, &n, below <= 256 ? 1 : sizeof(n));
	return n % below;
}

/* One of the policy's tunables gets a value in its range. */
static inline void set_tunable(struct policy_host *host, struct input *input)
{
	const struct tiffin_tunable *t;
	uint64_t value, range;

	if (!tiffin_policy.nr_tunables)
		return;
	t = &tiffin_policy.tunables[number(input, tiffin_policy.nr_tunables)];
	take(input, &value, sizeof(value));
	range = (uint64_t)t->max - (uint64_t)t->min;
	if (range != UINT64_MAX)
		value %= range + 1;
	policy_host_set(host, t->name, (int64_t)((uint64_t)t->min + value));
}

/* A record of the policy, where it has one now, gets bytes of the input; of objects @object's. */
static inline void set_record(struct policy_host *host, struct input *input, unsigned int object,
			      unsigned int cpus)
{
	const struct tiffin_store *store;
	unsigned int index = object;
	void *record;

	if (!tiffin_policy.nr_stores)
		return;
	store = &tiffin_policy.stores[number(input, tiffin_policy.nr_stores)];
	if (store->kind == TIFFIN_STORE_INSTANCE)
		index = 0;
	else if (store->kind == TIFFIN_STORE_PER_CPU)
		index = object % cpus;
	record = policy_host_record(host, store->kind, index);
	if (record)
		take(input, record, store->record_size);
}

#endif /* TIFFIN_POLICY_FUZZ_H */
