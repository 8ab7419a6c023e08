// SPDX-License-Identifier: GPL-2.0-only
/* The hash policy on a live kernel: it is asked, it answers, and it can be undone. */
#include "tiffin.h"

FIXTURE(hash) {
};

FIXTURE_SETUP(hash)
{
	ASSERT_EQ(0, tiffin_swap("packet_steering", "hash"));
}

FIXTURE_TEARDOWN(hash)
{
	EXPECT_EQ(0, tiffin_swap("packet_steering", "default"));
}

TEST_F(hash, answers_for_every_packet)
{
	long long answered = tiffin_stat("packet_steering", "answered");

	ASSERT_GE(answered, 0);
	ASSERT_EQ(0, tiffin_tune("hash", "repeat", "0"));
	EXPECT_EQ(1000, tiffin_packets(1000));
	EXPECT_GE(tiffin_stat("packet_steering", "answered"), answered + 1000);
	EXPECT_EQ(0, tiffin_stat("packet_steering", "bad_answers"));
}

TEST_HARNESS_MAIN
