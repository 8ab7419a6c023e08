/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The page_placement host, file by file:
 *
 *	main.c		start-up and its exact reverse; the family, its hooks, the checks of answers
 *	tiers.c		memory nodes, their tiers and watermarks
 *	target.c	what the operator attached, and the processes that belong to it
 *	program.c	the address spaces that are followed
 *	object.c	the table of followed pages
 *	walk.c		the page tables of a program, piece by piece
 *	hint.c		hint faults: pages are marked, and their faults taken over
 *	scan.c		age scans
 *	migrate.c	queues of moves, the threads that carry them out, moves in a fault's wake
 *	tick.c		the thread that looks: at the machine, the targets, the pages
 *	figures.c	what the family counts
 *	attrs.c		the family's own files in sysfs
 *
 * move.h says how a page is moved; that and what belongs to it stands apart.
 *
 *	access -> hint fault ----+                      +-> node's queue, thread -+
 *	accessed bit -> age scan +-> object -> policy --+                         +-> pp_move()
 *	node short of memory ----+                      +-> wake of the fault ----+
 *
 * Invariants:
 *  P1. Pages of programs that are not attached are not marked, not asked about and not moved. A
 *	hint fault of another program's goes the kernel's own way: what the host does with it is to
 *	look for the program in a hash table. Of programs that are attached the same holds for what
 *	is not followed: pp_vma_followed(), pp_page_followed().
 *  P2. A handle, from a policy or a queue, counts only while its object has that generation. That
 *	is looked at under the object's lock, which who gives the object's number to another page
 *	has, too.
 *  P3. No page is copied to a node that would have fewer than its wm_low pages free then, but for
 *	batches under way at the same moment. Free pages on lists of the CPUs count, as demotion
 *	fills them; but without them no fewer are left than the watermark at which the kernel's
 *	own reclaim ends.
 *  P4. A move that was asked for ends once: in a done(), or uncounted by the policy in one of the
 *	figures "queue_full" and "stale". An object waits for one move at a time.
 *  P5. When a program is gone, none of its pages is marked, no object and no shadow of it is left,
 *	and no thread of the host touches it. While it is being let go nothing is marked. One whose
 *	mmap_lock is not to be had is let go later; the end of the host alone doesn't wait for that,
 *	and leaves its marks to the kernel, whose hint faults they are then.
 *  P6. Locks, from the outside in: program's @walk, mmap_lock, page-table lock, object, program's
 *	index, list of free objects. Queues' locks are taken with none of the last three held, and
 *	nothing is taken inside them. The target list is locked outside all these, and with it
 *	nothing is waited for that a program may hold; inside it the list of programs.
 *  P7. Nothing is marked where others than the CPUs have the page tables: who makes an inaccessible
 *	entry another one flushes no TLB for it, theirs neither. See tiffin_mm_only_notifier().
 *  P8. No thread that works for all programs waits for one's mmap_lock: see pp_mmap_lock().
 */
#ifndef TIFFIN_PP_HOST_H
#define TIFFIN_PP_HOST_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>

#include <tiffin/page_placement.h>

#include "core/dispatch.h"
#include "core/family.h"
#include "page_placement/move.h"

struct cgroup;
struct pp_target;
struct pp_watch;
struct tiffin_text;

/* main.c */
extern struct tiffin_family pp_family;

/* The hooks, in the order of their numbers. */
enum pp_hook {
	PP_HOOK_ACCESS,
	PP_HOOK_AGE,
	PP_HOOK_PRESSURE,
	PP_HOOK_PLAN,
	PP_HOOK_DONE,
	PP_HOOK_RECLAIM,
	PP_HOOK_TICK,
	PP_HOOKS,
};

/**
 * pp_ask - put a question that is about no page
 * @hook: which
 * @in: its argument
 * @out: its answer
 */
enum tiffin_verdict pp_ask(enum pp_hook hook, const void *in, void *out);

/* The same about the page of @handle. */
enum tiffin_verdict pp_ask_of(enum pp_hook hook, u64 handle, const void *in, void *out);

/* Is each field of the answer in range? See struct tiffin_hook. */
bool pp_access_ok(const void *in, const void *out);
bool pp_age_ok(const void *in, const void *out);
bool pp_pressure_ok(const void *in, const void *out);
bool pp_plan_ok(const void *in, const void *out);

/* A policy is active, so questions are put; false while the default is. */
extern bool pp_asking;

/* figures.c */

