// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guard on the processor it is made for: calls that return, and calls that are ended.
 */
#include <linux/irqflags.h>
#include <linux/linkage.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched/task_stack.h>

#include <asm/trapnr.h>

#include "core/fault.h"
#include "core/guard.h"
#include "core/quarantine.h"
#include "guard_lab.h"

/**
 * struct guard_seen - what a function that was called through the guard saw
 * @ctx: its argument
 * @in: likewise
 * @cursor: of the CPU
 * @inner: what the call that it made itself returned
 * @after: the cursor after that
 */
struct guard_seen {
	const struct tiffin_ctx *ctx;
	const void *in;
	struct tiffin_guard_frame *cursor;
	enum tiffin_entered inner;
	struct tiffin_guard_frame *after;
};

static void guard_returns(const struct tiffin_ctx *ctx, const void *in, void *out)
{
	struct guard_seen *seen = out;

	seen->ctx = ctx;
	seen->in = in;
	seen->cursor = this_cpu_read(tiffin_guard_cursor);
}

static void guard_faults(const struct tiffin_ctx *ctx, const void *in, void *out)
{
	guard_trap();
}

/* A call like this one may come while another is under way: in an interrupt. */
static void guard_nests(const struct tiffin_ctx *ctx, const void *in, void *out)
{
	struct guard_seen *seen = out;

	seen->cursor = this_cpu_read(tiffin_guard_cursor);
	seen->inner = guard_call(guard_faults, in, out);
	seen->after = this_cpu_read(tiffin_guard_cursor);
}

static void guard_returns_what_happened(struct kunit *test)
{
	struct tiffin_guard_frame *before, *after;
	enum tiffin_entered returned, ended;
	struct guard_seen seen = {};

	preempt_disable();
	before = this_cpu_read(tiffin_guard_cursor);
	returned = guard_call(guard_returns, test, &seen);
	after = this_cpu_read(tiffin_guard_cursor);
	ended = guard_call(guard_faults, test, NULL);
	preempt_enable();
	KUNIT_EXPECT_EQ(test, returned, TIFFIN_ENTERED);
	KUNIT_EXPECT_EQ(test, ended, TIFFIN_ENTER_FAULTED);
	KUNIT_EXPECT_NULL(test, before);
	KUNIT_EXPECT_NULL(test, after);
	KUNIT_EXPECT_PTR_EQ(test, seen.ctx, &guard_ctx);
	KUNIT_EXPECT_PTR_EQ(test, seen.in, (const void *)test);
	KUNIT_EXPECT_NOT_NULL(test, seen.cursor);
}

/*
 * guard_registers(ctx, in, out, fn, policy, task): the call, with a number in each register that
 * has to be kept; returns how many are not.
 */
asmlinkage unsigned long guard_registers(const struct tiffin_ctx *ctx, const void *in, void *out,
					 guard_fn fn, struct tiffin_loaded *policy, u64 task);
asm(".text\n"
	".type guard_registers, @function\n"
	"guard_registers:\n"
	"	push %rbp\n	push %rbx\n	push %r12\n	push %r13\n	push %r14\n	push %r15\n"
	"	mov $0x101, %ebp\n	mov $0x102, %ebx\n	mov $0x103, %r12d\n"
	"	mov $0x104, %r13d\n	mov $0x105, %r14d\n	mov $0x106, %r15d\n"
	"	call tiffin_guard_call\n"
	"	xor %eax, %eax\n"
	"	cmp $0x101, %rbp\n	je 1f\n	inc %eax\n1:	cmp $0x102, %rbx\n	je 1f\n	inc %eax\n"
	"1:	cmp $0x103, %r12\n	je 1f\n	inc %eax\n1:	cmp $0x104, %r13\n	je 1f\n	inc %eax\n"
	"1:	cmp $0x105, %r14\n	je 1f\n	inc %eax\n1:	cmp $0x106, %r15\n	je 1f\n	inc %eax\n"
	"1:	pop %r15\n	pop %r14\n	pop %r13\n	pop %r12\n	pop %rbx\n	pop %rbp\n"
	ASM_RET
	".size guard_registers, . - guard_registers\n");

