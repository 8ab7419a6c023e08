/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tiffin/plugin.h: what every policy is, whatever its family.
 *
 * A policy is one C file that includes only <tiffin/...>. It holds hooks (questions that the host
 * puts to it) and one descriptor, made by TIFFIN_POLICY(). The same file builds as a kernel module
 * for every supported kernel and as an ordinary user-space object for tests, replay and fuzzing.
 *
 * The law of a call. Every call into a policy, hook or life-cycle callback, is made by the host's
 * dispatch, non-preemptible, on memory that the host provides, and is bounded in time. A policy
 * never waits, allocates, locks, sleeps, logs or starts anything, and keeps no pointer of its call.
 * One instance is entered on many CPUs at once, and an interrupt may nest a call inside another on
 * the same CPU: what a policy may write, and how, is said by its stores (see state.h).
 *
 * The law of the code. No globals that change, no floating point, no assembly, no recursion, at
 * most 512 bytes of stack in a function. Each loop has a bound that does not depend on stored
 * bytes: nothing stops one that does not end.
 *
 * Growth. Structures grow at their end and carry their own size; arrays carry their stride. A field
 * beyond the size that the other side knows reads as zero. A policy built against an older minor
 * version loads on a newer host; the other way round is refused with both versions named.
 */
#ifndef TIFFIN_PLUGIN_H
#define TIFFIN_PLUGIN_H

#include <linux/types.h>

/**
 * TIFFIN_ABI - pack a version
 * @major: changes when a policy's source has to change
 * @minor: changes when something is added
 */
#define TIFFIN_ABI(major, minor)	(((major) << 16) | (minor))
#define TIFFIN_ABI_MAJOR(abi)		((abi) >> 16)
#define TIFFIN_ABI_MINOR(abi)		((abi) & 0xffff)

/* The version of plugin.h and state.h together. */
#define TIFFIN_CORE_ABI			TIFFIN_ABI(1, 1)

#define TIFFIN_POLICY_MAGIC		0x74666e31	/* "tfn1" */

#define TIFFIN_NAME_LEN			32	/* of any name, with the terminating NUL */
#define TIFFIN_VERSION_LEN		16	/* of a policy's version, likewise */
#define TIFFIN_MAX_TUNABLES		32	/* per policy */
#define TIFFIN_MAX_COUNTERS		64	/* per policy */

#define TIFFIN_ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))

/**
 * struct tiffin_tunable - a number that the operator may set, declared as data
 * @name: letters, digits and '_'; the name of its file under tunables/
 * @doc: one line: what it does, and its unit
 * @min: smallest value accepted
 * @max: largest value accepted; must not be below @min
 * @def: value at load; must lie in [@min, @max]
 *
 * The host refuses a value outside [@min, @max] with ERANGE, so a policy needs no check of its own.
 * A policy reads it with tiffin_tunable(); it may change between two calls, never within a word.
 */
struct tiffin_tunable {
	const char *name;
	const char *doc;
	__s64 min;
	__s64 max;
	__s64 def;
};

/**
 * struct tiffin_counter - a number that the policy counts, declared as data
 * @name: letters, digits and '_'; the name of its file under counters/
 * @doc: one line: what one count means
 *
 * Kept per CPU and summed when read. A health gate of a swap may name any counter.
 */
struct tiffin_counter {
	const char *name;
	const char *doc;
};

/**
 * enum tiffin_store_kind - what one record of a store belongs to
 * @TIFFIN_STORE_INSTANCE: one record for the instance
 * @TIFFIN_STORE_PER_CPU: one record for each possible CPU
 * @TIFFIN_STORE_OBJECT: one record for each of the family's objects (a flow, a page, a file)
 * @TIFFIN_STORE_LISTS: a set of lists of the family's objects, that the host keeps and the policy
 *	orders by the services of state.h; an object is on one list of the set at most. Since 1.1.
 * @TIFFIN_STORE_KINDS: number of kinds
 *
 * A policy declares at most one store of each kind.
 */
