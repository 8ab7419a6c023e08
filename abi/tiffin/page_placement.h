/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tiffin/page_placement.h: which pages of a program lie in fast memory, and which in slow.
 *
 * The host follows ordinary anonymous pages of the programs that the operator attached, in a
 * machine whose memory nodes form tiers (DRAM, CXL memory, persistent memory, ...). It learns of
 * accesses in two ways: hint faults (the page was made inaccessible, and a program touched it: told
 * at once, at the price of a fault) and age scans (the accessed bit of the page tables: told late,
 * at no price to the program). It puts what it learns to the policy, and moves the pages that the
 * policy names. An object of this family is such a page, from the first time it is seen until it
 * is unmapped, or another page takes its place in the host's table.
 *
 * What a policy wants done stands in its answers: there is nothing to call. The host carries it
 * out when no lock is held, in order, with its own limits of rate, and checks it again then: a
 * page may have gone, been pinned, or been written meanwhile. hook done() tells what came of it.
 *
 * Deepest context: process, under the lock of a page table (a hint fault).
 */
#ifndef TIFFIN_PAGE_PLACEMENT_H
#define TIFFIN_PAGE_PLACEMENT_H

#include <tiffin/plugin.h>
#include <tiffin/state.h>

#define TIFFIN_page_placement_ABI	TIFFIN_ABI(1, 0)
#define TIFFIN_page_placement_ABI_TEXT	1.0

/* "None" where a memory node is given. */
#define TIFFIN_PP_NO_NODE		0xffffffffu

/* Most pages that one answer names; also the most that are moved in one go. */
#define TIFFIN_PP_BATCH			16

/* The node has memory, is online, and pages may be moved to it. */
#define TIFFIN_PP_NODE_USABLE		(1u << 0)

/* No more than @wm_low of the node is free: pressure() is being asked, or will be. */
#define TIFFIN_PP_NODE_PRESSED		(1u << 1)

/**
 * struct tiffin_pp_node - what the host knows of a memory node
 * @flags: TIFFIN_PP_NODE_*
 * @tier: 0 is the fastest; nodes without memory have TIFFIN_PP_NO_NODE
 * @faster: where pages are promoted to from here, or TIFFIN_PP_NO_NODE
 * @slower: where pages are demoted to from here, or TIFFIN_PP_NO_NODE
 * @total: pages of 4 KiB of the node
 * @free: of them free at the last sample (each tick(), and each time pages were moved), those on
 *	lists of the CPUs too
 * @wm_low: with so many free pages or fewer the host asks pressure() for victims: promotion stops
 *	there; above the watermark at which the kernel's own reclaim begins
 * @wm_high: the host goes on asking until so many are free, and promotes nothing to the node that
 *	would leave less than @wm_low
 * @shadows: pages of the node that the host holds as shadows; they are given up under pressure
 */
struct tiffin_pp_node {
	__u32 flags;
	__u32 tier;
	__u32 faster;
	__u32 slower;
	__u64 total;
	__u64 free;
	__u64 wm_low;
	__u64 wm_high;
	__u64 shadows;
};

/* A shadow of the page is kept on the slower node, and was good when this was written. */
#define TIFFIN_PP_PAGE_SHADOWED		(1u << 0)

/* A move of the page waits to be carried out. */
#define TIFFIN_PP_PAGE_QUEUED		(1u << 1)

/**
 * struct tiffin_pp_page - what the host knows of a page, whichever policy is active
 * @size: bytes of this structure on the host's side
 * @flags: TIFFIN_PP_PAGE_*
 * @node: where it lies
 * @heat: accesses that were seen of it, a hint or an accessed bit counting 256, halved with each
 *	second that passes; 0 to 65535. It goes on whichever policy is active, so that a policy
 *	starts warm.
 * @idle_ms: time since the last access that was seen, or since the page was first seen
 * @promoted: times it was promoted since it was first seen, up to 65535
 * @demoted: times it was demoted, likewise
 * @aborted: moves of it that came to nothing because it was written meanwhile, since the last that
 *	did not; up to 65535
 */