/* What is counted, in the order of the family's figures. */
enum pp_count {
	PP_N_HINTS,
	PP_N_FORKS_MISSED,
	PP_N_SLOW_HINTS,
	PP_N_MARKED,
	PP_N_OTHER_MMU,
	PP_N_YOUNG,
	PP_N_OLD,
	PP_N_PROMOTED,
	PP_N_DEMOTED,
	PP_N_REMAPPED,
	PP_N_TRANSACTED,
	PP_N_IN_WAKE,
	PP_N_WRITTEN,
	PP_N_NO_ROOM,
	PP_N_LIMITED,
	PP_N_CANCELLED,
	PP_N_NOT_ALLOWED,
	PP_N_STALE,
	PP_N_QUEUE_FULL,
	PP_N_SHADOWS_KEPT,
	PP_N_BYTES_COPIED,
	PP_N_REPLACED,
	PP_N_UNFOLLOWED,
	PP_N_HINT_NS,
	PP_N_WAKE_NS,
	PP_N_UNMAPPED_NS,
	PP_N_BACKGROUND_NS,
	PP_N_REFUSED,			/* and one for each enum pp_reason */
	PP_N_COUNTS = PP_N_REFUSED + PP_REASONS,
};

/* One CPU's counts. */
struct pp_counts {
	u64 count[PP_N_COUNTS];
};

DECLARE_PER_CPU(struct pp_counts, pp_counts);

static __always_inline void pp_count(enum pp_count what, u64 n)
{
	this_cpu_add(pp_counts.count[what], n);
}

/* All CPUs' counts of @what. */
u64 pp_counted(enum pp_count what);

/* Pages that came back from swap since boot: what programs wait for that no tier holds. */
u64 pp_swap_ins(void);

extern const struct tiffin_figure pp_figures[];
extern const unsigned int pp_nr_figures;

/* Of struct tiffin_family_ops. */
u64 pp_figure(struct tiffin_family *family, unsigned int index);

/* Times, by powers of two: bucket N has those below 2^N us; the last one all others. */
#define PP_TIME_BUCKETS	20

/* What is counted of a program, and in sums of a target. */
enum pp_sum {
	PP_SUM_HINTS,
	PP_SUM_PROMOTED,
	PP_SUM_DEMOTED,
	PP_SUM_REMAPPED,
	PP_SUM_WRITTEN,
	PP_SUM_REFUSED,			/* and one for each enum pp_reason */
	PP_SUMS = PP_SUM_REFUSED + PP_REASONS,
};

/**
 * struct pp_sums - what is counted of a program
 * @count: by enum pp_sum
 * @unmapped: how long its pages were unmapped
 */
struct pp_sums {
	atomic64_t count[PP_SUMS];
	atomic64_t unmapped[PP_TIME_BUCKETS];
};

/* The bucket that @ns falls into. */
static inline unsigned int pp_time_bucket(u64 ns)
{
	return min_t(unsigned int, fls64(ns / 1000), PP_TIME_BUCKETS - 1);
}

/* How long pages were unmapped, of all programs since the host was loaded. */
extern atomic64_t pp_unmapped[PP_TIME_BUCKETS];

/* tiers.c */

/**
 * struct pp_tiers - the machine as policies see it
 * @machine: what they are given; its fields change one at a time
 * @node: of each node number below @machine.nr_nodes; the same memory as @machine.nodes
 */
struct pp_tiers {
	struct tiffin_pp_machine machine;
	struct tiffin_pp_node *node;
};

extern struct pp_tiers pp_tiers;

/**
 * pp_tiers_init - look at the machine
 *
 * Context: process, may sleep.
 * Return: 0; -ENODEV where it has one memory node only, -ENOMEM. The kernel log says what to do.
 */
int pp_tiers_init(void);
void pp_tiers_exit(void);

/* Look again: nodes may have come or gone, and free memory changes. Context: the tick's thread. */
void pp_tiers_sample(void);

/* Look again at the free memory of a node below machine.nr_nodes. */
void pp_tiers_look(u32 node);

/**
 * pp_tiers_room - how many pages may be copied to a node
 * @node: below machine.nr_nodes
 *
 * Return: pages until wm_low, or until the kernel's own reclaim has to go on, where that is nearer;
 * perhaps too few, but not where that would be fewer than PP_BATCH. 0 where it is reached, or the
 * node is not usable.
 */
u64 pp_tiers_room(u32 node);

