// SPDX-License-Identifier: GPL-2.0-only
/* swap, rollback, commit, default: which policy is active. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "dry_run.h"
#include "events.h"
#include "policy.h"
#include "sysfs.h"

/* How long a probation lasts that has gates but for which nobody gave a time. */
#define PROBATION_WITH_GATES_MS	30000
/* What --wait allows beyond the probation, for the host to carry out what it decided. */
#define WAIT_GRACE_MS		60000
#define WAIT_STEP_MS		250

/**
 * struct swap_order - a swap as the user ordered it
 * @family: whose scope
 * @scope: which one
 * @policy: as the user named it
 * @text: the request as the host reads it
 * @probation_ms: that it will have
 * @wait: until it is committed or rolled back
 */
struct swap_order {
	char *family;
	const char *scope;
	const char *policy;
	char *text;
	uint64_t probation_ms;
	bool wait;
};

/* "METRIC<NUMBER[UNIT]" without spaces, or NULL. */
static char *gate_text(const char *expr)
{
	static const char * const units[] = { "", "ns", "us", "ms", "s", "%" };
	char *text = xstrdup(expr), *to = text;
	size_t name, digits;

	for (const char *from = expr; *from; from++)
		if (!isspace((unsigned char)*from))
			*to++ = *from;
	*to = '\0';

	name = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
	if (name && (text[name] == '<' || text[name] == '>')) {
		digits = strspn(text + name + 1, "0123456789");
		for (size_t i = 0; digits && i < ARRAY_SIZE(units); i++)
			if (!strcmp(text + name + 1 + digits, units[i]))
				return text;
	}
	free(text);
	return NULL;
}

static void append(char **text, const char *more)
{
	char *joined = xasprintf("%s %s", *text, more);

	free(*text);
	*text = joined;
}

static enum tiffin_exit gates_append(const struct strings *gates, char **text)
{
	for (size_t i = 0; i < gates->count; i++) {
		char *gate __free_on_exit = gate_text(gates->item[i]);
		char *word __free_on_exit = NULL;

		if (!gate)
			return fail(TIFFIN_EXIT_USAGE,
				    "write what must hold: METRIC<NUMBER or METRIC>NUMBER, the number whole, with ns, us, ms, s, % or nothing after it\n"
				    "for example: --gate 'hook_p99<5us' --gate 'bad_answers<1'",
				    "--gate: '%s' is no condition", gates->item[i]);
		word = xasprintf("gate=%s", gate);
		append(text, word);
	}
	return TIFFIN_EXIT_OK;
}

static uint64_t family_probation_ms(const char *family)
{
	char *text __free_on_exit = sysfs_read("%s/limits/probation_ms", family);
	int64_t ms;

	return text && parse_number(text, &ms) && ms > 0 ? (uint64_t)ms : 0;
}

static enum tiffin_exit order_text(const struct invocation *inv, struct swap_order *order)
{
	const struct strings *gates = option_all(inv, "gate");
	uint64_t probation_ms = 0, timeout_ms = 0;
	bool probation, timeout;
	enum tiffin_exit code;

	code = option_time(inv, "probation", &probation_ms, &probation);
	if (!code)
		code = option_time(inv, "timeout", &timeout_ms, &timeout);
	if (code)
		return code;
	if (!probation) {
		probation_ms = family_probation_ms(order->family);
		if (!probation_ms && gates->count) {
			probation_ms = PROBATION_WITH_GATES_MS;
			probation = true;
		}
	}
	if (gates->count && !probation_ms)
		return fail(TIFFIN_EXIT_USAGE, "give it time: --probation 30s",
			    "gates are watched during the probation, and --probation says there is none");

	order->probation_ms = probation_ms;
	order->text = xstrdup(order->policy);
	if (probation) {
		char *word __free_on_exit = xasprintf("probation_ms=%" PRIu64, probation_ms);

		append(&order->text, word);
	}
	if (timeout) {
		char *word __free_on_exit = xasprintf("timeout_ms=%" PRIu64, timeout_ms);

		append(&order->text, word);
	}
	return gates_append(gates, &order->text);
}

/* Which family and policy, and whether they exist. */
static enum tiffin_exit order_names(const struct invocation *inv, struct swap_order *order)
{
	enum tiffin_exit code;

