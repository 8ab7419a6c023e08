// SPDX-License-Identifier: GPL-2.0-only
/* doctor: does this kernel offer what each family needs, and what to do where it does not? */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "command.h"
#include "doctor.h"
#include "root.h"

static const struct doctor_family * const families[] = {
	&doctor_packet_steering,
	&doctor_page_placement,
};

static void note(struct doctor *d, const char *check, const char *result, const char *next,
		 const char *fmt, va_list args)
{
	struct json_object *row = json_object_new_object();
	char *message __free_on_exit = xvasprintf(fmt, args);

	json_add_string(row, "family", d->family);
	json_add_string(row, "check", check);
	json_add_string(row, "result", result);
	json_add_string(row, "message", message);
	json_add_string(row, "next", next);
	json_object_array_add(d->findings, row);
}

void doctor_ok(struct doctor *d, const char *check, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	note(d, check, "ok", NULL, fmt, args);
	va_end(args);
}

void doctor_note(struct doctor *d, const char *check, const char *next, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	note(d, check, "note", next, fmt, args);
	va_end(args);
}

void doctor_miss(struct doctor *d, const char *check, const char *next, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	note(d, check, "miss", next, fmt, args);
	va_end(args);
	d->misses++;
}

static char *config_read(const char *release)
{
	static const char * const places[] = {
		"/boot/config-%s", "/lib/modules/%s/config", "/lib/modules/%s/build/.config",
		"/usr/src/linux-headers-%s/.config",
	};
	char *text = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(places) && !text; i++) {
		const char *tail = strstr(places[i], "%s") + 2;
		int head = (int)(tail - 2 - places[i]);

		text = root_read("%.*s%s%s", head, places[i], release, tail);
	}
	return text;
}

enum config doctor_config(const struct doctor *d, const char *name)
{
	char *line __free_on_exit = xasprintf("\nCONFIG_%s=", name);
	const char *hit;

	if (!d->config)
		return CONFIG_UNKNOWN;
	hit = strstr(d->config, line);
	if (!hit)
		return CONFIG_OFF;
	return hit[strlen(line)] == 'y' || hit[strlen(line)] == 'm' ? CONFIG_ON : CONFIG_OFF;
}

static char *release_read(void)
{
	/* In /proc as well as from uname(), so that tests can put another there. */
	char *text = root_read("/proc/sys/kernel/osrelease");
	struct utsname uts;

	if (text)
		return text;
	uname(&uts);
	return xstrdup(uts.release);
}

static const struct doctor_family *family_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (!strcmp(families[i]->name, name))
			return families[i];
	return NULL;
}

static enum tiffin_exit no_such_family(const char *name)
{
	struct strings names = { 0 };
	char *all __free_on_exit = NULL;
	char *next __free_on_exit = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		strings_add(&names, families[i]->name);
	all = strings_join(&names, ", ", names.count);
	next = xasprintf("families: %s", all);
	strings_free(&names);
	return fail(TIFFIN_EXIT_NOT_FOUND, next, "the needs of a family '%s' are not known", name);
}

static void findings_print(const struct doctor *d)
{
	char *last __free_on_exit = xstrdup("none yet");

	for (size_t i = 0; i < json_object_array_length(d->findings); i++) {
		struct json_object *row = json_at(d->findings, i);
		const char *family = json_text(row, "family"), *line = json_text(row, "next");

		if (strcmp(family, last)) {
			printf("%s%s\n", i ? "\n" : "", *family ? family : "all families");
			free(last);
			last = xstrdup(family);
		}
		printf("  %-4s  %-10s  ", json_text(row, "result"), json_text(row, "check"));
		text_print(json_text(row, "message"));
		putchar('\n');
		while (*line) {
			size_t len = strcspn(line, "\n");

			printf("                    %.*s\n", (int)len, line);
			line += len + (line[len] == '\n');
		}
	}
	if (d->misses)
		printf("\n%d miss%s: see above what to do\n", d->misses, d->misses == 1 ? "" : "es");
	else
		puts("\nthis kernel offers all that is needed");
}

static enum tiffin_exit doctor_run(const struct invocation *inv)
{
	const struct doctor_family *only = NULL;
	struct doctor d = { 0 };

	if (inv->argc) {
		only = family_find(inv->argv[0]);
		if (!only)
			return no_such_family(inv->argv[0]);
	}
	d.release = release_read();
	d.config = config_read(d.release);
	d.findings = json_object_new_array();
	doctor_core(&d);
	doctor_interpose(&d);
	doctor_contain(&d);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		if (only && only != families[i])
			continue;
		d.family = families[i]->name;
		families[i]->examine(&d);
	}
	if (inv->json) {
		struct json_object *doc = json_object_new_object();

		json_add_string(doc, "release", d.release);
		json_add_number(doc, "misses", d.misses);
		json_add(doc, "checks", json_object_get(d.findings));
		json_print(doc);
		json_object_put(doc);
	} else {
		findings_print(&d);
	}
	json_object_put(d.findings);
	free(d.config);
	free(d.release);
	return d.misses ? TIFFIN_EXIT_MISSES : TIFFIN_EXIT_OK;
}

const struct command command_doctor = {
	.name = "doctor",
	.operands = "[FAMILY]",
	.summary = "say whether this kernel offers what is needed, and what to do where it does not",
	.max_operands = 1,
	.run = doctor_run,
};
