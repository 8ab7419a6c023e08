// SPDX-License-Identifier: GPL-2.0-only
/* set: change tunables of a loaded policy, all of those named or none. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "policy.h"
#include "sysfs.h"

static struct json_object *row_of(struct json_object *rows, const char *name)
{
	for (size_t i = 0; i < json_object_array_length(rows); i++)
		if (!strcmp(json_text(json_at(rows, i), "name"), name))
			return json_at(rows, i);
	return NULL;
}

static enum tiffin_exit no_such_tunable(struct json_object *rows, const char *id, const char *name)
{
	struct strings names = { 0 };
	char *all __free_on_exit = NULL;
	char *next __free_on_exit = NULL;

	for (size_t i = 0; i < json_object_array_length(rows); i++)
		strings_add(&names, json_text(json_at(rows, i), "name"));
	all = strings_join(&names, ", ", names.count);
	next = xasprintf("its tunables: %s", names.count ? all : "none");
	strings_free(&names);
	return fail(TIFFIN_EXIT_NOT_FOUND, next, "%s has no tunable '%s'", id, name);
}

/* Check TUNABLE=VALUE and note the value in its row as "wanted". */
static enum tiffin_exit assignment_check(struct json_object *rows, const char *id,
					 const char *assignment)
{
	const char *equals = strchr(assignment, '=');
	char *name __free_on_exit = NULL;
	struct json_object *row;
	int64_t value;

	if (!equals || equals == assignment)
		return fail(TIFFIN_EXIT_USAGE, "write TUNABLE=VALUE, without spaces",
			    "'%s' is no assignment", assignment);
	name = xstrndup(assignment, equals - assignment);
	row = row_of(rows, name);
	if (!row)
		return no_such_tunable(rows, id, name);
	if (!parse_number(equals + 1, &value))
		return fail(TIFFIN_EXIT_USAGE, "write a whole decimal number",
			    "%s: '%s' is no number", name, equals + 1);
	if (value < json_number(row, "min") || value > json_number(row, "max"))
		return fail(TIFFIN_EXIT_USAGE, json_text(row, "doc"),
			    "%s: %" PRId64 " is outside %" PRId64 " to %" PRId64, name, value,
			    json_number(row, "min"), json_number(row, "max"));
	if (json_object_object_get_ex(row, "wanted", NULL))
		return fail(TIFFIN_EXIT_USAGE, NULL, "%s is given twice", name);
	json_add_number(row, "wanted", value);
	return TIFFIN_EXIT_OK;
}

static int tunable_write(const char *id, struct json_object *row, const char *key)
{
	return sysfs_write(json_text(row, key), "policies/%s/tunables/%s", id,
			   json_text(row, "name"));
}

/* Write the wanted values; where one is refused put those before it back. */
static enum tiffin_exit assignments_write(struct json_object *rows, const char *id)
{
	size_t n = json_object_array_length(rows);

	for (size_t i = 0; i < n; i++) {
		struct json_object *row = json_at(rows, i);
		int err;

		if (!json_object_object_get_ex(row, "wanted", NULL))
			continue;
		err = tunable_write(id, row, "wanted");
		if (!err)
			continue;
		while (i--)
			if (json_object_object_get_ex(json_at(rows, i), "wanted", NULL))
				tunable_write(id, json_at(rows, i), "value");
		if (err == -EACCES || err == -EPERM)
			return fail(TIFFIN_EXIT_NO_PERMISSION, "try again as root, outside containers",
				    "%s: %s: %s", id, json_text(row, "name"), strerror(-err));
		return fail(TIFFIN_EXIT_REFUSED, "nothing has changed; see: tiffin show POLICY",
			    "%s: the host refused %s=%s: %s", id, json_text(row, "name"),
			    json_text(row, "wanted"), strerror(-err));
	}
	return TIFFIN_EXIT_OK;
}

static void result_print(const char *id, struct json_object *rows, bool json)
{
	struct json_object *doc = json_object_new_object();
	struct json_object *set = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_at(rows, i), *item;

		if (!json_object_object_get_ex(row, "wanted", NULL))
			continue;
		item = json_object_new_object();
		json_add_string(item, "name", json_text(row, "name"));
		json_add_number(item, "from", json_number(row, "value"));
		json_add_number(item, "to", json_number(row, "wanted"));
		json_object_array_add(set, item);
		if (!json)
			printf("%s: %s %" PRId64 " -> %" PRId64 "\n", id, json_text(row, "name"),
			       json_number(row, "value"), json_number(row, "wanted"));
	}
	json_add_string(doc, "policy", id);
	json_add(doc, "set", set);
	if (json)
		json_print(doc);
	json_object_put(doc);
}

static enum tiffin_exit set_run(const struct invocation *inv)
{
	enum tiffin_exit code = sysfs_need_host();
	struct json_object *policy, *rows;
	const char *id;

	if (code)
		return code;
	code = policy_find(inv->argv[0], NULL, &policy);
	if (code)
		return code;
	id = json_text(policy, "id");
	rows = policy_tunables(id);
	for (int i = 1; i < inv->argc && !code; i++)
		code = assignment_check(rows, id, inv->argv[i]);
	if (!code)
		code = assignments_write(rows, id);
	if (!code)
		result_print(id, rows, inv->json);
	json_object_put(rows);
	json_object_put(policy);
	return code;
}

const struct command command_set = {
	.name = "set",
	.operands = "POLICY TUNABLE=VALUE...",
	.summary = "change tunables of a policy: all of those named, or none",
	.min_operands = 2,
	.max_operands = -1,
	.run = set_run,
};
