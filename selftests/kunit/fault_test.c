// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose is an exception that the kernel has no use for? It asks its die notifiers. Here the test
 * asks them, in the middle of a call, with registers that it has made up.
 */
#include <linux/irqflags.h>
#include <linux/kdebug.h>
#include <linux/preempt.h>

#include <asm/ptrace.h>
#include <asm/trapnr.h>

#include "compat/symbol.h"
#include "core/fault.h"
#include "guard_lab.h"

/* No policy's. */
#define ELSEWHERE	0xffffffff81000000UL

/**
 * struct fault_question - what the notifiers are asked
 * @what: of the question, in words
 * @why: the kernel asks
 * @str: how it calls the exception
 * @trap: its number
 * @own: it came in the policy's text
 * @taken: it ends the call, which is said to be for this; NULL: it does not
 * @forgotten: the kernel ends who made the call
 */
struct fault_question {
	const char *what;
	enum die_val why;
	const char *str;
	int trap;
	bool own;
	const char *taken;
	bool forgotten;
};

/**
 * struct fault_answer - what came of it
 * @said: by the notifiers
 * @others: that were asked after the guard
 * @irqs_off: interrupts were disabled then
 * @noted: why the call ends
 * @regs: what the exception would have returned to
 * @frame: the call
 * @cursor: of the CPU then
 */
struct fault_answer {
	int said;
	unsigned int others;
	bool irqs_off;
	const char *noted;
	struct pt_regs regs;
	struct tiffin_guard_frame *frame;
	struct tiffin_guard_frame *cursor;
};

/* notify_die(), which the kernel does not export. */
static int (*fault_notify)(enum die_val why, const char *str, struct pt_regs *regs, long error,
			   int trap, int signal);

static unsigned int fault_others;

static int fault_other(struct notifier_block *block, unsigned long why, void *data)
{
	fault_others++;
	return NOTIFY_DONE;
}

/* One that wants to be asked early, too. */
static struct notifier_block fault_other_block = {
	.notifier_call = fault_other,
	.priority = INT_MAX - 2,
};

static void fault_asks(const struct tiffin_ctx *ctx, const void *in, void *out)
{
	const struct fault_question *question = in;
	struct fault_answer *answer = out;
	/* Right below the registers of an exception lies the way back of its handler: not here. */
	struct {
		unsigned long stack[2];
		struct pt_regs regs;
	} at = {
		.regs.ip = question->own ? (unsigned long)fault_asks : ELSEWHERE,
		.regs.cs = __KERNEL_CS,
		.regs.flags = X86_EFLAGS_FIXED | X86_EFLAGS_IF | X86_EFLAGS_DF | X86_EFLAGS_AC,
		.regs.sp = (unsigned long)at.stack,
	};
	struct tiffin_fault *fault;

	fault_others = 0;
	answer->frame = this_cpu_read(tiffin_guard_cursor);
	answer->said = fault_notify(question->why, question->str, &at.regs, 0, question->trap, 0);
	answer->irqs_off = irqs_disabled();
	answer->cursor = this_cpu_read(tiffin_guard_cursor);
	/* Nothing lands. */
	fault = answer->irqs_off ? tiffin_fault_noted(answer->frame) : NULL;
	answer->noted = fault ? fault->what : NULL;
	if (answer->irqs_off)
		local_irq_enable();
	answer->others = fault_others;
	answer->regs = at.regs;
}

static void fault_expect(struct kunit *test, const struct fault_question *question,
			 const struct fault_answer *answer)
{
	const char *what = question->what;
	bool taken = question->taken;

	KUNIT_EXPECT_EQ_MSG(test, !!(answer->said & NOTIFY_STOP_MASK), taken, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, answer->others, !taken, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, answer->irqs_off, taken, "%s", what);
	KUNIT_EXPECT_PTR_EQ_MSG(test, answer->cursor, question->forgotten ? NULL : answer->frame,
				"%s", what);
	if (taken) {
		KUNIT_EXPECT_STREQ_MSG(test, answer->noted ?: "", question->taken, "%s", what);
		KUNIT_EXPECT_EQ_MSG(test, answer->regs.ip, (unsigned long)tiffin_guard_landing,
				    "%s", what);
		KUNIT_EXPECT_EQ_MSG(test, answer->regs.sp, (unsigned long)answer->frame, "%s",
				    what);
		KUNIT_EXPECT_EQ_MSG(test, answer->regs.flags, X86_EFLAGS_FIXED, "%s", what);
	} else {
		KUNIT_EXPECT_EQ_MSG(test, answer->regs.ip,
				    question->own ? (unsigned long)fault_asks : ELSEWHERE, "%s",
				    what);
	}
}