/* Nothing in the registers is as the caller left it when the fault comes. */
static void guard_faults_empty(const struct tiffin_ctx *ctx, const void *in, void *out)
{
	asm volatile("xor %%ebx, %%ebx\n\txor %%r12d, %%r12d\n\txor %%r13d, %%r13d\n\t"
		     "xor %%r14d, %%r14d\n\txor %%r15d, %%r15d\n\t" GUARD_TRAP
		     : : : "eax", "ecx", "edx", "rbx", "r12", "r13", "r14", "r15");
}

static void guard_keeps_registers(struct kunit *test)
{
	unsigned long returned, ended;
	struct guard_seen seen = {};
	u64 task;

	preempt_disable();
	task = tiffin_guard_task();
	returned = guard_registers(&guard_ctx, test, &seen, guard_returns, guard_policy, task);
	ended = guard_registers(&guard_ctx, test, &seen, guard_faults_empty, guard_policy, task);
	preempt_enable();
	KUNIT_EXPECT_EQ(test, returned, 0);
	KUNIT_EXPECT_EQ(test, ended, 0);
}

static void guard_nested_call_leaves_the_outer(struct kunit *test)
{
	struct tiffin_guard_frame *after;
	struct guard_seen seen = {};
	enum tiffin_entered outer;

	preempt_disable();
	outer = guard_call(guard_nests, test, &seen);
	after = this_cpu_read(tiffin_guard_cursor);
	preempt_enable();
	KUNIT_EXPECT_EQ(test, seen.inner, TIFFIN_ENTER_FAULTED);
	KUNIT_EXPECT_PTR_EQ(test, seen.after, seen.cursor);
	KUNIT_EXPECT_EQ(test, outer, TIFFIN_ENTERED);
	KUNIT_EXPECT_NULL(test, after);
	KUNIT_EXPECT_TRUE(test, tiffin_quarantined(guard_policy));
}

/* Each of these is left other than it was found. */
static void guard_faults_untidy(const struct tiffin_ctx *ctx, const void *in, void *out)
{
	preempt_disable();
	migrate_disable();
	__rcu_read_lock();
	__rcu_read_lock();
	if (irqs_disabled())
		local_irq_enable();
	else
		local_irq_disable();
	asm volatile("std\n\t" GUARD_TRAP "cld" : : : "eax", "ecx", "edx");
}

/* What is to be the same before and after. */
struct guard_state {
	unsigned long flags;
	int preempt;
	int rcu;
	unsigned int migration;
};

static struct guard_state guard_state(void)
{
	struct guard_state state = {
		.flags = arch_local_save_flags() &
			 (X86_EFLAGS_IF | X86_EFLAGS_DF | X86_EFLAGS_AC),
		.preempt = preempt_count(),
	};

#ifdef CONFIG_PREEMPT_RCU
	state.rcu = current->rcu_read_lock_nesting;
#endif
#ifdef CONFIG_SMP
	state.migration = current->migration_disabled;
#endif
	return state;
}

/* For what comes after a test that has failed. */
static void guard_restore(const struct guard_state *state)
{
	preempt_count_set(state->preempt);
#ifdef CONFIG_PREEMPT_RCU
	while (current->rcu_read_lock_nesting > state->rcu)
		__rcu_read_unlock();
#endif
#ifdef CONFIG_SMP
	while (current->migration_disabled > state->migration)
		migrate_enable();
#endif
	if (state->flags & X86_EFLAGS_IF)
		local_irq_enable();
	else
		local_irq_disable();
}

