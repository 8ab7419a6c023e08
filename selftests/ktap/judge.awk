# SPDX-License-Identifier: GPL-2.0-only
#
# The judge's reading of KTAP (see judge). Documents nest by indentation. A
# document at depth 0 lists suites, one at depth 1 the tests of a suite;
# deeper ones (parameters of a KUnit test) count as part of their test.
#
# Written for any POSIX awk: no interval expressions, no gawk functions.

BEGIN {
	depth = -1
	started = (from == "")
	passed = failed = skipped = 0
	# What a kernel says when something is wrong. Matched only against
	# lines that are not KTAP, since tests may be named after these.
	splat = "(^|[^A-Za-z_])(BUG|WARNING|KASAN|KCSAN|UBSAN|ODEBUG|KFENCE):" \
		"|BUG at |kernel BUG|Oops|general protection fault|Kernel panic" \
		"|double fault|stack-protector|refcount_t:|corruption" \
		"|possible (circular|recursive|irq lock inversion)" \
		"|possible (irq|circular|recursive).*lock" \
		"|inconsistent lock state|suspicious RCU usage" \
		"|bad unlock balance|held lock freed|lock held when returning" \
		"|still has locks held|DEBUG_LOCKS_WARN_ON" \
		"|scheduling while atomic|sleeping function called" \
		"|detected stalls?|self-detected stall|soft lockup|hard LOCKUP" \
		"|blocked for more than|unreferenced object|kmemleak: [0-9]+ new" \
		"|cut here|Call Trace:|unable to handle|NULL pointer dereference" \
		"|invalid opcode|divide error|Out of memory|Tainted: .*D"
}

# problem(): a failure that is no result line of its own
function problem(what)
{
	print "FAIL  " what
	failed++
}

function open_doc(indent)
{
	depth++
	at[depth] = indent
	plan[depth] = -1
	seen[depth] = bad[depth] = good[depth] = omitted[depth] = 0
	whole_skip[depth] = ""
	title[depth] = ""
	wrong[depth] = ""
}

function note(d, what)
{
	wrong[d] = wrong[d] (wrong[d] == "" ? "" : "; ") what
}

# Judge the innermost document as finished; what is wrong with it is left in
# wrong[depth] of the document.
function close_doc(   d)
{
	d = depth
	if (plan[d] >= 0 && plan[d] != seen[d])
		note(d, "truncated: " seen[d] " of " plan[d] " results")
	else if (plan[d] < 0 && d < 2)
		note(d, "no plan")
	else if (seen[d] == 0 && whole_skip[d] == "")
		note(d, "no tests")
	depth--
}

# A document that ends without a result line of its parent: the log's end, or
# a new document in its place.
function cut_off(   d)
{
	while (depth >= 0) {
		d = depth
		close_doc()
		if (d == 0) {
			if (wrong[0] != "")
				problem("log: " wrong[0])
		} else if (d == 1) {
			passed += good[1]
			failed += bad[1]
			skipped += omitted[1]
			problem((title[1] == "" ? "suite" : title[1]) \
				": cut off, no result" \
				(wrong[1] == "" ? "" : " (" wrong[1] ")"))
		}
	}
}

# Open the document that a line of this indentation belongs to, if it is not
# open. A nested one without a parent means that the parent's head was lost;
# the parent then fails for want of a plan.
function place(indent)
{
	if (depth < 0)
		open_doc(0)
	if (indent > at[depth])
		open_doc(indent)
}

