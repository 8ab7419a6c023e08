/* SPDX-License-Identifier: GPL-2.0-only */
#include <linux/linkage.h>
#include <asm/nospec-branch.h>

	.text

SYM_FUNC_START(taker_entry)
	RET
SYM_FUNC_END(taker_entry)