/* As the call is found: with interrupts, or without; within read sides, or not. */
static void guard_expect_repaired(struct kunit *test, bool irqs, bool inside, guard_fn fn)
{
	struct guard_state before, after;
	enum tiffin_entered entered;

	if (inside) {
		migrate_disable();
		__rcu_read_lock();
	}
	preempt_disable();
	if (!irqs)
		local_irq_disable();
	before = guard_state();
	entered = guard_call(fn, test, NULL);
	after = guard_state();
	guard_restore(&before);
	if (!irqs)
		local_irq_enable();
	preempt_enable();
	if (inside) {
		__rcu_read_unlock();
		migrate_enable();
	}
	KUNIT_EXPECT_EQ(test, entered, TIFFIN_ENTER_FAULTED);
	KUNIT_EXPECT_EQ(test, before.flags, irqs ? X86_EFLAGS_IF : 0);
	KUNIT_EXPECT_EQ(test, after.flags, before.flags);
	KUNIT_EXPECT_EQ(test, after.preempt, before.preempt);
	KUNIT_EXPECT_EQ(test, after.rcu, before.rcu);
	KUNIT_EXPECT_EQ(test, after.migration, before.migration);
	/* Something waits for the read sides to end. */
	synchronize_rcu();
}

static void guard_repairs_the_cpu(struct kunit *test)
{
	guard_expect_repaired(test, true, false, guard_faults_untidy);
	guard_expect_repaired(test, false, false, guard_faults_untidy);
	guard_expect_repaired(test, true, true, guard_faults_untidy);
}

#ifdef CONFIG_KASAN_STACK
#define GUARD_DEPTH	10

/* Farther down the stack than what is called when it has faulted. */
static noinline void guard_faults_deep(char **deepest, int depth)
{
	char variable[256];

	OPTIMIZER_HIDE_VAR(depth);
	memset(variable, depth, sizeof(variable));
	*deepest = variable;
	if (!depth)
		guard_trap();
	else
		guard_faults_deep(deepest, depth - 1);
	barrier_data(variable);
}

static void guard_faults_with_variables(const struct tiffin_ctx *ctx, const void *in, void *out)
{
	guard_faults_deep(out, GUARD_DEPTH);
}

/* KASAN fails the test where it finds that what lies around the variable is not to be read. */
static void guard_leaves_no_poison(struct kunit *test)
{
	enum tiffin_entered entered;
	char *variable = NULL;

	preempt_disable();
	entered = guard_call(guard_faults_with_variables, test, &variable);
	preempt_enable();
	KUNIT_EXPECT_EQ(test, entered, TIFFIN_ENTER_FAULTED);
	KUNIT_ASSERT_NOT_NULL(test, variable);
	READ_ONCE(variable[-1]);
	READ_ONCE(variable[256]);
}
#endif

/* These return. */
static void guard_turns_irqs(const struct tiffin_ctx *ctx, const void *in, void *out)
{
	if (irqs_disabled())
		local_irq_enable();
	else
		local_irq_disable();
}

static void guard_keeps_preemption_off(const struct tiffin_ctx *ctx, const void *in, void *out)
{
	preempt_disable();
}

/* Not by the instructions that are for this alone: objtool would know. */
static void guard_set_flag(unsigned long flag)
{
	asm volatile("push %0\n\tpopf" : : "r" (arch_local_save_flags() | flag) : "memory", "cc");
}

/* As if the watchdog had met a function that this one has called. */
static noinline void guard_is_sent_back(const struct tiffin_ctx *ctx, const void *in, void *out)
{
	unsigned long *frame = __builtin_frame_address(0);

	WRITE_ONCE(frame[1], (unsigned long)tiffin_guard_return);
	guard_set_flag(X86_EFLAGS_AC | X86_EFLAGS_DF);
}

static void guard_turns_strings_round(const struct tiffin_ctx *ctx, const void *in, void *out)
{
	guard_set_flag(X86_EFLAGS_DF);
}

static void guard_lets_user_memory_in(const struct tiffin_ctx *ctx, const void *in, void *out)
{
	guard_set_flag(X86_EFLAGS_AC);
}

