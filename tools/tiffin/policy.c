// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "policy.h"
#include "sysfs.h"

struct json_object *policy_read(const char *id)
{
	static const char * const facts[] = {
		"name", "version", "build", "family", "abi", "module", "doc", "state",
	};
	struct json_object *policy = json_object_new_object();
	char *instances __free_on_exit = sysfs_read("policies/%s/instances", id);

	json_add_string(policy, "id", id);
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		char *text __free_on_exit = sysfs_read("policies/%s/%s", id, facts[i]);

		json_add_string(policy, facts[i], text);
	}
	json_add_numeral(policy, "instances", instances);
	return policy;
}

struct json_object *policies_read(void)
{
	struct json_object *policies = json_object_new_array();
	struct strings ids = sysfs_folders("policies");

	for (size_t i = 0; i < ids.count; i++)
		json_object_array_add(policies, policy_read(ids.item[i]));
	strings_free(&ids);
	return policies;
}

bool policy_matches(struct json_object *policy, const char *spec)
{
	const char *name = json_text(policy, "name");
	char *with_version __free_on_exit = xasprintf("%s-%s", name, json_text(policy, "version"));

	return !strcmp(spec, name) || !strcmp(spec, with_version) ||
	       !strcmp(spec, json_text(policy, "id"));
}

/* Ids and families of the policies that match; every id where @spec is NULL. */
static struct json_object *matches(const char *spec, const char *family, struct strings *ids,
				   struct strings *families)
{
	struct json_object *policies = policies_read();
	struct json_object *found = NULL;

	for (size_t i = 0; i < json_object_array_length(policies); i++) {
		struct json_object *policy = json_at(policies, i);
		const char *its_family = json_text(policy, "family");

		if (spec && !policy_matches(policy, spec))
			continue;
		if (family && strcmp(family, its_family))
			continue;
		strings_add(ids, json_text(policy, "id"));
		if (!strings_have(families, its_family))
			strings_add(families, its_family);
		if (!found)
			found = json_object_get(policy);
	}
	json_object_put(policies);
	return found;
}

static enum tiffin_exit no_such_policy(const char *spec, const char *family)
{
	struct strings ids = { 0 }, families = { 0 };
	char *names __free_on_exit = NULL;
	char *next __free_on_exit = NULL;

	json_object_put(matches(NULL, family, &ids, &families));
	names = strings_join(&ids, ", ", 20);
	next = xasprintf("loaded: %s\nload one: tiffin load FILE.ko", ids.count ? names : "none");
	strings_free(&ids);
	strings_free(&families);
	if (family)
		return fail(TIFFIN_EXIT_NOT_FOUND, next, "no policy '%s' is loaded in family %s",
			    spec, family);
	return fail(TIFFIN_EXIT_NOT_FOUND, next, "no policy '%s' is loaded", spec);
}

enum tiffin_exit policy_find(const char *spec, const char *family, struct json_object **policy)
{
	struct strings ids = { 0 }, families = { 0 };
	enum tiffin_exit code = TIFFIN_EXIT_OK;

	*policy = matches(spec, family, &ids, &families);
	if (!*policy) {
		code = no_such_policy(spec, family);
	} else if (ids.count > 1) {
		char *names __free_on_exit = strings_join(&ids, ", ", 20);
		char *next __free_on_exit = xasprintf("say which: %s", names);

		code = fail(TIFFIN_EXIT_USAGE, next, "'%s' names %zu loaded policies", spec,
			    ids.count);
		json_object_put(*policy);
		*policy = NULL;
	}
	strings_free(&ids);
	strings_free(&families);
	return code;
}

enum tiffin_exit policy_need(const char *spec, const char *family)
{
	struct strings ids = { 0 }, families = { 0 };
	struct json_object *policy = matches(spec, family, &ids, &families);

	strings_free(&ids);
	strings_free(&families);
	if (!policy)
		return no_such_policy(spec, family);
	json_object_put(policy);
	return TIFFIN_EXIT_OK;
}

static enum tiffin_exit only_family(char **family)
{
	struct strings families = sysfs_families();
	enum tiffin_exit code = TIFFIN_EXIT_OK;

