// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "output.h"

static const char * const exit_names[TIFFIN_EXITS] = {
	[TIFFIN_EXIT_OK] = "ok",
	[TIFFIN_EXIT_REFUSED] = "refused",
	[TIFFIN_EXIT_USAGE] = "usage",
	[TIFFIN_EXIT_NOT_FOUND] = "not_found",
	[TIFFIN_EXIT_BUSY] = "busy",
	[TIFFIN_EXIT_TIMED_OUT] = "timed_out",
	[TIFFIN_EXIT_NO_PERMISSION] = "no_permission",
	[TIFFIN_EXIT_NOT_LOADED] = "not_loaded",
	[TIFFIN_EXIT_MISSES] = "misses",
	[TIFFIN_EXIT_ROLLED_BACK] = "rolled_back",
	[TIFFIN_EXIT_SYSTEM] = "system",
};

static struct {
	char *message;
	char *next;
} failure;

const char *exit_name(enum tiffin_exit code)
{
	return exit_names[code];
}

enum tiffin_exit fail(enum tiffin_exit code, const char *next, const char *fmt, ...)
{
	char *message;
	va_list args;

	va_start(args, fmt);
	message = xvasprintf(fmt, args);
	va_end(args);

	/* The old texts may be arguments of this call. */
	next = next ? xstrdup(next) : NULL;
	free(failure.message);
	free(failure.next);
	failure.message = message;
	failure.next = (char *)next;
	return code;
}

static void failure_print(void)
{
	const char *line = failure.next;

	fprintf(stderr, "tiffin: %s\n", failure.message);
	while (line) {
		const char *end = strchrnul(line, '\n');

		fprintf(stderr, "        %.*s\n", (int)(end - line), line);
		line = *end ? end + 1 : NULL;
	}
}

static void failure_print_json(enum tiffin_exit code)
{
	struct json_object *doc = json_object_new_object();
	struct json_object *error = json_object_new_object();

	json_add_string(error, "code", exit_name(code));
	json_add_number(error, "exit", code);
	json_add_string(error, "message", failure.message);
	json_add_string(error, "next", failure.next);
	json_add(doc, "error", error);
	/* One line, as it may end a stream of lines. */
	json_print_line(doc);
	json_object_put(doc);
}

enum tiffin_exit output_finish(enum tiffin_exit code, bool json)
{
	/* Where the command got by in another way, what failed on the way is not told. */
	if (failure.message && code) {
		if (json)
			failure_print_json(code);
		else
			failure_print();
	}
	free(failure.message);
	free(failure.next);
	memset(&failure, 0, sizeof(failure));

	if (fflush(stdout) || ferror(stdout)) {
		perror("tiffin: standard output");
		return TIFFIN_EXIT_SYSTEM;
	}
	return code;
}

static void json_write(struct json_object *doc, int flags)
{
	puts(json_object_to_json_string_ext(doc, flags | JSON_C_TO_STRING_NOSLASHESCAPE));
}

