// SPDX-License-Identifier: GPL-2.0-only
/*
 * The real gate under real threads: each thread plays a CPU that asks without end, signals play its
 * interrupts, and one thread swaps. Every call is answered exactly once, by one policy at a time,
 * and nothing that a policy wrote is lost.
 *
 * usage: stress [SWAPS [CALLERS [SIGNALS]]]
 */
#include <stdlib.h>

#include "callers.h"
#include "core/sysfs.h"
#include "failures.h"
#include "test.h"
#include "work.h"

/* Few, so that calls meet on them. */
#define OBJECTS		3

/* One context that asks; nothing else writes this. Two to a thread: itself and its interrupts. */
struct caller {
	u64 calls;
	u64 verdict[3];
	u64 wrong;
	u64 backwards;
	u64 epoch;
} __aligned(64);

static struct lab lab;
static struct caller callers[MAX_CALLERS][2];
static unsigned int nr_callers;

static void ask(unsigned int caller, bool nested)
{
	struct caller *me = &callers[caller][nested];
	u64 calls = me->calls + 1;
	enum tiffin_verdict verdict;
	struct lab_out out;

	WRITE_ONCE(me->calls, calls);
	verdict = lab_ask(&lab, calls % 2, calls % OBJECTS, &out);
	me->verdict[verdict]++;
	if (verdict != TIFFIN_ANSWERED) {
		me->wrong += out.answers;
		return;
	}
	me->wrong += out.answers != 1 || out.number != calls % OBJECTS;
	me->backwards += out.epoch < me->epoch;
	me->epoch = out.epoch;
}

/* Longer than a flip, so that one would come into it, were it not for the gate. */
static void dwell(struct lab *unused, const struct tiffin_ctx *ctx)
{
	int i;

	for (i = 0; i < 50; i++)
		cpu_relax();
}

static void swap_all(unsigned int swaps)
{
	unsigned int i;

	for (i = 0; i < swaps && !failures; i++) {
		/* Every third by way of a probation, and half of those back. */
		if (i % 3) {
			EXPECT_SWAP(&lab, strcmp(lab_active(&lab), "alpha") ? "alpha" : "beta");
		} else {
			EXPECT_SWAP(&lab, strcmp(lab_active(&lab), "alpha") ?
				    "alpha probation_ms=1000" : "beta probation_ms=1000");
			EXPECT(i % 2 ? tiffin_swap_rollback(lab.family.scope) :
				       tiffin_swap_commit(lab.family.scope), ==, 0);
		}
		if (i % 16 == 0)
			callers_let_run();
	}
}

static void settle(void)
{
	struct tiffin_figures f = lab_figures(&lab);
	struct tiffin_instance *inst = lab.family.scope->gate.active;
	struct tiffin_store_mem *objects = inst->store[TIFFIN_STORE_OBJECT];
	u64 calls = 0, verdict[3] = {}, of_objects = 0, of_cpus = 0;
	struct tiffin_hist_sum holds;
	unsigned int i, k, v;

	for (i = 0; i < nr_callers; i++)
		for (k = 0; k < 2; k++) {
			const struct caller *c = &callers[i][k];

			calls += c->calls;
			for (v = 0; v < 3; v++)
				verdict[v] += c->verdict[v];
			EXPECT(c->wrong, ==, 0);
			EXPECT(c->backwards, ==, 0);
		}
	EXPECT(f.calls, ==, calls);
	EXPECT(f.answered, ==, verdict[TIFFIN_ANSWERED]);
	EXPECT(f.stock, ==, verdict[TIFFIN_DEFAULT]);
	EXPECT(tiffin_figures_continuity(&f), ==, verdict[TIFFIN_CONTINUITY]);
	EXPECT(lab_accounts_hold(&lab), ==, true);
	EXPECT(lab.mixed, ==, 0);
	for (i = 0; i < OBJECTS; i++)
		of_objects += *(u64 *)((struct tiffin_record *)(objects->objects +
								i * objects->stride))->data;
	for (i = 0; i < nr_cpu_ids; i++)
		of_cpus += *(u64 *)per_cpu_ptr(inst->store[TIFFIN_STORE_PER_CPU]->percpu, i);
	EXPECT(*(u64 *)inst->store[TIFFIN_STORE_INSTANCE]->record, ==, f.answered);
	EXPECT(of_objects, ==, f.answered);
	EXPECT(of_cpus, ==, f.answered);

	tiffin_hist_read(lab.family.scope->hold_hist, &holds);
	printf("# %llu calls: %llu answered, %llu continuity at the gate, %llu at a record; %llu held, %llu swaps, %llu rollbacks\n",
	       f.calls, f.answered, f.continuity_gate, f.continuity_busy, f.held,
	       lab.family.scope->swap.swaps, lab.family.scope->swap.rollbacks);
	/* Else the run shows nothing. */
	EXPECT(f.held + f.continuity_gate, >, 0);
}

int main(int argc, char **argv)
{
	unsigned int swaps = argc > 1 ? atoi(argv[1]) : 3000;
	bool with_signals = argc > 3 ? atoi(argv[3]) : true;

	nr_callers = argc > 2 ? atoi(argv[2]) : 3;
	if (!nr_callers || nr_callers > MAX_CALLERS)
		return 2;
	nr_cpu_ids = nr_callers + 1;
	if (tiffin_work_init() || tiffin_sysfs_init() || lab_start(&lab))
		return 1;
	/* Threads lose their processor as CPUs don't; an attempt to flip may meet that often. */
	lab.family.limits.timeout_ms = 600000;
	lab.in_hook = dwell;
	EXPECT_SWAP(&lab, "alpha");
	if (!callers_start(nr_callers, with_signals, ask))
		return 1;
	callers_let_run();
	swap_all(swaps);
	callers_stop();
	settle();
	lab_stop(&lab);
	tiffin_sysfs_exit();
	tiffin_work_exit();
	EXPECT(shim_allocations(), ==, 0);
	printf("%sok 1 stress\n1..1\n", failures ? "not " : "");
	return failures > 0;
}
