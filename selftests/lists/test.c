// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policies that evict by lists, against what their algorithms say: each has a second one here,
 * written from its description with arrays, and both must name the same victims in the same order.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <tiffin/test_cache.h>

#include "list_model.h"
#include "policy_host.h"
#include "policy_test.h"

#define OBJECTS		400
#define CAPACITY	50
#define USES		40000

/*
 * struct cache - the mechanism: which objects are in
 * @host: the policy's
 * @in: by object
 * @nr: objects that are in
 * @generation: of each
 * @hits: uses that found their object in
 * @short_of: times that the policy named fewer victims than wanted
 */
struct cache {
	struct policy_host *host;
	int in[OBJECTS];
	unsigned int nr;
	__u32 generation[OBJECTS];
	unsigned int hits;
	unsigned int short_of;
};

static struct cache *cache_new(const struct tiffin_policy *policy)
{
	struct cache *c = calloc(1, sizeof(*c));
	unsigned int i;

	c->host = policy_host_new(policy, 1, OBJECTS, NULL);
	for (i = 0; i < OBJECTS; i++)
		c->generation[i] = 1;
	return c;
}

static void cache_free(struct cache *c)
{
	policy_host_free(c->host);
	free(c);
}

/* Make room for one; the victim, or -1 where the policy named none. */
static int cache_evict(struct cache *c)
{
	const struct policy_call call = { .object = POLICY_NO_OBJECT };
	const struct tiffin_test_evict in = { .size = sizeof(in), .wanted = 1,
					      .capacity = CAPACITY };
	struct tiffin_test_victims out = { .size = sizeof(out) };
	__u32 object;

	policy_host_call(c->host, offsetof(struct tiffin_test_cache_hooks, evict), &call, &in,
			 sizeof(in), &out, sizeof(out));
	if (!out.nr) {
		c->short_of++;
		return -1;
	}
	object = tiffin_handle_object(out.handle[0]);
	EXPECT_EQ(out.nr, 1);
	EXPECT_LT(object, OBJECTS);
	EXPECT_EQ(tiffin_handle_generation(out.handle[0]), c->generation[object]);
	EXPECT_TRUE(c->in[object]);
	c->in[object] = 0;
	c->nr--;
	return object;
}

/* Use an object. Returns the victim that it displaced, or -1. */
static int cache_use(struct cache *c, unsigned int object)
{
	const struct policy_call call = { .object = object, .generation = c->generation[object] };
	const struct tiffin_test_use in = { .size = sizeof(in), .hit = c->in[object],
					    .capacity = CAPACITY };
	struct tiffin_test_used out = { .size = sizeof(out) };
	int victim = -1;

	if (c->in[object])
		c->hits++;
	else if (c->nr == CAPACITY)
		victim = cache_evict(c);
	policy_host_call(c->host, offsetof(struct tiffin_test_cache_hooks, use), &call, &in,
			 sizeof(in), &out, sizeof(out));
	c->nr += !c->in[object];
	c->in[object] = 1;
	return victim;
}

/* An object ceases to be, and its number goes to another one. */
static void cache_forget(struct cache *c, unsigned int object)
{
	policy_host_gone(c->host, object);
	c->generation[object]++;
	c->nr -= c->in[object];
	c->in[object] = 0;
}

/* A queue of object numbers: [0] is the head. */
struct queue {
	unsigned int n;
	int object[OBJECTS];
};

static void queue_cut(struct queue *q, int object)
{
	unsigned int i;

	for (i = 0; i < q->n; i++)
		if (q->object[i] == object)
			break;
	if (i < q->n)
		memmove(&q->object[i], &q->object[i + 1], (--q->n - i) * sizeof(q->object[0]));
}

static void queue_push(struct queue *q, int object)
{
	memmove(&q->object[1], &q->object[0], q->n++ * sizeof(q->object[0]));
	q->object[0] = object;
}

static int queue_has(const struct queue *q, int object)
{
	unsigned int i;

	for (i = 0; i < q->n; i++)
		if (q->object[i] == object)
			return 1;
	return 0;
}

static int queue_pop(struct queue *q)
{
	return q->n ? q->object[--q->n] : -1;
}

/* Few objects often, the others seldom; now and then a run of objects that are used once. */
static unsigned int trace(unsigned int i)
{
	if (i % 1000 < 100)
		return 100 + (i / 1000 * 100 + i % 1000) % 300;
	return test_random() % 4 ? test_random() % 40 : test_random() % OBJECTS;
}

TEST(lru_evicts_the_least_recently_used)
{
	struct cache *c = cache_new(policy_named("lru"));
	struct queue *q = calloc(1, sizeof(*q));
	unsigned int i;

	for (i = 0; i < USES; i++) {
		unsigned int object = trace(i);
		int expected = -1;

		if (queue_has(q, object))
			queue_cut(q, object);
		else if (q->n == CAPACITY)
			expected = queue_pop(q);
		queue_push(q, object);
		EXPECT_EQ(cache_use(c, object), expected);
		if (test_random() % 50)
			continue;
		object = test_random() % OBJECTS;
		queue_cut(q, object);
		cache_forget(c, object);
	}
	EXPECT_EQ(c->short_of, 0);
	free(q);
	cache_free(c);
}

