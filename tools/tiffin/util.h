/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that can't run out unnoticed, scope-bound frees, times and numbers as people write. */
#ifndef UTIL_H
#define UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))

#define __printf(f, a)		__attribute__((format(printf, f, a)))

static inline void free_pointer(void *p)
{
	free(*(void **)p);
}

/* The variable is freed when it goes out of scope. */
#define __free_on_exit		__attribute__((cleanup(free_pointer)))

/**
 * struct strings - a list of strings that it owns
 * @item: the strings
 * @count: how many
 */
struct strings {
	char **item;
	size_t count;
};

/* Leave with TIFFIN_EXIT_SYSTEM where memory runs out, so the result is never NULL. */
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __printf(1, 2);
char *xvasprintf(const char *fmt, va_list args) __printf(1, 0);

void strings_add(struct strings *list, const char *s);
bool strings_have(const struct strings *list, const char *s);
void strings_free(struct strings *list);
/* The items with @between between them, at most @max, then "and N more". */
char *strings_join(const struct strings *list, const char *between, size_t max);

/**
 * parse_number - a whole decimal number and nothing else
 * @text: what the user or the kernel wrote
 * @value: the result
 *
 * Return: false where @text is anything else or does not fit.
 */
bool parse_number(const char *text, int64_t *value);

/**
 * parse_time_ms - a time such as 500ms, 30s, 5m, 1h; without a unit in seconds
 * @text: what the user wrote
 * @ms: the result in milliseconds
 *
 * Return: false where @text is anything else or exceeds 24 hours.
 */
bool parse_time_ms(const char *text, uint64_t *ms);

/* "730 ns", "1.2 us", "34.0 ms", "2.1 s"; to be freed. */
char *format_ns(uint64_t ns);

/* "4208 B", "1.0 MiB", "16.0 GiB"; to be freed. */
char *format_bytes(uint64_t bytes);

/* True for what is safe as one component of a path: letters, digits, "_.+-", not "." first. */
bool name_ok(const char *name);

#endif /* UTIL_H */
