// SPDX-License-Identifier: GPL-2.0-only
/* Checks of struct tiffin_policy: what the host would refuse at registration, said before. */
#include <ctype.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include <tiffin/plugin.h>

#include "required.h"
#include "verify.h"

#define CHECK		"descriptor"

/* Far more than any family's hook table has. */
#define HOOKS_SIZE_MAX	1024

/**
 * struct descriptor - the descriptor in the file
 * @v: the check under way
 * @section: that holds it
 * @offset: in @section
 * @policy: in this command's size; pointers in it mean nothing
 */
struct descriptor {
	struct verify *v;
	const struct image_section *section;
	uint64_t offset;
	struct tiffin_policy policy;
};

static bool name_is_sane(const char *name)
{
	size_t len = strlen(name);

	if (!len || len >= TIFFIN_NAME_LEN)
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && *name != '_')
			return false;
	return true;
}

/* The string that the pointer at @offset of @section points to, or NULL. */
static const char *string_at(const struct descriptor *d, const struct image_section *section,
			     uint64_t offset)
{
	const struct image_section *target;
	uint64_t at;

	if (!image_pointer(d->v->img, section, offset, &target, &at))
		return NULL;
	return image_string(target, at);
}

/**
 * struct array - an array that the descriptor points to
 * @what: for people: "tunable", ...
 * @count: entries
 * @max: most that are allowed
 * @size: bytes of one as this command knows it
 * @stride: bytes from one to the next
 * @pointer: offset of the pointer in the descriptor
 * @section: that holds it
 * @offset: in @section
 */
struct array {
	const char *what;
	uint32_t count;
	uint32_t max;
	uint32_t size;
	uint32_t stride;
	size_t pointer;
	const struct image_section *section;
	uint64_t offset;
};

static bool array_find(const struct descriptor *d, struct array *array)
{
	if (!array->count)
		return false;
	if (array->count > array->max) {
		verify_miss(d->v, CHECK, "declare fewer", "it declares %u %ss; at most %u are allowed",
			    array->count, array->what, array->max);
		return false;
	}
	if (array->stride < array->size) {
		verify_miss(d->v, CHECK, "write it with TIFFIN_POLICY(), never by hand",
			    "its %ss have %u bytes each, which is too few", array->what,
			    array->stride);
		return false;
	}
	if (!image_pointer(d->v->img, d->section, d->offset + array->pointer, &array->section,
			   &array->offset) ||
	    !image_bytes(array->section, array->offset, (uint64_t)array->count * array->stride)) {
		verify_miss(d->v, CHECK, NULL, "its %ss lie outside the file", array->what);
		return false;
	}
	return true;
}

static void array_entry(const struct array *array, uint32_t i, void *entry)
{
	memcpy(entry, image_bytes(array->section, array->offset + (uint64_t)i * array->stride,
				  array->size), array->size);
}

/* The name of entry @i, which is its first field. */
static const char *entry_name(const struct descriptor *d, const struct array *array, uint32_t i)
{
	const char *name = string_at(d, array->section,
				     array->offset + (uint64_t)i * array->stride);

	if (name && name_is_sane(name))
		return name;
	if (name)
		verify_miss(d->v, CHECK, "a name has 1 to 31 letters, digits or '_'",
			    "%s %u can't be named '%.40s'", array->what, i, name);
	else
		verify_miss(d->v, CHECK, "is there a gap in the array?", "%s %u has no name",
			    array->what, i);
	return NULL;
}

/* The same where no two entries may have one name. */
static const char *unique_name(const struct descriptor *d, const struct array *array, uint32_t i)
{
	const char *name = entry_name(d, array, i);

	for (uint32_t n = 0; name && n < i; n++) {
		const char *other = string_at(d, array->section,
					      array->offset + (uint64_t)n * array->stride);

		if (other && !strcmp(other, name)) {
			verify_miss(d->v, CHECK, "name each differently", "two %ss are named %s",
				    array->what, name);
			return NULL;
		}
	}
	return name;
}

static void tunables_check(const struct descriptor *d)
{
	struct array array = {
		.what = "tunable", .count = d->policy.nr_tunables, .max = TIFFIN_MAX_TUNABLES,
		.size = sizeof(struct tiffin_tunable),
		.stride = d->policy.tunable_stride,
		.pointer = offsetof(struct tiffin_policy, tunables),
	};

	if (!array_find(d, &array))
		return;
	for (uint32_t i = 0; i < array.count; i++) {
		const char *name = unique_name(d, &array, i);
		struct tiffin_tunable tunable;

		array_entry(&array, i, &tunable);
		if (name && (tunable.min > tunable.max || tunable.def < tunable.min ||
			     tunable.def > tunable.max))
			verify_miss(d->v, CHECK, "min <= def <= max must hold",
				    "tunable %s: its start value %" PRId64
				    " is outside its range, %" PRId64 " to %" PRId64,
				    name, (int64_t)tunable.def, (int64_t)tunable.min,
				    (int64_t)tunable.max);
	}
}

