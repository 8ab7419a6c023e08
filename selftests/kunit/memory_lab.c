// SPDX-License-Identifier: GPL-2.0-only
/* What the suite of allocations that fail is made of; see memory_lab.h. */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/printk.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>

#include "core/quarantine.h"
#include "core/sysfs.h"
#include "memory_lab.h"

/*
 * What the kernel itself says of a failed vmalloc() ends with a stack, which the judge takes for a
 * report's. Lines of no level are kept back, and that is stacks: what a report begins with has one.
 */
int memory_do(struct memory_test *t, int (*op)(struct memory_test *t), unsigned int nth, bool all)
{
	int level = console_printk[1], limit = console_printk[0];
	int rc;

	console_printk[0] = LOGLEVEL_DEBUG;
	console_printk[1] = LOGLEVEL_DEBUG;
	current->fail_nth = nth;
	current->make_it_fail = all;
	rc = op(t);
	t->failed = nth && !current->fail_nth;
	current->make_it_fail = 0;
	current->fail_nth = 0;
	console_printk[0] = limit;
	console_printk[1] = level;
	return rc;
}

void memory_look(struct kunit *test, struct memory_state *now)
{
	struct memory_test *t = test->priv;
	struct tiffin_scope *scope = memory_scope(t);
	struct tiffin_swap *swap = &scope->swap;
	struct tiffin_instance *inst = scope->gate.active;
	struct kernfs_node *folder;
	struct tiffin_loaded *loaded;
	char id[TIFFIN_ID_LEN];
	size_t size;
	int i;

	memset(now, 0, sizeof(*now));
	now->active = inst;
	now->previous = swap->previous;
	now->older = inst->older;
	now->kept = inst->kept;
	now->spare = inst->spare;
	now->health = swap->health.hook;
	now->state = swap->state;
	now->word = scope->gate.word;
	now->epoch = scope->gate.epoch;
	now->flips = t->lab.flips;
	now->swaps = swap->swaps;
	now->commits = swap->commits;
	now->rollbacks = swap->rollbacks;
	now->bytes = atomic64_read(&t->lab.family.stores_bytes);
	now->modules = module_refcount(THIS_MODULE);
	strscpy(now->previous_id, swap->previous_id, sizeof(now->previous_id));
	for (i = 0; i < LAB_POLICIES; i++) {
		loaded = lab_loaded(&t->lab, i);
		if (loaded) {
			mutex_lock(&tiffin_registry);
			now->instances[i] = tiffin_policy_instances(loaded);
			mutex_unlock(&tiffin_registry);
			now->quarantined[i] = tiffin_quarantined(loaded);
		}
		snprintf(id, sizeof(id), "%s-1.0+" LAB_BUILD, lab_policy[i].name);
		folder = sysfs_get_dirent(tiffin_policies->sd, id);
		now->loaded[i] = folder;
		sysfs_put(folder);
		KUNIT_EXPECT_EQ(test, !!loaded, !!folder);
	}
	for (i = 0; i < TIFFIN_STORE_KINDS; i++) {
		struct tiffin_store_mem *mem = inst->store[i];

		now->store[i] = mem;
		now->saved[i] = inst->saved[i];
		if (!mem)
			continue;
		now->from[i] = mem->from;
		now->refs[i] = kref_read(&mem->ref);
		size = tiffin_store_payload(mem);
		KUNIT_ASSERT_LE(test, now->used + size, sizeof(now->records));
		tiffin_store_save(mem, now->records + now->used);
		now->used += size;
	}
}

