/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tiffin/bench_state.h: a family whose objects have large records: what does state cost at a swap?
 *
 * A record is a count and values. The write number s puts a value that follows from the object, the
 * place and s at the place that is next in turn, and counts. So whoever knows the number of writes
 * knows what each word of the record has to hold, and the family needs one number an object for a
 * copy of its own of all records.
 *
 * Deepest context: process.
 */
#ifndef TIFFIN_BENCH_STATE_H
#define TIFFIN_BENCH_STATE_H

#include <tiffin/plugin.h>
#include <tiffin/state.h>

#define TIFFIN_bench_state_ABI		TIFFIN_ABI(1, 0)
#define TIFFIN_bench_state_ABI_TEXT	1.0

/* Words of a record: the count, then the places for values. */
#define STATE_WORDS	(TIFFIN_MAX_RECORD / sizeof(__u64))
#define STATE_PLACES	(STATE_WORDS - 1)

/**
 * enum tiffin_state_op - what is asked
 * @TIFFIN_STATE_FILL: make the record one without a write
 * @TIFFIN_STATE_WRITE: see that the count and the value that will go are right, write once more
 * @TIFFIN_STATE_CHECK: see that each word is right
 */
enum tiffin_state_op {
	TIFFIN_STATE_FILL,
	TIFFIN_STATE_WRITE,
	TIFFIN_STATE_CHECK,
};

/**
 * struct tiffin_state_in - the question
 * @size: bytes of this structure on the host's side
 * @op: one of enum tiffin_state_op
 * @object: whose record
 * @writes: that it has had
 */
struct tiffin_state_in {
	__u32 size;
	__u32 op;
	__u32 object;
	__u32 writes;
};

/**
 * struct tiffin_state_out - the answer; zeros when the call begins
 * @size: bytes of this structure on the host's side
 * @wrong: words that were not right
 */
struct tiffin_state_out {
	__u32 size;
	__u32 wrong;
};

/**
 * struct tiffin_bench_state_hooks - the hook table of the family
 * @ask: required
 */
struct tiffin_bench_state_hooks {
	void (*ask)(const struct tiffin_ctx *ctx, const struct tiffin_state_in *in,
		    struct tiffin_state_out *out);
};

#endif /* TIFFIN_BENCH_STATE_H */
