// SPDX-License-Identifier: GPL-2.0-only
/* The flow table of packet_steering: stamps, lanes, and the rule that keeps order. */

#include <kunit/test.h>
#include <linux/bitmap.h>

/*
 * The object is part of the family's module, not of the host module that the suites are built with.
 */
#include "packet_steering/flow.c"

#define EXPIRY	((u32)HZ / 20)
#define CPU	3u
#define OTHER	1u
#define HASH	0xdeadbeefu

/**
 * struct flow_lab - one bucket, and what has become of the packets that went through it
 * @table: a table of its own
 * @place: of the bucket, at stage 0
 * @b: the bucket
 * @now: the test's clock, in jiffies
 */
struct flow_lab {
	struct ps_table table;
	u32 place;
	struct ps_bucket *b;
	u32 now;
};

static int flow_init(struct kunit *test)
{
	struct flow_lab *lab = kunit_kzalloc(test, sizeof(*lab), GFP_KERNEL);
	int err;

	if (!lab)
		return -ENOMEM;
	err = ps_table_init(&lab->table);
	if (err)
		return err;
	lab->place = ps_place(0, HASH);
	lab->b = ps_place_bucket(&lab->table, lab->place);
	lab->now = lab->b->placed;
	test->priv = lab;
	return 0;
}

static void flow_exit(struct kunit *test)
{
	struct flow_lab *lab = test->priv;

	if (lab)
		ps_table_exit(&lab->table);
}

static struct ps_seen *flow_seen(struct flow_lab *lab)
{
	return ps_place_seen(&lab->table, lab->place, ps_word_phase(lab->b->word));
}

/* Place packets of @segs segments on @cpu; gives the stamp of the last. */
static u32 flow_place(struct flow_lab *lab, u32 cpu, u32 packets, u32 segs)
{
	struct ps_bucket *b = lab->b;

	while (packets--) {
		b->word = ps_word(ps_word_seq(b->word) + segs,
				  cpu | ((u32)b->word & PS_LANE_PHASE));
		b->placed = lab->now;
		if (!flow_seen(lab)->at)
			ps_bucket_unseen(b, 1);
	}
	return ps_stamp(lab->place, ps_word_phase(b->word));
}

/* @segs segments with @stamp come to the next stage, in one packet, and settle. */
static void flow_arrive(struct flow_lab *lab, u32 stamp, u32 segs)
{
	struct ps_slot slot = {};

	ps_slot_fill(&slot, NULL, 0, 0, 0, ps_mark(stamp, segs));
	ps_slot_settle(&lab->table, &slot, 0, lab->now);
}

static enum ps_move flow_ask(struct flow_lab *lab, bool passed)
{
	struct ps_seen *seen = flow_seen(lab);
	struct ps_evidence ev = { .seen = seen->segs, .seen_at = seen->at, .passed = passed };

	return ps_may_move(lab->b, lab->b->word, &ev, lab->now, EXPIRY);
}

/* Start the count again in the other phase; true where that was possible. */
static bool flow_restart(struct flow_lab *lab, u32 coming, u32 since)
{
	u32 phase = ps_word_phase(lab->b->word);
	u64 word = lab->b->word;

	return ps_bucket_restart(lab->b, word, ps_place_seen(&lab->table, lab->place, !phase),
				 coming, since) != word;
}

/* A stamp takes the packet to the next stage, and there to the bucket it names. */
static void flow_stamps(struct kunit *test)
{
	static const u32 hashes[] = { 0, 1, 0xfff, 0x1000, HASH, U32_MAX };
	u32 i, stage, stamp, place;

	for (i = 0; i < ARRAY_SIZE(hashes); i++) {
		u32 in_stage = hashes[i] & (BIT(PS_HASH_BITS) - 1);

		for (stage = 0, stamp = 0; stage < TIFFIN_PS_MAX_STAGES; stage++) {
			KUNIT_EXPECT_FALSE(test, ps_stamp_foreign(stamp));
			place = ps_place(stamp, hashes[i]);
			KUNIT_EXPECT_EQ(test, ps_place_stage(place), stage);
			KUNIT_EXPECT_EQ(test, ps_place_index(place),
					stage << PS_HASH_BITS | in_stage);
			stamp = ps_stamp(place, stage & 1);
			KUNIT_EXPECT_LT(test, stamp, PS_STAMPS);
		}
		/* Behind the last stage that is tracked a packet is left alone. */
		KUNIT_EXPECT_EQ(test, stamp, PS_STAMP_DEEP);
		KUNIT_EXPECT_TRUE(test, ps_stamp_foreign(stamp));
	}
}

