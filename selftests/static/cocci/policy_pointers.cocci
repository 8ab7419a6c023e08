// SPDX-License-Identifier: GPL-2.0-only
/// A policy keeps no pointer from a call: after it, the memory is the host's
/// again. Its own structures, which describe records of stores, have no
/// pointers, and a pointer is not turned into a number, which could be kept.
// Options: --recursive-includes

virtual report

@initialize:python@
@@

def finding(pos, text):
    # The structures of the ABI lend pointers for a call.
    if not pos[0].file.endswith('.h'):
        print("%s:%s: %s" % (pos[0].file, pos[0].line, text))

@member@
identifier s, m;
type T;
position p;
@@
(
 struct s { ... T *m@p; ... };
|
 struct s { ... T *m@p[...]; ... };
|
 union s { ... T *m@p; ... };
)

@script:python depends on report@
s << member.s;
m << member.m;
p << member.p;
@@
finding(p, "%s.%s: a policy's structures hold no pointers; keep a number: a CPU, an index, a handle"
        % (s, m))

@hook@
identifier s, m;
type T;
parameter list P;
position p;
@@
 struct s { ... T (*m@p)(P); ... };

@script:python depends on report@
s << hook.s;
m << hook.m;
p << hook.p;
@@
# A table of hooks is no state.
if not s.endswith('hooks'):
    finding(p, "%s.%s: a policy's structures hold no pointers to functions; keep a number and "
            "switch on it" % (s, m))

@cast@
type I;
expression *E;
position p;
@@
 (I)E@p

@script:python depends on report@
t << cast.I;
p << cast.p;
@@
if '*' not in t and t.strip() != 'void':
    finding(p, "a pointer becomes a number (%s): a policy keeps nothing of a call; count bytes by "
            "subtracting pointers" % t.strip())
