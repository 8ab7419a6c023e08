/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A plain model of a set of lists, with a copy of its own: arrays, each list in order. Every
 * operation is done by it and by core/list.c, and they must agree on the answer, on the counts, and
 * on what then stands where. Also what must hold of the nodes themselves. In the kernel and in user
 * space.
 */
#ifndef TIFFIN_TEST_LIST_MODEL_H
#define TIFFIN_TEST_LIST_MODEL_H

#include <tiffin/state.h>

#include "core/list.h"

/* More objects than an operation takes off at once. */
#define MODEL_OBJECTS	70

enum model_op {
	MODEL_PUT,
	MODEL_MARK,
	MODEL_REMOVE,
	MODEL_FIND,
	MODEL_FIRST,
	MODEL_NEXT,
	MODEL_TAKE,
	MODEL_CLEAR,
	MODEL_GONE,
	MODEL_OPS,
};

/**
 * struct model_call - an operation and its arguments, those that it takes
 * @op: enum model_op
 * @list: list
 * @end: end
 * @mark: mark
 * @handle: handle; to MODEL_GONE the number of the object
 */
struct model_call {
	__u32 op;
	__u32 list;
	__u32 end;
	__u32 mark;
	__u64 handle;
};

/**
 * struct model - the model
 * @generation: of the objects that live
 * @nr_objects: at most MODEL_OBJECTS
 * @nr_lists: declared
 * @gone: as struct tiffin_lists
 * @bad: likewise
 * @dropped: likewise
 * @list: from head to tail
 */
struct model {
	const __u32 *generation;
	__u32 nr_objects;
	__u32 nr_lists;
	__u64 gone;
	__u64 bad;
	__u64 dropped;
	struct {
		__u32 n;
		__u32 mark[MODEL_OBJECTS];
		__u64 handle[MODEL_OBJECTS];
	} list[TIFFIN_MAX_LISTS];
};

static inline int model_lives(const struct model *m, __u64 handle)
{
	return handle >> 32 && m->generation[(__u32)handle] == handle >> 32;
}

static inline void model_cut(struct model *m, __u32 list, __u32 at)
{
	m->list[list].n--;
	for (; at < m->list[list].n; at++) {
		m->list[list].handle[at] = m->list[list].handle[at + 1];
		m->list[list].mark[at] = m->list[list].mark[at + 1];
	}
}

static inline void model_insert(struct model *m, __u32 list, __u32 at, __u64 handle, __u32 mark)
{
	__u32 i;

	for (i = m->list[list].n++; i > at; i--) {
		m->list[list].handle[i] = m->list[list].handle[i - 1];
		m->list[list].mark[i] = m->list[list].mark[i - 1];
	}
	m->list[list].handle[at] = handle;
	m->list[list].mark[at] = mark;
}

/* Where object number @object stands, of whatever generation. */
static inline int model_where(const struct model *m, __u32 object, __u32 *list, __u32 *at)
{
	for (*list = 0; *list < m->nr_lists; (*list)++)
		for (*at = 0; *at < m->list[*list].n; (*at)++)
			if ((__u32)m->list[*list].handle[*at] == object)
				return 1;
	return 0;
}

static inline struct tiffin_entry model_entry(const struct model *m, __u32 list, __u32 at)
{
	return (struct tiffin_entry) {
		.handle = m->list[list].handle[at], .mark = m->list[list].mark[at], .list = list,
	};
}

/* From @at on; @at is beyond the list where there is nothing more. */
static inline struct tiffin_entry model_walk(struct model *m, __u32 list, __u32 end, __u32 at)
{
	__u32 steps = 0;

	while (at < m->list[list].n) {
		if (model_lives(m, m->list[list].handle[at]))
			return model_entry(m, list, at);
		if (steps++ == TIFFIN_LIST_STEPS)
			return (struct tiffin_entry) { .result = TIFFIN_LIST_BUSY };
		model_cut(m, list, at);
		m->dropped++;
		at -= end == TIFFIN_LIST_TAIL;
	}
	return (struct tiffin_entry) { .result = TIFFIN_LIST_END };
}

/* MODEL_PUT to MODEL_FIND: those about an object. */
static inline struct tiffin_entry model_object(struct model *m, const struct model_call *c)
{
	struct tiffin_entry entry = { .result = TIFFIN_LIST_OK };
	__u32 list, at;
	int on;

	if ((__u32)c->handle >= m->nr_objects) {
		m->bad++;
		return (struct tiffin_entry) { .result = TIFFIN_LIST_BAD };
	}
	if (!model_lives(m, c->handle)) {
		m->gone++;
		return (struct tiffin_entry) { .result = TIFFIN_LIST_GONE };
	}
	on = model_where(m, (__u32)c->handle, &list, &at);
	if (c->op == MODEL_PUT) {
		if (on) {
			m->dropped += m->list[list].handle[at] != c->handle;
			model_cut(m, list, at);
		}
		model_insert(m, c->list, c->end == TIFFIN_LIST_HEAD ? 0 : m->list[c->list].n,
			     c->handle, c->mark);
		return entry;
	}
	if (!on || m->list[list].handle[at] != c->handle)
		return (struct tiffin_entry) { .result = TIFFIN_LIST_OFF };
	switch (c->op) {
	case MODEL_MARK:
		m->list[list].mark[at] = c->mark;
		break;
	case MODEL_REMOVE:
		model_cut(m, list, at);
		break;
	case MODEL_FIND:
		return model_entry(m, list, at);
	case MODEL_NEXT:
		if (list != c->list)
			return (struct tiffin_entry) { .result = TIFFIN_LIST_OFF };
		return model_walk(m, list, c->end, at + (c->end == TIFFIN_LIST_TAIL ? -1 : 1));
	}
	return entry;
}

