// SPDX-License-Identifier: GPL-2.0-only
/* Checks of a policy's descriptor in user space; see descriptor.h. */
#include <ctype.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "descriptor.h"
#include "required.h"

#define NAMED	"a name has 1 to 31 letters, digits or '_'"

static const char *wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

static const char *wrong(const char *format, ...)
{
	static char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return text;
}

static int name_ok(const char *name, size_t len, const char *also)
{
	size_t i;

	for (i = 0; name && i < len; i++) {
		if (!name[i])
			return i > 0;
		if (!isalnum((unsigned char)name[i]) && !strchr(also, name[i]))
			return 0;
	}
	return 0;
}

/* Entry @i of an array of declarations. Each kind of them begins with its name. */
static const void *entry(const void *array, __u32 stride, __u32 i)
{
	return (const char *)array + (size_t)i * stride;
}

static const char *name_of(const void *array, __u32 stride, __u32 i)
{
	return *(const char *const *)entry(array, stride, i);
}

/* @what: "tunable", ... */
static const char *check_name(const char *what, const void *array, __u32 stride, __u32 i)
{
	const char *name = name_of(array, stride, i);

	if (!name)
		return wrong("%s %u has no name: " NAMED "; is there a gap in the array?", what, i);
	if (!name_ok(name, TIFFIN_NAME_LEN, "_"))
		return wrong("%s %u can't be named '%.40s': " NAMED, what, i, name);
	return NULL;
}

/* The same where no two entries may have one name. */
static const char *check_own_name(const char *what, const void *array, __u32 stride, __u32 i)
{
	const char *bad = check_name(what, array, stride, i);
	__u32 n;

	for (n = 0; !bad && n < i; n++)
		if (!strcmp(name_of(array, stride, n), name_of(array, stride, i)))
			bad = wrong("two %ss are named '%s': name each differently", what,
				    name_of(array, stride, i));
	return bad;
}

/* What a store declares beyond version 1.0. How many records there are only the host knows. */
static const char *check_undo(const struct tiffin_policy *p, const struct tiffin_store *s)
{
	if (p->store_stride < sizeof(*s) || s->undo <= TIFFIN_UNDO_REBUILD)
		return NULL;
	return wrong("store %s: there is no undo %u, see enum tiffin_undo", s->schema, s->undo);
}

static const char *check_layout(const struct tiffin_policy *p, const struct tiffin_store *s)
{
	const int now = p->store_stride >= sizeof(*s);

	if (s->kind == TIFFIN_STORE_LISTS) {
		if (!now || !s->lists || s->lists > TIFFIN_MAX_LISTS)
			return wrong("store %s has %u lists: a set has 1 to %d", s->schema,
				     now ? s->lists : 0, TIFFIN_MAX_LISTS);
		if (s->record_size || s->convert)
			return wrong("store %s: lists have no records, and no conversion",
				     s->schema);
		return NULL;
	}
	if (!s->record_size || s->record_size > TIFFIN_MAX_RECORD)
		return wrong("store %s has records of %u bytes: a record has 1 to %d", s->schema,
			     s->record_size, TIFFIN_MAX_RECORD);
	if (now && s->lists)
		return wrong("store %s: lists go only with TIFFIN_STORE_LISTS", s->schema);
	return NULL;
}

static const char *check_sharing(const struct tiffin_store *s)
{
	switch (s->sharing) {
	case TIFFIN_SHARE_CPU:
		return s->kind == TIFFIN_STORE_PER_CPU ? NULL :
		       wrong("store %s: TIFFIN_SHARE_CPU goes only with TIFFIN_STORE_PER_CPU",
			     s->schema);
	case TIFFIN_SHARE_ATOMIC:
		return NULL;
	case TIFFIN_SHARE_LOCKED:
		return s->kind == TIFFIN_STORE_OBJECT || s->kind == TIFFIN_STORE_LISTS ? NULL :
		       wrong("store %s: TIFFIN_SHARE_LOCKED goes only with TIFFIN_STORE_OBJECT and TIFFIN_STORE_LISTS",
			     s->schema);
	default:
		return wrong("store %s: there is no sharing %u, see enum tiffin_sharing", s->schema,
			     s->sharing);
	}
}