/* No two places share a bucket or a stamp; small values, as classifiers set them, are foreign. */
static void flow_stamps_apart(struct kunit *test)
{
	unsigned long *taken = kunit_kzalloc(test, BITS_TO_LONGS(PS_STAMPS) * sizeof(long),
					     GFP_KERNEL);
	u32 stamp, hash, twice = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, taken);
	for (stamp = 1; stamp < PS_STAGE_UNIT; stamp++)
		KUNIT_EXPECT_TRUE(test, ps_stamp_foreign(stamp));
	KUNIT_EXPECT_FALSE(test, ps_stamp_foreign(PS_STAGE_UNIT));
	KUNIT_EXPECT_FALSE(test, ps_stamp_foreign(PS_STAMPS - 1));

	for (stamp = 0; stamp < PS_STAMPS - PS_STAGE_UNIT; stamp += PS_STAGE_UNIT)
		for (hash = 0; hash < BIT(PS_HASH_BITS); hash++) {
			u32 place = ps_place(stamp, hash);

			twice += test_and_set_bit(ps_stamp(place, 0), taken);
			twice += test_and_set_bit(ps_stamp(place, 1), taken);
		}
	KUNIT_EXPECT_EQ(test, twice, 0);
	KUNIT_EXPECT_EQ(test, bitmap_weight(taken, PS_STAMPS), PS_STAMPS - PS_STAGE_UNIT);
}

static void flow_lanes(struct kunit *test)
{
	const u32 stay = CPU | PS_LANE_STAY, stock = CPU | PS_LANE_STOCK;

	KUNIT_EXPECT_TRUE(test, ps_lane_same(CPU, CPU));
	KUNIT_EXPECT_TRUE(test, ps_lane_same(stay, stay));
	KUNIT_EXPECT_TRUE(test, ps_lane_same(stay, CPU));
	KUNIT_EXPECT_TRUE(test, ps_lane_same(stock, CPU));
	KUNIT_EXPECT_FALSE(test, ps_lane_same(CPU, stay));
	KUNIT_EXPECT_FALSE(test, ps_lane_same(CPU, CPU + 1));
	KUNIT_EXPECT_FALSE(test, ps_lane_same(PS_LANE_NONE, CPU));
}

/* Sequence and lane come out of a word as they went in, whatever the phase. */
static void flow_words(struct kunit *test)
{
	u64 word = ps_word(U32_MAX, CPU | PS_LANE_STAY | PS_LANE_PHASE);

	KUNIT_EXPECT_EQ(test, ps_word_seq(word), U32_MAX);
	KUNIT_EXPECT_EQ(test, ps_word_lane(word), CPU | PS_LANE_STAY);
	KUNIT_EXPECT_EQ(test, ps_word_phase(word), 1);
	KUNIT_EXPECT_EQ(test, ps_lane_cpu(ps_word_lane(word)), CPU);
	/* How steer.c counts a packet of 7 segments that stays in its lane. */
	word += 7ull << 32;
	KUNIT_EXPECT_EQ(test, ps_word_seq(word), 6);
	KUNIT_EXPECT_EQ(test, ps_word_phase(word), 1);
}

/* A flow moves when all that was placed has come to the next stage, and not before. */
static void flow_drained(struct kunit *test)
{
	struct flow_lab *lab = test->priv;
	u32 stamp = flow_place(lab, CPU, 3, 1);

	KUNIT_EXPECT_EQ(test, flow_ask(lab, false), PS_WAIT);
	flow_arrive(lab, stamp, 1);
	KUNIT_EXPECT_EQ(test, flow_ask(lab, false), PS_WAIT);
	/* Two more, merged into one on the way. */
	flow_arrive(lab, stamp, 2);
	KUNIT_EXPECT_EQ(test, flow_ask(lab, false), PS_MOVE);
	flow_place(lab, CPU, 1, 45);
	KUNIT_EXPECT_EQ(test, flow_ask(lab, false), PS_WAIT);
	flow_arrive(lab, stamp, 45);
	KUNIT_EXPECT_EQ(test, flow_ask(lab, false), PS_MOVE);
	/* That the old CPU's backlog is empty says nothing where there is a next stage. */
	flow_place(lab, CPU, 1, 1);
	KUNIT_EXPECT_EQ(test, flow_ask(lab, true), PS_WAIT);
}

