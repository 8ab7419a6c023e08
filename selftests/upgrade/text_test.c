// SPDX-License-Identifier: GPL-2.0-only
/* Texts that may be longer than a page: what a reader takes piece by piece is of one moment. */
#include <stdlib.h>

#include "core/text.h"
#include "test.h"

/* Bytes of a piece; the kernel gives a page at most. */
#define PIECE	1000

/* How often the text was made, and how long it is. */
static unsigned int moment, lines;

static void moment_make(struct kobject *kobj, struct tiffin_text *text)
{
	unsigned int i;

	moment++;
	/* Here a lock is held that a rescue needs. */
	shim_no_memory(true);
	for (i = 0; i < lines; i++) {
		tiffin_text_add(text, "moment %u ", moment);
		tiffin_text_add(text, "line %u\n", i);
	}
	shim_no_memory(false);
	/* It is too long for a page: there is room for it the next time. */
	if (text->len >= text->room)
		moment--;
}

static const struct cred root = { .fsuid = { 0 } }, somebody = { .fsuid = { 1000 } };
/* Two folders that have such files: the tests look at the first. */
static struct kobject folder, another;

static struct tiffin_text_file moments = TIFFIN_TEXT_FILE("moments", 0400, moment_make);
static struct tiffin_text_file others = TIFFIN_TEXT_FILE("others", 0400, moment_make);

/**
 * struct reader - who reads it
 * @file: tells it from others
 * @pos: where it is
 * @got: what it got up to there
 */
struct reader {
	struct file file;
	size_t pos;
	char *got;
};

/* Bytes of the next piece, or the error. */
static ssize_t take(struct reader *reader, size_t count)
{
	char *to = realloc(reader->got, reader->pos + count + 1);
	ssize_t len;

	if (!reader->file.f_cred)
		reader->file.f_cred = &root;
	reader->got = to;
	len = tiffin_text_read(&reader->file, &folder, &moments.attr, to + reader->pos, reader->pos,
			       count);
	reader->pos += len > 0 ? len : 0;
	to[reader->pos] = '\0';
	return len;
}

static void finish(struct reader *reader)
{
	free(reader->got);
	reader->got = NULL;
	reader->pos = 0;
}

/* It gets the rest, and then has all of the text of that moment. */
static void expect_moment(struct reader *reader, unsigned int when)
{
	const char *at;
	unsigned int i;
	char line[64];
	ssize_t len;

	while ((len = take(reader, PIECE)) > 0)
		;
	EXPECT(len, ==, 0);
	EXPECT(take(reader, PIECE), ==, 0);
	for (i = 0, at = reader->got; i < lines; i++, at += strlen(line)) {
		snprintf(line, sizeof(line), "moment %u line %u\n", when, i);
		if (strncmp(at, line, strlen(line))) {
			test_fail(__FILE__, __LINE__, "in place of '%s': '%.40s'", line, at);
			break;
		}
	}
	EXPECT(*at, ==, 0);
	finish(reader);
}

static void begin(unsigned int nr)
{
	moment = 0;
	lines = nr;
}

TEST(text_of_one_moment)
{
	struct reader a = {}, b = {};

	begin(1000);
	EXPECT(take(&a, PIECE), ==, PIECE);
	EXPECT(take(&b, PIECE), ==, PIECE);
	EXPECT(take(&a, 10 * PIECE), ==, 10 * PIECE);
	expect_moment(&b, 2);
	expect_moment(&a, 1);
	/* Who begins anew sees what is now. */
	lines = 3;
	expect_moment(&a, 3);
	/* So does who had not got to the end. */
	lines = 1000;
	EXPECT(take(&b, PIECE), ==, PIECE);
	finish(&b);
	expect_moment(&b, 5);
}

TEST(text_of_no_line)
{
	struct reader a = {};

	begin(0);
	EXPECT(take(&a, PIECE), ==, 0);
	expect_moment(&a, 1);
}

