/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tiffin/test_family.h: the family of the tests. It has no mechanism at all: it puts questions, as
 * fast as it can, and checks what comes back. Its policies keep books ("ledger"), so that the
 * family sees whether a call got lost, came twice, or ran beside a flip.
 *
 * Minor version 1 added the hook tell, so that a policy built against 1.0 can be loaded too.
 *
 * Deepest context: hardirq.
 */
#ifndef TIFFIN_TEST_FAMILY_H
#define TIFFIN_TEST_FAMILY_H

#include <tiffin/plugin.h>
#include <tiffin/state.h>

#define TIFFIN_test_ABI		TIFFIN_ABI(1, 1)
#define TIFFIN_test_ABI_TEXT	1.1

/**
 * struct tiffin_test_in - the question
 * @size: bytes of this structure on the host's side
 * @object: what the question is about
 * @number: the answer must repeat it
 */
struct tiffin_test_in {
	__u32 size;
	__u32 object;
	__u64 number;
};

/* The call found, at its begin or its end, that a call of a later epoch had been there before. */
#define TIFFIN_TEST_OVERLAP	(1u << 0)
/* A record that was said to be fresh held something. */
#define TIFFIN_TEST_STALE	(1u << 1)

/**
 * struct tiffin_test_out - the answer; zeros when the call begins
 * @size: bytes of this structure on the host's side
 * @flags: TIFFIN_TEST_*
 * @number: &tiffin_test_in.number; another one is a bad answer
 * @cpu: the CPU whose record of the per-CPU store this call counted in
 * @reserved: zero
 * @cpu_before: calls that the record held at the call's begin
 * @cpu_after: calls that it held at the end, this one included
 * @object_calls: calls that the object's record holds, this one included
 */
struct tiffin_test_out {
	__u32 size;
	__u32 flags;
	__u64 number;
	__u32 cpu;
	__u32 reserved;
	__u64 cpu_before;
	__u64 cpu_after;
	__u64 object_calls;
};

/**
 * struct tiffin_test_hooks - the hook table of the family
 * @ask: required
 * @tell: optional, since 1.1; as ask
 */
struct tiffin_test_hooks {
	void (*ask)(const struct tiffin_ctx *ctx, const struct tiffin_test_in *in,
		    struct tiffin_test_out *out);
	void (*tell)(const struct tiffin_ctx *ctx, const struct tiffin_test_in *in,
		     struct tiffin_test_out *out);
};

#endif /* TIFFIN_TEST_FAMILY_H */
