// SPDX-License-Identifier: GPL-2.0-only
/* CPUs, locks, time and work; see sync.h. */
#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "shim.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__	1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(addr, size)	((void)(addr), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(addr, size)	((void)(addr), (void)(size))
#endif

struct shim shim;
unsigned int nr_cpu_ids = 4;
__thread unsigned int shim_cpu;

/* CPUs. */

/* Odd while that CPU runs with preemption disabled. */
static u64 sections[SHIM_MAX_CPUS];
static __thread unsigned int preempt_count;
static __thread unsigned int irqs_off;
static __thread volatile sig_atomic_t irq_pending;
static void (*irq_handler)(void);

static void barrier_everywhere(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0))
		shim_splat(__FILE__, __LINE__, "membarrier: %s", strerror(errno));
}

static void __attribute__((constructor)) shim_init(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0))
		shim_splat(__FILE__, __LINE__, "membarrier: %s", strerror(errno));
}

void shim_cpu_start(unsigned int cpu)
{
	if (cpu >= nr_cpu_ids)
		shim_splat(__FILE__, __LINE__, "there are only %u CPUs", nr_cpu_ids);
	shim_cpu = cpu;
}

static __thread unsigned int cpus_held;
static unsigned int cpus_holders;
static bool cpu_offline[SHIM_MAX_CPUS];

void cpus_read_lock(void)
{
	cpus_held++;
	__atomic_add_fetch(&cpus_holders, 1, __ATOMIC_SEQ_CST);
}

void cpus_read_unlock(void)
{
	cpus_held--;
	__atomic_sub_fetch(&cpus_holders, 1, __ATOMIC_SEQ_CST);
}

bool shim_cpu_is_online(unsigned int cpu)
{
	return !READ_ONCE(cpu_offline[cpu]);
}

bool shim_cpu_online(unsigned int cpu, bool online)
{
	if (cpu == shim_cpu)
		shim_splat(__FILE__, __LINE__, "CPU %u switches itself off", cpu);
	if (READ_ONCE(cpus_holders))
		return false;
	WRITE_ONCE(cpu_offline[cpu], !online);
	return true;
}

void shim_before_cmpxchg(const void *word)
{
	if (shim.before_cmpxchg)
		shim.before_cmpxchg(word);
}

void on_each_cpu(void (*fn)(void *info), void *info, int wait)
{
	if (!cpus_held)
		shim_splat(__FILE__, __LINE__, "a CPU may come after its barrier");
	if (irqs_off)
		shim_splat(__FILE__, __LINE__, "on_each_cpu() with interrupts off");
	fn(info);
	barrier_everywhere();
}

void preempt_disable(void)
{
	if (!preempt_count++)
		WRITE_ONCE(sections[shim_cpu], sections[shim_cpu] + 1);
	barrier();
}

void preempt_enable(void)
{
	barrier();
	if (!--preempt_count)
		WRITE_ONCE(sections[shim_cpu], sections[shim_cpu] + 1);
}

void synchronize_rcu(void)
{
	u64 then;
	unsigned int cpu;

	shim_step();
	barrier_everywhere();
	for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
		then = READ_ONCE(sections[cpu]);
		while (then % 2 && READ_ONCE(sections[cpu]) == then)
			cpu_relax();
	}
	barrier_everywhere();
}

void shim_irq_disable(void)
{
	irqs_off++;
	barrier();
}

void shim_irq_enable(void)
{
	barrier();
	if (!--irqs_off && irq_pending) {
		irq_pending = 0;
		irq_handler();
	}
}

bool irqs_disabled(void)
{
	return irqs_off;
}

static void on_signal(int signal)
{
	if (irqs_off)
		irq_pending = 1;
	else
		irq_handler();
}

void shim_interrupts(void (*handler)(void))
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	irq_handler = handler;
	sigaction(SIGUSR1, &action, NULL);
}

/* Per-CPU memory: cells of one region, the same ones for each CPU. */

#define CELL		64
#define CELLS		(SHIM_PERCPU_STRIDE / CELL)