/* Where a page of @node goes to in @direction; TIFFIN_PP_NO_NODE: nowhere. */
u32 pp_tiers_next(u32 node, u32 direction);

/* The operator's word: "NODE:TIER ...", or "auto". Context: process, may sleep. */
int pp_tiers_set(const char *text);
ssize_t pp_tiers_show(char *buf);
int pp_tiers_set_headroom(u32 permille);
u32 pp_tiers_headroom(void);

/* program.c */

/**
 * struct pp_program - an address space that is followed
 * @hash: by its mm; readers are RCU
 * @list: of all programs that are watched
 * @unsettled: of those that are to be watched, or to be let go
 * @rcu: frees it
 * @ref: one until it is let go, and one of each who works on it
 * @users: processes that have it; under the target list's lock and that of the list of programs
 * @mm: holds good as long as the program; its memory only under pp_mmap_lock()
 * @watch: tells what becomes of the memory; NULL: not yet
 * @walk: held by who walks the page tables; protects @ending, @hint_at, @hint_marked, @restore_at,
 *	@scan_at and @sweep_at
 * @ending: it is being let go, for good: nothing is marked any more; under the lock of the list of
 *	programs, too
 * @missed: of pp_mmap_lock()
 * @hint_marked: pages of it may be marked
 * @hint_at: address at which marking goes on
 * @restore_at: address up to which marks have been undone since the last was made
 * @scan_at: address at which the age scan goes on
 * @sweep_at: address at which the sweep of shadows goes on
 * @objects: numbers of its objects, by page number
 * @closed: no object is added any more; under the index's lock
 * @resident: its objects, by the node they lie on
 * @pid: of its first process, for people
 * @comm: likewise
 * @sums: what is counted
 * @processes: that have it. This and the next three are of target.c, under the target list's lock
 * @target: that it counts for; NULL while no process has it
 * @of_target: of those that count for @target
 * @told: of @sums, what has counted for targets before @target
 */
struct pp_program {
	struct hlist_node hash;
	struct list_head list;
	struct list_head unsettled;
	struct rcu_head rcu;
	struct kref ref;
	unsigned int users;
	struct mm_struct *mm;
	struct pp_watch *watch;
	struct mutex walk;	/* of the page tables */
	bool ending;
	bool hint_marked;
	unsigned long missed;
	unsigned long hint_at;
	unsigned long restore_at;
	unsigned long scan_at;
	unsigned long sweep_at;
	struct xarray objects;
	bool closed;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	struct pp_sums sums;
	struct list_head processes;
	struct pp_target *target;
	struct list_head of_target;
	u64 told[PP_SUMS];
	atomic_t resident[];
};

/**
 * pp_program_of - the program that has this memory
 * @mm: of whom
 *
 * Context: any; RCU read side.
 * Return: the program, watched, valid in the read side, or NULL.
 */
struct pp_program *pp_program_of(const struct mm_struct *mm);

/**
 * pp_program_get - an address space is to be followed
 * @mm: the caller has a reference to its users
 * @pid: of the process, for people
 * @comm: likewise
 *
 * pp_programs_settle() sees to it.
 *
 * Context: process, may sleep; the target list's lock held.
 * Return: the program, for which the process counts as a user, or an ERR_PTR: -ENOMEM; -EBUSY while
 * it is still being let go.
 */
struct pp_program *pp_program_get(struct mm_struct *mm, pid_t pid, const char *comm);

/**
 * pp_program_leave - a process does not have that memory any more
 * @program: with its last user it is to be let go; pp_programs_settle() sees to it
 *
 * Context: the target list's lock held.
 */
void pp_program_leave(struct pp_program *program);

/**
 * pp_programs_settle - watch programs that are to be, let go those that are to be
 *
 * What can't be done now, as a program has its mmap_lock, is left for the next time.
 *
 * Context: process, may sleep; no lock held.
 * Return: how many are left.
 */
unsigned int pp_programs_settle(void);

/* The same, until those that are to be let go are gone; but for a second only. */
void pp_programs_let_go(void);

/* All have been left: the same, until they are gone, whatever they do. */
void pp_programs_end(void);

/* Keep the structure. Taking a reference may fail, dropping one may sleep. */
bool pp_program_hold(struct pp_program *program);
void pp_program_put(struct pp_program *program);

/**
 * pp_program_next - go round all programs
 * @program: the last one, with its reference, which is dropped; NULL: the first
 *
 * Context: process, may sleep.
 * Return: the next one, with a reference; NULL after the last.
 */
