// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image.h"

static char *compressed(const struct image *img)
{
	static const struct {
		const char *magic;
		size_t len;
		const char *name;
		const char *tool;
	} formats[] = {
		{ "\xfd" "7zXZ", 5, "xz", "xz -dk" },
		{ "\x1f\x8b", 2, "gzip", "gzip -dk" },
		{ "\x28\xb5\x2f\xfd", 4, "zstd", "zstd -d" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (img->size >= formats[i].len &&
		    !memcmp(img->bytes, formats[i].magic, formats[i].len))
			return xasprintf("it is compressed by %s; decompress it first: %s FILE",
					 formats[i].name, formats[i].tool);
	return NULL;
}

static char *header_check(const struct image *img)
{
	GElf_Ehdr header;

	if (elf_kind(img->elf) != ELF_K_ELF || !gelf_getehdr(img->elf, &header))
		return xstrdup("it is no ELF file; a policy is built by: tools/policy/build FILE.c");
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
	    header.e_machine != EM_X86_64)
		return xstrdup("it is not for x86-64");
	if (header.e_type != ET_REL)
		return xstrdup("it is a program or library, no kernel module; a policy is built by: tools/policy/build FILE.c");
	return NULL;
}

static void sections_read(struct image *img)
{
	size_t names = 0, count = 0;
	Elf_Scn *scn = NULL;

	if (elf_getshdrnum(img->elf, &count) || elf_getshdrstrndx(img->elf, &names))
		return;
	img->sections = xrealloc(NULL, count * sizeof(*img->sections));
	while (img->nr_sections < count && (scn = elf_nextscn(img->elf, scn))) {
		struct image_section *s = &img->sections[img->nr_sections];
		const char *name;

		if (!gelf_getshdr(scn, &s->header))
			continue;
		name = elf_strptr(img->elf, names, s->header.sh_name);
		s->name = name ? name : "";
		s->index = elf_ndxscn(scn);
		s->data = NULL;
		if (s->header.sh_type != SHT_NOBITS && s->header.sh_offset <= img->size &&
		    s->header.sh_size <= img->size - s->header.sh_offset)
			s->data = (const unsigned char *)img->bytes + s->header.sh_offset;
		img->nr_sections++;
	}
}

static void symbols_read(struct image *img)
{
	for (size_t i = 0; i < img->nr_sections; i++) {
		const struct image_section *s = &img->sections[i];
		Elf_Data *data;
		size_t count;

		if (s->header.sh_type != SHT_SYMTAB || !s->data)
			continue;
		data = elf_getdata(elf_getscn(img->elf, s->index), NULL);
		if (!data || !data->d_buf)
			continue;
		count = data->d_size / sizeof(Elf64_Sym);
		img->symbols = xrealloc(NULL, count * sizeof(*img->symbols));
		for (size_t n = 0; n < count; n++) {
			struct image_symbol *symbol = &img->symbols[img->nr_symbols++];
			const char *name = NULL;

			if (gelf_getsym(data, (int)n, &symbol->symbol))
				name = elf_strptr(img->elf, s->header.sh_link,
						  symbol->symbol.st_name);
			else
				memset(&symbol->symbol, 0, sizeof(symbol->symbol));
			symbol->name = name ? name : "";
		}
		return;
	}
}

bool image_parse(struct image *img, char *bytes, size_t size, char **why)
{
	*img = (struct image){ .bytes = bytes, .size = size };
	*why = compressed(img);
	if (!*why) {
		elf_version(EV_CURRENT);
		img->elf = elf_memory(bytes, size);
		*why = img->elf ? header_check(img) : xstrdup("it is no ELF file");
	}
	if (*why) {
		image_close(img);
		return false;
	}
	sections_read(img);
	symbols_read(img);
	return true;
}

static char *whole_file(int fd, size_t size)
{
	char *bytes = xrealloc(NULL, size);
	size_t used = 0;

	while (used < size) {
		ssize_t n = read(fd, bytes + used, size - used);

		if (n <= 0) {
			free(bytes);
			return NULL;
		}
		used += n;
	}
	return bytes;
}

bool image_open(struct image *img, const char *path, char **why)
{
	char *bytes = NULL;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	*why = NULL;
	if (fd < 0) {
		*why = xstrdup(strerror(errno));
		return false;
	}
	if (fstat(fd, &st))
		*why = xstrdup(strerror(errno));
	else if (!S_ISREG(st.st_mode))
		*why = xstrdup("it is no regular file");
	else if (st.st_size > IMAGE_MAX)
		*why = xasprintf("it has %lld bytes; no policy is that large",
				 (long long)st.st_size);
	else
		bytes = whole_file(fd, st.st_size);
	if (!bytes && !*why)
		*why = xstrdup("it could not be read to its end");
	close(fd);
	if (*why)
		return false;
	return image_parse(img, bytes, st.st_size, why);
}

void image_close(struct image *img)
{
	if (img->elf)
		elf_end(img->elf);
	free(img->sections);
	free(img->symbols);
	free(img->bytes);
	*img = (struct image){ 0 };
}

const struct image_section *image_section(const struct image *img, const char *name)
{
	for (size_t i = 0; i < img->nr_sections; i++)
		if (!strcmp(img->sections[i].name, name))
			return &img->sections[i];
	return NULL;
}

const struct image_section *image_section_at(const struct image *img, size_t index)
{
	for (size_t i = 0; i < img->nr_sections; i++)
		if (img->sections[i].index == index)
			return &img->sections[i];
	return NULL;
}

const struct image_symbol *image_symbol(const struct image *img, const char *name)
{
	for (size_t i = 0; i < img->nr_symbols; i++)
		if (img->symbols[i].symbol.st_shndx != SHN_UNDEF &&
		    !strcmp(img->symbols[i].name, name))
			return &img->symbols[i];
	return NULL;
}

const char *image_modinfo(const struct image *img, const char *key, size_t nth)
{
	const struct image_section *s = image_section(img, ".modinfo");
	size_t len = strlen(key);
	uint64_t at = 0;

	while (s && at < s->header.sh_size) {
		const char *entry = image_string(s, at);

		if (!entry)
			break;
		if (!strncmp(entry, key, len) && entry[len] == '=' && !nth--)
			return entry + len + 1;
		at += strlen(entry) + 1;
	}
	return NULL;
}

const void *image_bytes(const struct image_section *section, uint64_t offset, uint64_t size)
{
	if (!section || !section->data || offset > section->header.sh_size ||
	    size > section->header.sh_size - offset)
		return NULL;
	return section->data + offset;
}

const char *image_string(const struct image_section *section, uint64_t offset)
{
	const char *s = image_bytes(section, offset, 1);

	return s && memchr(s, '\0', section->header.sh_size - offset) ? s : NULL;
}

void image_relocations(const struct image *img, const struct image_section *section,
		       bool (*visit)(void *arg, uint64_t offset, int64_t addend,
				     const struct image_symbol *symbol), void *arg)
{
	for (size_t i = 0; i < img->nr_sections; i++) {
		const struct image_section *rela = &img->sections[i];
		uint64_t count = rela->header.sh_size / sizeof(Elf64_Rela);

		if (rela->header.sh_type != SHT_RELA || rela->header.sh_info != section->index ||
		    !rela->data)
			continue;
		for (uint64_t n = 0; n < count; n++) {
			Elf64_Rela r;
			size_t symbol;

			memcpy(&r, rela->data + n * sizeof(r), sizeof(r));
			symbol = ELF64_R_SYM(r.r_info);
			if (symbol < img->nr_symbols &&
			    !visit(arg, r.r_offset, r.r_addend, &img->symbols[symbol]))
				return;
		}
	}
}

/* The relocation that is looked for, and what was found. */
struct pointer_search {
	uint64_t offset;
	const struct image_symbol *symbol;
	int64_t addend;
};

static bool pointer_visit(void *arg, uint64_t offset, int64_t addend,
			  const struct image_symbol *symbol)
{
	struct pointer_search *search = arg;

	if (offset != search->offset)
		return true;
	search->symbol = symbol;
	search->addend = addend;
	return false;
}

bool image_pointer(const struct image *img, const struct image_section *section, uint64_t offset,
		   const struct image_section **target, uint64_t *at)
{
	struct pointer_search search = { .offset = offset };

	*target = NULL;
	*at = 0;
	image_relocations(img, section, pointer_visit, &search);
	if (!search.symbol)
		return true;
	*target = image_section_at(img, search.symbol->symbol.st_shndx);
	*at = search.symbol->symbol.st_value + (uint64_t)search.addend;
	return *target && *at < (*target)->header.sh_size;
}
