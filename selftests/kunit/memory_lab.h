/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suite of allocations that fail is made of: an operation that can be done again and
 * again, and a look at all that it must not change where it is refused.
 */
#ifndef TIFFIN_TEST_MEMORY_LAB_H
#define TIFFIN_TEST_MEMORY_LAB_H

#include "lab_kunit.h"

/* More than any operation makes. */
#define MANY	400

/* How often to begin with the first allocation again, where less went wrong than expected. */
#define ROUNDS	4

/* Some of the lab's objects have a record. */
#define ASKED	5

/*
 * struct memory_state - what a refused operation leaves as it was
 * @active: instance
 * @previous: likewise
 * @older: what the active one is about
 * @kept: likewise
 * @spare: likewise
 * @health: memory of a probation
 * @state: enum tiffin_swap_state
 * @word: the gate's
 * @epoch: likewise
 * @flips: of which the family was told
 * @swaps: counted
 * @commits: likewise
 * @rollbacks: likewise
 * @bytes: that the family is charged
 * @modules: references of the module, which all policies and the family are in
 * @previous_id: for a rollback
 * @instances: of each policy
 * @quarantined: likewise
 * @loaded: likewise, its folder is there
 * @store: of the active instance, by kind
 * @from: of each store
 * @refs: likewise
 * @saved: of the active instance, by kind
 * @used: of @records
 * @records: of all stores
 */
struct memory_state {
	const struct tiffin_instance *active;
	const struct tiffin_instance *previous;
	const struct tiffin_instance *older;
	const void *kept;
	const void *spare;
	const void *health;
	int state;
	u32 word;
	u64 epoch;
	u32 flips;
	u64 swaps;
	u64 commits;
	u64 rollbacks;
	s64 bytes;
	int modules;
	char previous_id[TIFFIN_ID_LEN];
	u32 instances[LAB_POLICIES];
	bool quarantined[LAB_POLICIES];
	bool loaded[LAB_POLICIES];
	const struct tiffin_store_mem *store[TIFFIN_STORE_KINDS];
	const void *from[TIFFIN_STORE_KINDS];
	u32 refs[TIFFIN_STORE_KINDS];
	const void *saved[TIFFIN_STORE_KINDS];
	size_t used;
	u8 records[2 * PAGE_SIZE];
};

/*
 * struct memory_test - the suite's fixture
 * @lab: first: test->priv is the lab
 * @before: an operation
 * @after: it
 * @older: at a flip
 * @request: what a swap asks for
 * @who: is active
 * @calls: that each object's record has seen
 * @all: that the instance's record has seen
 * @failed: an allocation has, in the last operation
 * @refused: operations
 * @said: of these, those of which the scope's error says that it was for memory
 * @done: operations that had an allocation fail, and were done all the same
 * @mnt: of sysfs
 * @file: in it
 * @text: what is written there
 * @second: a further family
 */
struct memory_test {
	struct lab lab;
	struct memory_state before;
	struct memory_state after;
	struct memory_state older;
	struct tiffin_swap_request request;
	enum lab_who who;
	u64 calls[LAB_OBJECTS];
	u64 all;
	bool failed;
	unsigned int refused;
	unsigned int said;
	unsigned int done;
	struct vfsmount *mnt;
	struct file *file;
	const char *text;
	struct tiffin_family second;
};

static inline struct tiffin_scope *memory_scope(struct memory_test *t)
{
	return t->lab.family.scope;
}

/**
 * struct memory_case - an operation, again and again
 * @op: it
 * @begin: what comes before
 * @end: it was done: that it was done right, then back to where @begin can come again
 * @refused: expect at least so many refusals
 * @done: expect it to be done, with an allocation failing, at least so often
 * @mute: of the refusals, so many a round may be without words of the scope; MANY: it has none for
 *	any, and isn't asked
 */
struct memory_case {
	int (*op)(struct memory_test *t);
	void (*begin)(struct kunit *test);
	void (*end)(struct kunit *test);
	unsigned int refused;
	unsigned int done;
	unsigned int mute;
};

/* The suite's fixture. The scope's rescue is kept away: it would come with memory. */
int memory_lab_init(struct kunit *test);
void memory_lab_exit(struct kunit *test);

/* An operation, its allocation number @nth failing, or none (0), or @all of them. */
int memory_do(struct memory_test *t, int (*op)(struct memory_test *t), unsigned int nth, bool all);

/* The operation, an allocation further each time, until all that it makes have failed once. */
void memory_each(struct kunit *test, const struct memory_case *c);

/* All that an operation must not change where it is refused. */
void memory_look(struct kunit *test, struct memory_state *now);

/* Nothing has changed since the look before the operation. */
void memory_expect_same(struct kunit *test, unsigned int nth);

/* Records are as at the look @then. */
void memory_expect_records(struct kunit *test, const struct memory_state *then, unsigned int nth);

/* The active policy answers, and its records know of every call. */
void memory_ask(struct kunit *test, u32 object);

/* @from is active, and knows some objects, one of them better. */
void memory_begin(struct kunit *test, enum lab_who from);

/* @who is active, has all that the one before it knew, and nothing of a swap is left. */
void memory_expect_active(struct kunit *test, enum lab_who who);

#endif /* TIFFIN_TEST_MEMORY_LAB_H */
