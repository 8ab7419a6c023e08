// SPDX-License-Identifier: GPL-2.0-only
/*
 * The path of a packet through the host.
 *
 *	settle the CPU's last packet -> stamp: stage and mark -> bucket
 *	-> question, or the last answer again -> wanted lane
 *	-> rule and cmpxchg: the lane -> stamp -> slot
 *
 * The stamp lives in skb->tc_index. That is in the packet's own header (skb_shared_info is shared
 * between clones, so with a TCP sender's retransmit queue), survives tunnels, bridges, veth pairs
 * and namespaces, and hardly anybody gives it a meaning. (skb->secmark is wider, but makes
 * AppArmor check each packet.) Classifiers of traffic control overwrite it, with 0 as a rule.
 * Then the packet starts again at stage 0, in a bucket that is fed by several devices and has no
 * next stage, so its flow moves only when it pauses. A packet with another foreign value is left
 * alone.
 */

#include <linux/delay.h>
#include <linux/jump_label.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/sched/clock.h>

#include <net/net_namespace.h>

#include "compat/net.h"
#include "core/dispatch.h"
#include "packet_steering/host.h"

#define CREATE_TRACE_POINTS
#include "packet_steering/trace.h"

struct ps_steer ps_steer __read_mostly = {
	.expiry = HZ / 20,
};

/**
 * struct ps_cpu_slot - a CPU's slot and what the kernel writes beside it
 * @slot: the last answer
 * @rflow: handed to the kernel with each answer; it writes last_qtail when the packet is in its
 *	lane
 */
struct ps_cpu_slot {
	struct ps_slot slot;
	struct rps_dev_flow rflow;
};

/* [0]: softirq and disabled bottom halves; [1]: hardirq, which may come between answer and lane. */
static DEFINE_PER_CPU_ALIGNED(struct ps_cpu_slot[2], ps_slots);

/* How long after a policy the flows are led back to the stock kernel's lanes in order. */
#define PS_LEAD_BACK	HZ

/* With a wanted lane: at once. */
#define PS_LANE_FORCE	0x80000u

/*
 * The segments that @cpu's slot has to tell of @stamp, if they are settled; or, with @all, also
 * if not. A mark in a slot is settled, though no next packet has come to settle it, where the
 * kernel has reported the packet's place or the CPU has started on another packet.
 */
static u32 ps_slot_segs(u32 cpu, u32 stamp, bool all, bool *found)
{
	const struct ps_cpu_slot *s = &per_cpu(ps_slots, cpu)[0];
	/* Pairs with ps_slot_fill(): what is read of the slot below is of this mark, or later. */
	u32 mark = smp_load_acquire(&s->slot.mark);

	if (ps_mark_stamp(mark) != stamp)
		return 0;
	*found = true;
	if (all || READ_ONCE(s->rflow.last_qtail) != READ_ONCE(s->slot.qtail) ||
	    READ_ONCE(per_cpu(softnet_data, cpu).processed) != READ_ONCE(s->slot.processed))
		return ps_mark_segs(mark);
	return 0;
}

/* The same of all CPUs in @cpus. Notes in the bucket's strays which have a mark. */
static u32 ps_slots_segs(struct ps_bucket *b, unsigned long cpus, u32 stamp, bool all)
{
	u32 segs = 0, bit, cpu;

	for_each_set_bit(bit, &cpus, BITS_PER_LONG) {
		bool found = false;

		for (cpu = bit; cpu < nr_cpu_ids; cpu += BITS_PER_LONG)
			if (cpu_possible(cpu))
				segs += ps_slot_segs(cpu, stamp, all, &found);
		assign_bit(bit, &b->strays, found);
	}
	return segs;
}

