/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A mark in the guest's instructions, seen by insns.c: a seven-byte nop whose displacement nobody
 * else uses.
 */
#ifndef BENCH_MARK_H
#define BENCH_MARK_H

#define MARK_BYTES	0x0f, 0x1f, 0x80, 0x31, 0x6e, 0x66, 0x74

/* nopl 0x74666e31(%rax) */
#define mark()									\
	__asm__ volatile (".byte 0x0f, 0x1f, 0x80, 0x31, 0x6e, 0x66, 0x74" ::: "memory")

#endif /* BENCH_MARK_H */
