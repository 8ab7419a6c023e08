# SPDX-License-Identifier: GPL-2.0-only
#
# usage: awk -v from=VERSION -f calls.awk OLD.calls NEW.calls
#
# As changes.awk, for what a policy calls and no object file shows: inline
# functions and macros with arguments, a line each as abi_calls() writes them.
# Broken is one that went, that takes or gives another type, or whose arguments
# stand in another order; a new name for an argument is nothing.

function broken(what, why)
{
	print "broken\t" what "\t" why
	status = 1
}

# Takes a line apart: name[], types[] (of result and arguments), order[] (the names of the arguments).
function parse(f, line,   head, list, n, arg, i)
{
	head = substr(line, 1, index(line, "(") - 1)
	sub(/ $/, "", head)
	list = line
	sub(/^[^(]*\(/, "", list)
	sub(/\)$/, "", list)
	key = head
	sub(/.*[ *]/, "", key)
	text[f, key] = line
	sub(/^static /, "", text[f, key])
	types[f, key] = substr(head, 1, length(head) - length(key))
	macro[f, key] = line ~ /^#define /
	n = list == "void" ? 0 : split(list, arg, / *, */)
	for (i = 1; i <= n; i++) {
		if (match(arg[i], /[A-Za-z_0-9]+$/) && (macro[f, key] || RSTART > 1)) {
			order[f, key] = order[f, key] " " substr(arg[i], RSTART)
			names[f, key, substr(arg[i], RSTART)] = i
			arg[i] = substr(arg[i], 1, RSTART - 1)
		}
		types[f, key] = types[f, key] "," arg[i]
	}
	return key
}

# The same arguments, by their names, in another order
function turned(key,   n, arg, i)
{
	if (order[1, key] == order[2, key])
		return 0
	n = split(order[1, key], arg, " ")
	for (i = 1; i <= n; i++)
		if (!((2, key, arg[i]) in names))
			return 0
	return 1
}

FNR == 1 {
	file++
}

/^#define |^static / {
	key = parse(file, $0)
	keys[file, ++nr[file]] = key
}

END {
	for (i = 1; i <= nr[1]; i++) {
		key = keys[1, i]
		if (!((2, key) in text))
			broken((macro[1, key] ? "macro " : "function ") key "() is gone",
			       "The source of a policy of " from " that uses it does not compile any more.")
		else if (types[1, key] != types[2, key] || macro[1, key] != macro[2, key] || turned(key))
			broken((macro[1, key] ? "macro " : "function ") key "() changed from \"" text[1, key] \
			       "\" to \"" text[2, key] "\"",
			       "The source of a policy of " from " gives and takes what it did. What was built with it has its own copy.")
	}
	for (i = 1; i <= nr[2]; i++) {
		key = keys[2, i]
		if (!((1, key) in text))
			print "added\t" (macro[2, key] ? "macro " : "function ") key "()\tA policy of " from \
			      " does not use it."
	}
	exit status
}