#define SAME(what)									\
	KUNIT_EXPECT_TRUE_MSG(test, !memcmp(&now->what, &then->what, sizeof(now->what)),	\
			      "allocation %u: " #what, nth)

void memory_expect_records(struct kunit *test, const struct memory_state *then, unsigned int nth)
{
	struct memory_test *t = test->priv;
	struct memory_state *now = &t->after;

	SAME(used);
	SAME(records);
}

void memory_expect_same(struct kunit *test, unsigned int nth)
{
	struct memory_test *t = test->priv;
	struct memory_state *now = &t->after, *then = &t->before;

	memory_look(test, now);
	SAME(active);
	SAME(previous);
	SAME(older);
	SAME(kept);
	SAME(spare);
	SAME(health);
	SAME(state);
	SAME(word);
	SAME(epoch);
	SAME(flips);
	SAME(swaps);
	SAME(commits);
	SAME(rollbacks);
	SAME(bytes);
	SAME(modules);
	SAME(previous_id);
	SAME(instances);
	SAME(quarantined);
	SAME(loaded);
	SAME(store);
	SAME(from);
	SAME(refs);
	SAME(saved);
	memory_expect_records(test, then, nth);
}

void memory_ask(struct kunit *test, u32 object)
{
	struct memory_test *t = test->priv;
	struct tiffin_store_mem *cpus;
	struct lab_out out;
	u64 sum = 0;
	int cpu;

	KUNIT_ASSERT_EQ(test, lab_ask(&t->lab, LAB_ASK, object, &out), TIFFIN_ANSWERED);
	KUNIT_EXPECT_EQ(test, out.who, t->who);
	KUNIT_EXPECT_EQ(test, out.object_calls, ++t->calls[object]);
	KUNIT_EXPECT_EQ(test, out.instance_calls, ++t->all);
	KUNIT_EXPECT_EQ(test, out.put, TIFFIN_LIST_OK);
	KUNIT_EXPECT_EQ(test, out.flags, t->calls[object] > 1 ? 0 : TIFFIN_CTX_OBJECT_FRESH);
	cpus = memory_scope(t)->gate.active->store[TIFFIN_STORE_PER_CPU];
	for_each_possible_cpu(cpu)
		sum += *lab_calls(per_cpu_ptr(cpus->percpu, cpu), t->who);
	KUNIT_EXPECT_EQ(test, sum, t->all);
}

static void memory_forget(struct memory_test *t)
{
	memset(t->calls, 0, sizeof(t->calls));
	t->all = 0;
}

void memory_begin(struct kunit *test, enum lab_who from)
{
	struct memory_test *t = test->priv;
	u32 object;

	if (strcmp(lab_active(&t->lab), TIFFIN_DEFAULT_NAME)) {
		EXPECT_SWAP(test, TIFFIN_DEFAULT_NAME);
		KUNIT_ASSERT_EQ(test, atomic64_read(&t->lab.family.stores_bytes), 0);
	}
	EXPECT_SWAP(test, lab_policy[from].name);
	t->who = from;
	memory_forget(t);
	for (object = 0; object < ASKED; object++)
		memory_ask(test, object);
	memory_ask(test, 1);
}

void memory_expect_active(struct kunit *test, enum lab_who who)
{
	struct memory_test *t = test->priv;
	struct tiffin_instance *inst;
	u32 object;

	KUNIT_ASSERT_TRUE(test, lab_wait_stable(&t->lab));
	KUNIT_ASSERT_STREQ(test, lab_active(&t->lab), lab_policy[who].name);
	inst = memory_scope(t)->gate.active;
	KUNIT_EXPECT_EQ(test, atomic64_read(&t->lab.family.stores_bytes),
			tiffin_instance_bytes(inst->policy, NULL));
	KUNIT_EXPECT_NULL(test, memory_scope(t)->swap.previous);
	KUNIT_EXPECT_NULL(test, memory_scope(t)->swap.health.hook);
	KUNIT_EXPECT_NULL(test, inst->older);
	t->who = who;
	for (object = 0; object <= ASKED; object++)
		memory_ask(test, object);
	LAB_EXPECT_ACCOUNTS(test, &t->lab);
}

static void memory_refused(struct kunit *test, const struct memory_case *c, int rc,
			   unsigned int nth)
{
	struct memory_test *t = test->priv;

	t->refused++;
	KUNIT_ASSERT_EQ_MSG(test, rc, -ENOMEM, "allocation %u", nth);
	KUNIT_ASSERT_TRUE_MSG(test, t->failed, "refused, and no allocation had failed");
	memory_expect_same(test, nth);
	if (strstr(lab_error(&t->lab), "no memory"))
		t->said++;
	/* The same works, once there is memory. */
	KUNIT_ASSERT_EQ_MSG(test, memory_do(t, c->op, 0, false), 0, "after allocation %u", nth);
	c->end(test);
}

static void memory_round(struct kunit *test, const struct memory_case *c)
{
	struct memory_test *t = test->priv;
	unsigned int nth;
	int rc;

	for (nth = 1; nth < MANY; nth++) {
		c->begin(test);
		memory_look(test, &t->before);
		memory_scope(t)->swap.error[0] = '\0';
		rc = memory_do(t, c->op, nth, false);
		if (rc) {
			memory_refused(test, c, rc, nth);
			continue;
		}
		c->end(test);
		if (!t->failed)
			break;
		t->done++;
	}
	KUNIT_ASSERT_LT(test, nth, MANY);
}

void memory_each(struct kunit *test, const struct memory_case *c)
{
	struct memory_test *t = test->priv;
	unsigned int i;

	/* The kernel keeps what it has learnt of the way there, the stacks of allocations say. */
	for (i = 0; i < 2; i++) {
		c->begin(test);
		memory_look(test, &t->before);
		KUNIT_ASSERT_EQ(test, memory_do(t, c->op, 0, false), 0);
		c->end(test);
	}
	/* It has allocations of its own, now and then, and a count may step over one of ours. */
	i = 0;
	do {
		memory_round(test, c);
	} while (++i < ROUNDS && (t->refused < c->refused || t->done < c->done));
	kunit_info(test, "%u rounds: %u times refused, %u times done all the same\n", i,
		   t->refused, t->done);
	KUNIT_EXPECT_GE(test, t->refused, c->refused);
	KUNIT_EXPECT_GE(test, t->done, c->done);
	if (!c->refused)
		KUNIT_EXPECT_EQ(test, t->refused, 0);
	else if (c->mute != MANY)
		KUNIT_EXPECT_GE(test, t->said + i * c->mute, t->refused);
}

void memory_lab_exit(struct kunit *test)
{
	struct memory_test *t = test->priv;

	if (!IS_ERR_OR_NULL(t->file))
		fput(t->file);
	if (t->lab.family.scope)
		enable_delayed_work(&memory_scope(t)->rescue.work);
	lab_stop(&t->lab);
	if (!IS_ERR_OR_NULL(t->mnt))
		kern_unmount(t->mnt);
}

static int op_allocate(struct memory_test *t)
{
	void *slab = kmalloc(16, GFP_KERNEL);
	unsigned long page = __get_free_page(GFP_KERNEL);

	kfree(slab);
	free_page(page);
	return (slab ? BIT(0) : 0) | (page ? BIT(1) : 0);
}

int memory_lab_init(struct kunit *test)
{
	struct memory_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	int rc;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t);
	test->priv = t;
	t->mnt = kern_mount(get_fs_type("sysfs"));
	if (IS_ERR(t->mnt))
		return PTR_ERR(t->mnt);
	rc = lab_start(&t->lab);
	if (rc)
		return rc;
	disable_delayed_work_sync(&memory_scope(t)->rescue.work);
	/* Does what load.c has set up do what is asked of it? */
	KUNIT_EXPECT_EQ(test, memory_do(t, op_allocate, 0, false), BIT(0) | BIT(1));
	KUNIT_EXPECT_EQ(test, memory_do(t, op_allocate, 1, false), BIT(1));
	KUNIT_EXPECT_EQ(test, memory_do(t, op_allocate, 0, true), 0);
	return 0;
}
