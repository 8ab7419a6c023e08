// SPDX-License-Identifier: GPL-2.0-only
/*
 * Moves. Those asked for in the background wait in the queue of the node that they go to, whose
 * thread carries them out, bound to one CPU near the node. The same thread relieves the nodes that
 * demote to its own, and its own of shadows where none is slower. A move in the wake of a hint
 * fault is carried out by the program itself, on its way back to user mode.
 */

#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/topology.h>
#include <linux/wait.h>
#include <asm/syscall.h>

#include <tiffin/state.h>

#include "page_placement/host.h"
#include "page_placement/shadow.h"

#define CREATE_TRACE_POINTS
#include "page_placement/trace.h"

static_assert(TIFFIN_PP_BATCH == PP_BATCH);

/* Moves that may wait, on each node. */
#define PP_QUEUE	4096

/* So long moves to a node without room wait for others to leave it. */
#define PP_ROOM_WAIT_MS	100

/* Questions in a row for pages to demote of which none could be. */
#define PP_ROUNDS_EMPTY	64

/**
 * struct pp_request - a move that waits
 * @handle: of the page
 * @direction: enum tiffin_pp_direction
 */
struct pp_request {
	u64 handle;
	u32 direction;
};

/**
 * struct pp_item - a move being carried out
 * @seen: the page, with a reference to its program
 * @direction: enum tiffin_pp_direction
 * @to: the node it goes to
 * @plan: how
 * @settled: @result stands
 * @gone: the page is not there any more
 * @result: enum tiffin_pp_result
 * @node: where the page lies now
 * @ns: what it took
 * @unmapped_ns: for so long the page was unmapped
 */
struct pp_item {
	struct pp_seen seen;
	u32 direction;
	u32 to;
	struct tiffin_pp_plan_out plan;
	bool settled;
	bool gone;
	u32 result;
	u32 node;
	u64 ns;
	u64 unmapped_ns;
};

/**
 * struct pp_carrier - the thread that moves pages to a node
 * @task: the thread, or NULL where the node has no memory
 * @node: the node
 * @lock: protects the queue
 * @request: the queue, a ring
 * @head: requests ever taken
 * @tail: requests ever put
 * @wait: the thread waits here
 * @relieve: nodes that are short of memory
 * @item: what the thread works on
 */
struct pp_carrier {
	struct task_struct *task;
	u32 node;
	spinlock_t lock;	/* of the queue */
	struct pp_request *request;
	u32 head;
	u32 tail;
	wait_queue_head_t wait;
	nodemask_t relieve;
	struct pp_item item[PP_BATCH];
};

/**
 * struct pp_wake - a move in the wake of a hint fault
 * @work: on the task
 * @handle: of the page
 */
struct pp_wake {
	struct callback_head work;
	u64 handle;
};

static struct pp_carrier **pp_carriers;		/* by node */
static struct kmem_cache *pp_wake_cache;
static atomic_t pp_queued, pp_promotions;

/* Wakes that are pending, and who waits for none to be. */
static atomic_t pp_wakes;
static DECLARE_WAIT_QUEUE_HEAD(pp_wakes_wait);

static void pp_queued_add(int n)
{
	WRITE_ONCE(pp_tiers.machine.queued, atomic_add_return(n, &pp_queued));
}

void pp_move_allow(u32 pages)
{
	atomic_set(&pp_promotions, min_t(u32, pages, INT_MAX));
}

/* Do moves wait? One that comes just now brings a wake-up. */
static bool pp_requests_wait(const struct pp_carrier *carrier)
{
	return READ_ONCE(carrier->head) != READ_ONCE(carrier->tail);
}

static bool pp_request_put(struct pp_carrier *carrier, u64 handle, u32 direction)
{
	u32 before;

	spin_lock(&carrier->lock);
	before = carrier->tail - carrier->head;
	if (before < PP_QUEUE)
		carrier->request[carrier->tail++ % PP_QUEUE] = (struct pp_request) {
			.handle = handle,
			.direction = direction,
		};
	spin_unlock(&carrier->lock);
	/* Of those before it the thread knows: it is at work, or waits for room, not for more. */
	if (!before)
		wake_up(&carrier->wait);
	return before < PP_QUEUE;
}