static void counters_check(const struct descriptor *d)
{
	struct array array = {
		.what = "counter", .count = d->policy.nr_counters, .max = TIFFIN_MAX_COUNTERS,
		.size = sizeof(struct tiffin_counter),
		.stride = d->policy.counter_stride,
		.pointer = offsetof(struct tiffin_policy, counters),
	};

	if (!array_find(d, &array))
		return;
	for (uint32_t i = 0; i < array.count; i++)
		unique_name(d, &array, i);
}

static void sharing_check(const struct descriptor *d, const char *schema,
			  const struct tiffin_store *store)
{
	switch (store->sharing) {
	case TIFFIN_SHARE_CPU:
		if (store->kind != TIFFIN_STORE_PER_CPU)
			verify_miss(d->v, CHECK, "see enum tiffin_sharing",
				    "store %s: TIFFIN_SHARE_CPU goes only with TIFFIN_STORE_PER_CPU",
				    schema);
		break;
	case TIFFIN_SHARE_ATOMIC:
		break;
	case TIFFIN_SHARE_LOCKED:
		if (store->kind != TIFFIN_STORE_OBJECT && store->kind != TIFFIN_STORE_LISTS)
			verify_miss(d->v, CHECK, "see enum tiffin_sharing",
				    "store %s: TIFFIN_SHARE_LOCKED goes only with TIFFIN_STORE_OBJECT and TIFFIN_STORE_LISTS",
				    schema);
		break;
	default:
		verify_miss(d->v, CHECK, "see enum tiffin_sharing",
			    "store %s: there is no sharing %u", schema, store->sharing);
	}
}

/* How large, and what for. The fields beyond those of an older version read as zero. */
static void layout_check(const struct descriptor *d, const char *schema,
			 const struct tiffin_store *store, bool converts)
{
	if (store->kind != TIFFIN_STORE_LISTS) {
		if (!store->record_size || store->record_size > TIFFIN_MAX_RECORD)
			verify_miss(d->v, CHECK, "a record has 1 to 4096 bytes",
				    "store %s has records of %u bytes", schema, store->record_size);
		if (store->lists)
			verify_miss(d->v, CHECK, "leave them out",
				    "store %s: lists go only with TIFFIN_STORE_LISTS", schema);
		return;
	}
	if (!store->lists || store->lists > TIFFIN_MAX_LISTS)
		verify_miss(d->v, CHECK, "a set has 1 to 8", "store %s has %u lists", schema,
			    store->lists);
	if (store->record_size || converts)
		verify_miss(d->v, CHECK, "leave them out",
			    "store %s: lists have no records, and no conversion", schema);
}

/* Whether store @i names a function for its conversion. */
static bool converts(const struct descriptor *d, const struct array *stores, uint32_t i)
{
	const struct image_section *text;
	uint64_t at = stores->offset + (uint64_t)i * stores->stride +
		      offsetof(struct tiffin_store, convert);

	return stores->size == sizeof(struct tiffin_store) &&
	       image_pointer(d->v->img, stores->section, at, &text, &at) && text;
}

static void stores_check(const struct descriptor *d)
{
	struct array array = {
		.what = "store", .count = d->policy.nr_stores, .max = TIFFIN_STORE_KINDS,
		/* Version 1.0 had no more. */
		.size = d->policy.store_stride < sizeof(struct tiffin_store) ?
			offsetof(struct tiffin_store, undo) : sizeof(struct tiffin_store),
		.stride = d->policy.store_stride,
		.pointer = offsetof(struct tiffin_policy, stores),
	};
	bool seen[TIFFIN_STORE_KINDS] = { false };

	if (!array_find(d, &array))
		return;
	for (uint32_t i = 0; i < array.count; i++) {
		const char *schema = entry_name(d, &array, i);
		struct tiffin_store store = { 0 };

		if (!schema)
			continue;
		array_entry(&array, i, &store);
		if (store.kind >= TIFFIN_STORE_KINDS)
			verify_miss(d->v, CHECK, "see enum tiffin_store_kind",
				    "store %s has unknown kind %u", schema, store.kind);
		else if (seen[store.kind])
			verify_miss(d->v, CHECK, "at most one of each kind",
				    "store %s is the second of its kind", schema);
		else
			seen[store.kind] = true;
		sharing_check(d, schema, &store);
		layout_check(d, schema, &store, converts(d, &array, i));
		if (!store.version)
			verify_miss(d->v, CHECK, "count versions from 1",
				    "store %s has layout version 0", schema);
		if (store.undo > TIFFIN_UNDO_REBUILD)
			verify_miss(d->v, CHECK, "see enum tiffin_undo",
				    "store %s: there is no undo %u", schema, store.undo);
	}
}