/* Where are the packets of @b so far? */
static void ps_gather(struct ps_bucket *b, u32 place, u64 word, struct ps_evidence *ev)
{
	u32 stamp = ps_stamp(place, ps_word_phase(word)), cpu = ps_lane_cpu(ps_word_lane(word));
	const struct ps_seen *seen = &ps_steer.table.seen[stamp];
	u64 tail;

	ev->seen_at = READ_ONCE(seen->at);
	ev->seen = READ_ONCE(seen->segs);
	/* Against ps_slot_settle(): no packet is counted twice. */
	smp_rmb();
	ev->seen += ps_slots_segs(b, READ_ONCE(b->strays) | BIT(cpu % BITS_PER_LONG), stamp, false);
	tail = READ_ONCE(b->tail);
	ev->passed = ps_word_seq(tail) == ps_word_seq(word) &&
		     (s32)(READ_ONCE(per_cpu(softnet_data, cpu).input_queue_head) - (u32)tail) >= 0;
}

/* Something of the flow seems to be lost: its bucket counts anew. */
static u64 ps_restart(struct ps_bucket *b, u32 place, u64 word, u32 since)
{
	u32 stamp = ps_stamp(place, !ps_word_phase(word)), segs, coming;
	struct ps_seen *seen = &ps_steer.table.seen[stamp];

	segs = READ_ONCE(seen->segs);
	/* Against ps_slot_settle(), both times: each mark is counted, and once. */
	smp_rmb();
	coming = ps_slots_segs(b, ~0UL, stamp, true);
	/* As above. */
	smp_rmb();
	if (READ_ONCE(seen->segs) != segs)
		return word;
	return ps_bucket_restart(b, word, seen, segs + coming, since);
}

/* May the stock kernel change its own lanes as it likes? */
static bool ps_stock_is_free(void)
{
	return READ_ONCE(ps_steer.mode) == PS_QUIET &&
	       time_after_eq(jiffies, READ_ONCE(ps_steer.stock_free));
}

/*
 * The wanted lane is another CPU's, or STAY in place of a backlog. Gives the lane for this
 * packet. The word's phase may change on the way.
 */
static u32 ps_change_lane(struct ps_bucket *b, u32 place, u64 *word, u32 want, u32 now,
			  u32 this_cpu)
{
	u32 lane = ps_word_lane(*word), expiry = READ_ONCE(ps_steer.expiry);
	struct ps_evidence ev;

	if ((lane & want & PS_LANE_STOCK) && ps_stock_is_free())
		goto leave;
	if ((want & PS_LANE_FORCE) || !cpumask_test_cpu(ps_lane_cpu(lane), &ps_cpus.alive))
		goto move;

	ps_gather(b, place, *word, &ev);
	switch (ps_may_move(b, *word, &ev, now, expiry)) {
	case PS_MOVE_EXPIRED:
		ps_count(PS_EXPIRED);
		*word = ps_restart(b, place, *word, now - expiry);
		goto move;
	case PS_MOVE:
		goto move;
	case PS_WAIT_RESTART:
		*word = ps_restart(b, place, *word, now);
		break;
	case PS_WAIT:
		break;
	}
	ps_count(PS_DEFERRED);
	/*
	 * Another CPU can't go on with the packet in place of the lane's: it goes to that one's
	 * backlog. So does one whose bucket may have no next stage, as only a backlog shows how
	 * far it has come.
	 */
	if ((lane & PS_LANE_STAY) && (ps_lane_cpu(lane) != this_cpu || !ev.seen_at))
		lane &= ~PS_LANE_STAY;
	return lane;

move:
	ps_count(PS_MOVED);
leave:
	set_bit(ps_lane_cpu(lane) % BITS_PER_LONG, &b->strays);
	return want & ~PS_LANE_FORCE;
}

/*
 * Place a packet in another lane than the one before, or among others that are placed at the same
 * time. Gives the word as it was, but with the packet's lane.
 */
static noinline u64 ps_place_slow(struct ps_bucket *b, u32 place, u32 want, u32 segs, u32 now,
				  u32 this_cpu)
{
	u64 word = READ_ONCE(b->word);
	u32 given;

	do {
		u32 lane = ps_word_lane(word);

		if (lane == PS_LANE_NONE || ps_lane_same(lane, want))
			given = want & ~PS_LANE_FORCE;
		else
			given = ps_change_lane(b, place, &word, want, now, this_cpu);
		given |= (u32)word & PS_LANE_PHASE;
	} while (!try_cmpxchg64(&b->word, &word, ps_word(ps_word_seq(word) + segs, given)));
	return ps_word(ps_word_seq(word), given);
}

