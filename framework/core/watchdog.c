// SPDX-License-Identifier: GPL-2.0-only
/* The watchdog; what it does and its invariants are in watchdog.h. */

#include <linux/hrtimer.h>
#include <linux/irqflags.h>
#include <linux/math64.h>
#include <linux/nmi.h>
#include <linux/sched/isolation.h>
#include <linux/smp.h>

#include <asm/irq_regs.h>
#include <asm/nmi.h>
#include <asm/unwind.h>

#include "compat/nmi.h"
#include "core/family.h"
#include "core/fault.h"
#include "core/quarantine.h"
#include "core/registry.h"
#include "core/watchdog.h"

/* Of tiffin_watchdog_idle: no timer runs. */
#define TIFFIN_WATCHDOG_STOPPED	0xff

/* Ticks without a call after which a timer stops. */
#define TIFFIN_WATCHDOG_LAST	2

/*
 * A tick that comes later than this counts for nothing: the CPU was kept from running, by its host
 * or with interrupts disabled, and nobody knows how little of the time the call has had (R2).
 */
#define TIFFIN_WATCHDOG_LATE_NS	(NSEC_PER_MSEC / 2)

/* But where all are late, one in so many counts: no call lasts for ever. */
#define TIFFIN_WATCHDOG_LATE	8

/* What an NMI counts for. It is not known to be late: so for less than the time between two. */
#define TIFFIN_NMI_TICKS	2

/*
 * How often a neighbour looks, and for how many times after the timer that it looks after stopped.
 */
#define TIFFIN_NEIGHBOUR_NS	(10 * NSEC_PER_MSEC)
#define TIFFIN_NEIGHBOUR_LAST	10

/* After how many beats a CPU that is never idle asks again where there was nobody to ask (R5). */
#define TIFFIN_ASK_BEATS	512

/* Over how long a policy's share of a CPU is taken. */
#define TIFFIN_SHARE_NS		NSEC_PER_SEC

/**
 * struct tiffin_watchdog - of one CPU
 * @timer: counts its ticks
 * @cpu: whose it is
 * @beats: times that @timer has come
 * @late: of these, those that were late
 * @sampled: the policy that the last tick which hit a call hit; only compared
 * @hits: ticks that hit it, since @since
 * @since: when counting began
 * @neighbour: the timer, on another CPU, that looks after this one
 * @kick: starts @neighbour there
 * @watched: it runs, or @kick is on its way (R5)
 * @seen: @beats when the neighbour last looked
 * @quiet: times that the neighbour found @timer stopped
 * @poked: an NMI is on its way here
 */
struct tiffin_watchdog {
	struct hrtimer timer;
	int cpu;
	unsigned long beats;
	unsigned long late;
	const struct tiffin_loaded *sampled;
	u32 hits;
	ktime_t since;
	struct hrtimer neighbour;
	call_single_data_t kick;
	bool watched;
	unsigned long seen;
	u32 quiet;
	bool poked;
};

DEFINE_PER_CPU(u8, tiffin_watchdog_idle) = TIFFIN_WATCHDOG_STOPPED;
static DEFINE_PER_CPU(struct tiffin_watchdog, tiffin_watchdogs);

/*
 * A function that the policy has called is at work: where does it find its way back to the policy?
 * NULL where that can't be told, where it is caught already, and where an interrupt came in
 * between, as what runs is then not the policy's doing.
 */
static unsigned long *tiffin_watchdog_way_back(const struct pt_regs *regs,
					       const struct tiffin_guard_frame *frame)
{
	struct unwind_state state;
	unsigned long ip, *place;

	for (unwind_start(&state, current, (struct pt_regs *)regs, NULL); !unwind_done(&state);
	     unwind_next_frame(&state)) {
		if (state.regs && state.regs != regs)
			return NULL;
		ip = unwind_get_return_address(&state);
		place = (unsigned long *)state.sp - 1;
		if (!ip || ip == (unsigned long)tiffin_guard_return ||
		    place >= (unsigned long *)frame)
			return NULL;
		if (tiffin_in_policy(frame->policy, ip) && (unsigned long)place >= regs->sp &&
		    *place == ip)
			return place;
	}
	return NULL;
}

