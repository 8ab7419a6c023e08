// SPDX-License-Identifier: GPL-2.0-only
/* The registry: what families and policies it takes and refuses, and how a policy is found. */

#include <linux/module.h>

#include "lab_kunit.h"

static int registry_register(const struct tiffin_policy *desc, const char *build)
{
	return tiffin_policy_register((const void *)desc, THIS_MODULE, build);
}

static void registry_expect_error(struct kunit *test, const char *part)
{
	char *page = kunit_kzalloc(test, PAGE_SIZE * 2, GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, page);
	/* sysfs hands out whole pages, aligned. */
	page = PTR_ALIGN(page, PAGE_SIZE);
	tiffin_registry_error(page);
	LAB_EXPECT_SAYS(test, page, part);
}

static void registry_holds_modules(struct kunit *test)
{
	struct lab *lab = test->priv;
	unsigned int refs = module_refcount(THIS_MODULE);

	/* A loaded policy holds its family's module, an instance its policy's. */
	lab_unload(lab, LAB_BARE);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), refs - 1);
	KUNIT_EXPECT_EQ(test, lab_load(lab, LAB_BARE), 0);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), refs);
	KUNIT_EXPECT_EQ(test, lab_swap(lab, "bare"), 0);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), refs + 1);
	KUNIT_EXPECT_EQ(test, lab_swap(lab, "alpha probation_ms=86400000"), 0);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), refs + 2);
	KUNIT_EXPECT_EQ(test, tiffin_swap_commit(lab->family.scope), 0);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), refs + 1);
}

static void registry_finds(struct kunit *test)
{
	struct lab *lab = test->priv;
	static const struct {
		const char *spec;
		const char *id;
	} good[] = {
		{ "alpha", "alpha-1.0+b1" },
		{ "alpha-1.0", "alpha-1.0+b1" },
		{ "alpha-1.0+b1", "alpha-1.0+b1" },
		{ "default", "default" },
	};
	static const char * const bad[] = {
		"", "alph", "alphaa", "alpha-", "alpha-1", "alpha-1.0+", "alpha-1.0+b", "alpha+b1",
		"alpha-1.0+b11", "default-", "Default", "alpha-1.00",
	};
	unsigned int refs = module_refcount(THIS_MODULE);
	struct tiffin_loaded *loaded;
	int i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		loaded = tiffin_policy_find(&lab->family, good[i].spec);
		KUNIT_ASSERT_NOT_ERR_OR_NULL_MSG(test, loaded, "%s", good[i].spec);
		KUNIT_EXPECT_STREQ(test, loaded->id, good[i].id);
		tiffin_policy_release(loaded);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		loaded = tiffin_policy_find(&lab->family, bad[i]);
		KUNIT_EXPECT_EQ_MSG(test, PTR_ERR(loaded), -ENOENT, "'%s'", bad[i]);
	}
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), refs);
}

/* Of policies of one name the newest loaded is found; of one name and version likewise. */
static void registry_finds_the_newest(struct kunit *test)
{
	struct tiffin_policy *later = kunit_kzalloc(test, sizeof(*later), GFP_KERNEL);
	struct tiffin_policy *rebuilt = kunit_kzalloc(test, sizeof(*rebuilt), GFP_KERNEL);
	struct lab *lab = test->priv;
	struct tiffin_loaded *by_name, *by_version, *by_id;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, later);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rebuilt);
	*later = *rebuilt = lab_policy[LAB_ALPHA];
	strscpy(later->version, "2.0", sizeof(later->version));
	KUNIT_ASSERT_EQ(test, registry_register(later, LAB_BUILD), 0);
	KUNIT_EXPECT_EQ(test, registry_register(rebuilt, "b2"), 0);

	by_name = tiffin_policy_find(&lab->family, "alpha");
	by_version = tiffin_policy_find(&lab->family, "alpha-2.0");
	by_id = tiffin_policy_find(&lab->family, "alpha-1.0+b1");
	KUNIT_EXPECT_STREQ(test, by_name->id, "alpha-1.0+b2");
	KUNIT_EXPECT_STREQ(test, by_version->id, "alpha-2.0+b1");
	KUNIT_EXPECT_STREQ(test, by_id->id, "alpha-1.0+b1");
	tiffin_policy_release(by_name);
	tiffin_policy_release(by_version);
	tiffin_policy_release(by_id);

	tiffin_policy_unregister((const void *)rebuilt);
	tiffin_policy_unregister((const void *)later);
	by_name = tiffin_policy_find(&lab->family, "alpha");
	KUNIT_EXPECT_STREQ(test, by_name->id, "alpha-1.0+b1");
	tiffin_policy_release(by_name);
}

