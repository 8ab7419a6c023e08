// SPDX-License-Identifier: GPL-2.0-only
/// A policy has no variable that outlives a call: neither at file scope nor
/// static in a function. All state is in stores, so that it survives a swap
/// and one policy can run as many instances.
// Options: --recursive-includes

virtual report

@initialize:python@
@@
import re


def constant(ctype):
    """Is a variable of this type read-only itself?"""
    ctype = re.sub(r'\{.*\}', '', ctype)
    ctype = re.sub(r'\[[^\]]*\]', '', ctype)
    if '*' in ctype:
        return re.search(r'\*\s*const\s*$', ctype.rstrip()) is not None
    return re.search(r'\bconst\b', ctype) is not None


def prototype(ctype):
    ctype = re.sub(r'\{.*\}', '', ctype)
    return '(' in ctype and not re.search(r'\(\s*\*', ctype)


def finding(pos, name, ctype):
    if not prototype(ctype) and not constant(ctype):
        print("%s:%s: %s: a policy has no variables outside its calls; make it const, "
              "or keep it in a store" % (pos[0].file, pos[0].line, name))

@plain@
type T;
identifier i;
position p;
@@
(
 extern T i;
|
 T i@p;
)

@script:python depends on report@
t << plain.T;
i << plain.i;
p << plain.p;
@@
# In a function, the element is the function: its automatic variables are its own.
if p[0].current_element == i:
    finding(p, i, t)

@initialised@
type T;
identifier i;
initializer I;
position p;
@@
 T i@p = I;

@script:python depends on report@
t << initialised.T;
i << initialised.i;
p << initialised.p;
@@
if p[0].current_element == i:
    finding(p, i, t)

@inner@
type T;
identifier i, f;
position p;
@@
 f(...) {
 <...
 static T i@p;
 ...>
 }

@script:python depends on report@
t << inner.T;
i << inner.i;
p << inner.p;
@@
finding(p, i, t)

@inner_initialised@
type T;
identifier i, f;
initializer I;
position p;
@@
 f(...) {
 <...
 static T i@p = I;
 ...>
 }

@script:python depends on report@
t << inner_initialised.T;
i << inner_initialised.i;
p << inner_initialised.p;
@@
finding(p, i, t)
