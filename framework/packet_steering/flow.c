// SPDX-License-Identifier: GPL-2.0-only
/* The flow table and the rule that keeps order; the invariants are in flow.h. */

#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "packet_steering/flow.h"

/* Another CPU may have seen a later tick: @from may be a little after @now. */
static bool ps_elapsed(u32 from, u32 now, u32 span)
{
	return now - from + HZ >= span + HZ;
}

enum ps_move ps_may_move(struct ps_bucket *b, u64 word, const struct ps_evidence *ev, u32 now,
			 u32 expiry)
{
	bool believed = ps_elapsed(READ_ONCE(b->restarted), now, expiry);
	s32 missing = ps_missing(b, word, ev->seen);
	u32 stuck = READ_ONCE(b->stuck);

	if (ev->seen_at) {
		if (!missing && believed) {
			WRITE_ONCE(b->stuck, 0);
			return PS_MOVE;
		}
	} else if (ev->passed && READ_ONCE(b->unseen) >= PS_LAST_STAGE) {
		return PS_MOVE;
	}
	if (ev->passed && ps_elapsed(READ_ONCE(b->placed), now, expiry)) {
		WRITE_ONCE(b->stuck, 0);
		return PS_MOVE_EXPIRED;
	}
	if (!ev->seen_at)
		return PS_WAIT;
	if ((missing < 0 && believed) || (stuck && ps_elapsed(stuck, now, PS_STUCK * expiry))) {
		WRITE_ONCE(b->stuck, now | 1);
		return PS_WAIT_RESTART;
	}
	if (!stuck)
		WRITE_ONCE(b->stuck, now | 1);
	return PS_WAIT;
}

u64 ps_bucket_restart(struct ps_bucket *b, u64 word, struct ps_seen *seen, u32 coming, u32 since)
{
	u64 new = word ^ PS_LANE_PHASE, was;

	/* The phase changes only here, and meanwhile nobody uses base and seen of the other one. */
	if (cmpxchg_acquire(&b->restarting, 0, 1))
		return word;
	WRITE_ONCE(b->base[ps_word_phase(new)], READ_ONCE(seen->segs) + coming - ps_word_seq(word));
	WRITE_ONCE(b->restarted, since);
	WRITE_ONCE(b->unseen, 0);
	WRITE_ONCE(seen->at, 0);
	was = READ_ONCE(b->word) == word ? cmpxchg64(&b->word, word, new) : ~word;
	/* Whoever is at it next sees what was written here. */
	smp_store_release(&b->restarting, 0);
	return was == word ? new : word;
}

void ps_bucket_forget(struct ps_bucket *b, u32 now)
{
	u32 placed = READ_ONCE(b->placed);
	u64 word = READ_ONCE(b->word);

	if (!ps_elapsed(placed, now, PS_FORGET) || cmpxchg(&b->placed, placed, now) != placed)
		return;
	/* Where this fails a packet was placed meanwhile: the flow is back. */
	if (cmpxchg64(&b->word, word,
		      ps_word(ps_word_seq(word), PS_LANE_NONE | (word & PS_LANE_PHASE))) != word)
		return;
	WRITE_ONCE(b->generation, b->generation + 1 ?: 1);
	WRITE_ONCE(b->repeat, 0);
	WRITE_ONCE(b->unseen, 0);
	WRITE_ONCE(b->stuck, 0);
}

u32 ps_heat(struct ps_heat *heat, u32 generation, u32 seq, u32 now)
{
	u32 rate = READ_ONCE(heat->rate), fresh, span, halves;
	u64 since = READ_ONCE(heat->since);

	if (READ_ONCE(heat->generation) != generation) {
		WRITE_ONCE(heat->generation, generation);
		WRITE_ONCE(heat->since, ps_word(seq, now));
		WRITE_ONCE(heat->rate, 0);
		return 0;
	}
	if (!ps_elapsed(since, now, PS_HEAT_HALF) ||
	    cmpxchg64(&heat->since, since, ps_word(seq, now)) != since)
		return rate;
	span = now - (u32)since;
	fresh = min_t(u64, div_u64((u64)(seq - ps_word_seq(since)) * HZ, span), U32_MAX);
	halves = min_t(u32, span / PS_HEAT_HALF, 31);
	rate = fresh > rate ? fresh - ((fresh - rate) >> halves) :
			      fresh + ((rate - fresh) >> halves);
	WRITE_ONCE(heat->rate, rate);
	return rate;
}

int ps_table_init(struct ps_table *table)
{
	table->bucket = vzalloc(array_size(PS_BUCKETS, sizeof(*table->bucket)));
	table->seen = vzalloc(array_size(PS_STAMPS, sizeof(*table->seen)));
	table->heat = vzalloc(array_size(PS_BUCKETS, sizeof(*table->heat)));
	if (!table->bucket || !table->seen || !table->heat) {
		ps_table_exit(table);
		return -ENOMEM;
	}
	ps_table_reset(table);
	return 0;
}

void ps_table_exit(struct ps_table *table)
{
	vfree(table->heat);
	vfree(table->seen);
	vfree(table->bucket);
}

void ps_table_reset(struct ps_table *table)
{
	u32 i, now = jiffies;

	for (i = 0; i < PS_BUCKETS; i++) {
		struct ps_bucket *b = &table->bucket[i];

		*b = (struct ps_bucket) {
			.word = ps_word(0, PS_LANE_NONE),
			.generation = b->generation + 1 ?: 1,
			.placed = now,
			.restarted = now - PS_FORGET,
		};
	}
	memset(table->seen, 0, array_size(PS_STAMPS, sizeof(*table->seen)));
}

u32 ps_table_flows(const struct ps_table *table, u32 now)
{
	u32 i, nr = 0;

	for (i = 0; i < PS_BUCKETS; i++) {
		const struct ps_bucket *b = &table->bucket[i];

		if (ps_word_lane(READ_ONCE(b->word)) != PS_LANE_NONE &&
		    !ps_elapsed(READ_ONCE(b->placed), now, PS_FORGET))
			nr++;
	}
	return nr;
}

u32 ps_table_lanes(const struct ps_table *table, int cpu, u32 now, u32 recent)
{
	u32 i, nr = 0;

	for (i = 0; i < PS_BUCKETS; i++) {
		const struct ps_bucket *b = &table->bucket[i];
		u32 lane = ps_word_lane(READ_ONCE(b->word));

		if (lane != PS_LANE_NONE && !(lane & (PS_LANE_STAY | PS_LANE_STOCK)) &&
		    (cpu < 0 || ps_lane_cpu(lane) == cpu) &&
		    !ps_elapsed(READ_ONCE(b->placed), now, recent))
			nr++;
	}
	return nr;
}