static bool pp_request_take(struct pp_carrier *carrier, struct pp_request *request)
{
	bool done;

	spin_lock(&carrier->lock);
	done = pp_requests_wait(carrier);
	if (done)
		*request = carrier->request[carrier->head++ % PP_QUEUE];
	spin_unlock(&carrier->lock);
	return done;
}

static struct pp_carrier *pp_carrier_of(u32 node)
{
	/* Pairs with pp_move_nodes(). */
	return smp_load_acquire(&pp_carriers[node]);
}

void pp_move_queue(const struct pp_seen *seen, u32 direction)
{
	u32 to = pp_tiers_next(seen->page.node, direction);
	struct pp_carrier *carrier;

	/* A page that can't go further in that direction stays. */
	if (to == TIFFIN_PP_NO_NODE)
		return;
	carrier = pp_carrier_of(to);
	if (!carrier) {
		pp_count(PP_N_QUEUE_FULL, 1);
		return;
	}
	if (!pp_object_queue(seen->handle))
		return;
	/* First, as who takes it takes it off. */
	pp_queued_add(1);
	if (pp_request_put(carrier, seen->handle, direction))
		return;
	pp_queued_add(-1);
	pp_object_unqueue(seen->handle);
	pp_count(PP_N_QUEUE_FULL, 1);
}

void pp_move_relieve(u32 node)
{
	u32 to = pp_tiers_next(node, TIFFIN_PP_DEMOTE);
	struct pp_carrier *carrier = pp_carrier_of(to == TIFFIN_PP_NO_NODE ? node : to);

	if (!carrier)
		return;
	node_set(node, carrier->relieve);
	wake_up(&carrier->wait);
}

/* May pages of the program lie on @node? A cpuset may say that they may not. */
static bool pp_node_allowed(struct pp_program *program, u32 node)
{
	bool allowed = true;
#ifdef CONFIG_MEMCG
	struct task_struct *owner;

	rcu_read_lock();
	owner = rcu_dereference(program->mm->owner);
	if (owner)
		allowed = node_isset(node, owner->mems_allowed);
	rcu_read_unlock();
#endif
	return allowed;
}

static void pp_item_settle(struct pp_item *item, u32 result)
{
	item->settled = true;
	item->result = result;
}

/* How does the policy want it? */
static void pp_item_plan(struct pp_item *item)
{
	struct tiffin_pp_plan_in in = {
		.size = sizeof(in),
		.direction = item->direction,
		.to = item->to,
		.page = &item->seen.page,
		.machine = &pp_tiers.machine,
	};

	item->plan = (struct tiffin_pp_plan_out) { .size = sizeof(item->plan) };
	if (pp_ask_of(PP_HOOK_PLAN, item->seen.handle, &in, &item->plan) != TIFFIN_ANSWERED)
		item->plan = (struct tiffin_pp_plan_out) { .size = sizeof(item->plan) };
	if (item->plan.flags & TIFFIN_PP_CANCEL) {
		pp_item_settle(item, TIFFIN_PP_CANCELLED);
	} else if (!pp_node_allowed(item->seen.program, item->to)) {
		pp_item_settle(item, TIFFIN_PP_REFUSED);
		pp_count(PP_N_NOT_ALLOWED, 1);
	} else if (item->direction == TIFFIN_PP_PROMOTE &&
		   atomic_dec_if_positive(&pp_promotions) < 0) {
		pp_item_settle(item, TIFFIN_PP_LIMITED);
	}
}

/* Its shadow takes the page's place: no memory is needed. */
static bool pp_item_has_shadow(const struct pp_item *item)
{
	return (item->plan.flags & TIFFIN_PP_USE_SHADOW) &&
	       (item->seen.page.flags & TIFFIN_PP_PAGE_SHADOWED);
}