void json_print(struct json_object *doc)
{
	json_write(doc, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
}

void json_print_line(struct json_object *doc)
{
	json_write(doc, JSON_C_TO_STRING_PLAIN);
	fflush(stdout);
}

void json_add(struct json_object *o, const char *key, struct json_object *value)
{
	json_object_object_add(o, key, value);
}

void json_add_string(struct json_object *o, const char *key, const char *value)
{
	json_add(o, key, value ? json_object_new_string(value) : NULL);
}

void json_add_number(struct json_object *o, const char *key, int64_t value)
{
	json_add(o, key, json_object_new_int64(value));
}

void json_add_bool(struct json_object *o, const char *key, bool value)
{
	json_add(o, key, json_object_new_boolean(value));
}

void json_add_numeral(struct json_object *o, const char *key, const char *value)
{
	int64_t number;

	if (value && parse_number(value, &number))
		json_add_number(o, key, number);
	else
		json_add(o, key, NULL);
}

const char *json_text(struct json_object *o, const char *key)
{
	struct json_object *v;
	const char *text;

	if (!json_object_object_get_ex(o, key, &v) || !v)
		return "";
	text = json_object_get_string(v);
	return text ? text : "";
}

int64_t json_number(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_int64(v) : 0;
}

struct json_object *json_at(struct json_object *array, size_t i)
{
	return json_object_array_get_idx(array, i);
}

/* A copy of @text that is safe on a terminal. */
static char *printable(const char *text)
{
	char *copy = xstrdup(text);

	for (char *p = copy; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	return copy;
}

void text_print(const char *text)
{
	char *safe __free_on_exit = printable(text);

	fputs(safe, stdout);
}

static char *cell(struct json_object *value, enum unit unit)
{
	int64_t n;

	if (!value)
		return xstrdup("-");
	switch (json_object_get_type(value)) {
	case json_type_boolean:
		return xstrdup(json_object_get_boolean(value) ? "yes" : "no");
	case json_type_int:
		n = json_object_get_int64(value);
		if (unit == UNIT_NS && n >= 0)
			return format_ns(n);
		if (unit == UNIT_MS && n >= 0)
			return format_ns((uint64_t)n * 1000 * 1000);
		if (unit == UNIT_BYTES && n >= 0)
			return format_bytes(n);
		if (unit == UNIT_KIB && n >= 0)
			return format_bytes((uint64_t)n * 1024);
		return xasprintf("%" PRId64, n);
	default:
		if (!*json_object_get_string(value))
			return xstrdup("-");
		return printable(json_object_get_string(value));
	}
}

static void pad(size_t n)
{
	while (n--)
		putchar(' ');
}

/* Columns on a terminal: bytes that do not continue a UTF-8 sequence. */
static size_t width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void row_print(char **cells, const size_t *widths, const struct column *columns, size_t n)
{
	for (size_t c = 0; c < n; c++) {
		size_t space = widths[c] - width(cells[c]);

		if (columns[c].right)
			pad(space);
		fputs(cells[c], stdout);
		if (c + 1 == n)
			break;
		if (!columns[c].right)
			pad(space);
		pad(2);
	}
	putchar('\n');
}

void table_print(struct json_object *rows, const struct column *columns, size_t nr_columns)
{
	size_t nr_rows = json_object_array_length(rows);
	char **cells = xrealloc(NULL, (nr_rows + 1) * nr_columns * sizeof(*cells));
	size_t *widths = xrealloc(NULL, nr_columns * sizeof(*widths));

	for (size_t c = 0; c < nr_columns; c++) {
		cells[c] = xstrdup(columns[c].title);
		widths[c] = width(cells[c]);
		for (size_t r = 1; r <= nr_rows; r++) {
			struct json_object *value = NULL;
			char **p = &cells[r * nr_columns + c];

			json_object_object_get_ex(json_at(rows, r - 1), columns[c].key, &value);
			*p = cell(value, columns[c].unit);
			if (width(*p) > widths[c])
				widths[c] = width(*p);
		}
	}
	for (size_t r = 0; r <= nr_rows; r++)
		row_print(&cells[r * nr_columns], widths, columns, nr_columns);

	for (size_t i = 0; i < (nr_rows + 1) * nr_columns; i++)
		free(cells[i]);
	free(cells);
	free(widths);
}

static enum unit unit_of(const char *key)
{
	size_t n = strlen(key);

	if (n > 3 && !strcmp(key + n - 3, "_ns"))
		return UNIT_NS;
	if (n > 3 && !strcmp(key + n - 3, "_ms"))
		return UNIT_MS;
	if (n > 6 && !strcmp(key + n - 6, "_bytes"))
		return UNIT_BYTES;
	if (n > 4 && !strcmp(key + n - 4, "_kib"))
		return UNIT_KIB;
	return UNIT_NONE;
}

static bool is_field(struct json_object *value)
{
	return !json_object_is_type(value, json_type_object) &&
	       !json_object_is_type(value, json_type_array);
}

void fields_print(struct json_object *o, const char *indent)
{
	size_t widest = 0;

	json_object_object_foreach(o, key, value)
		if (is_field(value) && strlen(key) > widest)
			widest = strlen(key);
	json_object_object_foreach(o, name, field) {
		char *text __free_on_exit = NULL;

		if (!is_field(field))
			continue;
		text = cell(field, unit_of(name));
		printf("%s%-*s  %s\n", indent, (int)widest, name, text);
	}
}
