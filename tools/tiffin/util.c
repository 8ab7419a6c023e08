// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "output.h"
#include "util.h"

static _Noreturn void out_of_memory(void)
{
	fputs("tiffin: out of memory\n", stderr);
	exit(TIFFIN_EXIT_SYSTEM);
}

void *xrealloc(void *old, size_t size)
{
	void *p = realloc(old, size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

char *xstrdup(const char *s)
{
	char *p = strdup(s);

	if (!p)
		out_of_memory();
	return p;
}

char *xstrndup(const char *s, size_t n)
{
	char *p = strndup(s, n);

	if (!p)
		out_of_memory();
	return p;
}

char *xvasprintf(const char *fmt, va_list args)
{
	char *p;

	if (vasprintf(&p, fmt, args) < 0)
		out_of_memory();
	return p;
}

char *xasprintf(const char *fmt, ...)
{
	va_list args;
	char *p;

	va_start(args, fmt);
	p = xvasprintf(fmt, args);
	va_end(args);
	return p;
}

void strings_add(struct strings *list, const char *s)
{
	list->item = xrealloc(list->item, (list->count + 1) * sizeof(*list->item));
	list->item[list->count++] = xstrdup(s);
}

bool strings_have(const struct strings *list, const char *s)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->item[i], s))
			return true;
	return false;
}

void strings_free(struct strings *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->item[i]);
	free(list->item);
	*list = (struct strings){ 0 };
}

char *strings_join(const struct strings *list, const char *between, size_t max)
{
	char *all = xstrdup("");

	for (size_t i = 0; i < list->count && i < max; i++) {
		char *more = xasprintf("%s%s%s", all, i ? between : "", list->item[i]);

		free(all);
		all = more;
	}
	if (list->count > max) {
		char *more = xasprintf("%s and %zu more", all, list->count - max);

		free(all);
		all = more;
	}
	return all;
}

bool parse_number(const char *text, int64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)text[0]) &&
	    !(text[0] == '-' && isdigit((unsigned char)text[1])))
		return false;
	errno = 0;
	*value = strtoll(text, &end, 10);
	return !errno && !*end;
}

bool parse_time_ms(const char *text, uint64_t *ms)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = {
		{ "ms", 1 }, { "s", 1000 }, { "", 1000 }, { "m", 60 * 1000 },
		{ "h", 60 * 60 * 1000 },
	};
	const uint64_t longest = 24 * 60 * 60 * 1000;
	unsigned long long n;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].name))
			continue;
		if (n > longest / units[i].ms)
			return false;
		*ms = n * units[i].ms;
		return true;
	}
	return false;
}

char *format_ns(uint64_t ns)
{
	if (ns < 1000)
		return xasprintf("%" PRIu64 " ns", ns);
	if (ns < 1000 * 1000)
		return xasprintf("%.1f us", (double)ns / 1e3);
	if (ns < 1000 * 1000 * 1000)
		return xasprintf("%.1f ms", (double)ns / 1e6);
	return xasprintf("%.1f s", (double)ns / 1e9);
}

char *format_bytes(uint64_t bytes)
{
	static const char * const units[] = { "KiB", "MiB", "GiB", "TiB" };
	double scaled = bytes / 1024.0;
	size_t i = 0;

	if (bytes < 10000)
		return xasprintf("%" PRIu64 " B", bytes);
	while (scaled >= 1024 && i + 1 < ARRAY_SIZE(units)) {
		scaled /= 1024;
		i++;
	}
	return xasprintf("%.1f %s", scaled, units[i]);
}

bool name_ok(const char *name)
{
	if (!*name || *name == '.')
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("_.+-", *name))
			return false;
	return true;
}
