/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files in sysfs whose text may be longer than a page.
 *
 * sysfs cuts a plain attribute at a page, and asks for a binary one anew for each piece, of a page
 * at most, that a reader takes; pieces of different moments don't fit together. So here a text is
 * made as a whole where its reader begins, at offset 0, and kept for what that reader takes then:
 * who reads on sees one text of one moment. Readers are told apart by their open file.
 *
 * sysfs doesn't tell when a file is closed. A kept text goes where its reader begins anew; when
 * nothing was taken of it for TIFFIN_TEXT_IDLE_MS; when its user has begun to read the same file
 * so often that there are TIFFIN_TEXT_READERS texts of it, or TIFFIN_TEXT_KEPT bytes, or all users
 * have TIFFIN_TEXT_ALL, the one not used for longest first; and when core is unloaded. A reader
 * that goes on nevertheless gets ESTALE, never a piece of another moment's text: it has to begin
 * anew. So does one that begins elsewhere than at 0. (But for one whose open file lies where a
 * closed one lay that read the same file: it has that one's.)
 *
 * A text of more than TIFFIN_TEXT_MAX bytes is cut at the end of a line, and a last line says so.
 */
#ifndef TIFFIN_CORE_TEXT_H
#define TIFFIN_CORE_TEXT_H

#include <linux/sysfs.h>
#include <linux/types.h>

#define TIFFIN_TEXT_MAX		(8 * 1024 * 1024)
#define TIFFIN_TEXT_KEPT	(2 * TIFFIN_TEXT_MAX)
#define TIFFIN_TEXT_ALL		(8 * TIFFIN_TEXT_MAX)
#define TIFFIN_TEXT_READERS	16
#define TIFFIN_TEXT_IDLE_MS	60000

struct file;
struct kobject;

/**
 * struct tiffin_text - a text that is being made
 * @buf: of @room bytes
 * @len: of the text so far, also of what did not fit
 * @room: fixed while the text is made; the text is made once more where that is too little
 */
struct tiffin_text {
	char *buf;
	size_t len;
	size_t room;
};

/**
 * tiffin_text_add - add to a text
 * @text: that make() was given
 * @fmt: as of printf()
 *
 * Takes no memory and no lock, so that make() may hold any.
 *
 * Context: any.
 */
__printf(2, 3) void tiffin_text_add(struct tiffin_text *text, const char *fmt, ...);

/**
 * struct tiffin_text_file - such a file
 * @attr: for sysfs_create_bin_file(), or a group's bin_attrs
 * @make: adds the whole text, in lines. Process context, may sleep; takes what locks it needs, but
 *	no memory under one that a rescue needs. Called again where the text did not fit.
 */
struct tiffin_text_file {
	struct bin_attribute attr;
	void (*make)(struct kobject *kobj, struct tiffin_text *text);
};

#define TIFFIN_TEXT_FILE(_name, _mode, _make)							\
	{ .attr = { .attr = { .name = (_name), .mode = (_mode) }, .read = tiffin_text_read },	\
	  .make = (_make) }

/**
 * tiffin_text_read - of struct bin_attribute, for each such file
 * @file: the reader's
 * @kobj: in whose folder the file is
 * @attr: of a struct tiffin_text_file
 * @buf: receives the piece
 * @pos: where it begins in the text; at 0 the text is made
 * @count: bytes of @buf
 *
 * Context: process, may sleep.
 * Return: bytes of the piece, 0 at the end; -ENOMEM; -ESTALE, see above.
 */
ssize_t tiffin_text_read(struct file *file, struct kobject *kobj, struct bin_attribute *attr,
			 char *buf, loff_t pos, size_t count);

/* Drop all that is kept. No such file is there any more. Context: process, may sleep. */
void tiffin_texts_exit(void);

#endif /* TIFFIN_CORE_TEXT_H */
