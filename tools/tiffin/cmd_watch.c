// SPDX-License-Identifier: GPL-2.0-only
/* watch: the host's events as they come. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "events.h"

static void moment_print(int64_t time_ms)
{
	time_t t = time_ms / 1000;
	char clock[16];
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	printf("%s.%03d", clock, (int)(time_ms % 1000));
}

static void event_print(struct json_object *event)
{
	const char *kind = json_text(event, "event");
	const char *reason = json_text(event, "reason");

	moment_print(json_number(event, "time_ms"));
	if (!strcmp(kind, "lost")) {
		puts("  events were lost; what is so now: tiffin show");
		return;
	}
	fputs("  ", stdout);
	text_print(json_text(event, "family"));
	if (*json_text(event, "scope")) {
		putchar('/');
		text_print(json_text(event, "scope"));
	}
	fputs("  ", stdout);
	text_print(kind);
	if (*json_text(event, "policy")) {
		putchar(' ');
		text_print(json_text(event, "policy"));
	}
	if (*json_text(event, "to")) {
		printf(" %" PRId64 ": ", json_number(event, "swap"));
		text_print(json_text(event, "from"));
		fputs(" -> ", stdout);
		text_print(json_text(event, "to"));
	}
	if (*reason) {
		fputs(": ", stdout);
		text_print(reason);
	}
	putchar('\n');
}

static void event_out(struct json_object *event, bool json)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	json_add_number(event, "time_ms", (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
	if (json)
		json_print_line(event);
	else
		event_print(event);
	fflush(stdout);
}

static enum tiffin_exit events_follow(int fd, const char *family, int64_t count, bool json)
{
	int64_t seen = 0;

	while (!count || seen < count) {
		struct json_object *event = NULL;
		int n = events_next(fd, -1, &event);

		if (n == -EINTR)
			continue;
		if (n == -ENOBUFS) {
			event = json_object_new_object();
			json_add_string(event, "event", "lost");
		} else if (n < 0) {
			return fail(TIFFIN_EXIT_SYSTEM, NULL, "receiving events: %s", strerror(-n));
		}
		if (n == -ENOBUFS || !family || !strcmp(family, json_text(event, "family"))) {
			event_out(event, json);
			seen++;
		}
		json_object_put(event);
		if (ferror(stdout))
			return TIFFIN_EXIT_SYSTEM;
	}
	return TIFFIN_EXIT_OK;
}

static enum tiffin_exit watch_run(const struct invocation *inv)
{
	const char *text = option(inv, "count");
	enum tiffin_exit code;
	int64_t count = 0;
	int fd;

	if (text && (!parse_number(text, &count) || count < 1))
		return fail(TIFFIN_EXIT_USAGE, "write a whole number from 1",
			    "--count: '%s' is no count", text);
	fd = events_open();
	if (fd < 0)
		return fail(TIFFIN_EXIT_SYSTEM, NULL, "subscribing to uevents: %s", strerror(-fd));
	/* Whoever started this knows from here on that no event is missed. */
	if (!inv->json)
		fputs("watching; the host need not be loaded yet\n", stderr);
	code = events_follow(fd, option(inv, "family"), count, inv->json);
	close(fd);
	return code;
}

static const struct option_spec watch_options[] = {
	{ .name = "family", .arg = "FAMILY", .help = "only events of this family" },
	{ .name = "count", .arg = "N", .help = "end after N events" },
	{ 0 }
};

const struct command command_watch = {
	.name = "watch",
	.operands = "",
	.summary = "print events as they come: load, unload, swap, commit, rollback, fail, quarantine",
	.options = watch_options,
	.run = watch_run,
};