struct pp_program *pp_program_next(struct pp_program *program);

void pp_programs_init(void);

/* How many are watched. */
unsigned int pp_programs(void);

/* How many are to be watched, or to be let go. */
unsigned int pp_programs_unsettled(void);

/* Has a shadow of the page at @va been kept? It may have been written to since. */
bool pp_program_shadowed(struct pp_program *program, unsigned long va);

/* target.c */

/**
 * pp_attach - follow what @text says, and the children of it
 * @text: "pid N", "cgroup PATH" or "all"
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL for another text, -ESRCH, -ENOENT, -EEXIST where it is attached, -ENODEV after
 * pp_targets_end(), -ENOMEM.
 */
int pp_attach(const char *text);

/* Its reverse; "everything" detaches all that is attached. -ENOENT where it is not attached. */
int pp_detach(const char *text);

/* Processes come and go: see to it that those are followed that should be. */
void pp_targets_walk(void);

/* The targets with their sums, one a line; and the processes. Context: process, may sleep. */
void pp_targets_show(struct tiffin_text *text);
void pp_programs_show(struct tiffin_text *text);

int pp_targets_init(void);

/* Nothing can be attached any more, nothing is. Context: process, may sleep. */
void pp_targets_end(void);

void pp_targets_exit(void);

/* object.c */

/**
 * struct pp_seen - an object as it was when it was looked at
 * @handle: names it
 * @program: of it; a reference only where the function says so
 * @va: where the program has the page
 * @latency_us: of a hint: since it was marked; 0: not known
 * @page: what policies are told
 */
struct pp_seen {
	u64 handle;
	struct pp_program *program;
	unsigned long va;
	u32 latency_us;
	struct tiffin_pp_page page;
};

int pp_objects_init(u32 nr);
void pp_objects_exit(void);

/* What struct tiffin_family is told. */
u32 pp_objects_max(void);
const u32 *pp_objects_generation(void);

/* Objects that live. */
u32 pp_objects_followed(void);

/**
 * pp_object_access - an access to a page was seen
 * @program: whose
 * @va: where
 * @node: where the page lies
 * @seen: receives the object, but for the access itself, as it was before
 *
 * A page that is not known becomes so; where the table is full, in place of a cold one.
 *
 * Context: a page-table lock may be held; RCU read side or a reference to the program.
 * Return: false where there is no object to be had.
 */
bool pp_object_access(struct pp_program *program, unsigned long va, u32 node, struct pp_seen *seen);

/* The same of a page that was looked at and not accessed since the last time. */
bool pp_object_idle(struct pp_program *program, unsigned long va, u32 node, struct pp_seen *seen);

/* A page is marked: remember when. Known pages only, or where the table has room. */
void pp_object_marked(struct pp_program *program, unsigned long va, u32 node);

/**
 * pp_object_queue - the object waits for a move
 * @handle: names it
 *
 * Return: false where it waits already, or is gone.
 */
bool pp_object_queue(u64 handle);

/**
 * pp_object_claim - what is to be moved, now that it is to be?
 * @handle: names it
 * @seen: receives it, with a reference to the program
 *
 * Return: false where it is gone.
 */
bool pp_object_claim(u64 handle, struct pp_seen *seen);

/**
 * pp_object_moved - a move has ended
 * @seen: as claimed; receives what the page is now
 * @direction: enum tiffin_pp_direction
 * @result: enum tiffin_pp_result
 * @node: where it lies now
 *
 * It waits for no move any more.
 */
void pp_object_moved(struct pp_seen *seen, u32 direction, u32 result, u32 node);

/* The object waits for no move any more, as none is made. */
void pp_object_unqueue(u64 handle);

/* The page of an object is not there any more. */
void pp_object_drop(u64 handle);

/* Nor are any from @start up to @end. @may_sleep: where there are many, others run in between. */
void pp_objects_drop(struct pp_program *program, unsigned long start, unsigned long end,
		     bool may_sleep);

/* Nor any at all, and none is added from now on. May sleep. */
void pp_objects_close(struct pp_program *program);

/* walk.c */

/**
 * struct pp_piece - some page-table entries in a row
 * @mm: whose
 * @vma: of them
 * @start: address of the first one
 * @end: address after the last one
 */
struct pp_piece {
	struct mm_struct *mm;
	struct vm_area_struct *vma;
	unsigned long start;
	unsigned long end;
};

