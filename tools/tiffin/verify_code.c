// SPDX-License-Identifier: GPL-2.0-only
/* Checks of a policy's code and data: imports, sections, module init, probe sites. */
#include <fnmatch.h>
#include <inttypes.h>
#include <string.h>

#include "verify.h"

/* What the compiler calls by itself, and what the glue calls. */
static const char * const allowed_imports[] = {
	"tiffin_policy_register", "tiffin_policy_unregister",
	"memcpy", "memset", "memmove", "memcmp", "__stack_chk_fail",
	"__x86_return_thunk", "__x86_indirect_thunk_*", "__ubsan_handle_*",
};

#define TRACED	"policy text carries no ftrace sites; build it with: tools/policy/build FILE.c"
#define LOCKS	"a policy never locks; a store says how it is shared, see enum tiffin_sharing"

/* Why a policy can't have what it calls, and what it has in its place. */
static const struct {
	const char *pattern;
	const char *instead;
} instead_of[] = {
	{ "__fentry__", TRACED },
	{ "mcount", TRACED },
	{ "tiffin_*", "that is the host's own; a policy sees only abi/tiffin/" },
	{ "*alloc*", "a policy never allocates; its state lives in stores, see tiffin/state.h" },
	{ "*free*", "a policy never allocates; its state lives in stores, see tiffin/state.h" },
	{ "*printk*", "a policy never logs; it counts: TIFFIN_COUNTERS(), tiffin_count()" },
	{ "*dev_err*", "a policy never logs; it counts: TIFFIN_COUNTERS(), tiffin_count()" },
	{ "*ktime*", "the only clock is ctx->now_ns" },
	{ "*jiffies*", "the only clock is ctx->now_ns" },
	{ "*clock*", "the only clock is ctx->now_ns" },
	{ "*lock*", LOCKS },
	{ "*mutex*", LOCKS },
	{ "*rcu*", LOCKS },
	{ "*sleep*", "a policy never waits and starts nothing" },
	{ "*schedule*", "a policy never waits and starts nothing" },
	{ "*timer*", "a policy never waits and starts nothing" },
	{ "*work*", "a policy never waits and starts nothing" },
	{ "*kthread*", "a policy never waits and starts nothing" },
	{ "*random*", "randomness comes in the arguments only, so that a recording replays" },
	{ "*cpu*", "the CPU and the state of the others come in the arguments of a call" },
};

/* Sections that take part in loading and that a policy may have. */
static const char * const allowed_sections[] = {
	".kprobes.text", ".text", ".text.*", ".init.text", ".exit.text", ".rodata", ".rodata.*",
	".modinfo", "__versions", ".note.*", ".orc_unwind", ".orc_unwind_ip", ".orc_header",
	".return_sites", ".retpoline_sites", ".call_sites", ".ibt_endbr_seal", ".cfi_sites",
};

/* Those that the kernel itself writes, and none of the policy's code refers to. */
static const char * const allowed_writable[] = {
	"__patchable_function_entries", ".gnu.linkonce.this_module", ".codetag.*",
};

/* Sections that it may not have, and why. */
static const struct {
	const char *pattern;
	const char *why;
	const char *next;
} refused_sections[] = {
	{ ".init_array*", "a constructor would run at load, outside of dispatch",
	  "state starts as zeros, or in the init callback, see tiffin/plugin.h" },
	{ ".ctors*", "a constructor would run at load, outside of dispatch",
	  "state starts as zeros, or in the init callback, see tiffin/plugin.h" },
	{ ".fini_array*", "a destructor would run outside of dispatch", "a policy needs none" },
	{ ".dtors*", "a destructor would run outside of dispatch", "a policy needs none" },
	{ "__param", "a policy has no module parameters", "declare TIFFIN_TUNABLES()" },
	{ "__ex_table", "a policy handles no exceptions: it would hide its faults from the host",
	  "it gets no memory that may fault; leave the access out" },
	{ "__ksymtab*", "a policy exports nothing", "leave EXPORT_SYMBOL out" },
	{ "__kcrctab*", "a policy exports nothing", "leave EXPORT_SYMBOL out" },
	{ "__jump_table", "static keys patch code behind the host's back",
	  "a policy includes only <tiffin/...>; use a tunable" },
	{ "__tracepoints*", "a policy has no tracepoints", "count instead: TIFFIN_COUNTERS()" },
	{ "__bug_table", "BUG and WARN come from kernel headers",
	  "a policy includes only <tiffin/...>; count instead: TIFFIN_COUNTERS()" },
	{ ".altinstructions", "alternatives come from kernel headers",
	  "a policy includes only <tiffin/...>" },
	{ ".static_call_sites", "static calls come from kernel headers",
	  "a policy includes only <tiffin/...>" },
	{ ".data..percpu", "a policy has no per-CPU variables of its own",
	  "declare a store of kind TIFFIN_STORE_PER_CPU" },
};