struct tiffin_pp_page {
	__u32 size;
	__u32 flags;
	__u32 node;
	__u32 heat;
	__u32 idle_ms;
	__u32 promoted;
	__u32 demoted;
	__u32 aborted;
};

/**
 * struct tiffin_pp_machine - what the host knows of the machine; valid during the call
 * @size: bytes of this structure on the host's side
 * @nr_nodes: entries of @nodes
 * @node_stride: bytes from one entry of @nodes to the next; use tiffin_pp_node()
 * @queued: moves that wait to be carried out
 * @queue_max: most moves that may wait; further ones are refused and counted
 * @reserved: zero
 * @nodes: by number
 */
struct tiffin_pp_machine {
	__u32 size;
	__u32 nr_nodes;
	__u32 node_stride;
	__u32 queued;
	__u32 queue_max;
	__u32 reserved;
	const struct tiffin_pp_node *nodes;
};

/**
 * enum tiffin_pp_access - how an access became known
 * @TIFFIN_PP_HINT: a hint fault: the program waits for this very page
 * @TIFFIN_PP_YOUNG: an age scan found the accessed bit set; it was cleared
 */
enum tiffin_pp_access {
	TIFFIN_PP_HINT,
	TIFFIN_PP_YOUNG,
};

/**
 * struct tiffin_pp_access_in - a page was accessed
 * @size: bytes of this structure on the host's side
 * @kind: one of enum tiffin_pp_access; treat one that is not known as TIFFIN_PP_YOUNG
 * @cpu_node: of a hint: the memory node of the CPU that accessed it; else TIFFIN_PP_NO_NODE
 * @latency_us: of a hint: time from making the page inaccessible to the access, which is the
 *	shorter the hotter the page (TPP and AutoNUMA's measure); 0 where not known
 * @page: the page as it was before this access, but for its heat, which counts it
 * @machine: the machine
 */
struct tiffin_pp_access_in {
	__u32 size;
	__u32 kind;
	__u32 cpu_node;
	__u32 latency_us;
	const struct tiffin_pp_page *page;
	const struct tiffin_pp_machine *machine;
};

/**
 * enum tiffin_pp_verdict - what is to be done with a page
 * @TIFFIN_PP_KEEP: it stays where it is
 * @TIFFIN_PP_QUEUE: move it in the background: promote it (access()), or demote it (age())
 * @TIFFIN_PP_NOW: of a hint: promote it in the wake of the fault: the program that touched it does
 *	so itself before it goes on. Else as TIFFIN_PP_QUEUE.
 *
 * A page that can't go further in that direction stays; that is no bad answer.
 */
enum tiffin_pp_verdict {
	TIFFIN_PP_KEEP,
	TIFFIN_PP_QUEUE,
	TIFFIN_PP_NOW,
};

/**
 * struct tiffin_pp_access_out - the answer; zeros (KEEP) when the call begins
 * @size: bytes of this structure on the host's side
 * @verdict: one of enum tiffin_pp_verdict. A value the host does not know is a bad answer.
 */
struct tiffin_pp_access_out {
	__u32 size;
	__u32 verdict;
};

/**
 * struct tiffin_pp_age_in - an age scan found a page that was not accessed since the last one
 * @size: bytes of this structure on the host's side
 * @reserved: zero
 * @page: the page
 * @machine: the machine
 */
struct tiffin_pp_age_in {
	__u32 size;
	__u32 reserved;
	const struct tiffin_pp_page *page;
	const struct tiffin_pp_machine *machine;
};

/**
 * struct tiffin_pp_age_out - the answer; zeros (KEEP) when the call begins
 * @size: bytes of this structure on the host's side
 * @verdict: TIFFIN_PP_KEEP or TIFFIN_PP_QUEUE; another value is a bad answer
 */
struct tiffin_pp_age_out {
	__u32 size;
	__u32 verdict;
};