enum tiffin_store_kind {
	TIFFIN_STORE_INSTANCE,
	TIFFIN_STORE_PER_CPU,
	TIFFIN_STORE_OBJECT,
	TIFFIN_STORE_LISTS,
	TIFFIN_STORE_KINDS,
};

/**
 * enum tiffin_sharing - who may write a record at the same time
 * @TIFFIN_SHARE_CPU: only calls on the record's own CPU, which may nest: single fields are updated
 *	with tiffin_local_add(). Only for TIFFIN_STORE_PER_CPU.
 * @TIFFIN_SHARE_ATOMIC: calls on any CPU: single fields, through the atomics of state.h only. Of
 *	lists: each service is done as a whole, and where another call's is being done it answers
 *	%TIFFIN_LIST_BUSY.
 * @TIFFIN_SHARE_LOCKED: one call at a time: the host tries the record's lock before the call, and
 *	where it is busy gives the continuity answer in place of the call. Only for
 *	TIFFIN_STORE_OBJECT and TIFFIN_STORE_LISTS; of lists, where no other call may come between
 *	two services of one call: then it is one call at a time for the whole instance.
 */
enum tiffin_sharing {
	TIFFIN_SHARE_CPU,
	TIFFIN_SHARE_ATOMIC,
	TIFFIN_SHARE_LOCKED,
};

/**
 * enum tiffin_undo - what a policy that is back after a rollback finds in a store that it handed
 *	over by reference
 * @TIFFIN_UNDO_LIVE: what the newer policy has made of it
 * @TIFFIN_UNDO_SNAPSHOT: the bytes of the moment when it was replaced; for stores of at most
 *	TIFFIN_MAX_SNAPSHOT bytes in all
 * @TIFFIN_UNDO_REBUILD: zeros: the policy learns anew from what its family tells it
 *
 * A store whose records were converted for the newer policy is as it was at the flip, whatever
 * stands here: a conversion reads it and never writes it.
 */
enum tiffin_undo {
	TIFFIN_UNDO_LIVE,
	TIFFIN_UNDO_SNAPSHOT,
	TIFFIN_UNDO_REBUILD,
};

#define TIFFIN_MAX_SNAPSHOT		65536

#define TIFFIN_MAX_LISTS		8	/* in a policy's set */

struct tiffin_ctx;

/**
 * struct tiffin_convert_in - a record in the layout of the older policy
 * @size: bytes of this structure on the host's side
 * @version: of the older layout; may be newer than the policy's own
 * @record_size: bytes of the older record
 * @kind: one of enum tiffin_store_kind
 * @from: the older record; read it, any bytes may stand there
 */
struct tiffin_convert_in {
	__u32 size;
	__u32 version;
	__u32 record_size;
	__u32 kind;
	const void *from;
};

/**
 * struct tiffin_convert_out - the same record in the layout of this policy
 * @size: bytes of this structure on the host's side
 * @unknown: set it to 1 where this version can't be converted: the record starts from zeros
 * @record: the new record, zeros when the call begins but for what init has written; no other call
 *	reaches it meanwhile
 */
struct tiffin_convert_out {
	__u32 size;
	__u32 unknown;
	void *record;
};

