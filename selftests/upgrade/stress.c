// SPDX-License-Identifier: GPL-2.0-only
/*
 * The real gate under real threads: each thread plays a CPU that asks without end, signals play its
 * interrupts, and one thread swaps. Every call is answered exactly once, by one policy at a time,
 * and nothing that a policy wrote is lost.
 *
 * usage: stress [SWAPS [CALLERS [SIGNALS]]]
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/sysfs.h"
#include "test.h"

/* Few, so that calls meet on them. */
#define OBJECTS		3
#define MAX_CALLERS	(SHIM_MAX_CPUS - 1)

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
static pthread_t threads[MAX_CALLERS];
static unsigned int nr_callers, failures;
static u32 stop;

void test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	failures++;
	printf("# %s:%d: ", file, line);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
}

static void ask(struct caller *me)
{
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

static void interrupt(void)
{
	/* CPU 0 is the swapper's. */
	if (shim_cpu)
		ask(&callers[shim_cpu - 1][1]);
}

static void *call(void *data)
{
	unsigned int me = (struct caller (*)[2])data - callers;

	shim_cpu_start(me + 1);
	while (!READ_ONCE(stop))
		ask(&callers[me][0]);
	return NULL;
}

/* Longer than a flip, so that one would come into it, were it not for the gate. */
static void dwell(struct lab *unused, const struct tiffin_ctx *ctx)
{
	int i;

	for (i = 0; i < 50; i++)
		cpu_relax();
}

static void *interrupts(void *unused)
{
	unsigned int i;

	while (!READ_ONCE(stop)) {
		for (i = 0; i < nr_callers; i++)
			pthread_kill(threads[i], SIGUSR1);
		usleep(200);
	}
	return NULL;
}

/* All callers have gone on. */
static void let_run(void)
{
	unsigned int i;
	u64 before;

	for (i = 0; i < nr_callers; i++) {
		before = READ_ONCE(callers[i][0].calls);
		while (READ_ONCE(callers[i][0].calls) == before)
			usleep(20);
	}
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
			let_run();
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
	unsigned int i, with_signals = argc > 3 ? atoi(argv[3]) : 1;
	pthread_t ticker;

	nr_callers = argc > 2 ? atoi(argv[2]) : 3;
	if (!nr_callers || nr_callers > MAX_CALLERS)
		return 2;
	nr_cpu_ids = nr_callers + 1;
	if (tiffin_sysfs_init() || lab_start(&lab))
		return 1;
	/* Threads lose their processor as CPUs don't; an attempt to flip may meet that often. */
	lab.family.limits.timeout_ms = 600000;
	lab.in_hook = dwell;
	EXPECT_SWAP(&lab, "alpha");
	shim_interrupts(interrupt);
	for (i = 0; i < nr_callers; i++)
		if (pthread_create(&threads[i], NULL, call, callers[i]))
			return 1;
	if (with_signals && pthread_create(&ticker, NULL, interrupts, NULL))
		return 1;
	let_run();
	swap_all(swaps);
	WRITE_ONCE(stop, 1);
	if (with_signals)
		pthread_join(ticker, NULL);
	for (i = 0; i < nr_callers; i++)
		pthread_join(threads[i], NULL);
	settle();
	lab_stop(&lab);
	tiffin_sysfs_exit();
	EXPECT(shim_allocations(), ==, 0);
	printf("%sok 1 stress\n1..1\n", failures ? "not " : "");
	return failures > 0;
}