/* The same where sequence and count run over. */
static void flow_wraps(struct kunit *test)
{
	struct flow_lab *lab = test->priv;
	u32 stamp = ps_stamp(lab->place, 0);

	lab->b->word = ps_word(U32_MAX - 1, CPU);
	flow_seen(lab)->segs = U32_MAX - 1;
	flow_place(lab, CPU, 4, 1);
	KUNIT_EXPECT_EQ(test, ps_word_seq(lab->b->word), 2);
	flow_arrive(lab, stamp, 1);
	KUNIT_EXPECT_EQ(test, flow_seen(lab)->segs, U32_MAX);
	KUNIT_EXPECT_EQ(test, flow_ask(lab, false), PS_WAIT);
	flow_arrive(lab, stamp, 2);
	KUNIT_EXPECT_EQ(test, flow_ask(lab, false), PS_WAIT);
	KUNIT_EXPECT_EQ(test, ps_missing(lab->b, lab->b->word, flow_seen(lab)->segs), 1);
	flow_arrive(lab, stamp, 1);
	KUNIT_EXPECT_EQ(test, flow_ask(lab, false), PS_MOVE);
}

/* Without a next stage it is the old CPU's backlog that tells, once that much is known. */
static void flow_last_stage(struct kunit *test)
{
	struct flow_lab *lab = test->priv;

	/* A CPU takes up to 64 from its backlog before a next stage gets any of them. */
	flow_place(lab, CPU, 65, 1);
	KUNIT_EXPECT_EQ(test, flow_ask(lab, true), PS_WAIT);
	flow_place(lab, CPU, PS_LAST_STAGE - 65, 1);
	KUNIT_EXPECT_EQ(test, flow_ask(lab, true), PS_WAIT);
	flow_place(lab, CPU, 1, 1);
	KUNIT_EXPECT_EQ(test, flow_ask(lab, false), PS_WAIT);
	KUNIT_EXPECT_EQ(test, flow_ask(lab, true), PS_MOVE);
	/* A second device feeds the bucket: what it means that none was seen is open again. */
	ps_bucket_unseen(lab->b, 2);
	KUNIT_EXPECT_EQ(test, flow_ask(lab, true), PS_WAIT);
}

/* After a pause nothing is waited for, if the backlog is known to have passed the last packet. */
static void flow_pause(struct kunit *test)
{
	struct flow_lab *lab = test->priv;
	u32 stamp = flow_place(lab, CPU, 2, 1);

	flow_arrive(lab, stamp, 1);
	lab->now += EXPIRY - 1;
	KUNIT_EXPECT_EQ(test, flow_ask(lab, true), PS_WAIT);
	lab->now++;
	KUNIT_EXPECT_EQ(test, flow_ask(lab, false), PS_WAIT);
	KUNIT_EXPECT_EQ(test, flow_ask(lab, true), PS_MOVE_EXPIRED);
}

/* A CPU whose jiffies are a tick behind does not take that for an eternity. */
static void flow_late_clock(struct kunit *test)
{
	struct flow_lab *lab = test->priv;

	flow_place(lab, CPU, 1, 1);
	lab->now--;
	KUNIT_EXPECT_EQ(test, flow_ask(lab, true), PS_WAIT);
	ps_bucket_refresh(lab->b, lab->now);
	KUNIT_EXPECT_EQ(test, ps_word_lane(lab->b->word), CPU);
}

/* A flow that lost a packet and never pauses can move in the end. */
static void flow_loss(struct kunit *test)
{
	struct flow_lab *lab = test->priv;
	u32 old = flow_place(lab, CPU, 10, 1), new, t;
	enum ps_move move = PS_WAIT;

	flow_arrive(lab, old, 9);
	/* The start may be noted a tick late: it is never 0. */
	for (t = 0; t <= PS_STUCK * EXPIRY + 1 && move == PS_WAIT; t++) {
		lab->now++;
		flow_place(lab, CPU, 1, 1);
		flow_arrive(lab, old, 1);
		move = flow_ask(lab, false);
	}
	KUNIT_ASSERT_EQ(test, move, PS_WAIT_RESTART);

	/* One packet of the old phase is still under way. */
	flow_place(lab, CPU, 1, 1);
	KUNIT_ASSERT_TRUE(test, flow_restart(lab, 0, lab->now));
	new = flow_place(lab, CPU, 1, 1);
	KUNIT_EXPECT_NE(test, new, old);
	flow_arrive(lab, new, 1);
	KUNIT_EXPECT_EQ(test, flow_ask(lab, false), PS_WAIT);
	flow_arrive(lab, old, 1);
	KUNIT_EXPECT_EQ(test, flow_ask(lab, false), PS_WAIT);
	/* After expiry_ms the new count is believed, and the old phase's packets are not in it. */
	lab->now += EXPIRY;
	flow_arrive(lab, old, 1);
	flow_place(lab, CPU, 1, 1);
	KUNIT_EXPECT_EQ(test, flow_ask(lab, false), PS_WAIT);
	flow_arrive(lab, new, 1);
	KUNIT_EXPECT_EQ(test, flow_ask(lab, false), PS_MOVE);
}

