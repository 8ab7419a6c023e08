// SPDX-License-Identifier: GPL-2.0-only
/* The tiffin command: finds the command, parses its line, runs it, ends with its status. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "command.h"

static enum tiffin_exit help_run(const struct invocation *inv);

static const struct command command_help = {
	.name = "help",
	.operands = "[COMMAND]",
	.summary = "say what the commands are, or what one of them takes",
	.max_operands = 1,
	.run = help_run,
};

static const struct command * const commands[] = {
	&command_list, &command_show, &command_load, &command_unload, &command_swap,
	&command_rollback, &command_commit, &command_default, &command_set, &command_stats,
	&command_watch, &command_verify, &command_doctor, &command_version, &command_help,
};

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static size_t options_count(const struct command *command)
{
	size_t n = 0;

	while (command->options && command->options[n].name)
		n++;
	return n;
}

static const struct strings *values_of(const struct invocation *inv, const char *name)
{
	const struct option_spec *options = inv->command->options;

	for (size_t i = 0; options && options[i].name; i++)
		if (!strcmp(options[i].name, name))
			return &inv->values[i];
	return NULL;
}

const struct strings *option_all(const struct invocation *inv, const char *name)
{
	return values_of(inv, name);
}

const char *option(const struct invocation *inv, const char *name)
{
	const struct strings *values = values_of(inv, name);

	return values && values->count ? values->item[values->count - 1] : NULL;
}

enum tiffin_exit option_time(const struct invocation *inv, const char *name, uint64_t *ms,
			     bool *given)
{
	const char *text = option(inv, name);

	*given = text;
	if (text && !parse_time_ms(text, ms))
		return fail(TIFFIN_EXIT_USAGE, "write a whole number with its unit: 500ms, 30s, 5m, 1h; at most 24h",
			    "--%s: '%s' is no time", name, text);
	return TIFFIN_EXIT_OK;
}

const char *option_scope(const struct invocation *inv)
{
	const char *scope = option(inv, "scope");

	return scope ? scope : "default";
}

static void synopsis_print(const struct command *c)
{
	printf("tiffin %s", c->name);
	for (size_t i = 0; i < options_count(c); i++) {
		const struct option_spec *o = &c->options[i];

		printf(" [--%s%s%s]%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "",
		       o->many ? "..." : "");
	}
	printf("%s%s\n", *c->operands ? " " : "", c->operands);
}

static void command_help_print(const struct command *c)
{
	fputs("usage: ", stdout);
	synopsis_print(c);
	printf("\n%s\n\n", c->summary);
	for (size_t i = 0; i < options_count(c); i++) {
		const struct option_spec *o = &c->options[i];
		char *left __free_on_exit = xasprintf("--%s%s%s", o->name, o->arg ? " " : "",
						      o->arg ? o->arg : "");

		printf("  %-20s  %s\n", left, o->help);
	}
	printf("  %-20s  %s\n", "--json", "print JSON in place of text");
}

static void all_help_print(void)
{
	fputs("usage: tiffin COMMAND [OPTION]... [ARGUMENT]...\n\n"
	      "Swaps policies of the running kernel, live.\n\n", stdout);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-10s  %s\n", commands[i]->name, commands[i]->summary);
	fputs("\nEvery command takes --json. More: tiffin help COMMAND. Exit statuses, JSON and all else:\n"
	      "man 8 tiffin, or before it is installed: man -l tools/tiffin/tiffin.8\n", stdout);
}

static struct json_object *command_json(const struct command *c)
{
	struct json_object *o = json_object_new_object();
	struct json_object *options = json_object_new_array();

	json_add_string(o, "command", c->name);
	json_add_string(o, "operands", c->operands);
	json_add_string(o, "summary", c->summary);
	for (size_t i = 0; i < options_count(c); i++) {
		struct json_object *item = json_object_new_object();

		json_add_string(item, "option", c->options[i].name);
		json_add_string(item, "argument", c->options[i].arg);
		json_add_bool(item, "many", c->options[i].many);
		json_add_string(item, "summary", c->options[i].help);
		json_object_array_add(options, item);
	}
	json_add(o, "options", options);
	return o;
}

static enum tiffin_exit help_run(const struct invocation *inv)
{
	const struct command *only = inv->argc ? command_find(inv->argv[0]) : NULL;
	struct json_object *doc, *all;

	if (inv->argc && !only)
		return fail(TIFFIN_EXIT_USAGE, "what there is: tiffin help", "no command '%s'",
			    inv->argv[0]);
	if (!inv->json) {
		if (only)
			command_help_print(only);
		else
			all_help_print();
		return TIFFIN_EXIT_OK;
	}
	doc = json_object_new_object();
	all = json_object_new_array();
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!only || only == commands[i])
			json_object_array_add(all, command_json(commands[i]));
	json_add(doc, "commands", all);
	json_print(doc);
	json_object_put(doc);
	return TIFFIN_EXIT_OK;
}

static __printf(2, 3) enum tiffin_exit usage(const struct command *c, const char *fmt, ...)
{
	char *next __free_on_exit = xasprintf("see: tiffin help%s%s", c ? " " : "",
					      c ? c->name : "");
	char *message __free_on_exit = NULL;
	va_list args;

	va_start(args, fmt);
	message = xvasprintf(fmt, args);
	va_end(args);
	return fail(TIFFIN_EXIT_USAGE, next, "%s%s%s", c ? c->name : "", c ? ": " : "", message);
}

enum { OPTION_JSON = 1000, OPTION_HELP };

static enum tiffin_exit parse(const struct command *c, int argc, char **argv,
			      struct invocation *inv, bool *help)
{
	struct option longs[MAX_OPTIONS + 3] = { { 0 } };
	size_t n = options_count(c);
	int key;

	for (size_t i = 0; i < n; i++)
		longs[i] = (struct option){
			.name = c->options[i].name,
			.has_arg = c->options[i].arg ? required_argument : no_argument,
			.val = (int)i + 1,
		};
	longs[n++] = (struct option){ .name = "json", .val = OPTION_JSON };
	longs[n] = (struct option){ .name = "help", .val = OPTION_HELP };

	opterr = 0;
	optind = 0;
	while ((key = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
		switch (key) {
		case OPTION_JSON:
			inv->json = true;
			break;
		case OPTION_HELP:
		case 'h':
			*help = true;
			break;
		case ':':
			return usage(c, "%s wants an argument", argv[optind - 1]);
		case '?':
			return usage(c, "no option '%s', or not in this form", argv[optind - 1]);
		default:
			if (!c->options[key - 1].many && inv->values[key - 1].count)
				return usage(c, "--%s is given twice", c->options[key - 1].name);
			strings_add(&inv->values[key - 1], optarg ? optarg : "");
		}
	}
	inv->argc = argc - optind;
	inv->argv = argv + optind;
	if (*help)
		return TIFFIN_EXIT_OK;
	if (inv->argc < c->min_operands)
		return usage(c, "too few arguments; it takes %s", c->operands);
	if (c->max_operands >= 0 && inv->argc > c->max_operands)
		return usage(c, "'%s' is one argument too many", inv->argv[c->max_operands]);
	return TIFFIN_EXIT_OK;
}

static enum tiffin_exit run(int argc, char **argv, bool *json)
{
	struct invocation inv = { 0 };
	enum tiffin_exit code;
	const char *name;
	bool help = false;

	/* Known before the line is parsed, so that a wrong line is told in the form asked for. */
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		*json |= !strcmp(argv[i], "--json");
	while (argc > 1 && !strcmp(argv[1], "--json")) {
		argv++;
		argc--;
	}
	if (argc < 2)
		return usage(NULL, "%s", "which command?");
	name = argv[1];
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = "help";
	else if (!strcmp(name, "--version"))
		name = "version";
	inv.command = command_find(name);
	if (!inv.command)
		return usage(NULL, "no command '%s'", name);
	inv.json = *json;
	code = parse(inv.command, argc - 1, argv + 1, &inv, &help);
	if (!code) {
		if (help)
			command_help_print(inv.command);
		else
			code = inv.command->run(&inv);
	}
	for (size_t i = 0; i < MAX_OPTIONS; i++)
		strings_free(&inv.values[i]);
	return code;
}

int main(int argc, char **argv)
{
	bool json = false;
	enum tiffin_exit code;

	code = run(argc, argv, &json);
	return output_finish(code, json);
}