/**
 * struct tiffin_store - state that the host owns and the policy fills
 * @schema: name of the record's layout, shared by all policies that mean the same bytes by it
 * @version: of the layout, from 1
 * @kind: one of enum tiffin_store_kind
 * @sharing: one of enum tiffin_sharing
 * @record_size: bytes of a record, 1 to TIFFIN_MAX_RECORD; of TIFFIN_STORE_LISTS 0
 * @undo: one of enum tiffin_undo. Since 1.1.
 * @lists: of TIFFIN_STORE_LISTS: how many, 1 to TIFFIN_MAX_LISTS; of the others 0. Since 1.1.
 * @convert: optional; makes a record of this store from one of the older policy's store of the same
 *	kind and schema, where they differ in version, sharing or record size. Called as any hook
 *	is, with the context of a call that is about no object; once for a record: of an object when
 *	the first call comes that is about it, or sooner, and then perhaps again where it did
 *	not know; the others while the swap keeps all calls out, and then what went over by
 *	reference is out of reach as in init: no record, no lists. Lists can't have it: those
 *	of another layout begin empty. Since 1.1.
 *
 * Records start as zeros, and lists empty. At a swap a store goes over to the next policy by
 * reference, whatever its size, where both declare the same schema, version, kind, sharing, record
 * size and number of lists. A policy must therefore accept any bytes that it finds in a record.
 *
 * Where a policy comes to quarantine before all its objects' records were made of the older ones,
 * who comes in its place has these, as a rollback would: as they were at the moment when it became
 * active, by reference or to convert, not what it has made of them since. Only who declares its
 * layout without @convert, and not the older one, goes on with what it has made; the records of all
 * other objects begin as zeros.
 */
struct tiffin_store {
	const char *schema;
	__u32 version;
	__u32 kind;
	__u32 sharing;
	__u32 record_size;
	__u32 undo;
	__u32 lists;
	void (*convert)(const struct tiffin_ctx *ctx, const struct tiffin_convert_in *in,
			struct tiffin_convert_out *out);
};

#define TIFFIN_MAX_RECORD		4096

/*
 * Objects are named to a policy, and by it, by handles: 0 names none. A handle holds good as long
 * as its object; when the number goes to another object that one's generation is another, and who
 * still comes with the old handle is told so.
 */
#define TIFFIN_NO_HANDLE		0

/* Which end of a list. */
#define TIFFIN_LIST_HEAD		0
#define TIFFIN_LIST_TAIL		1

/**
 * enum tiffin_list_result - what a list service says
 * @TIFFIN_LIST_OK: done
 * @TIFFIN_LIST_BUSY: nothing was done: another call has the lists, or many objects that are gone
 *	stand in the way, some of which have been taken off. Or there are no lists to be had: in
 *	init, and where the policy declared none.
 * @TIFFIN_LIST_END: the list is empty, or ends there
 * @TIFFIN_LIST_OFF: the object is not on a list; to tiffin_list_next(): not on that list
 * @TIFFIN_LIST_GONE: the object of the handle is gone
 * @TIFFIN_LIST_BAD: there is no such list, end or object
 */
enum tiffin_list_result {
	TIFFIN_LIST_OK,
	TIFFIN_LIST_BUSY,
	TIFFIN_LIST_END,
	TIFFIN_LIST_OFF,
	TIFFIN_LIST_GONE,
	TIFFIN_LIST_BAD,
};

/**
 * struct tiffin_entry - an object on a list; of this size for ever, as it is given by value
 * @handle: names it; TIFFIN_NO_HANDLE where @result is not %TIFFIN_LIST_OK
 * @mark: the policy's number
 * @list: which list it is or was on
 * @result: one of enum tiffin_list_result
 */
struct tiffin_entry {
	__u64 handle;
	__u32 mark;
	__u16 list;
	__u16 result;
};

/**
 * struct tiffin_list_ops - how list services reach the host; state.h has a function for each
 * @size: bytes of this structure on the host's side
 * @reserved: zero
 * @put: tiffin_list_put()
 * @mark: tiffin_list_mark()
 * @remove: tiffin_list_remove()
 * @find: tiffin_list_find()
 * @first: tiffin_list_first()
 * @next: tiffin_list_next()
 * @take: tiffin_list_take()
 * @length: tiffin_list_length()
 *
 * They take and give numbers alone: the host follows no pointer but that of the call's context.
 */
