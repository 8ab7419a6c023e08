/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flow table and the rule that keeps order.
 *
 * A packet is *placed* when the host answers which CPU continues with it. The answer is a *lane*:
 * a CPU's receive backlog, or, flagged STAY, that CPU going on with the packet itself. A placed
 * packet carries a *stamp* that names the bucket of the flow table it was placed in. To the next
 * stage it brings a *mark*: so many segments of that bucket have been *seen*.
 *
 *	stage k                              stage k + 1
 *	word: seq, lane  --- lane's CPU ---> slot: mark --(settled)--> seen, of stage k's bucket
 *
 * A mark counts only when it is *settled*: the packet is in its lane at stage k + 1 (the kernel
 * puts it there after the host has answered), so that whatever is placed there later comes after
 * it.
 *
 * Invariants:
 *  F1. A packet takes its sequence and its lane by one cmpxchg of the bucket's word. So
 *	placements in a bucket have one order, and a lane changes between two of them.
 *  F2. "seen" never counts a segment before its mark is settled. It counts segments and does not
 *	note the highest sequence: queues between two stages (GRO, gro_cells) may let one packet
 *	overtake another, and several flows may share a bucket.
 *  F3. Where neither the policy forces it nor the old CPU has gone, a lane changes only in a word
 *	for which one of these holds (ps_may_move()), and the cmpxchg is of that very word:
 *	 (drained)  as many segments have been seen as were placed;
 *	 (passed)   the bucket is known to have no next stage, and the old CPU's backlog has
 *		    passed the place of the last packet;
 *	 (expired)  nothing was placed for expiry_ms and the backlog has passed the last packet.
 *  F4. Packets get lost between stages, and then "drained" can't hold again. A bucket whose flow
 *	has been kept from moving for PS_STUCK times expiry_ms counts anew: packets placed from
 *	then on carry the other *phase*, each phase is counted apart, and "drained" is believed
 *	again when the packets of the old phase have had expiry_ms to leave. A bucket of which more
 *	is seen than was placed does so without that delay: somebody copies packets, as bridges do
 *	that have forgotten where somebody is, and those for a group.
 *  F5. Lanes that the stock kernel chose change as it likes while the default is active, but for
 *	the first second after a policy; F3 guards the change from such a lane to a policy's and
 *	back.
 *  F6. From STAY to the backlog of the same CPU is no change of order: the CPU works on its backlog
 *	after what it has in hand. The other way round it is one.
 *
 * Stated limits: a packet that is on its way from one stage to the next for longer than
 * expiry_ms may be overtaken; so may packets of a flow that are as many as copies have just been
 * counted for packets, until fewer are under way when the flow wants to move (F4).
 *
 * Nothing here knows sk_buffs or ftrace, so that it can be tested alone.
 */
#ifndef TIFFIN_PS_FLOW_H
#define TIFFIN_PS_FLOW_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/overflow.h>
#include <linux/types.h>

#include <tiffin/packet_steering.h>

/*
 * A stamp has 16 bits: 3 of the stage plus 1, 12 of the flow's hash, 1 of the phase. Values
 * without a stage are not ours, but 0, which is no stamp. Packets that were placed at the last
 * stage that is tracked get PS_STAMP_DEEP in place of a stamp, and are left alone from then on.
 */
#define PS_STAGE_SHIFT		13
#define PS_STAGE_UNIT		0x2000u
#define PS_STAGE_MASK		(~0u << PS_STAGE_SHIFT)
#define PS_HASH_BITS		12
#define PS_PHASE		1u
#define PS_STAMP_DEEP		1u
#define PS_STAMPS		0x10000u

#define PS_BUCKETS		(TIFFIN_PS_MAX_STAGES << PS_HASH_BITS)

/* A lane: CPU in the low half, flags above. The phase lives in the same word as the lane. */
#define PS_LANE_CPU		0xffffu
#define PS_LANE_STAY		0x10000u
#define PS_LANE_STOCK		0x20000u	/* chosen by the stock kernel */
#define PS_LANE_PHASE		0x80000000u
#define PS_LANE_NONE		PS_LANE_CPU

