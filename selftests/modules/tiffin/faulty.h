/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tiffin/faulty.h: what a policy must not do, for the policies that do it. What is refused by the
 * build is what is tested here, so they are built with --unchecked.
 */
#ifndef TIFFIN_FAULTY_H
#define TIFFIN_FAULTY_H

#include <tiffin/plugin.h>
#include <tiffin/state.h>

/* What the kernel exports and a policy has no business with. */
void *memcpy(void *to, const void *from, unsigned long n);
unsigned long strlen(const char *text);
void __rcu_read_lock(void);
void kfree(const void *memory);
void migrate_disable(void);
void _raw_spin_lock(void *lock);

enum {
	FAULTY_NONE,
	FAULTY_NULL,
	FAULTY_NULL_WRITE,
	FAULTY_WILD,
	FAULTY_USER,
	FAULTY_NON_CANONICAL,
	FAULTY_TEXT,
	FAULTY_EXEC_DATA,
	FAULTY_EXEC_NULL,
	FAULTY_EXEC_NON_CANONICAL,
	FAULTY_DIVIDE,
	FAULTY_BUG,
	FAULTY_INT3,
	FAULTY_OVERFLOW,
	FAULTY_SMASH,
	FAULTY_MEMCPY,
	FAULTY_STRLEN,
	FAULTY_STD,
	FAULTY_RCU,
	FAULTY_MIGRATE,
	FAULTY_PREEMPT,
	FAULTY_IRQS_OFF,
	FAULTY_KEEPS_IRQS_OFF,
	FAULTY_KEEPS_PREEMPT,
	FAULTY_LOOP,
	FAULTY_LOOP_IRQS_OFF,
	FAULTY_LOOP_SERVICE,
	FAULTY_LOOP_SERVICE_IRQS_OFF,
	FAULTY_LOOP_CALL,
	FAULTY_SLOW,
	FAULTY_KFREE,
	FAULTY_KINDS,
};

/* Each in turn of those that end at once. */
#define FAULTY_MIXED	FAULTY_KINDS

enum { FAULTY_KIND, FAULTY_ONE_IN, FAULTY_SPIN };

static const struct tiffin_tunable faulty_tunables[] = {
	[FAULTY_KIND] = { "kind", "which fault; the source has the list", 0, FAULTY_MIXED, 0 },
	[FAULTY_ONE_IN] = { "one_in", "one call in so many does it", 1, 1000000, 16 },
	[FAULTY_SPIN] = { "spin", "kind slow: turns of a loop", 0, 100000000, 100000 },
};

enum { FAULTY_TRIED, FAULTY_SURVIVED };

static const struct tiffin_counter faulty_counters[] = {
	[FAULTY_TRIED] = { "tried", "faults that were begun" },
	[FAULTY_SURVIVED] = { "survived", "faults after which the policy went on" },
};

struct faulty_record {
	__u64 calls;
	__u64 lock;
};

#define WILD		((volatile __u64 *)0xffffc0dedeadb000)
#define NON_CANONICAL	((volatile __u64 *)0x8123456789abcdef)
#define NOWHERE		0x1234

/* Numbers that the compiler knows nothing of, and a place that it must write to. */
#define faulty_zero	(*(volatile __u64 *)&(__u64){ 0 })
#define faulty_sink	(*(volatile __u32 *)&(__u32){ 0 })

static __attribute__((__noipa__)) void faulty_recurse(volatile __u8 *outer)
{
	volatile __u8 frame[400];

	frame[0] = outer ? outer[0] + 1 : 0;
	if (frame[0] != faulty_zero + 256)
		faulty_recurse(frame);
	faulty_sink += frame[1];
}

static __attribute__((__noipa__)) void faulty_smash(__u32 n)
{
	__u8 buffer[8];
	volatile __u8 *byte = buffer;
	__u32 i;

	/* So that the compiler does not know what it writes beyond. */
	asm volatile("" : "+r" (byte), "+r" (n));
	for (i = 0; i < n; i++)
		byte[i] = 0x41;
	faulty_sink += byte[0];
}

static __attribute__((__noipa__)) __u64 faulty_count(__u64 n)
{
	volatile __u64 i;

	for (i = 0; i < n; i++)
		;
	return i;
}

static void faulty_jump(const volatile void *to)
{
	((void (*)(void))to)();
}

