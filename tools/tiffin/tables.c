// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"
#include "sysfs.h"
#include "tables.h"

/* Files of lines "<name>: <word> <number> ...", and what people read above them. */
static const struct {
	const char *file;
	const char *title;
} table_files[] = {
	{ "nodes", "memory nodes, in pages" },
	{ "attached", "attached" },
	{ "processes", "processes" },
};

#define MAX_COLUMNS	40

/* A word has the number behind it, or all of several; one without any is a flag. */
static void pairs_add(struct json_object *row, char *text)
{
	const char *key = NULL;
	char *word;

	while ((word = strsep(&text, " "))) {
		struct json_object *value;
		int64_t number;

		if (!*word)
			continue;
		if (!parse_number(word, &number)) {
			key = word;
			json_add_bool(row, key, true);
			continue;
		}
		if (!key)
			continue;
		json_object_object_get_ex(row, key, &value);
		if (json_object_is_type(value, json_type_boolean)) {
			json_add_number(row, key, number);
			continue;
		}
		if (!json_object_is_type(value, json_type_array)) {
			struct json_object *first = json_object_get(value);

			value = json_object_new_array();
			json_object_array_add(value, first);
			json_add(row, key, value);
		}
		json_object_array_add(value, json_object_new_int64(number));
	}
}

/* NULL where the file is not there, or is no table. */
static struct json_object *table_read(const char *family, const char *file)
{
	char *text __free_on_exit = sysfs_read("%s/%s", family, file);
	struct json_object *rows;
	char *rest = text, *line;

	if (!text)
		return NULL;
	rows = json_object_new_array();
	while ((line = strsep(&rest, "\n"))) {
		/* What a process calls itself may have colons; what follows has none. */
		char *colon = strrchr(line, ':');
		struct json_object *row;

		if (!*line)
			continue;
		if (!colon) {
			json_object_put(rows);
			return NULL;
		}
		*colon = '\0';
		row = json_object_new_object();
		json_add_string(row, "name", line);
		pairs_add(row, colon + 1);
		json_object_array_add(rows, row);
	}
	return rows;
}

static struct json_object *times_read(const char *family)
{
	char *text __free_on_exit = sysfs_read("%s/unmapped_us", family);
	struct json_object *o;
	char *rest = text, *line;

	if (!text)
		return NULL;
	o = json_object_new_object();
	while ((line = strsep(&rest, "\n"))) {
		char *pair[2] = { NULL };

		if (split_words(line, pair, 2))
			json_add_numeral(o, pair[0], pair[1]);
	}
	return o;
}

void tables_read(const char *family, struct json_object *o)
{
	struct json_object *times = times_read(family);

	for (size_t i = 0; i < ARRAY_SIZE(table_files); i++) {
		struct json_object *rows = table_read(family, table_files[i].file);

		if (rows)
			json_add(o, table_files[i].file, rows);
	}
	if (times)
		json_add(o, "unmapped_us", times);
}

static bool has_column(const struct column *columns, size_t nr, const char *key)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(columns[i].key, key))
			return true;
	return false;
}

/* A column for each key that some row has, but for lists of numbers. */
static void rows_print(struct json_object *rows)
{
	struct column columns[MAX_COLUMNS];
	char *titles[MAX_COLUMNS];
	size_t nr = 0;

	for (size_t r = 0; r < json_object_array_length(rows); r++) {
		json_object_object_foreach(json_at(rows, r), key, value) {
			if (nr == MAX_COLUMNS || json_object_is_type(value, json_type_array) ||
			    has_column(columns, nr, key))
				continue;
			titles[nr] = xstrdup(key);
			for (char *p = titles[nr]; *p; p++)
				*p = (char)toupper((unsigned char)*p);
			columns[nr] = (struct column) {
				.key = key, .title = titles[nr], .right = nr > 0,
			};
			nr++;
		}
	}
	table_print(rows, columns, nr);
	while (nr)
		free(titles[--nr]);
}

void tables_print(struct json_object *o)
{
	struct json_object *rows, *times;

	for (size_t i = 0; i < ARRAY_SIZE(table_files); i++) {
		if (!json_object_object_get_ex(o, table_files[i].file, &rows) ||
		    !json_object_array_length(rows))
			continue;
		puts(table_files[i].title);
		rows_print(rows);
	}
	if (json_object_object_get_ex(o, "unmapped_us", &times)) {
		puts("us that pages were unmapped");
		fields_print(times, "  ");
	}
}