static void guard_wants_to_schedule(const struct tiffin_ctx *ctx, const void *in, void *out)
{
	set_preempt_need_resched();
}

static void guard_notices_what_is_kept(struct kunit *test)
{
	enum tiffin_entered resched;
	bool wanted;

	guard_expect_repaired(test, true, false, guard_turns_irqs);
	KUNIT_EXPECT_TRUE(test, tiffin_quarantined(guard_policy));
	guard_expect_repaired(test, false, false, guard_turns_irqs);
	guard_expect_repaired(test, true, false, guard_keeps_preemption_off);
	guard_expect_repaired(test, true, false, guard_turns_strings_round);
	guard_expect_repaired(test, false, false, guard_lets_user_memory_in);
	guard_expect_repaired(test, true, false, guard_is_sent_back);
	guard_expect_repaired(test, false, false, guard_is_sent_back);
	/* What an interrupt may do meanwhile is not the policy's doing. */
	local_irq_disable();
	wanted = test_preempt_need_resched();
	clear_preempt_need_resched();
	resched = guard_call(guard_wants_to_schedule, test, NULL);
	if (!wanted)
		clear_preempt_need_resched();
	local_irq_enable();
	KUNIT_EXPECT_EQ(test, resched, TIFFIN_ENTERED);
}

/* A fault is no reason to forget what an interrupt has asked for. */
static void guard_faults_wanting(const struct tiffin_ctx *ctx, const void *in, void *out)
{
	set_preempt_need_resched();
	guard_trap();
}

static void guard_keeps_the_wish_to_schedule(struct kunit *test)
{
	enum tiffin_entered entered;
	bool before, after;

	local_irq_disable();
	before = test_preempt_need_resched();
	clear_preempt_need_resched();
	entered = guard_call(guard_faults_wanting, test, NULL);
	after = test_preempt_need_resched();
	if (!before)
		clear_preempt_need_resched();
	local_irq_enable();
	KUNIT_EXPECT_EQ(test, entered, TIFFIN_ENTER_FAULTED);
	KUNIT_EXPECT_TRUE(test, after);
}

/* C4, also where nobody has noted why. */
static void guard_quarantines_without_a_note(struct kunit *test)
{
	enum tiffin_entered entered;

	preempt_disable();
	entered = guard_call(guard_is_sent_back, test, NULL);
	preempt_enable();
	KUNIT_EXPECT_EQ(test, entered, TIFFIN_ENTER_FAULTED);
	KUNIT_EXPECT_TRUE(test, tiffin_quarantined(guard_policy));
}

/* What of a call that was ended is remembered is that call's. */
static void guard_notes_are_of_their_call(struct kunit *test)
{
	struct tiffin_guard_frame outer = {}, inner = {};
	struct pt_regs regs = { .ip = 1234 };
	struct tiffin_fault *first, *outers, *again;
	unsigned long ip = 0;

	local_irq_disable();
	tiffin_fault_note(&outer, "outer", 0, 0, &regs);
	regs.ip = 5678;
	tiffin_fault_note(&inner, "inner", 0, 0, &regs);
	outers = tiffin_fault_noted(&outer);
	first = tiffin_fault_noted(&inner);
	if (first)
		ip = first->regs.ip;
	again = tiffin_fault_noted(&inner);
	local_irq_enable();
	KUNIT_EXPECT_NULL(test, outers);
	KUNIT_ASSERT_NOT_NULL(test, first);
	KUNIT_EXPECT_EQ(test, ip, 5678);
	KUNIT_EXPECT_NULL(test, again);
}

/* A stack, from its top: the frame, the word below it, and what a policy has put there. */
#define STACK_WORDS	16
#define TEXT		0xffffffffc1230000UL
#define TEXT_SIZE	0x1000UL
#define ELSEWHERE	0xffffffff81000000UL
#define NON_CANONICAL	0x8123456789abcdefUL

