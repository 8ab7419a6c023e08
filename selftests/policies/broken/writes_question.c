// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken on purpose: writes to its question.
 * Found by: test
 * Seen as: wrote to its question
 */
#include <tiffin/packet_steering.h>

static void writes_question_decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
				   struct tiffin_ps_out *out)
{
	((struct tiffin_ps_in *)in)->hash ^= in->stage;
	out->verdict = TIFFIN_PS_STAY;
}

static const struct tiffin_ps_hooks writes_question_hooks = {
	.decide = writes_question_decide,
};

TIFFIN_POLICY(packet_steering, "writes_question", "1.0", "test: broken on purpose",
	      TIFFIN_HOOKS(writes_question_hooks));
