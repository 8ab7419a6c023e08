// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken on purpose: writes past the end of its record.
 * Found by: test
 * Seen as: AddressSanitizer: heap-buffer-overflow
 */
#include <tiffin/packet_steering.h>

struct past_record {
	__u32 seen[4];
};

static const struct tiffin_store past_record_stores[] = {
	{ "past_record", 1, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_LOCKED, sizeof(struct past_record) },
};

static void past_record_decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
			       struct tiffin_ps_out *out)
{
	struct past_record *record = tiffin_object(ctx);

	record->seen[in->stage]++;
	out->verdict = TIFFIN_PS_STAY;
}

static const struct tiffin_ps_hooks past_record_hooks = {
	.decide = past_record_decide,
};

TIFFIN_POLICY(packet_steering, "past_record", "1.0", "test: broken on purpose",
	      TIFFIN_HOOKS(past_record_hooks),
	      TIFFIN_STORES(past_record_stores));
