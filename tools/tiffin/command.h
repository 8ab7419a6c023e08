/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of commands, and the options that each one declares as data. */
#ifndef COMMAND_H
#define COMMAND_H

#include "output.h"

/**
 * struct option_spec - an option of a command
 * @name: long name without the dashes
 * @arg: what its argument is called, or NULL where it takes none
 * @help: one line
 * @many: may be given more than once
 */
struct option_spec {
	const char *name;
	const char *arg;
	const char *help;
	bool many;
};

#define MAX_OPTIONS	8

/**
 * struct invocation - a parsed command line
 * @command: which command
 * @json: --json was given
 * @argc: number of operands
 * @argv: the operands
 * @values: arguments of the options, in the order of the command's options; a flag that was given
 *	has one empty string
 */
struct invocation {
	const struct command *command;
	bool json;
	int argc;
	char **argv;
	struct strings values[MAX_OPTIONS];
};

/**
 * struct command - a command
 * @name: as the user types it
 * @operands: synopsis of what follows
 * @summary: one line
 * @options: its own options, ended by an entry without a name
 * @min_operands: fewest operands
 * @max_operands: most operands; -1 for any number
 * @run: does the work
 */
struct command {
	const char *name;
	const char *operands;
	const char *summary;
	const struct option_spec *options;
	int min_operands;
	int max_operands;
	enum tiffin_exit (*run)(const struct invocation *inv);
};

/* Last argument of option @name, or NULL where it was not given. */
const char *option(const struct invocation *inv, const char *name);

/* All arguments of option @name. */
const struct strings *option_all(const struct invocation *inv, const char *name);

/* Argument of option @name as milliseconds; *@given tells whether there was one. */
enum tiffin_exit option_time(const struct invocation *inv, const char *name, uint64_t *ms,
			     bool *given);

/* Argument of --scope, "default" where it was not given. */
const char *option_scope(const struct invocation *inv);

/* show --stores, of a family, a policy, or all where @what is NULL. */
enum tiffin_exit stores_show(const char *what, bool json);

extern const struct command command_list, command_show, command_load, command_unload, command_swap,
	command_rollback, command_commit, command_default, command_set, command_stats,
	command_watch, command_verify, command_doctor, command_version;

#endif /* COMMAND_H */
