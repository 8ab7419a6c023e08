// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is a policy's descriptor one that this host can run? Every field is looked at before it is used.
 */

#include <linux/bitops.h>
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "core/list.h"
#include "core/registry.h"
#include "core/store.h"

/* Writes the sentence and gives the error, for use in a return statement. */
#define refuse(rc, fmt, ...)						\
	({ scnprintf(why, len, fmt, ##__VA_ARGS__); (rc); })

bool tiffin_name_ok(const char *name, size_t len, bool dots)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (!name[i])
			return i > 0;
		if (!isascii(name[i]) || (!isalnum(name[i]) && name[i] != '_' &&
					  !(dots && name[i] == '.')))
			return false;
	}
	return false;
}

/* A declaration's name comes by pointer; it is bounded like all names. */
static bool tiffin_decl_name_ok(const char *name)
{
	return name && tiffin_name_ok(name, TIFFIN_NAME_LEN, false);
}

static int tiffin_check_abi(const char *what, u32 theirs, u32 ours, char *why, size_t len)
{
	if (TIFFIN_ABI_MAJOR(theirs) == TIFFIN_ABI_MAJOR(ours) &&
	    TIFFIN_ABI_MINOR(theirs) <= TIFFIN_ABI_MINOR(ours))
		return 0;
	return refuse(-EPROTO, "built against %s ABI %u.%u, this host speaks %u.%u: %s", what,
		      TIFFIN_ABI_MAJOR(theirs), TIFFIN_ABI_MINOR(theirs), TIFFIN_ABI_MAJOR(ours),
		      TIFFIN_ABI_MINOR(ours),
		      TIFFIN_ABI_MAJOR(theirs) < TIFFIN_ABI_MAJOR(ours) ?
		      "carry its source over with tools/policy/carry, and build that" :
		      "build the policy against this host's headers, or load a newer host");
}

static u64 tiffin_decl_bytes(const struct tiffin_store *store, const struct tiffin_family *family)
{
	return store->kind == TIFFIN_STORE_LISTS ? tiffin_lists_bytes(family->max_objects) :
	       (u64)store->record_size * tiffin_store_records(family, store->kind);
}

/* How large, and what for. The kind is a known one. */
static int tiffin_check_layout(const struct tiffin_store *s, const struct tiffin_family *family,
			       char *why, size_t len)
{
	if (!s->version)
		return refuse(-EINVAL, "store '%s': the version starts at 1", s->schema);
	if (s->kind != TIFFIN_STORE_LISTS &&
	    (!s->record_size || s->record_size > TIFFIN_MAX_RECORD))
		return refuse(-EINVAL, "store '%s': a record has 1 to %d bytes", s->schema,
			      TIFFIN_MAX_RECORD);
	if (s->kind == TIFFIN_STORE_OBJECT && !family->max_objects)
		return refuse(-EINVAL, "store '%s': family %s has no objects", s->schema,
			      family->name);
	if (s->kind == TIFFIN_STORE_LISTS && (!family->max_objects || !family->generation))
		return refuse(-EINVAL, "store '%s': family %s has no lists", s->schema,
			      family->name);
	return 0;
}

/* A policy of version 1.0 has none. */
static int tiffin_check_lists(const struct tiffin_policy *p, const struct tiffin_store *s,
			      char *why, size_t len)
{
	bool now = p->store_stride >= offsetofend(struct tiffin_store, convert);

	if (s->kind != TIFFIN_STORE_LISTS)
		return now && s->lists ?
		       refuse(-EINVAL, "store '%s': lists go only with TIFFIN_STORE_LISTS",
			      s->schema) : 0;
	if (!now || !s->lists || s->lists > TIFFIN_MAX_LISTS || s->record_size || s->convert)
		return refuse(-EINVAL,
			      "store '%s': a set has 1 to %d lists, no records, and no conversion",
			      s->schema, TIFFIN_MAX_LISTS);
	return 0;
}

static int tiffin_check_stores(const struct tiffin_policy *p, const struct tiffin_family *family,
			       char *why, size_t len)
{
	unsigned long seen = 0;
	u32 i;

	for (i = 0; i < p->nr_stores; i++) {
		const struct tiffin_store *s = tiffin_store_decl(p, i);
		bool shared_ok;
		int rc;

		if (!tiffin_decl_name_ok(s->schema))
			return refuse(-EINVAL, "store %u: bad schema name", i);
		if (s->kind >= TIFFIN_STORE_KINDS || __test_and_set_bit(s->kind, &seen))
			return refuse(-EINVAL, "store '%s': kind %u unknown or declared twice",
				      s->schema, s->kind);
		rc = tiffin_check_layout(s, family, why, len) ?:
		     tiffin_check_lists(p, s, why, len);
		if (rc)
			return rc;
		shared_ok = s->sharing == TIFFIN_SHARE_ATOMIC ||
			    (s->sharing == TIFFIN_SHARE_CPU && s->kind == TIFFIN_STORE_PER_CPU) ||
			    (s->sharing == TIFFIN_SHARE_LOCKED && (s->kind == TIFFIN_STORE_OBJECT ||
								   s->kind == TIFFIN_STORE_LISTS));
		if (!shared_ok)
			return refuse(-EINVAL, "store '%s': sharing %u does not go with kind %u",
				      s->schema, s->sharing, s->kind);
		if (p->store_stride < offsetofend(struct tiffin_store, undo))
			continue;
		if (s->undo > TIFFIN_UNDO_REBUILD)
			return refuse(-EINVAL, "store '%s': undo %u unknown", s->schema, s->undo);
		if (s->undo == TIFFIN_UNDO_SNAPSHOT &&
		    tiffin_decl_bytes(s, family) > TIFFIN_MAX_SNAPSHOT)
			return refuse(-EINVAL,
				      "store '%s': a snapshot holds %d bytes at most, not %llu: declare another undo",
				      s->schema, TIFFIN_MAX_SNAPSHOT,
				      tiffin_decl_bytes(s, family));
	}
	return 0;
}

static int tiffin_check_tunables(const struct tiffin_policy *p, char *why, size_t len)
{
	u32 i, j;

	for (i = 0; i < p->nr_tunables; i++) {
		const struct tiffin_tunable *t = tiffin_tunable_decl(p, i);

		if (!tiffin_decl_name_ok(t->name))
			return refuse(-EINVAL, "tunable %u: bad name", i);
		if (t->min > t->max || t->def < t->min || t->def > t->max)
			return refuse(-EINVAL, "tunable '%s': needs min <= def <= max", t->name);
		for (j = 0; j < i; j++)
			if (!strcmp(tiffin_tunable_decl(p, j)->name, t->name))
				return refuse(-EINVAL, "tunable '%s' declared twice", t->name);
	}
	return 0;
}

static int tiffin_check_counters(const struct tiffin_policy *p, char *why, size_t len)
{
	u32 i, j;

	for (i = 0; i < p->nr_counters; i++) {
		const struct tiffin_counter *c = tiffin_counter_decl(p, i);

		if (!tiffin_decl_name_ok(c->name))
			return refuse(-EINVAL, "counter %u: bad name", i);
		for (j = 0; j < i; j++)
			if (!strcmp(tiffin_counter_decl(p, j)->name, c->name))
				return refuse(-EINVAL, "counter '%s' declared twice", c->name);
	}
	return 0;
}

/* The stride of entries as they were in version 1.0, or as they are now, or longer ones. */
static bool tiffin_stride_ok(u32 stride, size_t first, size_t now)
{
	return IS_ALIGNED(stride, sizeof(void *)) && (stride == first || stride >= now);
}

/*
 * Counts within limits, and arrays where there are entries, with strides that some version has.
 * What was added since 1.0 is looked at only where the stride holds it.
 */
static bool tiffin_arrays_ok(const struct tiffin_policy *p)
{
	const size_t store = sizeof(struct tiffin_store), tunable = sizeof(struct tiffin_tunable);
	const size_t counter = sizeof(struct tiffin_counter);
	const size_t first_store = offsetofend(struct tiffin_store, record_size);

	return p->nr_stores <= TIFFIN_STORE_KINDS && p->nr_tunables <= TIFFIN_MAX_TUNABLES &&
	       p->nr_counters <= TIFFIN_MAX_COUNTERS &&
	       (!p->nr_stores ||
		(p->stores && tiffin_stride_ok(p->store_stride, first_store, store))) &&
	       (!p->nr_tunables ||
		(p->tunables && tiffin_stride_ok(p->tunable_stride, tunable, tunable))) &&
	       (!p->nr_counters ||
		(p->counters && tiffin_stride_ok(p->counter_stride, counter, counter)));
}

static int tiffin_check_hooks(const struct tiffin_policy *p, const struct tiffin_family *family,
			      char *why, size_t len)
{
	unsigned int i;

	for (i = 0; i < family->nr_hooks; i++) {
		const struct tiffin_hook *hook = &family->hooks[i];

		if (hook->required && !tiffin_policy_hook(p, hook))
			return refuse(-EINVAL, "hook '%s' is required by family %s", hook->name,
				      family->name);
	}
	return 0;
}

int tiffin_policy_check(const struct tiffin_policy *desc, const struct tiffin_family *family,
			struct tiffin_policy *out, char *why, size_t len)
{
	int rc;

	/* Fields beyond what an older policy knew read as zero. */
	memset(out, 0, sizeof(*out));
	memcpy(out, desc, min_t(size_t, desc->size, sizeof(*out)));
	rc = tiffin_check_abi("core", out->core_abi, TIFFIN_CORE_ABI, why, len) ?:
	     tiffin_check_abi(family->name, out->family_abi, family->abi, why, len);
	if (rc)
		return rc;
	if (!tiffin_name_ok(out->name, sizeof(out->name), false) ||
	    !strcmp(out->name, TIFFIN_DEFAULT_NAME))
		return refuse(-EINVAL, "bad name: use letters, digits and '_', and not 'default'");
	if (!tiffin_name_ok(out->version, sizeof(out->version), true))
		return refuse(-EINVAL, "bad version: use letters, digits, '.' and '_'");
	if (!out->hooks || !tiffin_arrays_ok(out))
		return refuse(-EINVAL,
			      "bad descriptor: write it with TIFFIN_POLICY(), TIFFIN_HOOKS(), TIFFIN_STORES(), TIFFIN_TUNABLES() and TIFFIN_COUNTERS(), within the limits of plugin.h");
	return tiffin_check_hooks(out, family, why, len) ?:
	       tiffin_check_stores(out, family, why, len) ?:
	       tiffin_check_tunables(out, why, len) ?:
	       tiffin_check_counters(out, why, len);
}
