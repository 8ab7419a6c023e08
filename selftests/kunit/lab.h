/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lab: a family that only asks, and policies that write down what they were asked. Built into
 * the tests themselves, so that a test controls both sides of a call.
 */
#ifndef TIFFIN_TEST_LAB_H
#define TIFFIN_TEST_LAB_H

#include <linux/types.h>

#include "core/dispatch.h"
#include "core/family.h"
#include "core/scope.h"

#define LAB_FAMILY		"lab"
#define LAB_FAMILY_ABI		TIFFIN_ABI(2, 1)

/* How the descriptor of a policy of this family begins, the lab's or a test's own. */
#define LAB_HEAD(_name)									\
	.magic = TIFFIN_POLICY_MAGIC,								\
	.size = sizeof(struct tiffin_policy),							\
	.core_abi = TIFFIN_CORE_ABI,								\
	.family_abi = LAB_FAMILY_ABI,								\
	.name = _name,										\
	.version = "1.0",									\
	.family = LAB_FAMILY
#define LAB_BUILD		"b1"
#define LAB_OBJECTS		16
#define LAB_MAX_CPUS		16
#define LAB_LISTS		2

/**
 * enum lab_who - the lab's policies
 * @LAB_ALPHA: has stores of all kinds but lists, counters, tunables, init
 * @LAB_BETA: declares the same as alpha, so that all stores go over by reference
 * @LAB_GAMMA: its stores differ from alpha's, each in one declared thing
 * @LAB_BARE: has the required hook and nothing else
 * @LAB_DELTA: alpha's stores in a second layout, to which it converts the first
 * @LAB_SIGMA: alpha's stores; after a rollback it wants the instance's as it was, and objects anew
 * @LAB_KAPPA: has stores of all kinds, objects' shared; after a rollback it wants its lists as they
 *	were
 * @LAB_LAMBDA: kappa's lists, which it takes back as they are; kappa's other stores in a second
 *	layout, to which it converts the first
 * @LAB_POLICIES: number of policies
 */
enum lab_who {
	LAB_ALPHA,
	LAB_BETA,
	LAB_GAMMA,
	LAB_BARE,
	LAB_DELTA,
	LAB_SIGMA,
	LAB_KAPPA,
	LAB_LAMBDA,
	LAB_POLICIES,
};

/* Hooks, counters, tunables and figures by index. */
enum { LAB_ASK, LAB_TELL };
enum { LAB_ASKED, LAB_FRESH };
enum { LAB_KNOB, LAB_BOLT };
enum { LAB_TICKS, LAB_LEVEL };

struct lab_in {
	u32 number;
};

/**
 * struct lab_out - what a policy of the lab answers
 * @number: as asked
 * @answers: how many policies wrote this answer
 * @who: enum lab_who
 * @flags: of the call
 * @epoch: of the call
 * @object_calls: calls that the object's record has seen, this one included; 0 without a record
 * @cpu_calls: likewise, of the CPU's record
 * @instance_calls: likewise, of the instance's record
 * @cpu: that the policy was told
 * @knob: value of the tunable
 * @now_ns: that the policy was told
 * @put: what the service said that puts the object on a list; 0 where the policy has no lists
 */
struct lab_out {
	u32 number;
	u32 answers;
	u32 who;
	u32 flags;
	u64 epoch;
	u64 object_calls;
	u64 cpu_calls;
	u64 instance_calls;
	u32 cpu;
	s64 knob;
	u64 now_ns;
	u32 put;
};

struct lab_hooks {
	void (*ask)(const struct tiffin_ctx *ctx, const struct lab_in *in, struct lab_out *out);
	void (*tell)(const struct tiffin_ctx *ctx, const struct lab_in *in, struct lab_out *out);
};

