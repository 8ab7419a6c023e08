/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tiffin/test_refused.h: a policy that is right, for files in refused/ to spoil in one place. The
 * first word of each such file's comment is the error that loading it must give.
 */
#ifndef TIFFIN_TEST_REFUSED_H
#define TIFFIN_TEST_REFUSED_H

#include <tiffin/test_family.h>

static void refused_ask(const struct tiffin_ctx *ctx, const struct tiffin_test_in *in,
			struct tiffin_test_out *out)
{
	out->number = in->number;
}

static const struct tiffin_test_hooks refused_hooks = {
	.ask = refused_ask,
};

#define REFUSED_POLICY(...)						\
	TIFFIN_POLICY(test, "refused", "1.0", "test: must not load",	\
		      TIFFIN_HOOKS(refused_hooks), ##__VA_ARGS__)

#endif /* TIFFIN_TEST_REFUSED_H */
