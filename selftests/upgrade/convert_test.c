// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records in another layout, in virtual time: the sweep goes on when a test lets time pass, so that
 * each step of a conversion can be met by a call, a request or a rollback. The suite of the same
 * name in selftests/kunit has the sweep race with them.
 */
#include "test.h"

static struct tiffin_record *record_of(struct lab *lab, u32 object)
{
	return tiffin_record_of(lab->family.scope->gate.active->store[TIFFIN_STORE_OBJECT], object);
}

static void ask(struct lab *lab, u32 object, u32 generation, unsigned int times)
{
	struct lab_out out;

	while (times--)
		EXPECT(lab_ask_generation(lab, LAB_ASK, object, generation, &out), ==,
		       TIFFIN_ANSWERED);
}

/* A whole swap with conversion: every record, by a call or by the sweep, and the end. */
TEST(conversion_carries_all)
{
	struct lab_out out;

	EXPECT_SWAP(lab, "alpha");
	ask(lab, 3, 1, 5);
	ask(lab, 4, 1, 6);
	EXPECT_SWAP(lab, "delta");
	EXPECT(swap_of(lab)->state, ==, TIFFIN_SWEEPING);
	lab_ask(lab, LAB_ASK, 3, &out);
	EXPECT(out.object_calls, ==, 6);
	EXPECT(out.instance_calls, ==, 12);
	EXPECT(out.cpu_calls, ==, 12);
	EXPECT(lab_swap(lab, "alpha"), ==, -EBUSY);
	shim_advance(1);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_STABLE);
	lab_ask(lab, LAB_ASK, 4, &out);
	EXPECT(out.object_calls, ==, 7);
	EXPECT(lab->converts[TIFFIN_STORE_OBJECT], ==, 2);
	EXPECT(lab->converts[TIFFIN_STORE_INSTANCE], ==, 1);
	EXPECT(lab->converts[TIFFIN_STORE_PER_CPU], ==, nr_cpu_ids);
}

/*
 * S2 holds across a flip: a call about an object that is gone does not take the place of the record
 * that the older layout has of the one after it.
 */
TEST(late_call_does_not_take_the_record)
{
	struct lab_out out;

	EXPECT_SWAP(lab, "alpha");
	ask(lab, 3, 5, 4);
	EXPECT(lab_ask_generation(lab, LAB_ASK, 3, 4, &out), ==, TIFFIN_CONTINUITY);
	EXPECT_SWAP(lab, "delta");
	EXPECT(lab_ask_generation(lab, LAB_ASK, 3, 4, &out), ==, TIFFIN_CONTINUITY);
	EXPECT(record_of(lab, 3)->generation, ==, 0);
	EXPECT(record_of(lab, 3)->locked, ==, 0);
	shim_advance(1);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_STABLE);
	EXPECT(lab_ask_generation(lab, LAB_ASK, 3, 5, &out), ==, TIFFIN_ANSWERED);
	EXPECT(out.object_calls, ==, 5);
	EXPECT(out.flags, ==, 0);
	EXPECT(lab_ask_generation(lab, LAB_ASK, 3, 4, &out), ==, TIFFIN_CONTINUITY);
}

/* What can't be converted starts from zeros, whatever was scribbled there: of all kinds. */
TEST(unknown_starts_from_zeros)
{
	struct tiffin_instance *inst;
	struct lab_out out;
	unsigned int cpu;

	EXPECT_SWAP(lab, "alpha");
	ask(lab, 3, 1, 4);
	lab->unknown = true;
	EXPECT_SWAP(lab, "delta");
	inst = lab->family.scope->gate.active;
	EXPECT(((u64 *)inst->store[TIFFIN_STORE_INSTANCE]->record)[1], ==, 0);
	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		EXPECT(((u64 *)per_cpu_ptr(inst->store[TIFFIN_STORE_PER_CPU]->percpu, cpu))[1],
		       ==, 0);
	lab_ask(lab, LAB_ASK, 3, &out);
	EXPECT(out.object_calls, ==, 1);
	EXPECT(out.instance_calls, ==, 1);
	EXPECT(out.cpu_calls, ==, 1);
	EXPECT(out.flags, ==, TIFFIN_CTX_OBJECT_FRESH);
	EXPECT(((u64 *)record_of(lab, 3)->data)[1], ==, 0);
	shim_advance(1);
}

/* The sweep can't tell the next call that the record is zeros: it leaves that to the record. */
TEST(unknown_to_the_sweep_is_fresh_to_a_call)
{
	struct lab_out out;

	EXPECT_SWAP(lab, "alpha");
	ask(lab, 3, 1, 4);
	lab->unknown = true;
	EXPECT_SWAP(lab, "delta");
	shim_advance(1);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_STABLE);
	EXPECT(lab->converts[TIFFIN_STORE_OBJECT], ==, 1);
	EXPECT(record_of(lab, 3)->locked, ==, 0);
	EXPECT(((u64 *)record_of(lab, 3)->data)[1], ==, 0);
	lab_ask(lab, LAB_ASK, 3, &out);
	EXPECT(out.object_calls, ==, 1);
	EXPECT(out.flags, ==, TIFFIN_CTX_OBJECT_FRESH);
	lab_ask(lab, LAB_ASK, 3, &out);
	EXPECT(out.object_calls, ==, 2);
	EXPECT(out.flags, ==, 0);
}

