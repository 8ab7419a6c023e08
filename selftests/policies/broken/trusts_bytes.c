// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broken on purpose: believes that a record holds only what it wrote itself.
 * Found by: test fuzz
 * Seen as: AddressSanitizer:
 * An index that is no index leads anywhere on the heap: past a block, or into one that is free.
 */
#include <tiffin/packet_steering.h>

struct trusts_bytes {
	__u32 index;
};

static const struct tiffin_store trusts_bytes_stores[] = {
	{ "bytes", 1, TIFFIN_STORE_OBJECT, TIFFIN_SHARE_ATOMIC, sizeof(struct trusts_bytes) },
};

static void trusts_bytes_decide(const struct tiffin_ctx *ctx, const struct tiffin_ps_in *in,
				struct tiffin_ps_out *out)
{
	struct trusts_bytes *record = tiffin_object(ctx);

	if (tiffin_object_fresh(ctx))
		tiffin_store(&record->index, in->hash % in->nr_usable);
	/* Wrong also without strange bytes: the number of usable CPUs changes. */
	out->cpu = in->usable[(__u16)tiffin_load(&record->index)];
	out->verdict = TIFFIN_PS_CPU;
}

static const struct tiffin_ps_hooks trusts_bytes_hooks = {
	.decide = trusts_bytes_decide,
};

TIFFIN_POLICY(packet_steering, "trusts_bytes", "1.0", "test: broken on purpose",
	      TIFFIN_HOOKS(trusts_bytes_hooks),
	      TIFFIN_STORES(trusts_bytes_stores));
