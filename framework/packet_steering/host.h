/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The packet_steering host, file by file:
 *
 *	main.c		start-up and its exact reverse; the family
 *	interpose.c	stands in for the kernel's get_rps_cpu()
 *	steer.c		the path of a packet: question, answer, lane, stamp
 *	flow.c		the flow table and the rule that keeps order (flow.h; knows no sk_buffs)
 *	cpus.c		what is known of each CPU; hotplug; the operator's list
 *	figures.c	what the family counts
 *	attrs.c		the family's own files in sysfs
 */
#ifndef TIFFIN_PS_HOST_H
#define TIFFIN_PS_HOST_H

#include <linux/cpumask.h>
#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>

#include "core/family.h"
#include "packet_steering/flow.h"

struct rps_dev_flow;

/* main.c */
extern struct tiffin_family ps_family;

/*
 * interpose.c: the kernel's get_rps_cpu() gets a substitute of the same signature. The direct way
 * has ftrace call two instructions that leave for the substitute; the other way
 * (FTRACE_OPS_FL_IPMODIFY) has an ftrace handler change the instruction pointer.
 */

/**
 * ps_interpose_init - find what is to be replaced, and look whether it may be
 * @mechanism: "auto", "direct" or "ipmodify"
 *
 * Context: process, may sleep.
 * Return: 0; -EOPNOTSUPP where this kernel has no get_rps_cpu() that ftrace can reach, -EINVAL for
 * an unknown mechanism. The kernel log says which and what to do.
 */
int ps_interpose_init(const char *mechanism);

/**
 * ps_interpose_attach - from here on packets come to ps_get_rps_cpu()
 *
 * Context: process, may sleep.
 * Return: 0; -EBUSY where another tool holds the hook, -ENODEV where ftrace is switched off, or
 * what ftrace says. The kernel log says which and what to do. On failure nothing has changed.
 */
int ps_interpose_attach(void);

/**
 * ps_interpose_detach - undo ps_interpose_attach()
 *
 * Context: process, may sleep. At return no CPU is in ps_get_rps_cpu() or writes through a pointer
 * that it gave away.
 */
void ps_interpose_detach(void);

/* Is the substitute really called: attached, and ftrace not switched off since? */
bool ps_interpose_works(void);

/* "direct" or "ipmodify": how the substitute is called, or would be. */
const char *ps_interpose_mechanism(void);

/* interpose.c: what stands behind the ftrace site, for interpose_entry.S. */
extern unsigned long ps_stock_body;

/* interpose_entry.S: the body of the replaced function. */
int ps_call_stock(struct net_device *dev, struct sk_buff *skb, struct rps_dev_flow **rflowp);

/* interpose_entry.S: where ftrace's direct call goes. */
void ps_direct_entry(void);

/* steer.c */

/**
 * enum ps_mode - is the policy asked?
 * @PS_QUIET: no: packets are tracked, the stock kernel decides. So it is while the default is
 *	active; for expiry_ms after the attachment, when packets are under way that the host has
 *	not seen; and before it ends.
 * @PS_PARKED: yes, but no packet has come for a while, and no tick ends terms: the first one has to
 *	start it again
 * @PS_LIVE: yes
 */
enum ps_mode {
	PS_QUIET,
	PS_PARKED,
	PS_LIVE,
};

/**
 * struct ps_steer - what the path of a packet reads
 * @table: the flow table
 * @mode: enum ps_mode
 * @expiry: expiry_ms in jiffies
 * @stock_free: jiffies from when on, in PS_QUIET, lanes of the stock kernel change without a rule
 */
struct ps_steer {
	struct ps_table table;
	u32 mode;
	u32 expiry;
	unsigned long stock_free;
};

extern struct ps_steer ps_steer;

/**
 * ps_get_rps_cpu - substitute for the kernel's get_rps_cpu()
 * @dev: device that received the packet
 * @skb: the packet
 * @rflowp: points to what receives the packet's place in the backlog
 *
 * Context: softirq or bottom halves disabled, or hardirq; inside an RCU read side.
 * Return: the CPU whose backlog gets the packet, or -1 where this CPU goes on with it.
 */
int ps_get_rps_cpu(struct net_device *dev, struct sk_buff *skb, struct rps_dev_flow **rflowp);

/* Is each field of a struct tiffin_ps_out in range? See struct tiffin_hook. */
bool ps_answer_ok(const void *in, const void *answer);

/* Another policy is active; @ask: it is not the default. May sleep. */
void ps_steer_ask(bool ask);

/**
 * ps_steer_attach - attach, wait until packets that the host has not seen are gone, go live
 *
 * Context: process, may sleep.
 * Return: 0 (also where it is attached already), -ENODEV after ps_steer_end(), or as
 * ps_interpose_attach().
 */
