// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken on purpose: fills the answer up to the host's size, of which it knows only a part.
 * Found by: test fuzz
 * Seen as: of its answer, which ABI
 */
#include <tiffin/packet_steering.h>

static void fills_answer_decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
				struct tiffin_ps_out *out)
{
	__u32 i;

	for (i = sizeof(*out); i < out->size && i < 2 * sizeof(*out); i++)
		((__u8 *)out)[i] = 0xff;
	out->verdict = TIFFIN_PS_STAY;
}

static const struct tiffin_ps_hooks fills_answer_hooks = {
	.decide = fills_answer_decide,
};

TIFFIN_POLICY(packet_steering, "fills_answer", "1.0", "test: broken on purpose",
	      TIFFIN_HOOKS(fills_answer_hooks));
