// SPDX-License-Identifier: GPL-2.0-only
/* list and show: what is loaded, and what state it is in. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "policy.h"
#include "quarantine.h"
#include "sysfs.h"

static struct json_object *host_read(void)
{
	struct json_object *host = json_object_new_object();
	char *version __free_on_exit = sysfs_read("version");
	char *abi __free_on_exit = sysfs_read("abi");

	json_add_string(host, "version", version);
	json_add_string(host, "abi", abi);
	return host;
}

static struct json_object *scopes_read(const char *family)
{
	struct json_object *scopes = json_object_new_array();
	struct strings names = sysfs_scopes(family);

	for (size_t i = 0; i < names.count; i++)
		json_object_array_add(scopes, scope_read(family, names.item[i]));
	strings_free(&names);
	return scopes;
}

static struct json_object *family_summary(const char *family)
{
	struct json_object *o = json_object_new_object();
	char *abi __free_on_exit = sysfs_read("%s/abi", family);

	json_add_string(o, "family", family);
	json_add_string(o, "abi", abi);
	json_add(o, "scopes", scopes_read(family));
	return o;
}

static struct json_object *families_read(void)
{
	struct json_object *array = json_object_new_array();
	struct strings families = sysfs_families();

	for (size_t i = 0; i < families.count; i++)
		json_object_array_add(array, family_summary(families.item[i]));
	strings_free(&families);
	return array;
}

/* The built-in default as a row beside the loaded policies. */
static struct json_object *default_row(struct json_object *family)
{
	struct json_object *row = json_object_new_object();
	struct json_object *scopes = json_object_object_get(family, "scopes");
	size_t active = 0;

	for (size_t i = 0; i < json_object_array_length(scopes); i++)
		active += !strcmp(json_text(json_at(scopes, i), "active"), POLICY_DEFAULT);
	json_add_string(row, "family", json_text(family, "family"));
	json_add_string(row, "name", POLICY_DEFAULT);
	json_add_string(row, "state", active ? "active" : "built in");
	json_add_string(row, "doc", "leaves the stock kernel's behaviour alone");
	return row;
}

static void list_print(struct json_object *doc)
{
	static const struct column columns[] = {
		{ .key = "family", .title = "FAMILY" },
		{ .key = "name", .title = "POLICY" },
		{ .key = "version", .title = "VERSION" },
		{ .key = "build", .title = "BUILD" },
		{ .key = "state", .title = "STATE" },
		{ .key = "instances", .title = "INSTANCES", .right = true },
		{ .key = "doc", .title = "WHAT IT DOES" },
	};
	struct json_object *families = json_object_object_get(doc, "families");
	struct json_object *policies = json_object_object_get(doc, "policies");
	struct json_object *rows = json_object_new_array();

	for (size_t f = 0; f < json_object_array_length(families); f++) {
		struct json_object *family = json_at(families, f);

		json_object_array_add(rows, default_row(family));
		for (size_t i = 0; i < json_object_array_length(policies); i++) {
			struct json_object *policy = json_at(policies, i);

			if (!strcmp(json_text(policy, "family"), json_text(family, "family")))
				json_object_array_add(rows, json_object_get(policy));
		}
	}
	table_print(rows, columns, ARRAY_SIZE(columns));
	json_object_put(rows);
	quarantine_hint(policies);
}

static enum tiffin_exit list_run(const struct invocation *inv)
{
	enum tiffin_exit code = sysfs_need_host();
	struct json_object *doc;

	if (code)
		return code;
	doc = json_object_new_object();
	json_add(doc, "host", host_read());
	json_add(doc, "families", families_read());
	json_add(doc, "policies", policies_read());
	if (inv->json)
		json_print(doc);
	else
		list_print(doc);
	json_object_put(doc);
	return TIFFIN_EXIT_OK;
}

