// SPDX-License-Identifier: GPL-2.0-only
/* stats: what the host has counted, once or again and again. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "policy.h"
#include "sysfs.h"
#include "tables.h"

#define ROWS_A_HEAD	20

static struct json_object *counters_read(const char *id)
{
	char *folder __free_on_exit = xasprintf("policies/%s/counters", id);

	return numbers_read(folder);
}

static struct json_object *scope_stats(const char *family, const char *scope)
{
	struct json_object *o = json_object_new_object();
	char *active __free_on_exit = sysfs_read("%s/scopes/%s/active", family, scope);

	json_add_string(o, "scope", scope);
	json_add_string(o, "active", active);
	json_add(o, "stats", scope_table(family, scope, "stats"));
	json_add(o, "counters", counters_read(active ? active : POLICY_DEFAULT));
	return o;
}

static struct json_object *family_stats(const char *family)
{
	struct json_object *o = json_object_new_object();
	struct json_object *scopes = json_object_new_array();
	struct strings names = sysfs_scopes(family);
	char *figures __free_on_exit = xasprintf("%s/figures", family);

	json_add_string(o, "family", family);
	for (size_t i = 0; i < names.count; i++)
		json_object_array_add(scopes, scope_stats(family, names.item[i]));
	json_add(o, "scopes", scopes);
	json_add(o, "figures", numbers_read(figures));
	tables_read(family, o);
	strings_free(&names);
	return o;
}

static struct json_object *stats_read(const struct strings *families)
{
	struct json_object *doc = json_object_new_object();
	struct json_object *array = json_object_new_array();
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	json_add_number(doc, "time_ms", (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
	for (size_t i = 0; i < families->count; i++)
		json_object_array_add(array, family_stats(families->item[i]));
	json_add(doc, "families", array);
	return doc;
}

static void stats_print(struct json_object *doc)
{
	struct json_object *families = json_object_object_get(doc, "families");

	for (size_t f = 0; f < json_object_array_length(families); f++) {
		struct json_object *family = json_at(families, f);
		struct json_object *scopes = json_object_object_get(family, "scopes");

		for (size_t i = 0; i < json_object_array_length(scopes); i++) {
			struct json_object *scope = json_at(scopes, i);

			printf("%s/%s: %s\n", json_text(family, "family"),
			       json_text(scope, "scope"), json_text(scope, "active"));
			fields_print(json_object_object_get(scope, "stats"), "  ");
			if (json_object_object_length(json_object_object_get(scope, "counters"))) {
				puts("policy's counters");
				fields_print(json_object_object_get(scope, "counters"), "  ");
			}
		}
		puts("figures");
		fields_print(json_object_object_get(family, "figures"), "  ");
		tables_print(family);
	}
}

/* The scope of @doc that @scope of @family is, or NULL. */
static struct json_object *same_scope(struct json_object *doc, const char *family,
				      const char *scope)
{
	struct json_object *families = json_object_object_get(doc, "families");

	for (size_t f = 0; doc && f < json_object_array_length(families); f++) {
		struct json_object *scopes = json_object_object_get(json_at(families, f), "scopes");

		if (strcmp(json_text(json_at(families, f), "family"), family))
			continue;
		for (size_t i = 0; i < json_object_array_length(scopes); i++)
			if (!strcmp(json_text(json_at(scopes, i), "scope"), scope))
				return json_at(scopes, i);
	}
	return NULL;
}

static int64_t growth(struct json_object *now, struct json_object *before, const char *key)
{
	return json_number(json_object_object_get(now, "stats"), key) -
	       json_number(json_object_object_get(before, "stats"), key);
}

static void head_print(void)
{
	printf("%-8s  %-24s  %-28s  %10s  %10s  %10s  %10s  %8s  %8s\n", "TIME", "SCOPE", "ACTIVE",
	       "CALLS/S", "ANSWERED/S", "CONTINUITY", "BAD", "HOOK P50", "HOOK P99");
}

static void line_print(struct json_object *family, struct json_object *scope,
		       struct json_object *before, int64_t ms)
{
	struct json_object *stats = json_object_object_get(scope, "stats");
	char *p50 __free_on_exit = format_ns(json_number(stats, "hook_p50_ns"));
	char *p99 __free_on_exit = format_ns(json_number(stats, "hook_p99_ns"));
	char *name __free_on_exit = xasprintf("%s/%s", json_text(family, "family"),
					      json_text(scope, "scope"));
	time_t t = time(NULL);
	struct tm tm;
	char clock[16];