/**
 * struct lab - one family at work
 * @family: registered between lab_start() and lab_stop()
 * @generation: of each object, 1 to begin with: it lives
 * @loaded: which policies are registered
 * @figure: what the family's figures read
 * @windows: how often a probation began
 * @flips: how often the family was told of a flip
 * @stock: what it was told last
 * @inits: calls of a policy's init
 * @adopted: what the last of them was told
 * @reached: stores that the last of them could reach, a bit a kind
 * @converts: calls of delta's and lambda's conversion, by kind of store
 * @unknown: it does not know what it is given
 * @inside: calls that are in a policy
 * @nonsense: from here on policies answer out of range
 * @mixed: calls that found another policy's call in its hook, which D2 and D3 rule out
 * @in_hook: called in a hook, may be NULL
 * @faulty: hooks of these policies have to be ended, a bit a policy, at their end
 * @faulty_init: likewise, init
 * @faulty_convert: likewise, the conversion
 * @ended: by CPU, the call that ends itself, where the kernel has no guard
 * @faulted: a call was ended, or a policy put in quarantine: lab_stop() has something to wait for
 * @on_flipped: called when the family is told of a flip, process context, may be NULL
 * @private: of the test
 */
struct lab {
	struct tiffin_family family;
	u32 generation[LAB_OBJECTS];
	bool loaded[LAB_POLICIES];
	u64 figure[2];
	unsigned int windows;
	unsigned int flips;
	bool stock;
	unsigned int inits[LAB_POLICIES];
	u32 adopted[LAB_POLICIES];
	u32 reached[LAB_POLICIES];
	u32 converts[TIFFIN_STORE_KINDS];
	bool unknown;
	u32 inside[LAB_POLICIES];
	bool nonsense;
	u32 mixed;
	void (*in_hook)(struct lab *lab, const struct tiffin_ctx *ctx);
	u32 faulty;
	u32 faulty_init;
	u32 faulty_convert;
	const struct tiffin_ctx *ended[LAB_MAX_CPUS];
	bool faulted;
	void (*on_flipped)(struct lab *lab);
	void *private;
};

extern const struct tiffin_policy lab_policy[LAB_POLICIES];
extern const struct lab_hooks lab_hooks[LAB_POLICIES];

/* Where a policy counts the calls that a record has seen; NULL where there is no record. */
u64 *lab_calls(void *record, enum lab_who who);

/**
 * lab_start - register the family and all policies of the lab
 * @lab: zeroed; one at a time
 *
 * Return: 0, or the error of the registration that failed; lab_stop() is due in both cases.
 */
int lab_start(struct lab *lab);

/* Undo lab_start(), whatever state a test has left behind. */
void lab_stop(struct lab *lab);

/* Register and unregister one policy of the lab. */
int lab_load(struct lab *lab, enum lab_who who);
void lab_unload(struct lab *lab, enum lab_who who);

/*
 * A loaded policy of the lab. Nothing holds it: it stays until the test unloads it.
 */
struct tiffin_loaded *lab_loaded(struct lab *lab, enum lab_who who);

/* Put a policy in quarantine, as if a call of it had been ended for @what. Any context but NMI. */
void lab_quarantine(struct lab *lab, struct tiffin_loaded *loaded, const char *what);

/* Swap as if the line @text were written to the scope's file swap. */
int lab_swap(struct lab *lab, const char *text);

/* The scope's last error. */
const char *lab_error(struct lab *lab);

/* Put a question about an object, or about none (TIFFIN_NO_OBJECT). */
enum tiffin_verdict lab_ask(struct lab *lab, u32 hook, u32 object, struct lab_out *out);

/* The same, for another generation of the object than the first. */
enum tiffin_verdict lab_ask_generation(struct lab *lab, u32 hook, u32 object, u32 generation,
				       struct lab_out *out);

/* The sums of dispatch's counts. */
struct tiffin_figures lab_figures(struct lab *lab);

/* D1 and D3: each call was answered once, and none came into a flip. */
bool lab_accounts_hold(struct lab *lab);

/* The name of the active policy. */
const char *lab_active(struct lab *lab);

/* As if a call of hook @hook were counted on @cpu, and let in where @inside; undone by @by -1. */
void lab_call_on_cpu(struct lab *lab, int cpu, u32 hook, int by, bool inside);

#endif /* TIFFIN_TEST_LAB_H */