static pthread_mutex_t percpu_lock = PTHREAD_MUTEX_INITIALIZER;
static char *percpu_region;
/* Number of cells that an allocation at this cell takes; 0: free, or inside one. */
static u16 percpu_cells[CELLS];
static bool percpu_used[CELLS];
static long percpu_allocations;

static void percpu_init(void)
{
	size_t size = SHIM_MAX_CPUS * SHIM_PERCPU_STRIDE;

	percpu_region = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (percpu_region == MAP_FAILED)
		shim_splat(__FILE__, __LINE__, "no memory for per-CPU data");
	ASAN_POISON_MEMORY_REGION(percpu_region, size);
}

static long percpu_find(size_t cells)
{
	size_t i, run = 0;

	for (i = 0; i < CELLS; i++) {
		run = percpu_used[i] ? 0 : run + 1;
		if (run == cells)
			return i + 1 - cells;
	}
	return -1;
}

void *__alloc_percpu(size_t size, size_t align)
{
	size_t cells = (size + CELL - 1) / CELL, i;
	void *failed = shim_alloc(1);
	char *ptr = NULL;
	long at;

	if (!failed)
		return NULL;
	shim_free(failed);
	pthread_mutex_lock(&percpu_lock);
	if (!percpu_region)
		percpu_init();
	at = percpu_find(cells);
	if (at >= 0) {
		memset(percpu_used + at, true, cells);
		percpu_cells[at] = cells;
		ptr = percpu_region + at * CELL;
		for (i = 0; i < SHIM_MAX_CPUS; i++) {
			ASAN_UNPOISON_MEMORY_REGION(per_cpu_ptr(ptr, i), size);
			memset(per_cpu_ptr(ptr, i), 0, size);
		}
		percpu_allocations++;
	}
	pthread_mutex_unlock(&percpu_lock);
	return ptr;
}

void free_percpu(void *ptr)
{
	long at = ((char *)ptr - percpu_region) / CELL;
	size_t cells, i;

	if (!ptr)
		return;
	pthread_mutex_lock(&percpu_lock);
	cells = percpu_cells[at];
	if (!cells)
		shim_splat(__FILE__, __LINE__, "free_percpu() of what is not allocated");
	percpu_cells[at] = 0;
	memset(percpu_used + at, false, cells);
	for (i = 0; i < SHIM_MAX_CPUS; i++)
		ASAN_POISON_MEMORY_REGION(per_cpu_ptr((char *)ptr, i), cells * CELL);
	percpu_allocations--;
	pthread_mutex_unlock(&percpu_lock);
}

long shim_percpu_allocations(void)
{
	return percpu_allocations;
}

bool shim_fatal_signal(void)
{
	return shim.fatal_signal;
}

/* Locks. */

static void might_sleep(void)
{
	if (preempt_count || irqs_off)
		shim_splat(__FILE__, __LINE__, "sleeping function called from invalid context");
}

void shim_step(void)
{
	if (shim.on_step && !preempt_count && !irqs_off)
		shim.on_step();
}

void shim_wait(void)
{
	if (shim.on_wait)
		shim.on_wait();
	else
		sched_yield();
}

void mutex_init(struct mutex *mutex)
{
	pthread_mutex_init(&mutex->lock, NULL);
	mutex->held = false;
}

static void mutex_taken(struct mutex *mutex)
{
	mutex->owner = pthread_self();
	mutex->held = true;
}

void mutex_lock(struct mutex *mutex)
{
	might_sleep();
	shim_step();
	if (shim.before_lock)
		shim.before_lock(mutex);
	if (!shim.on_wait)
		pthread_mutex_lock(&mutex->lock);
	else
		while (pthread_mutex_trylock(&mutex->lock))
			shim_wait();
	mutex_taken(mutex);
}

bool mutex_trylock(struct mutex *mutex)
{
	if (shim.before_lock)
		shim.before_lock(mutex);
	if (pthread_mutex_trylock(&mutex->lock))
		return false;
	mutex_taken(mutex);
	return true;
}

void mutex_unlock(struct mutex *mutex)
{
	if (!shim_mutex_is_mine(mutex))
		shim_splat(__FILE__, __LINE__, "unlock of a mutex that another has");
	mutex->held = false;
	pthread_mutex_unlock(&mutex->lock);
	shim_step();
}

