// SPDX-License-Identifier: GPL-2.0-only
/* Lists of objects; the invariants are in list.h. Compiles in the kernel and in user space. */

#include <tiffin/state.h>

#include "core/list.h"

/* The node at the end of a link, or NULL (0) where the link leads nowhere. */
static struct tiffin_list_node *tiffin_list_at(const struct tiffin_lists *lists, __u32 index)
{
	/* 0 wraps around to the largest number. */
	return index - 1 < lists->nr_objects ? &lists->set->node[index - 1] : (void *)0;
}

static int tiffin_list_on(const struct tiffin_lists *lists, const struct tiffin_list_node *node)
{
	return node->list && node->era == lists->set->era;
}

/* L5 */
static int tiffin_list_lives(const struct tiffin_lists *lists, __u32 index)
{
	const struct tiffin_list_node *node = &lists->set->node[index - 1];

	return tiffin_load(&lists->generation[index - 1]) == node->generation;
}

void tiffin_lists_clear(struct tiffin_lists *lists)
{
	struct tiffin_list_set *set = lists->set;
	__u32 i;

	/* Lengths are read without the lock. */
	for (i = 0; i < TIFFIN_MAX_LISTS; i++) {
		set->list[i].end[TIFFIN_LIST_HEAD] = 0;
		set->list[i].end[TIFFIN_LIST_TAIL] = 0;
		tiffin_store(&set->list[i].length, 0);
	}
	set->era++;
}

/* L8 */
static __u32 tiffin_list_broken(struct tiffin_lists *lists)
{
	lists->broken++;
	tiffin_lists_clear(lists);
	return TIFFIN_LIST_BUSY;
}

/*
 * What points to a node from towards @end: the neighbour there, or the list where the node is the
 * last one there. Nothing where they don't agree on that.
 */
static __u32 *tiffin_list_slot(struct tiffin_lists *lists, __u32 index, __u32 end)
{
	struct tiffin_list_node *node = &lists->set->node[index - 1], *neighbour;
	__u32 *slot = &lists->set->list[node->list - 1].end[end];

	if (node->link[end]) {
		neighbour = tiffin_list_at(lists, node->link[end]);
		if (!neighbour || neighbour->list != node->list)
			return (void *)0;
		slot = &neighbour->link[!end];
	}
	return *slot == index ? slot : (void *)0;
}

/* Take a node off the list that it is on. */
static __u32 tiffin_list_unlink(struct tiffin_lists *lists, __u32 index)
{
	struct tiffin_list_node *node = &lists->set->node[index - 1];
	__u32 *head, *tail, *length;

	if (node->list > lists->nr_lists)
		return tiffin_list_broken(lists);
	head = tiffin_list_slot(lists, index, TIFFIN_LIST_HEAD);
	tail = tiffin_list_slot(lists, index, TIFFIN_LIST_TAIL);
	length = &lists->set->list[node->list - 1].length;
	if (!head || !tail || !*length)
		return tiffin_list_broken(lists);
	*head = node->link[TIFFIN_LIST_TAIL];
	*tail = node->link[TIFFIN_LIST_HEAD];
	tiffin_store(length, *length - 1);
	node->list = 0;
	return TIFFIN_LIST_OK;
}

/* Put a node that is on none at @end of a list. */
static __u32 tiffin_list_link(struct tiffin_lists *lists, __u32 index, __u32 list, __u32 end)
{
	struct tiffin_list_node *node = &lists->set->node[index - 1], *neighbour;
	struct tiffin_list *to = &lists->set->list[list];
	__u32 *slot = &to->end[!end];

	if (to->end[end]) {
		neighbour = tiffin_list_at(lists, to->end[end]);
		if (!neighbour || neighbour->link[end])
			return tiffin_list_broken(lists);
		slot = &neighbour->link[end];
	}
	node->link[end] = 0;
	node->link[!end] = to->end[end];
	node->list = list + 1;
	node->era = lists->set->era;
	*slot = index;
	to->end[end] = index;
	tiffin_store(&to->length, to->length + 1);
	return TIFFIN_LIST_OK;
}

/*
 * The place of a handle's object, from 1; 0 where the handle is refused, for the reason in @result.
 */
static __u32 tiffin_list_index(struct tiffin_lists *lists, __u64 handle, __u32 *result)
{
	const __u32 object = tiffin_handle_object(handle);
	const __u32 generation = tiffin_handle_generation(handle);

	if (object >= lists->nr_objects) {
		lists->bad++;
		*result = TIFFIN_LIST_BAD;
		return 0;
	}
	if (!generation || tiffin_load(&lists->generation[object]) != generation) {
		lists->gone++;
		*result = TIFFIN_LIST_GONE;
		return 0;
	}
	return object + 1;
}

/* The same where the object has to be on a list. */
static __u32 tiffin_list_place(struct tiffin_lists *lists, __u64 handle, __u32 *result)
{
	__u32 index = tiffin_list_index(lists, handle, result);
	const struct tiffin_list_node *node;

	if (!index)
		return 0;
	node = &lists->set->node[index - 1];
	if (tiffin_list_on(lists, node) && node->generation == tiffin_handle_generation(handle))
		return index;
	*result = TIFFIN_LIST_OFF;
	return 0;
}

