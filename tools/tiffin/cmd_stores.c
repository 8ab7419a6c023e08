// SPDX-License-Identifier: GPL-2.0-only
/* show --stores: the state that outlives policies, and what it takes. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "policy.h"
#include "sysfs.h"

/* Only scopes where @id is active; all where it is NULL. */
static struct json_object *scopes_read(const char *family, const char *id)
{
	struct json_object *scopes = json_object_new_array();
	struct strings names = sysfs_scopes(family);

	for (size_t i = 0; i < names.count; i++) {
		const char *scope = names.item[i];
		char *active __free_on_exit = sysfs_read("%s/scopes/%s/active", family, scope);
		char *state __free_on_exit = sysfs_read("%s/scopes/%s/state", family, scope);
		struct json_object *o;

		if (id && (!active || strcmp(active, id)))
			continue;
		o = json_object_new_object();
		json_add_string(o, "scope", scope);
		json_add_string(o, "active", active);
		json_add_string(o, "state", state);
		json_add(o, "stores", scope_stores(family, scope));
		json_object_array_add(scopes, o);
	}
	strings_free(&names);
	return scopes;
}

static struct json_object *family_stores(const char *family, const char *id)
{
	char *held __free_on_exit = sysfs_read("%s/stores_bytes", family);
	char *limit __free_on_exit = sysfs_read("%s/limits/stores_kib", family);
	struct json_object *o = json_object_new_object();

	json_add_string(o, "family", family);
	json_add_numeral(o, "stores_bytes", held);
	json_add_numeral(o, "stores_kib", limit);
	json_add(o, "scopes", scopes_read(family, id));
	return o;
}

/* Of one family, of the policy @id, or all. */
static struct json_object *doc_read(const char *family, const char *id)
{
	struct json_object *families = json_object_new_array();
	struct json_object *declared = json_object_new_array();
	struct json_object *doc = json_object_new_object();
	struct json_object *policies = policies_read();
	struct strings names = sysfs_families();

	for (size_t i = 0; i < names.count; i++)
		if (!family || !strcmp(family, names.item[i]))
			json_object_array_add(families, family_stores(names.item[i], id));
	for (size_t i = 0; i < json_object_array_length(policies); i++) {
		struct json_object *policy = json_at(policies, i), *o;
		const char *its_id = json_text(policy, "id");

		if ((family && strcmp(family, json_text(policy, "family"))) ||
		    (id && strcmp(id, its_id)))
			continue;
		o = json_object_new_object();
		json_add_string(o, "id", its_id);
		json_add_string(o, "family", json_text(policy, "family"));
		json_add_string(o, "state", json_text(policy, "state"));
		json_add(o, "stores", policy_stores(its_id));
		json_object_array_add(declared, o);
	}
	json_add(doc, "families", families);
	json_add(doc, "policies", declared);
	json_object_put(policies);
	strings_free(&names);
	return doc;
}

/* The rows of all members of @array, each with what it belongs to. */
static void rows_add(struct json_object *rows, struct json_object *array, const char *family)
{
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		struct json_object *owner = json_at(array, i);
		struct json_object *stores = json_object_object_get(owner, "stores");

		for (size_t s = 0; s < json_object_array_length(stores); s++) {
			struct json_object *row = json_object_new_object();

			if (family)
				json_add_string(row, "family", family);
			json_object_object_foreach(owner, name, fact)
				if (strcmp(name, "stores"))
					json_add(row, name, json_object_get(fact));
			json_object_object_foreach(json_at(stores, s), key, value)
				json_add(row, key, json_object_get(value));
			json_object_array_add(rows, row);
		}
	}
}

static void held_print(struct json_object *family)
{
	char *held __free_on_exit = format_bytes(json_number(family, "stores_bytes"));
	char *limit __free_on_exit = format_bytes(json_number(family, "stores_kib") * 1024);

	printf("%s: stores take %s of %s\n", json_text(family, "family"), held, limit);
}

static void doc_print(struct json_object *doc)
{
	static const struct column live[] = {
		{ .key = "family", .title = "FAMILY" },
		{ .key = "scope", .title = "SCOPE" },
		{ .key = "active", .title = "ACTIVE" },
		{ .key = "kind", .title = "STORE" },
		{ .key = "schema", .title = "SCHEMA" },
		{ .key = "version", .title = "VERSION", .right = true },
		{ .key = "sharing", .title = "SHARING" },
		{ .key = "record_size", .title = "BYTES A RECORD", .right = true },
		{ .key = "lists", .title = "LISTS", .right = true },
		{ .key = "records", .title = "RECORDS", .right = true },
		{ .key = "bytes", .title = "TAKES", .right = true, .unit = UNIT_BYTES },
		{ .key = "converted", .title = "CONVERTED", .right = true },
		{ .key = "pending", .title = "PENDING", .right = true },
	};
	static const struct column declared[] = {
		{ .key = "id", .title = "POLICY" },
		{ .key = "state", .title = "STATE" },
		{ .key = "kind", .title = "STORE" },
		{ .key = "schema", .title = "SCHEMA" },
		{ .key = "version", .title = "VERSION", .right = true },
		{ .key = "sharing", .title = "SHARING" },
		{ .key = "record_size", .title = "BYTES A RECORD", .right = true },
		{ .key = "lists", .title = "LISTS", .right = true },
		{ .key = "records", .title = "RECORDS", .right = true },
		{ .key = "bytes", .title = "TAKES", .right = true, .unit = UNIT_BYTES },
		{ .key = "undo", .title = "UNDO" },
		{ .key = "converts", .title = "CONVERTS" },
	};
	struct json_object *families = json_object_object_get(doc, "families");
	struct json_object *rows = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(families); i++) {
		struct json_object *family = json_at(families, i);

		held_print(family);
		rows_add(rows, json_object_object_get(family, "scopes"),
			 json_text(family, "family"));
	}
	if (json_object_array_length(rows)) {
		puts("\nof what is active");
		table_print(rows, live, ARRAY_SIZE(live));
	}
	json_object_put(rows);
	rows = json_object_new_array();
	rows_add(rows, json_object_object_get(doc, "policies"), NULL);
	if (json_object_array_length(rows)) {
		puts("\nas declared");
		table_print(rows, declared, ARRAY_SIZE(declared));
	}
	json_object_put(rows);
}

/* @what names a family or a policy. */
static enum tiffin_exit names_read(const char *what, char **family, char **id)
{
	struct strings families = sysfs_families();
	enum tiffin_exit code = TIFFIN_EXIT_OK;
	struct json_object *policy;

	if (strings_have(&families, what)) {
		*family = xstrdup(what);
	} else {
		code = policy_find(what, NULL, &policy);
		if (!code) {
			*family = xstrdup(json_text(policy, "family"));
			*id = xstrdup(json_text(policy, "id"));
			json_object_put(policy);
		}
	}
	strings_free(&families);
	return code;
}

enum tiffin_exit stores_show(const char *what, bool json)
{
	char *family __free_on_exit = NULL;
	char *id __free_on_exit = NULL;
	struct json_object *doc;
	enum tiffin_exit code;

	if (what) {
		code = names_read(what, &family, &id);
		if (code)
			return code;
	}
	doc = doc_read(family, id);
	if (json)
		json_print(doc);
	else
		doc_print(doc);
	json_object_put(doc);
	return TIFFIN_EXIT_OK;
}