/* As text: a return, and what is none. */
static const u8 guard_return[] = { 0xc3 }, guard_no_return[] = { 0x90 };

static void guard_tells_whose_fault_it_is(struct kunit *test)
{
	struct tiffin_loaded *policy = kunit_kzalloc(test, sizeof(*policy), GFP_KERNEL);
	struct {
		unsigned long word[STACK_WORDS];
		struct tiffin_guard_frame frame;
	} stack = {};
	unsigned long *word = stack.word, text;
	struct pt_regs regs = {};

	KUNIT_ASSERT_NOT_NULL(test, policy);
	policy->text = TEXT;
	policy->text_size = TEXT_SIZE;
	stack.frame.policy = policy;
#define AT_RETURN	((unsigned long)guard_return)
#define EXPECT_IS(_is, _ip, _at, _trap) do {							\
	regs.ip = (_ip);									\
	regs.sp = (unsigned long)&word[_at];							\
	KUNIT_EXPECT_EQ(test, tiffin_fault_is(&stack.frame, &regs, _trap), _is);		\
} while (0)
	EXPECT_IS(true, TEXT, 3, X86_TRAP_PF);
	EXPECT_IS(true, TEXT + TEXT_SIZE - 1, 3, X86_TRAP_PF);
	EXPECT_IS(true, TEXT, 3, X86_TRAP_DF);
	EXPECT_IS(false, TEXT - 1, 3, X86_TRAP_PF);
	EXPECT_IS(false, TEXT + TEXT_SIZE, 3, X86_TRAP_PF);
	/* A function that the policy has called, at its first instruction, and further on. */
	word[3] = TEXT + 5;
	EXPECT_IS(true, ELSEWHERE, 3, X86_TRAP_PF);
	EXPECT_IS(false, ELSEWHERE, 2, X86_TRAP_PF);
	EXPECT_IS(false, ELSEWHERE, 1, X86_TRAP_GP);
	/* It took so long that the watchdog has it return to the guard. */
	word[3] = (unsigned long)tiffin_guard_return;
	EXPECT_IS(true, ELSEWHERE, 3, X86_TRAP_PF);
	EXPECT_IS(false, ELSEWHERE, 2, X86_TRAP_PF);
	/* What the guard's call left lies at the top of the stack, and nothing else is there. */
	word[3] = (unsigned long)tiffin_guard_returned;
	EXPECT_IS(false, ELSEWHERE, 3, X86_TRAP_PF);
	word[STACK_WORDS - 1] = TEXT + 5;
	EXPECT_IS(false, ELSEWHERE, STACK_WORDS - 1, X86_TRAP_PF);
	word[STACK_WORDS - 1] = (unsigned long)tiffin_guard_return;
	EXPECT_IS(false, ELSEWHERE, STACK_WORDS - 1, X86_TRAP_PF);
	word[3] = TEXT + 5;
	/* At the end of the stack there is nothing to be read. */
	EXPECT_IS(false, ELSEWHERE, 3, X86_TRAP_DF);
	/* A general protection may come one word below, in the return that stands for a jump. */
	word[2] = NON_CANONICAL;
	EXPECT_IS(true, AT_RETURN, 2, X86_TRAP_GP);
	EXPECT_IS(false, AT_RETURN, 2, X86_TRAP_PF);
	EXPECT_IS(false, AT_RETURN, 1, X86_TRAP_GP);
	/* A function that has put one word there is none. */
	EXPECT_IS(false, (unsigned long)guard_no_return, 2, X86_TRAP_GP);
	EXPECT_IS(false, NON_CANONICAL, 2, X86_TRAP_GP);
	word[2] = ELSEWHERE;
	EXPECT_IS(false, AT_RETURN, 2, X86_TRAP_GP);
	word[2] = NON_CANONICAL;
	word[3] = ELSEWHERE;
	EXPECT_IS(false, ELSEWHERE, 3, X86_TRAP_PF);
	EXPECT_IS(false, AT_RETURN, 2, X86_TRAP_GP);
	/* The jump that ends the policy's function. */
	word[STACK_WORDS - 2] = NON_CANONICAL;
	word[STACK_WORDS - 1] = (unsigned long)tiffin_guard_returned;
	EXPECT_IS(true, 0, STACK_WORDS - 1, X86_TRAP_PF);
	EXPECT_IS(true, AT_RETURN, STACK_WORDS - 2, X86_TRAP_GP);
	EXPECT_IS(false, 0, STACK_WORDS - 2, X86_TRAP_PF);
	/* A tracer waits for the end of what it jumped to. */
	word[STACK_WORDS - 1] = ELSEWHERE;
	EXPECT_IS(false, ELSEWHERE, STACK_WORDS - 1, X86_TRAP_PF);
	EXPECT_IS(false, AT_RETURN, STACK_WORDS - 2, X86_TRAP_GP);
	/* Above the last word stands the frame: a policy's address means nothing there. */
	word[STACK_WORDS - 1] = NON_CANONICAL;
	stack.frame.outer = (void *)TEXT;
	EXPECT_IS(false, AT_RETURN, STACK_WORDS - 1, X86_TRAP_GP);
	/* A stack on which words do not begin where they should is not as a call left it. */
	text = TEXT + 5;
	memcpy((void *)&word[5] + 4, &text, sizeof(text));
	regs.ip = ELSEWHERE;
	regs.sp = (unsigned long)&word[5] + 4;
	KUNIT_EXPECT_FALSE(test, tiffin_fault_is(&stack.frame, &regs, X86_TRAP_PF));
