/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPUs, memory order, locks, time and work, for user space. A thread plays a CPU: it takes a number and
 * keeps it (shim_cpu_start()), so it is never preempted by another user of its per-CPU data. A signal
 * plays an interrupt. The instructions are those of the kernel on x86, so that the order of memory is
 * the same; ThreadSanitizer is told of it by atomics in their place.
 */
#ifndef TIFFIN_SHIM_SYNC_H
#define TIFFIN_SHIM_SYNC_H

#include <pthread.h>

#include "shim_kernel.h"

#if defined(__SANITIZE_THREAD__)
#define SHIM_TSAN	1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SHIM_TSAN	1
#endif
#endif

/* Memory order. */

void shim_before_cmpxchg(const void *word);

#define barrier()			__asm__ __volatile__("" ::: "memory")

#ifdef SHIM_TSAN
/* It knows no fences: loads and stores carry the order that the fences around them would give. */
#define READ_ONCE(x)			__atomic_load_n(&(x), __ATOMIC_SEQ_CST)
#define WRITE_ONCE(x, v)		__atomic_store_n(&(x), (v), __ATOMIC_SEQ_CST)
#define smp_mb()			barrier()
#else
#define READ_ONCE(x)			(*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v)		(*(volatile typeof(x) *)&(x) = (v))
#define smp_mb()			__asm__ __volatile__("mfence" ::: "memory")
#endif
/* Read-modify-write is a full barrier on x86, where it is one between CPUs. */
#define smp_mb__before_atomic()		barrier()
#define smp_load_acquire(p)		__atomic_load_n((p), __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)		__atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define cmpxchg(p, old, new)							\
	({ typeof(*(p)) old_ = (old);						\
	   shim_before_cmpxchg(p);						\
	   __atomic_compare_exchange_n((p), &old_, (new), false, __ATOMIC_SEQ_CST,	\
				       __ATOMIC_SEQ_CST);			\
	   old_; })
#define cmpxchg_acquire(p, old, new)	cmpxchg(p, old, new)
#define xchg(p, new)			__atomic_exchange_n((p), (new), __ATOMIC_SEQ_CST)

/* CPUs. */

#define SHIM_MAX_CPUS		16
/* Per-CPU memory of one CPU lies this far behind that of the one before. */
#define SHIM_PERCPU_STRIDE	(1UL << 20)

extern unsigned int nr_cpu_ids;
extern __thread unsigned int shim_cpu;

#define num_possible_cpus()		nr_cpu_ids
#define for_each_possible_cpu(cpu)	for ((cpu) = 0; (unsigned int)(cpu) < nr_cpu_ids; (cpu)++)
#define cpu_possible_mask		NULL
#define cpumask_next(cpu, mask)		((void)(mask), (unsigned int)((cpu) + 1))
#define for_each_online_cpu(cpu)	for_each_possible_cpu(cpu) if (shim_cpu_is_online(cpu))
bool shim_cpu_is_online(unsigned int cpu);
#define smp_processor_id()		((int)shim_cpu)

/* CPUs come and go by shim_cpu_online(); that the product holds them is looked at in on_each_cpu(). */
void cpus_read_lock(void);
void cpus_read_unlock(void);

/* @fn is a barrier: every CPU runs one (membarrier(2)), the caller runs @fn itself. */
void on_each_cpu(void (*fn)(void *info), void *info, int wait);

/* Per-CPU memory. */

void *__alloc_percpu(size_t size, size_t align);
void free_percpu(void *ptr);
#define alloc_percpu(type)		((type *)__alloc_percpu(sizeof(type), __alignof__(type)))

#define per_cpu_ptr(ptr, cpu)							\
	((typeof(ptr))((char *)(ptr) + (size_t)(cpu) * SHIM_PERCPU_STRIDE))
#define this_cpu_ptr(ptr)		per_cpu_ptr(ptr, shim_cpu)

#define this_cpu_read(x)		READ_ONCE(*this_cpu_ptr(&(x)))
#define this_cpu_write(x, v)		WRITE_ONCE(*this_cpu_ptr(&(x)), (v))

#ifdef SHIM_TSAN
#define this_cpu_add(x, n)							\
	((void)__atomic_fetch_add(this_cpu_ptr(&(x)), (n), __ATOMIC_SEQ_CST))
#define this_cpu_inc_return(x)							\
	__atomic_add_fetch(this_cpu_ptr(&(x)), 1, __ATOMIC_SEQ_CST)