/* S3-FIFO, from its description. */
struct s3 {
	struct queue small, main, ghost;
	int uses[OBJECTS];
};

static int s3_evict_small(struct s3 *s)
{
	while (s->small.n) {
		int t = queue_pop(&s->small);

		if (s->uses[t] > 1) {
			s->uses[t] = 0;
			queue_push(&s->main, t);
			/* The next victim is of the main queue where the small one is small now. */
			if (s->main.n && s->small.n < CAPACITY / 10)
				return -1;
			continue;
		}
		queue_push(&s->ghost, t);
		if (s->ghost.n > CAPACITY - CAPACITY / 10)
			queue_pop(&s->ghost);
		return t;
	}
	return -1;
}

static int s3_evict_main(struct s3 *s)
{
	for (;;) {
		int t = queue_pop(&s->main);

		if (t < 0 || !s->uses[t])
			return t;
		s->uses[t]--;
		queue_push(&s->main, t);
	}
}

static int s3_evict(struct s3 *s)
{
	int t = -1;

	if (s->small.n >= CAPACITY / 10 || !s->main.n)
		t = s3_evict_small(s);
	return t < 0 ? s3_evict_main(s) : t;
}

static int s3_use(struct s3 *s, int object)
{
	int victim = -1;

	if (queue_has(&s->small, object) || queue_has(&s->main, object)) {
		s->uses[object] += s->uses[object] < 3;
		return -1;
	}
	if (s->small.n + s->main.n == CAPACITY)
		victim = s3_evict(s);
	s->uses[object] = 0;
	if (queue_has(&s->ghost, object)) {
		queue_cut(&s->ghost, object);
		queue_push(&s->main, object);
	} else {
		queue_push(&s->small, object);
	}
	return victim;
}

TEST(s3fifo_evicts_what_the_algorithm_says)
{
	struct cache *c = cache_new(policy_named("s3fifo"));
	struct s3 *s = calloc(1, sizeof(*s));
	unsigned int i, evicted = 0;

	for (i = 0; i < USES; i++) {
		unsigned int object = trace(i);
		int expected = s3_use(s, object), victim = cache_use(c, object);

		EXPECT_EQ(victim, expected);
		evicted += victim >= 0;
		if (test_random() % 50)
			continue;
		object = test_random() % OBJECTS;
		queue_cut(&s->small, object);
		queue_cut(&s->main, object);
		queue_cut(&s->ghost, object);
		cache_forget(c, object);
	}
	EXPECT_EQ(c->short_of, 0);
	EXPECT_GT(evicted, 1000);
	EXPECT_TRUE(!list_wrong(policy_host_lists(c->host)));
	free(s);
	cache_free(c);
}

/* What it is for: objects that are used once do not push out those that are used often. */
TEST(s3fifo_keeps_what_a_scan_would_push_out)
{
	struct cache *lru = cache_new(policy_named("lru"));
	struct cache *s3fifo = cache_new(policy_named("s3fifo"));
	unsigned int i, object;

	for (i = 0; i < USES; i++) {
		object = trace(i);
		cache_use(lru, object);
		cache_use(s3fifo, object);
	}
	test_note("hits of %d uses: lru %u, s3fifo %u", USES, lru->hits, s3fifo->hits);
	EXPECT_GT(s3fifo->hits, lru->hits);
	cache_free(lru);
	cache_free(s3fifo);
}

/* The lists go on with another instance, and are as they were where that one comes back. */
TEST(lists_are_handed_over)
{
	struct cache *c = cache_new(policy_named("lru"));
	struct policy_host *older = c->host;
	unsigned int i;

	for (i = 0; i < CAPACITY; i++)
		cache_use(c, i);
	c->host = policy_host_new(policy_named("lru"), 1, OBJECTS, older);
	EXPECT_EQ(cache_use(c, 100), 0);
	policy_host_free(c->host);
	c->host = older;
	EXPECT_EQ(cache_use(c, 101), 1);
	/* Another store begins empty. */
	c->host = policy_host_new(policy_named("s3fifo"), 1, OBJECTS, older);
	EXPECT_EQ(cache_use(c, 102), -1);
	EXPECT_EQ(c->short_of, 1);
	policy_host_free(older);
	cache_free(c);
}

/* A busy answer may lose a use or a victim, never an order. */
TEST(busy_lists_lose_no_order)
{
	struct cache *c = cache_new(policy_named("lru"));
	unsigned int i;

	policy_host_busy(c->host, 3);
	for (i = 0; i < USES / 10; i++)
		cache_use(c, trace(i));
	EXPECT_GT(c->short_of, 0);
	EXPECT_TRUE(!list_wrong(policy_host_lists(c->host)));
	cache_free(c);
}