/* A bucket that saw no packet for this long has forgotten its flow. */
#define PS_FORGET		(10 * HZ)

/* A flow that can't move for so many times expiry_ms is held to have lost packets. */
#define PS_STUCK		4

/*
 * A bucket with this many packets in a row, all from one device, of which none was seen at a next
 * stage has none. They are more than a CPU takes from its backlog in one go, so a next stage
 * would have got some of them before the backlog has passed them all.
 */
#define PS_LAST_STAGE		256

/**
 * struct ps_bucket - a flow at a stage
 * @word: sequence of the next segment << 32 | lane and phase
 * @tail: sequence after the last packet that was found in its lane << 32 | its place in the CPU's
 *	backlog; kept only while no next stage is known
 * @placed: jiffies when a packet was last placed
 * @unseen: packets placed without any being seen at a next stage, all from @device
 * @device: which device; means nothing else
 * @generation: of the flow in this bucket, not 0
 * @base: of each phase: segments seen less the sequence at which the count began
 * @stuck: jiffies since when the flow wants to move and can't; 0 where it doesn't
 * @restarted: jiffies when the count began in the phase; "drained" is believed expiry_ms later
 * @term: in which the policy's last answer may be repeated, of either kind (struct ps_terms)
 * @repeat: for so many packets more
 * @restarting: 1: a CPU is at it
 * @strays: CPUs that may have a mark of this bucket in their slot though its lane has left them, by
 *	number modulo the bits of a long
 */
struct ps_bucket {
	u64 word;
	u64 tail;
	u32 placed;
	u32 unseen;
	u32 device;
	u32 generation;
	u32 base[2];
	u32 stuck;
	u32 restarted;
	u32 term;
	u16 repeat;
	u16 restarting;
	unsigned long strays;
} ____cacheline_aligned;

/**
 * struct ps_seen - what came to the next stage of a bucket in one phase
 * @segs: segments, ever
 * @at: jiffies when the last one came, never 0; 0: no next stage is known
 */
struct ps_seen {
	u32 segs;
	u32 at;
};

/**
 * struct ps_heat - how many packets a flow at a stage had lately
 * @since: sequence << 32 | jiffies, when that was taken
 * @rate: segments a second
 * @generation: of the flow
 */
struct ps_heat {
	u64 since;
	u32 rate;
	u32 generation;
};

/* What is older than so many jiffies counts half of what came since. */
#define PS_HEAT_HALF		(HZ / 8)

/**
 * struct ps_table - the flow table
 * @bucket: by stage and hash
 * @seen: by stamp; apart from the buckets, as other CPUs write it
 * @heat: of each bucket; apart, as only questions ask for it
 */
struct ps_table {
	struct ps_bucket *bucket;
	struct ps_seen *seen;
	struct ps_heat *heat;
};

/**
 * struct ps_terms - numbers of the terms in which answers may be repeated
 * @sampled: a new term begins with each sample of the CPUs and with whatever begins a steady one;
 *	even
 * @steady: for answers that do not depend on the samples: a new term begins with each change of the
 *	CPUs that an answer may name, when another policy is active, and when it is PS_TERM_MAX old;
 *	odd
 * @began: jiffies when the steady one began
 */
struct ps_terms {
	atomic_t sampled;
	atomic_t steady;
	u32 began;
};

/*
 * A steady term ends before a bucket forgets its flow, so that a packet which repeats an answer
 * need not look whether that has happened.
 */
#define PS_TERM_MAX		(PS_FORGET / 2)

/**
 * struct ps_slot - what a CPU has answered last, until that is settled
 * @mark: stamp that the packet came with << 16 | its segments; without a stamp it tells nothing
 * @seq: sequence after the packet where it was placed
 * @tail_of: that bucket, where its tail is of interest
 * @qtail: last place in a backlog that the kernel reported before this packet
 * @processed: packets the CPU had started on when it answered
 *
 * Written by its CPU alone, in one context (softirq or hardirq); read by others. Writer: mark
 * gone, then what it said counted, then the other fields, then the new mark. Reader: "seen", then
 * the mark, then the rest. So a reader that adds a mark to "seen" never counts a packet twice.
 */
