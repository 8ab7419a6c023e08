// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken on purpose: writes past the end of the answer that its version has.
 * Built with: 1.0
 * Found by: test fuzz
 * Seen as: wrote to byte 16 of its answer, which ABI 1.0 has not
 */
#include <tiffin/packet_steering.h>

static void past_answer_decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
			       struct tiffin_ps_out *out)
{
	out->verdict = TIFFIN_PS_STAY;
	*(__u32 *)(out + 1) = 31;
}

static const struct tiffin_ps_hooks past_answer_hooks = {
	.decide = past_answer_decide,
};

TIFFIN_POLICY(packet_steering, "past_answer", "1.0", "test: broken on purpose",
	      TIFFIN_HOOKS(past_answer_hooks));
