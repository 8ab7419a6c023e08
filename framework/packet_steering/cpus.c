// SPDX-License-Identifier: GPL-2.0-only
/* What is known of each CPU: load, backlog, and whether packets may be sent to it. */

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/delay.h>
#include <linux/irq_work.h>
#include <linux/kernel_stat.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/tick.h>
#include <linux/timer.h>

#include "compat/net.h"
#include "packet_steering/host.h"

#define PS_SAMPLE_MS		10

/* How long a CPU on its way offline waits for the flows that policies have put on it. */
#define PS_LEAVE_MS		100

struct ps_cpus ps_cpus __read_mostly = {
	.terms.steady = ATOMIC_INIT(1),
};

/* Protects allowed and leaving, and serialises changes of ps_cpus.usable. */
static DEFINE_MUTEX(ps_cpus_lock);
static struct cpumask ps_allowed;
static struct cpumask ps_leaving;
static enum cpuhp_state ps_hotplug;

/**
 * struct ps_sample - what the last sample of a CPU found
 * @idle: us that the CPU has been idle since boot
 * @wall: when that was, us since boot
 */
struct ps_sample {
	u64 idle;
	u64 wall;
};

static DEFINE_PER_CPU(struct ps_sample, ps_sample);

static struct ps_usable *ps_usable_alloc(void)
{
	struct ps_usable *usable;

	return kzalloc(struct_size(usable, cpu, nr_cpu_ids), GFP_KERNEL);
}

void ps_cpus_new_term(bool steady)
{
	ps_terms_next(&ps_cpus.terms, steady, jiffies);
}

/* Work out anew which CPUs an answer may name; @usable becomes the list of them. */
static void ps_cpus_update(struct ps_usable *usable)
{
	struct ps_usable *old;
	int cpu, pass;

	lockdep_assert_held(&ps_cpus_lock);
	/* Where the operator's choice leaves nothing, all CPUs count as chosen. */
	for (pass = 0; pass < 2 && !usable->nr; pass++)
		for_each_online_cpu(cpu)
			if (!cpumask_test_cpu(cpu, &ps_leaving) &&
			    (pass || cpumask_empty(&ps_allowed) ||
			     cpumask_test_cpu(cpu, &ps_allowed)))
				usable->cpu[usable->nr++] = cpu;
	for_each_possible_cpu(cpu)
		WRITE_ONCE(ps_cpus.state[cpu].flags, 0);
	for (cpu = 0; cpu < usable->nr; cpu++)
		WRITE_ONCE(ps_cpus.state[usable->cpu[cpu]].flags, TIFFIN_PS_CPU_USABLE);
	old = rcu_replace_pointer(ps_cpus.usable, usable, lockdep_is_held(&ps_cpus_lock));
	ps_cpus_new_term(true);
	if (old)
		kfree_rcu(old, rcu);
}

int ps_cpus_allow(const struct cpumask *allowed)
{
	struct ps_usable *usable = ps_usable_alloc();

	if (!usable)
		return -ENOMEM;
	mutex_lock(&ps_cpus_lock);
	cpumask_copy(&ps_allowed, allowed);
	ps_cpus_update(usable);
	mutex_unlock(&ps_cpus_lock);
	return 0;
}

ssize_t ps_cpus_show_allowed(char *buf)
{
	ssize_t len;

	mutex_lock(&ps_cpus_lock);
	len = cpumap_print_to_pagebuf(true, buf, &ps_allowed);
	mutex_unlock(&ps_cpus_lock);
	return len;
}

static int ps_cpu_online(unsigned int cpu)
{
	struct ps_usable *usable = ps_usable_alloc();

	if (!usable)
		return -ENOMEM;
	mutex_lock(&ps_cpus_lock);
	cpumask_clear_cpu(cpu, &ps_leaving);
	cpumask_set_cpu(cpu, &ps_cpus.alive);
	ps_cpus_update(usable);
	mutex_unlock(&ps_cpus_lock);
	return 0;
}

/*
 * The CPU still works, for a while. No answer may name it from here on, and the flows on it have
 * time to leave it in order. Those that don't leave it at once when it is no longer alive, so
 * that next to nothing is in its backlog when the kernel hands that to another CPU, behind newer
 * packets.
 */
static int ps_cpu_offline(unsigned int cpu)
{
	struct ps_usable *usable = ps_usable_alloc();
	int waited;

	if (!usable)
		return -ENOMEM;
	mutex_lock(&ps_cpus_lock);
	cpumask_set_cpu(cpu, &ps_leaving);
	ps_cpus_update(usable);
	mutex_unlock(&ps_cpus_lock);

	for (waited = 0; waited < PS_LEAVE_MS; waited += PS_SAMPLE_MS) {
		if (!ps_table_lanes(&ps_steer.table, cpu, jiffies,
				    msecs_to_jiffies(2 * PS_SAMPLE_MS)))
			break;
		msleep(PS_SAMPLE_MS);
	}
	cpumask_clear_cpu(cpu, &ps_cpus.alive);
	return 0;
}