	order->policy = inv->argv[inv->argc - 1];
	order->scope = option_scope(inv);
	if (!name_ok(order->policy))
		return fail(TIFFIN_EXIT_USAGE, "what is loaded: tiffin list",
			    "'%s' can't be a policy's name", order->policy);
	if (inv->argc == 1) {
		code = policy_family(order->policy, &order->family);
		if (code)
			return code;
	} else {
		order->family = xstrdup(inv->argv[0]);
	}
	code = sysfs_need_family(order->family, order->scope);
	if (code || !strcmp(order->policy, POLICY_DEFAULT))
		return code;
	/* Where there are several of one name the host takes the newest. */
	return policy_need(order->policy, order->family);
}

static void swap_print(const struct swap_order *order, struct json_object *swap)
{
	char *closed __free_on_exit = format_ns(json_number(swap, "close_ns"));
	char *total __free_on_exit = format_ns(json_number(swap, "total_ns"));
	char *probation __free_on_exit = format_ns(order->probation_ms * 1000 * 1000);
	const char *result = json_text(swap, "result");

	printf("%s/%s: %s -> %s, flipped in %s, gate closed for %s, %" PRId64 " attempt%s\n",
	       order->family, order->scope, json_text(swap, "from"), json_text(swap, "to"), total,
	       closed, json_number(swap, "attempts"),
	       json_number(swap, "attempts") == 1 ? "" : "s");
	if (!strcmp(result, "probation"))
		printf("on probation for %s; to end it: tiffin commit %s, or tiffin rollback %s\n",
		       probation, order->family, order->family);
	else if (!strcmp(result, "rolled_back"))
		printf("rolled back: %s\n", json_text(swap, "reason"));
	else if (order->wait)
		printf("%s\n", result);
}

/* @swap is taken over. */
static void result_print(const struct swap_order *order, const char *result,
			 struct json_object *swap, bool json)
{
	if (json) {
		struct json_object *doc = json_object_new_object();

		json_add_string(doc, "family", order->family);
		json_add_string(doc, "scope", order->scope);
		json_add_string(doc, "policy", order->policy);
		json_add_string(doc, "result", result);
		json_add(doc, "last_swap", swap);
		json_print(doc);
		json_object_put(doc);
		return;
	}
	if (!strcmp(result, "unchanged"))
		printf("%s/%s: %s is active already\n", order->family, order->scope,
		       order->policy);
	else
		swap_print(order, swap);
	json_object_put(swap);
}

static bool settled(const char *result)
{
	return strcmp(result, "flipped") && strcmp(result, "probation");
}

/*
 * Until the swap is committed or rolled back. Events only wake this up earlier: what counts is what
 * sysfs says, as events can get lost.
 */
static struct json_object *wait_settled(const struct swap_order *order, int events,
					struct json_object *swap)
{
	int64_t id = json_number(swap, "id");
	int64_t left_ms = order->probation_ms + WAIT_GRACE_MS;

	while (json_number(swap, "id") == id && !settled(json_text(swap, "result")) &&
	       left_ms > 0) {
		struct json_object *event = NULL;

		if (events >= 0)
			events_next(events, WAIT_STEP_MS, &event);
		else
			usleep(WAIT_STEP_MS * 1000);
		if (!event)
			left_ms -= WAIT_STEP_MS;
		json_object_put(event);
		json_object_put(swap);
		swap = scope_table(order->family, order->scope, "last_swap");
	}
	return swap;
}

static enum tiffin_exit order_wait(const struct swap_order *order, int events, bool json,
				   struct json_object *swap)
{
	int64_t id = json_number(swap, "id");
	const char *result;

	swap = wait_settled(order, events, swap);
	result = json_text(swap, "result");
	if (json_number(swap, "id") != id) {
		json_object_put(swap);
		return fail(TIFFIN_EXIT_REFUSED, "what is active: tiffin show",
			    "%s/%s: another swap has followed; how this one ended is not known",
			    order->family, order->scope);
	}
	if (!settled(result)) {
		json_object_put(swap);
		return fail(TIFFIN_EXIT_TIMED_OUT, "what holds it up: tiffin show FAMILY, dmesg",
			    "%s/%s: the probation has not ended in its time", order->family,
			    order->scope);
	}
	if (!strcmp(result, "rolled_back")) {
		result_print(order, result, swap, json);
		return TIFFIN_EXIT_ROLLED_BACK;
	}
	result_print(order, result, swap, json);
	return TIFFIN_EXIT_OK;
}

