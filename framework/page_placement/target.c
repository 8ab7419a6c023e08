// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the operator attached, and the processes that belong to it.
 *
 * A process belongs to a target if it is the one named, or was forked by one that belongs to it; if
 * it is in the cgroup, or below it; or always. Forks are told by a tracepoint, as nothing shows
 * later who forked whom; all else is found out by looking, with each tick: that a process has
 * other memory now (exec), that it has left the cgroup, or ended; and twice a second who is new.
 *
 * Invariant: who is followed, or waits to be, is in the table of processes or in that of children
 * at each moment, by its pid, whatever memory it has: so a fork by it is known for what it is, also
 * right after an exec, and while children are taken up.
 *
 * One that several targets name belongs to the first of them that got it. Where that lets it go,
 * another one has it with the next tick or look: the others stay in the list meanwhile.
 *
 * What is counted of a program counts for one target at a time, also where processes of several
 * have that memory: so nothing counts twice, and each sum only grows.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cgroup.h>
#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "core/text.h"
#include "page_placement/host.h"

/* Ticks between two looks at all processes. */
#define PP_LOOK_TICKS	5

/* New processes that one look takes up, and processes that it looks at in one RCU read side. */
#define PP_LOOK_MAX	256
#define PP_LOOK_ONCE	256

#define PP_PROCESS_BITS	12

/* Children that wait to be taken up, and the table of them. */
#define PP_FORKED_MAX	4096
#define PP_FORKED_BITS	8

enum pp_target_kind {
	PP_TARGET_PID,
	PP_TARGET_CGROUP,
	PP_TARGET_ALL,
};

/**
 * struct pp_target - what the operator attached
 * @list: of all targets
 * @serial: no other target has or had this number
 * @kind: enum pp_target_kind
 * @nr: number of the process, as the operator wrote it
 * @pid: the process, also when it has ended; NULL in what was parsed: there is none now
 * @cgroup: the cgroup
 * @name: as the operator wrote it
 * @programs: those that count for it; it has a process with each
 * @past: what programs counted for it that don't count for it any more
 */
struct pp_target {
	struct list_head list;
	u32 serial;
	u32 kind;
	pid_t nr;
	struct pid *pid;
	struct cgroup *cgroup;
	char *name;
	struct list_head programs;
	u64 past[PP_SUMS];
};

/**
 * struct pp_process - a process that belongs to a target
 * @list: of all processes
 * @hash: by @pid; readers are RCU
 * @rcu: frees it
 * @target: it belongs to
 * @serial: of @target, for readers that don't keep that
 * @pid: of it; readers compare it only
 * @program: its memory
 * @of_program: of the processes that have @program
 */
struct pp_process {
	struct list_head list;
	struct hlist_node hash;
	struct rcu_head rcu;
	struct pp_target *target;
	u32 serial;
	struct pid *pid;
	struct pp_program *program;
	struct list_head of_program;
};

/**
 * struct pp_forked - a child that waits to be taken up
 * @list: of all such
 * @hash: by @pid
 * @target: serial of the target that its parent belongs to
 * @pid: the child
 */
struct pp_forked {
	struct list_head list;
	struct hlist_node hash;
	u32 target;
	struct pid *pid;
};

/* Protects all lists but that of the children. */
static DEFINE_MUTEX(pp_targets_lock);
static LIST_HEAD(pp_targets);
static LIST_HEAD(pp_processes);
static DEFINE_HASHTABLE(pp_process_hash, PP_PROCESS_BITS);
static u32 pp_targets_serial;
static unsigned int pp_ticks;
static bool pp_targets_ended;

static DEFINE_SPINLOCK(pp_forked_lock);
static LIST_HEAD(pp_forked);
static DEFINE_HASHTABLE(pp_forked_hash, PP_FORKED_BITS);
static unsigned int pp_nr_forked;

/* What forks are told by. */
static struct tracepoint *pp_fork_tracepoint;

/*
 * The memory of a process, and what it is called; or NULL. @get: with a reference to its users;
 * else it serves to be compared.
 */