#undef EXPECT_IS
#undef AT_RETURN
}

/* The call that is found where the stack is at @sp while there is one at @at: neither is read. */
static struct tiffin_guard_frame *guard_found(unsigned long at, unsigned long sp, unsigned long cs)
{
	struct pt_regs regs = { .cs = cs, .sp = sp };
	struct tiffin_guard_frame *found;

	local_irq_disable();
	this_cpu_write(tiffin_guard_cursor, (struct tiffin_guard_frame *)at);
	found = tiffin_fault_frame(&regs);
	this_cpu_write(tiffin_guard_cursor, NULL);
	local_irq_enable();
	return found;
}

static void guard_finds_only_calls_of_this_stack(struct kunit *test)
{
	unsigned long begin = (unsigned long)task_stack_page(current), end = begin + THREAD_SIZE;
	/* An interrupt's stack, wherever it may be. */
	unsigned long other = begin - 8 * THREAD_SIZE;

#define EXPECT_FOUND(_at, _sp) \
	KUNIT_EXPECT_PTR_EQ(test, guard_found(_at, _sp, __KERNEL_CS), (void *)(_at))
#define EXPECT_NONE(_at, _sp) \
	KUNIT_EXPECT_NULL(test, guard_found(_at, _sp, __KERNEL_CS))
	EXPECT_NONE(0UL, end - 512);
	EXPECT_FOUND(end - 256, end - 512);
	EXPECT_FOUND(end - 256, begin);
	EXPECT_NONE(end - 256, end - 256);
	EXPECT_NONE(end - 256, end - 248);
	KUNIT_EXPECT_NULL(test, guard_found(end - 256, end - 512, __USER_CS));
	/* An overflow, also by a function that takes most of the stack. */
	EXPECT_FOUND(begin + 256, begin - 256);
	EXPECT_FOUND(end - 256, begin - 2048);
	/* Stacks may lie next to one another. */
	EXPECT_NONE(begin + 256, begin - PAGE_SIZE - 8);
	EXPECT_NONE(end + 256, end - 256);
	EXPECT_FOUND(other, other - 256);
	EXPECT_FOUND(other, other - THREAD_SIZE - PAGE_SIZE);
	EXPECT_NONE(other, other - THREAD_SIZE - PAGE_SIZE - 8);
#undef EXPECT_NONE
#undef EXPECT_FOUND
}