/* Whether the hook at @offset of the table names a function. */
static bool hook_answered(const struct descriptor *d, const struct image_section *table,
			  uint64_t at, size_t offset)
{
	const struct image_section *text;
	uint64_t unused;

	return offset + sizeof(void *) <= d->policy.hooks_size &&
	       image_pointer(d->v->img, table, at + offset, &text, &unused) && text &&
	       (text->header.sh_flags & SHF_EXECINSTR);
}

/* The hook table is there and names the functions that it must; at least one. */
static void hooks_check(const struct descriptor *d)
{
	const struct image_section *table;
	size_t answered = 0, missing = 0;
	uint64_t at;

	if (d->policy.hooks_size > HOOKS_SIZE_MAX ||
	    !image_pointer(d->v->img, d->section,
			   d->offset + offsetof(struct tiffin_policy, hooks), &table, &at) ||
	    !image_bytes(table, at, d->policy.hooks_size)) {
		verify_miss(d->v, CHECK, "give it one: TIFFIN_HOOKS(table)",
			    "it has no hook table");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(required_hooks); i++) {
		const struct required_hook *hook = &required_hooks[i];

		if (strcmp(d->policy.family, hook->family) ||
		    hook_answered(d, table, at, hook->offset))
			continue;
		missing++;
		verify_miss(d->v, CHECK, "answer it, and name it in the hook table",
			    "hook '%s' is required by family %s", hook->name, hook->family);
	}
	for (uint32_t i = 0; i < d->policy.hooks_size; i += sizeof(void *))
		answered += hook_answered(d, table, at, i);
	if (!missing && !answered)
		verify_miss(d->v, CHECK, "answer at least the required hooks of the family",
			    "no hook is answered");
}

static void same(const struct descriptor *d, const char *what, const char *value, const char *key)
{
	const char *info = image_modinfo(d->v->img, key, 0);

	if (info && strcmp(info, value))
		verify_miss(d->v, CHECK, "write it with TIFFIN_POLICY(), never by hand",
			    "its %s is '%s', but .modinfo says '%s'", what, value, info);
}

static void facts_check(struct descriptor *d)
{
	struct tiffin_policy *p = &d->policy;
	char *core __free_on_exit = NULL;
	char *family __free_on_exit = NULL;

	p->name[sizeof(p->name) - 1] = '\0';
	p->version[sizeof(p->version) - 1] = '\0';
	p->family[sizeof(p->family) - 1] = '\0';
	core = xasprintf("%u.%u", TIFFIN_ABI_MAJOR(p->core_abi), TIFFIN_ABI_MINOR(p->core_abi));
	family = xasprintf("%u.%u", TIFFIN_ABI_MAJOR(p->family_abi),
			   TIFFIN_ABI_MINOR(p->family_abi));
	same(d, "name", p->name, "tiffin_policy");
	same(d, "version", p->version, "tiffin_version");
	same(d, "family", p->family, "tiffin_family");
	same(d, "core ABI", core, "tiffin_core_abi");
	same(d, "family ABI", family, "tiffin_family_abi");
}

static bool descriptor_find(struct verify *v, struct descriptor *d)
{
	const struct image_symbol *symbol = image_symbol(v->img, "tiffin_policy");
	uint64_t size;
	const void *bytes;

	if (!symbol) {
		verify_miss(v, CHECK, "end the source with TIFFIN_POLICY(FAMILY, NAME, VERSION, DOC, ...)",
			    "there is no symbol tiffin_policy");
		return false;
	}
	d->v = v;
	d->section = image_section_at(v->img, symbol->symbol.st_shndx);
	d->offset = symbol->symbol.st_value;
	size = sizeof(d->policy);
	bytes = image_bytes(d->section, d->offset, size);
	if (!bytes || symbol->symbol.st_size < size) {
		verify_miss(v, CHECK, "write it with TIFFIN_POLICY(), never by hand",
			    "symbol tiffin_policy is no descriptor");
		return false;
	}
	memcpy(&d->policy, bytes, size);
	if (d->policy.magic != TIFFIN_POLICY_MAGIC || d->policy.size != symbol->symbol.st_size) {
		verify_miss(v, CHECK, "write it with TIFFIN_POLICY(), never by hand",
			    "symbol tiffin_policy is no descriptor: its magic or size is wrong");
		return false;
	}
	return true;
}

void verify_descriptor(struct verify *v)
{
	int64_t before = json_number(v->findings, "misses");
	struct descriptor d;

	if (!descriptor_find(v, &d))
		return;
	facts_check(&d);
	hooks_check(&d);
	stores_check(&d);
	tunables_check(&d);
	counters_check(&d);
	if (json_number(v->findings, "misses") == before)
		verify_ok(v, CHECK, "hooks, %u stores, %u tunables and %u counters are sane",
			  d.policy.nr_stores, d.policy.nr_tunables, d.policy.nr_counters);
}
