// SPDX-License-Identifier: GPL-2.0-only
/* Descriptors: each refusal of the check, and the differences of size and stride that it allows. */

#include "lab_kunit.h"

/* A descriptor with room for its arrays, so that a case can spoil any of it. */
struct check_desc {
	struct tiffin_policy policy;
	struct lab_hooks hooks;
	struct tiffin_store store[TIFFIN_STORE_KINDS];
	struct tiffin_tunable tunable[2];
	struct tiffin_counter counter[2];
};

struct check_case {
	const char *what;
	void (*spoil)(struct check_desc *d);
	int rc;
	const char *says;
};

/* A good store of lists, to be spoilt. */
static struct tiffin_store *lists_store(struct check_desc *d)
{
	d->policy.nr_stores = 1;
	d->store[0] = (struct tiffin_store) {
		"lab_queues", 1, TIFFIN_STORE_LISTS, TIFFIN_SHARE_LOCKED,
		.lists = TIFFIN_MAX_LISTS,
	};
	return &d->store[0];
}

static void lists_conversion(const struct tiffin_ctx *ctx, const struct tiffin_convert_in *in,
			     struct tiffin_convert_out *out)
{
}

#define SPOIL(_name, _statement)				\
static void _name(struct check_desc *d)				\
{								\
	_statement;						\
}

SPOIL(core_major, d->policy.core_abi = TIFFIN_ABI(2, 0))
SPOIL(core_old, d->policy.core_abi = TIFFIN_ABI(0, 9))
SPOIL(core_minor, d->policy.core_abi = TIFFIN_CORE_ABI + 1)
SPOIL(family_major, d->policy.family_abi = TIFFIN_ABI(1, 0))
SPOIL(family_minor, d->policy.family_abi = LAB_FAMILY_ABI + 1)
SPOIL(name_empty, d->policy.name[0] = '\0')
SPOIL(name_dash, strscpy(d->policy.name, "al-pha", TIFFIN_NAME_LEN))
SPOIL(name_dot, strscpy(d->policy.name, "al.pha", TIFFIN_NAME_LEN))
SPOIL(name_slash, strscpy(d->policy.name, "../pha", TIFFIN_NAME_LEN))
SPOIL(name_long, memset(d->policy.name, 'a', TIFFIN_NAME_LEN))
SPOIL(name_default, strscpy(d->policy.name, "default", TIFFIN_NAME_LEN))
SPOIL(version_empty, d->policy.version[0] = '\0')
SPOIL(version_space, strscpy(d->policy.version, "1 0", TIFFIN_VERSION_LEN))
SPOIL(version_long, memset(d->policy.version, '1', TIFFIN_VERSION_LEN))
SPOIL(hooks_none, d->policy.hooks = NULL)
SPOIL(hooks_short, d->policy.hooks_size = sizeof(void *) - 1)
SPOIL(hook_missing, d->hooks.ask = NULL)
SPOIL(stores_many, d->policy.nr_stores = TIFFIN_STORE_KINDS + 1)
SPOIL(stores_none, d->policy.stores = NULL)
SPOIL(stores_stride, d->policy.store_stride = sizeof(struct tiffin_store) - 1)
SPOIL(tunables_many, d->policy.nr_tunables = TIFFIN_MAX_TUNABLES + 1)
SPOIL(tunables_none, d->policy.tunables = NULL)
SPOIL(tunables_stride, d->policy.tunable_stride = sizeof(struct tiffin_tunable) - 1)
SPOIL(counters_many, d->policy.nr_counters = TIFFIN_MAX_COUNTERS + 1)
SPOIL(counters_none, d->policy.counters = NULL)
SPOIL(counters_stride, d->policy.counter_stride = sizeof(struct tiffin_counter) - 1)
SPOIL(schema_none, d->store[1].schema = NULL)
SPOIL(schema_bad, d->store[1].schema = "lab flow")
SPOIL(schema_long, d->store[1].schema = "a23456789012345678901234567890123")
SPOIL(kind_unknown, d->store[1].kind = TIFFIN_STORE_KINDS)
SPOIL(kind_huge, d->store[1].kind = U32_MAX)
SPOIL(kind_twice, d->store[1].kind = d->store[0].kind)
SPOIL(version_zero, d->store[0].version = 0)
SPOIL(record_empty, d->store[0].record_size = 0)
SPOIL(record_large, d->store[0].record_size = TIFFIN_MAX_RECORD + 1)
SPOIL(object_cpu, d->store[0].sharing = TIFFIN_SHARE_CPU)
SPOIL(per_cpu_locked, d->store[1].sharing = TIFFIN_SHARE_LOCKED)
SPOIL(instance_locked, d->store[2].sharing = TIFFIN_SHARE_LOCKED)
SPOIL(instance_cpu, d->store[2].sharing = TIFFIN_SHARE_CPU)
SPOIL(sharing_unknown, d->store[0].sharing = TIFFIN_SHARE_LOCKED + 1)
SPOIL(lists_none, lists_store(d)->lists = 0)
SPOIL(lists_many, lists_store(d)->lists = TIFFIN_MAX_LISTS + 1)
SPOIL(lists_records, lists_store(d)->record_size = 4)
SPOIL(lists_convert, lists_store(d)->convert = lists_conversion)
SPOIL(lists_cpu, lists_store(d)->sharing = TIFFIN_SHARE_CPU)
SPOIL(lists_old, (lists_store(d), d->policy.store_stride = offsetof(struct tiffin_store, undo)))
SPOIL(lists_elsewhere, d->store[1].lists = 1)
SPOIL(tunable_none, d->tunable[1].name = NULL)
SPOIL(tunable_name, d->tunable[1].name = "a/b")
SPOIL(tunable_empty, d->tunable[1].name = "")
SPOIL(tunable_range, (d->tunable[0].min = 101, d->tunable[0].def = 101))
SPOIL(tunable_low, d->tunable[0].def = d->tunable[0].min - 1)
SPOIL(tunable_high, d->tunable[0].def = d->tunable[0].max + 1)
SPOIL(tunable_twice, d->tunable[1].name = "knob")
SPOIL(counter_none, d->counter[0].name = NULL)
SPOIL(counter_name, d->counter[0].name = "counter.asked")
SPOIL(counter_twice, d->counter[1].name = "asked")

