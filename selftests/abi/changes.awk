# SPDX-License-Identifier: GPL-2.0-only
#
# usage: awk -v from=VERSION -f changes.awk OLD.abi NEW.abi
#
# Print what NEW has that OLD, which is VERSION, has not, or has otherwise. A
# line each, in three fields with tabs between:
#
#	added|broken	what it is	what it means for a policy of the old version
#
# Broken is a field that went, moved or changed its type, a new field before the
# old end of a structure, a number that went or changed, a function of another
# type. What stands in the place of what went is named with it. Version numbers
# may change; limits (TIFFIN_..._MAX_..., TIFFIN_MAX_...) and counts of kinds
# (..._KINDS) may grow. Exit status 1 where anything broke.

function attr(name,   v)
{
	if (!match($0, " " name "='[^']*'"))
		return ""
	v = substr($0, RSTART + length(name) + 3)
	return substr(v, 1, index(v, "'") - 1)
}

function broken(what, why)
{
	print "broken\t" what "\t" why
	status = 1
}

function added(what, why)
{
	print "added\t" what "\t" why
}

# The C name of a type of file @f.
function type_name(f, id,   target)
{
	if ((f, id) in named)
		return named[f, id]
	if (!((f, id) in to))
		return "a type"
	target = to[f, id]
	if (qualifier[f, id] == "*" && (f, target) in result)
		return type_name(f, result[f, target]) " (*)(" arguments(f, target) ")"
	if (qualifier[f, id] == "*")
		return type_name(f, target) (type_name(f, target) ~ /[*]$/ ? "*" : " *")
	return qualifier[f, id] " " type_name(f, target)
}

function arguments(f, id,   i, list)
{
	for (i = 1; i <= nr_parameters[f, id]; i++)
		list = list (i > 1 ? ", " : "") type_name(f, parameter[f, id, i])
	return list
}

function size_text(bits)
{
	return bits / 8 " bytes"
}

# What a policy of the old version does about a new field at the end of @type.
function field_why(type)
{
	if (type in answer)
		return "A policy of " from " does not write it: the host reads the 0 that it put there before the call."
	if (type in question)
		return "A policy of " from " does not look there: it reads what it knows, at the same places."
	if (type ~ /_hooks$/)
		return "A policy of " from " has a shorter table: the host takes the hook for absent."
	if (type ~ /^tiffin_(policy|store|tunable|counter)$/)
		return "A policy of " from " has it shorter, and says so: the host takes the field for 0."
	return "A policy of " from " does not know it. Sizes and strides travel, so that it finds all else."
}

FNR == 1 {
	file++
}

/<(class|union)-decl / {
	type = attr("name")
	kind = /<class-decl / ? "struct" : "union"
	named[file, attr("id")] = kind " " type
	if (attr("is-declaration-only") == "yes") {
		opaque[file, type] = 1
		next
	}
	if (file == 2 && (1, type) in opaque)
		broken(kind " " type " is no longer opaque",
		       "The checksums of the functions that take it change: a module of " from " would not load.")
	if (file == 1) {
		old_size[type] = attr("size-in-bits")
		types[++nr_types] = type
		kind_of[type] = kind
	} else {
		new_size[type] = attr("size-in-bits")
		present[type] = 1
		if (!(type in old_size) && !((1, type) in opaque))
			added(kind " " type, "A policy of " from " does not use it.")
	}
}

/<enum-decl / {
	type = attr("name")
	named[file, attr("id")] = "enum " type
	if (type == "probe_constants") {
		enumeration = ""
		next
	}
	enumeration = type
	if (file == 1) {
		old_size[type] = 0
		types[++nr_types] = type
		kind_of[type] = "enum"
	} else {
		present[type] = 1
		if (!(type in old_size))
			added("enum " type, "A policy of " from " does not use it.")
	}
}

/<(type|typedef)-decl / {
	named[file, attr("id")] = attr("name")
}

/<array-type-def / {
	to[file, attr("id")] = attr("type-id")
	qualifier[file, attr("id")] = "array of"
}

/<qualified-type-def / {
	to[file, attr("id")] = attr("type-id")
	qualifier[file, attr("id")] = attr("const") == "yes" ? "const" : "volatile"
}

/<pointer-type-def / {
	to[file, attr("id")] = attr("type-id")
	qualifier[file, attr("id")] = "*"
}

/<function-type / {
	function_id = attr("id")
}

/<parameter / {
	parameter[file, function_id, ++nr_parameters[file, function_id]] = attr("type-id")
}

/<return / {
	result[file, function_id] = attr("type-id")
}

/<data-member / {
	offset = attr("layout-offset-in-bits")
}

/<var-decl / && offset != "" {
	key = type "." attr("name")
	member[file, key] = attr("type-id")
	place[file, key] = offset
	fields[file, ++nr_fields[file]] = key
	owner[key] = type
	offset = ""
}

/<enumerator / {
	key = attr("name")
	sub(/^probe_/, "", key)
	value[file, key] = attr("value")
	numbers[file, ++nr_numbers[file]] = key
	if (enumeration != "")
		of_enum[key] = enumeration
}

# Functions: their types are named by what they take and return.
/<var-decl .*mangled-name='probe_tiffin_/ {
	key = substr(attr("mangled-name"), 7)
	if (!((file, key) in probe))
		probes[file, ++nr_probes[file]] = key
	probe[file, key] = attr("type-id")
}