function strip_name(s)
{
	sub(/^[ \t]*(- )?[ \t]*/, "", s)
	sub(/[ \t]*#.*$/, "", s)
	sub(/[ \t]+$/, "", s)
	return s == "" ? "(no name)" : s
}

function result(indent, ok, rest,   num, name, skip, child, d)
{
	# Close the nested document that this line sums up.
	child = 0
	while (depth > 0 && at[depth] > indent) {
		if (child)
			note(depth, "a nested document has no result")
		child = depth
		close_doc()
	}
	place(indent)
	d = depth

	num = rest
	if (num !~ /^[0-9]/) {
		note(d, "a result without a number")
		num = seen[d] + 1
	} else {
		sub(/[^0-9].*$/, "", num)
		sub(/^[0-9]+/, "", rest)
	}
	seen[d]++
	if (num + 0 != seen[d])
		note(d, "result " num " where " seen[d] " was due")
	skip = (toupper(rest) ~ /#[ \t]*SKIP/)
	name = strip_name(rest)

	# Deeper than a test: part of the test.
	if (d >= 2) {
		if (!ok) {
			bad[d]++
			note(d, name " failed")
		}
		return
	}

	if (child && wrong[child] != "") {
		if (d == 1)
			name = name " (" wrong[child] ")"
		ok = 0
	}
	# A skip has to name what is missing.
	if (ok && skip && !child && toupper(rest) ~ /#[ \t]*SKIP[ \t]*$/) {
		name = name " (skipped without a reason)"
		ok = 0
	}
	if (d == 1) {
		if (!ok) {
			bad[1]++
			note(1, name)
		} else if (skip) {
			omitted[1]++
		} else {
			good[1]++
		}
		return
	}

	# A suite, or a test that stands at the top.
	if (!child) {
		good[1] = bad[1] = omitted[1] = 0
		wrong[1] = ""
		if (!ok)
			bad[1] = 1
		else if (skip)
			omitted[1] = 1
		else
			good[1] = 1
	} else if (whole_skip[1] != "" && seen[1] == 0 && ok) {
		omitted[1] = 1
		name = name " # SKIP " whole_skip[1]
	} else if ((!ok || wrong[1] != "") && bad[1] == 0) {
		# What is wrong is no single test: the plan, the exit.
		bad[1] = 1
	}
	passed += good[1]
	failed += bad[1]
	skipped += omitted[1]
	printf "%s  %s: %d passed, %d failed, %d skipped%s\n", \
		bad[1] ? "FAIL" : good[1] ? "ok  " : "SKIP", name, \
		good[1], bad[1], omitted[1], \
		bad[1] && wrong[1] != "" ? ": " wrong[1] : ""
}

{
	sub(/\r+$/, "")
	line = $0
	# The console's level and time stamps
	sub(/^<[0-9]+>/, "", line)
	sub(/^\[ *[0-9]+\.[0-9]+\](\[ *[TC][0-9]+\])? ?/, "", line)
}

!started {
	if (line ~ from)
		started = 1
	next
}

{
	body = line
	sub(/^ +/, "", body)
	indent = length(line) - length(body)
}

body ~ /^K?TAP version [0-9]+/ {
	if (depth >= 0 && indent <= at[depth]) {
		if (indent > 0)
			problem("a document at indent " indent " begins before the one before has a result")
		cut_off()
	}
	place(indent)
	documents++
	next
}

body ~ /^1\.\.[0-9]+/ {
	place(indent)
	n = body
	sub(/^1\.\./, "", n)
	reason = n
	sub(/[^0-9].*$/, "", n)
	sub(/^[0-9]+[ \t]*/, "", reason)
	if (indent < at[depth])
		note(depth, "a plan out of place")
	else if (plan[depth] >= 0)
		note(depth, "a second plan")
	plan[depth] = n + 0
	if (n + 0 == 0 && toupper(reason) ~ /^#[ \t]*SKIP/) {
		sub(/^#[ \t]*[A-Za-z]+[ \t]*/, "", reason)
		whole_skip[depth] = reason == "" ? "(no reason given)" : reason
	}
	next
}

body ~ /^ok( |$)/ {
	result(indent, 1, substr(body, 4))
	next
}

body ~ /^not ok( |$)/ {
	result(indent, 0, substr(body, 8))
	next
}

body ~ /^Bail out!/ {
	problem(body)
	next
}

body ~ /^# Subtest: / {
	place(indent)
	title[depth] = substr(body, 12)
	next
}

body ~ /(EXPECTATION|ASSERTION) FAILED/ {
	print "      " body
	next
}

body ~ /^#/ && depth >= 0 {
	next
}

splats && line ~ splat {
	if (++splat_lines <= 5)
		problem("kernel log: " line)
	else
		failed++
}

END {
	cut_off()
	if (!started)
		problem("the log has no line that matches: " from)
	else if (!documents)
		problem("the log holds no KTAP")
	else if (passed + failed + skipped == 0)
		problem("no tests were run")
	if (splat_lines > 5)
		print "FAIL  kernel log: " splat_lines - 5 " more such lines"
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
	exit !(failed == 0 && passed > 0)
}