/* What a call does to the model. */
static inline struct tiffin_entry model_do(struct model *m, const struct model_call *c)
{
	struct tiffin_entry entry = { .result = TIFFIN_LIST_OK };
	__u32 list, at;

	switch (c->op) {
	case MODEL_CLEAR:
		for (list = 0; list < m->nr_lists; list++)
			m->list[list].n = 0;
		return entry;
	case MODEL_GONE:
		if (model_where(m, (__u32)c->handle, &list, &at) &&
		    !model_lives(m, m->list[list].handle[at])) {
			model_cut(m, list, at);
			m->dropped++;
		}
		return entry;
	case MODEL_MARK:
	case MODEL_REMOVE:
	case MODEL_FIND:
		return model_object(m, c);
	}
	if (c->list >= m->nr_lists || c->end > TIFFIN_LIST_TAIL) {
		m->bad++;
		return (struct tiffin_entry) { .result = TIFFIN_LIST_BAD };
	}
	if (c->op == MODEL_PUT || c->op == MODEL_NEXT)
		return model_object(m, c);
	entry = model_walk(m, c->list, c->end,
			   c->end == TIFFIN_LIST_TAIL ? m->list[c->list].n - 1 : 0);
	if (c->op == MODEL_TAKE && !entry.result) {
		model_where(m, (__u32)entry.handle, &list, &at);
		model_cut(m, list, at);
	}
	return entry;
}

/* The same to core/list.c. */
static inline struct tiffin_entry model_real(struct tiffin_lists *lists, const struct model_call *c)
{
	struct tiffin_entry entry = { .result = TIFFIN_LIST_OK };

	switch (c->op) {
	case MODEL_PUT:
		entry.result = tiffin_lists_put(lists, c->handle, c->list, c->end, c->mark);
		break;
	case MODEL_MARK:
		entry.result = tiffin_lists_mark(lists, c->handle, c->mark);
		break;
	case MODEL_REMOVE:
		entry.result = tiffin_lists_remove(lists, c->handle);
		break;
	case MODEL_FIND:
		return tiffin_lists_find(lists, c->handle);
	case MODEL_FIRST:
		return tiffin_lists_first(lists, c->list, c->end);
	case MODEL_NEXT:
		return tiffin_lists_next(lists, c->list, c->end, c->handle);
	case MODEL_TAKE:
		return tiffin_lists_take(lists, c->list, c->end);
	case MODEL_CLEAR:
		tiffin_lists_clear(lists);
		break;
	case MODEL_GONE:
		tiffin_lists_gone(lists, (__u32)c->handle);
		break;
	}
	return entry;
}

/*
 * What must hold of the nodes, whatever happened: links within the borders, both ways the same,
 * each node on one list, lengths right, nothing on lists that were not declared. Says what doesn't,
 * or gives NULL.
 */
static inline const char *list_wrong(const struct tiffin_lists *lists)
{
	const struct tiffin_list_set *set = lists->set;
	__u32 list, at, last, n, on = 0, sum = 0;

	for (list = 0; list < TIFFIN_MAX_LISTS; list++) {
		last = 0;
		n = 0;
		for (at = set->list[list].end[TIFFIN_LIST_HEAD]; at;
		     at = set->node[at - 1].link[TIFFIN_LIST_TAIL]) {
			const struct tiffin_list_node *node;

			if (at > lists->nr_objects)
				return "a link leads outside";
			if (n++ == lists->nr_objects)
				return "a list has no end";
			node = &set->node[at - 1];
			if (node->list != list + 1 || node->era != set->era)
				return "a node is on another list than it says";
			if (node->link[TIFFIN_LIST_HEAD] != last)
				return "links differ from head and from tail";
			last = at;
		}
		if (set->list[list].end[TIFFIN_LIST_TAIL] != last)
			return "a list's tail is another than from its head";
		if (set->list[list].length != n)
			return "a length is wrong";
		if (n && list >= lists->nr_lists)
			return "an undeclared list is not empty";
		sum += n;
	}
	for (at = 0; at < lists->nr_objects; at++)
		on += set->node[at].list && set->node[at].era == set->era;
	return on == sum ? (void *)0 : "a node is lost";
}

/* The same, and the model says the same. */
static inline const char *model_differs(const struct model *m, const struct tiffin_lists *lists)
{
	const char *wrong = list_wrong(lists);
	__u32 list, at, i;

	if (wrong)
		return wrong;
	if (m->gone != lists->gone || m->bad != lists->bad || m->dropped != lists->dropped ||
	    lists->broken)
		return "counts differ from the model's";
	for (list = 0; list < m->nr_lists; list++) {
		if (m->list[list].n != lists->set->list[list].length)
			return "a length differs from the model's";
		at = lists->set->list[list].end[TIFFIN_LIST_HEAD];
		for (i = 0; i < m->list[list].n; i++) {
			const struct tiffin_list_node *node = &lists->set->node[at - 1];

			if (tiffin_handle(at - 1, node->generation) != m->list[list].handle[i])
				return "the order differs from the model's";
			if (node->mark != m->list[list].mark[i])
				return "a mark differs from the model's";
			at = node->link[TIFFIN_LIST_TAIL];
		}
	}
	return (void *)0;
}

/* Both do the call. What they disagree on, or NULL. */
static inline const char *model_step(struct model *m, struct tiffin_lists *lists,
				     const struct model_call *c)
{
	const struct tiffin_entry a = model_do(m, c), b = model_real(lists, c);

	if (a.result != b.result || a.handle != b.handle || a.mark != b.mark || a.list != b.list)
		return "an answer differs from the model's";
	return model_differs(m, lists);
}

#endif /* TIFFIN_TEST_LIST_MODEL_H */
