/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What core and upgrade use of the kernel, for user space: every <linux/...> header that they include
 * leads here (the build makes those headers). Only what they use, with the kernel's meaning.
 */
#ifndef TIFFIN_SHIM_KERNEL_H
#define TIFFIN_SHIM_KERNEL_H

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

/* Types and the compiler. */

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;
typedef long long s64;

#define U32_MAX			((u32)~0U)
#define U64_MAX			((u64)~0ULL)
#define S64_MAX			((s64)(U64_MAX >> 1))
#define S64_MIN			((s64)(-S64_MAX - 1))

#define __percpu
#define __init
#define __exit
#define __force
#define __aligned(x)		__attribute__((aligned(x)))
#define __printf(a, b)		__attribute__((format(printf, a, b)))
#define __must_check		__attribute__((warn_unused_result))
#define __packed		__attribute__((packed))
#define __maybe_unused		__attribute__((unused))
#undef __always_inline
#define __always_inline		inline __attribute__((always_inline))
#define noinline		__attribute__((noinline))
#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define fallthrough		__attribute__((fallthrough))

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define BIT(n)			(1UL << (n))
#define ALIGN(x, a)		(((x) + (a) - 1) & ~((typeof(x))(a) - 1))
#define IS_ALIGNED(x, a)	(!((x) & ((typeof(x))(a) - 1)))
#define container_of(ptr, type, member)	\
	((type *)((char *)(ptr) - offsetof(type, member)))
#define sizeof_field(type, member)	sizeof(((type *)0)->member)
#define offsetofend(type, member)	\
	(offsetof(type, member) + sizeof(((type *)0)->member))

#define min(a, b)		({ typeof(a) a_ = (a); typeof(b) b_ = (b); a_ < b_ ? a_ : b_; })
#define max(a, b)		({ typeof(a) a_ = (a); typeof(b) b_ = (b); a_ > b_ ? a_ : b_; })
#define swap(a, b)		do { typeof(a) swap_ = (a); (a) = (b); (b) = swap_; } while (0)
#define min_t(t, a, b)		min((t)(a), (t)(b))
#define max_t(t, a, b)		max((t)(a), (t)(b))
#define clamp_t(t, x, lo, hi)	min_t(t, max_t(t, x, lo), hi)
#define div_u64(n, d)		((u64)(n) / (u32)(d))
#define DIV_ROUND_UP_ULL(n, d)	(((u64)(n) + (d) - 1) / (d))

static inline int fls64(u64 x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}

static inline bool __test_and_set_bit(unsigned int nr, unsigned long *word)
{
	bool was = *word & BIT(nr);

	*word |= BIT(nr);
	return was;
}

/* Saturate, as the kernel's do, so that the allocation fails. */
static inline size_t array_size(size_t n, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? SIZE_MAX : bytes;
}

#define struct_size(p, member, n)						\
	({ size_t bytes_ = array_size(n, sizeof((p)->member[0]));		\
	   __builtin_add_overflow(bytes_, sizeof(*(p)), &bytes_) ? SIZE_MAX : bytes_; })
#define check_mul_overflow(a, b, d)	__builtin_mul_overflow(a, b, d)

/* Errors in pointers. */

#define MAX_ERRNO	4095

static inline void *ERR_PTR(long error)
{
	return (void *)error;
}

static inline long PTR_ERR(const void *ptr)
{
	return (long)ptr;
}

static inline bool IS_ERR(const void *ptr)
{
	return (unsigned long)ptr >= (unsigned long)-MAX_ERRNO;
}

static inline bool IS_ERR_OR_NULL(const void *ptr)
{
	return !ptr || IS_ERR(ptr);
}

static inline int PTR_ERR_OR_ZERO(const void *ptr)
{
	return IS_ERR(ptr) ? PTR_ERR(ptr) : 0;
}

/* Lists. */

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name)	{ &(name), &(name) }
#define LIST_HEAD(name)		struct list_head name = LIST_HEAD_INIT(name)

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list->prev = list;
}

static inline void shim_list_link(struct list_head *prev, struct list_head *item,
				  struct list_head *next)
{
	item->prev = prev;
	item->next = next;
	prev->next = next->prev = item;
}