static struct mm_struct *pp_process_mm(struct pid *pid, char comm[TASK_COMM_LEN], bool get)
{
	struct task_struct *leader, *task;
	struct mm_struct *mm = NULL;

	rcu_read_lock();
	leader = pid_task(pid, PIDTYPE_TGID);
	/* The first thread may have ended before the others. */
	if (leader)
		for_each_thread(leader, task) {
			task_lock(task);
			if (task->mm && !(task->flags & PF_KTHREAD)) {
				mm = task->mm;
				if (get)
					mmget(mm);
				memcpy(comm, task->comm, TASK_COMM_LEN);
				comm[TASK_COMM_LEN - 1] = '\0';
			}
			task_unlock(task);
			if (mm)
				break;
		}
	rcu_read_unlock();
	return mm;
}

/* Under the lock, or in an RCU read side. */
static struct pp_process *pp_process_find(const struct pid *pid)
{
	struct pp_process *process;

	hash_for_each_possible_rcu_notrace(pp_process_hash, process, hash, (unsigned long)pid)
		if (process->pid == pid)
			return process;
	return NULL;
}

/* Does @task belong to @target, by where it is? RCU read side. */
static bool pp_target_has(const struct pp_target *target, struct task_struct *task)
{
	switch (target->kind) {
	case PP_TARGET_CGROUP:
		return task_under_cgroup_hierarchy(task, target->cgroup);
	case PP_TARGET_ALL:
		return true;
	}
	return false;
}

/* Adds what the program has counted for its target. */
static void pp_program_sum(const struct pp_program *program, u64 *sum)
{
	unsigned int i;

	for (i = 0; i < PP_SUMS; i++)
		sum[i] += atomic64_read(&program->sums.count[i]) - program->told[i];
}

/* The program counts for @target from now on, or for none (NULL): what it has counted stays. */
static void pp_program_count_for(struct pp_program *program, struct pp_target *target)
{
	u64 sum[PP_SUMS] = {};
	unsigned int i;

	if (program->target) {
		pp_program_sum(program, sum);
		for (i = 0; i < PP_SUMS; i++) {
			program->target->past[i] += sum[i];
			program->told[i] += sum[i];
		}
		list_del(&program->of_target);
	}
	program->target = target;
	if (target)
		list_add_tail(&program->of_target, &target->programs);
}

/* The process of a target has that memory. */
static void pp_process_enter(struct pp_process *process, struct pp_program *program)
{
	process->program = program;
	list_add_tail(&process->of_program, &program->processes);
	if (!program->target)
		pp_program_count_for(program, process->target);
}

/* Who has that memory, of that target if there is such a one; NULL: nobody. */
static struct pp_target *pp_program_heir(struct pp_program *program, struct pp_target *target)
{
	struct pp_process *process;

	list_for_each_entry(process, &program->processes, of_program)
		if (process->target == target)
			return target;
	process = list_first_entry_or_null(&program->processes, struct pp_process, of_program);
	return process ? process->target : NULL;
}

/* The process does not have that memory any more. */
static void pp_process_leave(struct pp_process *process)
{
	struct pp_target *target = process->target, *next;

	list_del(&process->of_program);
	if (process->program->target == target) {
		next = pp_program_heir(process->program, target);
		if (next != target)
			pp_program_count_for(process->program, next);
	}
	pp_program_leave(process->program);
}

static void pp_process_remove(struct pp_process *process)
{
	pp_process_leave(process);
	list_del(&process->list);
	hash_del_rcu(&process->hash);
	put_pid(process->pid);
	kfree_rcu(process, rcu);
}