/**
 * struct tiffin_pp_pressure_in - a node runs short of free memory
 * @size: bytes of this structure on the host's side
 * @node: which
 * @wanted: pages to demote from it until its high watermark is reached, 1 or more
 * @round: how often this was asked already for the same shortage, from 0
 * @machine: the machine
 */
struct tiffin_pp_pressure_in {
	__u32 size;
	__u32 node;
	__u32 wanted;
	__u32 round;
	const struct tiffin_pp_machine *machine;
};

/**
 * struct tiffin_pp_pressure_out - the answer; zeros when the call begins
 * @size: bytes of this structure on the host's side
 * @nr: entries of @pages that are filled, 0 to TIFFIN_PP_BATCH; more is a bad answer. With 0 the
 *	host stops asking until the next tick.
 * @pages: handles of the pages to demote, as found on a list. One whose page is gone or lies on
 *	another node is passed over and counted.
 */
struct tiffin_pp_pressure_out {
	__u32 size;
	__u32 nr;
	__u64 pages[TIFFIN_PP_BATCH];
};

/**
 * enum tiffin_pp_direction - where a page goes
 * @TIFFIN_PP_PROMOTE: to a faster node
 * @TIFFIN_PP_DEMOTE: to a slower node
 */
enum tiffin_pp_direction {
	TIFFIN_PP_PROMOTE,
	TIFFIN_PP_DEMOTE,
};

/**
 * enum tiffin_pp_method - how a page is moved
 * @TIFFIN_PP_PLAIN: as the kernel does it: unmap, copy, map. A program that touches the page
 *	meanwhile waits for the copy.
 * @TIFFIN_PP_TRANSACTIONAL: copy while it stays mapped, then unmap it for a moment, and give up
 *	where it was written meanwhile (NOMAD, OSDI 2024). No access waits for a copy.
 */
enum tiffin_pp_method {
	TIFFIN_PP_PLAIN,
	TIFFIN_PP_TRANSACTIONAL,
};

/**
 * struct tiffin_pp_plan_in - a page is about to be moved
 * @size: bytes of this structure on the host's side
 * @direction: one of enum tiffin_pp_direction
 * @to: the node it will go to
 * @reserved: zero
 * @page: the page
 * @machine: the machine
 */
struct tiffin_pp_plan_in {
	__u32 size;
	__u32 direction;
	__u32 to;
	__u32 reserved;
	const struct tiffin_pp_page *page;
	const struct tiffin_pp_machine *machine;
};

/* Of a promotion: keep the page that was left as a shadow, until one of the two is written. */
#define TIFFIN_PP_KEEP_SHADOW		(1u << 0)

/* Where a good shadow of the page is kept on the node it goes to, map it in place of a copy. */
#define TIFFIN_PP_USE_SHADOW		(1u << 1)

/* Don't move it after all. */
#define TIFFIN_PP_CANCEL		(1u << 2)

#define TIFFIN_PP_MAX_RETRIES		8

/**
 * struct tiffin_pp_plan_out - the answer; zeros (plain, no shadow) when the call begins
 * @size: bytes of this structure on the host's side
 * @method: one of enum tiffin_pp_method; a value the host does not know is a bad answer
 * @flags: TIFFIN_PP_KEEP_SHADOW, _USE_SHADOW, _CANCEL; other bits make a bad answer
 * @retries: of a transactional move: how often it is tried again at once after the page was
 *	written, 0 to TIFFIN_PP_MAX_RETRIES; more is a bad answer
 */
struct tiffin_pp_plan_out {
	__u32 size;
	__u32 method;
	__u32 flags;
	__u32 retries;
};