/* May both go in one batch? */
static bool pp_items_alike(const struct pp_item *a, const struct pp_item *b)
{
	return a->seen.program == b->seen.program && a->direction == b->direction &&
	       a->to == b->to &&
	       a->plan.method == b->plan.method && a->plan.flags == b->plan.flags &&
	       a->plan.retries == b->plan.retries;
}

/* What became of a page. */
static void pp_item_result(struct pp_item *item, const struct pp_page *page)
{
	item->unmapped_ns = page->unmapped_ns;
	if (page->node >= 0)
		item->node = page->node;
	switch (page->result) {
	case PP_COMMITTED:
		pp_count(PP_N_TRANSACTED, 1);
		fallthrough;
	case PP_COPIED:
		pp_item_settle(item, TIFFIN_PP_MOVED);
		item->node = item->to;
		break;
	case PP_REMAPPED:
		pp_item_settle(item, TIFFIN_PP_REMAPPED);
		item->node = item->to;
		break;
	case PP_ABORTED:
		pp_item_settle(item, TIFFIN_PP_WRITTEN);
		break;
	case PP_REFUSED:
		pp_item_settle(item, page->reason == PP_NO_MEMORY ? TIFFIN_PP_NO_MEMORY :
				     TIFFIN_PP_REFUSED);
		item->gone = page->reason == PP_GONE || page->reason == PP_HOLE ||
			     page->reason == PP_SWAPPED || page->reason == PP_FOREIGN ||
			     page->reason == PP_POISONED;
		pp_count(PP_N_REFUSED + page->reason, 1);
		atomic64_inc(&item->seen.program->sums.count[PP_SUM_REFUSED + page->reason]);
		break;
	default:
		pp_item_settle(item, TIFFIN_PP_REFUSED);
		item->gone = true;
	}
	if (page->shadow_kept)
		pp_count(PP_N_SHADOWS_KEPT, 1);
}

/* Move @first and those behind it that may go with it. */
static void pp_items_move(struct pp_item *first, struct pp_item *end)
{
	u64 room = pp_tiers_room(first->to), start;
	struct pp_item *in[PP_BATCH], *item;
	struct pp_batch batch = {
		.watch = first->seen.program->watch,
		.node = first->to,
		.method = first->plan.method == TIFFIN_PP_TRANSACTIONAL ? PP_TRANSACTIONAL :
			  PP_PLAIN,
		.retries = first->plan.retries,
	};
	unsigned int i, nr = 0;

	if (first->direction == TIFFIN_PP_PROMOTE && (first->plan.flags & TIFFIN_PP_KEEP_SHADOW))
		batch.flags |= PP_KEEP_SHADOW;
	if (!(first->plan.flags & TIFFIN_PP_USE_SHADOW))
		batch.flags |= PP_NO_REMAP;
	for (item = first; item < end; item++) {
		if (item->settled || !pp_items_alike(item, first))
			continue;
		if (!pp_item_has_shadow(item) && !room) {
			pp_item_settle(item, TIFFIN_PP_NO_MEMORY);
			continue;
		}
		room -= !pp_item_has_shadow(item);
		/* Neighbours side by side: they share a window. */
		for (i = nr; i && in[i - 1]->seen.va > item->seen.va; i--)
			in[i] = in[i - 1];
		in[i] = item;
		nr++;
	}
	if (!nr)
		return;
	for (i = 0; i < nr; i++)
		batch.page[i].addr = in[i]->seen.va;
	batch.nr = nr;
	start = ktime_get_ns();
	pp_move(&batch);
	start = ktime_get_ns() - start;
	for (i = 0; i < nr; i++) {
		in[i]->ns = div_u64(start, nr);
		pp_item_result(in[i], &batch.page[i]);
	}
	pp_count(PP_N_BYTES_COPIED, batch.copied);
}