static __always_inline u32 ps_segs(const struct sk_buff *skb)
{
	u32 segs = skb_shinfo(skb)->gso_segs;

	return segs + !segs;
}

/* The packet is not placed: only what it has to tell is remembered. */
static noinline int ps_untracked(struct net_device *dev, struct sk_buff *skb,
				 struct rps_dev_flow **rflowp, struct ps_cpu_slot *s, u32 mark)
{
	ps_slot_fill(&s->slot, NULL, 0, s->rflow.last_qtail,
		     __this_cpu_read(softnet_data.processed), mark);
	*rflowp = &s->rflow;
	return ps_call_stock(dev, skb, rflowp);
}

static bool ps_backlog_full(u32 cpu)
{
	return skb_queue_len_lockless(&per_cpu(softnet_data, cpu).input_pkt_queue) >=
	       tiffin_max_backlog();
}

/* The flow's own lane, seen from this CPU; PS_LANE_NONE where it has none that is any good. */
static u32 ps_want_same(u32 lane, u32 this_cpu)
{
	u32 cpu = ps_lane_cpu(lane);

	if (lane == PS_LANE_NONE || !cpumask_test_cpu(cpu, &ps_cpus.alive))
		return PS_LANE_NONE;
	return cpu == this_cpu ? lane : lane & ~PS_LANE_STAY;
}

bool ps_answer_ok(const void *in, const void *answer)
{
	const struct tiffin_ps_out *out = answer;

	if (out->flags & ~(TIFFIN_PS_FORCE | TIFFIN_PS_STEADY))
		return false;
	return out->verdict == TIFFIN_PS_STAY || out->verdict == TIFFIN_PS_STOCK ||
	       (out->verdict == TIFFIN_PS_CPU && out->cpu < nr_cpu_ids);
}

/*
 * What the policy wants; its answer is in range, but its CPU may have gone or be full.
 * PS_LANE_NONE: the stock kernel shall decide.
 */
static __always_inline u32 ps_want_policy(const struct tiffin_ps_out *out, u32 lane, u32 this_cpu)
{
	u32 force = out->flags & TIFFIN_PS_FORCE ? PS_LANE_FORCE : 0;

	switch (out->verdict) {
	case TIFFIN_PS_CPU:
		if (unlikely(!(READ_ONCE(ps_cpus.state[out->cpu].flags) & TIFFIN_PS_CPU_USABLE))) {
			ps_count(PS_CPU_REFUSED);
			return ps_want_same(lane, this_cpu);
		}
		if (out->cpu != ps_lane_cpu(lane) && unlikely(ps_backlog_full(out->cpu))) {
			ps_count(PS_BACKLOG_REFUSED);
			return ps_want_same(lane, this_cpu);
		}
		ps_count(PS_STEERED);
		return out->cpu | force;
	case TIFFIN_PS_STAY:
		ps_count(PS_STAYED);
		return this_cpu | PS_LANE_STAY | force;
	default:
		return PS_LANE_NONE;
	}
}

