/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel module's file, read by libelf. Nothing in the file is trusted: every offset, size and
 * name is checked before use.
 */
#ifndef IMAGE_H
#define IMAGE_H

#include <gelf.h>

#include "util.h"

/* Larger files are no policies. */
#define IMAGE_MAX	(16 * 1024 * 1024)

/**
 * struct image_section - a section
 * @name: "" where it has none that can be read
 * @index: its number
 * @header: as in the file
 * @data: its bytes, or NULL where it has none (.bss) or they lie outside the file
 */
struct image_section {
	const char *name;
	size_t index;
	GElf_Shdr header;
	const unsigned char *data;
};

/**
 * struct image_symbol - a symbol
 * @name: "" where it has none that can be read
 * @symbol: as in the file
 */
struct image_symbol {
	const char *name;
	GElf_Sym symbol;
};

/**
 * struct image - an open file
 * @bytes: the whole of it
 * @size: of it
 * @elf: libelf's handle
 * @sections: all but the null section
 * @nr_sections: entries of @sections
 * @symbols: all of the symbol table
 * @nr_symbols: entries of @symbols
 */
struct image {
	char *bytes;
	size_t size;
	Elf *elf;
	struct image_section *sections;
	size_t nr_sections;
	struct image_symbol *symbols;
	size_t nr_symbols;
};

/**
 * image_open - read a file
 * @img: the result
 * @path: of the file
 * @why: receives what is wrong with it, to be freed
 *
 * Return: false where it can't be read or is no x86-64 kernel module; image_close() is not needed.
 */
bool image_open(struct image *img, const char *path, char **why);

/* The same for a file that is in memory already; @bytes, @size bytes of it, is taken over. */
bool image_parse(struct image *img, char *bytes, size_t size, char **why);

void image_close(struct image *img);

/* The first section of that name, or NULL. */
const struct image_section *image_section(const struct image *img, const char *name);

/* The section of that number, or NULL. */
const struct image_section *image_section_at(const struct image *img, size_t index);

/* The first defined symbol of that name, or NULL. */
const struct image_symbol *image_symbol(const struct image *img, const char *name);

/**
 * image_modinfo - a value from .modinfo
 * @img: the file
 * @key: what is looked for
 * @nth: which one of that key, from 0
 *
 * Return: the value, valid as long as @img is, or NULL.
 */
const char *image_modinfo(const struct image *img, const char *key, size_t nth);

/**
 * image_bytes - bytes of a section
 * @section: may be NULL
 * @offset: of the first
 * @size: how many
 *
 * Return: NULL where not all of them are there.
 */
const void *image_bytes(const struct image_section *section, uint64_t offset, uint64_t size);

/* A string in a section, or NULL where it does not end within it. */
const char *image_string(const struct image_section *section, uint64_t offset);

/**
 * image_pointer - where a pointer will point once the module is relocated
 * @img: the file
 * @section: that holds the pointer
 * @offset: of the pointer in @section
 * @target: receives the section pointed into, NULL for a null pointer
 * @at: receives the offset in @target
 *
 * Return: false where there is a relocation that can't be followed.
 */
bool image_pointer(const struct image *img, const struct image_section *section, uint64_t offset,
		   const struct image_section **target, uint64_t *at);

/**
 * image_relocations - go through the relocations of a section
 * @img: the file
 * @section: to which they apply
 * @visit: called for each with its offset and the symbol it refers to; false ends it
 * @arg: for @visit
 */
void image_relocations(const struct image *img, const struct image_section *section,
		       bool (*visit)(void *arg, uint64_t offset, int64_t addend,
				     const struct image_symbol *symbol), void *arg);

#endif /* IMAGE_H */