struct tiffin_list_ops {
	__u32 size;
	__u32 reserved;
	__u32 (*put)(const struct tiffin_ctx *ctx, __u64 handle, __u32 list, __u32 end, __u32 mark);
	__u32 (*mark)(const struct tiffin_ctx *ctx, __u64 handle, __u32 mark);
	__u32 (*remove)(const struct tiffin_ctx *ctx, __u64 handle);
	struct tiffin_entry (*find)(const struct tiffin_ctx *ctx, __u64 handle);
	struct tiffin_entry (*first)(const struct tiffin_ctx *ctx, __u32 list, __u32 end);
	struct tiffin_entry (*next)(const struct tiffin_ctx *ctx, __u32 list, __u32 end,
				    __u64 handle);
	struct tiffin_entry (*take)(const struct tiffin_ctx *ctx, __u32 list, __u32 end);
	__u32 (*length)(const struct tiffin_ctx *ctx, __u32 list);
};

/**
 * struct tiffin_env - what stays the same over the calls of one instance on one CPU
 * @size: bytes of this structure on the host's side
 * @cpu: the CPU that the call runs on; where the record of a CPU is converted, that one
 * @nr_cpus: CPU numbers lie below this
 * @reserved: zero
 * @tunables: current values, in the order of the declaration; read by tiffin_tunable()
 * @counters: this CPU's counts, in the order of the declaration; written by tiffin_count()
 * @instance: the record of the instance's store; NULL where none was declared, or out of reach
 * @percpu: this CPU's record of the per-CPU store; NULL likewise
 * @list_ops: the list services, through state.h. Since 1.1.
 * @lists: the host's, to know the lists by. Since 1.1.
 */
struct tiffin_env {
	__u32 size;
	__u32 cpu;
	__u32 nr_cpus;
	__u32 reserved;
	const __s64 *tunables;
	__u64 *counters;
	void *instance;
	void *percpu;
	const struct tiffin_list_ops *list_ops;
	void *lists;
};

/* The object's record was zeroed for this call: it is the first one that this store sees of it. */
#define TIFFIN_CTX_OBJECT_FRESH		(1u << 0)

/**
 * struct tiffin_ctx - what every call gets, and the only state it has
 * @size: bytes of this structure on the host's side
 * @flags: TIFFIN_CTX_*
 * @env: the instance on this CPU
 * @now_ns: monotonic time in ns, the only clock a policy has; may differ by some us between CPUs
 * @epoch: number of the swap that made this instance active; grows by one with each swap
 * @object: the record of the object the call is about, or NULL where the policy declared no
 *	TIFFIN_STORE_OBJECT or the call is about none
 * @handle: of the object the call is about, or TIFFIN_NO_HANDLE. Since 1.1.
 */
struct tiffin_ctx {
	__u32 size;
	__u32 flags;
	const struct tiffin_env *env;
	__u64 now_ns;
	__u64 epoch;
	void *object;
	__u64 handle;
};

/**
 * struct tiffin_init_in - argument of the life-cycle callback init
 * @size: bytes of this structure on the host's side
 * @adopted: bit K set: the store of kind K was handed over by reference and holds live state
 */
struct tiffin_init_in {
	__u32 size;
	__u32 adopted;
};

/**
 * struct tiffin_policy - the descriptor; written with TIFFIN_POLICY(), never by hand
 * @magic: TIFFIN_POLICY_MAGIC
 * @size: bytes of this structure as the policy was built
 * @core_abi: TIFFIN_CORE_ABI as the policy was built
 * @family_abi: version of the family's header as the policy was built
 * @name: of the policy: letters, digits, '_' ; "default" is taken
 * @version: of the policy: letters, digits, '.', '_'
 * @family: whose hooks it answers
 * @doc: one line for people
 * @hooks: the family's hook table
 * @hooks_size: bytes of the hook table as the policy was built
 * @nr_stores: entries of @stores
 * @stores: declared stores, at most one of each kind
 * @store_stride: bytes from one entry of @stores to the next
 * @nr_tunables: entries of @tunables, at most TIFFIN_MAX_TUNABLES
 * @tunables: declared tunables
 * @tunable_stride: bytes from one entry of @tunables to the next
 * @nr_counters: entries of @counters, at most TIFFIN_MAX_COUNTERS
 * @counters: declared counters
 * @counter_stride: bytes from one entry of @counters to the next
 * @reserved: zero
 * @init: optional; called once for an instance, on one CPU, before it becomes active. Stores that
 *	were handed over are out of its reach (NULL), as the older policy still works on them; of
 *	the per-CPU store it reaches the record of the CPU it runs on. The epoch is 0.
 */