static bool matches_any(const char *name, const char * const *patterns, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!fnmatch(patterns[i], name, 0))
			return true;
	return false;
}

static const char *import_advice(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(instead_of); i++)
		if (!fnmatch(instead_of[i].pattern, name, 0))
			return instead_of[i].instead;
	return "a policy calls only its own functions and what <tiffin/...> declares";
}

void verify_imports(struct verify *v)
{
	const struct image *img = v->img;
	size_t misses = 0, imports = 0;
	bool registers = false;

	for (size_t i = 0; i < img->nr_symbols; i++) {
		const struct image_symbol *s = &img->symbols[i];

		if (s->symbol.st_shndx != SHN_UNDEF || !*s->name)
			continue;
		imports++;
		registers |= !strcmp(s->name, "tiffin_policy_register");
		if (matches_any(s->name, allowed_imports, ARRAY_SIZE(allowed_imports)))
			continue;
		misses++;
		verify_miss(v, "imports", import_advice(s->name), "it uses '%s' of the kernel",
			    s->name);
	}
	if (!registers) {
		misses++;
		verify_miss(v, "imports", "build it with: tools/policy/build FILE.c",
			    "it never registers: nothing calls tiffin_policy_register");
	}
	if (!misses)
		verify_ok(v, "imports", "%zu symbols, only the host's and the compiler's own",
			  imports);
}

/* Names of the variables in a section; "" where none has a name. */
static char *variables_of(const struct image *img, const struct image_section *section)
{
	struct strings names = { 0 };
	char *text;

	for (size_t i = 0; i < img->nr_symbols; i++) {
		const struct image_symbol *s = &img->symbols[i];

		if (s->symbol.st_shndx == section->index && *s->name &&
		    GELF_ST_TYPE(s->symbol.st_info) == STT_OBJECT)
			strings_add(&names, s->name);
	}
	text = strings_join(&names, ", ", 8);
	strings_free(&names);
	return text;
}

/* Only what module_init() and module_exit() themselves put there, to keep their function alive. */
static bool only_addressable(const struct image *img, const struct image_section *section)
{
	bool some = false;

	for (size_t i = 0; i < img->nr_symbols; i++) {
		const struct image_symbol *s = &img->symbols[i];

		if (s->symbol.st_shndx != section->index ||
		    GELF_ST_TYPE(s->symbol.st_info) != STT_OBJECT)
			continue;
		if (fnmatch("__UNIQUE_ID___addressable_*", s->name, 0))
			return false;
		some = true;
	}
	return some && section->header.sh_size <= sizeof(void *);
}

static bool writable_check(struct verify *v, const struct image_section *s)
{
	char *names __free_on_exit = NULL;

	if ((!strcmp(s->name, ".init.data") || !strcmp(s->name, ".exit.data")) &&
	    only_addressable(v->img, s))
		return true;
	names = variables_of(v->img, s);
	verify_miss(v, "sections", "make it const, or keep it in a store (struct tiffin_store)",
		    "it has writable data in %s%s%s: a policy runs as many instances at a time and shares nothing between them",
		    s->name, *names ? ": " : "", names);
	return false;
}

/* Notes a miss and returns false where the section may not be there. */
static bool section_check(struct verify *v, const struct image_section *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused_sections); i++) {
		if (fnmatch(refused_sections[i].pattern, s->name, 0))
			continue;
		verify_miss(v, "sections", refused_sections[i].next, "it has section %s: %s",
			    s->name, refused_sections[i].why);
		return false;
	}
	/* verify_probes() speaks of this one. */
	if (!strcmp(s->name, "__mcount_loc"))
		return true;
	if (s->header.sh_flags & SHF_WRITE)
		return matches_any(s->name, allowed_writable, ARRAY_SIZE(allowed_writable)) ||
		       writable_check(v, s);
	if (matches_any(s->name, allowed_sections, ARRAY_SIZE(allowed_sections)))
		return true;
	verify_miss(v, "sections", "a policy has code, constants and nothing else",
		    "it has section '%s', which no policy needs", s->name);
	return false;
}

/* Variables that were left without a section, for the linker to place; the kernel refuses them. */
static size_t common_check(struct verify *v)
{
	size_t misses = 0;

	for (size_t i = 0; i < v->img->nr_symbols; i++) {
		if (v->img->symbols[i].symbol.st_shndx != SHN_COMMON)
			continue;
		misses++;
		verify_miss(v, "sections", "keep it in a store (struct tiffin_store)",
			    "it has a writable variable: %s", v->img->symbols[i].name);
	}
	return misses;
}