static void faulty_spin(const struct tiffin_ctx *ctx, __u32 kind)
{
	struct tiffin_entry entry;

	if (kind == FAULTY_LOOP_IRQS_OFF || kind == FAULTY_LOOP_SERVICE_IRQS_OFF)
		asm volatile("cli");
	for (;;) {
		switch (kind) {
		case FAULTY_LOOP_SERVICE:
		case FAULTY_LOOP_SERVICE_IRQS_OFF:
			tiffin_list_put(ctx, ctx->handle, 0, TIFFIN_LIST_HEAD, 0);
			entry = tiffin_list_first(ctx, 0, TIFFIN_LIST_HEAD);
			faulty_sink += entry.mark;
			break;
		case FAULTY_LOOP_CALL:
			faulty_sink += faulty_count(1000);
			break;
		default:
			faulty_sink++;
		}
	}
}

static __attribute__((__noipa__)) void faulty_do(const struct tiffin_ctx *ctx, __u32 kind)
{
	struct faulty_record *record = ctx->object;

	switch (kind) {
	case FAULTY_NULL:
		faulty_sink += *(volatile __u32 *)0;
		break;
	case FAULTY_NULL_WRITE:
		*(volatile __u32 *)8 = 1;
		break;
	case FAULTY_WILD:
		*WILD = 1;
		break;
	case FAULTY_USER:
		*(volatile __u64 *)0x400000 = 1;
		break;
	case FAULTY_NON_CANONICAL:
		*NON_CANONICAL = 1;
		break;
	case FAULTY_TEXT:
		*(volatile __u8 *)faulty_do = 0;
		break;
	case FAULTY_EXEC_DATA:
		faulty_jump(record);
		break;
	case FAULTY_EXEC_NULL:
		faulty_jump((void *)faulty_zero);
		break;
	case FAULTY_EXEC_NON_CANONICAL:
		faulty_jump(NON_CANONICAL);
		break;
	case FAULTY_DIVIDE:
		asm volatile("xorl %%ecx, %%ecx\n\tdivl %%ecx"
			     : : : "eax", "ecx", "edx");
		break;
	case FAULTY_BUG:
		asm volatile("ud2");
		break;
	case FAULTY_INT3:
		asm volatile("int3");
		break;
	case FAULTY_OVERFLOW:
		faulty_recurse((void *)0);
		break;
	case FAULTY_SMASH:
		faulty_smash(16);
		break;
	case FAULTY_MEMCPY:
		memcpy((void *)WILD, ctx, faulty_zero + 4096);
		break;
	case FAULTY_STRLEN:
		record->calls += strlen((const char *)WILD);
		break;
	case FAULTY_STD:
		asm volatile("std");
		faulty_sink += *(volatile __u32 *)NOWHERE;
		break;
	case FAULTY_RCU:
		__rcu_read_lock();
		__rcu_read_lock();
		*WILD = 1;
		break;
	case FAULTY_MIGRATE:
		migrate_disable();
		*WILD = 1;
		break;
	case FAULTY_PREEMPT:
		_raw_spin_lock(&record->lock);
		*WILD = 1;
		break;
	case FAULTY_IRQS_OFF:
		asm volatile("cli");
		*WILD = 1;
		break;
	case FAULTY_KEEPS_IRQS_OFF:
		asm volatile("cli");
		break;
	case FAULTY_KEEPS_PREEMPT:
		_raw_spin_lock(&record->lock);
		break;
	case FAULTY_KFREE:
		kfree((const void *)WILD);
		break;
	case FAULTY_SLOW:
		faulty_count(tiffin_tunable(ctx, FAULTY_SPIN));
		break;
	default:
		faulty_spin(ctx, kind);
	}
}

/* Call number @call: do it, one call in so many. */
static void faulty_fault(const struct tiffin_ctx *ctx, __u64 call)
{
	__u64 one_in = tiffin_tunable(ctx, FAULTY_ONE_IN);
	__u32 kind = tiffin_tunable(ctx, FAULTY_KIND);

	if (kind == FAULTY_NONE || call % one_in)
		return;
	if (kind == FAULTY_MIXED)
		kind = 1 + call / one_in % (FAULTY_IRQS_OFF - 1);
	tiffin_count(ctx, FAULTY_TRIED, 1);
	faulty_do(ctx, kind);
	if (kind != FAULTY_SLOW)
		tiffin_count(ctx, FAULTY_SURVIVED, 1);
}

#endif /* TIFFIN_FAULTY_H */