static void pp_item_count(const struct pp_item *item, bool in_wake)
{
	struct pp_sums *sums = &item->seen.program->sums;
	bool up = item->direction == TIFFIN_PP_PROMOTE;

	switch (item->result) {
	case TIFFIN_PP_REMAPPED:
		pp_count(PP_N_REMAPPED, 1);
		atomic64_inc(&sums->count[PP_SUM_REMAPPED]);
		fallthrough;
	case TIFFIN_PP_MOVED:
		pp_count(up ? PP_N_PROMOTED : PP_N_DEMOTED, 1);
		pp_count(PP_N_IN_WAKE, in_wake);
		atomic64_inc(&sums->count[up ? PP_SUM_PROMOTED : PP_SUM_DEMOTED]);
		break;
	case TIFFIN_PP_WRITTEN:
		pp_count(PP_N_WRITTEN, 1);
		atomic64_inc(&sums->count[PP_SUM_WRITTEN]);
		break;
	case TIFFIN_PP_NO_MEMORY:
		pp_count(PP_N_NO_ROOM, 1);
		break;
	case TIFFIN_PP_LIMITED:
		pp_count(PP_N_LIMITED, 1);
		break;
	case TIFFIN_PP_CANCELLED:
		pp_count(PP_N_CANCELLED, 1);
		break;
	}
	if (item->unmapped_ns) {
		atomic64_inc(&sums->unmapped[pp_time_bucket(item->unmapped_ns)]);
		atomic64_inc(&pp_unmapped[pp_time_bucket(item->unmapped_ns)]);
		if (!in_wake)
			pp_count(PP_N_UNMAPPED_NS, item->unmapped_ns);
	}
}

/* The move has ended: all hear of it. Drops the program. */
static void pp_item_done(struct pp_item *item, bool in_wake)
{
	struct tiffin_pp_done_out out = { .size = sizeof(out) };
	struct tiffin_pp_done_in in = {
		.size = sizeof(in),
		.direction = item->direction,
		.result = item->result,
		.flags = in_wake ? TIFFIN_PP_IN_WAKE : 0,
		.ns = item->ns,
		.unmapped_ns = item->unmapped_ns,
		.page = &item->seen.page,
		.machine = &pp_tiers.machine,
	};

	pp_item_count(item, in_wake);
	trace_tiffin_pp_moved(item->seen.program->pid, item->seen.va, item->direction, item->result,
			      item->seen.page.node, item->node, in_wake, item->ns);
	pp_object_moved(&item->seen, item->direction, item->result, item->node);
	pp_ask_of(PP_HOOK_DONE, item->seen.handle, &in, &out);
	if (item->gone)
		pp_object_drop(item->seen.handle);
	if (item->result == TIFFIN_PP_NO_MEMORY)
		pp_move_relieve(item->to);
	pp_program_put(item->seen.program);
}

/* Carry out @nr moves, claimed. Returns how many pages are somewhere else now. */
static unsigned int pp_items_carry_out(struct pp_item *items, unsigned int nr, bool in_wake)
{
	struct pp_item *item, *end = items + nr;
	unsigned int moved = 0;

	for (item = items; item < end; item++)
		if (!item->settled)
			pp_item_plan(item);
	for (item = items; item < end; item++)
		if (!item->settled)
			pp_items_move(item, end);
	for (item = items; item < end; item++) {
		moved += item->result == TIFFIN_PP_MOVED || item->result == TIFFIN_PP_REMAPPED;
		pp_item_done(item, in_wake);
	}
	return moved;
}

/*
 * What is to be moved, now that it is to be, and to @to, or TIFFIN_PP_NO_NODE for wherever its way
 * goes? False where there is nothing to move: the page is gone, or its way goes elsewhere by now.
 */
static bool pp_item_claim(struct pp_item *item, u64 handle, u32 direction, u32 to)
{
	*item = (struct pp_item) { .direction = direction };
	if (!pp_object_claim(handle, &item->seen)) {
		pp_count(PP_N_STALE, 1);
		return false;
	}
	item->node = item->seen.page.node;
	item->to = pp_tiers_next(item->node, direction);
	if (item->to != TIFFIN_PP_NO_NODE && (item->to == to || to == TIFFIN_PP_NO_NODE) &&
	    READ_ONCE(pp_asking))
		return true;
	pp_object_unqueue(handle);
	pp_program_put(item->seen.program);
	pp_count(PP_N_STALE, 1);
	return false;
}

