/* SPDX-License-Identifier: GPL-2.0-only */
/* Which functions of a policy have loops, and whether each loop has a way out. */
#ifndef VERIFY_LOOPS_H
#define VERIFY_LOOPS_H

#include "verify.h"

/**
 * struct step - an instruction, and where execution goes from it
 * @function: name of the one that it is in
 * @section: number of the section that it stands in
 * @address: in it
 * @falls: the next instruction may follow; false also says that the function may end here
 * @jumps: the instruction at @to_section, @to may follow
 * @to_section: number of a section; where it has no such instruction the jump leaves the policy
 * @to: address in it
 */
struct step {
	const char *function;
	size_t section;
	uint64_t address;
	bool falls;
	bool jumps;
	size_t to_section;
	uint64_t to;
};

/* @steps: all of the policy's functions, sorted by section and address. */
void verify_loops(struct verify *v, const struct step *steps, size_t count);

#endif /* VERIFY_LOOPS_H */