/* Put the question. Gives the wanted lane, with PS_LANE_FORCE; PS_LANE_NONE: the stock kernel's. */
static noinline u32 ps_ask(struct net_device *dev, struct sk_buff *skb, struct ps_bucket *b,
			   u32 place, u32 segs, u32 this_cpu)
{
	const struct ps_usable *usable = rcu_dereference(ps_cpus.usable);
	u64 word = READ_ONCE(b->word);
	u32 lane = ps_word_lane(word), want;
	u32 term = atomic_read(&ps_cpus.terms.sampled);
	u32 steady = atomic_read(&ps_cpus.terms.steady);
	const struct ps_seen *seen = ps_place_seen(&ps_steer.table, place, ps_word_phase(word));
	s32 missing = ps_missing(b, word, READ_ONCE(seen->segs));
	const struct tiffin_call call = {
		.hook = 0,
		.object = ps_place_index(place),
		.generation = READ_ONCE(b->generation),
		.now_ns = local_clock(),
	};
	struct ps_heat *heat = &ps_steer.table.heat[ps_place_index(place)];
	const struct tiffin_ps_in in = {
		.size = sizeof(in),
		.stage = ps_place_stage(place),
		.hash = skb->hash ?: 1,
		.cpu = this_cpu,
		.flow_cpu = lane == PS_LANE_NONE ? TIFFIN_PS_NO_CPU : ps_lane_cpu(lane),
		.in_flight = READ_ONCE(seen->at) && missing > 0 ? missing : 0,
		.len = skb->len,
		.segs = segs,
		.ifindex = dev->ifindex,
		.nr_cpus = nr_cpu_ids,
		.netns = dev_net(dev)->net_cookie,
		.cpu_stride = sizeof(struct tiffin_ps_cpu),
		.nr_usable = usable->nr,
		.cpus = ps_cpus.state,
		.usable = usable->cpu,
		.heat = ps_heat(heat, call.generation, ps_word_seq(word), jiffies),
	};
	struct tiffin_ps_out out = { .size = sizeof(out), .verdict = TIFFIN_PS_STOCK };
	enum tiffin_verdict verdict = tiffin_dispatch(ps_family.scope, &call, &in, &out);

	if (likely(verdict == TIFFIN_ANSWERED)) {
		want = ps_want_policy(&out, lane, this_cpu);
		/* About a flow that still has to move the policy is asked each time. */
		ps_bucket_answered(b, out.flags & TIFFIN_PS_STEADY ? steady : term,
				   want == lane ? out.repeat : 0);
		return want;
	}
	return verdict == TIFFIN_CONTINUITY ? ps_want_same(lane, this_cpu) : PS_LANE_NONE;
}

/* Where this host is the only user of the static branch, RPS and RFS are not configured. */
static __always_inline bool ps_stock_is_plain(void)
{
	return likely(atomic_read(&rps_needed.key.enabled) == 1);
}

/* What the stock kernel wants then. */
static __always_inline u32 ps_want_plain(u32 this_cpu)
{
	return PS_LANE_STOCK | PS_LANE_STAY | this_cpu;
}

/* What the stock kernel wants. */
static __always_inline u32 ps_want_stock(struct net_device *dev, struct sk_buff *skb,
					 struct rps_dev_flow **rflowp, u32 this_cpu)
{
	int cpu = -1;

	ps_count(PS_STOCK);
	if (!ps_stock_is_plain())
		cpu = ps_call_stock(dev, skb, rflowp);
	return cpu < 0 ? ps_want_plain(this_cpu) : PS_LANE_STOCK | cpu;
}

/* A packet is placed: what has to be known of it. Gives what the kernel is told. */
static __always_inline int ps_placed(struct net_device *dev, struct sk_buff *skb,
				     struct ps_cpu_slot *s, struct ps_bucket *b, u32 place,
				     u32 segs, u64 word)
{
	u32 lane = ps_word_lane(word), stamp = skb->tc_index;
	struct ps_bucket *tail_of = NULL;

	WRITE_ONCE(b->placed, (u32)jiffies);
	if (!READ_ONCE(ps_place_seen(&ps_steer.table, place, ps_word_phase(word))->at)) {
		ps_bucket_unseen(b, (unsigned long)dev >> 6);
		tail_of = b;
	}
	skb->tc_index = ps_stamp(place, ps_word_phase(word));
	ps_slot_fill(&s->slot, tail_of, ps_word_seq(word) + segs, s->rflow.last_qtail,
		     __this_cpu_read(softnet_data.processed), ps_mark(stamp, segs));
	ps_count_placed(stamp >> PS_STAGE_SHIFT, ps_lane_cpu(lane));
	return lane & PS_LANE_STAY ? -1 : (int)ps_lane_cpu(lane);
}

/* Place a packet, whatever it takes. */
static noinline int ps_steer_any(struct net_device *dev, struct sk_buff *skb,
				 struct rps_dev_flow **rflowp, struct ps_cpu_slot *s, u32 place)
{
	u32 mode = READ_ONCE(ps_steer.mode), segs = ps_segs(skb), now = jiffies;
	struct ps_bucket *b = ps_place_bucket(&ps_steer.table, place);
	u32 this_cpu = smp_processor_id(), want = PS_LANE_NONE;
	u64 word;