static void overview_print(struct json_object *doc)
{
	static const struct column columns[] = {
		{ .key = "family", .title = "FAMILY" },
		{ .key = "abi", .title = "ABI" },
		{ .key = "scope", .title = "SCOPE" },
		{ .key = "active", .title = "ACTIVE" },
		{ .key = "previous", .title = "PREVIOUS" },
		{ .key = "state", .title = "STATE" },
		{ .key = "error", .title = "LAST ERROR" },
	};
	struct json_object *host = json_object_object_get(doc, "host");
	struct json_object *families = json_object_object_get(doc, "families");
	struct json_object *rows = json_object_new_array();

	for (size_t f = 0; f < json_object_array_length(families); f++) {
		struct json_object *family = json_at(families, f);
		struct json_object *scopes = json_object_object_get(family, "scopes");

		for (size_t i = 0; i < json_object_array_length(scopes); i++) {
			struct json_object *row = json_object_new_object();

			json_add_string(row, "family", json_text(family, "family"));
			json_add_string(row, "abi", json_text(family, "abi"));
			json_object_object_foreach(json_at(scopes, i), key, value)
				json_add(row, key, json_object_get(value));
			json_object_array_add(rows, row);
		}
	}
	printf("tiffin %s, core ABI %s\n\n", json_text(host, "version"), json_text(host, "abi"));
	table_print(rows, columns, ARRAY_SIZE(columns));
	json_object_put(rows);
}

static enum tiffin_exit show_overview(bool json)
{
	struct json_object *doc = json_object_new_object();

	json_add(doc, "host", host_read());
	json_add(doc, "families", families_read());
	if (json) {
		json_print(doc);
	} else {
		struct json_object *policies = policies_read();

		overview_print(doc);
		quarantine_hint(policies);
		json_object_put(policies);
	}
	json_object_put(doc);
	return TIFFIN_EXIT_OK;
}

/* The family's own one-line files; the command knows none of them by name. */
static struct json_object *settings_read(const char *family)
{
	struct json_object *o = json_object_new_object();
	struct strings files = sysfs_files("%s", family);

	for (size_t i = 0; i < files.count; i++) {
		const char *name = files.item[i];
		char *text __free_on_exit = NULL;

		if (!strcmp(name, "abi") || !strcmp(name, "available") ||
		    !strcmp(name, "stores_bytes"))
			continue;
		text = sysfs_read("%s/%s", family, name);
		if (text && !strchr(text, '\n'))
			json_add_string(o, name, text);
	}
	strings_free(&files);
	return o;
}

static struct json_object *available_read(const char *family)
{
	struct json_object *array = json_object_new_array();
	char *text __free_on_exit = sysfs_read("%s/available", family);
	char *rest = text, *line;

	while (rest && (line = strsep(&rest, "\n")))
		if (*line)
			json_object_array_add(array, json_object_new_string(line));
	return array;
}

static struct json_object *family_read(const char *family)
{
	struct json_object *o = family_summary(family);
	struct json_object *scopes = json_object_object_get(o, "scopes");
	char *limits __free_on_exit = xasprintf("%s/limits", family);
	char *stores __free_on_exit = sysfs_read("%s/stores_bytes", family);
	char *figures __free_on_exit = xasprintf("%s/figures", family);

	for (size_t i = 0; i < json_object_array_length(scopes); i++) {
		struct json_object *scope = json_at(scopes, i);

		json_add(scope, "last_swap",
			 scope_table(family, json_text(scope, "scope"), "last_swap"));
	}
	json_add_numeral(o, "stores_bytes", stores);
	json_add(o, "available", available_read(family));
	json_add(o, "limits", numbers_read(limits));
	json_add(o, "settings", settings_read(family));
	json_add(o, "figures", numbers_read(figures));
	return o;
}

static void part_print(struct json_object *o, const char *key, const char *title)
{
	struct json_object *part = json_object_object_get(o, key);

	if (!json_object_object_length(part))
		return;
	printf("\n%s\n", title);
	fields_print(part, "  ");
}

static void family_print(struct json_object *o)
{
	struct json_object *scopes = json_object_object_get(o, "scopes");
	struct json_object *available = json_object_object_get(o, "available");

	fields_print(o, "");
	for (size_t i = 0; i < json_object_array_length(scopes); i++) {
		struct json_object *scope = json_at(scopes, i);

		putchar('\n');
		fields_print(scope, "");
		part_print(scope, "last_swap", "last swap");
	}
	puts("\navailable");
	for (size_t i = 0; i < json_object_array_length(available); i++) {
		fputs("  ", stdout);
		text_print(json_object_get_string(json_at(available, i)));
		putchar('\n');
	}
	part_print(o, "limits", "limits");
	part_print(o, "settings", "settings");
	part_print(o, "figures", "figures");
}