/**
 * struct pp_walker - what is done on a walk
 * @pages: entries in a piece, at most; up to 512
 * @undo: marks are undone: also where userfaultfd has come to watch faults since they were made
 * @piece: called for each piece with a page table, mmap_lock held for reading; false ends the walk
 *	after it
 */
struct pp_walker {
	unsigned int pages;
	bool undo;
	bool (*piece)(struct pp_walker *walker, const struct pp_piece *piece);
};

/**
 * pp_walk - go through the ordinary anonymous memory of a program
 * @program: its @walk is held
 * @at: address to begin at; receives where to go on, 0 after the end
 * @left: entries to look at, at most; receives what is left
 * @walker: what is done
 *
 * Context: process, may sleep.
 * Return: false where mmap_lock was not to be had, at first or on the way; or the memory has no
 * users any more.
 */
bool pp_walk(struct pp_program *program, unsigned long *at, u64 *left, struct pp_walker *walker);

/* Do something with each entry of a piece, under the page table's lock; not 0 from @fn ends it. */
void pp_piece_apply(const struct pp_piece *piece, pte_fn_t fn, void *data);

/* Is memory of this kind followed? mmap_lock is held for reading, or a lock of its page tables. */
bool pp_vma_followed(struct vm_area_struct *vma);

/**
 * pp_page_followed - are pages of its kind followed?
 * @page: mapped; not the zero page
 *
 * Small anonymous pages that one mapping has. Huge pages, pages shared after a fork, and merged
 * ones are left to the kernel.
 *
 * Context: page-table lock held.
 */
bool pp_page_followed(struct page *page);

/* The page of an entry, if it is followed; not the zero page. Page-table lock held. */
struct page *pp_pte_page(pte_t pte);

/* hint.c */

/**
 * pp_hint_init - find the function that is to be replaced
 *
 * Return: 0; -EOPNOTSUPP where this kernel has none that ftrace can reach. The log says what to do.
 */
int pp_hint_init(void);

/**
 * pp_hint_attach - take over the hint faults of followed programs
 *
 * Return: 0; -EBUSY where another tool has hooked the function, or what ftrace says. The log says
 * what to do.
 */
int pp_hint_attach(void);

/* The reverse. At return no CPU is in the host for a hint fault. */
void pp_hint_detach(void);

/* Mark up to @pages pages on slow nodes, of all programs in turn. Context: the tick's thread. */
void pp_hint_mark(u32 pages);

/*
 * Undo all marks of a program. Its @walk is held. Context: process, may sleep. False: mmap_lock was
 * not to be had; it goes on from there another time.
 */
bool pp_hint_restore(struct pp_program *program);

/* scan.c */

/* Look at the accessed bits of up to @pages pages. Context: the tick's thread. */
void pp_scan(u32 pages);

/* migrate.c */

/**
 * pp_move_queue - have a page moved in the background
 * @seen: the page
 * @direction: enum tiffin_pp_direction
 *
 * Context: any but interrupts; a page-table lock may be held.
 */
void pp_move_queue(const struct pp_seen *seen, u32 direction);

/**
 * pp_move_in_wake - have a page promoted by the program itself before it goes on
 * @seen: the page, of which a hint fault is being handled on this CPU
 *
 * Where that can't be, it is queued.
 *
 * Context: process, page-table lock held.
 */
void pp_move_in_wake(const struct pp_seen *seen);

/*
 * A node is short of memory: have the thread that demotes from it see to it; on the slowest one its
 * own, which gives up shadows there.
 */
void pp_move_relieve(u32 node);

/* Until the next tick so many pages may be promoted. */
void pp_move_allow(u32 pages);

/* Nodes may have come: each with memory gets its thread. Context: the tick's thread. */
void pp_move_nodes(void);

int pp_move_init(void);

/* No thread moves any more, and no move in a wake is under way or will come. */
void pp_move_exit(void);

/* tick.c */

/**
 * struct pp_bounds - what the operator allows
 * @hint_pages: most pages to mark in a tick
 * @scan_pages: most pages to look at in a tick
 * @promote_mib: most MiB to promote in a second
 */
struct pp_bounds {
	u32 hint_pages;
	u32 scan_pages;
	u32 promote_mib;
};

extern struct pp_bounds pp_bounds;

int pp_tick_start(void);
void pp_tick_stop(void);

/* Another policy is active; @stock: it is the default. */
void pp_tick_flipped(bool stock);

/* attrs.c */
extern const struct attribute_group pp_attrs;

#endif /* TIFFIN_PP_HOST_H */