static int tiffin_list_named(struct tiffin_lists *lists, __u32 list, __u32 end)
{
	if (list < lists->nr_lists && end <= TIFFIN_LIST_TAIL)
		return 1;
	lists->bad++;
	return 0;
}

static struct tiffin_entry tiffin_list_none(__u32 result)
{
	return (struct tiffin_entry) { .result = result };
}

static struct tiffin_entry tiffin_list_entry(const struct tiffin_lists *lists, __u32 index)
{
	const struct tiffin_list_node *node = &lists->set->node[index - 1];

	return (struct tiffin_entry) {
		.handle = tiffin_handle(index - 1, node->generation),
		.mark = node->mark,
		.list = node->list - 1,
	};
}

void tiffin_lists_gone(struct tiffin_lists *lists, __u32 object)
{
	if (object >= lists->nr_objects || !tiffin_list_on(lists, &lists->set->node[object]) ||
	    tiffin_list_lives(lists, object + 1))
		return;
	lists->dropped++;
	tiffin_list_unlink(lists, object + 1);
}

__u32 tiffin_lists_put(struct tiffin_lists *lists, __u64 handle, __u32 list, __u32 end, __u32 mark)
{
	struct tiffin_list_node *node;
	__u32 index, result;

	if (!tiffin_list_named(lists, list, end))
		return TIFFIN_LIST_BAD;
	index = tiffin_list_index(lists, handle, &result);
	if (!index)
		return result;
	node = &lists->set->node[index - 1];
	if (tiffin_list_on(lists, node)) {
		lists->dropped += !tiffin_list_lives(lists, index);
		result = tiffin_list_unlink(lists, index);
		if (result)
			return result;
	}
	node->generation = tiffin_handle_generation(handle);
	node->mark = mark;
	return tiffin_list_link(lists, index, list, end);
}

__u32 tiffin_lists_mark(struct tiffin_lists *lists, __u64 handle, __u32 mark)
{
	__u32 result, index = tiffin_list_place(lists, handle, &result);

	if (!index)
		return result;
	lists->set->node[index - 1].mark = mark;
	return TIFFIN_LIST_OK;
}

__u32 tiffin_lists_remove(struct tiffin_lists *lists, __u64 handle)
{
	__u32 result, index = tiffin_list_place(lists, handle, &result);

	return index ? tiffin_list_unlink(lists, index) : result;
}

struct tiffin_entry tiffin_lists_find(struct tiffin_lists *lists, __u64 handle)
{
	__u32 result, index = tiffin_list_place(lists, handle, &result);

	return index ? tiffin_list_entry(lists, index) : tiffin_list_none(result);
}

/*
 * The first object that lives, from @index on, on the way from @end; those before it go off the
 * list (L6).
 */
static struct tiffin_entry tiffin_list_walk(struct tiffin_lists *lists, __u32 list, __u32 end,
					    __u32 index)
{
	__u32 steps;

	for (steps = 0; index; steps++) {
		const struct tiffin_list_node *node = tiffin_list_at(lists, index);
		__u32 next;

		if (!node || !tiffin_list_on(lists, node) || node->list != list + 1)
			return tiffin_list_none(tiffin_list_broken(lists));
		if (tiffin_list_lives(lists, index))
			return tiffin_list_entry(lists, index);
		if (steps == TIFFIN_LIST_STEPS)
			return tiffin_list_none(TIFFIN_LIST_BUSY);
		next = node->link[!end];
		lists->dropped++;
		if (tiffin_list_unlink(lists, index))
			return tiffin_list_none(TIFFIN_LIST_BUSY);
		index = next;
	}
	return tiffin_list_none(TIFFIN_LIST_END);
}

struct tiffin_entry tiffin_lists_first(struct tiffin_lists *lists, __u32 list, __u32 end)
{
	if (!tiffin_list_named(lists, list, end))
		return tiffin_list_none(TIFFIN_LIST_BAD);
	return tiffin_list_walk(lists, list, end, lists->set->list[list].end[end]);
}

struct tiffin_entry tiffin_lists_next(struct tiffin_lists *lists, __u32 list, __u32 end,
				      __u64 handle)
{
	__u32 result, index;

	if (!tiffin_list_named(lists, list, end))
		return tiffin_list_none(TIFFIN_LIST_BAD);
	index = tiffin_list_place(lists, handle, &result);
	if (!index)
		return tiffin_list_none(result);
	if (lists->set->node[index - 1].list != list + 1)
		return tiffin_list_none(TIFFIN_LIST_OFF);
	return tiffin_list_walk(lists, list, end, lists->set->node[index - 1].link[!end]);
}

struct tiffin_entry tiffin_lists_take(struct tiffin_lists *lists, __u32 list, __u32 end)
{
	struct tiffin_entry entry = tiffin_lists_first(lists, list, end);
	__u32 result;

	if (entry.result)
		return entry;
	result = tiffin_list_unlink(lists, tiffin_handle_object(entry.handle) + 1);
	return result ? tiffin_list_none(result) : entry;
}

__u32 tiffin_lists_length(const struct tiffin_lists *lists, __u32 list)
{
	return list < lists->nr_lists ? tiffin_load(&lists->set->list[list].length) : 0;
}