	if (families.count == 1) {
		*family = xstrdup(families.item[0]);
	} else {
		char *names __free_on_exit = strings_join(&families, ", ", 20);
		char *next __free_on_exit = xasprintf("say which: %s",
						      families.count ? names : "none is loaded");

		code = fail(TIFFIN_EXIT_USAGE, next, "every family has a policy '%s'",
			    POLICY_DEFAULT);
	}
	strings_free(&families);
	return code;
}

enum tiffin_exit policy_family(const char *spec, char **family)
{
	struct strings ids = { 0 }, families = { 0 };
	enum tiffin_exit code = TIFFIN_EXIT_OK;
	struct json_object *policy;

	*family = NULL;
	if (!strcmp(spec, POLICY_DEFAULT))
		return only_family(family);

	policy = matches(spec, NULL, &ids, &families);
	if (!policy) {
		code = no_such_policy(spec, NULL);
	} else if (families.count > 1) {
		char *names __free_on_exit = strings_join(&families, ", ", 20);
		char *next __free_on_exit = xasprintf("say which: %s", names);

		code = fail(TIFFIN_EXIT_USAGE, next, "%zu families have a policy '%s'",
			    families.count, spec);
	} else {
		*family = xstrdup(json_text(policy, "family"));
	}
	json_object_put(policy);
	strings_free(&ids);
	strings_free(&families);
	return code;
}

size_t split_words(char *text, char **words, size_t max)
{
	size_t n = 0;

	while (n < max) {
		text += strspn(text, " \t");
		if (!*text)
			break;
		words[n++] = text;
		if (n == max)
			break;
		text += strcspn(text, " \t");
		if (*text)
			*text++ = '\0';
	}
	return n;
}

/*
 * One object for each line of @text. @keys name its words; the last word runs to the end of the
 * line. Keys that begin with '#' are numbers.
 */
static struct json_object *lines_read(char *text, const char * const *keys, size_t nr_keys)
{
	struct json_object *rows = json_object_new_array();
	char *rest = text, *line;

	while (rest && (line = strsep(&rest, "\n"))) {
		struct json_object *row;
		char *words[9] = { NULL };

		if (!split_words(line, words, nr_keys))
			continue;
		row = json_object_new_object();
		for (size_t i = 0; i < nr_keys; i++) {
			if (keys[i][0] == '#')
				json_add_numeral(row, keys[i] + 1, words[i]);
			else
				json_add_string(row, keys[i], words[i]);
		}
		json_object_array_add(rows, row);
	}
	return rows;
}

static void add_values(struct json_object *rows, const char *id, const char *folder)
{
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_at(rows, i);
		char *value __free_on_exit = sysfs_read("policies/%s/%s/%s", id, folder,
							json_text(row, "name"));

		json_add_numeral(row, "value", value);
	}
}

struct json_object *policy_tunables(const char *id)
{
	static const char * const keys[] = { "name", "#min", "#max", "#default", "doc" };
	char *text __free_on_exit = sysfs_read("policies/%s/tunables_info", id);
	struct json_object *rows = lines_read(text, keys, ARRAY_SIZE(keys));

	add_values(rows, id, "tunables");
	return rows;
}

struct json_object *policy_counters(const char *id)
{
	static const char * const keys[] = { "name", "doc" };
	char *text __free_on_exit = sysfs_read("policies/%s/counters_info", id);
	struct json_object *rows = lines_read(text, keys, ARRAY_SIZE(keys));

	add_values(rows, id, "counters");
	return rows;
}

static void store_add_info(struct json_object *row, struct json_object *infos)
{
	struct json_object *info = NULL, *value;

	for (size_t i = 0; i < json_object_array_length(infos) && !info; i++)
		if (!strcmp(json_text(json_at(infos, i), "kind"), json_text(row, "kind")))
			info = json_at(infos, i);
	json_add_string(row, "undo", info ? json_text(info, "undo") : NULL);
	if (info)
		json_add_bool(row, "converts", !strcmp(json_text(info, "convert"), "yes"));
	else
		json_add(row, "converts", NULL);
	json_add(row, "records", json_object_object_get_ex(info, "records", &value) ?
		 json_object_get(value) : NULL);
	json_add(row, "bytes", json_object_object_get_ex(info, "bytes", &value) ?
		 json_object_get(value) : NULL);
}