#define ARRAYS	"write it with TIFFIN_POLICY()"

static const struct check_case check_cases[] = {
	{ "core ABI of another major version", core_major, -EPROTO,
	  "core ABI 2.0, this host speaks 1." },
	{ "core ABI of an older major version", core_old, -EPROTO,
	  "carry its source over with tools/policy/carry" },
	{ "core ABI newer", core_minor, -EPROTO, "load a newer host" },
	{ "family ABI of an older major version", family_major, -EPROTO,
	  "lab ABI 1.0, this host speaks 2.1: carry its source over with tools/policy/carry" },
	{ "family ABI newer", family_minor, -EPROTO, "lab ABI 2.2, this host speaks 2.1" },
	{ "empty name", name_empty, -EINVAL, "bad name" },
	{ "name with a dash", name_dash, -EINVAL, "bad name" },
	{ "name with a dot", name_dot, -EINVAL, "bad name" },
	{ "name with a slash", name_slash, -EINVAL, "bad name" },
	{ "name without an end", name_long, -EINVAL, "bad name" },
	{ "name of the built-in default", name_default, -EINVAL, "not 'default'" },
	{ "empty version", version_empty, -EINVAL, "bad version" },
	{ "version with a space", version_space, -EINVAL, "bad version" },
	{ "version without an end", version_long, -EINVAL, "bad version" },
	{ "no hooks", hooks_none, -EINVAL, ARRAYS },
	{ "hooks that end before the required one", hooks_short, -EINVAL,
	  "hook 'ask' is required" },
	{ "required hook left out", hook_missing, -EINVAL, "hook 'ask' is required by family lab" },
	{ "too many stores", stores_many, -EINVAL, ARRAYS },
	{ "stores counted but not there", stores_none, -EINVAL, ARRAYS },
	{ "stride below a store", stores_stride, -EINVAL, ARRAYS },
	{ "too many tunables", tunables_many, -EINVAL, ARRAYS },
	{ "tunables counted but not there", tunables_none, -EINVAL, ARRAYS },
	{ "stride below a tunable", tunables_stride, -EINVAL, ARRAYS },
	{ "too many counters", counters_many, -EINVAL, ARRAYS },
	{ "counters counted but not there", counters_none, -EINVAL, ARRAYS },
	{ "stride below a counter", counters_stride, -EINVAL, ARRAYS },
	{ "schema without a name", schema_none, -EINVAL, "store 1: bad schema name" },
	{ "schema with a space", schema_bad, -EINVAL, "store 1: bad schema name" },
	{ "schema with too long a name", schema_long, -EINVAL, "store 1: bad schema name" },
	{ "unknown kind of store", kind_unknown, -EINVAL, "kind 4 unknown" },
	{ "kind of store far out", kind_huge, -EINVAL, "kind 4294967295 unknown" },
	{ "kind of store declared twice", kind_twice, -EINVAL, "declared twice" },
	{ "schema version 0", version_zero, -EINVAL, "the version starts at 1" },
	{ "record of no bytes", record_empty, -EINVAL, "a record has 1 to 4096 bytes" },
	{ "record of too many bytes", record_large, -EINVAL, "a record has 1 to 4096 bytes" },
	{ "objects shared per CPU", object_cpu, -EINVAL, "sharing 0 does not go with kind 2" },
	{ "per-CPU store locked", per_cpu_locked, -EINVAL, "does not go with" },
	{ "instance store locked", instance_locked, -EINVAL, "does not go with" },
	{ "instance store shared per CPU", instance_cpu, -EINVAL, "does not go with" },
	{ "unknown sharing", sharing_unknown, -EINVAL, "sharing 3 does not go with" },
	{ "no lists", lists_none, -EINVAL, "a set has 1 to 8 lists" },
	{ "too many lists", lists_many, -EINVAL, "a set has 1 to 8 lists" },
	{ "lists with records", lists_records, -EINVAL, "a set has 1 to 8 lists" },
	{ "lists with a conversion", lists_convert, -EINVAL, "no conversion" },
	{ "lists shared per CPU", lists_cpu, -EINVAL, "sharing 0 does not go with kind 3" },
	{ "lists of an older version", lists_old, -EINVAL, "a set has 1 to 8 lists" },
	{ "lists in another kind of store", lists_elsewhere, -EINVAL,
	  "only with TIFFIN_STORE_LISTS" },
	{ "tunable without a name", tunable_none, -EINVAL, "tunable 1: bad name" },
	{ "tunable with a path for a name", tunable_name, -EINVAL, "tunable 1: bad name" },
	{ "tunable with an empty name", tunable_empty, -EINVAL, "tunable 1: bad name" },
	{ "tunable with min above max", tunable_range, -EINVAL, "'knob': needs min <= def <= max" },
	{ "tunable with def below min", tunable_low, -EINVAL, "'knob': needs min <= def <= max" },
	{ "tunable with def above max", tunable_high, -EINVAL, "'knob': needs min <= def <= max" },
	{ "tunable declared twice", tunable_twice, -EINVAL, "tunable 'knob' declared twice" },
	{ "counter without a name", counter_none, -EINVAL, "counter 0: bad name" },
	{ "counter with a dot in its name", counter_name, -EINVAL, "counter 0: bad name" },
	{ "counter declared twice", counter_twice, -EINVAL, "counter 'asked' declared twice" },
};