static void policy_part_print(struct json_object *policy, const char *key, const char *title,
			      const struct column *columns, size_t nr_columns)
{
	struct json_object *rows = json_object_object_get(policy, key);

	if (!json_object_array_length(rows))
		return;
	printf("\n%s\n", title);
	table_print(rows, columns, nr_columns);
}

static void policy_print(struct json_object *policy)
{
	static const struct column tunables[] = {
		{ .key = "name", .title = "NAME" },
		{ .key = "value", .title = "VALUE", .right = true },
		{ .key = "min", .title = "MIN", .right = true },
		{ .key = "max", .title = "MAX", .right = true },
		{ .key = "default", .title = "DEFAULT", .right = true },
		{ .key = "doc", .title = "WHAT IT DOES" },
	};
	static const struct column counters[] = {
		{ .key = "name", .title = "NAME" },
		{ .key = "value", .title = "VALUE", .right = true },
		{ .key = "doc", .title = "WHAT IT COUNTS" },
	};
	static const struct column stores[] = {
		{ .key = "kind", .title = "KIND" },
		{ .key = "schema", .title = "SCHEMA" },
		{ .key = "version", .title = "VERSION", .right = true },
		{ .key = "sharing", .title = "SHARING" },
		{ .key = "record_size", .title = "BYTES A RECORD", .right = true },
		{ .key = "lists", .title = "LISTS", .right = true },
		{ .key = "undo", .title = "UNDO" },
		{ .key = "converts", .title = "CONVERTS" },
	};

	/* For people it is not worth a line that there is none. */
	if (!json_object_object_get(policy, "quarantine"))
		json_object_object_del(policy, "quarantine");
	fields_print(policy, "");
	policy_part_print(policy, "tunables", "tunables", tunables, ARRAY_SIZE(tunables));
	policy_part_print(policy, "counters", "counters", counters, ARRAY_SIZE(counters));
	policy_part_print(policy, "stores", "stores", stores, ARRAY_SIZE(stores));
	if (json_object_object_get(policy, "quarantine"))
		quarantine_print(json_object_object_get(policy, "quarantine"));
}

static enum tiffin_exit show_family(const char *family, bool json)
{
	struct json_object *o = family_read(family);

	if (json)
		json_print(o);
	else
		family_print(o);
	json_object_put(o);
	return TIFFIN_EXIT_OK;
}

static enum tiffin_exit show_policy(const char *spec, bool json)
{
	struct json_object *policy;
	enum tiffin_exit code = policy_find(spec, NULL, &policy);
	const char *id;

	if (code)
		return code;
	id = json_text(policy, "id");
	json_add(policy, "tunables", policy_tunables(id));
	json_add(policy, "counters", policy_counters(id));
	json_add(policy, "stores", policy_stores(id));
	json_add(policy, "quarantine", quarantine_read(policy));
	if (json)
		json_print(policy);
	else
		policy_print(policy);
	json_object_put(policy);
	return TIFFIN_EXIT_OK;
}

static enum tiffin_exit show_run(const struct invocation *inv)
{
	enum tiffin_exit code = sysfs_need_host();
	const char *what = inv->argc ? inv->argv[0] : NULL;
	struct strings families;
	bool is_family;

	if (code)
		return code;
	if (option(inv, "stores"))
		return stores_show(what, inv->json);
	if (!what)
		return show_overview(inv->json);
	families = sysfs_families();
	is_family = strings_have(&families, what);
	strings_free(&families);
	return is_family ? show_family(what, inv->json) : show_policy(what, inv->json);
}

const struct command command_list = {
	.name = "list",
	.operands = "",
	.summary = "list the families and policies that are loaded",
	.run = list_run,
};

static const struct option_spec show_options[] = {
	{ .name = "stores",
	  .help = "show the stores, what they take, and how far a conversion has come" },
	{ 0 }
};

const struct command command_show = {
	.name = "show",
	.operands = "[FAMILY|POLICY]",
	.summary = "show all there is to know of a family, a policy, or the whole",
	.options = show_options,
	.max_operands = 1,
	.run = show_run,
};
