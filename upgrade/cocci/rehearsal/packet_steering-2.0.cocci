// SPDX-License-Identifier: GPL-2.0-only
/// Carries a policy from packet_steering.h 1.x to the rehearsed 2.0:
/// - tiffin_ps_in.flow_cpu is called home;
/// - the verdict TIFFIN_PS_CPU is called TIFFIN_PS_TARGET;
/// - tiffin_ps_out.flags is called asks, and its TIFFIN_PS_FORCE TIFFIN_PS_AT_ONCE;
/// - tiffin_ps_cpu.load is two fields, load_softirq and load_other; tiffin_ps_load() gives their sum.

// Of a copy, and so of what a pointer points to.
@flow_cpu@
struct tiffin_ps_in in;
@@
 in.
-	flow_cpu
+	home

@target@
@@
-TIFFIN_PS_CPU
+TIFFIN_PS_TARGET

@flags@
struct tiffin_ps_out *out;
@@
 out->
-	flags
+	asks

@force@
@@
-TIFFIN_PS_FORCE
+TIFFIN_PS_AT_ONCE

// As a value. Where its address is taken for more than a tiffin_load(), only the author knows what
// for: that stays, and does not compile.
@load_of_call_atomic@
expression in, n;
@@
-tiffin_load(&tiffin_ps_cpu(in, n)->load)
+(tiffin_load(&tiffin_ps_cpu(in, n)->load_softirq) + tiffin_load(&tiffin_ps_cpu(in, n)->load_other))

@load_of_call@
expression in, n;
@@
-tiffin_ps_cpu(in, n)->load
+tiffin_ps_load(in, n)

@load_atomic@
const struct tiffin_ps_cpu *cpu;
@@
-tiffin_load(&cpu->load)
+(tiffin_load(&cpu->load_softirq) + tiffin_load(&cpu->load_other))

@load@
const struct tiffin_ps_cpu *cpu;
@@
-cpu->load
+(cpu->load_softirq + cpu->load_other)

@load_of_copy@
struct tiffin_ps_cpu cpu;
@@
-cpu.load
+(cpu.load_softirq + cpu.load_other)