static void check_case_name(const struct check_case *c, char *desc)
{
	strscpy(desc, c->what, KUNIT_PARAM_DESC_SIZE);
}
KUNIT_ARRAY_PARAM(check, check_cases, check_case_name);

static struct check_desc *check_desc(struct kunit *test)
{
	struct check_desc *d = kunit_kzalloc(test, sizeof(*d), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, d);
	d->policy = lab_policy[LAB_ALPHA];
	d->hooks = lab_hooks[LAB_ALPHA];
	memcpy(d->store, d->policy.stores, d->policy.nr_stores * sizeof(d->store[0]));
	memcpy(d->tunable, d->policy.tunables, sizeof(d->tunable));
	memcpy(d->counter, d->policy.counters, sizeof(d->counter));
	d->policy.hooks = &d->hooks;
	d->policy.stores = d->store;
	d->policy.tunables = d->tunable;
	d->policy.counters = d->counter;
	return d;
}

static int check_run(struct kunit *test, struct check_desc *d, struct tiffin_policy *out, char *why,
		     size_t len)
{
	struct lab *lab = test->priv;

	why[0] = '\0';
	return tiffin_policy_check(&d->policy, &lab->family, out, why, len);
}

static void check_refuses(struct kunit *test)
{
	const struct check_case *c = test->param_value;
	struct check_desc *d = check_desc(test);
	struct tiffin_policy out;
	char why[256];

	KUNIT_ASSERT_EQ(test, check_run(test, d, &out, why, sizeof(why)), 0);
	c->spoil(d);
	KUNIT_EXPECT_EQ(test, check_run(test, d, &out, why, sizeof(why)), c->rc);
	LAB_EXPECT_SAYS(test, why, c->says);
}