static unsigned int guard_entered;

static void guard_hook_faults(struct lab *lab, const struct tiffin_ctx *ctx)
{
	guard_entered++;
	guard_trap();
}

/* The rescue has brought this policy back. */
static bool guard_wait_active(struct lab *lab, const char *name)
{
	int i;

	for (i = 0; i < 500 && strcmp(lab_active(lab), name); i++)
		msleep(20);
	return !strcmp(lab_active(lab), name) && lab_wait_stable(lab);
}

/* D5: the record that the call had begins anew, and no other. */
static void guard_drops_one_record(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;
	u32 object;

	EXPECT_SWAP(test, "beta");
	for (object = 0; object < 3; object++) {
		lab_ask(lab, LAB_ASK, object, &out);
		lab_ask(lab, LAB_ASK, object, &out);
		KUNIT_EXPECT_EQ(test, out.object_calls, 2);
	}
	EXPECT_SWAP(test, "alpha");
	guard_entered = 0;
	lab->in_hook = guard_hook_faults;
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 1, &out), TIFFIN_CONTINUITY);
	/* Whether or not another policy is active by now: this one is not entered. */
	lab->in_hook = NULL;
	KUNIT_EXPECT_TRUE(test, guard_wait_active(lab, "beta"));
	KUNIT_EXPECT_EQ(test, guard_entered, 1);
	for (object = 0; object < 3; object++) {
		KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, object, &out), TIFFIN_ANSWERED);
		KUNIT_EXPECT_EQ(test, out.object_calls, object == 1 ? 1 : 3);
	}
	LAB_EXPECT_ACCOUNTS(test, lab);
}

/* Q2: however long it takes until another policy is active. */
static void guard_quarantine_is_not_entered(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct lab_out out;
	int i;

	lab->in_hook = guard_hook_faults;
	guard_entered = 0;
	/* The rescue has to wait. */
	mutex_lock(&lab->family.scope->swap.lock);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 1, &out), TIFFIN_CONTINUITY);
	KUNIT_EXPECT_EQ(test, guard_entered, 1);
	KUNIT_EXPECT_EQ(test, lab_figures(lab).continuity_fault, 10);
	KUNIT_EXPECT_STREQ(test, lab_active(lab), "alpha");
	mutex_unlock(&lab->family.scope->swap.lock);
	KUNIT_EXPECT_TRUE(test, guard_wait_active(lab, TIFFIN_DEFAULT_NAME));
	KUNIT_EXPECT_EQ(test, lab_ask(lab, LAB_ASK, 1, &out), TIFFIN_DEFAULT);
	KUNIT_EXPECT_EQ(test, lab_swap(lab, "alpha"), -ENOTRECOVERABLE);
}

static struct kunit_case guard_cases[] = {
	KUNIT_CASE(guard_returns_what_happened),
	KUNIT_CASE(guard_keeps_registers),
	KUNIT_CASE(guard_nested_call_leaves_the_outer),
	KUNIT_CASE(guard_repairs_the_cpu),
#ifdef CONFIG_KASAN_STACK
	KUNIT_CASE(guard_leaves_no_poison),
#endif
	KUNIT_CASE(guard_notices_what_is_kept),
	KUNIT_CASE(guard_keeps_the_wish_to_schedule),
	KUNIT_CASE(guard_quarantines_without_a_note),
	KUNIT_CASE(guard_notes_are_of_their_call),
	KUNIT_CASE(guard_tells_whose_fault_it_is),
	KUNIT_CASE(guard_finds_only_calls_of_this_stack),
	KUNIT_CASE(guard_drops_one_record),
	KUNIT_CASE(guard_quarantine_is_not_entered),
	{}
};

static struct kunit_suite guard_suite = {
	.name = "guard",
	.init = guard_test_init,
	.exit = guard_test_exit,
	.test_cases = guard_cases,
};
kunit_test_suite(guard_suite);