#define this_cpu_cmpxchg(x, old, new)	cmpxchg(this_cpu_ptr(&(x)), old, new)
#else
/* One instruction, without the lock prefix: whole against signals, not against other CPUs. */
#define this_cpu_add(x, n)							\
do {										\
	typeof(x) *p_ = this_cpu_ptr(&(x));					\
	if (sizeof(*p_) == 4)							\
		__asm__ __volatile__("addl %1, %0" : "+m" (*p_) : "i" (n));	\
	else									\
		__asm__ __volatile__("addq %1, %0" : "+m" (*p_) : "i" (n));	\
} while (0)
#define this_cpu_inc_return(x)							\
	({ typeof(x) *p_ = this_cpu_ptr(&(x)), n_ = 1;				\
	   __asm__ __volatile__("xadd %1, %0" : "+m" (*p_), "+r" (n_));		\
	   n_ + 1; })
#define this_cpu_cmpxchg(x, old, new)						\
	({ typeof(x) *p_ = this_cpu_ptr(&(x)), old_ = (old);			\
	   __asm__ __volatile__("cmpxchg %2, %0"				\
				: "+m" (*p_), "+a" (old_) : "r" ((typeof(x))(new)) : "cc");	\
	   old_; })
#endif
#define this_cpu_inc(x)			this_cpu_add(x, 1)
#define this_cpu_dec(x)			this_cpu_add(x, -1)

/* Contexts. */

void preempt_disable(void);
void preempt_enable(void);
#define preempt_disable_notrace()	preempt_disable()
#define preempt_enable_notrace()	preempt_enable()

void shim_irq_disable(void);
void shim_irq_enable(void);
bool irqs_disabled(void);
#define local_irq_save(flags)		do { (flags) = 0; shim_irq_disable(); } while (0)
#define local_irq_restore(flags)	do { (void)(flags); shim_irq_enable(); } while (0)

void cpu_relax(void);

/* Wait for all that ran with preemption disabled when it was called. */
void synchronize_rcu(void);
#define synchronize_rcu_tasks()		synchronize_rcu()

typedef struct { int counter; } atomic_t;
#define ATOMIC_INIT(n)			{ (n) }
#define atomic_read(v)			READ_ONCE((v)->counter)
#define atomic_set(v, n)		WRITE_ONCE((v)->counter, (n))
#define atomic_inc_return(v)		__atomic_add_fetch(&(v)->counter, 1, __ATOMIC_SEQ_CST)
#define atomic_inc(v)			((void)__atomic_fetch_add(&(v)->counter, 1, __ATOMIC_SEQ_CST))
#define atomic_dec_and_test(v)		(!__atomic_sub_fetch(&(v)->counter, 1, __ATOMIC_SEQ_CST))

typedef struct { s64 counter; } atomic64_t;

#define atomic64_read(v)		READ_ONCE((v)->counter)
#define atomic64_set(v, n)		WRITE_ONCE((v)->counter, (n))
#define atomic64_sub(n, v)		\
	((void)__atomic_fetch_sub(&(v)->counter, (n), __ATOMIC_SEQ_CST))
#define atomic64_try_cmpxchg(v, old, new)						\
	__atomic_compare_exchange_n(&(v)->counter, (old), (new), false, __ATOMIC_SEQ_CST,	\
				    __ATOMIC_SEQ_CST)

/* Used where nobody else is left to bring the condition about. */
#define wait_var_event(var, condition)						\
	do {									\
		if (!(condition))						\
			shim_splat(__FILE__, __LINE__, "waits for %s", #condition); \
	} while (0)
#define wake_up_var(var)		((void)(var))

/* Tasks. */

#define current			NULL
#define fatal_signal_pending(task)	((void)(task), shim_fatal_signal())
bool shim_fatal_signal(void);

/* Locks. */

struct mutex {
	pthread_mutex_t lock;
	pthread_t owner;
	bool held;
};

#define DEFINE_MUTEX(name)	struct mutex name = { .lock = PTHREAD_MUTEX_INITIALIZER }

void mutex_init(struct mutex *mutex);
void mutex_lock(struct mutex *mutex);
bool mutex_trylock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);
bool shim_mutex_is_mine(struct mutex *mutex);

static inline int mutex_lock_interruptible(struct mutex *mutex)
{
	mutex_lock(mutex);
	return 0;
}