static void check_objects_of_a_family_without(struct kunit *test)
{
	struct check_desc *d = check_desc(test);
	struct lab *lab = test->priv;
	struct tiffin_policy out;
	char why[256];

	lab->family.max_objects = 0;
	KUNIT_EXPECT_EQ(test, check_run(test, d, &out, why, sizeof(why)), -EINVAL);
	LAB_EXPECT_SAYS(test, why, "family lab has no objects");
	lab->family.max_objects = LAB_OBJECTS;
}

/* Lists are of objects, and need the family's word on which of them live. */
static void check_lists(struct kunit *test)
{
	struct check_desc *d = check_desc(test);
	struct lab *lab = test->priv;
	struct tiffin_policy out;
	char why[256];

	lists_store(d)->undo = TIFFIN_UNDO_SNAPSHOT;
	KUNIT_EXPECT_EQ(test, check_run(test, d, &out, why, sizeof(why)), 0);
	/* The largest set that a snapshot holds, and one object more. */
	lab->family.max_objects = (TIFFIN_MAX_SNAPSHOT - sizeof(struct tiffin_list_set)) /
				  sizeof(struct tiffin_list_node);
	KUNIT_EXPECT_EQ(test, check_run(test, d, &out, why, sizeof(why)), 0);
	lab->family.max_objects++;
	KUNIT_EXPECT_EQ(test, check_run(test, d, &out, why, sizeof(why)), -EINVAL);
	LAB_EXPECT_SAYS(test, why, "a snapshot holds 65536 bytes at most");
	lab->family.max_objects = LAB_OBJECTS;
	lab->family.generation = NULL;
	KUNIT_EXPECT_EQ(test, check_run(test, d, &out, why, sizeof(why)), -EINVAL);
	LAB_EXPECT_SAYS(test, why, "family lab has no lists");
	lab->family.generation = lab->generation;
}

/* What the limits allow, they allow. */
static void check_takes_the_limits(struct kunit *test)
{
	struct check_desc *d = check_desc(test);
	struct tiffin_policy out;
	char why[256];

	memset(d->policy.name, 'n', TIFFIN_NAME_LEN - 1);
	memset(d->policy.version, '.', TIFFIN_VERSION_LEN - 1);
	d->store[0].record_size = TIFFIN_MAX_RECORD;
	d->store[1].record_size = 1;
	d->store[0].sharing = TIFFIN_SHARE_ATOMIC;
	d->store[1].sharing = TIFFIN_SHARE_ATOMIC;
	d->tunable[0].min = -1;
	d->tunable[0].max = -1;
	d->tunable[0].def = -1;
	d->policy.family_abi = TIFFIN_ABI(2, 0);
	KUNIT_EXPECT_EQ(test, check_run(test, d, &out, why, sizeof(why)), 0);
	KUNIT_EXPECT_STREQ(test, why, "");
}