# Which structures a hook gets to read, and which it gets to write.
function directions(   key, part, target)
{
	for (key in parameter) {
		split(key, part, SUBSEP)
		target = type_name(part[1], parameter[key])
		if (target ~ /^const struct [a-z0-9_]+ [*]$/) {
			split(target, part, " ")
			question[part[3]] = 1
		} else if (target ~ /^struct [a-z0-9_]+ [*]$/) {
			split(target, part, " ")
			answer[part[2]] = 1
		}
	}
}

function compare_field(key,   before, now, at, was)
{
	before = type_name(1, member[1, key])
	now = type_name(2, member[2, key])
	was = place[1, key] / 8
	at = place[2, key] / 8
	if (member[1, key] != member[2, key])
		broken("field " key (was == at ? "" : " moved from byte " was " to byte " at " and") \
		       " changed its type from " before " to " now,
		       "A policy of " from " has the old type built in" \
		       (before ~ /\(\*\)/ ? ": host and hook would not agree on the arguments." : "."))
	else if (was != at)
		broken("field " key " moved from byte " was " to byte " at,
		       "A policy of " from " still looks at byte " was \
		       ". Fields keep their place; new ones stand at the end.")
}

# What went, with what has its place now, if anything has: the same bytes of a structure and type, or
# the same number of an enumeration.
function field_gone(key,   i, new, name)
{
	for (i = 1; i <= nr_fields[2]; i++) {
		new = fields[2, i]
		if (owner[new] == owner[key] && !((1, new) in member) && !(new in successor) &&
		    place[2, new] == place[1, key] && member[2, new] == member[1, key])
			break
	}
	if (i > nr_fields[2]) {
		broken("field " key " is gone",
		       "A policy of " from " still uses byte " place[1, key] / 8 " as " \
		       type_name(1, member[1, key]) "; its source does not compile any more.")
		return
	}
	successor[new] = 1
	name = substr(new, index(new, ".") + 1)
	broken("field " key " is gone; " name " has its place, byte " place[1, key] / 8,
	       "A policy of " from " as it was built takes " name " for " \
	       substr(key, index(key, ".") + 1) "; its source does not compile any more.")
}

function number_gone(key,   i, new)
{
	for (i = 1; i <= nr_numbers[2]; i++) {
		new = numbers[2, i]
		if (key in of_enum && of_enum[new] == of_enum[key] && !((1, new) in value) &&
		    !(new in successor) && value[2, new] == value[1, key])
			break
	}
	if (i > nr_numbers[2]) {
		broken("number " key " is gone",
		       "The source of a policy of " from " that uses it does not compile any more.")
		return
	}
	successor[new] = 1
	broken("value " key " is gone; " new " has its number, " value[1, key],
	       "A policy of " from " as it was built goes on saying " value[1, key] \
	       "; its source does not compile any more.")
}

function compare_number(key,   before, now)
{
	before = value[1, key]
	now = value[2, key]
	if (before == now || key ~ /_ABI$/)
		return
	if (key ~ /_MAX_|_KINDS$/ && now + 0 > before + 0)
		added("number " key " grew from " before " to " now,
		      "A policy of " from " keeps within " before ".")
	else
		broken("number " key " changed from " before " to " now,
		       "A policy of " from " has " before " built in, and means by it what it meant then.")
}

END {
	directions()
	for (i = 1; i <= nr_types; i++)
		if (!(types[i] in present))
			broken("type " types[i] " is gone",
			       "A policy of " from " that uses " kind_of[types[i]] " " types[i] \
			       " does not compile any more, and the host no longer gives or takes it.")
	for (i = 1; i <= nr_fields[1]; i++) {
		key = fields[1, i]
		if ((2, key) in member)
			compare_field(key)
		else if (owner[key] in present)
			field_gone(key)
	}
	for (i = 1; i <= nr_fields[2]; i++) {
		key = fields[2, i]
		type = owner[key]
		if ((1, key) in member || !(type in old_size) || key in successor)
			continue
		if (place[2, key] + 0 < old_size[type] + 0)
			broken("field " key " is new and stands before the end (byte " place[2, key] / 8 \
			       " of " old_size[type] / 8 ")",
			       "A policy of " from " takes what stands there for something else, or for padding.")
		else
			added("field " key " (" type_name(2, member[2, key]) ") at the end of struct " type \
			      ", which grew from " size_text(old_size[type]) " to " size_text(new_size[type]),
			      field_why(type))
	}
	for (i = 1; i <= nr_numbers[1]; i++) {
		key = numbers[1, i]
		if ((2, key) in value)
			compare_number(key)
		else
			number_gone(key)
	}
	for (i = 1; i <= nr_numbers[2]; i++) {
		key = numbers[2, i]
		if ((1, key) in value || key in successor)
			continue
		if (key in of_enum && of_enum[key] in old_size)
			added("value " key " = " value[2, key] " of enum " of_enum[key],
			      "A policy of " from " never says it, and takes it for an unknown value where it is told it.")
		else
			added("number " key " = " value[2, key], "A policy of " from " does not use it.")
	}
	for (i = 1; i <= nr_probes[2]; i++) {
		key = probes[2, i]
		if (type_name(2, probe[2, key]) !~ /\(\*\)/)
			continue
		if (!((1, key) in probe))
			added("function " key, "A policy of " from " does not call it.")
		else if (probe[1, key] != probe[2, key])
			broken("function " key " changed its type from " type_name(1, probe[1, key]) " to " \
			       type_name(2, probe[2, key]),
			       "A module of " from " asks for it by the checksum of the old type: it would not load.")
	}
	for (i = 1; i <= nr_probes[1]; i++) {
		key = probes[1, i]
		if (type_name(1, probe[1, key]) ~ /\(\*\)/ && !((2, key) in probe))
			broken("function " key " is gone", "A module of " from " that calls it would not load.")
	}
	exit status
}