static inline void list_add(struct list_head *item, struct list_head *head)
{
	shim_list_link(head, item, head->next);
}

static inline void list_add_tail(struct list_head *item, struct list_head *head)
{
	shim_list_link(head->prev, item, head);
}

/* The removed item points nowhere, so that its use shows. */
static inline void list_del(struct list_head *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	item->next = item->prev = NULL;
}

static inline void list_move_tail(struct list_head *item, struct list_head *head)
{
	list_del(item);
	list_add_tail(item, head);
}

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

static inline size_t list_count_nodes(struct list_head *head)
{
	struct list_head *item;
	size_t n = 0;

	for (item = head->next; item != head; item = item->next)
		n++;
	return n;
}

#define list_entry(ptr, type, member)		container_of(ptr, type, member)
#define list_first_entry(head, type, member)	list_entry((head)->next, type, member)
#define list_first_entry_or_null(head, type, member)				\
	(list_empty(head) ? NULL : list_first_entry(head, type, member))
#define list_last_entry(head, type, member)	list_entry((head)->prev, type, member)
#define list_for_each_entry(pos, head, member)					\
	for (pos = list_first_entry(head, typeof(*pos), member);		\
	     &pos->member != (head);						\
	     pos = list_entry(pos->member.next, typeof(*pos), member))
#define list_for_each_entry_safe(pos, n, head, member)				\
	for (pos = list_first_entry(head, typeof(*pos), member),		\
	     n = list_entry(pos->member.next, typeof(*pos), member);		\
	     &pos->member != (head);						\
	     pos = n, n = list_entry(n->member.next, typeof(*n), member))
#define list_prepare_entry(pos, head, member)					\
	((pos) ?: list_entry(head, typeof(*pos), member))
#define list_for_each_entry_continue(pos, head, member)				\
	for (pos = list_entry(pos->member.next, typeof(*pos), member);		\
	     &pos->member != (head);						\
	     pos = list_entry(pos->member.next, typeof(*pos), member))

/* Text. */

__printf(3, 4) int scnprintf(char *buf, size_t size, const char *fmt, ...);
__printf(3, 0) int vscnprintf(char *buf, size_t size, const char *fmt, va_list args);
ssize_t strscpy(char *dst, const char *src, size_t size);
char *skip_spaces(const char *text);
bool sysfs_streq(const char *a, const char *b);
int match_string(const char * const *array, size_t n, const char *text);
int kstrtou32(const char *text, unsigned int base, u32 *value);
int kstrtou64(const char *text, unsigned int base, u64 *value);
int kstrtobool(const char *text, bool *value);
int kstrtos64(const char *text, unsigned int base, s64 *value);

static inline size_t str_has_prefix(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) ? 0 : len;
}

static inline const char *str_yes_no(bool yes)
{
	return yes ? "yes" : "no";
}

/* The log. A test that is not to say anything there says nothing; SHIM_LOG=1 shows it. */

__printf(1, 2) void shim_log(const char *fmt, ...);

#define pr_err(fmt, ...)		shim_log(fmt, ##__VA_ARGS__)
#define pr_warn(fmt, ...)		shim_log(fmt, ##__VA_ARGS__)
#define pr_notice(fmt, ...)		shim_log(fmt, ##__VA_ARGS__)
#define pr_info(fmt, ...)		shim_log(fmt, ##__VA_ARGS__)
#define pr_warn_ratelimited(fmt, ...)	shim_log(fmt, ##__VA_ARGS__)

/* What would be a splat in the kernel's log ends the test. */
__printf(3, 4) void shim_splat(const char *file, int line, const char *fmt, ...);

/* How often the kernel was tainted. */
enum { TAINT_DIE };
enum { LOCKDEP_STILL_OK };
void add_taint(unsigned int flag, int lockdep);

/* See struct shim: on_step, on_wait. */
void shim_step(void);
void shim_wait(void);

#define WARN_ON_ONCE(x)								\
	({ bool bad_ = (x);							\
	   if (bad_)								\
		   shim_splat(__FILE__, __LINE__, "WARN_ON_ONCE(%s)", #x);	\
	   bad_; })

#include "sync.h"
#include "object.h"

#endif /* TIFFIN_SHIM_KERNEL_H */