/* A policy of an older minor version ends earlier: what lies behind its end reads as zero. */
static void check_takes_an_older_descriptor(struct kunit *test)
{
	struct check_desc *d = check_desc(test);
	struct tiffin_policy out;
	char why[256];

	d->policy.size = offsetof(struct tiffin_policy, init);
	d->policy.hooks_size = offsetof(struct lab_hooks, tell);
	KUNIT_ASSERT_EQ(test, check_run(test, d, &out, why, sizeof(why)), 0);
	KUNIT_EXPECT_NULL(test, (void *)out.init);
	KUNIT_EXPECT_EQ(test, out.nr_counters, d->policy.nr_counters);
	KUNIT_EXPECT_NOT_NULL(test, (void *)tiffin_policy_hook(&out, &((struct tiffin_hook) {
		.offset = offsetof(struct lab_hooks, ask) })));
	KUNIT_EXPECT_NULL(test, (void *)tiffin_policy_hook(&out, &((struct tiffin_hook) {
		.offset = offsetof(struct lab_hooks, tell) })));
}

/* A policy of a newer minor version of the core is refused; one that is merely larger is cut. */
static void check_takes_a_larger_descriptor(struct kunit *test)
{
	struct {
		struct check_desc d;
		u64 beyond;
	} *large = kunit_kzalloc(test, sizeof(*large), GFP_KERNEL);
	struct tiffin_policy out;
	char why[256];

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, large);
	large->d = *check_desc(test);
	large->d.policy.size = sizeof(struct tiffin_policy) + 8;
	KUNIT_ASSERT_EQ(test, check_run(test, &large->d, &out, why, sizeof(why)), 0);
	KUNIT_EXPECT_PTR_EQ(test, (void *)out.init, (void *)lab_policy[LAB_ALPHA].init);
}

/* Entries of a later minor version are longer: each is found by the policy's own stride. */
static void check_follows_strides(struct kunit *test)
{
	struct check_desc *d = check_desc(test);
	struct tiffin_policy out;
	struct {
		struct tiffin_store store;
		u64 later;
	} stores[2] = {};
	struct {
		struct tiffin_tunable tunable;
		u64 later;
	} tunables[2] = {};
	struct {
		struct tiffin_counter counter;
		u64 later;
	} counters[2] = {};
	char why[256];
	int i;

	for (i = 0; i < 2; i++) {
		stores[i].store = d->store[i];
		tunables[i].tunable = d->tunable[i];
		counters[i].counter = d->counter[i];
		stores[i].later = U64_MAX;
		tunables[i].later = U64_MAX;
		counters[i].later = U64_MAX;
	}
	d->policy.nr_stores = 2;
	d->policy.stores = &stores[0].store;
	d->policy.store_stride = sizeof(stores[0]);
	d->policy.tunables = &tunables[0].tunable;
	d->policy.tunable_stride = sizeof(tunables[0]);
	d->policy.counters = &counters[0].counter;
	d->policy.counter_stride = sizeof(counters[0]);
	KUNIT_ASSERT_EQ_MSG(test, check_run(test, d, &out, why, sizeof(why)), 0, "%s", why);
	KUNIT_EXPECT_STREQ(test, tiffin_tunable_decl(&out, 1)->name, "bolt");
	KUNIT_EXPECT_STREQ(test, tiffin_counter_decl(&out, 1)->name, "fresh");

	/* The second entry counts: a mistake there is found. */
	stores[1].store.version = 0;
	KUNIT_EXPECT_EQ(test, check_run(test, d, &out, why, sizeof(why)), -EINVAL);
	LAB_EXPECT_SAYS(test, why, "the version starts at 1");
}

static struct kunit_case check_test_cases[] = {
	KUNIT_CASE_PARAM(check_refuses, check_gen_params),
	KUNIT_CASE(check_objects_of_a_family_without),
	KUNIT_CASE(check_lists),
	KUNIT_CASE(check_takes_the_limits),
	KUNIT_CASE(check_takes_an_older_descriptor),
	KUNIT_CASE(check_takes_a_larger_descriptor),
	KUNIT_CASE(check_follows_strides),
	{}
};

static struct kunit_suite check_suite = {
	.name = "check",
	.init = lab_test_init,
	.exit = lab_test_exit,
	.test_cases = check_test_cases,
};
kunit_test_suite(check_suite);
