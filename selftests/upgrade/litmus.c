// SPDX-License-Identifier: GPL-2.0-only
/*
 * The order of memory at the gate. A caller's count may sit in its CPU's store buffer while the
 * caller has read the word OPEN already; the one barrier on every CPU between SLOW and CLOSED is
 * there for that. Here the caller's stores to memory that isn't in its cache fill that buffer
 * before each call, so that without the barrier the swap flips under it within a few hundred flips.
 *
 * usage: litmus [FLIPS]
 */
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "core/sysfs.h"
#include "test.h"
#include "work.h"

#define FAR_BYTES	(256UL << 20)
#define FAR_STORES	40

static struct lab lab;
static unsigned int failures;
static char *far;
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

static void *call(void *unused)
{
	struct lab_out out;
	u64 seed = 1;
	int i;

	shim_cpu_start(1);
	while (!READ_ONCE(stop)) {
		for (i = 0; i < FAR_STORES; i++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			WRITE_ONCE(far[(seed >> 20) % FAR_BYTES], 1);
		}
		lab_ask(&lab, LAB_ASK, TIFFIN_NO_OBJECT, &out);
	}
	return NULL;
}

/* Short, as a long call only makes the swap wait; long enough to be found inside. */
static void dwell(struct lab *unused, const struct tiffin_ctx *ctx)
{
	int i;

	for (i = 0; i < 8; i++)
		cpu_relax();
}

/* The caller has got on by @calls calls; it may have lost its processor. */
static void let_call(u64 calls)
{
	u64 before = lab_figures(&lab).calls;

	while (lab_figures(&lab).calls < before + calls)
		sched_yield();
}

int main(int argc, char **argv)
{
	unsigned int flips = argc > 1 ? atoi(argv[1]) : 3000, i, spin, done = 0;
	struct tiffin_gate_report report;
	struct tiffin_gate *gate;
	pthread_t thread;

	nr_cpu_ids = 2;
	far = mmap(NULL, FAR_BYTES, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (far == MAP_FAILED || tiffin_work_init() || tiffin_sysfs_init() || lab_start(&lab))
		return 1;
	EXPECT_SWAP(&lab, "alpha");
	lab.in_hook = dwell;
	gate = &lab.family.scope->gate;
	if (pthread_create(&thread, NULL, call, NULL))
		return 1;
	for (i = 0; i < flips && !lab_figures(&lab).overlapped; i++) {
		let_call(1);
		for (spin = 0; spin < i % 64; spin++)
			cpu_relax();
		done += !tiffin_gate_flip(gate, gate->active, 50, &report);
	}
	WRITE_ONCE(stop, 1);
	pthread_join(thread, NULL);
	printf("# %u flips of %u attempts, %llu calls, %llu came into a flip\n", done, i,
	       lab_figures(&lab).calls, lab_figures(&lab).overlapped);
	EXPECT(lab_figures(&lab).overlapped, ==, 0);
	EXPECT(done, >, 0);
	lab_stop(&lab);
	tiffin_sysfs_exit();
	tiffin_work_exit();
	printf("%sok 1 litmus\n1..1\n", failures ? "not " : "");
	return failures > 0;
}
