/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tiffin/test_cache.h: a family of the tests, in user space: a cache of objects. The host says
 * which object is used and asks which ones shall leave; the policy keeps them in order on lists.
 *
 * Deepest context: process.
 */
#ifndef TIFFIN_TEST_CACHE_H
#define TIFFIN_TEST_CACHE_H

#include <tiffin/plugin.h>
#include <tiffin/state.h>

#define TIFFIN_test_cache_ABI		TIFFIN_ABI(1, 0)
#define TIFFIN_test_cache_ABI_TEXT	1.0

#define TIFFIN_TEST_CACHE_VICTIMS	8
#define TIFFIN_TEST_CACHE_CALLS		32

/**
 * struct tiffin_test_use - an object is used
 * @size: bytes of this structure on the host's side
 * @hit: 1 where it is in the cache, 0 where it comes in now
 * @capacity: objects that the cache holds
 * @reserved: zero
 */
struct tiffin_test_use {
	__u32 size;
	__u32 hit;
	__u32 capacity;
	__u32 reserved;
};

/**
 * struct tiffin_test_used - no answer is wanted
 * @size: bytes of this structure on the host's side
 * @reserved: zero
 */
struct tiffin_test_used {
	__u32 size;
	__u32 reserved;
};

/**
 * struct tiffin_test_evict - which objects shall leave?
 * @size: bytes of this structure on the host's side
 * @wanted: how many, at most TIFFIN_TEST_CACHE_VICTIMS
 * @capacity: objects that the cache holds
 * @reserved: zero
 */
struct tiffin_test_evict {
	__u32 size;
	__u32 wanted;
	__u32 capacity;
	__u32 reserved;
};

/**
 * struct tiffin_test_victims - these; the host asks again for those that are missing
 * @size: bytes of this structure on the host's side
 * @nr: entries of @handle
 * @handle: of the objects, in this order
 */
struct tiffin_test_victims {
	__u32 size;
	__u32 nr;
	__u64 handle[TIFFIN_TEST_CACHE_VICTIMS];
};

/**
 * struct tiffin_test_service - a list service
 * @op: which: in the order of struct tiffin_list_ops
 * @list: its argument
 * @end: likewise
 * @mark: likewise
 * @handle: likewise
 */
struct tiffin_test_service {
	__u32 op;
	__u32 list;
	__u32 end;
	__u32 mark;
	__u64 handle;
};

/**
 * struct tiffin_test_serve - ask for these services, one after the other
 * @size: bytes of this structure on the host's side
 * @nr: entries of @call
 * @call: the services
 */
struct tiffin_test_serve {
	__u32 size;
	__u32 nr;
	struct tiffin_test_service call[TIFFIN_TEST_CACHE_CALLS];
};

/**
 * struct tiffin_test_served - what they said
 * @size: bytes of this structure on the host's side
 * @nr: entries of @entry
 * @entry: the entry, or the result alone
 */
struct tiffin_test_served {
	__u32 size;
	__u32 nr;
	struct tiffin_entry entry[TIFFIN_TEST_CACHE_CALLS];
};

/**
 * struct tiffin_test_cache_hooks - the hook table of the family
 * @use: an object is used
 * @evict: which shall leave?
 * @serve: what the tests of the services themselves ask for
 */
struct tiffin_test_cache_hooks {
	void (*use)(const struct tiffin_ctx *ctx, const struct tiffin_test_use *in,
		    struct tiffin_test_used *out);
	void (*evict)(const struct tiffin_ctx *ctx, const struct tiffin_test_evict *in,
		      struct tiffin_test_victims *out);
	void (*serve)(const struct tiffin_ctx *ctx, const struct tiffin_test_serve *in,
		      struct tiffin_test_served *out);
};

#endif /* TIFFIN_TEST_CACHE_H */