/* Requests that wait, a batch of them. */
static void pp_carry_queue(struct pp_carrier *carrier)
{
	struct pp_request request;
	unsigned int nr = 0;

	while (nr < PP_BATCH && pp_request_take(carrier, &request)) {
		pp_queued_add(-1);
		nr += pp_item_claim(&carrier->item[nr], request.handle, request.direction,
				    carrier->node);
	}
	if (nr)
		pp_items_carry_out(carrier->item, nr, false);
}

/* Shadows on a node that is short of memory are the first to go. */
static void pp_relieve_shadows(u32 node, u32 wanted)
{
	u32 kept = min_t(u64, READ_ONCE(pp_tiers.node[node].shadows), U32_MAX);
	struct tiffin_pp_reclaim_in in = {
		.size = sizeof(in),
		.node = node,
		.kept = kept,
		.wanted = min(wanted, kept),
		.machine = &pp_tiers.machine,
	};
	struct tiffin_pp_reclaim_out out = { .size = sizeof(out), .count = in.wanted };

	if (!kept)
		return;
	if (pp_ask(PP_HOOK_RECLAIM, &in, &out) != TIFFIN_ANSWERED)
		out.count = in.wanted;
	pp_shadow_reclaim(node, clamp(out.count, DIV_ROUND_UP(in.wanted, 2), kept));
}

/*
 * One question for pages that are to leave @node. False: that is it for now, as the high watermark
 * is reached, or none has left it. From the slowest node only shadows can go.
 */
static bool pp_relieve_round(struct pp_carrier *carrier, u32 node, u32 round)
{
	struct tiffin_pp_pressure_out out = { .size = sizeof(out) };
	const struct tiffin_pp_node *n = &pp_tiers.node[node];
	struct tiffin_pp_pressure_in in = {
		.size = sizeof(in),
		.node = node,
		.round = round,
		.machine = &pp_tiers.machine,
	};
	unsigned int i, nr = 0;
	u64 free;

	pp_tiers_look(node);
	free = READ_ONCE(n->free);
	if (free >= READ_ONCE(n->wm_high))
		return false;
	in.wanted = min_t(u64, READ_ONCE(n->wm_high) - free, U32_MAX);
	if (!round)
		pp_relieve_shadows(node, in.wanted);
	if (pp_tiers_next(node, TIFFIN_PP_DEMOTE) == TIFFIN_PP_NO_NODE ||
	    pp_ask(PP_HOOK_PRESSURE, &in, &out) != TIFFIN_ANSWERED || !out.nr)
		return false;
	for (i = 0; i < out.nr; i++) {
		struct pp_item *item = &carrier->item[nr];

		/* One that waits for a move already is passed over, too. */
		if (!pp_object_queue(out.pages[i])) {
			pp_count(PP_N_STALE, 1);
			continue;
		}
		if (!pp_item_claim(item, out.pages[i], TIFFIN_PP_DEMOTE, carrier->node))
			continue;
		if (item->node == node) {
			nr++;
			continue;
		}
		pp_object_unqueue(out.pages[i]);
		pp_program_put(item->seen.program);
		pp_count(PP_N_STALE, 1);
	}
	/* Where all were passed over, others may be named next; the policy ends that with none. */
	return nr ? pp_items_carry_out(carrier->item, nr, false) : round < PP_ROUNDS_EMPTY;
}

/* Is there room for some pages more? */
static bool pp_node_has_room(u32 node)
{
	const struct tiffin_pp_node *n = &pp_tiers.node[node];
	u64 step = READ_ONCE(n->wm_high) - READ_ONCE(n->wm_low);

	return pp_tiers_room(node) >= min_t(u64, step, PP_BATCH);
}

/*
 * Moves that wait to come to a node without room stay in the queue while others leave it: what they
 * would be refused for is about to change. Where that does not help, they are refused. From the
 * slowest node all leave at once that can.
 */
