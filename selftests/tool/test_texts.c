// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading a long text of the host, which comes in pieces: where the host has not kept it for so
 * long, a later piece says ESTALE, and what came before belongs to another text.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "root.h"

#define PIECE	4000

static int passed, failed;
/* An empty file, only a place to seek in. */
static char place[64];
/* How many texts are yet to be lost after their first piece; how many were begun. */
static int to_lose, begun;
static int error_of_loss;

static void expect(bool ok, const char *what)
{
	if (ok) {
		passed++;
	} else {
		failed++;
		printf("FAILED  texts: %s\n", what);
	}
}

/* Links in the place of read() (-Wl,--wrap): a text is three pieces of its own letter. */
ssize_t __wrap_read(int fd, void *buf, size_t count);
ssize_t __wrap_read(int fd, void *buf, size_t count)
{
	off_t at = lseek(fd, 0, SEEK_CUR);

	if (!at) {
		begun++;
	} else if (to_lose) {
		to_lose--;
		errno = error_of_loss;
		return -1;
	}
	if (at >= 3 * PIECE)
		return 0;
	if (count > PIECE)
		count = PIECE;
	if (count > (size_t)(3 * PIECE - at))
		count = 3 * PIECE - at;
	memset(buf, 'a' + begun - 1, count);
	lseek(fd, count, SEEK_CUR);
	return count;
}

static char *text_of(int losses, int error)
{
	to_lose = losses;
	error_of_loss = error;
	begun = 0;
	return file_read(place, 65536);
}

static bool whole(const char *text, char letter)
{
	size_t i;

	if (!text || strlen(text) != 3 * PIECE)
		return false;
	for (i = 0; i < 3 * PIECE; i++) {
		if (text[i] != letter)
			return false;
	}
	return true;
}

int main(void)
{
	int fd = memfd_create("texts", 0);
	char *text;

	if (fd < 0)
		return 2;
	snprintf(place, sizeof(place), "/proc/self/fd/%d", fd);

	text = text_of(0, 0);
	expect(whole(text, 'a') && begun == 1, "a text of several pieces is read at once");
	free(text);
	text = text_of(2, ESTALE);
	expect(whole(text, 'c'), "one that was lost is read anew, and nothing of the lost ones is in it");
	free(text);
	text = text_of(1000, ESTALE);
	expect(!text && errno == ESTALE && begun < 100, "one that is always lost is an error in the end");
	free(text);
	text = text_of(1, EIO);
	expect(!text && errno == EIO && begun == 1, "any other error is one at once");
	free(text);
	close(fd);
	printf("%d passed, %d failed, 0 skipped\n", passed, failed);
	return failed ? 1 : 0;
}
