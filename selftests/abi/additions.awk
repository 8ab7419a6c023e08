# SPDX-License-Identifier: GPL-2.0-only
#
# usage: awk -f additions.awk OLD.abi NEW.abi
#
# Print in what NEW does more than add to OLD: a field that went, moved or
# changed its type, a new field before the old end of a structure, a number
# that changed. Version numbers may change; limits (TIFFIN_..._MAX_...,
# TIFFIN_MAX_...) and counts of kinds (..._KINDS) may grow. Exit status 1 where
# anything was printed.

function attr(name,   v)
{
	if (!match($0, " " name "='[^']*'"))
		return ""
	v = substr($0, RSTART + length(name) + 3)
	return substr(v, 1, index(v, "'") - 1)
}

function finding(text)
{
	print text
	status = 1
}

FNR == 1 {
	file++
}

/<(class|union)-decl / {
	type = attr("name")
	if (file == 1)
		size[type] = attr("size-in-bits")
	else
		present[type] = 1
}

/<enum-decl / {
	type = attr("name")
	if (file == 2)
		present[type] = 1
	else
		size[type] = 0
}

/<data-member / {
	offset = attr("layout-offset-in-bits")
}

/<var-decl / && offset != "" {
	key = type "." attr("name")
	value = offset " " attr("type-id")
	if (file == 1) {
		field[key] = value
	} else {
		seen[key] = 1
		if (key in field && field[key] != value)
			finding("field " key " moved or changed its type")
		else if (!(key in field) && type in size && offset + 0 < size[type] + 0)
			finding("field " key " is new and stands before the end")
	}
	offset = ""
}

/<enumerator / {
	key = attr("name")
	value = attr("value")
	sub(/^probe_/, "", key)
	if (file == 1) {
		number[key] = value
	} else {
		seen[key] = 1
		if (!(key in number) || number[key] == value || key ~ /_ABI$/)
			next
		if (key ~ /_MAX_|_KINDS$/ && value + 0 > number[key] + 0)
			next
		finding("number " key " changed from " number[key] " to " value)
	}
}

# Functions: their types are named by what they take and return.
/<var-decl .*mangled-name='probe_tiffin_/ {
	key = attr("mangled-name")
	value = attr("type-id")
	if (file == 1)
		probe[key] = value
	else if (key in probe && probe[key] != value)
		finding(substr(key, 7) " changed its type")
}

END {
	for (type in size)
		if (!(type in present))
			finding("type " type " is gone")
	for (key in field)
		if (!(key in seen))
			finding("field " key " is gone")
	for (key in number)
		if (!(key in seen))
			finding("number " key " is gone")
	exit status
}