struct ps_slot {
	u32 mark;
	u32 seq;
	struct ps_bucket *tail_of;
	u32 qtail;
	u32 processed;
};

static inline u32 ps_word_seq(u64 word)
{
	return word >> 32;
}

static inline u32 ps_word_lane(u64 word)
{
	return (u32)word & ~PS_LANE_PHASE;
}

static inline u32 ps_word_phase(u64 word)
{
	return (u32)word / PS_LANE_PHASE;
}

static inline u64 ps_word(u32 seq, u32 lane)
{
	return (u64)seq << 32 | lane;
}

static inline u32 ps_lane_cpu(u32 lane)
{
	return lane & PS_LANE_CPU;
}

/* A packet may go from lane @from to lane @to of the same CPU without a rule (F6). */
static inline bool ps_lane_same(u32 from, u32 to)
{
	return !((from ^ to) & PS_LANE_CPU) && !(to & ~from & PS_LANE_STAY);
}

/* Not a stamp of ours, and not 0, which is none. */
static inline bool ps_stamp_foreign(u32 stamp)
{
	return stamp - 1 < PS_STAGE_UNIT - 1;
}

/*
 * The place of a packet that comes with @stamp: the stamp that it gets, but for the phase. At the
 * last stage that is tracked it has a bit more than a stamp.
 */
static inline u32 ps_place(u32 stamp, u32 hash)
{
	return (stamp & PS_STAGE_MASK) + PS_STAGE_UNIT + (hash << 1 & (PS_STAGE_UNIT - 2));
}

static inline u32 ps_place_stage(u32 place)
{
	return (place >> PS_STAGE_SHIFT) - 1;
}

/* The number of a place's bucket, and of the object that dispatch is told. */
static inline u32 ps_place_index(u32 place)
{
	return (place - PS_STAGE_UNIT) >> 1;
}

static inline struct ps_bucket *ps_place_bucket(const struct ps_table *table, u32 place)
{
	/* &table->bucket[ps_place_index(place)], but the compiler takes two shifts for that. */
	return (void *)table->bucket + (place - PS_STAGE_UNIT) * (sizeof(struct ps_bucket) / 2);
}

/* The stamp of a packet placed at @place in @phase. */
static inline u32 ps_stamp(u32 place, u32 phase)
{
	return unlikely(place >= PS_STAMPS) ? PS_STAMP_DEEP : place | phase;
}

/* The count of a place's packets in @phase; what nobody counts at the last stage is never seen. */
static inline struct ps_seen *ps_place_seen(const struct ps_table *table, u32 place, u32 phase)
{
	return &table->seen[ps_stamp(place, phase)];
}

/* What a packet of @segs segments, 16 bits, with @stamp has to tell; nothing where @stamp is 0. */
static inline u32 ps_mark(u32 stamp, u32 segs)
{
	return stamp << 16 | segs;
}

static inline u32 ps_mark_stamp(u32 mark)
{
	return mark >> 16;
}

static inline u16 ps_mark_segs(u32 mark)
{
	return mark;
}

/**
 * ps_slot_settle - the CPU comes with its next packet: the one before is settled
 * @table: the table
 * @slot: of this CPU and context
 * @qtail: last place in a backlog that the kernel reported
 * @now: jiffies
 */
static __always_inline void ps_slot_settle(const struct ps_table *table, struct ps_slot *slot,
					   u32 qtail, u32 now)
{
	u32 mark = slot->mark;

	if (ps_mark_stamp(mark)) {
		struct ps_seen *seen = &table->seen[ps_mark_stamp(mark)];

		WRITE_ONCE(slot->mark, 0);
		/* Against the readers' barrier between "seen" and the mark. */
		smp_wmb();
		WRITE_ONCE(seen->segs, seen->segs + ps_mark_segs(mark));
		WRITE_ONCE(seen->at, now | 1);
	}
	if (slot->tail_of && qtail != slot->qtail)
		WRITE_ONCE(slot->tail_of->tail, ps_word(slot->seq, qtail));
}