/* It goes on; when it returns to the policy, it returns to the guard instead (R4). */
static void tiffin_watchdog_intercept(unsigned long *place, struct tiffin_guard_frame *frame,
				      const struct pt_regs *regs, unsigned long age)
{
	tiffin_fault_note(frame, "no end within the budget", 0, age, regs);
	WRITE_ONCE(*place, (unsigned long)tiffin_guard_return);
}

/* Count @ticks for a call. Return: has it run for too long now (R1)? @ns says for how long. */
static bool tiffin_watchdog_overdue(struct tiffin_guard_frame *frame, unsigned int ticks,
				    unsigned long *ns)
{
	unsigned long budget_us = READ_ONCE(frame->policy->family->limits.budget_us);

	/* A call may begin right before a tick. */
	frame->ticks += ticks;
	*ns = (frame->ticks - 1) * TIFFIN_WATCHDOG_NS;
	return *ns >= budget_us * NSEC_PER_USEC;
}

/* Apart, as a tick has no use for the note. */
static noinline void tiffin_watchdog_too_much(struct tiffin_loaded *policy, u64 percent, u64 ns)
{
	struct tiffin_quarantine_note note = { .what = "takes too large a share of a CPU" };

	scnprintf(note.detail, sizeof(note.detail), "%llu %% of it over %llu ms", percent,
		  ns / NSEC_PER_MSEC);
	tiffin_quarantine(policy, &note);
}

/* The share of this CPU that a policy takes: the part of the ticks that hit it. */
static void tiffin_watchdog_sample(struct tiffin_watchdog *dog, struct tiffin_loaded *policy)
{
	u64 percent, limit, ns;

	/* One policy at a time, for a whole window. */
	if (dog->sampled != policy && dog->hits &&
	    ktime_sub(ktime_get(), dog->since) < TIFFIN_SHARE_NS)
		return;
	if (dog->sampled != policy) {
		dog->sampled = policy;
		dog->hits = 0;
		dog->since = ktime_get();
	}
	dog->hits++;
	ns = ktime_sub(ktime_get(), dog->since);
	if (ns < TIFFIN_SHARE_NS)
		return;
	percent = div64_u64(100ULL * dog->hits * TIFFIN_WATCHDOG_NS, ns);
	dog->hits = 0;
	dog->since = ktime_get();
	limit = READ_ONCE(policy->family->limits.cpu_percent);
	if (limit >= 100 || percent <= limit || tiffin_quarantined(policy))
		return;
	tiffin_watchdog_too_much(policy, percent, ns);
}

static void tiffin_watchdog_kick(void *data)
{
	struct tiffin_watchdog *dog = data;

	dog->quiet = 0;
	dog->seen = READ_ONCE(dog->beats) - 1;
	hrtimer_start(&dog->neighbour, ns_to_ktime(TIFFIN_NEIGHBOUR_NS),
		      HRTIMER_MODE_REL_PINNED_HARD);
}

/* A CPU that may have timers for others, next to this one; -1 where there is none. */
static int tiffin_watchdog_neighbour(int cpu)
{
	const struct cpumask *may = housekeeping_cpumask(HK_TYPE_TIMER);
	int next = cpumask_next_and(cpu, may, cpu_online_mask);

	if (next >= nr_cpu_ids)
		next = cpumask_first_and(may, cpu_online_mask);
	/* With CPUs that are to be left alone by timers: better one of those than none. */
	if (next >= nr_cpu_ids || next == cpu)
		next = cpumask_any_but(cpu_online_mask, cpu);
	return next < nr_cpu_ids ? next : -1;
}

/*
 * Have a neighbour look after this CPU, unless one does. The exchange is R5's full barrier, between
 * what the caller has said of the timer and the look at who watches; and it lets one ask alone.
 */
static void tiffin_watchdog_ask(struct tiffin_watchdog *dog)
{
	int neighbour;

	if (xchg(&dog->watched, true))
		return;
	neighbour = tiffin_watchdog_neighbour(dog->cpu);
	if (neighbour < 0 || smp_call_function_single_async(neighbour, &dog->kick))
		WRITE_ONCE(dog->watched, false);
}

/* The neighbour looks no longer; the timer may have been started a moment ago (R5). */
static void tiffin_watchdog_let_go(struct tiffin_watchdog *dog)
{
	/* After what the kick may now overwrite. */
	smp_store_release(&dog->watched, false);
	/* Before the look at the timer; with the exchange in tiffin_watchdog_ask(). */
	smp_mb();
	if (READ_ONCE(per_cpu(tiffin_watchdog_idle, dog->cpu)) != TIFFIN_WATCHDOG_STOPPED)
		tiffin_watchdog_ask(dog);
}