/* More was seen than placed: somebody copies packets, and what was counted is worth nothing. */
static void flow_copied(struct kunit *test)
{
	struct flow_lab *lab = test->priv;
	u32 old = flow_place(lab, CPU, 3, 1), new;

	flow_arrive(lab, old, 4);
	KUNIT_ASSERT_EQ(test, flow_ask(lab, false), PS_WAIT_RESTART);
	KUNIT_ASSERT_TRUE(test, flow_restart(lab, 0, lab->now));
	new = flow_place(lab, CPU, 1, 1);
	flow_arrive(lab, new, 2);
	/* Where all is copied it does not begin anew all the time. */
	KUNIT_EXPECT_EQ(test, flow_ask(lab, false), PS_WAIT);
	lab->now += EXPIRY;
	KUNIT_EXPECT_EQ(test, flow_ask(lab, false), PS_WAIT_RESTART);
	KUNIT_ASSERT_TRUE(test, flow_restart(lab, 0, lab->now));
	flow_arrive(lab, flow_place(lab, CPU, 2, 1), 2);
	lab->now += EXPIRY;
	KUNIT_EXPECT_EQ(test, flow_ask(lab, false), PS_MOVE);
	/* After a pause it is of no interest. */
	flow_arrive(lab, flow_place(lab, CPU, 1, 1), 2);
	lab->now += EXPIRY;
	KUNIT_EXPECT_EQ(test, flow_ask(lab, true), PS_MOVE_EXPIRED);
}

/* Counting anew takes in what is on its way from a slot to the count. */
static void flow_restart_coming(struct kunit *test)
{
	struct flow_lab *lab = test->priv;
	u32 other = ps_stamp(lab->place, 1), stamp;

	flow_place(lab, CPU, 5, 1);
	/* 3 segments of the other phase, of long ago, are in the slot of some CPU. */
	KUNIT_ASSERT_TRUE(test, flow_restart(lab, 3, lab->now - EXPIRY));
	flow_arrive(lab, other, 3);
	KUNIT_EXPECT_EQ(test, flow_ask(lab, false), PS_MOVE);
	stamp = flow_place(lab, CPU, 1, 1);
	KUNIT_EXPECT_EQ(test, stamp, other);
	KUNIT_EXPECT_EQ(test, flow_ask(lab, false), PS_WAIT);
}

/* Of two CPUs that want to count anew one does, and one that comes late changes nothing. */
static void flow_restart_once(struct kunit *test)
{
	struct flow_lab *lab = test->priv;
	struct ps_seen *seen = ps_place_seen(&lab->table, lab->place, 1);
	u64 word = ps_word(0, CPU);

	lab->b->word = ps_word(1, CPU);
	KUNIT_EXPECT_EQ(test, ps_bucket_restart(lab->b, word, seen, 0, lab->now), word);
	KUNIT_EXPECT_EQ(test, lab->b->word, ps_word(1, CPU));
	WRITE_ONCE(lab->b->restarting, 1);
	KUNIT_EXPECT_FALSE(test, flow_restart(lab, 0, lab->now));
	WRITE_ONCE(lab->b->restarting, 0);
	KUNIT_EXPECT_TRUE(test, flow_restart(lab, 0, lab->now));
}

