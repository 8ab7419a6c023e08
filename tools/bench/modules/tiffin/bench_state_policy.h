/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tiffin/bench_state_policy.h: a policy of the family but for its TIFFIN_POLICY(). STATE_LAYOUT 1:
 * the words as they come; 2: the other way round, and each one complemented.
 */
#ifndef TIFFIN_BENCH_STATE_POLICY_H
#define TIFFIN_BENCH_STATE_POLICY_H

#include <tiffin/bench_state.h>

static inline __u64 *state_at(__u64 *record, __u32 word)
{
	return &record[STATE_LAYOUT == 2 ? STATE_PLACES - word : word];
}

static inline __u64 state_get(__u64 *record, __u32 word)
{
	return STATE_LAYOUT == 2 ? ~*state_at(record, word) : *state_at(record, word);
}

static inline void state_put(__u64 *record, __u32 word, __u64 value)
{
	*state_at(record, word) = STATE_LAYOUT == 2 ? ~value : value;
}

/* What write number @nr puts at place @word of @object; 0: what stands there before any. */
static inline __u64 state_value(__u32 object, __u32 word, __u64 nr)
{
	return ((__u64)object << 32 | word) * 0x9e3779b97f4a7c15ull + nr;
}

static void state_fill(__u64 *record, __u32 object)
{
	__u32 word;

	state_put(record, 0, 0);
	for (word = 1; word <= STATE_PLACES; word++)
		state_put(record, word, state_value(object, word, 0));
}

/* Words that are wrong. */
static __u32 state_write(__u64 *record, __u32 object, __u32 writes)
{
	__u32 word = 1 + writes % STATE_PLACES, nr = writes + 1;
	__u32 before = nr > STATE_PLACES ? nr - STATE_PLACES : 0, wrong;

	wrong = state_get(record, 0) != writes;
	wrong += state_get(record, word) != state_value(object, word, before);
	state_put(record, word, state_value(object, word, nr));
	state_put(record, 0, nr);
	return wrong;
}

static __u32 state_check(__u64 *record, __u32 object, __u32 writes)
{
	__u32 rounds = writes / STATE_PLACES, rest = writes % STATE_PLACES;
	__u32 word, nr, wrong = state_get(record, 0) != writes;

	for (word = 1; word <= STATE_PLACES; word++) {
		nr = word <= rest ? rounds * STATE_PLACES + word :
		     rounds ? (rounds - 1) * STATE_PLACES + word : 0;
		wrong += state_get(record, word) != state_value(object, word, nr);
	}
	return wrong;
}

static void state_ask(const struct tiffin_ctx *ctx, const struct tiffin_state_in *in,
		      struct tiffin_state_out *out)
{
	__u64 *record = tiffin_object(ctx);

	switch (in->op) {
	case TIFFIN_STATE_FILL:
		state_fill(record, in->object);
		break;
	case TIFFIN_STATE_WRITE:
		out->wrong = state_write(record, in->object, in->writes);
		break;
	default:
		out->wrong = state_check(record, in->object, in->writes);
		break;
	}
}

/* From the other layout. */
static void state_convert(const struct tiffin_ctx *ctx, const struct tiffin_convert_in *in,
			  struct tiffin_convert_out *out)
{
	const __u64 *from = in->from;
	__u64 *to = out->record;
	__u32 i;

	(void)ctx;
	for (i = 0; i < STATE_WORDS; i++)
		to[STATE_PLACES - i] = ~from[i];
}

static const struct tiffin_store state_stores[] = {
	{ "state", STATE_LAYOUT, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_LOCKED, TIFFIN_MAX_RECORD,
	  .convert = state_convert },
};

static const struct tiffin_bench_state_hooks state_hooks = {
	.ask = state_ask,
};

#define STATE_POLICY(name, doc)								\
	TIFFIN_POLICY(bench_state, name, "1.0", doc, TIFFIN_HOOKS(state_hooks),		\
		      TIFFIN_STORES(state_stores))

#endif /* TIFFIN_BENCH_STATE_POLICY_H */
