// SPDX-License-Identifier: GPL-2.0-only
/* Text, with the kernel's meaning. */
#include <stdlib.h>

#include "shim.h"

int vscnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	int n = vsnprintf(buf, size, fmt, args);

	if (n < 0 || !size)
		return 0;
	return (size_t)n < size ? n : (int)size - 1;
}

int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vscnprintf(buf, size, fmt, args);
	va_end(args);
	return n;
}

ssize_t strscpy(char *dst, const char *src, size_t size)
{
	size_t len = strnlen(src, size);

	if (!size)
		return -E2BIG;
	if (len == size) {
		memcpy(dst, src, size - 1);
		dst[size - 1] = '\0';
		return -E2BIG;
	}
	memcpy(dst, src, len + 1);
	return len;
}

char *skip_spaces(const char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	return (char *)text;
}

bool sysfs_streq(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b || (!*a && !strcmp(b, "\n")) || (!*b && !strcmp(a, "\n"));
}

int match_string(const char * const *array, size_t n, const char *text)
{
	size_t i;

	for (i = 0; i < n && array[i]; i++)
		if (!strcmp(array[i], text))
			return i;
	return -EINVAL;
}

/* An unsigned decimal number up to @max; one newline may follow it. */
static int shim_number(const char *text, u64 max, u64 *value)
{
	bool over = false;
	u64 n = 0;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	for (; isdigit((unsigned char)*text); text++)
		over |= __builtin_mul_overflow(n, 10, &n) ||
			__builtin_add_overflow(n, (u64)(*text - '0'), &n);
	if (*text == '\n')
		text++;
	if (*text)
		return -EINVAL;
	if (over || n > max)
		return -ERANGE;
	*value = n;
	return 0;
}

/* The kernel's take one plus sign; any base but 10 has no user here. */
int kstrtou64(const char *text, unsigned int base, u64 *value)
{
	if (base != 10)
		shim_splat(__FILE__, __LINE__, "base %u", base);
	return shim_number(text + (*text == '+'), U64_MAX, value);
}

int kstrtou32(const char *text, unsigned int base, u32 *value)
{
	u64 n;
	int rc = kstrtou64(text, base, &n);

	if (rc)
		return rc;
	if (n > U32_MAX)
		return -ERANGE;
	*value = n;
	return 0;
}

int kstrtos64(const char *text, unsigned int base, s64 *value)
{
	bool minus = *text == '-';
	u64 n;
	int rc;

	if (base != 10)
		shim_splat(__FILE__, __LINE__, "base %u", base);
	rc = shim_number(text + (minus || *text == '+'), (u64)S64_MAX + minus, &n);
	if (!rc)
		*value = minus ? (s64)-n : (s64)n;
	return rc;
}

int kstrtobool(const char *text, bool *value)
{
	if (*text != '0' && *text != '1')
		return -EINVAL;
	*value = *text == '1';
	return 0;
}

void shim_log(const char *fmt, ...)
{
	char line[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (shim.look_for && strstr(line, shim.look_for))
		shim.found++;
	if (getenv("SHIM_LOG"))
		fputs(line, stderr);
}

void shim_splat(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "# %s:%d: ", file, line);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "\n");
	abort();
}
