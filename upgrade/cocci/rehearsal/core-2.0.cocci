// SPDX-License-Identifier: GPL-2.0-only
/// Carries a policy from plugin.h and state.h 1.x to the rehearsed 2.0: a call's question comes before
/// its context, in hooks, in init and in convert; and tiffin_count() takes the context last.

// A hook of any family, convert, and what a policy calls with the same arguments. Prototypes follow.
@hook@
identifier f, ctx, in, out;
identifier IN =~ "^tiffin_.*_in$";
identifier OUT =~ "^tiffin_.*_out$";
type T;
@@
 T f(
-	const struct tiffin_ctx *ctx, const struct IN *in,
+	const struct IN *in, const struct tiffin_ctx *ctx,
 	struct OUT *out)
 { ... }

@hook_called@
identifier hook.f;
const struct tiffin_ctx *ctx;
expression in, out;
@@
 f(
-	ctx, in,
+	in, ctx,
 	out)

@init@
identifier f, ctx, in;
type T;
@@
 T f(
-	const struct tiffin_ctx *ctx, const struct tiffin_init_in *in
+	const struct tiffin_init_in *in, const struct tiffin_ctx *ctx
 )
 { ... }

@init_called@
identifier init.f;
const struct tiffin_ctx *ctx;
expression in;
@@
 f(
-	ctx, in
+	in, ctx
 )

@count@
const struct tiffin_ctx *ctx;
expression index, n;
@@
 tiffin_count(
-	ctx, index, n
+	index, n, ctx
 )