struct registry_case {
	const char *what;
	void (*spoil)(struct tiffin_policy *p);
	const char *build;
	int rc;
	const char *says;
};

static void bad_magic(struct tiffin_policy *p)
{
	p->magic++;
}

static void bad_size(struct tiffin_policy *p)
{
	p->size = offsetof(struct tiffin_policy, init);
}

static void endless_name(struct tiffin_policy *p)
{
	memset(p->name, 'n', sizeof(p->name));
}

static void endless_version(struct tiffin_policy *p)
{
	memset(p->version, '1', sizeof(p->version));
}

static void endless_family(struct tiffin_policy *p)
{
	memset(p->family, 'f', sizeof(p->family));
}

static void other_family(struct tiffin_policy *p)
{
	strscpy(p->family, "page_placement", sizeof(p->family));
}

static void other_abi(struct tiffin_policy *p)
{
	p->family_abi = LAB_FAMILY_ABI + 1;
}

static void no_hooks(struct tiffin_policy *p)
{
	p->hooks = NULL;
}

static void nothing(struct tiffin_policy *p)
{
}

#define NO_DESCRIPTOR	"not a policy's descriptor"

static const struct registry_case registry_cases[] = {
	{ "another magic number", bad_magic, "b9", -EINVAL, NO_DESCRIPTOR },
	{ "smaller than any version", bad_size, "b9", -EINVAL, NO_DESCRIPTOR },
	{ "name without an end", endless_name, "b9", -EINVAL, NO_DESCRIPTOR },
	{ "version without an end", endless_version, "b9", -EINVAL, NO_DESCRIPTOR },
	{ "family without an end", endless_family, "b9", -EINVAL, NO_DESCRIPTOR },
	{ "build id empty", nothing, "", -EINVAL, "bad build id" },
	{ "build id with a slash", nothing, "../b9", -EINVAL, "bad build id" },
	{ "build id too long", nothing, "b23456789012345678901234", -EINVAL, "bad build id" },
	{ "family not loaded", other_family, "b9", -ENOENT,
	  "is just starting or leaving: modprobe tiffin_page_placement first" },
	{ "newer ABI", other_abi, "b9", -EPROTO, "alpha refused: built against lab ABI 2.2" },
	{ "refused by the check", no_hooks, "b9", -EINVAL, "alpha refused: bad descriptor" },
	{ "loaded already", nothing, LAB_BUILD, -EEXIST,
	  "alpha-1.0+b1 refused: it is loaded already" },
};

static void registry_case_name(const struct registry_case *c, char *desc)
{
	strscpy(desc, c->what, KUNIT_PARAM_DESC_SIZE);
}
KUNIT_ARRAY_PARAM(registry, registry_cases, registry_case_name);

/* Each refusal says why, and holds nothing. */
static void registry_refuses(struct kunit *test)
{
	struct tiffin_policy *desc = kunit_kzalloc(test, sizeof(*desc), GFP_KERNEL);
	const struct registry_case *c = test->param_value;
	unsigned int refs = module_refcount(THIS_MODULE);
	int rc;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, desc);
	*desc = lab_policy[LAB_ALPHA];
	c->spoil(desc);
	rc = registry_register(desc, c->build);
	KUNIT_EXPECT_EQ(test, rc, c->rc);
	if (!rc)
		tiffin_policy_unregister((const void *)desc);
	registry_expect_error(test, c->says);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), refs);
}

