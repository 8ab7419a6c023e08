// SPDX-License-Identifier: GPL-2.0-only
/*
 * swap --dry-run. What would become of each store is the host's own answer, the policy's file
 * "handover"; here it is only held against what is active, and against the limit on memory.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dry_run.h"
#include "policy.h"
#include "sysfs.h"

/* How many the host takes: TIFFIN_MAX_GATES. */
#define MAX_GATES	8

static bool metric_known(const char *family, const char *id, const char *metric)
{
	static const char * const own[] = {
		"hook_p50", "hook_p99", "hook_max", "bad_answers", "continuity",
	};
	const char *counter = strncmp(metric, "counter.", 8) ? metric : metric + 8;

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (!strcmp(metric, own[i]))
			return true;
	return (name_ok(metric) && sysfs_exists("%s/figures/%s", family, metric)) ||
	       (name_ok(counter) && sysfs_exists("policies/%s/counters/%s", id, counter));
}

static enum tiffin_exit gates_check(const char *family, const char *scope, const char *id,
				    const char *request)
{
	char *text __free_on_exit = xstrdup(request);
	char *rest = text, *word;
	size_t gates = 0;

	while ((word = strsep(&rest, " "))) {
		char *metric = word + strlen("gate=");

		if (strncmp(word, "gate=", strlen("gate=")))
			continue;
		if (++gates > MAX_GATES)
			return fail(TIFFIN_EXIT_REFUSED, NULL, "%s/%s: more than %d gates", family,
				    scope, MAX_GATES);
		metric[strcspn(metric, "<>")] = '\0';
		if (!metric_known(family, id, metric))
			return fail(TIFFIN_EXIT_REFUSED, NULL,
				    "%s/%s: gate '%s': no such metric; use hook_p50, hook_p99, hook_max, bad_answers, continuity, a file under figures/, or a counter of %s",
				    family, scope, metric, id);
	}
	return TIFFIN_EXIT_OK;
}

static struct json_object *row_of_kind(struct json_object *rows, const char *kind)
{
	for (size_t i = 0; i < json_object_array_length(rows); i++)
		if (!strcmp(json_text(json_at(rows, i), "kind"), kind))
			return json_at(rows, i);
	return NULL;
}

static void row_add(struct json_object *rows, struct json_object *store, const char *handover,
		    const char *rollback, int64_t bytes)
{
	struct json_object *row = json_object_new_object();

	json_add_string(row, "kind", json_text(store, "kind"));
	json_add_string(row, "schema", json_text(store, "schema"));
	json_add_string(row, "handover", handover);
	json_add_string(row, "rollback", rollback);
	json_add_number(row, "bytes", bytes);
	json_object_array_add(rows, row);
}

/* One row for each store that the newer policy or the older one has. */
static struct json_object *rows_read(const char *family, const char *scope, const char *id)
{
	struct json_object *live = scope_stores(family, scope);
	struct json_object *declared = policy_stores(id);
	struct json_object *plan = policy_handover(id);
	struct json_object *rows = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(plan); i++) {
		struct json_object *line = json_at(plan, i);

		if (!strcmp(json_text(line, "scope"), scope))
			row_add(rows, row_of_kind(declared, json_text(line, "kind")),
				json_text(line, "handover"), json_text(line, "rollback"),
				json_number(line, "bytes"));
	}
	/* What has no successor is there until the swap is kept. */
	for (size_t i = 0; i < json_object_array_length(live); i++)
		if (!row_of_kind(declared, json_text(json_at(live, i), "kind")))
			row_add(rows, json_at(live, i), "dropped", "kept", 0);
	json_object_put(live);
	json_object_put(declared);
	json_object_put(plan);
	return rows;
}

/*
 * What was known about objects is learnt anew from what the family keeps of each (heat, placement);
 * about the other kinds it keeps nothing.
 */
static bool rebuilt(const char *kind)
{
	return !strcmp(kind, "object");
}

/* What a store of this kind is when it begins. */
static const char *beginning(const char *kind)
{
	if (rebuilt(kind))
		return "rebuilt from what the family knows";
	return strcmp(kind, "lists") ? "starts from zeros" : "starts with empty lists";
}

/* For people; to be freed. */
static char *in_words(const char *kind, const char *handover, const char *rollback)
{
	if (!strcmp(handover, "reference"))
		return xstrdup("handed over by reference");
	if (!strcmp(handover, "convert"))
		return xstrdup("converted");
	if (strcmp(handover, "zeros"))
		return xstrdup(handover);
	return xasprintf("%s%s", strcmp(rollback, "none") ? "dropped, " : "", beginning(kind));
}

static const char *rollback_in_words(const char *kind, const char *rollback)
{
	if (!strcmp(rollback, "zeros") && rebuilt(kind))
		return "nothing: rebuilt from what the family knows";
	if (!strcmp(rollback, "zeros") && !strcmp(kind, "lists"))
		return "empty lists";
	if (!strcmp(rollback, "live"))
		return "what the newer policy made of it";
	if (!strcmp(rollback, "snapshot"))
		return "its bytes at the swap";
	if (!strcmp(rollback, "kept"))
		return "each record as at the swap";
	return strcmp(rollback, "none") ? rollback : NULL;
}