/* Likewise, where calls share the record. */
TEST(unknown_to_the_sweep_of_shared_records)
{
	struct lab_out out;

	EXPECT_SWAP(lab, "kappa");
	ask(lab, 3, 1, 4);
	EXPECT_SWAP(lab, "lambda");
	lab->unknown = true;
	shim_advance(1);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_STABLE);
	lab_ask(lab, LAB_ASK, 3, &out);
	EXPECT(out.object_calls, ==, 1);
	EXPECT(out.flags, ==, TIFFIN_CTX_OBJECT_FRESH);
}

/* A call comes about the very object that the sweep is about to lock: it has the record by then. */
static struct lab *asked_lab;
static unsigned int asked;

static void ask_first(const void *word)
{
	if (word != &record_of(asked_lab, 3)->locked)
		return;
	shim.before_cmpxchg = NULL;
	ask(asked_lab, 3, 1, 2);
	asked++;
}

TEST(call_before_the_sweep_has_the_lock)
{
	struct lab_out out;

	asked_lab = lab;
	EXPECT_SWAP(lab, "alpha");
	ask(lab, 3, 1, 4);
	EXPECT_SWAP(lab, "delta");
	shim.before_cmpxchg = ask_first;
	shim_advance(1);
	EXPECT(asked, ==, 1);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_STABLE);
	EXPECT(lab->converts[TIFFIN_STORE_OBJECT], ==, 1);
	lab_ask(lab, LAB_ASK, 3, &out);
	EXPECT(out.object_calls, ==, 7);
	EXPECT(out.flags, ==, 0);
}

/* A call, as an interrupt brings it, while the sweep has a record converted that calls share. */
static enum tiffin_verdict meanwhile;

static void convert_and_ask(const struct tiffin_ctx *ctx, const struct tiffin_convert_in *in,
			    struct tiffin_convert_out *out)
{
	struct lab_out answer;

	if (in->kind == TIFFIN_STORE_OBJECT)
		meanwhile = lab_ask(asked_lab, LAB_ASK, 3, &answer);
	*lab_calls(out->record, LAB_LAMBDA) = *lab_calls((void *)in->from, LAB_KAPPA);
}

TEST(call_in_the_sweep_s_conversion_of_a_shared_record)
{
	const struct tiffin_policy *lambda = &lab_policy[LAB_LAMBDA];
	struct tiffin_store stores[TIFFIN_STORE_KINDS];
	struct tiffin_policy asker = *lambda;
	struct lab_out out;
	u32 i;

	asked_lab = lab;
	for (i = 0; i < lambda->nr_stores; i++) {
		stores[i] = lambda->stores[i];
		if (stores[i].convert)
			stores[i].convert = convert_and_ask;
	}
	strscpy(asker.name, "asker", sizeof(asker.name));
	asker.stores = stores;
	EXPECT(tiffin_policy_register((const void *)&asker, THIS_MODULE, LAB_BUILD), ==, 0);
	EXPECT_SWAP(lab, "kappa");
	ask(lab, 3, 1, 4);
	EXPECT_SWAP(lab, "asker");
	meanwhile = TIFFIN_DEFAULT;
	shim_advance(1);
	EXPECT(meanwhile, ==, TIFFIN_CONTINUITY);
	lab_ask(lab, LAB_ASK, 3, &out);
	EXPECT(out.object_calls, ==, 5);
	EXPECT(out.flags, ==, 0);
	EXPECT_SWAP(lab, TIFFIN_DEFAULT_NAME);
	tiffin_policy_unregister((const void *)&asker);
}

/*
 * The end of one sweep meets the next: the first has found nothing more to do, the scope becomes
 * stable otherwise, another swap comes and begins a sweep, and only then the first goes on.
 */
static struct lab *the_lab;
static u32 stop_worker, tail_waits;

static void wait_in_the_tail(const void *word)
{
	/* The end of the sweep alone, not a request in the thread that tests. */
	if (!shim_cpu || word != &swap_of(the_lab)->state)
		return;
	shim.before_cmpxchg = NULL;
	WRITE_ONCE(tail_waits, 1);
	/* Until the next sweep has begun, or cannot begin as it waits for this one's end. */
	while (READ_ONCE(swap_of(the_lab)->state) != TIFFIN_SWEEPING && !shim_waiting_for_work())
		sched_yield();
}

static void *work(void *unused)
{
	shim_cpu_start(1);
	shim_worker(&stop_worker);
	return NULL;
}

TEST(end_of_a_sweep_is_not_the_next_ones)
{
	struct lab_out out;
	pthread_t worker;

	the_lab = lab;
	shim.virtual_time = false;
	EXPECT_SWAP(lab, "alpha");
	ask(lab, 3, 1, 4);
	EXPECT_SWAP(lab, "delta" LONG);
	shim.before_cmpxchg = wait_in_the_tail;
	pthread_create(&worker, NULL, work, NULL);
	while (!READ_ONCE(tail_waits))
		sched_yield();
	EXPECT(tiffin_swap_commit(lab->family.scope), ==, 0);
	EXPECT(swap_of(lab)->state, ==, TIFFIN_STABLE);
	EXPECT_SWAP(lab, "alpha");
	ask(lab, 3, 1, 4);
	EXPECT_SWAP(lab, "delta");
	/* The worker is slow enough to begin: it has the end of the first before it. */
	while (READ_ONCE(swap_of(lab)->state) != TIFFIN_STABLE)
		sched_yield();
	EXPECT(tiffin_sweep_runs(lab->family.scope), ==, false);
	lab_ask(lab, LAB_ASK, 3, &out);
	EXPECT(out.object_calls, ==, 5);
	WRITE_ONCE(stop_worker, 1);
	pthread_join(worker, NULL);
}
