/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the command says and how it ends. A command builds one JSON document; it is printed as such
 * with --json, and otherwise as tables from the same document, so the two never differ.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <json-c/json.h>

#include "util.h"

/**
 * enum tiffin_exit - exit status of the command, the same for all of them
 * @TIFFIN_EXIT_OK: done
 * @TIFFIN_EXIT_REFUSED: the host refused the request or it failed there
 * @TIFFIN_EXIT_USAGE: the command line is wrong
 * @TIFFIN_EXIT_NOT_FOUND: no such family, policy, tunable, scope or file
 * @TIFFIN_EXIT_BUSY: another swap or a probation is under way, or the policy is in use
 * @TIFFIN_EXIT_TIMED_OUT: the swap's time limit passed; nothing has changed
 * @TIFFIN_EXIT_NO_PERMISSION: CAP_SYS_ADMIN in the initial user namespace is needed
 * @TIFFIN_EXIT_NOT_LOADED: the host module is not loaded
 * @TIFFIN_EXIT_MISSES: verify or doctor found something amiss
 * @TIFFIN_EXIT_ROLLED_BACK: swap --wait: the new policy was active and was rolled back
 * @TIFFIN_EXIT_SYSTEM: the machine failed the command: memory, output, a library
 * @TIFFIN_EXITS: number of codes
 */
enum tiffin_exit {
	TIFFIN_EXIT_OK,
	TIFFIN_EXIT_REFUSED,
	TIFFIN_EXIT_USAGE,
	TIFFIN_EXIT_NOT_FOUND,
	TIFFIN_EXIT_BUSY,
	TIFFIN_EXIT_TIMED_OUT,
	TIFFIN_EXIT_NO_PERMISSION,
	TIFFIN_EXIT_NOT_LOADED,
	TIFFIN_EXIT_MISSES,
	TIFFIN_EXIT_ROLLED_BACK,
	TIFFIN_EXIT_SYSTEM,
	TIFFIN_EXITS,
};

/* One word for each code, used in JSON. */
const char *exit_name(enum tiffin_exit code);

/**
 * fail - say why the command could not do its work
 * @code: how it will end
 * @next: what the user does next, or NULL; one or more lines without a newline at the end
 * @fmt: what went wrong, one line
 *
 * The message is kept until output_finish(); a later call replaces it.
 * Return: @code.
 */
enum tiffin_exit fail(enum tiffin_exit code, const char *next, const char *fmt, ...) __printf(3, 4);

/**
 * output_finish - print what fail() kept and see to it that all output arrived
 * @code: how the command ends
 * @json: print a failure as a JSON document on standard output, not as text on standard error
 *
 * Return: @code, or %TIFFIN_EXIT_SYSTEM where standard output could not be written.
 */
enum tiffin_exit output_finish(enum tiffin_exit code, bool json);

/* Print one JSON document: a whole page, or one line of a stream. */
void json_print(struct json_object *doc);
void json_print_line(struct json_object *doc);

/* Builders. A NULL string becomes null. */
void json_add(struct json_object *o, const char *key, struct json_object *value);
void json_add_string(struct json_object *o, const char *key, const char *value);
void json_add_number(struct json_object *o, const char *key, int64_t value);
void json_add_bool(struct json_object *o, const char *key, bool value);
/* A string from the kernel that stands for a number; null where it does not. */
void json_add_numeral(struct json_object *o, const char *key, const char *value);

/* Readers: "" or 0 where the key is missing. */
const char *json_text(struct json_object *o, const char *key);
int64_t json_number(struct json_object *o, const char *key);
struct json_object *json_at(struct json_object *array, size_t i);

/**
 * enum unit - how a number is shown to people
 * @UNIT_NONE: as it is
 * @UNIT_NS: nanoseconds, scaled
 * @UNIT_MS: milliseconds, scaled
 * @UNIT_BYTES: bytes, scaled
 * @UNIT_KIB: units of 1024 bytes, scaled
 */
enum unit {
	UNIT_NONE,
	UNIT_NS,
	UNIT_MS,
	UNIT_BYTES,
	UNIT_KIB,
};

/**
 * struct column - one column of a table
 * @key: in each row's object
 * @title: its head
 * @right: numbers: aligned to the right
 * @unit: how numbers are shown
 */
struct column {
	const char *key;
	const char *title;
	bool right;
	enum unit unit;
};

/* A table with one row for each object of the array @rows; null and missing show as "-". */
void table_print(struct json_object *rows, const struct column *columns, size_t nr_columns);

/* "key  value" lines, aligned, for each member of @o that is no object or array. */
void fields_print(struct json_object *o, const char *indent);

/* Print text from elsewhere on a terminal: control characters show as '?'. */
void text_print(const char *text);

#endif /* OUTPUT_H */
