/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A host for one policy, in user space: stores, tunables, counters, calls, hand-over, as the
 * kernel's host gives them, on memory that is as small as what was declared, so that a sanitizer
 * sees every access beyond it. It knows no family.
 *
 * Each call is made twice from the same state, and must do the same both times: a policy that does
 * not has state or a clock of its own, and a recording of it would not replay.
 */
#ifndef POLICY_HOST_H
#define POLICY_HOST_H

#include <stddef.h>
#include <tiffin/plugin.h>

#include "core/list.h"
#include "descriptor.h"

struct policy_host;

/* Says that the policy broke a rule. The program provides it: a test fails, a fuzzer stops. */
void policy_fault(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * policy_host_new - an instance of a policy
 * @policy: the descriptor
 * @nr_cpus: CPUs of the machine
 * @nr_objects: objects of the family
 * @older: whose stores are handed over where they fit, or NULL; it stays usable, as for a rollback
 *
 * Runs the policy's init. Ends the program where memory runs out.
 */
struct policy_host *policy_host_new(const struct tiffin_policy *policy, unsigned int nr_cpus,
				    unsigned int nr_objects, struct policy_host *older);

/* End an instance; stores that no other one holds are freed. */
void policy_host_free(struct policy_host *host);

/* Set a tunable. Return: 0, or -1 where there is none of that name or it is out of range. */
int policy_host_set(struct policy_host *host, const char *tunable, long long value);

/* The sum of a counter over CPUs; -1 where there is none of that name. */
long long policy_host_counter(const struct policy_host *host, const char *counter);

/* The record of a store: @index is the CPU or the object. NULL where none is declared. */
void *policy_host_record(struct policy_host *host, enum tiffin_store_kind kind, unsigned int index);

/* An object is gone: off the lists, its handle holds no longer. */
void policy_host_gone(struct policy_host *host, unsigned int object);

/* From here on each @every-th list service answers busy; 0: none, as it begins. */
void policy_host_busy(struct policy_host *host, unsigned int every);

/* The lists, for a test to look at; NULL where none are declared. */
struct tiffin_lists *policy_host_lists(struct policy_host *host);

/**
 * struct policy_call - what a call is about
 * @cpu: that it runs on
 * @object: number, below nr_objects, or POLICY_NO_OBJECT
 * @generation: of the object, not 0: it lives from here on; another one than last time zeroes the
 *	record
 * @now_ns: time that the policy is told
 * @epoch: of the instance
 */
struct policy_call {
	unsigned int cpu;
	unsigned int object;
	__u32 generation;
	__u64 now_ns;
	__u64 epoch;
};

#define POLICY_NO_OBJECT	(~0u)

typedef void (*policy_hook)(const struct tiffin_ctx *ctx, const void *in, void *out);

/**
 * policy_host_call - put a question to the policy
 * @host: the instance
 * @hook: offset of the hook in the family's hook table
 * @call: what about
 * @in: the question; the policy gets a copy
 * @in_size: its bytes
 * @out: the answer, as the policy shall find it; receives what it wrote
 * @out_size: its bytes
 *
 * Return: 1; 0 where the policy has no such hook.
 */
int policy_host_call(struct policy_host *host, size_t hook, const struct policy_call *call,
		     const void *in, size_t in_size, void *out, size_t out_size);

#endif /* POLICY_HOST_H */