/**
 * ps_slot_fill - remember what was answered, until it is settled
 * @slot: of this CPU and context
 * @tail_of: the bucket, where its tail is of interest
 * @seq: sequence after the packet there
 * @qtail: last place in a backlog that the kernel reported
 * @processed: packets this CPU has started on
 * @mark: what the packet tells, or 0
 */
static __always_inline void ps_slot_fill(struct ps_slot *slot, struct ps_bucket *tail_of, u32 seq,
					 u32 qtail, u32 processed, u32 mark)
{
	slot->tail_of = tail_of;
	if (tail_of)
		slot->seq = seq;
	WRITE_ONCE(slot->qtail, qtail);
	WRITE_ONCE(slot->processed, processed);
	/* Pairs with the readers' acquire: who sees the mark sees what goes with it. */
	smp_store_release(&slot->mark, mark);
}

/* Segments of the word's phase that have been placed and, by @seen, not seen. */
static inline s32 ps_missing(const struct ps_bucket *b, u64 word, u32 seen)
{
	return ps_word_seq(word) - (seen - READ_ONCE(b->base[ps_word_phase(word)]));
}

/**
 * struct ps_evidence - what is known of a bucket's packets when a flow wants to move
 * @seen: segments of the phase seen at the next stage
 * @seen_at: jiffies when the last one was; 0: no next stage is known
 * @passed: the old CPU's backlog has passed the last packet
 */
struct ps_evidence {
	u32 seen;
	u32 seen_at;
	bool passed;
};

/**
 * enum ps_move - may a flow change its lane?
 * @PS_WAIT: not yet
 * @PS_MOVE: yes, nothing of it is on the old lane
 * @PS_MOVE_EXPIRED: yes, what is missing is held to be lost: ps_bucket_restart()
 * @PS_WAIT_RESTART: not yet, and it looks as if some of it were lost or copied: ps_bucket_restart()
 */
enum ps_move {
	PS_WAIT,
	PS_MOVE,
	PS_MOVE_EXPIRED,
	PS_WAIT_RESTART,
};

/**
 * ps_may_move - the rule (F3)
 * @b: the bucket
 * @word: its word, read before @ev was gathered
 * @ev: what is known
 * @now: jiffies
 * @expiry: expiry_ms in jiffies
 */
enum ps_move ps_may_move(struct ps_bucket *b, u64 word, const struct ps_evidence *ev, u32 now,
			 u32 expiry);

/**
 * ps_bucket_restart - count anew, in the other phase (F4)
 * @b: the bucket
 * @word: its word
 * @seen: the other phase's count
 * @coming: segments of the other phase whose marks are in slots
 * @since: jiffies that take the place of now as the time of the restart
 *
 * Forgets that there is a next stage, too: it may be that nothing comes there any more.
 *
 * Return: the new word; @word where another CPU was faster and nothing has changed.
 */
u64 ps_bucket_restart(struct ps_bucket *b, u64 word, struct ps_seen *seen, u32 coming, u32 since);

/* No packet was placed for so long that the flow is forgotten. */
static inline bool ps_bucket_silent(const struct ps_bucket *b, u32 now)
{
	return (s32)(now - READ_ONCE(b->placed)) > PS_FORGET;
}

/* The flow has been silent for PS_FORGET: give the bucket away. See ps_bucket_refresh(). */
void ps_bucket_forget(struct ps_bucket *b, u32 now);

/**
 * ps_bucket_refresh - see that the bucket is not still that of a flow long gone
 * @b: the bucket
 * @now: jiffies
 *
 * Context: any. Of several CPUs that come at once, one does it.
 */
static inline void ps_bucket_refresh(struct ps_bucket *b, u32 now)
{
	if (unlikely(ps_bucket_silent(b, now)))
		ps_bucket_forget(b, now);
}

/**
 * ps_terms_next - no answer given so far in the sampled term is repeated from now on
 * @terms: the terms
 * @steady: nor one in the steady term; that one ends in any case where it is PS_TERM_MAX old
 * @now: jiffies
 *
 * Context: any.
 */
