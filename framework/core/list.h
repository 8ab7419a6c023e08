/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists of objects: a set of queues that the host keeps and a policy orders.
 *
 * This file and list.c know memory and nothing else: no lock, no kernel. They compile in user space
 * too, where the library for authors uses them. service.[ch] puts the lock around them.
 *
 * Invariants:
 *  L1. A set is touched by three only: by calls, from the gate's entry to its exit (D2), which is
 *	also how a family tells that an object is gone; by the flip, when no call is inside; and by
 *	who frees it. So no swap and no rollback comes into an operation.
 *  L2. One operation at a time: the lock is tried, never waited for. A call that finds it taken, on
 *	another CPU or by the call that it interrupts, is told "busy" (TIFFIN_SHARE_ATOMIC), or is
 *	answered by continuity before it comes to the policy (TIFFIN_SHARE_LOCKED, where the lock is
 *	the call's from beginning to end, also to that of one that is ended).
 *  L3. Nodes are never lent: a policy reads and writes nothing but by an operation, which takes and
 *	gives numbers. Each number is checked against the set's borders before it is used, so no
 *	number that a policy passes can bring a list out of order. An operation is the host's text
 *	and runs to its end: whoever ends a policy by force does so outside.
 *  L4. An object has one node in a set, so it is on at most one of its lists. All nodes are
 *	allocated with the store, before the flip: no operation needs memory or can fail for want of
 *	it.
 *  L5. A node belongs to one generation of its object. Which generations live is the family's word
 *	alone (struct tiffin_family, @generation). An operation never gives an object that is gone:
 *	who comes upon its node takes it off the list, and a handle to it is refused; both are
 *	counted. The family may have it taken off at once; where the lists are busy the above comes
 *	later.
 *  L6. An operation is O(1), but for nodes of objects that are gone: it takes off TIFFIN_LIST_STEPS
 *	of them at most, then says "busy"; who asks again finds them gone.
 *  L7. At a swap to the same schema, version, sharing and number of lists the set goes over by
 *	reference, whatever its length; else the newer policy begins with empty lists. After a
 *	rollback the older one finds, by its store's undo: the set as the newer has left it, or as
 *	it was at the flip (objects that are gone since are so by L5), or empty lists, which takes
 *	no memory and no time: each node says in which era it was put on its list.
 *	No node belongs to a CPU: one that goes offline or comes changes nothing here.
 *  L8. Links that contradict each other (a policy's wild write has hit the nodes) are not followed:
 *	all lists of the set become empty, and that is counted.
 */
#ifndef TIFFIN_CORE_LIST_H
#define TIFFIN_CORE_LIST_H

#include <tiffin/plugin.h>

/* Nodes of gone objects that one operation takes off. */
#define TIFFIN_LIST_STEPS	32

/**
 * struct tiffin_list_node - an object's place. Objects are numbered from 1 in links, 0 is none.
 * @link: the neighbour towards the head, and the one towards the tail
 * @generation: of the object
 * @mark: the policy's number
 * @era: of the set when the object was put on the list: another one means that it is on none
 * @list: number of the list, from 1; 0: on none
 */
struct tiffin_list_node {
	__u32 link[2];
	__u32 generation;
	__u32 mark;
	__u32 era;
	__u32 list;
};

/**
 * struct tiffin_list - the ends of one list
 * @end: the object at the head, and the one at the tail
 * @length: nodes on it
 */
struct tiffin_list {
	__u32 end[2];
	__u32 length;
};

/**
 * struct tiffin_list_set - the bytes of a set: zeros are one with empty lists
 * @era: grows by one when all lists become empty
 * @reserved: zero
 * @list: its lists; those beyond the declared number are empty
 * @node: one for each object
 */
struct tiffin_list_set {
	__u32 era;
	__u32 reserved;
	struct tiffin_list list[TIFFIN_MAX_LISTS];
	struct tiffin_list_node node[];
};

/**
 * struct tiffin_lists - a set at work
 * @set: its bytes
 * @generation: the generation of each object that lives, by number; 0 where a number has none
 * @nr_objects: entries of @generation and nodes of @set
 * @nr_lists: lists that the policy declared
 * @gone: handles refused, as their object is gone
 * @bad: numbers refused, as they name no list, end or object
 * @dropped: nodes taken off their list, as their object is gone
 * @broken: how often the links contradicted each other
 */
struct tiffin_lists {
	struct tiffin_list_set *set;
	const __u32 *generation;
	__u32 nr_objects;
	__u32 nr_lists;
	__u64 gone;
	__u64 bad;
	__u64 dropped;
	__u64 broken;
};

/* The bytes of a set for so many objects. */
static inline __u64 tiffin_lists_bytes(__u32 nr_objects)
{
	return sizeof(struct tiffin_list_set) +
	       (__u64)nr_objects * sizeof(struct tiffin_list_node);
}

/* Make all lists empty. */
void tiffin_lists_clear(struct tiffin_lists *lists);

/* Take object number @object off its list, where it is not the one that was put there any more. */
void tiffin_lists_gone(struct tiffin_lists *lists, __u32 object);

/* What the services of state.h do, with the lock held. */
__u32 tiffin_lists_put(struct tiffin_lists *lists, __u64 handle, __u32 list, __u32 end, __u32 mark);
__u32 tiffin_lists_mark(struct tiffin_lists *lists, __u64 handle, __u32 mark);
__u32 tiffin_lists_remove(struct tiffin_lists *lists, __u64 handle);
struct tiffin_entry tiffin_lists_find(struct tiffin_lists *lists, __u64 handle);
struct tiffin_entry tiffin_lists_first(struct tiffin_lists *lists, __u32 list, __u32 end);
struct tiffin_entry tiffin_lists_next(struct tiffin_lists *lists, __u32 list, __u32 end,
				      __u64 handle);
struct tiffin_entry tiffin_lists_take(struct tiffin_lists *lists, __u32 list, __u32 end);

/* The same without the lock. */
__u32 tiffin_lists_length(const struct tiffin_lists *lists, __u32 list);

#endif /* TIFFIN_CORE_LIST_H */