/* A process belongs to @target from now on, unless it belongs to one already: then to that. */
static int pp_process_add(struct pp_target *target, struct pid *pid)
{
	char comm[TASK_COMM_LEN];
	struct pp_process *process;
	struct pp_program *program;
	struct mm_struct *mm;
	int err = 0;

	if (pp_process_find(pid))
		return 0;
	mm = pp_process_mm(pid, comm, true);
	if (!mm)
		return -ESRCH;
	process = kzalloc(sizeof(*process), GFP_KERNEL);
	if (!process) {
		err = -ENOMEM;
		goto put;
	}
	program = pp_program_get(mm, pid_nr(pid), comm);
	if (IS_ERR(program)) {
		err = PTR_ERR(program);
		kfree(process);
		goto put;
	}
	process->target = target;
	process->serial = target->serial;
	process->pid = get_pid(pid);
	pp_process_enter(process, program);
	list_add_tail(&process->list, &pp_processes);
	hash_add_rcu(pp_process_hash, &process->hash, (unsigned long)pid);
put:
	mmput_async(mm);
	return err;
}

/* Is the process where it was, with the memory that it had? False: it is not followed any more. */
static bool pp_process_check(struct pp_process *process)
{
	struct task_struct *task;
	char comm[TASK_COMM_LEN];
	struct pp_program *now;
	struct mm_struct *mm;
	bool stays = true;

	rcu_read_lock();
	task = pid_task(process->pid, PIDTYPE_TGID);
	if (task && process->target->kind != PP_TARGET_PID)
		stays = pp_target_has(process->target, task);
	rcu_read_unlock();
	if (!task || !stays)
		return false;
	if (pp_process_mm(process->pid, comm, false) == process->program->mm)
		return true;
	mm = pp_process_mm(process->pid, comm, true);
	if (!mm)
		return false;
	now = pp_program_get(mm, pid_nr(process->pid), comm);
	stays = !IS_ERR(now);
	if (stays) {
		pp_process_leave(process);
		pp_process_enter(process, now);
	}
	mmput_async(mm);
	return stays;
}

/* Others come in between. False: @task, at which to go on, has gone. RCU read side. */
static bool pp_look_pause(struct task_struct *task)
{
	bool alive;

	get_task_struct(task);
	rcu_read_unlock();
	cond_resched();
	rcu_read_lock();
	/* One that another thread's exec has replaced is off the list before its pid goes. */
	alive = pid_alive(task) && thread_group_leader(task);
	put_task_struct(task);
	return alive;
}

/* Who belongs to @target and is not known yet. Whom it does not get to, the next look may find. */
static void pp_target_look(struct pp_target *target)
{
	struct pid **found = kvcalloc(PP_LOOK_MAX, sizeof(*found), GFP_KERNEL);
	struct task_struct *task;
	unsigned int nr = 0, looked = 0, i;

	if (!found)
		return;
	rcu_read_lock();
	for_each_process(task) {
		struct pid *pid = task_tgid(task);

		if (nr == PP_LOOK_MAX)
			break;
		if (++looked % PP_LOOK_ONCE == 0 && !pp_look_pause(task))
			break;
		if (!(task->flags & PF_KTHREAD) && !task->exit_state &&
		    pp_target_has(target, task) && !pp_process_find(pid))
			found[nr++] = get_pid(pid);
	}
	rcu_read_unlock();
	for (i = 0; i < nr; i++) {
		pp_process_add(target, found[i]);
		put_pid(found[i]);
	}
	kvfree(found);
}

static struct pp_target *pp_target_by_serial(u32 serial)
{
	struct pp_target *target;

	list_for_each_entry(target, &pp_targets, list)
		if (target->serial == serial)
			return target;
	return NULL;
}

/* The child that waits longest. Who takes them up alone removes one. */
static struct pp_forked *pp_forked_first(void)
{
	struct pp_forked *forked;

	spin_lock(&pp_forked_lock);
	forked = list_first_entry_or_null(&pp_forked, struct pp_forked, list);
	spin_unlock(&pp_forked_lock);
	return forked;
}

static void pp_forked_remove(struct pp_forked *forked)
{
	spin_lock(&pp_forked_lock);
	list_del(&forked->list);
	hash_del(&forked->hash);
	/* It is a process by now, for who finds none waiting. Pairs with pp_fork_concerns(). */
	smp_store_release(&pp_nr_forked, pp_nr_forked - 1);
	spin_unlock(&pp_forked_lock);
	put_pid(forked->pid);
	kfree(forked);
}