static void pp_carry_wait_for_room(struct pp_carrier *carrier)
{
	const u32 node = carrier->node;

	if (!pp_requests_wait(carrier) || pp_node_has_room(node))
		return;
	if (pp_tiers_next(node, TIFFIN_PP_DEMOTE) == TIFFIN_PP_NO_NODE) {
		pp_relieve_round(carrier, node, 0);
		return;
	}
	pp_move_relieve(node);
	if (wait_event_interruptible_timeout(carrier->wait, pp_node_has_room(node) ||
					     !nodes_empty(carrier->relieve) ||
					     kthread_should_stop(),
					     msecs_to_jiffies(PP_ROOM_WAIT_MS)))
		return;
	while (pp_requests_wait(carrier) && !pp_node_has_room(node) && !kthread_should_stop()) {
		pp_carry_queue(carrier);
		cond_resched();
	}
}

static void pp_carry_pressure(struct pp_carrier *carrier)
{
	struct pp_carrier *waiting;
	u32 node, round;

	for_each_node_mask(node, carrier->relieve) {
		node_clear(node, carrier->relieve);
		for (round = 0; pp_relieve_round(carrier, node, round) && !kthread_should_stop();
		     round++) {
			/* Who waits for room there. */
			waiting = pp_carrier_of(node);
			if (waiting)
				wake_up(&waiting->wait);
			/* Promotions to and demotions from elsewhere go on meanwhile. */
			pp_carry_queue(carrier);
			cond_resched();
		}
	}
}

static bool pp_carrier_wanted(struct pp_carrier *carrier)
{
	return pp_requests_wait(carrier) || !nodes_empty(carrier->relieve) ||
	       kthread_should_stop();
}

static int pp_carrier_run(void *data)
{
	struct pp_carrier *carrier = data;

	while (!kthread_should_stop()) {
		u64 start;

		wait_event_interruptible(carrier->wait, pp_carrier_wanted(carrier));
		pp_carry_wait_for_room(carrier);
		start = ktime_get_ns();
		pp_carry_queue(carrier);
		pp_carry_pressure(carrier);
		pp_count(PP_N_BACKGROUND_NS, ktime_get_ns() - start);
		cond_resched();
	}
	return 0;
}

static void pp_wake_end(struct pp_wake *wake)
{
	kmem_cache_free(pp_wake_cache, wake);
	if (atomic_dec_and_test(&pp_wakes))
		wake_up(&pp_wakes_wait);
}

/* The program is on its way back to user mode, after the fault. */
static void pp_wake_run(struct callback_head *work)
{
	struct pp_wake *wake = container_of(work, struct pp_wake, work);
	u64 start = ktime_get_ns();
	struct pp_item item;

	/* The mover wants to find in the CPU's batches what it put there. */
	migrate_disable();
	if (pp_item_claim(&item, wake->handle, TIFFIN_PP_PROMOTE, TIFFIN_PP_NO_NODE))
		pp_items_carry_out(&item, 1, true);
	migrate_enable();
	pp_count(PP_N_WAKE_NS, ktime_get_ns() - start);
	pp_wake_end(wake);
}

/*
 * Is the fault one of user mode? One of a system call's may be long before its way back: what it
 * waits for meanwhile nobody knows.
 */
static bool pp_fault_from_user(const struct pp_seen *seen)
{
	return !(current->flags & (PF_KTHREAD | PF_EXITING)) &&
	       current->mm == seen->program->mm &&
	       syscall_get_nr(current, task_pt_regs(current)) == -1;
}

void pp_move_in_wake(const struct pp_seen *seen)
{
	struct pp_wake *wake = NULL;

	if (pp_tiers_next(seen->page.node, TIFFIN_PP_PROMOTE) == TIFFIN_PP_NO_NODE)
		return;
	if (pp_fault_from_user(seen))
		wake = kmem_cache_alloc(pp_wake_cache, GFP_NOWAIT | __GFP_NOWARN);
	if (!wake) {
		pp_move_queue(seen, TIFFIN_PP_PROMOTE);
		return;
	}
	if (!pp_object_queue(seen->handle)) {
		kmem_cache_free(pp_wake_cache, wake);
		return;
	}
	atomic_inc(&pp_wakes);
	wake->handle = seen->handle;
	init_task_work(&wake->work, pp_wake_run);
	if (task_work_add(current, &wake->work, TWA_RESUME)) {
		pp_object_unqueue(seen->handle);
		pp_wake_end(wake);
	}
}