bool shim_mutex_is_mine(struct mutex *mutex)
{
	return mutex->held && pthread_equal(mutex->owner, pthread_self());
}

void kref_get(struct kref *ref)
{
	if (!__atomic_fetch_add(&ref->refs, 1, __ATOMIC_SEQ_CST))
		shim_splat(__FILE__, __LINE__, "refcount_t: addition on 0; use-after-free");
}

bool kref_put(struct kref *ref, void (*release)(struct kref *ref))
{
	u32 left = __atomic_sub_fetch(&ref->refs, 1, __ATOMIC_SEQ_CST);

	if (left == U32_MAX)
		shim_splat(__FILE__, __LINE__, "refcount_t: underflow; use-after-free");
	if (left)
		return false;
	release(ref);
	return true;
}

/* Time. */

/* Not 0, so that a time that was never set shows. */
static u64 virtual_now = 1000000000;

u64 ktime_get_ns(void)
{
	struct timespec ts;

	if (shim.virtual_time)
		return virtual_now;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

u64 local_clock(void)
{
	if (irqs_off)
		shim_splat(__FILE__, __LINE__, "local_clock() may stand still with interrupts off");
	return ktime_get_ns();
}

void cpu_relax(void)
{
	if (!shim.virtual_time) {
		__builtin_ia32_pause();
		return;
	}
	virtual_now += SHIM_RELAX_NS;
	if (shim.on_relax)
		shim.on_relax();
}

void usleep_range(unsigned long min_us, unsigned long max_us)
{
	might_sleep();
	if (!shim.virtual_time) {
		usleep(min_us);
		return;
	}
	virtual_now += max_us * NSEC_PER_USEC;
	if (shim.on_sleep)
		shim.on_sleep();
	shim_step();
}

/* Work. */

static pthread_mutex_t work_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work_ended = PTHREAD_COND_INITIALIZER;
static struct delayed_work *works;
static unsigned int work_waiters;

struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags, int max_active)
{
	struct workqueue_struct *wq = shim_alloc(sizeof(*wq));

	if (wq)
		wq->flags = flags;
	return wq;
}

void destroy_workqueue(struct workqueue_struct *wq)
{
	shim_free(wq);
}

void shim_delayed_work_init(struct delayed_work *dwork, void (*fn)(struct work_struct *work))
{
	dwork->work.fn = fn;
	dwork->pending = false;
	dwork->running = false;
}

bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *dwork,
			unsigned long delay)
{
	if (!(wq->flags & WQ_MEM_RECLAIM))
		shim_splat(__FILE__, __LINE__, "work on a queue without a rescuer");
	return schedule_delayed_work(dwork, delay);
}

bool schedule_delayed_work(struct delayed_work *dwork, unsigned long delay)
{
	bool queued;

	shim_step();
	pthread_mutex_lock(&work_lock);
	queued = !dwork->pending;
	if (queued) {
		dwork->pending = true;
		dwork->expires = jiffies + delay;
		dwork->next = works;
		works = dwork;
	}
	pthread_mutex_unlock(&work_lock);
	return queued;
}

/* Take the work that falls due first out of the queue, if it does so by @limit. */
static struct delayed_work *work_take(unsigned long limit)
{
	struct delayed_work **at, **first = NULL, *dwork = NULL;

	pthread_mutex_lock(&work_lock);
	for (at = &works; *at; at = &(*at)->next)
		if (!(*at)->running && !time_after((*at)->expires, limit) &&
		    (!first || time_before((*at)->expires, (*first)->expires)))
			first = at;
	if (first) {
		dwork = *first;
		*first = dwork->next;
		dwork->pending = false;
		dwork->running = true;
		dwork->runner = pthread_self();
	}
	pthread_mutex_unlock(&work_lock);
	return dwork;
}

/* It has been taken out of the queue, and lives on: nothing here frees itself. */
static void work_run(struct delayed_work *dwork)
{
	dwork->work.fn(&dwork->work);
	pthread_mutex_lock(&work_lock);
	dwork->running = false;
	pthread_cond_broadcast(&work_ended);
	pthread_mutex_unlock(&work_lock);
}