static const struct fault_question fault_questions[] = {
	{ "a trap", DIE_TRAP, "divide error", X86_TRAP_DE, .own = true,
	  .taken = "division error" },
	{ "a trap elsewhere", DIE_TRAP, "divide error", X86_TRAP_DE },
	{ "a general protection", DIE_GPF, "general protection fault", X86_TRAP_GP,
	  .own = true, .taken = "general protection fault" },
	{ "a general protection elsewhere", DIE_GPF, "general protection fault", X86_TRAP_GP },
	{ "a breakpoint", DIE_INT3, "int3", X86_TRAP_BP, .own = true, .taken = "breakpoint" },
	{ "no exception", DIE_CALL, "call", X86_TRAP_DE, .own = true },
	/*
	 * A page fault is asked about here where nothing has caught it before; the number is of an
	 * earlier exception.
	 */
	{ "a page fault", DIE_OOPS, "Oops", X86_TRAP_DE, .own = true, .taken = "page fault" },
	/* From there on the kernel ends who it met. */
	{ "a page fault elsewhere", DIE_OOPS, "Oops", X86_TRAP_PF, .forgotten = true },
	/* The kernel has asked about these before, and has reported them. */
	{ "the end of another", DIE_OOPS, "double fault", X86_TRAP_DF, .own = true,
	  .forgotten = true },
	/* Not from the handler of one, which could not be left. */
	{ "an overflow", DIE_TRAP, "double fault", X86_TRAP_DF, .own = true },
};

static void fault_is_told_from_the_kernels(struct kunit *test)
{
	const struct fault_question *question;
	enum tiffin_entered entered;
	struct fault_answer answer;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fault_questions); i++) {
		question = &fault_questions[i];
		answer = (struct fault_answer) {};
		preempt_disable();
		entered = guard_call(fault_asks, question, &answer);
		preempt_enable();
		KUNIT_EXPECT_EQ_MSG(test, entered, TIFFIN_ENTERED, "%s", question->what);
		KUNIT_EXPECT_NOT_NULL(test, answer.frame);
		fault_expect(test, question, &answer);
	}
}

/* A policy's text is called, but not through the guard: who knows by whom. */
static void fault_outside_a_call(struct kunit *test)
{
	static const struct fault_question question = {
		"outside a call", DIE_TRAP, "divide error", X86_TRAP_DE, .own = true,
	};
	struct fault_answer answer = {};

	preempt_disable();
	fault_asks(&guard_ctx, &question, &answer);
	preempt_enable();
	KUNIT_EXPECT_NULL(test, answer.frame);
	fault_expect(test, &question, &answer);
}

/* This kernel has been told to panic on an oops: what the operator wants holds at once. */
static void fault_contained_where_wanted(struct kunit *test)
{
	static const struct fault_question questions[] = {
		{ "not wanted", DIE_TRAP, "divide error", X86_TRAP_DE, .own = true },
		{ "wanted", DIE_TRAP, "divide error", X86_TRAP_DE, .own = true,
		  .taken = "division error" },
	};
	enum tiffin_entered entered;
	struct fault_answer answer;
	int wanted;

	for (wanted = 0; wanted < 2; wanted++) {
		answer = (struct fault_answer) {};
		tiffin_guard_set_contain(wanted);
		preempt_disable();
		entered = guard_call(fault_asks, &questions[wanted], &answer);
		preempt_enable();
		KUNIT_EXPECT_EQ(test, entered, TIFFIN_ENTERED);
		fault_expect(test, &questions[wanted], &answer);
	}
}

static void fault_reads_nowhere(const struct tiffin_ctx *ctx, const void *in, void *out)
{
	READ_ONCE(*(const int *)in);
}

/* It ends the call before the kernel reports it: that would be found in the log. */
static void fault_of_a_page(struct kunit *test)
{
	enum tiffin_entered entered;

	preempt_disable();
	entered = guard_call(fault_reads_nowhere, (const void *)8, NULL);
	preempt_enable();
	KUNIT_EXPECT_EQ(test, entered, TIFFIN_ENTER_FAULTED);
	LAB_EXPECT_SAYS(test, guard_policy->why, "page fault at fault_reads_nowhere");
}

static int fault_test_init(struct kunit *test)
{
	fault_notify = tiffin_symbol("notify_die");
	return !fault_notify ? -ENOENT : guard_test_init(test) ?:
	       register_die_notifier(&fault_other_block);
}

static void fault_test_exit(struct kunit *test)
{
	unregister_die_notifier(&fault_other_block);
	guard_test_exit(test);
}

static struct kunit_case fault_cases[] = {
	KUNIT_CASE(fault_is_told_from_the_kernels),
	KUNIT_CASE(fault_outside_a_call),
	KUNIT_CASE(fault_contained_where_wanted),
	KUNIT_CASE(fault_of_a_page),
	{}
};

static struct kunit_suite fault_suite = {
	.name = "fault",
	.init = fault_test_init,
	.exit = fault_test_exit,
	.test_cases = fault_cases,
};
kunit_test_suite(fault_suite);