/* Where packets no longer come to a next stage it is forgotten that there was one. */
static void flow_stage_gone(struct kunit *test)
{
	struct flow_lab *lab = test->priv;
	u32 stamp = flow_place(lab, CPU, 1, 1), t;
	enum ps_move move = PS_WAIT;

	flow_arrive(lab, stamp, 1);
	/* The start may be noted a tick late: it is never 0. */
	for (t = 0; t <= PS_STUCK * EXPIRY + 1 && move == PS_WAIT; t++) {
		lab->now++;
		flow_place(lab, CPU, 1, 1);
		move = flow_ask(lab, true);
	}
	KUNIT_ASSERT_EQ(test, move, PS_WAIT_RESTART);
	KUNIT_ASSERT_TRUE(test, flow_restart(lab, 0, lab->now));
	flow_place(lab, CPU, PS_LAST_STAGE + 1, 1);
	KUNIT_EXPECT_EQ(test, flow_ask(lab, true), PS_MOVE);
}

/* A bucket that was silent for long goes to the next flow, which starts without a lane. */
static void flow_forget(struct kunit *test)
{
	struct flow_lab *lab = test->priv;
	u32 generation = lab->b->generation;

	flow_place(lab, CPU, 4, 1);
	KUNIT_EXPECT_EQ(test, ps_table_flows(&lab->table, lab->now), 1);
	lab->now += PS_FORGET;
	ps_bucket_refresh(lab->b, lab->now);
	KUNIT_EXPECT_EQ(test, ps_word_lane(lab->b->word), CPU);
	lab->now++;
	KUNIT_EXPECT_EQ(test, ps_table_flows(&lab->table, lab->now), 0);
	ps_bucket_refresh(lab->b, lab->now);
	KUNIT_EXPECT_EQ(test, ps_word_lane(lab->b->word), PS_LANE_NONE);
	KUNIT_EXPECT_EQ(test, ps_word_seq(lab->b->word), 4);
	KUNIT_EXPECT_NE(test, lab->b->generation, generation);

	lab->b->generation = U32_MAX;
	lab->now += PS_FORGET + 1;
	ps_bucket_refresh(lab->b, lab->now);
	KUNIT_EXPECT_EQ(test, lab->b->generation, 1);
}

static bool flow_repeats(struct flow_lab *lab, u32 term, u32 steady, u32 this_cpu)
{
	const struct ps_terms terms = {
		.sampled = ATOMIC_INIT(term),
		.steady = ATOMIC_INIT(steady),
	};

	return ps_bucket_repeats(lab->b, lab->b->word, &terms, this_cpu);
}

/* An answer is repeated as often as it said, and no longer than in its term. */
static void flow_repeat(struct kunit *test)
{
	struct flow_lab *lab = test->priv;

	flow_place(lab, CPU, 1, 1);
	ps_bucket_answered(lab->b, 6, 2);
	KUNIT_EXPECT_TRUE(test, flow_repeats(lab, 6, 1, OTHER));
	KUNIT_EXPECT_TRUE(test, flow_repeats(lab, 6, 1, OTHER));
	KUNIT_EXPECT_FALSE(test, flow_repeats(lab, 6, 1, OTHER));

	ps_bucket_answered(lab->b, 6, 2);
	KUNIT_EXPECT_FALSE(test, flow_repeats(lab, 8, 1, OTHER));
	KUNIT_EXPECT_FALSE(test, flow_repeats(lab, 4, 1, OTHER));
	ps_bucket_answered(lab->b, 8, 0);
	KUNIT_EXPECT_FALSE(test, flow_repeats(lab, 8, 1, OTHER));

	ps_bucket_answered(lab->b, 8, U32_MAX);
	KUNIT_EXPECT_EQ(test, lab->b->repeat, TIFFIN_PS_MAX_REPEAT);
	lab->now += PS_FORGET + 1;
	ps_bucket_refresh(lab->b, lab->now);
	KUNIT_EXPECT_EQ(test, lab->b->repeat, 0);
}

/* A steady answer outlives the term, but not the steady one. */
static void flow_repeat_steady(struct kunit *test)
{
	struct flow_lab *lab = test->priv;

	flow_place(lab, CPU, 1, 1);
	ps_bucket_answered(lab->b, 3, 3);
	KUNIT_EXPECT_TRUE(test, flow_repeats(lab, 6, 3, OTHER));
	KUNIT_EXPECT_TRUE(test, flow_repeats(lab, 8, 3, OTHER));
	KUNIT_EXPECT_FALSE(test, flow_repeats(lab, 8, 5, OTHER));
	KUNIT_EXPECT_EQ(test, lab->b->repeat, 1);
}

