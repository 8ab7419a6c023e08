// SPDX-License-Identifier: GPL-2.0-only
/*
 * The older layout's records, where a policy is to go before all of them are converted, and not by
 * a rollback: who has them, for how long, and who begins anew.
 */
#include <pthread.h>

#include "core/quarantine.h"
#include "core/scope.h"
#include "core/sysfs.h"
#include "test.h"

static struct lab *the_lab;

/* Delta's stores; whether it can make them of alpha's is up to the test. */
static struct tiffin_store twin_stores[TIFFIN_STORE_KINDS];
static struct tiffin_policy twin;

static void twin_load(struct lab *lab, bool converts,
		      void (*init)(const struct tiffin_ctx *ctx, const struct tiffin_init_in *in))
{
	const struct tiffin_policy *delta = &lab_policy[LAB_DELTA];
	u32 i;

	the_lab = lab;
	twin = *delta;
	strscpy(twin.name, "twin", sizeof(twin.name));
	for (i = 0; i < delta->nr_stores; i++) {
		twin_stores[i] = delta->stores[i];
		if (!converts)
			twin_stores[i].convert = NULL;
	}
	twin.stores = twin_stores;
	twin.init = init;
	EXPECT(tiffin_policy_register((const void *)&twin, THIS_MODULE, LAB_BUILD), ==, 0);
}

/* Twin, then alpha, which has a record each of three objects, and delta on its probation. */
static void twin_before_delta(struct lab *lab, bool converts,
			      void (*init)(const struct tiffin_ctx *ctx,
					   const struct tiffin_init_in *in))
{
	twin_load(lab, converts, init);
	EXPECT_SWAP(lab, "twin");
	EXPECT_SWAP(lab, "alpha");
	ask_each(lab, LAB_ALPHA, 1);
	EXPECT_SWAP(lab, "delta" LONG);
}

static void twin_unload(struct lab *lab)
{
	if (strcmp(lab_active(lab), TIFFIN_DEFAULT_NAME))
		EXPECT_SWAP(lab, TIFFIN_DEFAULT_NAME);
	tiffin_policy_unregister((const void *)&twin);
}

/*
 * D5: who goes on with the newer layout, and does not know the older one, is told of each record
 * that is zeros: also of that whose conversion the sweep had to end.
 */
TEST(fault_in_the_sweep_leaves_no_zeros_to_go_on_with)
{
	struct lab_out out;

	twin_before_delta(lab, false, NULL);
	EXPECT(lab_ask(lab, LAB_ASK, 5, &out), ==, TIFFIN_ANSWERED);
	quarantine_of(lab, LAB_ALPHA);
	lab->faulty_convert = 1;
	shim_advance(20 * MS);
	EXPECT(lab->converts[TIFFIN_STORE_OBJECT], ==, 1);
	EXPECT_STR(lab_active(lab), "twin");
	/* Its hook is delta's. */
	ask_each(lab, LAB_DELTA, 1);
	EXPECT(lab_ask(lab, LAB_ASK, 5, &out), ==, TIFFIN_ANSWERED);
	EXPECT(out.object_calls, ==, 2);
	EXPECT(out.flags, ==, 0);
	twin_unload(lab);
}

/*
 * U7: nobody can take the place of a policy that is well, and another request would come as soon as
 * one may. It finds the scope busy until the last record is converted.
 */
static pthread_t other;
static unsigned int chances, chance;

static void *other_request(void *unused)
{
	shim_cpu_start(1);
	lab_swap(the_lab, "beta");
	return NULL;
}

static void ask_for_another(void)
{
	struct tiffin_swap *swap = &the_lab->family.scope->swap;
	void (*hook)(void) = shim.on_step;

	if (READ_ONCE(swap->state) != TIFFIN_STABLE || !shim_mutex_is_mine(&swap->lock))
		return;
	shim.on_step = NULL;
	if (++chances == chance) {
		shim_no_memory(false);
		pthread_create(&other, NULL, other_request, NULL);
		/* Until it has the scope, and waits for the lock. */
		while (READ_ONCE(swap->state) == TIFFIN_STABLE)
			sched_yield();
		shim_no_memory(true);
	}
	shim.on_step = hook;
}

static void rollback_that_fails(struct lab *lab)
{
	int rc;

	EXPECT_SWAP(lab, "alpha");
	ask_each(lab, LAB_ALPHA, 1);
	EXPECT_SWAP(lab, "delta" LONG);
	quarantine_of(lab, LAB_ALPHA);
	chances = 0;
	shim_no_memory(true);
	shim.on_step = ask_for_another;
	rc = tiffin_swap_rollback(lab->family.scope);
	shim.on_step = NULL;
	shim_no_memory(false);
	EXPECT(rc != 0, ==, true);
	if (chances >= chance)
		pthread_join(other, NULL);
	EXPECT_STR(lab_active(lab), "delta");
	shim_advance(20 * MS);
	EXPECT(lab->family.scope->swap.state, ==, TIFFIN_STABLE);
	ask_each(lab, LAB_DELTA, 2);
	EXPECT_SWAP(lab, TIFFIN_DEFAULT_NAME);
	lab_unload(lab, LAB_ALPHA);
	EXPECT(lab_load(lab, LAB_ALPHA), ==, 0);
}