/* Children of processes that are followed: those that wait by now, as more may come for ever. */
static void pp_targets_take_forked(void)
{
	unsigned int nr = READ_ONCE(pp_nr_forked);
	struct pp_forked *forked;
	struct pp_target *target;

	while (nr-- && (forked = pp_forked_first())) {
		target = pp_target_by_serial(forked->target);
		if (target && pp_process_add(target, forked->pid) == -ENOMEM)
			pp_count(PP_N_FORKS_MISSED, 1);
		/* Only now: it may be forking. */
		pp_forked_remove(forked);
	}
}

/* The target of who forks: a process that is followed, or that waits to be; 0: neither. */
static u32 pp_fork_target(struct task_struct *parent)
{
	const struct pp_process *process = pp_process_find(task_tgid(parent));
	struct pp_forked *forked;

	lockdep_assert_held(&pp_forked_lock);
	if (process)
		return process->serial;
	hash_for_each_possible(pp_forked_hash, forked, hash, (unsigned long)task_tgid(parent))
		if (forked->pid == task_tgid(parent))
			return forked->target;
	return 0;
}

/* @child of @target waits to be taken up. False: it is not to be had. */
static bool pp_fork_note(u32 target, struct task_struct *child)
{
	struct pp_forked *forked;

	lockdep_assert_held(&pp_forked_lock);
	if (pp_nr_forked >= PP_FORKED_MAX)
		return false;
	forked = kmalloc(sizeof(*forked), GFP_NOWAIT | __GFP_NOWARN);
	if (!forked)
		return false;
	forked->target = target;
	forked->pid = get_pid(task_tgid(child));
	list_add_tail(&forked->list, &pp_forked);
	hash_add(pp_forked_hash, &forked->hash, (unsigned long)forked->pid);
	WRITE_ONCE(pp_nr_forked, pp_nr_forked + 1);
	return true;
}

/*
 * Can @parent be one whose children are followed? Without the lock: where it is no process that is,
 * it may be one that waits. A tracepoint is an RCU read side.
 */
static bool pp_fork_concerns(struct task_struct *parent)
{
	/* Who does not wait any more is a process. Pairs with pp_forked_remove(). */
	return smp_load_acquire(&pp_nr_forked) || pp_process_find(task_tgid(parent));
}

/* A process forks; neither is to wait. */
static void pp_fork(void *data, struct task_struct *parent, struct task_struct *child)
{
	u32 target;

	if (!thread_group_leader(child) || !pp_fork_concerns(parent))
		return;
	spin_lock(&pp_forked_lock);
	target = pp_fork_target(parent);
	if (target && !pp_fork_note(target, child))
		pp_count(PP_N_FORKS_MISSED, 1);
	spin_unlock(&pp_forked_lock);
}

static void pp_target_free(struct pp_target *target)
{
	put_pid(target->pid);
	if (target->cgroup)
		cgroup_put(target->cgroup);
	kfree(target->name);
	kfree(target);
}

static void pp_target_remove(struct pp_target *target)
{
	struct pp_process *process, *next;

	list_for_each_entry_safe(process, next, &pp_processes, list)
		if (process->target == target)
			pp_process_remove(process);
	list_del(&target->list);
	pp_target_free(target);
}

/* A cgroup that was removed has no processes, and never will. */
static bool pp_target_dead(const struct pp_target *target)
{
	return target->kind == PP_TARGET_CGROUP && !(target->cgroup->self.flags & CSS_ONLINE);
}

void pp_targets_walk(void)
{
	struct pp_process *process, *next;
	struct pp_target *target, *after;

	mutex_lock(&pp_targets_lock);
	/* Children first: their parents may have ended meanwhile. */
	pp_targets_take_forked();
	list_for_each_entry_safe(process, next, &pp_processes, list)
		if (!pp_process_check(process))
			pp_process_remove(process);
	list_for_each_entry_safe(target, after, &pp_targets, list) {
		if (pp_target_dead(target))
			pp_target_remove(target);
		else if (target->kind == PP_TARGET_PID)
			/* It belonged to another target that is gone, or that it has left. */
			pp_process_add(target, target->pid);
		else if (!(pp_ticks % PP_LOOK_TICKS))
			pp_target_look(target);
	}
	pp_ticks++;
	mutex_unlock(&pp_targets_lock);
	pp_programs_settle();
}