static enum tiffin_exit order_carry_out(const struct swap_order *order, bool json)
{
	struct json_object *swap;
	enum tiffin_exit code;
	bool already;
	int events = -1;

	if (order->wait)
		events = events_open();
	code = sysfs_request(order->family, order->scope, "swap", order->text, &already);
	if (!code) {
		swap = scope_table(order->family, order->scope, "last_swap");
		if (already)
			result_print(order, "unchanged", swap, json);
		else if (order->wait)
			code = order_wait(order, events, json, swap);
		else
			result_print(order, json_text(swap, "result"), swap, json);
	}
	if (events >= 0)
		close(events);
	return code;
}

static enum tiffin_exit order_dry_run(const struct swap_order *order, bool json)
{
	if (order->wait)
		return fail(TIFFIN_EXIT_USAGE, NULL,
			    "--wait waits for a swap, and --dry-run makes none");
	return dry_run(order->family, order->scope, order->policy, order->text, json);
}

static enum tiffin_exit swap_run(const struct invocation *inv)
{
	struct swap_order order = { .wait = option(inv, "wait") };
	enum tiffin_exit code = sysfs_need_host();

	if (!code)
		code = order_names(inv, &order);
	if (!code)
		code = order_text(inv, &order);
	if (!code && option(inv, "dry-run"))
		code = order_dry_run(&order, inv->json);
	else if (!code)
		code = order_carry_out(&order, inv->json);
	free(order.family);
	free(order.text);
	return code;
}

/* The state of a scope after a request; @result is for programs, @what for people. */
static void scope_print(const char *family, const char *scope, const char *result,
			const char *what, bool json)
{
	struct json_object *now = scope_read(family, scope);

	if (json) {
		struct json_object *doc = json_object_new_object();

		json_add_string(doc, "family", family);
		json_add_string(doc, "result", result);
		json_object_object_foreach(now, key, value)
			if (strcmp(key, "error"))
				json_add(doc, key, json_object_get(value));
		json_print(doc);
		json_object_put(doc);
	} else {
		printf("%s/%s: %s; %s is active\n", family, scope, what, json_text(now, "active"));
	}
	json_object_put(now);
}

static enum tiffin_exit simple_request(const struct invocation *inv, const char *file,
				       const char *result, const char *what)
{
	const char *family = inv->argv[0];
	const char *scope = option_scope(inv);
	enum tiffin_exit code = sysfs_need_host();
	bool already;

	if (!code)
		code = sysfs_need_family(family, scope);
	if (!code)
		code = sysfs_request(family, scope, file, "1", &already);
	if (!code)
		scope_print(family, scope, already ? "unchanged" : result,
			    already ? "unchanged" : what, inv->json);
	return code;
}

static enum tiffin_exit rollback_run(const struct invocation *inv)
{
	return simple_request(inv, "rollback", "rolled_back", "rolled back");
}

static enum tiffin_exit commit_run(const struct invocation *inv)
{
	return simple_request(inv, "commit", "committed", "committed");
}

static enum tiffin_exit to_default(const char *family, const char *scope, bool *changed)
{
	char *state __free_on_exit = sysfs_read("%s/scopes/%s/state", family, scope);
	enum tiffin_exit code;
	bool already;

	/* The way out must work at any time: a probation would answer "busy". */
	if (state && !strcmp(state, "probation")) {
		code = sysfs_request(family, scope, "rollback", "1", &already);
		/* It may have ended by itself in between. */
		if (code && code != TIFFIN_EXIT_NOT_FOUND)
			return code;
	}
	code = sysfs_request(family, scope, "swap", POLICY_DEFAULT " probation_ms=0", &already);
	*changed = !already;
	return code;
}

/* Every scope of every family named; goes on after a failure, and ends with the first one. */
static enum tiffin_exit all_to_default(const struct strings *families, const char *only_scope,
				       struct json_object *rows)
{
	enum tiffin_exit first = TIFFIN_EXIT_OK;

