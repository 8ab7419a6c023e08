/* SPDX-License-Identifier: GPL-2.0-only */
/* Ending a call into a policy from outside: in an exception, a timer's interrupt, an NMI. */
#ifndef TIFFIN_CORE_FAULT_H
#define TIFFIN_CORE_FAULT_H

#include <linux/ptrace.h>
#include <linux/types.h>

#include "core/guard.h"

/* Of guard_entry.S: where execution goes on; nothing here calls them. */
extern const char tiffin_guard_landing[], tiffin_guard_nothing[], tiffin_guard_returned[],
	tiffin_guard_return[], tiffin_guard_handled[];

/* What tiffin_guard_handled calls. */
void tiffin_fault_handled(struct pt_regs *regs);

/**
 * struct tiffin_fault - why a call was ended
 * @frame: of the call; NULL: none was
 * @what: in words
 * @error: the exception's error code
 * @addr: the address that was accessed, of a page fault
 * @regs: the registers when it was ended
 */
struct tiffin_fault {
	const struct tiffin_guard_frame *frame;
	const char *what;
	unsigned long error;
	unsigned long addr;
	struct pt_regs regs;
};

/**
 * tiffin_in_policy - does an address lie in the text of a policy?
 * @policy: which
 * @ip: the address
 */
bool tiffin_in_policy(const struct tiffin_loaded *policy, unsigned long ip);

/**
 * tiffin_fault_frame - the call that was interrupted here, or one further down the same stack
 * @regs: where
 *
 * Return: the innermost call of this CPU; NULL where there is none, or where @regs are not of the
 * stack that it runs on, which is that of the task or of the CPU's interrupts.
 */
struct tiffin_guard_frame *tiffin_fault_frame(const struct pt_regs *regs);

/**
 * tiffin_fault_is - is an exception the doing of the policy that was called (C2)?
 * @frame: of the call
 * @regs: where it came, on the call's stack
 * @trap: its number
 *
 * Return: true where it came
 *  - in the policy's own text;
 *  - or where the policy jumped to: the word on top of the stack is the address that its call left
 *    there, which is in its text, or what the watchdog has put in its place; or, where the jump
 *    ended the policy's function, what the guard's call left;
 *  - or, a general protection alone, at a return instruction that stands for such a jump (as a
 *    retpoline has it): on top of the stack lies where it was to go, which is no address that the
 *    processor knows, and above that the word named before.
 * All else is the kernel's; a stack overflow is, anywhere but in the policy's text.
 */
bool tiffin_fault_is(const struct tiffin_guard_frame *frame, const struct pt_regs *regs, int trap);

/**
 * tiffin_fault_divert - have the interrupted call end when @regs are returned to
 * @regs: where it was interrupted
 * @frame: the call
 * @what: why, a literal
 * @error: code of the exception
 * @addr: the address that was accessed
 *
 * Context: an exception's or an interrupt's, on the call's CPU. Leaves interrupts disabled, as the
 * code that returns to @regs wants them to be where it returns to disabled ones.
 */
void tiffin_fault_divert(struct pt_regs *regs, struct tiffin_guard_frame *frame, const char *what,
			 unsigned long error, unsigned long addr);

/**
 * tiffin_fault_note - remember why a call is ended
 * @frame: the call
 * @what: why, a literal
 * @error: code of the exception
 * @addr: the address that was accessed
 * @regs: where it was interrupted
 *
 * Part of tiffin_fault_divert(); alone, where the call ends later.
 */
void tiffin_fault_note(const struct tiffin_guard_frame *frame, const char *what,
		       unsigned long error, unsigned long addr, const struct pt_regs *regs);

/* What was noted of a call that has landed; NULL where another has come in between. */
struct tiffin_fault *tiffin_fault_noted(const struct tiffin_guard_frame *frame);

/* Whether exceptions end calls: else they are the kernel's, whoever's doing they are. */
void tiffin_fault_allow(bool allow);

int tiffin_fault_init(void);
void tiffin_fault_exit(void);

#endif /* TIFFIN_CORE_FAULT_H */
