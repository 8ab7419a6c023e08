// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "root.h"

#define TEXT_MAX	(64 * 1024 * 1024)

static char *path_of(const char *fmt, va_list args)
{
	const char *root = secure_getenv("TIFFIN_ROOT");
	char *name = xvasprintf(fmt, args);
	char *path;

	if (!root)
		return name;
	path = xasprintf("%s%s", root, name);
	free(name);
	return path;
}

char *root_path(const char *fmt, ...)
{
	va_list args;
	char *path;

	va_start(args, fmt);
	path = path_of(fmt, args);
	va_end(args);
	return path;
}

static char *fd_read(int fd, size_t max)
{
	size_t used = 0, room = 4096;
	char *text = xrealloc(NULL, room);
	ssize_t n;

	while ((n = read(fd, text + used, room - used - 1)) > 0) {
		used += n;
		if (room - used > 1)
			continue;
		if (used >= max) {
			errno = EFBIG;
			n = -1;
			break;
		}
		room *= 2;
		text = xrealloc(text, room);
	}
	if (n < 0) {
		free(text);
		return NULL;
	}
	if (used && text[used - 1] == '\n')
		used--;
	text[used] = '\0';
	return text;
}

static char *file_read_once(const char *path, size_t max)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), error;
	char *text;

	if (fd < 0)
		return NULL;
	text = fd_read(fd, max);
	error = errno;
	close(fd);
	errno = error;
	return text;
}

/* ESTALE: the host has not kept the text for so long, and it has to be read from the beginning. */
char *file_read(const char *path, size_t max)
{
	char *text;
	int try;

	for (try = 0; try < 8; try++) {
		text = file_read_once(path, max);
		if (text || errno != ESTALE)
			break;
	}
	return text;
}

char *root_read(const char *fmt, ...)
{
	char *path __free_on_exit = NULL;
	va_list args;

	va_start(args, fmt);
	path = path_of(fmt, args);
	va_end(args);
	return file_read(path, TEXT_MAX);
}

bool root_exists(const char *fmt, ...)
{
	char *path __free_on_exit = NULL;
	va_list args;

	va_start(args, fmt);
	path = path_of(fmt, args);
	va_end(args);
	return !access(path, F_OK);
}