/* End a call in the policy's text, or on its way back there (R4); or not yet. */
static void tiffin_watchdog_end(struct pt_regs *regs, struct tiffin_guard_frame *frame,
				unsigned long overdue)
{
	unsigned long *place;

	if (tiffin_in_policy(frame->policy, regs->ip)) {
		tiffin_fault_divert(regs, frame, "no end within the budget", 0, overdue);
		return;
	}
	place = tiffin_watchdog_way_back(regs, frame);
	if (place)
		tiffin_watchdog_intercept(place, frame, regs, overdue);
}

static enum hrtimer_restart tiffin_watchdog_beat(struct hrtimer *timer)
{
	struct tiffin_watchdog *dog = container_of(timer, struct tiffin_watchdog, timer);
	bool late = ktime_sub(ktime_get(), hrtimer_get_expires(timer)) >
		    TIFFIN_WATCHDOG_LATE_NS + hrtimer_resolution;
	struct pt_regs *regs = get_irq_regs();
	struct tiffin_guard_frame *frame;
	unsigned long overdue;
	u8 idle;

	/* Its CPU has gone offline, and the kernel has moved the timer. */
	if (dog->cpu != smp_processor_id()) {
		per_cpu(tiffin_watchdog_idle, dog->cpu) = TIFFIN_WATCHDOG_STOPPED;
		return HRTIMER_NORESTART;
	}
	WRITE_ONCE(dog->beats, dog->beats + 1);
	/* No other CPU may have been online. */
	if (!(dog->beats % TIFFIN_ASK_BEATS))
		tiffin_watchdog_ask(dog);
	if (late && ++dog->late % TIFFIN_WATCHDOG_LATE == 0)
		late = false;
	frame = regs && !late ? tiffin_fault_frame(regs) : NULL;
	if (frame) {
		tiffin_watchdog_sample(dog, frame->policy);
		if (tiffin_watchdog_overdue(frame, 1, &overdue))
			tiffin_watchdog_end(regs, frame, overdue);
	}
	idle = this_cpu_read(tiffin_watchdog_idle);
	if (idle >= TIFFIN_WATCHDOG_LAST && !this_cpu_read(tiffin_guard_cursor)) {
		this_cpu_write(tiffin_watchdog_idle, TIFFIN_WATCHDOG_STOPPED);
		return HRTIMER_NORESTART;
	}
	this_cpu_write(tiffin_watchdog_idle, min(idle + 1, TIFFIN_WATCHDOG_LAST));
	/* From now, so that the call goes on for a while before the next one. */
	hrtimer_set_expires(timer, ktime_add_ns(ktime_get(), TIFFIN_WATCHDOG_NS));
	return HRTIMER_RESTART;
}

void tiffin_watchdog_poke(int cpu)
{
	struct tiffin_watchdog *dog = per_cpu_ptr(&tiffin_watchdogs, cpu);

	/* One at a time: a second would find nobody who knows what it is. */
	if (READ_ONCE(dog->poked))
		return;
	WRITE_ONCE(dog->poked, true);
	tiffin_send_nmi(cpu);
}

/* On another CPU: does the timer that this one looks after still beat, while there is a call? */
static enum hrtimer_restart tiffin_watchdog_look(struct hrtimer *timer)
{
	struct tiffin_watchdog *dog = container_of(timer, struct tiffin_watchdog, neighbour);
	unsigned long beats = READ_ONCE(dog->beats);

	if (READ_ONCE(per_cpu(tiffin_watchdog_idle, dog->cpu)) != TIFFIN_WATCHDOG_STOPPED)
		dog->quiet = 0;
	else
		dog->quiet++;
	/* This CPU may be that one itself: the kernel moves timers where a CPU goes offline. */
	if (dog->cpu == smp_processor_id() || !cpu_online(dog->cpu) ||
	    dog->quiet > TIFFIN_NEIGHBOUR_LAST) {
		tiffin_watchdog_let_go(dog);
		return HRTIMER_NORESTART;
	}
	if (!dog->quiet && beats == dog->seen && READ_ONCE(per_cpu(tiffin_guard_cursor, dog->cpu)))
		tiffin_watchdog_poke(dog->cpu);
	dog->seen = beats;
	hrtimer_forward_now(timer, ns_to_ktime(TIFFIN_NEIGHBOUR_NS));
	return HRTIMER_RESTART;
}