struct tiffin_policy {
	__u32 magic;
	__u32 size;
	__u32 core_abi;
	__u32 family_abi;
	char name[TIFFIN_NAME_LEN];
	char version[TIFFIN_VERSION_LEN];
	char family[TIFFIN_NAME_LEN];
	const char *doc;
	const void *hooks;
	__u32 hooks_size;
	__u32 nr_stores;
	const struct tiffin_store *stores;
	__u32 store_stride;
	__u32 nr_tunables;
	const struct tiffin_tunable *tunables;
	__u32 tunable_stride;
	__u32 nr_counters;
	const struct tiffin_counter *counters;
	__u32 counter_stride;
	__u32 reserved;
	void (*init)(const struct tiffin_ctx *ctx, const struct tiffin_init_in *in);
};

/**
 * TIFFIN_POLICY - define the one descriptor of a policy's source file
 * @family_: a bare word: packet_steering, ...
 * @name_: string literal
 * @version_: string literal
 * @doc_: string literal
 *
 * Further arguments are initialisers of struct tiffin_policy, best written with TIFFIN_HOOKS(),
 * TIFFIN_STORES(), TIFFIN_TUNABLES() and TIFFIN_COUNTERS(). The same facts go into the object
 * file's .modinfo section, where `tiffin verify` and modinfo read them without loading anything.
 */
#define TIFFIN_POLICY(family_, name_, version_, doc_, ...)					\
	static const char tiffin_policy_modinfo[]						\
		__attribute__((section(".modinfo"), used, aligned(1))) =			\
		"tiffin_policy=" name_ "\0tiffin_version=" version_ "\0tiffin_family=" #family_ \
		"\0tiffin_core_abi=" TIFFIN_STRING(TIFFIN_CORE_ABI_TEXT)			\
		"\0tiffin_family_abi=" TIFFIN_STRING(TIFFIN_##family_##_ABI_TEXT)		\
		"\0description=" doc_;								\
	extern const struct tiffin_policy tiffin_policy;					\
	const struct tiffin_policy tiffin_policy = {						\
		.magic = TIFFIN_POLICY_MAGIC,							\
		.size = sizeof(struct tiffin_policy),						\
		.core_abi = TIFFIN_CORE_ABI,							\
		.family_abi = TIFFIN_##family_##_ABI,						\
		.name = name_,									\
		.version = version_,								\
		.family = #family_,								\
		.doc = doc_,									\
		__VA_ARGS__									\
	}

#define TIFFIN_CORE_ABI_TEXT	1.1
#define TIFFIN_STRING(x)	TIFFIN_STRING_(x)
#define TIFFIN_STRING_(x)	#x

#define TIFFIN_HOOKS(table)	.hooks = &(table), .hooks_size = sizeof(table)
#define TIFFIN_STORES(array)	.stores = (array), .nr_stores = TIFFIN_ARRAY_SIZE(array),	\
				.store_stride = sizeof((array)[0])
#define TIFFIN_TUNABLES(array)	.tunables = (array), .nr_tunables = TIFFIN_ARRAY_SIZE(array),	\
				.tunable_stride = sizeof((array)[0])
#define TIFFIN_COUNTERS(array)	.counters = (array), .nr_counters = TIFFIN_ARRAY_SIZE(array),	\
				.counter_stride = sizeof((array)[0])

#endif /* TIFFIN_PLUGIN_H */