#define lockdep_assert_held(mutex)						\
do {										\
	if (!shim_mutex_is_mine(mutex))						\
		shim_splat(__FILE__, __LINE__, "%s is not held", #mutex);	\
} while (0)

/* Taken in interrupts, too: who has it has interrupts off. */
typedef pthread_mutex_t raw_spinlock_t;
#define DEFINE_RAW_SPINLOCK(name)	raw_spinlock_t name = PTHREAD_MUTEX_INITIALIZER
#define raw_spin_lock_irq(lock)							\
	do { shim_irq_disable(); pthread_mutex_lock(lock); } while (0)
#define raw_spin_unlock_irq(lock)						\
	do { pthread_mutex_unlock(lock); shim_irq_enable(); } while (0)
#define raw_spin_lock_irqsave(lock, flags)					\
	do { (flags) = 0; raw_spin_lock_irq(lock); } while (0)
#define raw_spin_unlock_irqrestore(lock, flags)					\
	do { (void)(flags); raw_spin_unlock_irq(lock); } while (0)

struct kref {
	u32 refs;
};

static inline void kref_init(struct kref *ref)
{
	WRITE_ONCE(ref->refs, 1);
}

static inline u32 kref_read(const struct kref *ref)
{
	return READ_ONCE(ref->refs);
}

void kref_get(struct kref *ref);
bool kref_put(struct kref *ref, void (*release)(struct kref *ref));

/* Time. */

#define HZ			250
#define NSEC_PER_USEC		1000L
#define NSEC_PER_MSEC		1000000L
#define NSEC_PER_SEC		1000000000L
#define MSEC_PER_JIFFY		(1000 / HZ)

u64 ktime_get_ns(void);
void usleep_range(unsigned long min_us, unsigned long max_us);
#define cond_resched()			do { shim_step(); sched_yield(); } while (0)
#define ktime_get_mono_fast_ns()	ktime_get_ns()
#define ktime_get_real_fast_ns()	ktime_get_ns()
/* May stand still while interrupts are off; who asks it then is told. */
u64 local_clock(void);
#define jiffies				((unsigned long)(ktime_get_ns() / (MSEC_PER_JIFFY * NSEC_PER_MSEC)))

static inline unsigned long msecs_to_jiffies(unsigned int ms)
{
	return ((unsigned long)ms + MSEC_PER_JIFFY - 1) / MSEC_PER_JIFFY;
}

static inline unsigned int jiffies_to_msecs(unsigned long j)
{
	return j * MSEC_PER_JIFFY;
}

#define time_after(a, b)	((long)((b) - (a)) < 0)
#define time_after_eq(a, b)	((long)((a) - (b)) >= 0)
#define time_before(a, b)	time_after(b, a)

/* Work that is done later, by shim_advance() or by shim_worker(). */

struct work_struct {
	void (*fn)(struct work_struct *work);
};

/*
 * All of them are one: shim_advance(), or shim_worker(). But each has to be one whose work is done
 * where no worker can be forked: work on another ends the test.
 */
struct workqueue_struct {
	unsigned int flags;
};

enum { WQ_MEM_RECLAIM = 1, WQ_HIGHPRI = 2, WQ_UNBOUND = 4 };
struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags, int max_active);
void destroy_workqueue(struct workqueue_struct *wq);

struct delayed_work {
	struct work_struct work;
	bool pending;
	bool running;
	pthread_t runner;
	unsigned long expires;
	struct delayed_work *next;
};

void shim_delayed_work_init(struct delayed_work *dwork, void (*fn)(struct work_struct *work));
bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *dwork,
			unsigned long delay);
bool cancel_delayed_work_sync(struct delayed_work *dwork);
bool cancel_delayed_work(struct delayed_work *dwork);
bool flush_delayed_work(struct delayed_work *dwork);
bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *dwork, unsigned long delay);

/* On the kernel's own queue, that has no rescuer: for what nobody waits for, memory least of all. */
bool schedule_delayed_work(struct delayed_work *dwork, unsigned long delay);
#define INIT_DELAYED_WORK(dwork, fn)	shim_delayed_work_init(dwork, fn)
#define DECLARE_DELAYED_WORK(name, _fn)	struct delayed_work name = { .work = { .fn = _fn } }
#define to_delayed_work(w)		container_of(w, struct delayed_work, work)

/* The interrupt comes when work is next looked for. */
struct irq_work {
	void (*func)(struct irq_work *irq);
	bool pending;
	struct irq_work *next;
};

void init_irq_work(struct irq_work *irq, void (*func)(struct irq_work *irq));
bool irq_work_queue(struct irq_work *irq);
void irq_work_sync(struct irq_work *irq);

#endif /* TIFFIN_SHIM_SYNC_H */