/* What @text names, not in the list yet. */
static struct pp_target *pp_target_parse(const char *text)
{
	struct pp_target *target = kzalloc(sizeof(*target), GFP_KERNEL);
	int err = 0;

	if (!target)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&target->programs);
	target->name = kstrdup(skip_spaces(text), GFP_KERNEL);
	if (!target->name) {
		err = -ENOMEM;
		goto free;
	}
	strim(target->name);
	if (!strcmp(target->name, "all")) {
		target->kind = PP_TARGET_ALL;
	} else if (!strncmp(target->name, "pid ", 4)) {
		target->kind = PP_TARGET_PID;
		err = kstrtoint(skip_spaces(target->name + 4), 10, &target->nr);
		if (err)
			goto free;
		target->pid = find_get_pid(target->nr);
	} else if (!strncmp(target->name, "cgroup /", 8)) {
		struct cgroup *cgroup = cgroup_get_from_path(target->name + 7);

		target->kind = PP_TARGET_CGROUP;
		if (IS_ERR(cgroup))
			err = PTR_ERR(cgroup);
		else
			target->cgroup = cgroup;
	} else {
		err = -EINVAL;
	}
	if (!err)
		return target;
free:
	pp_target_free(target);
	return ERR_PTR(err);
}

/* The one in the list that is the same. */
static struct pp_target *pp_target_find(const struct pp_target *like)
{
	struct pp_target *target;

	if (like->kind == PP_TARGET_PID && !like->pid)
		return NULL;
	list_for_each_entry(target, &pp_targets, list)
		if (target->kind == like->kind && target->pid == like->pid &&
		    target->cgroup == like->cgroup)
			return target;
	return NULL;
}

/*
 * The one of a process that has ended, whose number names another one by now, or none: children of
 * it may be followed still.
 */
static struct pp_target *pp_target_find_ended(const struct pp_target *like)
{
	struct pp_target *target;

	if (like->kind != PP_TARGET_PID)
		return NULL;
	list_for_each_entry(target, &pp_targets, list)
		if (target->kind == PP_TARGET_PID && target->nr == like->nr &&
		    !pid_has_task(target->pid, PIDTYPE_TGID))
			return target;
	return NULL;
}

int pp_attach(const char *text)
{
	struct pp_target *target = pp_target_parse(text);
	int err = 0;

	if (IS_ERR(target))
		return PTR_ERR(target);
	mutex_lock(&pp_targets_lock);
	target->serial = ++pp_targets_serial;
	if (pp_targets_ended)
		err = -ENODEV;
	else if (target->kind == PP_TARGET_PID && !target->pid)
		err = -ESRCH;
	else if (pp_target_find(target))
		err = -EEXIST;
	else if (target->kind == PP_TARGET_PID)
		err = pp_process_add(target, target->pid);
	else
		pp_target_look(target);
	if (!err)
		list_add_tail(&target->list, &pp_targets);
	mutex_unlock(&pp_targets_lock);
	if (err)
		pp_target_free(target);
	else
		pp_programs_settle();
	return err;
}

static void pp_detach_everything(void)
{
	struct pp_target *target, *next;

	list_for_each_entry_safe(target, next, &pp_targets, list)
		pp_target_remove(target);
}

int pp_detach(const char *text)
{
	struct pp_target *like, *target;

	if (sysfs_streq(text, "everything")) {
		mutex_lock(&pp_targets_lock);
		pp_detach_everything();
		mutex_unlock(&pp_targets_lock);
		pp_programs_let_go();
		return 0;
	}
	like = pp_target_parse(text);
	if (IS_ERR(like))
		return PTR_ERR(like);
	mutex_lock(&pp_targets_lock);
	target = pp_target_find(like) ?: pp_target_find_ended(like);
	if (target)
		pp_target_remove(target);
	mutex_unlock(&pp_targets_lock);
	pp_target_free(like);
	pp_programs_let_go();
	return target ? 0 : -ENOENT;
}