	for (size_t f = 0; f < families->count; f++) {
		struct strings scopes = sysfs_scopes(families->item[f]);

		for (size_t i = 0; i < scopes.count; i++) {
			struct json_object *row;
			enum tiffin_exit code;
			bool changed;

			if (only_scope && strcmp(only_scope, scopes.item[i]))
				continue;
			code = to_default(families->item[f], scopes.item[i], &changed);
			row = json_object_new_object();
			json_add_string(row, "family", families->item[f]);
			json_add_string(row, "scope", scopes.item[i]);
			json_add_string(row, "result", code ? exit_name(code) :
					changed ? "default" : "unchanged");
			json_object_array_add(rows, row);
			if (!first)
				first = code;
		}
		strings_free(&scopes);
	}
	return first;
}

static enum tiffin_exit default_families(const struct invocation *inv, struct strings *families)
{
	enum tiffin_exit code = TIFFIN_EXIT_OK;
	char *family = NULL;

	if (option(inv, "all")) {
		if (inv->argc)
			return fail(TIFFIN_EXIT_USAGE, NULL, "--all or a family, not both");
		*families = sysfs_families();
		return TIFFIN_EXIT_OK;
	}
	if (inv->argc)
		family = xstrdup(inv->argv[0]);
	else
		code = policy_family(POLICY_DEFAULT, &family);
	if (!code)
		code = sysfs_need_family(family, option(inv, "scope"));
	if (!code)
		strings_add(families, family);
	free(family);
	return code;
}

static enum tiffin_exit default_run(const struct invocation *inv)
{
	enum tiffin_exit code = sysfs_need_host();
	struct strings families = { 0 };
	struct json_object *rows;

	if (!code)
		code = default_families(inv, &families);
	if (code)
		return code;
	rows = json_object_new_array();
	code = all_to_default(&families, option(inv, "scope"), rows);
	if (inv->json && !code) {
		struct json_object *doc = json_object_new_object();

		json_add(doc, "scopes", json_object_get(rows));
		json_print(doc);
		json_object_put(doc);
	} else if (!inv->json) {
		for (size_t i = 0; i < json_object_array_length(rows); i++)
			printf("%s/%s: %s\n", json_text(json_at(rows, i), "family"),
			       json_text(json_at(rows, i), "scope"),
			       json_text(json_at(rows, i), "result"));
	}
	json_object_put(rows);
	strings_free(&families);
	return code;
}

#define OPTION_SCOPE { .name = "scope", .arg = "SCOPE", .help = "which scope (default: default)" }

static const struct option_spec swap_options[] = {
	{ .name = "gate", .arg = "EXPR", .many = true,
	  .help = "what must hold during the probation: METRIC<NUMBER or METRIC>NUMBER" },
	{ .name = "probation", .arg = "TIME",
	  .help = "how long the previous policy is kept ready (with --gate: 30s)" },
	{ .name = "timeout", .arg = "TIME", .help = "give up, with nothing changed, after this" },
	{ .name = "wait", .help = "return when the swap is committed or rolled back" },
	{ .name = "dry-run", .help = "say what would become of each store, and change nothing" },
	OPTION_SCOPE,
	{ 0 }
};

const struct command command_swap = {
	.name = "swap",
	.operands = "[FAMILY] POLICY",
	.summary = "make another policy the active one, live",
	.options = swap_options,
	.min_operands = 1,
	.max_operands = 2,
	.run = swap_run,
};

static const struct option_spec scope_options[] = { OPTION_SCOPE, { 0 } };

const struct command command_rollback = {
	.name = "rollback",
	.operands = "FAMILY",
	.summary = "bring the previous policy back",
	.options = scope_options,
	.min_operands = 1,
	.max_operands = 1,
	.run = rollback_run,
};

const struct command command_commit = {
	.name = "commit",
	.operands = "FAMILY",
	.summary = "end a probation early and keep the new policy",
	.options = scope_options,
	.min_operands = 1,
	.max_operands = 1,
	.run = commit_run,
};

static const struct option_spec default_options[] = {
	{ .name = "all", .help = "of every family" },
	OPTION_SCOPE,
	{ 0 }
};

const struct command command_default = {
	.name = "default",
	.operands = "[FAMILY]",
	.summary = "bring the stock kernel's behaviour back, at any time",
	.options = default_options,
	.max_operands = 1,
	.run = default_run,
};