static void rows_print(struct json_object *rows)
{
	static const struct column columns[] = {
		{ .key = "kind", .title = "STORE" },
		{ .key = "schema", .title = "SCHEMA" },
		{ .key = "says", .title = "IS" },
		{ .key = "back", .title = "A ROLLBACK FINDS" },
		{ .key = "bytes", .title = "TAKES", .right = true, .unit = UNIT_BYTES },
	};
	struct json_object *said = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_at(rows, i), *line = json_object_new_object();
		const char *kind = json_text(row, "kind"), *handover = json_text(row, "handover");
		const char *rollback = json_text(row, "rollback");
		char *says __free_on_exit = in_words(kind, handover, rollback);

		json_add_string(line, "kind", kind);
		json_add_string(line, "schema", json_text(row, "schema"));
		json_add_string(line, "says", says);
		json_add_string(line, "back", rollback_in_words(kind, rollback));
		json_add_number(line, "bytes", json_number(row, "bytes"));
		json_object_array_add(said, line);
	}
	table_print(said, columns, ARRAY_SIZE(columns));
	json_object_put(said);
}

static void doc_print(struct json_object *doc)
{
	struct json_object *rows = json_object_object_get(doc, "stores");
	char *takes __free_on_exit = format_bytes(json_number(doc, "bytes"));
	char *held __free_on_exit = format_bytes(json_number(doc, "stores_bytes"));
	char *limit __free_on_exit = format_bytes(json_number(doc, "stores_kib") * 1024);

	printf("%s/%s: %s -> %s, a dry run: nothing has changed\n", json_text(doc, "family"),
	       json_text(doc, "scope"), json_text(doc, "from"), json_text(doc, "to"));
	if (json_object_array_length(rows))
		rows_print(rows);
	else
		puts("neither has a store");
	printf("memory: %s more, beside %s held, of %s\n", takes, held, limit);
}

/* @id is not active yet. */
static struct json_object *doc_read(const char *family, const char *scope, const char *policy,
				    const char *from, const char *id)
{
	char *held __free_on_exit = sysfs_read("%s/stores_bytes", family);
	char *limit __free_on_exit = sysfs_read("%s/limits/stores_kib", family);
	struct json_object *rows = rows_read(family, scope, id);
	struct json_object *doc = json_object_new_object();
	int64_t bytes = 0;

	for (size_t i = 0; i < json_object_array_length(rows); i++)
		bytes += json_number(json_at(rows, i), "bytes");
	json_add_string(doc, "family", family);
	json_add_string(doc, "scope", scope);
	json_add_string(doc, "policy", policy);
	json_add_string(doc, "result", "possible");
	json_add_string(doc, "from", from);
	json_add_string(doc, "to", id);
	json_add(doc, "stores", rows);
	json_add_number(doc, "bytes", bytes);
	json_add_numeral(doc, "stores_bytes", held);
	json_add_numeral(doc, "stores_kib", limit);
	return doc;
}

static int64_t kib(int64_t bytes)
{
	return (bytes + 1023) / 1024;
}

/* What takes no more memory is not refused, wherever the limit is. */
static enum tiffin_exit memory_check(struct json_object *doc)
{
	int64_t bytes = json_number(doc, "bytes"), held = json_number(doc, "stores_bytes");
	int64_t limit = json_number(doc, "stores_kib");
	const char *family = json_text(doc, "family");
	char *next __free_on_exit = NULL;

	if (!bytes || held + bytes <= limit * 1024)
		return TIFFIN_EXIT_OK;
	next = xasprintf("raise it: echo %" PRId64 " > %s/%s/limits/stores_kib",
			 kib(held + bytes), sysfs_root(), family);
	return fail(TIFFIN_EXIT_REFUSED, next,
		    "%s/%s: stores of %s take %" PRId64 " KiB beside the %" PRId64
		    " KiB held, %s/limits/stores_kib is %" PRId64,
		    family, json_text(doc, "scope"), json_text(doc, "to"), kib(bytes), kib(held),
		    family, limit);
}

static enum tiffin_exit unchanged_print(const char *family, const char *scope, const char *policy,
					bool json)
{
	struct json_object *doc;

	if (!json) {
		printf("%s/%s: %s is active already\n", family, scope, policy);
		return TIFFIN_EXIT_OK;
	}
	doc = json_object_new_object();
	json_add_string(doc, "family", family);
	json_add_string(doc, "scope", scope);
	json_add_string(doc, "policy", policy);
	json_add_string(doc, "result", "unchanged");
	json_print(doc);
	json_object_put(doc);
	return TIFFIN_EXIT_OK;
}

/* What to do about a scope in @state, which is not stable. */
static const char *busy_hint(const char *state)
{
	if (!strcmp(state, "probation"))
		return "end the probation: tiffin commit FAMILY, or tiffin rollback FAMILY";
	if (!strcmp(state, "sweeping"))
		return "wait for the sweep: tiffin show --stores says how many records are left";
	return "wait for the swap that is under way: tiffin watch";
}

enum tiffin_exit dry_run(const char *family, const char *scope, const char *policy,
			 const char *request, bool json)
{
	char *state __free_on_exit = sysfs_read("%s/scopes/%s/state", family, scope);
	char *active __free_on_exit = sysfs_read("%s/scopes/%s/active", family, scope);
	char *id __free_on_exit = policy_newest(family, policy);
	struct json_object *doc;
	enum tiffin_exit code;

	/* In the order in which the host looks at them. */
	if (!state || strcmp(state, "stable"))
		return fail(TIFFIN_EXIT_BUSY, busy_hint(state ? state : ""),
			    "%s/%s is busy: its state is %s", family, scope,
			    state ? state : "not known");
	if (!id || !active)
		return fail(TIFFIN_EXIT_NOT_FOUND, "what is loaded: tiffin list",
			    "no policy '%s' in family %s", policy, family);
	if (!strcmp(id, active))
		return unchanged_print(family, scope, policy, json);
	code = gates_check(family, scope, id, request);
	if (code)
		return code;
	doc = doc_read(family, scope, policy, active, id);
	code = memory_check(doc);
	/* A program gets one document: this one, or the failure's. */
	if (!json)
		doc_print(doc);
	else if (!code)
		json_print(doc);
	json_object_put(doc);
	return code;
}