/**
 * enum tiffin_pp_result - what came of a move
 * @TIFFIN_PP_MOVED: the page is on the other node, its bytes were copied
 * @TIFFIN_PP_REMAPPED: the page's shadow was mapped, nothing was copied
 * @TIFFIN_PP_WRITTEN: given up as the program wrote to it meanwhile
 * @TIFFIN_PP_REFUSED: it can't be moved: pinned, part of a huge page, locked by another, ...
 * @TIFFIN_PP_NO_MEMORY: the other node had no page to give
 * @TIFFIN_PP_LIMITED: the operator's limit of rate is reached
 * @TIFFIN_PP_CANCELLED: plan() said TIFFIN_PP_CANCEL
 */
enum tiffin_pp_result {
	TIFFIN_PP_MOVED,
	TIFFIN_PP_REMAPPED,
	TIFFIN_PP_WRITTEN,
	TIFFIN_PP_REFUSED,
	TIFFIN_PP_NO_MEMORY,
	TIFFIN_PP_LIMITED,
	TIFFIN_PP_CANCELLED,
};

/* The move was made by the program itself, in the wake of a hint fault: it waited for @ns. */
#define TIFFIN_PP_IN_WAKE		(1u << 0)

/**
 * struct tiffin_pp_done_in - a move has ended, this way or that
 * @size: bytes of this structure on the host's side
 * @direction: one of enum tiffin_pp_direction
 * @result: one of enum tiffin_pp_result; treat one that is not known as TIFFIN_PP_REFUSED
 * @flags: TIFFIN_PP_IN_WAKE or 0
 * @ns: what the move took, the page's share where several went together
 * @unmapped_ns: time that an access to the page had to wait
 * @page: the page as it is now
 * @machine: the machine
 */
struct tiffin_pp_done_in {
	__u32 size;
	__u32 direction;
	__u32 result;
	__u32 flags;
	__u64 ns;
	__u64 unmapped_ns;
	const struct tiffin_pp_page *page;
	const struct tiffin_pp_machine *machine;
};

/**
 * struct tiffin_pp_done_out - no answer is wanted
 * @size: bytes of this structure on the host's side
 * @reserved: zero
 */
struct tiffin_pp_done_out {
	__u32 size;
	__u32 reserved;
};

/**
 * struct tiffin_pp_reclaim_in - a node where shadows are kept runs short of memory
 * @size: bytes of this structure on the host's side
 * @node: where
 * @kept: shadows there
 * @wanted: how many would have to go for the node's high watermark, @kept at most
 * @machine: the machine
 */
struct tiffin_pp_reclaim_in {
	__u32 size;
	__u32 node;
	__u32 kept;
	__u32 wanted;
	const struct tiffin_pp_machine *machine;
};

/**
 * struct tiffin_pp_reclaim_out - the answer; @count is @wanted when the call begins
 * @size: bytes of this structure on the host's side
 * @count: how many to give up, oldest first; at least half of @wanted, whatever stands here. What
 *	the kernel's own reclaim asks for is given up without a question.
 */
struct tiffin_pp_reclaim_out {
	__u32 size;
	__u32 count;
};

/**
 * struct tiffin_pp_tick_in - time has passed; sums since the last tick
 * @size: bytes of this structure on the host's side
 * @elapsed_ms: since the last tick, about 100
 * @pages: pages that the host follows now
 * @hints: hint faults
 * @young: pages that age scans found accessed
 * @old: pages that age scans found not accessed
 * @promoted: pages
 * @demoted: pages
 * @remapped: of @demoted those without a copy
 * @written: moves given up as the page was written
 * @slow_hints: of @hints those of pages that were not on the fastest node
 * @swap_ins: pages that were read back from swap, of all programs of the machine
 * @hint_ns: what the host took in hint faults; the kernel's own part comes on top
 * @wake_ns: what moves in the wake of hint faults cost the programs
 * @unmapped_ns: times that pages were unmapped for moves in the background, summed over the pages:
 *	what accesses may have waited, at most
 * @background_ns: what the host's threads took for moves and scans
 * @machine: the machine
 */