	if (mode != PS_QUIET) {
		bool ask;

		/* While parked no tick ends steady terms before a bucket forgets its flow. */
		ps_bucket_refresh(b, now);
		word = READ_ONCE(b->word);
		ask = !ps_bucket_repeats(b, word, &ps_cpus.terms, this_cpu);
		if (mode == PS_PARKED || (ask && READ_ONCE(ps_cpus.sample) != PS_SAMPLE_USED))
			ps_cpus_wake(ask);
		if (ask) {
			want = ps_ask(dev, skb, b, place, segs, this_cpu);
		} else {
			ps_count(PS_REPEATED);
			want = ps_word_lane(word);
		}
	}
	if (want == PS_LANE_NONE)
		want = ps_want_stock(dev, skb, rflowp, this_cpu);

	word = READ_ONCE(b->word);
	if (unlikely(((u32)word ^ want) & ~PS_LANE_PHASE) ||
	    unlikely(cmpxchg64(&b->word, word, word + ((u64)segs << 32)) != word)) {
		word = ps_place_slow(b, place, want, segs, now, this_cpu);
		if (ps_word_lane(word) != (want & ~PS_LANE_FORCE))
			*rflowp = &s->rflow;
	}
	trace_tiffin_ps_decision(skb->hash, ps_place_stage(place), this_cpu, want,
				 ps_word_lane(word));
	return ps_placed(dev, skb, s, b, place, segs, word);
}

/* The packet follows the one before it, and is counted as @what; else false. */
static __always_inline bool ps_follow(struct ps_bucket *b, u64 word, u32 segs, enum ps_count what)
{
	if (unlikely(trace_tiffin_ps_decision_enabled()) ||
	    unlikely(!try_cmpxchg64(&b->word, &word, word + ((u64)segs << 32))))
		return false;
	ps_count(what);
	return true;
}

/*
 * The straight way, which most packets take: nobody has to be asked, and the packet follows the one
 * before. It calls nothing, so it needs no stack. For whatever else comes up ps_steer_any() starts
 * anew; nothing has been done by then, but that a repetition may have been taken and not used.
 */
static __always_inline int ps_steer_straight(struct net_device *dev, struct sk_buff *skb,
					     struct rps_dev_flow **rflowp, struct ps_cpu_slot *s)
{
	u32 place = ps_place(skb->tc_index, skb->hash), mode = READ_ONCE(ps_steer.mode);
	struct ps_bucket *b = ps_place_bucket(&ps_steer.table, place);
	u64 word = READ_ONCE(b->word);
	u32 segs;

	if (mode == PS_LIVE) {
		if (ps_bucket_repeats(b, word, &ps_cpus.terms, smp_processor_id())) {
			segs = ps_segs(skb);
			if (ps_follow(b, word, segs, PS_REPEATED))
				return ps_placed(dev, skb, s, b, place, segs, word);
		}
	} else if (mode == PS_QUIET && ps_stock_is_plain() &&
		   likely(ps_word_lane(word) == ps_want_plain(smp_processor_id()))) {
		segs = ps_segs(skb);
		if (ps_follow(b, word, segs, PS_STOCK))
			return ps_placed(dev, skb, s, b, place, segs, word);
	}
	return ps_steer_any(dev, skb, rflowp, s, place);
}

static noinline int ps_steer_unhashed(struct net_device *dev, struct sk_buff *skb,
				      struct rps_dev_flow **rflowp, struct ps_cpu_slot *s)
{
	skb_reset_network_header(skb);
	if (unlikely(!skb_get_hash(skb))) {
		u32 mark = ps_mark(skb->tc_index, ps_segs(skb));

		/* Told once; a stage after this one may come across the packet, too. */
		skb->tc_index = 0;
		return ps_untracked(dev, skb, rflowp, s, mark);
	}
	return ps_steer_straight(dev, skb, rflowp, s);
}

