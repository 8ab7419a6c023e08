// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "policy.h"
#include "quarantine.h"
#include "sysfs.h"

#define STATE	"quarantined"

static bool quarantined(struct json_object *policy)
{
	return !strcmp(json_text(policy, "state"), STATE);
}

/*
 * A line of the ring, "NR SECONDS.MICRO FAMILY POLICY CPU N: WHAT [at WHERE]", as an object; NULL
 * where it is of another policy. @line is spoilt.
 */
static struct json_object *fault_read(char *line, const char *id)
{
	char *words[6] = { NULL };
	unsigned int cpu = 0;
	uint64_t s = 0, us = 0;
	struct json_object *o;
	int at = 0;

	if (split_words(line, words, ARRAY_SIZE(words)) != ARRAY_SIZE(words) ||
	    strcmp(words[3], id) ||
	    sscanf(words[1], "%" SCNu64 ".%" SCNu64, &s, &us) != 2 ||
	    sscanf(words[5], "%u: %n", &cpu, &at) != 1 || !at)
		return NULL;
	o = json_object_new_object();
	json_add_numeral(o, "number", words[0]);
	json_add_number(o, "time_ms", s * 1000 + us / 1000);
	json_add_number(o, "cpu", cpu);
	json_add_string(o, "what", words[5] + at);
	return o;
}

/* NULL where they can't be read: they tell addresses, and are root's. */
static struct json_object *faults_read(const char *id)
{
	char *text __free_on_exit = sysfs_read("faults");
	struct json_object *faults;
	char *rest = text, *line;

	if (!text)
		return NULL;
	faults = json_object_new_array();
	while (rest && (line = strsep(&rest, "\n"))) {
		struct json_object *fault = fault_read(line, id);

		if (fault)
			json_object_array_add(faults, fault);
	}
	return faults;
}

static struct json_object *active_read(const char *family)
{
	struct json_object *rows = json_object_new_array();
	struct strings scopes = sysfs_scopes(family);

	for (size_t i = 0; i < scopes.count; i++) {
		char *active __free_on_exit = sysfs_read("%s/scopes/%s/active", family,
							 scopes.item[i]);
		struct json_object *row = json_object_new_object();

		json_add_string(row, "scope", scopes.item[i]);
		json_add_string(row, "policy", active);
		json_object_array_add(rows, row);
	}
	strings_free(&scopes);
	return rows;
}

struct json_object *quarantine_read(struct json_object *policy)
{
	const char *id = json_text(policy, "id");
	char *next __free_on_exit = NULL;
	struct json_object *o;

	if (!quarantined(policy))
		return NULL;
	next = xasprintf("unload it: tiffin unload %s\n"
			 "load its next build, beside it or after it: tiffin load FILE.ko", id);
	o = json_object_new_object();
	json_add(o, "faults", faults_read(id));
	json_add(o, "active", active_read(json_text(policy, "family")));
	json_add_string(o, "next", next);
	return o;
}

static void fault_print(struct json_object *fault)
{
	time_t t = json_number(fault, "time_ms") / 1000;
	char date[32];
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
	printf("  %s.%03d  CPU %" PRId64 "  ", date, (int)(json_number(fault, "time_ms") % 1000),
	       json_number(fault, "cpu"));
	text_print(json_text(fault, "what"));
	putchar('\n');
}

void quarantine_print(struct json_object *quarantine)
{
	struct json_object *faults = json_object_object_get(quarantine, "faults");
	struct json_object *active = json_object_object_get(quarantine, "active");
	const char *line = json_text(quarantine, "next");

	puts("\nin quarantine: a call of it had to be ended, and it is never called again");
	if (!faults)
		puts("  why and when: ask as root");
	else if (!json_object_array_length(faults))
		puts("  why and when: the last faults that are kept are of others; see dmesg");
	for (size_t i = 0; faults && i < json_object_array_length(faults); i++)
		fault_print(json_at(faults, i));
	for (size_t i = 0; i < json_object_array_length(active); i++) {
		struct json_object *row = json_at(active, i);

		printf("  active in scope %s: ", json_text(row, "scope"));
		text_print(json_text(row, "policy"));
		putchar('\n');
	}
	while (*line) {
		size_t len = strcspn(line, "\n");

		printf("  %.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

void quarantine_hint(struct json_object *policies)
{
	for (size_t i = 0; i < json_object_array_length(policies); i++) {
		struct json_object *policy = json_at(policies, i);

		if (!quarantined(policy))
			continue;
		text_print(json_text(policy, "id"));
		fputs(" is in quarantine; why, and what next: tiffin show ", stdout);
		text_print(json_text(policy, "id"));
		putchar('\n');
	}
}