struct tiffin_pp_tick_in {
	__u32 size;
	__u32 elapsed_ms;
	__u32 pages;
	__u32 hints;
	__u32 young;
	__u32 old;
	__u32 promoted;
	__u32 demoted;
	__u32 remapped;
	__u32 written;
	__u32 slow_hints;
	__u32 swap_ins;
	__u64 hint_ns;
	__u64 wake_ns;
	__u64 unmapped_ns;
	__u64 background_ns;
	const struct tiffin_pp_machine *machine;
};

/**
 * struct tiffin_pp_tick_out - what to look at until the next tick; what the last one said when the
 *	call begins (zeros at the first of a policy)
 * @size: bytes of this structure on the host's side
 * @hint_pages: pages of slow nodes to make inaccessible for a hint; the host bounds it
 * @scan_pages: pages to look at in an age scan; the host bounds it
 * @promote_max: most pages to promote; 0: as many as the operator allows
 */
struct tiffin_pp_tick_out {
	__u32 size;
	__u32 hint_pages;
	__u32 scan_pages;
	__u32 promote_max;
};

/**
 * struct tiffin_pp_hooks - the hook table of the family
 * @access: required. A page was accessed: promote it?
 * @age: a page was not accessed: demote it?
 * @pressure: a node runs short of memory: which pages shall leave it?
 * @plan: a page is about to be moved: how? Without it: plainly, and no shadows.
 * @done: what came of a move
 * @reclaim: memory is short where shadows are kept. Without it the host gives up what is wanted.
 * @tick: required. How much to look at? Without a first answer there is nothing to see.
 *
 * access(), age(), plan() and done() are about a page: its record and handle are the call's object;
 * the others about none.
 */
struct tiffin_pp_hooks {
	void (*access)(const struct tiffin_ctx *ctx, const struct tiffin_pp_access_in *in,
		       struct tiffin_pp_access_out *out);
	void (*age)(const struct tiffin_ctx *ctx, const struct tiffin_pp_age_in *in,
		    struct tiffin_pp_age_out *out);
	void (*pressure)(const struct tiffin_ctx *ctx, const struct tiffin_pp_pressure_in *in,
			 struct tiffin_pp_pressure_out *out);
	void (*plan)(const struct tiffin_ctx *ctx, const struct tiffin_pp_plan_in *in,
		     struct tiffin_pp_plan_out *out);
	void (*done)(const struct tiffin_ctx *ctx, const struct tiffin_pp_done_in *in,
		     struct tiffin_pp_done_out *out);
	void (*reclaim)(const struct tiffin_ctx *ctx, const struct tiffin_pp_reclaim_in *in,
			struct tiffin_pp_reclaim_out *out);
	void (*tick)(const struct tiffin_ctx *ctx, const struct tiffin_pp_tick_in *in,
		     struct tiffin_pp_tick_out *out);
};

/**
 * tiffin_pp_node - what the host knows of one node
 * @machine: the machine
 * @node: below @machine->nr_nodes
 */
static inline const struct tiffin_pp_node *
tiffin_pp_node(const struct tiffin_pp_machine *machine, __u32 node)
{
	return (const struct tiffin_pp_node *)((const char *)machine->nodes +
					       (__u64)node * machine->node_stride);
}

/**
 * tiffin_pp_can - is there a node to move a page to?
 * @machine: the machine
 * @node: where the page lies
 * @direction: one of enum tiffin_pp_direction
 *
 * Return: true where a usable node lies in that direction.
 */
static inline int tiffin_pp_can(const struct tiffin_pp_machine *machine, __u32 node,
				__u32 direction)
{
	__u32 to;

	if (node >= machine->nr_nodes)
		return 0;
	to = direction == TIFFIN_PP_PROMOTE ? tiffin_pp_node(machine, node)->faster :
					      tiffin_pp_node(machine, node)->slower;
	return to < machine->nr_nodes &&
	       (tiffin_pp_node(machine, to)->flags & TIFFIN_PP_NODE_USABLE);
}

#endif /* TIFFIN_PAGE_PLACEMENT_H */