static inline void ps_terms_next(struct ps_terms *terms, bool steady, u32 now)
{
	if (steady || now - READ_ONCE(terms->began) >= PS_TERM_MAX) {
		WRITE_ONCE(terms->began, now);
		atomic_add(2, &terms->steady);
	}
	atomic_add(2, &terms->sampled);
}

/**
 * ps_bucket_answered - the policy has answered
 * @b: the bucket
 * @term: that the question was put in; the steady one where the answer is steady
 * @repeat: for how many packets more the answer holds; 0 unless it named the flow's own lane
 */
static __always_inline void ps_bucket_answered(struct ps_bucket *b, u32 term, u32 repeat)
{
	WRITE_ONCE(b->repeat, min_t(u32, repeat, TIFFIN_PS_MAX_REPEAT));
	/* Pairs with ps_bucket_repeats(): who sees the term sees the count, or a later one. */
	smp_store_release(&b->term, term);
}

/**
 * ps_bucket_repeats - does the policy's last answer hold for this packet, too?
 * @b: the bucket
 * @word: its word; the lane there is the answer
 * @terms: which it is now
 * @this_cpu: that has the packet
 *
 * Two CPUs that come at once may both take the last repetition.
 *
 * Return: true where a repetition has been taken; false where the policy is to be asked.
 */
static __always_inline bool ps_bucket_repeats(struct ps_bucket *b, u64 word,
					      const struct ps_terms *terms, u32 this_cpu)
{
	u32 term;
	u16 left;

	/* Pairs with ps_bucket_answered(). */
	term = smp_load_acquire(&b->term);
	if (term != atomic_read(&terms->sampled) && term != atomic_read(&terms->steady))
		return false;
	if (check_sub_overflow(READ_ONCE(b->repeat), (u16)1, &left))
		return false;
	/* Another CPU can't go on with the packet in place of that one. */
	if (((u32)word & PS_LANE_STAY) && ps_lane_cpu(word) != this_cpu)
		return false;
	WRITE_ONCE(b->repeat, left);
	return true;
}

/**
 * ps_heat - how many packets has a flow at a stage had lately?
 * @heat: of the bucket
 * @generation: of the flow there
 * @seq: sequence of the next segment
 * @now: jiffies
 *
 * All that it needs is in the sequence: packets pay nothing for it. The flow's first question finds
 * 0, and begins the count.
 *
 * Context: any. Of several CPUs that come at once, one takes the rate; the others get the older
 * one.
 * Return: segments a second.
 */
u32 ps_heat(struct ps_heat *heat, u32 generation, u32 seq, u32 now);

/**
 * ps_bucket_unseen - a packet is placed in a bucket of which no next stage is known
 * @b: the bucket
 * @device: the device it came from
 */
static inline void ps_bucket_unseen(struct ps_bucket *b, u32 device)
{
	if (likely(READ_ONCE(b->device) == device)) {
		WRITE_ONCE(b->unseen, b->unseen + 1);
	} else {
		WRITE_ONCE(b->device, device);
		WRITE_ONCE(b->unseen, 0);
	}
}

/**
 * ps_table_init - allocate an empty table
 * @table: to fill
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int ps_table_init(struct ps_table *table);

/* Free it. */
void ps_table_exit(struct ps_table *table);

/**
 * ps_table_reset - all buckets empty, of a new generation
 * @table: no packet is placed meanwhile
 */
void ps_table_reset(struct ps_table *table);

/* Buckets that have seen a packet lately. */
u32 ps_table_flows(const struct ps_table *table, u32 now);

/**
 * ps_table_lanes - buckets in use whose lane is a policy's and a backlog
 * @table: the table
 * @cpu: the lane's CPU, or -1 for any
 * @now: jiffies
 * @recent: those that had a packet placed within so many jiffies
 */
u32 ps_table_lanes(const struct ps_table *table, int cpu, u32 now, u32 recent);

#endif /* TIFFIN_PS_FLOW_H */