static struct pp_carrier *pp_carrier_new(u32 node)
{
	struct pp_carrier *carrier = kvzalloc(sizeof(*carrier), GFP_KERNEL);
	unsigned int cpu = cpumask_any(cpu_online_mask), other, left = 0;
	int near = INT_MAX;

	if (!carrier)
		return NULL;
	carrier->node = node;
	spin_lock_init(&carrier->lock);
	init_waitqueue_head(&carrier->wait);
	carrier->request = kvcalloc(PP_QUEUE, sizeof(*carrier->request), GFP_KERNEL);
	if (!carrier->request)
		goto free;
	/*
	 * Of the nearest ones not the same for each node: those without CPUs may all be as near to
	 * all of them.
	 */
	for_each_online_cpu(other) {
		int distance = node_distance(cpu_to_node(other), node);

		if (distance > near || (distance == near && !left))
			continue;
		left = distance < near ? node : left - 1;
		near = distance;
		cpu = other;
	}
	carrier->task = kthread_create_on_node(pp_carrier_run, carrier, cpu_to_node(cpu),
					       "tiffin_pp/%u", node);
	if (IS_ERR(carrier->task))
		goto free_request;
	kthread_bind(carrier->task, cpu);
	wake_up_process(carrier->task);
	return carrier;

free_request:
	kvfree(carrier->request);
free:
	kvfree(carrier);
	return NULL;
}

/* No carrier runs any more. */
static void pp_carrier_end(struct pp_carrier *carrier)
{
	struct pp_request request;

	while (pp_request_take(carrier, &request)) {
		pp_queued_add(-1);
		pp_object_unqueue(request.handle);
		pp_count(PP_N_STALE, 1);
	}
	kvfree(carrier->request);
	kvfree(carrier);
}

static void pp_carriers_end(void)
{
	int node;

	/* They wake each other: none goes before all have ended. */
	for (node = 0; node < nr_node_ids; node++)
		if (pp_carriers[node])
			kthread_stop(pp_carriers[node]->task);
	for (node = 0; node < nr_node_ids; node++)
		if (pp_carriers[node])
			pp_carrier_end(pp_carriers[node]);
	kfree(pp_carriers);
}

void pp_move_nodes(void)
{
	struct pp_carrier *carrier;
	int node;

	for_each_node_state(node, N_MEMORY) {
		if (pp_carriers[node])
			continue;
		/* Where there is no memory for it, with the next tick. */
		carrier = pp_carrier_new(node);
		if (!carrier)
			break;
		/* Who finds it finds all of it. */
		smp_store_release(&pp_carriers[node], carrier);
	}
}

int pp_move_init(void)
{
	int node;

	pp_wake_cache = KMEM_CACHE(pp_wake, 0);
	if (!pp_wake_cache)
		return -ENOMEM;
	pp_carriers = kcalloc(nr_node_ids, sizeof(*pp_carriers), GFP_KERNEL);
	if (!pp_carriers)
		goto free_cache;
	pp_tiers.machine.queue_max = PP_QUEUE;
	for_each_node_state(node, N_MEMORY) {
		pp_carriers[node] = pp_carrier_new(node);
		if (!pp_carriers[node])
			goto end;
	}
	return 0;

end:
	pp_carriers_end();
free_cache:
	kmem_cache_destroy(pp_wake_cache);
	return -ENOMEM;
}

void pp_move_exit(void)
{
	wait_event(pp_wakes_wait, !atomic_read(&pp_wakes));
	/* The last one may not have left our text yet. */
	synchronize_rcu_tasks();
	pp_carriers_end();
	kmem_cache_destroy(pp_wake_cache);
}