/* Terms end one by one; a steady one ends before a silent bucket may forget its flow. */
static void flow_terms(struct kunit *test)
{
	struct ps_terms terms = { .steady = ATOMIC_INIT(1), .began = -5u };
	u32 now = 5;

	ps_terms_next(&terms, false, now);
	KUNIT_EXPECT_EQ(test, atomic_read(&terms.sampled), 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&terms.steady), 1);
	ps_terms_next(&terms, true, now);
	KUNIT_EXPECT_EQ(test, atomic_read(&terms.sampled), 4);
	KUNIT_EXPECT_EQ(test, atomic_read(&terms.steady), 3);

	ps_terms_next(&terms, false, now + PS_TERM_MAX - 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&terms.steady), 3);
	ps_terms_next(&terms, false, now + PS_TERM_MAX);
	KUNIT_EXPECT_EQ(test, atomic_read(&terms.steady), 5);
	ps_terms_next(&terms, false, now + PS_TERM_MAX + 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&terms.steady), 5);
	KUNIT_EXPECT_EQ(test, atomic_read(&terms.sampled), 10);
}

/* A packet that shall stay can be kept by the CPU alone that has it. */
static void flow_repeat_stay(struct kunit *test)
{
	struct flow_lab *lab = test->priv;

	flow_place(lab, CPU | PS_LANE_STAY, 1, 1);
	ps_bucket_answered(lab->b, 6, 2);
	KUNIT_EXPECT_FALSE(test, flow_repeats(lab, 6, 1, OTHER));
	KUNIT_EXPECT_TRUE(test, flow_repeats(lab, 6, 1, CPU));
	KUNIT_EXPECT_EQ(test, lab->b->repeat, 1);
}

/* A slot tells once, and keeps the place of a packet only where the kernel has reported one. */
static void flow_slot(struct kunit *test)
{
	struct flow_lab *lab = test->priv;
	u32 stamp = ps_stamp(lab->place, 0);
	struct ps_slot slot = {};

	ps_slot_fill(&slot, lab->b, 8, 100, 0, ps_mark(stamp, 5));
	KUNIT_EXPECT_EQ(test, lab->table.seen[stamp].segs, 0);
	ps_slot_settle(&lab->table, &slot, 100, lab->now);
	KUNIT_EXPECT_EQ(test, lab->table.seen[stamp].segs, 5);
	KUNIT_EXPECT_NE(test, lab->table.seen[stamp].at, 0);
	KUNIT_EXPECT_EQ(test, lab->b->tail, 0);
	ps_slot_settle(&lab->table, &slot, 101, lab->now);
	KUNIT_EXPECT_EQ(test, lab->table.seen[stamp].segs, 5);
	KUNIT_EXPECT_EQ(test, lab->b->tail, ps_word(8, 101));

	/* A packet that came without a stamp tells nothing. */
	ps_slot_fill(&slot, NULL, 0, 101, 0, ps_mark(0, 1));
	ps_slot_settle(&lab->table, &slot, 102, lab->now);
	KUNIT_EXPECT_EQ(test, lab->table.seen[0].segs, 0);
	KUNIT_EXPECT_EQ(test, lab->b->tail, ps_word(8, 101));
}

/* Which lanes a CPU that goes offline, or the end of the host's work, has to wait for. */
static void flow_lanes_in_use(struct kunit *test)
{
	struct flow_lab *lab = test->priv;

	flow_place(lab, CPU, 1, 1);
	KUNIT_EXPECT_EQ(test, ps_table_lanes(&lab->table, CPU, lab->now, 2), 1);
	KUNIT_EXPECT_EQ(test, ps_table_lanes(&lab->table, -1, lab->now, 2), 1);
	KUNIT_EXPECT_EQ(test, ps_table_lanes(&lab->table, CPU + 1, lab->now, 2), 0);
	KUNIT_EXPECT_EQ(test, ps_table_lanes(&lab->table, -1, lab->now + 2, 2), 0);
	flow_place(lab, CPU | PS_LANE_STOCK, 1, 1);
	KUNIT_EXPECT_EQ(test, ps_table_lanes(&lab->table, -1, lab->now, 2), 0);
	flow_place(lab, CPU | PS_LANE_STAY, 1, 1);
	KUNIT_EXPECT_EQ(test, ps_table_lanes(&lab->table, -1, lab->now, 2), 0);
}