/* Sums: "hints N promoted N ...". */
static void pp_sums_show(struct tiffin_text *text, const u64 *sum)
{
	unsigned int i;

	tiffin_text_add(text, " hints %llu promoted %llu demoted %llu remapped %llu written %llu",
			sum[PP_SUM_HINTS], sum[PP_SUM_PROMOTED], sum[PP_SUM_DEMOTED],
			sum[PP_SUM_REMAPPED], sum[PP_SUM_WRITTEN]);
	for (i = PP_FINE + 1; i < PP_REASONS; i++)
		if (sum[PP_SUM_REFUSED + i])
			tiffin_text_add(text, " %s %llu", pp_reason_name(i),
					sum[PP_SUM_REFUSED + i]);
}

void pp_targets_show(struct tiffin_text *text)
{
	const struct pp_program *program;
	struct pp_process *process;
	struct pp_target *target;

	mutex_lock(&pp_targets_lock);
	list_for_each_entry(target, &pp_targets, list) {
		unsigned int nr = 0;
		u64 sum[PP_SUMS];

		list_for_each_entry(process, &pp_processes, list)
			nr += process->target == target;
		memcpy(sum, target->past, sizeof(sum));
		list_for_each_entry(program, &target->programs, of_target)
			pp_program_sum(program, sum);
		tiffin_text_add(text, "%s: processes %u", target->name, nr);
		pp_sums_show(text, sum);
		tiffin_text_add(text, "\n");
	}
	mutex_unlock(&pp_targets_lock);
}

void pp_programs_show(struct tiffin_text *text)
{
	struct pp_process *process;
	unsigned int i;
	int node;

	mutex_lock(&pp_targets_lock);
	list_for_each_entry(process, &pp_processes, list) {
		struct pp_program *program = process->program;
		u64 sum[PP_SUMS];

		tiffin_text_add(text, "%d %s:", pid_nr(process->pid), program->comm);
		for_each_node_state(node, N_MEMORY)
			tiffin_text_add(text, " node%d %d", node,
					atomic_read(&program->resident[node]));
		for (i = 0; i < PP_SUMS; i++)
			sum[i] = atomic64_read(&program->sums.count[i]);
		pp_sums_show(text, sum);
		tiffin_text_add(text, " unmapped_us");
		for (i = 0; i < PP_TIME_BUCKETS; i++)
			tiffin_text_add(text, " %lld", atomic64_read(&program->sums.unmapped[i]));
		tiffin_text_add(text, "\n");
	}
	mutex_unlock(&pp_targets_lock);
}

static void pp_find_fork(struct tracepoint *tp, void *found)
{
	if (!strcmp(tp->name, "sched_process_fork"))
		*(struct tracepoint **)found = tp;
}

int pp_targets_init(void)
{
	int err;

	pp_programs_init();
	/* The kernel exports how to find a tracepoint, not this one. */
	for_each_kernel_tracepoint(pp_find_fork, &pp_fork_tracepoint);
	if (!pp_fork_tracepoint) {
		pr_err("this kernel has no tracepoint sched_process_fork: load this module on a kernel with CONFIG_TRACEPOINTS\n");
		return -EOPNOTSUPP;
	}
	err = tracepoint_probe_register(pp_fork_tracepoint, pp_fork, NULL);
	if (err)
		pr_err("cannot have forks told (error %d)\n", err);
	return err;
}

void pp_targets_end(void)
{
	mutex_lock(&pp_targets_lock);
	pp_targets_ended = true;
	pp_detach_everything();
	mutex_unlock(&pp_targets_lock);
	pp_programs_end();
}

void pp_targets_exit(void)
{
	tracepoint_probe_unregister(pp_fork_tracepoint, pp_fork, NULL);
	tracepoint_synchronize_unregister();
	pp_targets_take_forked();
}