/*
 * In place of the ticks that disabled interrupts keep away. Where they are enabled, this CPU has
 * just not been running (R2).
 */
static int tiffin_watchdog_nmi(unsigned int type, struct pt_regs *regs)
{
	struct tiffin_watchdog *dog = this_cpu_ptr(&tiffin_watchdogs);
	struct tiffin_guard_frame *frame;
	unsigned long overdue, *place;
	bool in_policy;

	if (!READ_ONCE(dog->poked))
		return NMI_DONE;
	WRITE_ONCE(dog->poked, false);
	if (regs->flags & X86_EFLAGS_IF)
		return NMI_HANDLED;
	frame = tiffin_fault_frame(regs);
	if (!frame)
		return NMI_HANDLED;
	in_policy = tiffin_in_policy(frame->policy, regs->ip);
	place = in_policy ? NULL : tiffin_watchdog_way_back(regs, frame);
	if (!in_policy && !place)
		return NMI_HANDLED;
	if (!tiffin_watchdog_overdue(frame, TIFFIN_NMI_TICKS, &overdue))
		return NMI_HANDLED;
	if (place) {
		tiffin_watchdog_intercept(place, frame, regs, overdue);
	} else if (tiffin_nmi_iret_ok(regs)) {
		tiffin_fault_divert(regs, frame, "no end within the budget", 0, overdue);
		tiffin_nmi_iret_set(regs);
	}
	return NMI_HANDLED;
}

asmlinkage void tiffin_watchdog_start(void)
{
	struct tiffin_watchdog *dog = this_cpu_ptr(&tiffin_watchdogs);
	unsigned long flags;
	u8 idle;

	/* A tick, or a nested call, between the look and the start would leave no timer running. */
	local_irq_save(flags);
	idle = this_cpu_read(tiffin_watchdog_idle);
	this_cpu_write(tiffin_watchdog_idle, 0);
	if (idle == TIFFIN_WATCHDOG_STOPPED) {
		hrtimer_start(&dog->timer, ns_to_ktime(TIFFIN_WATCHDOG_NS),
			      HRTIMER_MODE_REL_PINNED_HARD);
		tiffin_watchdog_ask(dog);
	}
	local_irq_restore(flags);
}

int tiffin_watchdog_init(void)
{
	struct tiffin_watchdog *dog;
	int cpu;

	for_each_possible_cpu(cpu) {
		dog = per_cpu_ptr(&tiffin_watchdogs, cpu);
		dog->cpu = cpu;
		hrtimer_init(&dog->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
		dog->timer.function = tiffin_watchdog_beat;
		hrtimer_init(&dog->neighbour, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
		dog->neighbour.function = tiffin_watchdog_look;
		INIT_CSD(&dog->kick, tiffin_watchdog_kick, dog);
	}
	return register_nmi_handler(NMI_LOCAL, tiffin_watchdog_nmi, 0, "tiffin");
}

static void tiffin_watchdog_nothing(void *unused)
{
}

void tiffin_watchdog_exit(void)
{
	struct tiffin_watchdog *dog;
	int cpu, i;

	for_each_possible_cpu(cpu) {
		hrtimer_cancel(&per_cpu_ptr(&tiffin_watchdogs, cpu)->timer);
		WRITE_ONCE(per_cpu(tiffin_watchdog_idle, cpu), TIFFIN_WATCHDOG_STOPPED);
	}
	/* Twice, as a neighbour that has been looking right then may have asked for another. */
	for (i = 0; i < 2; i++) {
		/*
		 * Kicks that were under way are over: twice, as who is waited for overtakes others
		 * of a batch.
		 */
		on_each_cpu(tiffin_watchdog_nothing, NULL, 1);
		on_each_cpu(tiffin_watchdog_nothing, NULL, 1);
		for_each_possible_cpu(cpu) {
			dog = per_cpu_ptr(&tiffin_watchdogs, cpu);
			hrtimer_cancel(&dog->neighbour);
		}
	}
	unregister_nmi_handler(NMI_LOCAL, "tiffin");
}
