/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tiffin/bench.h: a family whose one question asks nothing, so that what is left is the asking.
 *
 * Deepest context: process, interrupts off.
 */
#ifndef TIFFIN_BENCH_H
#define TIFFIN_BENCH_H

#include <tiffin/plugin.h>
#include <tiffin/state.h>

#define TIFFIN_bench_ABI	TIFFIN_ABI(1, 0)
#define TIFFIN_bench_ABI_TEXT	1.0

/**
 * struct tiffin_bench_in - the question
 * @size: bytes of this structure on the host's side
 * @number: any
 */
struct tiffin_bench_in {
	__u32 size;
	__u32 number;
};

/**
 * struct tiffin_bench_out - the answer
 * @size: bytes of this structure on the host's side
 * @number: @number of the question
 */
struct tiffin_bench_out {
	__u32 size;
	__u32 number;
};

/**
 * struct tiffin_bench_hooks - the hook table of the family
 * @echo: required. Say the number back.
 */
struct tiffin_bench_hooks {
	void (*echo)(const struct tiffin_ctx *ctx, const struct tiffin_bench_in *in,
		     struct tiffin_bench_out *out);
};

/* What an echo does, in a policy and without one: the least that a hook can do. */
static inline void tiffin_bench_echo(const struct tiffin_bench_in *in, struct tiffin_bench_out *out)
{
	out->number = in->number;
}

#endif /* TIFFIN_BENCH_H */
