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
void *__memcpy(void *to, const void *from, unsigned long n);
unsigned long strlen(const char *text);
unsigned char mutex_is_locked(const void *lock);
void __rcu_read_lock(void);
void kfree(const void *memory);
void migrate_disable(void);
void _raw_spin_lock(void *lock);
void preempt_count_add(int n);

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
	FAULTY_OVERFLOW_IRQS_OFF,
	FAULTY_SMASH,
	FAULTY_MEMCPY,
	FAULTY_STRLEN,
	FAULTY_MUTEX,
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
	FAULTY_OVERFLOW,
	FAULTY_SLOW,
	FAULTY_KFREE,
	FAULTY_WARN,
	FAULTY_HELD,
	FAULTY_HELD_INIT,
	FAULTY_KINDS,
};

/* Now this, now that. */
#define FAULTY_MIXED	FAULTY_KINDS

/* A policy may define tunables of its own behind these, from FAULTY_MORE on. */
enum { FAULTY_KIND, FAULTY_ONE_IN, FAULTY_SPIN, FAULTY_MORE };

#ifndef FAULTY_MORE_TUNABLES
#define FAULTY_MORE_TUNABLES
#endif

static const struct tiffin_tunable faulty_tunables[] = {
	[FAULTY_KIND] = { "kind", "which fault; the source has the list", 0, FAULTY_MIXED, 0 },
	[FAULTY_ONE_IN] = { "one_in", "one call in so many does it", 1, 1000000, 16 },
	[FAULTY_SPIN] = { "spin", "kind slow: turns of a loop; kinds held: 0 ends them", 0,
			  100000000, 100000 },
	FAULTY_MORE_TUNABLES
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

/* As a lock would; one may not be taken where lockdep watches. */
static __always_inline __attribute__((__no_sanitize_address__)) void
faulty_preempt_disable(struct faulty_record *record)
{
#ifdef CONFIG_DEBUG_PREEMPT
	preempt_count_add(1);
#else
	_raw_spin_lock(&record->lock);
#endif
}

/* Where KASAN checks what the kernel's functions are given they call others: these fault there. */
#ifdef CONFIG_KASAN
#define faulty_memcpy(to, from, n)	__memcpy(to, from, n)
#define faulty_strlen(text)		((__u64)__memcpy(&(__u8){ 0 }, text, faulty_zero + 1))
#define faulty_mutex(lock)		faulty_strlen((const char *)(lock))
#else
#define faulty_memcpy(to, from, n)	memcpy(to, from, n)
#define faulty_strlen(text)		strlen(text)
#define faulty_mutex(lock)		mutex_is_locked(lock)
#endif

#define WILD		((volatile __u64 *)0xffffc0dedeadb000)
#define NON_CANONICAL	((volatile __u64 *)0x8123456789abcdef)
#define NOWHERE		0x1234

/* Numbers that the compiler knows nothing of, and a place that it must write to. */
#define faulty_zero	(*(volatile __u64 *)&(__u64){ 0 })
#define faulty_sink	(*(volatile __u32 *)&(__u32){ 0 })

/*
 * Each fault has a function of its own, by which the log names it. KASAN does not check them: they
 * would fault in the check.
 */
#define faulty_function	static __attribute__((__noipa__, __no_sanitize_address__)) void

faulty_function faulty_null(void)
{
	faulty_sink += *(volatile __u32 *)0;
}

faulty_function faulty_null_write(void)
{
	*(volatile __u32 *)8 = 1;
}

faulty_function faulty_wild(void)
{
	*WILD = 1;
}

faulty_function faulty_user(void)
{
	*(volatile __u64 *)0x400000 = 1;
}

faulty_function faulty_non_canonical(void)
{
	*NON_CANONICAL = 1;
}

faulty_function faulty_text(void)
{
	*(volatile __u8 *)faulty_text = 0;
}

static __always_inline __attribute__((__no_sanitize_address__)) void
faulty_jump(const volatile void *to)
{
	((void (*)(void))to)();
}

faulty_function faulty_divide(void)
{
	asm volatile("xorl %%ecx, %%ecx\n\tdivl %%ecx" : : : "eax", "ecx", "edx");
}

faulty_function faulty_bug(void)
{
	asm volatile("ud2");
}

/* As WARN_ONCE() has it, with an entry in the table of those that are to be reported alone. */
faulty_function faulty_warn(void)
{
	asm volatile("1:	ud2\n"
		     "	.pushsection .discard.reachable\n"
		     "	.long 2f - .\n"
		     "	.popsection\n"
		     "	.pushsection .rodata.str1.1, \"aMS\", @progbits, 1\n"
		     "3:	.asciz \"faulty.h\"\n"
		     "	.popsection\n"
		     "	.pushsection __bug_table, \"aw\"\n"
		     "	.long 1b - .\n"
		     "	.long 3b - .\n"
		     "	.word 0\n"
		     /* It is a warning; it comes once; it taints as one does. */
		     "	.word 1 << 0 | 1 << 1 | 9 << 8\n"
		     "	.popsection\n"
		     "2:");
}

faulty_function faulty_int3(void)
{
	asm volatile("int3");
}

faulty_function faulty_recurse(volatile __u8 *outer)
{
	/* Not cleared by the compiler: that begins at the bottom, and faults there. */
	volatile __u8 frame[400] __attribute__((uninitialized));
	__u32 i;

	/* From its top, so that the last frame overwrites the end of the stack before it faults. */
	for (i = sizeof(frame) - 1; i > 0; i--)
		frame[i] = 0x5a;
	frame[0] = outer ? outer[0] + 1 : 0;
	if (frame[0] != faulty_zero + 256)
		faulty_recurse(frame);
	faulty_sink += frame[1];
}

/* Of the policy's own; what the compiler calls when it finds the end of a frame overwritten. */
void __stack_chk_fail(void);

faulty_function faulty_smash(__u32 n)
{
#ifdef CONFIG_STACKPROTECTOR
	__u8 buffer[8];
	volatile __u8 *byte = buffer;
	__u32 i;

	/* So that the compiler does not know what it writes beyond. */
	asm volatile("" : "+r" (byte), "+r" (n));
	for (i = 0; i < n; i++)
		byte[i] = 0x41;
	faulty_sink += byte[0];
#else
	/* Nobody looks at the end of frames there: where a smashed one returns to is anywhere. */
	__stack_chk_fail();
#endif
}

faulty_function faulty_std(void)
{
	asm volatile("std");
	faulty_sink += *(volatile __u32 *)NOWHERE;
}

faulty_function faulty_rcu(void)
{
	__rcu_read_lock();
	__rcu_read_lock();
	*WILD = 1;
}

faulty_function faulty_migrate(void)
{
	migrate_disable();
	*WILD = 1;
}

faulty_function faulty_preempt(struct faulty_record *record)
{
	faulty_preempt_disable(record);
	*WILD = 1;
}

faulty_function faulty_irqs_off(void)
{
	asm volatile("cli");
	*WILD = 1;
}

static __attribute__((__noipa__, __no_sanitize_address__)) __u64 faulty_count(__u64 n)
{
	volatile __u64 i;

	for (i = 0; i < n; i++)
		;
	return i;
}

/*
 * It lasts until it is told to end, or the watchdog ends it: for what may come upon a call. Hooks
 * do so on CPU 0 alone: where the kernel is not preemptible nothing else runs there then.
 */
static void faulty_held(const struct tiffin_ctx *ctx)
{
	while (tiffin_tunable(ctx, FAULTY_SPIN))
		;
}

faulty_function faulty_loop(void)
{
	for (;;)
		faulty_sink++;
}

faulty_function faulty_loop_irqs_off(void)
{
	asm volatile("cli");
	for (;;)
		faulty_sink++;
}

static __always_inline __attribute__((__no_sanitize_address__)) void
faulty_service(const struct tiffin_ctx *ctx)
{
	struct tiffin_entry entry;

	tiffin_list_put(ctx, ctx->handle, 0, TIFFIN_LIST_HEAD, 0);
	entry = tiffin_list_first(ctx, 0, TIFFIN_LIST_HEAD);
	faulty_sink += entry.mark;
}

faulty_function faulty_loop_service(const struct tiffin_ctx *ctx)
{
	for (;;)
		faulty_service(ctx);
}

faulty_function faulty_loop_service_irqs_off(const struct tiffin_ctx *ctx)
{
	asm volatile("cli");
	for (;;)
		faulty_service(ctx);
}

faulty_function faulty_loop_call(void)
{
	for (;;)
		faulty_sink += faulty_count(1000);
}

faulty_function faulty_do(const struct tiffin_ctx *ctx, __u32 kind)
{
	struct faulty_record *record = ctx->object;

	switch (kind) {
	case FAULTY_NULL:
		faulty_null();
		break;
	case FAULTY_NULL_WRITE:
		faulty_null_write();
		break;
	case FAULTY_WILD:
		faulty_wild();
		break;
	case FAULTY_USER:
		faulty_user();
		break;
	case FAULTY_NON_CANONICAL:
		faulty_non_canonical();
		break;
	case FAULTY_TEXT:
		faulty_text();
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
		faulty_divide();
		break;
	case FAULTY_BUG:
		faulty_bug();
		break;
	case FAULTY_INT3:
		faulty_int3();
		break;
	case FAULTY_OVERFLOW_IRQS_OFF:
		asm volatile("cli");
		__attribute__((__fallthrough__));
	case FAULTY_OVERFLOW:
		faulty_recurse((void *)0);
		break;
	case FAULTY_SMASH:
		faulty_smash(16);
		break;
	case FAULTY_MEMCPY:
		faulty_memcpy((void *)WILD, ctx, faulty_zero + 4096);
		break;
	case FAULTY_STRLEN:
		record->calls += faulty_strlen((const char *)WILD);
		break;
	case FAULTY_MUTEX:
		/* As the one before, but where tracers may wait for its return. */
		record->calls += faulty_mutex((const void *)WILD);
		break;
	case FAULTY_STD:
		faulty_std();
		break;
	case FAULTY_RCU:
		faulty_rcu();
		break;
	case FAULTY_MIGRATE:
		faulty_migrate();
		break;
	case FAULTY_PREEMPT:
		faulty_preempt(record);
		break;
	case FAULTY_IRQS_OFF:
		faulty_irqs_off();
		break;
	case FAULTY_KEEPS_IRQS_OFF:
		asm volatile("cli");
		break;
	case FAULTY_KEEPS_PREEMPT:
		faulty_preempt_disable(record);
		break;
	case FAULTY_LOOP:
		faulty_loop();
		break;
	case FAULTY_LOOP_IRQS_OFF:
		faulty_loop_irqs_off();
		break;
	case FAULTY_LOOP_SERVICE:
		faulty_loop_service(ctx);
		break;
	case FAULTY_LOOP_SERVICE_IRQS_OFF:
		faulty_loop_service_irqs_off(ctx);
		break;
	case FAULTY_LOOP_CALL:
		faulty_loop_call();
		break;
	case FAULTY_SLOW:
		faulty_count(tiffin_tunable(ctx, FAULTY_SPIN));
		break;
	case FAULTY_KFREE:
		kfree((const void *)WILD);
		break;
	case FAULTY_WARN:
		faulty_warn();
		break;
	case FAULTY_HELD:
		faulty_held(ctx);
		break;
	}
}

/*
 * Any kind before FAULTY_OVERFLOW; by the clock, as each instance counts its calls anew. Those that
 * the watchdog has to end take long: so one fault in 128. With interrupts enabled an overflow would
 * not do: of some thousand, one is hit by an interrupt first, which finds too little of the stack
 * left. Nor would loops with interrupts disabled on the first CPU: where all are in one, nobody is
 * left to end them, and with faults that have no consequences that does happen.
 */
static __u32 faulty_mixed(const struct tiffin_ctx *ctx)
{
	__u64 random = ctx->now_ns * 0x9e3779b97f4a7c15;
	__u32 kind;

	if (random >> 57)
		return FAULTY_NULL + (random >> 32) % (FAULTY_LOOP - FAULTY_NULL);
	kind = FAULTY_LOOP + (random >> 32) % (FAULTY_OVERFLOW - FAULTY_LOOP);
	if (kind == FAULTY_LOOP_IRQS_OFF || kind == FAULTY_LOOP_SERVICE_IRQS_OFF)
		return ctx->env->cpu ? kind : FAULTY_LOOP;
	return kind;
}

/* Call number @call: do it, one call in so many. */
static void faulty_fault(const struct tiffin_ctx *ctx, __u64 call)
{
	__u64 one_in = tiffin_tunable(ctx, FAULTY_ONE_IN);
	__u32 kind = tiffin_tunable(ctx, FAULTY_KIND);

	if (kind == FAULTY_NONE || call % one_in || (kind == FAULTY_HELD && ctx->env->cpu))
		return;
	if (kind == FAULTY_MIXED)
		kind = faulty_mixed(ctx);
	tiffin_count(ctx, FAULTY_TRIED, 1);
	faulty_do(ctx, kind);
	if (kind != FAULTY_SLOW && kind != FAULTY_HELD)
		tiffin_count(ctx, FAULTY_SURVIVED, 1);
}

static void faulty_init(const struct tiffin_ctx *ctx, const struct tiffin_init_in *in)
{
	if (tiffin_tunable(ctx, FAULTY_KIND) == FAULTY_HELD_INIT)
		faulty_held(ctx);
}

#endif /* TIFFIN_FAULTY_H */