int ps_steer_attach(void);

/**
 * ps_steer_detach - lead the flows back to the stock kernel's lanes and detach
 *
 * Context: process, may sleep. Does nothing where it is not attached. A flow that can't be led back
 * within a second is left to its luck.
 */
void ps_steer_detach(void);

/**
 * ps_steer_end - detach for good: the module goes, and a late writer of "attached" gets -ENODEV
 *
 * Context: process, may sleep. The family's files are still there.
 */
void ps_steer_end(void);

/* cpus.c */

/**
 * struct ps_usable - the CPUs that an answer may name
 * @rcu: frees it
 * @nr: entries of @cpu, 1 or more
 * @cpu: their numbers, ascending
 */
struct ps_usable {
	struct rcu_head rcu;
	u32 nr;
	u32 cpu[];
};

/**
 * enum ps_sample_use - has anybody looked at the last sample of the CPUs?
 * @PS_SAMPLE_NEW: no question was put since
 * @PS_SAMPLE_USED: one was: the next tick samples again
 * @PS_SAMPLE_OLD: a tick went by without a new sample, as nobody had asked: the next question
 *	starts one before it is put
 */
enum ps_sample_use {
	PS_SAMPLE_NEW,
	PS_SAMPLE_USED,
	PS_SAMPLE_OLD,
};

/**
 * struct ps_cpus - what is known of the CPUs
 * @state: of each CPU; single fields change at any time
 * @usable: valid under RCU
 * @alive: CPUs that process their backlog and will go on doing so
 * @terms: in which answers that a policy gives now may be repeated
 * @sample: enum ps_sample_use
 */
struct ps_cpus {
	struct tiffin_ps_cpu *state;
	struct ps_usable __rcu *usable;
	struct cpumask alive;
	struct ps_terms terms;
	u32 sample;
};

extern struct ps_cpus ps_cpus;

int ps_cpus_init(void);
void ps_cpus_exit(void);

/* No answer given so far is repeated from now on; steady ones only if @steady. Any context. */
void ps_cpus_new_term(bool steady);

/**
 * ps_cpus_wake - a packet came while parked, or finds a sample that no question was put after
 * @question: a question about it is to be put: the CPUs are to be sampled as long as questions come
 *
 * Ticks go on, about every 10 ms, while packets come. A sample that has to be taken first is taken
 * at once where interrupts are enabled.
 *
 * Context: any but NMI.
 */
void ps_cpus_wake(bool question);

/**
 * ps_cpus_allow - the operator's choice
 * @allowed: CPUs that packets may be sent to; where none of them is online, all are
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int ps_cpus_allow(const struct cpumask *allowed);

/* The operator's choice, for sysfs: a cpulist; empty means all. */
ssize_t ps_cpus_show_allowed(char *buf);

/* figures.c */

/* What the path of a packet counts, in the order of the family's figures that are plain counts. */
enum ps_count {
	PS_MOVED,
	PS_DEFERRED,
	PS_EXPIRED,
	PS_STAYED,
	PS_STEERED,
	PS_REPEATED,
	PS_SAMPLED,
	PS_STOCK,
	PS_CPU_REFUSED,
	PS_BACKLOG_REFUSED,
	PS_COUNTS,
};

/**
 * struct ps_counts - one CPU's counts
 * @count: by enum ps_count
 * @placed: packets this CPU has placed, by target CPU and stage
 */
struct ps_counts {
	u64 count[PS_COUNTS];
	u64 *placed;
};

DECLARE_PER_CPU(struct ps_counts, ps_counts);

static __always_inline void ps_count(enum ps_count what)
{
	this_cpu_inc(ps_counts.count[what]);
}

/* Context: not preemptible; may be interrupted by itself. */
static __always_inline void ps_count_placed(u32 stage, u32 cpu)
{
	tiffin_local_add(&__this_cpu_read(ps_counts.placed)[cpu * TIFFIN_PS_MAX_STAGES + stage], 1);
}

int ps_figures_init(void);
void ps_figures_exit(void);

/* Packets placed at @stage on @cpu's lanes. */
u64 ps_figures_placed(u32 stage, u32 cpu);

extern const struct tiffin_figure ps_figures[];
extern const unsigned int ps_nr_figures;

/* Of struct tiffin_family_ops. */
u64 ps_figure(struct tiffin_family *family, unsigned int index);
void ps_figures_window(struct tiffin_family *family);

/* attrs.c */
extern const struct attribute_group ps_attrs;

#endif /* TIFFIN_PS_HOST_H */