/* us that @cpu has been idle, and the time @wall at which that holds. */
static u64 ps_cpu_idle(int cpu, u64 *wall)
{
	u64 idle = get_cpu_idle_time_us(cpu, wall);

	if (idle != -1ULL)
		return idle + get_cpu_iowait_time_us(cpu, NULL);
	/* A kernel that keeps its tick when idle counts in ticks. */
	*wall = jiffies64_to_nsecs(get_jiffies_64()) / NSEC_PER_USEC;
	return (kcpustat_cpu(cpu).cpustat[CPUTIME_IDLE] +
		kcpustat_cpu(cpu).cpustat[CPUTIME_IOWAIT]) / NSEC_PER_USEC;
}

static void ps_cpu_sample(int cpu)
{
	struct softnet_data *sd = &per_cpu(softnet_data, cpu);
	struct ps_sample *last = &per_cpu(ps_sample, cpu);
	struct tiffin_ps_cpu *state = &ps_cpus.state[cpu];
	u64 wall, idle = ps_cpu_idle(cpu, &wall);

	if (wall > last->wall) {
		u64 span = wall - last->wall, slept = min(idle - last->idle, span);

		WRITE_ONCE(state->load, div64_u64(1000 * (span - slept), span));
	}
	last->idle = idle;
	last->wall = wall;
	WRITE_ONCE(state->backlog, skb_queue_len_lockless(&sd->input_pkt_queue) +
				   skb_queue_len_lockless(&sd->process_queue));
	WRITE_ONCE(state->backlog_max, tiffin_max_backlog());
}

/* Of several that come at once, one samples. Not in an NMI. */
static void ps_sample_all(void)
{
	static DEFINE_SPINLOCK(lock);
	int cpu;

	if (!spin_trylock(&lock))
		return;
	WRITE_ONCE(ps_cpus.sample, PS_SAMPLE_NEW);
	for_each_online_cpu(cpu)
		ps_cpu_sample(cpu);
	ps_count(PS_SAMPLED);
	spin_unlock(&lock);
}

/*
 * A tick: a term ends, and where a question was put since the last sample there is a new one. That
 * is a few hundred instructions a CPU: less than a work item's two context switches. Where answers
 * depend on no load, next to no question comes, and nobody misses a sample.
 */
static void ps_tick(struct timer_list *timer)
{
	static u32 started_at_last;
	u32 started = 0;
	int cpu;

	for_each_online_cpu(cpu)
		started += READ_ONCE(per_cpu(softnet_data, cpu).processed);
	if (cmpxchg(&ps_cpus.sample, PS_SAMPLE_NEW, PS_SAMPLE_OLD) == PS_SAMPLE_USED)
		ps_sample_all();
	else if (started == started_at_last)
		/* No packet since the last time: an idle machine is left alone until one comes. */
		cmpxchg(&ps_steer.mode, PS_LIVE, PS_PARKED);
	started_at_last = started;
	ps_cpus_new_term(false);
	if (READ_ONCE(ps_steer.mode) == PS_LIVE)
		mod_timer(timer, jiffies + msecs_to_jiffies(PS_SAMPLE_MS));
}

static DEFINE_TIMER(ps_tick_timer, ps_tick);

/* The packet that woke the ticks may be the only one, and is not counted yet. */
static void ps_tick_first(struct irq_work *work)
{
	if (READ_ONCE(ps_cpus.sample) == PS_SAMPLE_USED) {
		ps_sample_all();
		ps_cpus_new_term(false);
	}
	mod_timer(&ps_tick_timer, jiffies + msecs_to_jiffies(PS_SAMPLE_MS));
}

/* A packet may come where no timer can be set, under a run queue's lock: by an interrupt. */
static DEFINE_IRQ_WORK(ps_wake_work, ps_tick_first);

void ps_cpus_wake(bool question)
{
	bool start = question && xchg(&ps_cpus.sample, PS_SAMPLE_USED) == PS_SAMPLE_OLD;

	if (READ_ONCE(ps_steer.mode) == PS_PARKED) {
		/* The term first: who finds the mode live repeats no answer of before. */
		ps_cpus_new_term(false);
		start |= cmpxchg(&ps_steer.mode, PS_PARKED, PS_LIVE) == PS_PARKED;
	}
	if (start)
		irq_work_queue(&ps_wake_work);
}

int ps_cpus_init(void)
{
	int err;

	ps_cpus.state = kvcalloc(nr_cpu_ids, sizeof(*ps_cpus.state), GFP_KERNEL);
	if (!ps_cpus.state)
		return -ENOMEM;
	err = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "tiffin/packet_steering:online", ps_cpu_online,
				ps_cpu_offline);
	if (err < 0)
		goto free_state;
	ps_hotplug = err;
	return 0;

free_state:
	kfree(rcu_dereference_protected(ps_cpus.usable, true));
	kvfree(ps_cpus.state);
	return err;
}

void ps_cpus_exit(void)
{
	irq_work_sync(&ps_wake_work);
	del_timer_sync(&ps_tick_timer);
	cpuhp_remove_state_nocalls(ps_hotplug);
	kfree(rcu_dereference_protected(ps_cpus.usable, true));
	kvfree(ps_cpus.state);
}