/* Two files of the same kind have nothing to do with each other. */
TEST(text_of_another_file)
{
	struct reader a = {};
	char piece[PIECE];

	begin(1000);
	EXPECT(take(&a, PIECE), ==, PIECE);
	EXPECT(tiffin_text_read(&a.file, &folder, &others.attr, piece, PIECE, PIECE), ==, -ESTALE);
	EXPECT(tiffin_text_read(&a.file, &folder, &others.attr, piece, 0, PIECE), ==, PIECE);
	EXPECT(tiffin_text_read(&a.file, &another, &moments.attr, piece, PIECE, PIECE), ==,
	       -ESTALE);
	EXPECT(tiffin_text_read(&a.file, &another, &moments.attr, piece, 0, PIECE), ==, PIECE);
	expect_moment(&a, 1);
}

TEST(text_begins_at_its_beginning)
{
	struct reader a = { .file.f_cred = &root };
	char byte;

	begin(1000);
	EXPECT(tiffin_text_read(&a.file, &folder, &moments.attr, &byte, 1, 1), ==, -ESTALE);
	EXPECT(moment, ==, 0);
	expect_moment(&a, 1);
	/* It may go back, too. */
	EXPECT(tiffin_text_read(&a.file, &folder, &moments.attr, &byte, 1, 1), ==, 1);
	EXPECT(byte, ==, 'o');
}

/* What is kept is bounded: the reader that has not read for longest has to begin anew. */
TEST(text_for_many_readers)
{
	static struct reader reader[TIFFIN_TEXT_READERS + 1];
	struct reader *last = &reader[TIFFIN_TEXT_READERS];
	long before = shim_allocations();
	unsigned int i;

	begin(1000);
	for (i = 0; i < TIFFIN_TEXT_READERS; i++)
		EXPECT(take(&reader[i], PIECE), ==, PIECE);
	EXPECT(take(&reader[0], PIECE), ==, PIECE);
	EXPECT(take(last, PIECE), ==, PIECE);
	EXPECT(take(&reader[1], PIECE), ==, -ESTALE);
	EXPECT(shim_allocations(), ==, before + 2 * TIFFIN_TEXT_READERS);
	finish(&reader[1]);
	for (i = 2; i <= TIFFIN_TEXT_READERS; i++)
		expect_moment(&reader[i], i + 1);
	expect_moment(&reader[0], 1);
	expect_moment(&reader[1], TIFFIN_TEXT_READERS + 2);
}

/* Of the same user and file: others, however many, don't have it begin anew. */
TEST(text_of_another_user)
{
	struct reader a = {}, other[3 * TIFFIN_TEXT_READERS] = {};
	char piece[PIECE];
	unsigned int i;

	begin(1000);
	EXPECT(take(&a, PIECE), ==, PIECE);
	for (i = 0; i < TIFFIN_TEXT_READERS; i++) {
		other[i].file.f_cred = &somebody;
		EXPECT(take(&other[i], PIECE), ==, PIECE);
	}
	for (; i < ARRAY_SIZE(other); i++) {
		other[i].file.f_cred = &root;
		EXPECT(tiffin_text_read(&other[i].file, i % 2 ? &folder : &another,
					i % 2 ? &others.attr : &moments.attr, piece, 0, PIECE),
		       ==, PIECE);
	}
	expect_moment(&a, 1);
	for (i = 0; i < TIFFIN_TEXT_READERS; i++)
		finish(&other[i]);
}

