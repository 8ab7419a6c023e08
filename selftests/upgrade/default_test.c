// SPDX-License-Identifier: GPL-2.0-only
/* All families to their defaults, as SysRq asks for it, from any state and without memory. */
#include "rescue.h"
#include "test.h"

static void sysrq(struct lab *lab, const char *first, const char *text)
{
	if (first)
		EXPECT_SWAP(lab, first);
	EXPECT_SWAP(lab, text);
	tiffin_rescue_all();
	shim_advance(20 * MS);
	EXPECT_STR(lab_active(lab), "default");
	EXPECT(swap_of(lab)->state, ==, TIFFIN_STABLE);
	EXPECT_STR(swap_of(lab)->report.reason, "SysRq");
	EXPECT(lab->stock, ==, true);
	/* Once: what is swapped to then stays. */
	EXPECT_SWAP(lab, "alpha");
	shim_advance(1000 * MS);
	EXPECT_STR(lab_active(lab), "alpha");
}

TEST(all_to_default)
{
	sysrq(lab, NULL, "alpha");
}

TEST(all_to_default_from_a_probation)
{
	sysrq(lab, "beta", "alpha" LONG);
}

TEST(all_to_default_from_a_sweep)
{
	struct lab_out out;

	EXPECT_SWAP(lab, "alpha");
	EXPECT(lab_ask(lab, LAB_ASK, 1, &out), ==, TIFFIN_ANSWERED);
	sysrq(lab, NULL, "delta");
}

TEST(all_to_default_from_a_rollback_that_waits)
{
	EXPECT_SWAP(lab, "beta");
	EXPECT_SWAP(lab, "alpha" LONG);
	lab->family.limits.timeout_ms = 1;
	lab_call_on_cpu(lab, 1, LAB_ASK, 1, true);
	EXPECT(tiffin_swap_rollback(lab->family.scope), ==, -ETIMEDOUT);
	lab->family.limits.timeout_ms = 5000;
	lab_call_on_cpu(lab, 1, LAB_ASK, -1, true);
	tiffin_rescue_all();
	shim_advance(20 * MS);
	EXPECT_STR(lab_active(lab), "default");
	EXPECT_SWAP(lab, "gamma probation_ms=200");
	shim_advance(250 * MS);
	EXPECT_STR(lab_active(lab), "gamma");
}

TEST(all_to_default_where_the_default_is_active)
{
	u64 epoch = lab->family.scope->gate.epoch;

	tiffin_rescue_all();
	shim_advance(1000 * MS);
	EXPECT(lab->family.scope->gate.epoch, ==, epoch);
}

TEST(all_to_default_without_memory)
{
	EXPECT_SWAP(lab, "alpha");
	shim_no_memory(true);
	tiffin_rescue_all();
	shim_advance(100 * MS);
	EXPECT_STR(lab_active(lab), "alpha");
	shim_no_memory(false);
	shim_advance(20 * MS);
	EXPECT_STR(lab_active(lab), "default");
}

/* E5 */
TEST(all_to_default_gives_up)
{
	EXPECT_SWAP(lab, "alpha");
	shim.look_for = "could not be made active";
	shim_no_memory(true);
	tiffin_rescue_all();
	shim_advance((TIFFIN_RESCUE_ALL_MS - 1000) * MS);
	EXPECT(shim.found, ==, 0);
	shim_advance(2000 * MS);
	EXPECT(shim.found, ==, 1);
	shim_no_memory(false);
	shim_advance(60000 * MS);
	EXPECT(shim.found, ==, 1);
	EXPECT_STR(lab_active(lab), "alpha");
	/* Asked for again, it is tried again. */
	tiffin_rescue_all();
	shim_advance(20 * MS);
	EXPECT_STR(lab_active(lab), "default");
	EXPECT(shim.found, ==, 1);
}

/* E5, also where a rescue that fails comes first: what it brings back at last stays. */
TEST(all_to_default_gives_up_in_a_rescue)
{
	EXPECT_SWAP(lab, "beta");
	EXPECT_SWAP(lab, "alpha");
	shim.look_for = "could not be made active";
	ask_faulty(lab, LAB_ALPHA, 1);
	shim_no_memory(true);
	tiffin_rescue_all();
	shim_advance((TIFFIN_RESCUE_ALL_MS - 1000) * MS);
	EXPECT(shim.found, ==, 0);
	shim_advance(2000 * MS);
	EXPECT(shim.found, ==, 1);
	EXPECT_STR(lab_active(lab), "alpha");
	shim_no_memory(false);
	shim_advance(60000 * MS);
	EXPECT_STR(lab_active(lab), "beta");
	EXPECT(shim.found, ==, 1);
}
