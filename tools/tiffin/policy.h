/* SPDX-License-Identifier: GPL-2.0-only */
/* What the host says of policies and scopes, as JSON, and how users name policies. */
#ifndef POLICY_H
#define POLICY_H

#include "output.h"

#define POLICY_DEFAULT	"default"

/*
 * One object for a loaded policy: id, name, version, build, family, abi, module, doc, state,
 * instances.
 */
struct json_object *policy_read(const char *id);

/* An array of them, by id. */
struct json_object *policies_read(void);

/* True where @spec names the policy: its full id, name-version, or name. */
bool policy_matches(struct json_object *policy, const char *spec);

/**
 * policy_find - the one loaded policy that @spec names
 * @spec: full id, name-version, or name
 * @family: only in this family; NULL for any
 * @policy: the result, to be put
 *
 * Return: %TIFFIN_EXIT_NOT_FOUND where there is none, %TIFFIN_EXIT_USAGE where there are several.
 */
enum tiffin_exit policy_find(const char *spec, const char *family, struct json_object **policy);

/* Fail with TIFFIN_EXIT_NOT_FOUND where @spec names no policy of @family; several are fine. */
enum tiffin_exit policy_need(const char *spec, const char *family);

/**
 * policy_family - the one family that has a policy that @spec names
 * @spec: full id, name-version, name, or "default"
 * @family: the result, to be freed
 *
 * Return: as policy_find(), but several policies of one family are fine: the host takes the newest.
 */
enum tiffin_exit policy_family(const char *spec, char **family);

/* tunables: array of name, value, min, max, default, doc. counters: array of name, value, doc. */
struct json_object *policy_tunables(const char *id);
struct json_object *policy_counters(const char *id);
/*
 * stores: array of kind, schema, version, sharing, record_size (null for lists), lists (how many;
 * null for others), undo, converts, records, bytes; the last four are null where the host does not
 * say.
 */
struct json_object *policy_stores(const char *id);
/* What would become of them at a swap: array of scope, kind, handover, rollback, bytes. */
struct json_object *policy_handover(const char *id);

/* Id of the policy that the host would take for @spec, to be freed; NULL where there is none. */
char *policy_newest(const char *family, const char *spec);

/* One object for a scope: scope, active, previous, state, error (null where not readable). */
struct json_object *scope_read(const char *family, const char *scope);

/* A scope's "key value" file as an object; @file is last_swap or stats. */
struct json_object *scope_table(const char *family, const char *scope, const char *file);

/*
 * The active policy's stores: array of kind, schema, version, sharing, record_size, lists, records,
 * bytes, converted, pending.
 */
struct json_object *scope_stores(const char *family, const char *scope);

/* The files of a folder of numbers (figures, limits, counters) as an object. */
struct json_object *numbers_read(const char *folder);

/* Words of @text, at most @max pieces, the last one with all that remains; returns their number. */
size_t split_words(char *text, char **words, size_t max);

#endif /* POLICY_H */
