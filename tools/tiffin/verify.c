// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "verify.h"

static void note_result(struct verify *v, const char *check, const char *result, const char *next,
			const char *fmt, va_list args)
{
	struct json_object *checks = json_object_object_get(v->findings, "checks");
	struct json_object *row = json_object_new_object();
	char *message __free_on_exit = xvasprintf(fmt, args);

	json_add_string(row, "check", check);
	json_add_string(row, "result", result);
	json_add_string(row, "message", message);
	json_add_string(row, "next", next);
	json_object_array_add(checks, row);
}

void verify_ok(struct verify *v, const char *check, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	note_result(v, check, "ok", NULL, fmt, args);
	va_end(args);
}

void verify_note(struct verify *v, const char *check, const char *next, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	note_result(v, check, "note", next, fmt, args);
	va_end(args);
}

void verify_miss(struct verify *v, const char *check, const char *next, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	note_result(v, check, "miss", next, fmt, args);
	va_end(args);
	json_add_number(v->findings, "misses", json_number(v->findings, "misses") + 1);
}

static struct json_object *findings_new(const char *path, const struct verify_target *target)
{
	struct json_object *findings = json_object_new_object();

	json_add_string(findings, "file", path);
	json_add_string(findings, "release", target->release);
	json_add_number(findings, "misses", 0);
	return findings;
}

static void facts_add(struct verify *v)
{
	static const struct {
		const char *field;
		const char *key;
	} facts[] = {
		{ "tiffin_policy", "policy" },
		{ "tiffin_version", "version" },
		{ "tiffin_build", "build" },
		{ "tiffin_family", "family" },
		{ "name", "module" },
		{ "tiffin_core_abi", "core_abi" },
		{ "tiffin_family_abi", "family_abi" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		json_add_string(v->findings, facts[i].key,
				image_modinfo(v->img, facts[i].field, 0));
}

/* What is no policy at all is told in one sentence, not by all that it lacks. */
static bool is_policy(struct verify *v)
{
	const char *name = image_modinfo(v->img, "name", 0);

	if (image_modinfo(v->img, "tiffin_policy", 0))
		return true;
	if (name && (!strcmp(name, "tiffin") || !strncmp(name, "tiffin_", strlen("tiffin_"))) &&
	    !image_symbol(v->img, "tiffin_policy"))
		verify_miss(v, "file", "load it with: modprobe, or insmod FILE",
			    "module %s belongs to the host; it is no policy", name);
	else
		verify_miss(v, "file",
			    "a policy ends with TIFFIN_POLICY() and is built by: tools/policy/build FILE.c",
			    "it is no policy: there is no tiffin_policy= in .modinfo");
	return false;
}

static struct json_object *verify_image(const char *path, const struct image *img, bool opened,
					const char *why, const struct verify_target *target)
{
	struct verify v = { .path = path, .img = img, .target = target };

	v.findings = findings_new(path, target);
	if (opened)
		facts_add(&v);
	json_add(v.findings, "checks", json_object_new_array());
	if (!opened) {
		verify_miss(&v, "file", NULL, "it can't be loaded: %s", why);
		return v.findings;
	}
	if (!is_policy(&v))
		return v.findings;
	verify_modinfo(&v);
	verify_descriptor(&v);
	verify_abi(&v);
	verify_imports(&v);
	verify_sections(&v);
	verify_init(&v);
	verify_probes(&v);
	verify_insns(&v);
	verify_kernel(&v);
	return v.findings;
}

struct json_object *verify_bytes(const char *path, char *bytes, size_t size,
				 const struct verify_target *target)
{
	char *why __free_on_exit = NULL;
	struct json_object *findings;
	struct image img;
	bool opened = image_parse(&img, bytes, size, &why);

	findings = verify_image(path, &img, opened, why, target);
	if (opened)
		image_close(&img);
	return findings;
}

struct json_object *verify_file(const char *path, const struct verify_target *target)
{
	char *why __free_on_exit = NULL;
	struct json_object *findings;
	struct image img;
	bool opened = image_open(&img, path, &why);

	findings = verify_image(path, &img, opened, why, target);
	if (opened)
		image_close(&img);
	return findings;
}

enum tiffin_exit verify_need_files(char **paths, int count)
{
	for (int i = 0; i < count; i++)
		if (access(paths[i], F_OK))
			return fail(TIFFIN_EXIT_NOT_FOUND, "policies are built by: tools/policy/build FILE.c",
				    "%s: %s", paths[i], strerror(errno));
	return TIFFIN_EXIT_OK;
}

static void check_print(struct json_object *check)
{
	const char *line = json_text(check, "next");

	printf("  %-4s  %-10s  ", json_text(check, "result"), json_text(check, "check"));
	text_print(json_text(check, "message"));
	putchar('\n');
	while (*line) {
		char *one __free_on_exit = xstrndup(line, strcspn(line, "\n"));

		fputs("                    ", stdout);
		text_print(one);
		putchar('\n');
		line += strlen(one);
		line += *line == '\n';
	}
}

void verify_print(struct json_object *findings, bool only_misses)
{
	struct json_object *checks = json_object_object_get(findings, "checks");
	int64_t misses = json_number(findings, "misses");

	text_print(json_text(findings, "file"));
	putchar('\n');
	for (size_t i = 0; i < json_object_array_length(checks); i++) {
		struct json_object *check = json_at(checks, i);

		if (!only_misses || !strcmp(json_text(check, "result"), "miss"))
			check_print(check);
	}
	if (misses)
		printf("  would be refused: %" PRId64 " miss%s\n", misses, misses == 1 ? "" : "es");
	else if (!only_misses)
		printf("  would be loaded: policy %s %s for %s\n", json_text(findings, "policy"),
		       json_text(findings, "version"), json_text(findings, "family"));
}