TEST(request_while_a_swap_from_a_sweep_fails)
{
	the_lab = lab;
	do {
		chance++;
		rollback_that_fails(lab);
	} while (chances >= chance);
}

/* When it is to come back its init has to be ended, and from then on there is no memory. */
static void twin_fails(const struct tiffin_ctx *ctx, const struct tiffin_init_in *in)
{
	if (!strcmp(lab_active(the_lab), TIFFIN_DEFAULT_NAME))
		return;
	WRITE_ONCE(the_lab->faulted, true);
	WRITE_ONCE(the_lab->ended[smp_processor_id()], ctx);
	shim_no_memory(true);
}

/*
 * S4, where one that is to go on with the newer layout, and does not know the older one, is made
 * and can't come after all, nor the default: up to the flip nothing of the older one is let go of.
 */
TEST(older_layout_goes_at_the_flip)
{
	twin_before_delta(lab, false, twin_fails);
	quarantine_of(lab, LAB_ALPHA);
	EXPECT(tiffin_swap_rollback(lab->family.scope), ==, -ENOMEM);
	shim_no_memory(false);
	EXPECT_STR(lab_active(lab), "delta");
	/* Whose records they are, not who was to come. */
	EXPECT(lab_swap(lab, "beta"), ==, -EBUSY);
	EXPECT_SAYS(lab_error(lab), "records are being converted for delta-1.0+b1, object 0 of 16");
	shim_advance(20 * MS);
	ask_each(lab, LAB_DELTA, 2);
	twin_unload(lab);
}

/* And at the flip all of it goes: the one that comes is not asked for what only delta can do. */
TEST(older_layout_goes_with_who_converted_it)
{
	struct lab_out out;

	twin_before_delta(lab, false, NULL);
	EXPECT(lab_ask(lab, LAB_ASK, 1, &out), ==, TIFFIN_ANSWERED);
	quarantine_of(lab, LAB_ALPHA);
	EXPECT(tiffin_swap_rollback(lab->family.scope), ==, 0);
	EXPECT_STR(lab_active(lab), "twin");
	EXPECT(atomic64_read(&lab->family.stores_bytes), ==,
	       tiffin_instance_bytes(lab->family.scope->gate.active->policy, NULL));
	EXPECT(lab_ask(lab, LAB_ASK, 1, &out), ==, TIFFIN_ANSWERED);
	EXPECT(out.object_calls, ==, 3);
	EXPECT(lab_ask(lab, LAB_ASK, 2, &out), ==, TIFFIN_ANSWERED);
	EXPECT(out.object_calls, ==, 1);
	EXPECT(out.flags, ==, TIFFIN_CTX_OBJECT_FRESH);
	EXPECT(lab->converts[TIFFIN_STORE_OBJECT], ==, 1);
	twin_unload(lab);
}

/*
 * Both of a probation are out, and the one before them makes its records of the older layout's: for
 * the moment of the flip there are three stores of objects. What goes then needs no room.
 */
TEST(way_back_has_room)
{
	twin_before_delta(lab, true, NULL);
	lab->family.limits.stores_kib =
		DIV_ROUND_UP_ULL(atomic64_read(&lab->family.stores_bytes), 1024);
	quarantine_of(lab, LAB_ALPHA);
	quarantine_of(lab, LAB_DELTA);
	shim_advance(20 * MS);
	EXPECT_STR(lab_active(lab), "twin");
	ask_each(lab, LAB_DELTA, 2);
	EXPECT(lab->family.scope->swap.state, ==, TIFFIN_STABLE);
	EXPECT(atomic64_read(&lab->family.stores_bytes), ==,
	       tiffin_instance_bytes(lab->family.scope->gate.active->policy, NULL));
	twin_unload(lab);
}

static void expect_handover(struct lab *lab, enum lab_who who, const char *line)
{
	char *text = kzalloc(PAGE_SIZE, GFP_KERNEL);

	EXPECT(tiffin_sysfs_handover(lab_loaded(lab, who), text), >, 0);
	EXPECT_SAYS(text, line);
	kfree(text);
}

/* While the rescue waits for memory handover says what would be gone on with; none comes back. */
TEST(handover_of_what_is_kept)
{
	EXPECT_SWAP(lab, "alpha");
	ask_each(lab, LAB_ALPHA, 1);
	EXPECT_SWAP(lab, "delta");
	expect_handover(lab, LAB_ALPHA, "default object zeros kept ");
	quarantine_of(lab, LAB_DELTA);
	shim_no_memory(true);
	shim_advance(100 * MS);
	shim_no_memory(false);
	EXPECT_STR(lab_active(lab), "delta");
	expect_handover(lab, LAB_ALPHA, "default object reference none 0\n");
	expect_handover(lab, LAB_SIGMA, "default object reference none 0\n");
	expect_handover(lab, LAB_ALPHA, "default instance zeros none ");
	expect_handover(lab, LAB_GAMMA, "default object zeros none ");
	shim_advance(20 * MS);
	ask_each(lab, LAB_ALPHA, 2);
}