	localtime_r(&t, &tm);
	strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	printf("%-8s  %-24s  %-28s  %10" PRId64 "  %10" PRId64 "  %10" PRId64 "  %10" PRId64
	       "  %8s  %8s\n", clock, name, json_text(scope, "active"),
	       growth(scope, before, "calls") * 1000 / ms,
	       growth(scope, before, "answered") * 1000 / ms,
	       growth(scope, before, "continuity"), growth(scope, before, "bad_answers"), p50,
	       p99);
}

static void interval_print(struct json_object *now, struct json_object *before, size_t *rows)
{
	struct json_object *families = json_object_object_get(now, "families");
	int64_t ms = json_number(now, "time_ms") - json_number(before, "time_ms");

	for (size_t f = 0; f < json_object_array_length(families); f++) {
		struct json_object *family = json_at(families, f);
		struct json_object *scopes = json_object_object_get(family, "scopes");

		for (size_t i = 0; i < json_object_array_length(scopes); i++) {
			struct json_object *scope = json_at(scopes, i);
			struct json_object *old = same_scope(before, json_text(family, "family"),
							     json_text(scope, "scope"));

			if (!old)
				continue;
			if (!((*rows)++ % ROWS_A_HEAD))
				head_print();
			line_print(family, scope, old, ms > 0 ? ms : 1);
		}
	}
	fflush(stdout);
}

static void sleep_ms(uint64_t ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* One line for each interval, @count of them, or without end where it is 0. */
static enum tiffin_exit stats_follow(const struct strings *families, uint64_t interval_ms,
				     int64_t count, bool json)
{
	struct json_object *before = stats_read(families);
	enum tiffin_exit code = TIFFIN_EXIT_OK;
	size_t rows = 0;

	for (int64_t n = 0; !code && (!count || n < count); n++) {
		struct json_object *now;

		sleep_ms(interval_ms);
		code = sysfs_need_host();
		if (code)
			break;
		now = stats_read(families);
		if (json)
			json_print_line(now);
		else
			interval_print(now, before, &rows);
		json_object_put(before);
		before = now;
		if (ferror(stdout))
			code = TIFFIN_EXIT_SYSTEM;
	}
	json_object_put(before);
	return code;
}

static enum tiffin_exit stats_options(const struct invocation *inv, uint64_t *interval_ms,
				      bool *follow, int64_t *count)
{
	const char *text = option(inv, "count");
	enum tiffin_exit code = option_time(inv, "interval", interval_ms, follow);

	if (code)
		return code;
	if (*follow && !*interval_ms)
		return fail(TIFFIN_EXIT_USAGE, "write 1s, or 200ms",
			    "--interval must be longer than 0");
	if (text && (!parse_number(text, count) || *count < 1))
		return fail(TIFFIN_EXIT_USAGE, "write a whole number from 1",
			    "--count: '%s' is no count", text);
	if (text && !*follow)
		return fail(TIFFIN_EXIT_USAGE, NULL, "--count goes with --interval");
	return TIFFIN_EXIT_OK;
}

static enum tiffin_exit stats_run(const struct invocation *inv)
{
	struct strings families = { 0 };
	uint64_t interval_ms = 0;
	int64_t count = 0;
	bool follow = false;
	enum tiffin_exit code = stats_options(inv, &interval_ms, &follow, &count);

	if (!code)
		code = sysfs_need_host();
	if (!code && inv->argc)
		code = sysfs_need_family(inv->argv[0], NULL);
	if (code)
		return code;
	if (inv->argc)
		strings_add(&families, inv->argv[0]);
	else
		families = sysfs_families();

	if (follow) {
		code = stats_follow(&families, interval_ms, count, inv->json);
	} else {
		struct json_object *doc = stats_read(&families);

		if (inv->json)
			json_print(doc);
		else
			stats_print(doc);
		json_object_put(doc);
	}
	strings_free(&families);
	return code;
}

static const struct option_spec stats_option_specs[] = {
	{ .name = "interval", .arg = "TIME", .help = "go on, with a line for each interval" },
	{ .name = "count", .arg = "N", .help = "with --interval: end after N lines" },
	{ 0 }
};

const struct command command_stats = {
	.name = "stats",
	.operands = "[FAMILY]",
	.summary = "show what the host has counted: calls, who answered, times, figures, processes",
	.options = stats_option_specs,
	.max_operands = 1,
	.run = stats_run,
};