/* But all together are bounded, too. */
TEST(text_of_all_users)
{
	static struct reader reader[TIFFIN_TEXT_ALL / TIFFIN_TEXT_MAX + 2];
	static struct cred user[ARRAY_SIZE(reader)];
	unsigned int i;

	begin(TIFFIN_TEXT_MAX / 24);
	for (i = 0; i < ARRAY_SIZE(reader); i++) {
		user[i].fsuid.val = i;
		reader[i].file.f_cred = &user[i];
		EXPECT(take(&reader[i], PIECE), ==, PIECE);
	}
	EXPECT(take(&reader[0], PIECE), ==, -ESTALE);
	EXPECT(take(&reader[i - 1], PIECE), ==, PIECE);
	for (i = 0; i < ARRAY_SIZE(reader); i++)
		finish(&reader[i]);
	tiffin_texts_exit();
}

/* When core goes nothing is kept, and nothing comes later. */
TEST(text_at_unload)
{
	long before = shim_allocations();
	struct reader a = {};

	begin(1000);
	EXPECT(take(&a, PIECE), ==, PIECE);
	tiffin_texts_exit();
	EXPECT(shim_allocations(), ==, before);
	EXPECT(take(&a, PIECE), ==, -ESTALE);
	shim_advance(2 * TIFFIN_TEXT_IDLE_MS * MS);
	finish(&a);
}

/* Also where they are few, and the text is long. */
TEST(text_that_is_long)
{
	struct reader a = {}, b = {}, c = {};

	begin(TIFFIN_TEXT_MAX / 24);
	EXPECT(take(&a, PIECE), ==, PIECE);
	EXPECT(take(&b, PIECE), ==, PIECE);
	EXPECT(take(&c, PIECE), ==, PIECE);
	EXPECT(take(&a, PIECE), ==, -ESTALE);
	finish(&a);
	expect_moment(&c, 3);
	finish(&b);
}

/* One that is too long says so, in a line of its own after a whole one. */
TEST(text_that_is_too_long)
{
	struct reader a = {};
	unsigned int nr = 0;
	const char *at;
	char last[128];

	begin(TIFFIN_TEXT_MAX / 20);
	while (take(&a, 1 << 20) > 0)
		;
	EXPECT(a.pos, >, TIFFIN_TEXT_MAX - 64);
	EXPECT(a.pos, <, TIFFIN_TEXT_MAX + 64);
	for (at = a.got; *at; at++)
		nr += *at == '\n';
	EXPECT(nr, <, lines);
	snprintf(last, sizeof(last), "\nmoment 1 line %u\ncut: the text is longer than this file can be\n",
		 nr - 2);
	EXPECT_STR(at - strlen(last), last);
	finish(&a);
}

/* What nobody reads on is not kept for ever. */
TEST(text_that_is_left)
{
	long before = shim_allocations();
	struct reader a = {}, b = {};

	begin(1000);
	EXPECT(take(&a, PIECE), ==, PIECE);
	shim_advance((TIFFIN_TEXT_IDLE_MS - 1000) * MS);
	EXPECT(take(&b, PIECE), ==, PIECE);
	EXPECT(shim_allocations(), ==, before + 4);
	shim_advance(2000 * MS);
	EXPECT(shim_allocations(), ==, before + 2);
	EXPECT(take(&a, PIECE), ==, -ESTALE);
	shim_advance((TIFFIN_TEXT_IDLE_MS - 4000) * MS);
	expect_moment(&b, 2);
	shim_advance((TIFFIN_TEXT_IDLE_MS + 1000) * MS);
	EXPECT(shim_allocations(), ==, before);
	finish(&a);
}

/* Without memory there is no text, rather than a part of one. */
TEST(text_without_memory)
{
	long before = shim_allocations();
	unsigned int nth, failed = 0;
	struct reader a = {};
	ssize_t len;

	begin(1000);
	for (nth = 1; nth < 100; nth++) {
		shim_fail_allocation(nth);
		len = take(&a, PIECE);
		shim_fail_allocation(0);
		if (len >= 0)
			break;
		failed++;
		EXPECT(len, ==, -ENOMEM);
		EXPECT(shim_allocations(), ==, before);
	}
	EXPECT(failed, >, 2);
	expect_moment(&a, moment);
}