/* Lists have no records; the number in that place is how many lists there are. */
static void store_split_lists(struct json_object *row)
{
	bool lists = !strcmp(json_text(row, "kind"), "lists");
	struct json_object *number = json_object_object_get(row, "record_size");

	json_add(row, "lists", lists ? json_object_get(number) : NULL);
	if (lists)
		json_add(row, "record_size", NULL);
}

static struct json_object *stores_read(char *text, const char * const *keys, size_t nr_keys)
{
	struct json_object *rows = lines_read(text, keys, nr_keys);

	for (size_t i = 0; i < json_object_array_length(rows); i++)
		store_split_lists(json_at(rows, i));
	return rows;
}

struct json_object *policy_stores(const char *id)
{
	static const char * const keys[] = {
		"kind", "schema", "#version", "sharing", "#record_size",
	};
	static const char * const more[] = { "kind", "undo", "convert", "#records", "#bytes" };
	char *text __free_on_exit = sysfs_read("policies/%s/stores", id);
	char *info __free_on_exit = sysfs_read("policies/%s/stores_info", id);
	struct json_object *rows = stores_read(text, keys, ARRAY_SIZE(keys));
	struct json_object *infos = lines_read(info, more, ARRAY_SIZE(more));

	for (size_t i = 0; i < json_object_array_length(rows); i++)
		store_add_info(json_at(rows, i), infos);
	json_object_put(infos);
	return rows;
}

struct json_object *policy_handover(const char *id)
{
	static const char * const keys[] = { "scope", "kind", "handover", "rollback", "#bytes" };
	char *text __free_on_exit = sysfs_read("policies/%s/handover", id);

	return lines_read(text, keys, ARRAY_SIZE(keys));
}

struct json_object *scope_stores(const char *family, const char *scope)
{
	static const char * const keys[] = {
		"kind", "schema", "#version", "sharing", "#record_size", "#records", "#bytes",
		"#converted", "#pending",
	};
	char *text __free_on_exit = sysfs_read("%s/scopes/%s/stores", family, scope);

	return stores_read(text, keys, ARRAY_SIZE(keys));
}

/* A name is followed by '-' in an id, a name with a version by '+'; neither stands in them. */
static bool id_matches(const char *id, const char *spec)
{
	size_t len = strlen(spec);

	return !strncmp(id, spec, len) && (!id[len] || id[len] == '-' || id[len] == '+');
}

char *policy_newest(const char *family, const char *spec)
{
	char *text __free_on_exit = sysfs_read("%s/available", family);
	char *rest = text, *line;

	/* The newest comes first; "default" is nobody else's name. */
	while (rest && (line = strsep(&rest, "\n")))
		if (id_matches(line, spec))
			return xstrdup(line);
	return NULL;
}

struct json_object *scope_read(const char *family, const char *scope)
{
	static const char * const facts[] = { "active", "previous", "state", "error" };
	struct json_object *o = json_object_new_object();

	json_add_string(o, "scope", scope);
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		char *text __free_on_exit = sysfs_read("%s/scopes/%s/%s", family, scope, facts[i]);

		json_add_string(o, facts[i], text);
	}
	return o;
}

struct json_object *scope_table(const char *family, const char *scope, const char *file)
{
	static const char * const words[] = { "from", "to", "result", "reason", "held_up_by" };
	struct json_object *o = json_object_new_object();
	char *text __free_on_exit = sysfs_read("%s/scopes/%s/%s", family, scope, file);
	char *rest = text, *line;

	while (rest && (line = strsep(&rest, "\n"))) {
		char *pair[2] = { NULL };
		bool is_word = false;

		if (!split_words(line, pair, 2))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(words); i++)
			is_word |= !strcmp(pair[0], words[i]);
		if (is_word)
			json_add_string(o, pair[0], pair[1] ? pair[1] : "");
		else
			json_add_numeral(o, pair[0], pair[1]);
	}
	return o;
}

struct json_object *numbers_read(const char *folder)
{
	struct json_object *o = json_object_new_object();
	struct strings files = sysfs_files("%s", folder);

	for (size_t i = 0; i < files.count; i++) {
		char *text __free_on_exit = sysfs_read("%s/%s", folder, files.item[i]);

		json_add_numeral(o, files.item[i], text);
	}
	strings_free(&files);
	return o;
}
