// SPDX-License-Identifier: GPL-2.0-only
/* tail: its hook ends in a jump to nowhere, as a compiler may end a function, but not ours. */
#include <tiffin/test_family.h>

static __attribute__((naked)) void tail_ask(const struct tiffin_ctx *ctx,
					    const struct tiffin_test_in *in,
					    struct tiffin_test_out *out)
{
	asm("endbr64\n\tmovl $0x1234, %eax\n\tjmp *%rax");
}

static const struct tiffin_test_hooks tail_hooks = {
	.ask = tail_ask,
};

TIFFIN_POLICY(test, "tail", "1.0", "test: jumps to nowhere", TIFFIN_HOOKS(tail_hooks));