int notrace ps_get_rps_cpu(struct net_device *dev, struct sk_buff *skb,
			   struct rps_dev_flow **rflowp)
{
	u32 context = preempt_count() & (SOFTIRQ_MASK | HARDIRQ_MASK);
	struct ps_cpu_slot *s = this_cpu_ptr(ps_slots);

	if (unlikely(context - 1 >= SOFTIRQ_MASK)) {
		/* Not as the kernel documents it, but seen: nothing keeps the slots apart then. */
		if (!context)
			return ps_call_stock(dev, skb, rflowp);
		s++;
	}
	*rflowp = &s->rflow;
	ps_slot_settle(&ps_steer.table, &s->slot, s->rflow.last_qtail, jiffies);
	if (unlikely(ps_stamp_foreign(skb->tc_index)))
		return ps_untracked(dev, skb, rflowp, s, 0);
	if (unlikely(!skb->l4_hash && !skb->sw_hash))
		return ps_steer_unhashed(dev, skb, rflowp, s);
	return ps_steer_straight(dev, skb, rflowp, s);
}

/* Serialises attachment, detachment, and what else changes the mode. */
static DEFINE_MUTEX(ps_mode_lock);
static bool ps_attached, ps_settled, ps_policy_active, ps_ended;
static unsigned long ps_detached_at;

static void ps_update_mode(void)
{
	lockdep_assert_held(&ps_mode_lock);
	WRITE_ONCE(ps_steer.mode, ps_settled && ps_policy_active ? PS_PARKED : PS_QUIET);
}

void ps_steer_ask(bool ask)
{
	mutex_lock(&ps_mode_lock);
	if (!ask)
		WRITE_ONCE(ps_steer.stock_free, jiffies + PS_LEAD_BACK);
	ps_policy_active = ask;
	ps_cpus_new_term(true);
	ps_update_mode();
	mutex_unlock(&ps_mode_lock);
}

static void ps_steer_reset(void)
{
	int cpu, i;

	ps_table_reset(&ps_steer.table);
	for_each_possible_cpu(cpu) {
		for (i = 0; i < 2; i++) {
			struct ps_cpu_slot *s = &per_cpu(ps_slots, cpu)[i];

			s->slot = (struct ps_slot) { .qtail = s->rflow.last_qtail };
		}
	}
}

int ps_steer_attach(void)
{
	unsigned int expiry_ms = jiffies_to_msecs(READ_ONCE(ps_steer.expiry));
	int err = 0;

	mutex_lock(&ps_mode_lock);
	if (ps_ended)
		err = -ENODEV;
	if (ps_ended || ps_attached)
		goto unlock;
	/* No packet with a stamp of the last attachment is under way, */
	if (ps_detached_at && time_before(jiffies, ps_detached_at + READ_ONCE(ps_steer.expiry)))
		msleep(expiry_ms);
	ps_steer_reset();
	WRITE_ONCE(ps_steer.stock_free, jiffies);
	err = ps_interpose_attach();
	if (err)
		goto unlock;
	ps_attached = true;
	/* nor, once a policy is asked, one that came before this one. */
	msleep(expiry_ms);
	ps_settled = true;
	ps_update_mode();
unlock:
	mutex_unlock(&ps_mode_lock);
	return err;
}

void ps_steer_detach(void)
{
	unsigned long start = jiffies;
	u32 expiry = READ_ONCE(ps_steer.expiry);

	mutex_lock(&ps_mode_lock);
	if (!ps_attached)
		goto unlock;
	if (ps_policy_active)
		WRITE_ONCE(ps_steer.stock_free, jiffies + PS_LEAD_BACK);
	ps_settled = false;
	ps_update_mode();
	while (ps_table_lanes(&ps_steer.table, -1, jiffies, expiry) &&
	       time_before(jiffies, start + PS_LEAD_BACK))
		msleep(20);
	ps_interpose_detach();
	ps_attached = false;
	ps_detached_at = jiffies;
unlock:
	mutex_unlock(&ps_mode_lock);
}

void ps_steer_end(void)
{
	mutex_lock(&ps_mode_lock);
	ps_ended = true;
	mutex_unlock(&ps_mode_lock);
	ps_steer_detach();
}