void verify_sections(struct verify *v)
{
	size_t misses = common_check(v), checked = 0;

	for (size_t i = 0; i < v->img->nr_sections; i++) {
		const struct image_section *s = &v->img->sections[i];

		if (!(s->header.sh_flags & SHF_ALLOC) || !s->header.sh_size)
			continue;
		checked++;
		misses += !section_check(v, s);
	}
	if (!misses)
		verify_ok(v, "sections", "%zu in memory: code, constants, and what the kernel itself adds",
			  checked);
}

/**
 * struct init_search - what loading or unloading refers to
 * @v: the check under way
 * @section: .init.text or .exit.text
 * @bad: it refers to more than registration needs
 */
struct init_search {
	struct verify *v;
	const struct image_section *section;
	bool bad;
};

static bool init_visit(void *arg, uint64_t offset, int64_t addend,
		       const struct image_symbol *symbol)
{
	static const char * const fine[] = {
		".rodata", ".rodata.*", ".gnu.linkonce.this_module", ".init.text", ".exit.text",
	};
	struct init_search *search = arg;
	const struct image_section *target =
		image_section_at(search->v->img, symbol->symbol.st_shndx);

	(void)offset;
	(void)addend;
	if (!target || matches_any(target->name, fine, ARRAY_SIZE(fine)))
		return true;
	search->bad = true;
	verify_miss(search->v, "init", "start values belong in the init callback, see tiffin/plugin.h",
		    "%s refers to %s%s%s: loading and unloading a policy only registers it",
		    search->section->name, target->name, *symbol->name ? ": " : "", symbol->name);
	return false;
}

void verify_init(struct verify *v)
{
	static const char * const names[] = { ".init.text", ".exit.text" };
	bool bad = false;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct init_search search = {
			.v = v, .section = image_section(v->img, names[i]),
		};

		if (!search.section)
			continue;
		image_relocations(v->img, search.section, init_visit, &search);
		bad |= search.bad;
	}
	if (!image_symbol(v->img, "init_module")) {
		verify_miss(v, "init", "build it with: tools/policy/build FILE.c",
			    "it has no module init, so it would load and never register");
		bad = true;
	}
	if (!image_symbol(v->img, "cleanup_module")) {
		verify_miss(v, "init", "build it with: tools/policy/build FILE.c",
			    "it has no module exit, so it could never be unloaded");
		bad = true;
	}
	if (!bad)
		verify_ok(v, "init", "loading and unloading only register and unregister");
}

/* Names of the functions in a section. */
static char *functions_of(const struct image *img, const struct image_section *section)
{
	struct strings names = { 0 };
	char *text;

	for (size_t i = 0; i < img->nr_symbols; i++) {
		const struct image_symbol *s = &img->symbols[i];

		if (s->symbol.st_shndx == section->index && *s->name &&
		    GELF_ST_TYPE(s->symbol.st_info) == STT_FUNC &&
		    strncmp(s->name, "__pfx_", strlen("__pfx_")))
			strings_add(&names, s->name);
	}
	text = strings_join(&names, ", ", 8);
	strings_free(&names);
	return text;
}

void verify_probes(struct verify *v)
{
	const struct image_section *ftrace = image_section(v->img, "__mcount_loc");
	bool bad = ftrace && ftrace->header.sh_size;

	if (bad)
		verify_miss(v, "probes",
			    "build it with: tools/policy/build FILE.c, which leaves the compiler's option out",
			    "it has %" PRIu64 " ftrace sites: tracing a policy turns a fault that is contained into a panic",
			    (uint64_t)ftrace->header.sh_size / sizeof(uint64_t));
	for (size_t i = 0; i < v->img->nr_sections; i++) {
		const struct image_section *s = &v->img->sections[i];
		char *names __free_on_exit = NULL;

		if ((strcmp(s->name, ".text") && strncmp(s->name, ".text.", strlen(".text."))) ||
		    !s->header.sh_size)
			continue;
		bad = true;
		names = functions_of(v->img, s);
		verify_miss(v, "probes",
			    "build it with: tools/policy/build FILE.c, which puts code into .kprobes.text",
			    "kprobes can be put into its code in %s%s%s: one on a hook that faults turns the fault into a panic",
			    s->name, *names ? ": " : "", names);
	}
	if (!bad)
		verify_ok(v, "probes", "neither ftrace nor kprobes can get into its code");
}