static void registry_refuses_families(struct kunit *test)
{
	struct tiffin_family *family = kunit_kzalloc(test, sizeof(*family), GFP_KERNEL);
	struct lab *lab = test->priv;
	struct tiffin_family good = {
		.name = "lab2",
		.abi = LAB_FAMILY_ABI,
		.owner = THIS_MODULE,
		.hooks = lab->family.hooks,
		.nr_hooks = lab->family.nr_hooks,
		.ops = lab->family.ops,
		.limits = TIFFIN_LIMITS_INIT,
	};

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, family);
#define REFUSED(field, value, rc)							\
	do {										\
		*family = good;								\
		family->field = value;							\
		KUNIT_EXPECT_EQ(test, tiffin_family_register(family), rc);		\
	} while (0)
	REFUSED(name, "lab", -EEXIST);
	registry_expect_error(test, "lab refused: a family of that name is loaded");
	REFUSED(name, "", -EINVAL);
	REFUSED(name, "a/b", -EINVAL);
	REFUSED(name, "f2345678901234567890123456789012", -EINVAL);
	REFUSED(ops, NULL, -EINVAL);
	REFUSED(hooks, NULL, -EINVAL);
	REFUSED(nr_hooks, 0, -EINVAL);
	REFUSED(nr_hooks, TIFFIN_MAX_HOOKS + 1, -EINVAL);
	REFUSED(nr_figures, 1, -EINVAL);
	registry_expect_error(test, "family refused: bad description");
#undef REFUSED

	/* A second family stands beside the first, with a default and a scope of its own. */
	*family = good;
	KUNIT_ASSERT_EQ(test, tiffin_family_register(family), 0);
	KUNIT_EXPECT_STREQ(test, family->scope->gate.active->policy->id, "default");
	KUNIT_EXPECT_EQ(test, PTR_ERR(tiffin_policy_find(family, "alpha")), -ENOENT);
	tiffin_family_unregister(family);
}

/* Ids are unique over families, as they are folders of one directory. */
static void registry_ids_over_families(struct kunit *test)
{
	struct tiffin_family *family = kunit_kzalloc(test, sizeof(*family), GFP_KERNEL);
	struct tiffin_policy *desc = kunit_kzalloc(test, sizeof(*desc), GFP_KERNEL);
	struct lab *lab = test->priv;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, family);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, desc);
	*family = (struct tiffin_family) {
		.name = "lab2",
		.abi = LAB_FAMILY_ABI,
		.owner = THIS_MODULE,
		.hooks = lab->family.hooks,
		.nr_hooks = lab->family.nr_hooks,
		.max_objects = 1,
		.ops = lab->family.ops,
		.limits = TIFFIN_LIMITS_INIT,
	};
	*desc = lab_policy[LAB_ALPHA];
	strscpy(desc->family, "lab2", sizeof(desc->family));
	KUNIT_ASSERT_EQ(test, tiffin_family_register(family), 0);
	KUNIT_EXPECT_EQ(test, registry_register(desc, LAB_BUILD), -EEXIST);
	KUNIT_EXPECT_EQ(test, registry_register(desc, "b2"), 0);
	tiffin_policy_unregister((const void *)desc);
	tiffin_family_unregister(family);
}

/* Counters of a policy are summed over its instances and CPUs. */
static void registry_counters(struct kunit *test)
{
	struct lab *lab = test->priv;
	struct tiffin_instance *inst;
	struct tiffin_loaded *alpha;
	u64 sum = 0;
	int cpu;

	KUNIT_ASSERT_EQ(test, lab_swap(lab, "alpha"), 0);
	inst = lab->family.scope->gate.active;
	alpha = inst->policy;
	for_each_possible_cpu(cpu) {
		per_cpu_ptr(inst->counters, cpu)[LAB_ASKED] = 10 + cpu;
		sum += 10 + cpu;
	}
	KUNIT_EXPECT_EQ(test, tiffin_policy_counter(alpha, LAB_ASKED), sum);
	KUNIT_EXPECT_EQ(test, tiffin_policy_counter(alpha, LAB_FRESH), 0);
}

static struct kunit_case registry_test_cases[] = {
	KUNIT_CASE(registry_holds_modules),
	KUNIT_CASE(registry_finds),
	KUNIT_CASE(registry_finds_the_newest),
	KUNIT_CASE_PARAM(registry_refuses, registry_gen_params),
	KUNIT_CASE(registry_refuses_families),
	KUNIT_CASE(registry_ids_over_families),
	KUNIT_CASE(registry_counters),
	{}
};

static struct kunit_suite registry_suite = {
	.name = "registry",
	.init = lab_test_init,
	.exit = lab_test_exit,
	.test_cases = registry_test_cases,
};
kunit_test_suite(registry_suite);