static const char *check_stores(const struct tiffin_policy *p)
{
	const struct tiffin_store *kinds[TIFFIN_STORE_KINDS] = { NULL };
	const char *bad = NULL;
	__u32 i;

	for (i = 0; i < p->nr_stores && !bad; i++) {
		const struct tiffin_store *s = entry(p->stores, p->store_stride, i);

		bad = check_name("store", p->stores, p->store_stride, i);
		if (bad)
			break;
		if (s->kind >= TIFFIN_STORE_KINDS)
			return wrong("store %s: there is no kind %u, see enum tiffin_store_kind",
				     s->schema, s->kind);
		if (kinds[s->kind])
			return wrong("stores %s and %s are of one kind: a policy has at most one of each",
				     kinds[s->kind]->schema, s->schema);
		kinds[s->kind] = s;
		if (!s->version)
			return wrong("store %s has version 0: count versions from 1", s->schema);
		bad = check_layout(p, s);
		if (!bad)
			bad = check_sharing(s);
		if (!bad)
			bad = check_undo(p, s);
	}
	return bad;
}

static const char *check_tunables(const struct tiffin_policy *p)
{
	const char *bad = NULL;
	__u32 i;

	for (i = 0; i < p->nr_tunables && !bad; i++) {
		const struct tiffin_tunable *t = entry(p->tunables, p->tunable_stride, i);

		bad = check_own_name("tunable", p->tunables, p->tunable_stride, i);
		if (!bad && (t->min > t->max || t->def < t->min || t->def > t->max))
			bad = wrong("tunable %s starts at %lld, in a range from %lld to %lld: min <= def <= max must hold",
				    t->name, (long long)t->def, (long long)t->min,
				    (long long)t->max);
	}
	return bad;
}

static const char *check_counters(const struct tiffin_policy *p)
{
	const char *bad = NULL;
	__u32 i;

	for (i = 0; i < p->nr_counters && !bad; i++)
		bad = check_own_name("counter", p->counters, p->counter_stride, i);
	return bad;
}

/* @size: of an entry as it was in version 1.0 */
static int array_ok(const void *array, __u32 nr, __u32 max, __u32 stride, size_t size)
{
	return !nr || (nr <= max && array && stride >= size);
}

static const char *check_hooks(const struct tiffin_policy *p)
{
	size_t i;

	for (i = 0; i < TIFFIN_ARRAY_SIZE(required_hooks); i++) {
		const struct required_hook *hook = &required_hooks[i];
		const char *at = (const char *)p->hooks + hook->offset;

		if (strcmp(p->family, hook->family))
			continue;
		if (hook->offset + sizeof(void *) > p->hooks_size || !*(void *const *)at)
			return wrong("hook '%s' is required by family %s", hook->name,
				     hook->family);
	}
	return NULL;
}

const char *policy_check(const struct tiffin_policy *p)
{
	/* Sizes in version 1.0, which is what any policy has at least. */
	const size_t policy = offsetof(struct tiffin_policy, init) + sizeof(p->init);
	const size_t store = offsetof(struct tiffin_store, record_size) +
			     sizeof(p->stores->record_size);
	const size_t tunable = offsetof(struct tiffin_tunable, def) + sizeof(p->tunables->def);
	const size_t counter = offsetof(struct tiffin_counter, doc) + sizeof(p->counters->doc);
	const char *bad;

	if (p->magic != TIFFIN_POLICY_MAGIC || p->size < policy || !p->hooks)
		return "the descriptor is none: write it with TIFFIN_POLICY() and TIFFIN_HOOKS()";
	if (!name_ok(p->name, sizeof(p->name), "_") || !strcmp(p->name, "default"))
		return wrong("the policy can't be named '%.*s': " NAMED ", and is not 'default'",
			     TIFFIN_NAME_LEN, p->name);
	if (!name_ok(p->version, sizeof(p->version), "._"))
		return wrong("version '%.*s' is none: it has 1 to 15 letters, digits, '.' or '_'",
			     TIFFIN_VERSION_LEN, p->version);
	if (!array_ok(p->stores, p->nr_stores, TIFFIN_STORE_KINDS, p->store_stride, store) ||
	    !array_ok(p->tunables, p->nr_tunables, TIFFIN_MAX_TUNABLES, p->tunable_stride,
		      tunable) ||
	    !array_ok(p->counters, p->nr_counters, TIFFIN_MAX_COUNTERS, p->counter_stride, counter))
		return wrong("%u stores, %u tunables and %u counters are too many (at most %d, %d, %d), or not declared by TIFFIN_STORES(), TIFFIN_TUNABLES() and TIFFIN_COUNTERS()",
			     p->nr_stores, p->nr_tunables, p->nr_counters, TIFFIN_STORE_KINDS,
			     TIFFIN_MAX_TUNABLES, TIFFIN_MAX_COUNTERS);
	bad = check_hooks(p);
	if (!bad)
		bad = check_stores(p);
	if (!bad)
		bad = check_tunables(p);
	return bad ? bad : check_counters(p);
}