bool cancel_delayed_work(struct delayed_work *dwork)
{
	struct delayed_work **at;
	bool was;

	shim_step();
	pthread_mutex_lock(&work_lock);
	was = dwork->pending;
	for (at = &works; *at; at = &(*at)->next)
		if (*at == dwork) {
			*at = dwork->next;
			break;
		}
	dwork->pending = false;
	pthread_mutex_unlock(&work_lock);
	return was;
}

unsigned int shim_waiting_for_work(void)
{
	return READ_ONCE(work_waiters);
}

static void work_wait(struct delayed_work *dwork)
{
	might_sleep();
	pthread_mutex_lock(&work_lock);
	if (dwork->running && pthread_equal(dwork->runner, pthread_self()))
		shim_splat(__FILE__, __LINE__, "work that waits for its own end");
	WRITE_ONCE(work_waiters, work_waiters + 1);
	while (dwork->running) {
		if (!shim.on_wait) {
			pthread_cond_wait(&work_ended, &work_lock);
			continue;
		}
		pthread_mutex_unlock(&work_lock);
		shim_wait();
		pthread_mutex_lock(&work_lock);
	}
	WRITE_ONCE(work_waiters, work_waiters - 1);
	pthread_mutex_unlock(&work_lock);
}

bool cancel_delayed_work_sync(struct delayed_work *dwork)
{
	bool was = cancel_delayed_work(dwork);

	work_wait(dwork);
	/* It may have queued itself again. */
	return cancel_delayed_work(dwork) || was;
}

bool flush_delayed_work(struct delayed_work *dwork)
{
	bool was = cancel_delayed_work(dwork);

	work_wait(dwork);
	if (was)
		dwork->work.fn(&dwork->work);
	return was;
}

bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *dwork, unsigned long delay)
{
	bool was = cancel_delayed_work(dwork);

	queue_delayed_work(wq, dwork, delay);
	return was;
}

/* All that are made ready. Whoever queues one may be anywhere, so takes no lock. */
static struct irq_work *irqs;

void init_irq_work(struct irq_work *irq, void (*func)(struct irq_work *irq))
{
	irq->func = func;
	irq->pending = false;
	pthread_mutex_lock(&work_lock);
	irq->next = irqs;
	irqs = irq;
	pthread_mutex_unlock(&work_lock);
}

bool irq_work_queue(struct irq_work *irq)
{
	return !xchg(&irq->pending, true);
}

/* An interrupt: no step of anybody, so that nothing goes under it. */
static void irq_run(struct irq_work *irq)
{
	shim_irq_disable();
	irq->func(irq);
	shim_irq_enable();
}

/* The last that is done with one. */
void irq_work_sync(struct irq_work *irq)
{
	struct irq_work **at;

	might_sleep();
	pthread_mutex_lock(&work_lock);
	for (at = &irqs; *at; at = &(*at)->next)
		if (*at == irq) {
			*at = irq->next;
			break;
		}
	pthread_mutex_unlock(&work_lock);
	if (xchg(&irq->pending, false))
		irq_run(irq);
}

static void irqs_run(void)
{
	struct irq_work *irq;

	do {
		pthread_mutex_lock(&work_lock);
		for (irq = irqs; irq && !xchg(&irq->pending, false); irq = irq->next)
			;
		pthread_mutex_unlock(&work_lock);
		if (irq)
			irq_run(irq);
	} while (irq);
}

void shim_advance(u64 ns)
{
	const u64 tick = MSEC_PER_JIFFY * NSEC_PER_MSEC;
	u64 end = virtual_now + ns;
	struct delayed_work *dwork;

	irqs_run();
	while ((dwork = work_take(end / tick))) {
		virtual_now = max(virtual_now, (u64)dwork->expires * tick);
		work_run(dwork);
		irqs_run();
	}
	virtual_now = max(virtual_now, end);
}

void shim_worker(const u32 *stop)
{
	struct delayed_work *dwork;

	while (!READ_ONCE(*stop)) {
		irqs_run();
		dwork = work_take(jiffies);
		if (dwork)
			work_run(dwork);
		else
			usleep(100);
	}
}