/* A flow's heat: what is older than PS_HEAT_HALF counts half, and so on. */
static void flow_heat(struct kunit *test)
{
	const u32 second = 8 * PS_HEAT_HALF, hot = 64 * HZ;
	struct ps_heat heat = { 0 };
	u32 now = -second, seq = -500;

	/* The first question begins the count, from any sequence; it goes on through both wraps. */
	KUNIT_EXPECT_EQ(test, ps_heat(&heat, 1, seq, now), 0);
	KUNIT_EXPECT_EQ(test, ps_heat(&heat, 1, seq + 900, now + PS_HEAT_HALF - 1), 0);
	now += 2 * second;
	seq += 2 * 64 * second;
	KUNIT_EXPECT_EQ(test, ps_heat(&heat, 1, seq, now), hot);
	/* A late clock takes nothing anew. */
	KUNIT_EXPECT_EQ(test, ps_heat(&heat, 1, seq, now - 1), hot);
	/* Silent for a half, for two more, for ever. */
	now += PS_HEAT_HALF;
	KUNIT_EXPECT_EQ(test, ps_heat(&heat, 1, seq, now), hot / 2);
	now += 2 * PS_HEAT_HALF;
	KUNIT_EXPECT_EQ(test, ps_heat(&heat, 1, seq, now), hot / 8);
	now += 100 * second;
	KUNIT_EXPECT_EQ(test, ps_heat(&heat, 1, seq, now), 0);
	/* It becomes hot, half of the way at a time, and no number is too large. */
	now += PS_HEAT_HALF;
	seq += 8 * second;
	KUNIT_EXPECT_EQ(test, ps_heat(&heat, 1, seq, now), hot / 2);
	now += 32 * PS_HEAT_HALF;
	seq += U32_MAX;
	KUNIT_EXPECT_GE(test, ps_heat(&heat, 1, seq, now), U32_MAX / 5);
	/* Another flow in the bucket is cold. */
	KUNIT_EXPECT_EQ(test, ps_heat(&heat, 2, seq, now), 0);
	now += PS_HEAT_HALF;
	seq += 8 * second;
	KUNIT_EXPECT_EQ(test, ps_heat(&heat, 2, seq, now), hot / 2);
}

/* A reset table knows no flow, and gives each bucket to a new one. */
static void flow_reset(struct kunit *test)
{
	struct flow_lab *lab = test->priv;
	u32 generation = lab->b->generation;
	u32 stamp = flow_place(lab, CPU, 2, 1);

	flow_arrive(lab, stamp, 1);
	ps_table_reset(&lab->table);
	KUNIT_EXPECT_EQ(test, lab->b->word, ps_word(0, PS_LANE_NONE));
	KUNIT_EXPECT_EQ(test, lab->b->generation, generation + 1);
	KUNIT_EXPECT_EQ(test, lab->table.seen[stamp].segs, 0);
	lab->now = lab->b->placed;
	stamp = flow_place(lab, CPU, 1, 1);
	flow_arrive(lab, stamp, 1);
	KUNIT_EXPECT_EQ(test, flow_ask(lab, false), PS_MOVE);
}

static struct kunit_case flow_cases[] = {
	KUNIT_CASE(flow_stamps),
	KUNIT_CASE(flow_stamps_apart),
	KUNIT_CASE(flow_lanes),
	KUNIT_CASE(flow_words),
	KUNIT_CASE(flow_drained),
	KUNIT_CASE(flow_wraps),
	KUNIT_CASE(flow_last_stage),
	KUNIT_CASE(flow_pause),
	KUNIT_CASE(flow_late_clock),
	KUNIT_CASE(flow_loss),
	KUNIT_CASE(flow_copied),
	KUNIT_CASE(flow_restart_coming),
	KUNIT_CASE(flow_restart_once),
	KUNIT_CASE(flow_stage_gone),
	KUNIT_CASE(flow_forget),
	KUNIT_CASE(flow_repeat),
	KUNIT_CASE(flow_repeat_steady),
	KUNIT_CASE(flow_repeat_stay),
	KUNIT_CASE(flow_terms),
	KUNIT_CASE(flow_slot),
	KUNIT_CASE(flow_lanes_in_use),
	KUNIT_CASE(flow_heat),
	KUNIT_CASE(flow_reset),
	{}
};

static struct kunit_suite flow_suite = {
	.name = "ps_flow",
	.init = flow_init,
	.exit = flow_exit,
	.test_cases = flow_cases,
};
kunit_test_suite(flow_suite);
